//! How contexts are made: their configuration, the libraries they offer, why they are refused.

use crate::load;
use isothread::{
    BuiltinTable, Context, ContextConfig, ContextError, Convention, ErrorKind, ExecEnv, FailRule,
    HeapConfig, HeapError, Instance, InstanceArgs, NativeArray, PoolBuffer, RunningMode, builtins,
};

fn offering(builtins: &'static [BuiltinTable]) -> Context {
    Context::with(ContextConfig { builtins, ..ContextConfig::default() }).expect("context")
}

/// The result of the export `f` of a module in this context.
fn outcome(context: &Context, wat: &str) -> Result<i32, String> {
    let instance = Instance::new(&load(context, wat), InstanceArgs::default()).expect("instance");
    let mut env = ExecEnv::new(&instance, 0).expect("exec_env");
    let f = instance.typed_func::<(), i32>("f").expect("function");
    f.call(&mut env, ()).map_err(|error| error.message().to_owned())
}

#[cfg(feature = "wasi")]
#[test]
fn a_context_without_wasi_stands_beside_one_with_it() {
    const YIELD: &str = r#"(module
        (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
        (memory (export "memory") 1)
        (func (export "f") (result i32) (call $yield)))"#;
    let (with, without) = (offering(&[builtins::WASI]), offering(&[builtins::THREADS]));
    for _ in 0..2 {
        assert_eq!(outcome(&with, YIELD), Ok(0));
        let error = outcome(&without, YIELD).expect_err("WASI");
        assert!(error.starts_with("failed to call unlinked import function"), "{error}");
    }
    assert!(!with.natives().is_linked("wasi", "thread-spawn"));
    assert!(without.natives().is_linked("wasi", "thread-spawn"));
}

#[test]
fn a_context_may_offer_nothing() {
    let bare = offering(&[]);
    assert_eq!(outcome(&bare, r#"(module (func (export "f") (result i32) (i32.const 7)))"#), Ok(7));
    let names = [
        ("env", "pthread_self"),
        ("env", "printf"),
        ("env", "shared_heap_malloc"),
        ("wasi", "thread-spawn"),
        ("wasi_snapshot_preview1", "fd_write"),
        ("wasi_unstable", "fd_seek"),
    ];
    assert!(names.iter().all(|(module, name)| !bare.natives().is_linked(module, name)));
    let usual = Context::new().expect("context");
    assert!(usual.natives().is_linked("env", "pthread_self"));
    assert!(usual.natives().is_linked("env", "shared_heap_malloc"));
    for (feature, (module, name)) in [
        (cfg!(feature = "wasi"), ("wasi_unstable", "fd_seek")),
        (cfg!(feature = "builtin-libc"), ("env", "printf")),
        (cfg!(feature = "libc-emcc"), ("env", "emcc_fwrite")),
    ] {
        assert_eq!(usual.natives().is_linked(module, name), feature, "{name}");
    }
}

#[test]
fn a_refused_context_says_why() {
    let refused = |config: ContextConfig| Context::with(config).expect_err("a context");
    if !RunningMode::LlvmJit.is_supported() {
        let mode = Some(RunningMode::LlvmJit);
        let error = refused(ContextConfig { running_mode: mode, ..ContextConfig::default() });
        assert_eq!(error, ContextError::RunningMode(3));
    }
    let error = isothread::Error::from(ContextError::RunningMode(3));
    assert_eq!(error.kind(), ErrorKind::Misuse);

    let failing = |inner| HeapConfig::Failing { inner: Box::new(inner), rule: FailRule::From(1) };
    let heap = failing(failing(HeapConfig::System));
    let error = refused(ContextConfig { heap, ..ContextConfig::default() });
    assert_eq!(error, ContextError::Heap(HeapError::NestedFailing));

    // SAFETY: null pointers are accepted.
    let array = unsafe { NativeArray::new(c"env".as_ptr(), std::ptr::null(), 1, Convention::Raw) };
    let heap = failing(HeapConfig::System);
    let natives = Some(array);
    let error = refused(ContextConfig { heap, natives, ..ContextConfig::default() });
    assert_eq!(error, ContextError::Natives);
    assert_eq!(isothread::Error::from(error).kind(), ErrorKind::OutOfMemory);

    let mut bytes = [0_u8; 16];
    let start = bytes.as_mut_ptr();
    // SAFETY: the bytes are the test's own, and too few for a heap.
    let pool = unsafe { PoolBuffer::new(start, bytes.len()) };
    let too_small = HeapError::PoolTooSmall { start: start.addr(), len: 16 };
    assert_eq!(pool.err(), Some(too_small));
}
