//! Memories that are the same under two indices, or of several instances or threads.

use super::{OUT, numbers};
use crate::{Guest, load};
use isothread::{
    Context, ContextConfig, ExecEnv, Extern, Instance, InstanceArgs, Limits, MemoryType, Module,
    SharedMemory, Val,
};
use std::thread;
use std::time::{Duration, Instant};

/// One memory under two indices, in mapped memory and in memory that moves.
#[test]
fn a_memory_may_have_two_indices() {
    for memories_in_heap in [false, true] {
        let config = ContextConfig { memories_in_heap, ..ContextConfig::default() };
        let context = Context::with(config).unwrap();
        let module = load(&context, "(module (memory (export \"m\") 1 100))");
        let provider = Instance::new(&module, InstanceArgs::default()).unwrap();
        let module = load(
            &context,
            r#"(module (import "p" "m" (memory 1)) (import "p" "m" (memory 1))
                (func (export "run") (result i32)
                    (i32.store 0 (i32.const 8) (i32.const 5))
                    (drop (memory.grow 1 (i32.const 60)))
                    ;; The first bytes have moved, too.
                    (i32.store 0 (i32.const 12) (i32.const 7))
                    (i32.store 0 (i32.const 0x3c0000) (i32.load 1 (i32.const 8)))
                    (memory.copy 1 0 (i32.const 0x3c0004) (i32.const 0x3c0000) (i32.const 4))
                    (i32.add (i32.load 1 (i32.const 12))
                        (i32.add (i32.load 1 (i32.const 0x3c0000))
                            (i32.load (i32.const 0x3c0004))))))"#,
        );
        let memory = provider.get_memory("m").map(Extern::Memory);
        let imports = [memory.clone(), memory];
        let instance = Instance::with_imports(&module, InstanceArgs::default(), &imports);
        let instance = instance.unwrap();
        let mut env = ExecEnv::new(&instance, 0).unwrap();
        let run = instance.typed_func::<(), i32>("run").unwrap();
        assert_eq!(run.call(&mut env, ()).unwrap(), 17);
    }
}

/// A memory that several instances share, with addresses of 64 bits. What comes before it says
/// which index it has.
const SHARED: &str = r#"(module $FIRST
    (import "shared" "memory" (memory $s i64 1 16 shared))
    (func (export "wait") (param i64 i64) (result i32)
        (memory.atomic.wait32 $s (local.get 0) (i32.const 0) (local.get 1)))
    (func (export "notify") (param i64) (result i32)
        (memory.atomic.notify $s (local.get 0) (i32.const 1)))
    (func (export "grow") (result i64) (memory.grow $s (i64.const 1)))
    (func (export "size") (result i64) (memory.size $s))
    (func (export "load") (param i64) (result i32) (i32.load $s (local.get 0)))
    (func (export "store") (param i64 i32) (i32.store $s (local.get 0) (local.get 1)))
    (func (export "add") (param i64) (result i64)
        (i64.atomic.rmw.add $s (local.get 0) (i64.const 1))))"#;

#[test]
fn other_memories_are_shared_and_waited_for() {
    let context = Context::new().unwrap();
    let limits = Limits { min: 1, max: Some(16) };
    let ty = MemoryType { limits, shared: true, memory64: true, ..Default::default() };
    let memory = SharedMemory::new(&context, ty).unwrap();
    let alone = load(&context, &SHARED.replace("$FIRST", ""));
    let first = "(import \"env\" \"made afresh\" (memory 1))";
    let second = load(&context, &SHARED.replace("$FIRST", first));
    let make = |module: &Module| {
        let shared = Some(Extern::SharedMemory(memory.clone()));
        let imports = if module.imports().count() == 1 { vec![shared] } else { vec![None, shared] };
        let instance = Instance::with_imports(module, InstanceArgs::default(), &imports).unwrap();
        let env = ExecEnv::new(&instance, 0).unwrap();
        Guest { env, instance }
    };
    for module in [&alone, &second] {
        let mut guest = make(module);
        let at = |address: i64| [Val::I64(address)];
        let wait =
            |guest: &mut Guest, nanos| numbers(guest, "wait", &[Val::I64(8), Val::I64(nanos)]);
        assert_eq!(wait(&mut guest, 1_000_000), Ok(vec![2]));
        thread::scope(|scope| {
            let waiter = scope.spawn(|| wait(&mut make(module), -1));
            let began = Instant::now();
            while numbers(&mut guest, "notify", &at(8)) == Ok(vec![0]) {
                assert!(began.elapsed() < Duration::from_secs(30), "nobody came to wait");
                thread::yield_now();
            }
            assert_eq!(waiter.join().unwrap(), Ok(vec![0]));
        });
        // Another instance's growth is seen by loads, stores, atomics and `memory.size`.
        let old = memory.len_bytes() as i64;
        let mut grower = make(module);
        for (name, args) in [
            ("load", vec![Val::I64(old)]),
            ("store", vec![Val::I64(old + 65536), Val::I32(7)]),
            ("add", vec![Val::I64(old + 2 * 65536)]),
        ] {
            assert_eq!(numbers(&mut guest, name, &args), Err(OUT.to_owned()), "{name}");
            guest.instance.clear_exception();
            numbers(&mut grower, "grow", &[]).unwrap();
            assert!(numbers(&mut guest, name, &args).is_ok(), "{name}");
        }
        assert_eq!(numbers(&mut guest, "size", &[]), Ok(vec![old / 65536 + 3]));
        assert_eq!(numbers(&mut grower, "load", &at(old + 65536)), Ok(vec![7]));
        let unaligned = numbers(&mut guest, "add", &at(4)).unwrap_err();
        assert_eq!(unaligned, "unaligned atomic");
    }
}

/// A thread of a program has its own copy of memories that are not shared, initialised.
#[test]
fn threads_begin_with_their_own_data() {
    let mut guest = Guest::new(
        r#"(module (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
            (memory (export "memory") 1 1 shared) (memory $own 1) (memory $bytes i64 3 (pagesize 1))
            (data (memory $own) (i32.const 8) "own") (data (memory $bytes) (i64.const 0) "abc")
            (data (i32.const 32) "once")
            (func (export "wasi_thread_start") (param i32 i32)
                (i32.store (i32.const 16) (i32.load $own (i32.const 8)))
                (i32.store16 (i32.const 20) (i32.load16_u $bytes (i64.const 1)))
                (i32.atomic.store (i32.const 12) (i32.const 1))
                (drop (memory.atomic.notify (i32.const 12) (i32.const 1))))
            (func (export "run") (result i32 i32 i32)
                (i32.store $own (i32.const 8) (i32.const 0))
                (i32.store (i32.const 32) (i32.const 0))
                (drop (call $spawn (i32.const 0)))
                (drop (memory.atomic.wait32 (i32.const 12) (i32.const 0) (i64.const 20000000000)))
                (i32.load (i32.const 16)) (i32.load (i32.const 20)) (i32.load (i32.const 32))))"#,
    );
    let expected = [0x6e_776f, 0x6362, 0];
    assert_eq!(numbers(&mut guest, "run", &[]), Ok(expected.to_vec()));
}
