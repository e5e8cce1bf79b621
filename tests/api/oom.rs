use isothread::{
    Context, ContextConfig, ErrorKind, ExecEnv, FailRule, FuncType, HeapConfig, Instance,
    InstanceArgs, Module, ModuleBytes, Native, UserAllocator, UserDataFunctions, UserFunctions,
    Val, ValType,
};
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Everything the library's own code allocates goes to the context whose code runs.
#[global_allocator]
static ALLOCATOR: isothread::ContextAlloc = isothread::ContextAlloc;

const MODULE: &str = r#"(module
    (import "host" "f" (func $f (param i32) (result i32)))
    (type $unary (func (param i32) (result i32)))
    (memory (export "memory") 1 4)
    (table 4 16 funcref)
    (global (export "g") (mut i64) (i64.const 1))
    (elem (i32.const 0) func $f $run)
    (data (i32.const 8) "data")
    (func $start (global.set 0 (i64.const 2)))
    (start $start)
    (func $run (export "run") (param i32) (result i32)
        (drop (memory.grow (i32.const 1)))
        (drop (table.grow (ref.func $run) (i32.const 8)))
        (call_indirect (type $unary) (local.get 0) (i32.const 0))))"#;

/// An embedder's allocator that counts its live blocks in its user data.
fn counting(live: &AtomicUsize) -> HeapConfig {
    unsafe extern "C" fn malloc(live: *mut c_void, size: u32) -> *mut c_void {
        // SAFETY: `live` is the counter below, which outlives the heap.
        unsafe {
            (*live.cast::<AtomicUsize>()).fetch_add(1, Ordering::Relaxed);
            libc::malloc(size as usize)
        }
    }
    unsafe extern "C" fn realloc(_: *mut c_void, block: *mut c_void, size: u32) -> *mut c_void {
        // SAFETY: the heap passes a live block that `malloc` returned.
        unsafe { libc::realloc(block, size as usize) }
    }
    unsafe extern "C" fn free(live: *mut c_void, block: *mut c_void) {
        // SAFETY: `live` is the counter below, which outlives the heap; the heap passes a live
        // block that `malloc` returned.
        unsafe {
            (*live.cast::<AtomicUsize>()).fetch_sub(1, Ordering::Relaxed);
            libc::free(block);
        }
    }
    let functions = UserDataFunctions { malloc, realloc: Some(realloc), free };
    let live = std::ptr::from_ref(live).cast_mut().cast();
    // SAFETY: the functions behave like C's, on any thread.
    let allocator = unsafe { UserAllocator::new(UserFunctions::UserData(functions), live) };
    HeapConfig::User(allocator.expect("malloc and free differ"))
}

/// A scenario's work in its context, which is closed afterwards.
type Program = fn(&Context) -> isothread::Result<i32>;

const PROGRAMS: [Program; 3] = [one_module, two_modules, exceptions];

/// Runs a program with some allocations failing. Any error will do, as long as it is one, and
/// nothing may be left behind.
fn scenario(rule: Option<FailRule>, program: Program) -> Result<i32, String> {
    let live = AtomicUsize::new(0);
    let inner = counting(&live);
    let heap = match rule {
        Some(rule) => HeapConfig::Failing { inner: Box::new(inner), rule },
        None => inner,
    };
    let outcome = in_context(heap, program).map_err(|error| error.message().to_owned());
    assert_eq!(live.load(Ordering::Relaxed), 0, "left after {outcome:?}, {rule:?}");
    outcome
}

fn in_context(heap: HeapConfig, program: Program) -> isothread::Result<i32> {
    let context = Context::with(ContextConfig { heap, ..ContextConfig::default() })?;
    let result = program(&context);
    context.close();
    result
}

/// Loads, instantiates and calls.
fn one_module(context: &Context) -> isothread::Result<i32> {
    let wasm = wat::parse_str(MODULE).unwrap();
    let ty = FuncType::new([ValType::I32], [ValType::I32]);
    let native = Native::new(ty, |_, args, results| {
        results[0] = args[0];
        Ok(())
    });
    context.define("host", "f", &native)?;
    let module = Module::new(context, &wasm)?;
    let args = InstanceArgs { heap_size: 4096, ..Default::default() };
    let instance = Instance::new(&module, args)?;
    let mut env = ExecEnv::new(&instance, 0)?;
    let mut results = [Val::I32(0)];
    let run = instance.get_func("run").expect("exported");
    run.call(&mut env, &[Val::I32(7)], &mut results)?;
    assert!(matches!(results, [Val::I32(7)]));
    assert_eq!(context.stats().objects(), 3);
    Ok(7)
}

/// A binary that lies outside of the context.
struct Binary(Arc<[u8]>);

impl AsRef<[u8]> for Binary {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The same with a module that imports from another, which a reader finds.
fn two_modules(context: &Context) -> isothread::Result<i32> {
    let provider: Arc<[u8]> = wat::parse_str(
        r#"(module (memory (export "memory") 1) (table (export "table") 1 funcref)
            (global (export "g") (mut i32) (i32.const 3))
            (func (export "f") (result i32) (i32.const 4)))"#,
    )
    .unwrap()
    .into();
    let user = wat::parse_str(
        r#"(module (import "provider" "f" (func $f (result i32)))
            (import "provider" "memory" (memory 1))
            (import "provider" "table" (table 1 funcref))
            (import "provider" "g" (global (mut i32)))
            (func (export "run") (result i32) (i32.add (call $f) (global.get 0))))"#,
    )
    .unwrap();
    context.set_module_reader(Some(Arc::new(move |_, _| {
        Some(Box::new(Binary(provider.clone())) as ModuleBytes)
    })))?;
    let module = Module::new(context, &user)?;
    context.register_module("user", &module)?;
    let instance = Instance::new(&module, InstanceArgs::default())?;
    let mut env = ExecEnv::new(&instance, 0)?;
    assert_eq!(context.stats().objects(), 5);
    instance.typed_func::<(), i32>("run")?.call(&mut env, ())
}

/// Throws and catches in all ways, from one instance to another.
fn exceptions(context: &Context) -> isothread::Result<i32> {
    let thrower = wat::parse_str(
        r#"(module (tag $t (export "t") (param i32))
            (global (export "e") (mut exnref) (ref.null exn))
            (func (export "f") (param i32)
                (block $h (result exnref)
                    (try_table (catch_all_ref $h) (throw $t (local.get 0)))
                    (unreachable))
                (global.set 0)
                (throw_ref (global.get 0))))"#,
    )
    .unwrap();
    let catcher = wat::parse_str(
        r#"(module (import "" "t" (tag $t (param i32))) (import "" "e" (global (mut exnref)))
            (import "" "f" (func $f (param i32)))
            (func (export "run") (result i32)
                (block $h (result i32 exnref)
                    (try_table (catch_ref $t $h) (call $f (i32.const 7)))
                    (unreachable))
                (global.set 0)))"#,
    )
    .unwrap();
    let first = Instance::new(&Module::new(context, &thrower)?, InstanceArgs::default())?;
    let module = Module::new(context, &catcher)?;
    let imports: Vec<_> = module.imports().map(|import| first.get_export(import.name)).collect();
    let instance = Instance::with_imports(&module, InstanceArgs::default(), &imports)?;
    let mut env = ExecEnv::new(&instance, 0)?;
    instance.typed_func::<(), i32>("run")?.call(&mut env, ())
}

#[test]
fn every_allocation_fails_once() {
    for program in PROGRAMS {
        let mut failures = 0;
        let mut last_failure = 0;
        for number in 1..=2000 {
            // Some failures are not missed: growth gives -1, a pool keeps nothing.
            if let Err(text) = scenario(Some(FailRule::Once(number)), program) {
                (failures, last_failure) = (failures + 1, number);
                assert!(text.contains("allocate") && text.contains("failed"), "{number}: {text}");
            }
        }
        assert!(failures > 20 && last_failure < 1000, "{failures} failures, last {last_failure}");
    }
}

#[test]
fn every_allocation_fails_from_some_point_on() {
    for program in PROGRAMS {
        let mut succeeded_at = 0;
        for number in 1..=2000 {
            match scenario(Some(FailRule::From(number)), program) {
                Ok(_) => {
                    succeeded_at = number;
                    break;
                }
                Err(text) => {
                    assert!(
                        text.contains("allocate") && text.contains("failed"),
                        "{number}: {text}"
                    );
                }
            }
        }
        assert!(succeeded_at > 20, "it takes only {succeeded_at} allocations");
    }
}

#[test]
fn nothing_is_left_behind() {
    for program in PROGRAMS {
        assert_eq!(scenario(None, program), Ok(7));
    }
}

const ADD: &str = r#"(module
    (import "host" "load" (func $load (result i32)))
    (func (export "add") (param i32 i32) (result i32)
        (i32.add (local.get 0) (local.get 1)))
    (func (export "load") (result i32) (call $load)))"#;

/// A context with a native that runs `load`.
fn with_load(load: impl Fn() -> i32 + Send + Sync + 'static) -> Context {
    let context = Context::new().unwrap();
    let ty = FuncType::new([], [ValType::I32]);
    let native = Native::new(ty, move |_, _, results| {
        results[0] = Val::I32(load());
        Ok(())
    });
    context.define("host", "load", &native).unwrap();
    context
}

fn guest(context: &Context) -> (Instance, ExecEnv) {
    let module = Module::new(context, &wat::parse_str(ADD).unwrap()).unwrap();
    let instance = Instance::new(&module, InstanceArgs::default()).unwrap();
    let env = ExecEnv::new(&instance, 0).unwrap();
    (instance, env)
}

fn leave_bytes(context: &Context, bytes: u64) {
    context.set_quota_bytes(Some(context.stats().heap.live_bytes + bytes));
}

fn cannot_load(context: &Context, wasm: &[u8]) -> bool {
    Module::new(context, wasm).is_err_and(|error| error.kind() == ErrorKind::OutOfMemory)
}

#[test]
fn memory_runs_out_for_the_thread_that_asked_for_it() {
    let context = with_load(|| 0);
    let (instance, mut env) = guest(&context);
    let add = instance.typed_func::<(i32, i32), i32>("add").unwrap();
    assert_eq!(add.call(&mut env, (20, 22)).unwrap(), 42);
    leave_bytes(&context, 1000);
    let done = AtomicBool::new(false);
    let loads = AtomicU32::new(0);
    std::thread::scope(|scope| {
        let loader = scope.spawn(|| {
            let wasm = wat::parse_str(MODULE).unwrap();
            while !done.load(Ordering::Relaxed) {
                assert!(cannot_load(&context, &wasm));
                loads.fetch_add(1, Ordering::Relaxed);
            }
        });
        let mut calls = 0;
        let mut failed = 0;
        // Both threads have to run side by side for a while, however late the second one starts.
        while !loader.is_finished() && (calls < 100_000 || loads.load(Ordering::Relaxed) < 100) {
            failed += add.call(&mut env, (20, 22)).is_err() as u32;
            calls += 1;
        }
        done.store(true, Ordering::Relaxed);
        assert_eq!(failed, 0, "calls that take no memory have failed");
    });
    context.close();
}

#[test]
fn memory_runs_out_for_the_operation_that_asked_for_it() {
    let inside: Arc<Mutex<Option<Context>>> = Arc::default();
    let theirs = inside.clone();
    let wasm = wat::parse_str(MODULE).unwrap();
    let context = with_load(move || {
        let context = theirs.lock().unwrap().clone().unwrap();
        cannot_load(&context, &wasm) as i32
    });
    *inside.lock().unwrap() = Some(context.clone());
    let (instance, mut env) = guest(&context);
    let load = instance.typed_func::<(), i32>("load").unwrap();
    let add = instance.typed_func::<(i32, i32), i32>("add").unwrap();
    assert_eq!(add.call(&mut env, (20, 22)).unwrap(), 42);
    assert_eq!(load.call(&mut env, ()).unwrap(), 0);
    leave_bytes(&context, 1000);
    assert_eq!(load.call(&mut env, ()).unwrap(), 1, "the host has dealt with it");
    assert_eq!(add.call(&mut env, (20, 22)).unwrap(), 42);
    inside.lock().unwrap().take();
    context.close();
}

#[test]
fn success_inside_hides_no_failure() {
    let inside: Arc<Mutex<Option<Context>>> = Arc::default();
    let theirs = inside.clone();
    let context = with_load(move || {
        // The guest's heap is current here, and this cannot fail.
        let bytes = std::hint::black_box(vec![0u8; 10_000]);
        let context = theirs.lock().unwrap().clone().unwrap();
        context.set_name(None).unwrap();
        bytes.len() as i32
    });
    *inside.lock().unwrap() = Some(context.clone());
    let (instance, mut env) = guest(&context);
    let load = instance.typed_func::<(), i32>("load").unwrap();
    assert_eq!(load.call(&mut env, ()).unwrap(), 10_000);
    leave_bytes(&context, 1000);
    let error = load.call(&mut env, ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfMemory);
    inside.lock().unwrap().take();
    context.close();
}
