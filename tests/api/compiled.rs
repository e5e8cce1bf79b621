//! Compiled code: the running modes, and that all of them do the same.

use crate::{Guest, load};
use isothread::{
    Context, ContextConfig, ExecEnv, FuncType, Instance, InstanceArgs, JitOptions, Module, Native,
    RunningMode, Trap, Val, ValType,
};
use std::thread;
use std::time::{Duration, Instant};

const MODES: [RunningMode; 4] =
    [RunningMode::Interp, RunningMode::FastJit, RunningMode::LlvmJit, RunningMode::MultiTierJit];

pub fn context_in(running_mode: RunningMode, jit: JitOptions) -> Context {
    let running_mode = Some(running_mode);
    Context::with(ContextConfig { running_mode, jit, ..ContextConfig::default() }).expect("context")
}

pub fn guest_in(mode: RunningMode, wat: &str) -> Guest {
    let context = context_in(mode, JitOptions::default());
    let args = InstanceArgs { stack_size: 256 << 10, ..InstanceArgs::default() };
    let instance = Instance::new(&load(&context, wat), args).expect("instance");
    let env = ExecEnv::new(&instance, 0).expect("exec_env");
    Guest { env, instance }
}

/// What `observe` sees in each mode is the same; returns it.
pub fn in_all_modes<T: PartialEq + std::fmt::Debug>(observe: impl Fn(RunningMode) -> T) -> T {
    let [first, rest @ ..] = MODES;
    let seen = observe(first);
    for mode in rest {
        assert_eq!(observe(mode), seen, "{mode:?}");
    }
    seen
}

/// No compilation takes so long.
pub const LONG: Duration = Duration::from_secs(120);

/// Waits until `condition` holds.
fn eventually(condition: impl Fn() -> bool) {
    let end = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < end, "it took too long");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Calls between functions, a table, a loop, memory and a global; traps in the middle.
pub const MIXED: &str = r#"(module
    (memory 1)
    (global $g (mut i64) (i64.const 7))
    (table 3 funcref)
    (elem (i32.const 0) $add $mul)
    (type $binary (func (param i32 i32) (result i32)))
    (func $add (type $binary) (i32.add (local.get 0) (local.get 1)))
    (func $mul (type $binary) (i32.mul (local.get 0) (local.get 1)))
    (func $pair (param i32 f64) (result f64 i32) (local.get 1) (local.get 0))
    (func $fold (export "fold") (param $n i32) (result i32) (local $i i32) (local $sum i32)
        (loop $next
            (local.set $sum
                (call_indirect (type $binary)
                    (local.get $sum) (local.get $i) (i32.and (local.get $i) (i32.const 1))))
            (i32.store (i32.shl (i32.and (local.get $i) (i32.const 255)) (i32.const 2))
                (local.get $sum))
            (global.set $g (i64.add (global.get $g) (i64.extend_i32_s (local.get $sum))))
            (br_if $next
                (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
        (local.get $sum))
    (func (export "global") (result i64) (global.get $g))
    (func (export "pair") (param i32 f64) (result f64 i32)
        (call $pair (local.get 0) (local.get 1)))
    (func $depth (export "depth") (param i32) (result i32)
        (if (result i32) (local.get 0)
            (then (i32.add (i32.const 1) (call $depth (i32.sub (local.get 0) (i32.const 1)))))
            (else (i32.const 0))))
    (func $inner (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
    (func (export "divide") (param i32) (result i32)
        (nop) (call $inner (i32.add (local.get 0) (i32.const 0))))
    (func (export "load") (param i32) (result i32) (i32.load offset=4 (local.get 0)))
    (func (export "mistyped") (result i64) (call_indirect (result i64) (i32.const 0)))
    (func (export "unset") (call_indirect (i32.const 2)))
    (func (export "truncate") (param f64) (result i32) (i32.trunc_f64_s (local.get 0))))"#;

/// Calls of functions of [`MIXED`]: results, and each kind of trap.
pub const CALLS: [(&str, &[Val]); 11] = [
    ("fold", &[Val::I32(1000)]),
    ("global", &[]),
    ("pair", &[Val::I32(3), Val::F64(2.5)]),
    ("depth", &[Val::I32(100)]),
    ("depth", &[Val::I32(1_000_000)]),
    ("divide", &[Val::I32(0)]),
    ("load", &[Val::I32(65_528)]),
    ("load", &[Val::I32(65_529)]),
    ("mistyped", &[]),
    ("unset", &[]),
    ("truncate", &[Val::F64(f64::NAN)]),
];

/// The result of a call, or its trap, and the call stack that it has left.
pub fn observe(guest: &mut Guest, name: &str, args: &[Val]) -> String {
    let result = guest.call(name, args);
    let trace = guest.env.backtrace().expect("memory");
    let frames: Vec<_> = trace.frames.iter().map(|at| (at.func_index, at.module_offset)).collect();
    format!("{result:?} {frames:?}")
}

#[test]
fn results_and_traps_are_the_same() {
    let seen = in_all_modes(|mode| {
        let mut guest = guest_in(mode, MIXED);
        CALLS.map(|(name, args)| observe(&mut guest, name, args))
    });
    assert!(seen[4].contains("stack overflow"), "{}", seen[4]);
    assert!(seen[5].contains("divide by zero"), "{}", seen[5]);
}

#[test]
fn the_same_fuel_is_used() {
    let left = in_all_modes(|mode| {
        let mut guest = guest_in(mode, MIXED);
        let context = guest.instance.module().context().clone();
        context.set_fuel(Some(10_000_000));
        guest.call("fold", &[Val::I32(50_000)]).expect("enough fuel");
        guest.call("depth", &[Val::I32(500)]).expect("enough fuel");
        guest.call("divide", &[Val::I32(0)]).expect_err("a trap");
        context.fuel()
    });
    assert!(left.is_some_and(|left| left > 0 && left < 10_000_000));
    let ended = in_all_modes(|mode| {
        let mut guest = guest_in(mode, MIXED);
        guest.instance.module().context().set_fuel(Some(100_000));
        let error = guest.call("fold", &[Val::I32(i32::MAX)]).expect_err("an endless loop");
        (error, guest.call("global", &[]).expect_err("no fuel"))
    });
    assert!(ended.0.contains("instruction limit exceeded"));
}

#[test]
fn hot_functions_and_loops_are_compiled_meanwhile() {
    let mut guest = guest_in(RunningMode::MultiTierJit, MIXED);
    let module = guest.instance.module();
    assert_eq!(module.compiled_code().funcs, 0);
    guest.call("global", &[]).expect("a result");
    assert_eq!(module.compiled_code().funcs, 0, "one call makes nothing hot");
    // The function is entered once: it can only go on in compiled code from its loop.
    let fold = |guest: &mut Guest| format!("{:?}", guest.call("fold", &[Val::I32(1 << 20)]));
    let expected = fold(&mut guest_in(RunningMode::Interp, MIXED));
    let end = Instant::now() + LONG;
    while module.compiled_code().loops == 0 {
        assert!(Instant::now() < end, "the loop is not compiled");
        assert_eq!(fold(&mut guest), expected);
    }
    eventually(|| module.compiled_code().funcs >= 1);
    assert_eq!(fold(&mut guest), expected);
    assert!(module.compiled_code().bytes > 0);
}

#[test]
fn loops_in_the_midst_of_other_values_go_on() {
    // Values below the loop and parameters of it lie on the operand stack when it is entered.
    let wat = r#"(module (func (export "f") (param $n i32) (result i64) (local $i i32)
        (i64.const 1000)
        (f64.const 0.5)
        (i64.const 3)
        (loop $next (param i64) (result i64)
            (i64.add (i64.const 1))
            (br_if $next
                (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
        (i64.add (i64.trunc_f64_s (f64.mul (f64.const 10))))
        (i64.sub)))"#;
    let wat = wat.replace("(i64.add (i64.trunc_f64_s (f64.mul (f64.const 10))))", "");
    let wat = wat.replace("(i64.sub)", "(local.set $sum) (drop) (local.get $sum) (i64.sub)");
    let wat = wat.replace("(local $i i32)", "(local $i i32) (local $sum i64)");
    let mut guest = guest_in(RunningMode::MultiTierJit, &wat);
    let module = guest.instance.module();
    let turns = 1 << 21;
    let end = Instant::now() + LONG;
    while module.compiled_code().loops == 0 {
        assert!(Instant::now() < end, "the loop is not compiled");
        let result = guest.call("f", &[Val::I32(turns)]).expect("a result");
        assert!(matches!(result[..], [Val::I64(n)] if n == 1000 - 3 - i64::from(turns)));
    }
}

#[test]
fn modes_are_chosen_for_instances() {
    let context = context_in(RunningMode::Interp, JitOptions::default());
    let module = load(&context, MIXED);
    let one = Instance::new(&module, InstanceArgs::default()).expect("instance");
    assert_eq!(one.running_mode(), RunningMode::Interp);
    let fold = |instance: &Instance| {
        let mut env = ExecEnv::new(instance, 0).expect("exec_env");
        instance.typed_func::<i32, i32>("fold").expect("exported").call(&mut env, 100)
    };
    let expected = fold(&one).expect("a result");
    assert_eq!(module.compiled_code().funcs, 0);
    one.set_running_mode(RunningMode::LlvmJit).expect("the mode");
    assert_eq!(one.running_mode(), RunningMode::LlvmJit);
    assert_eq!(fold(&one).expect("a result"), expected);
    let compiled = module.compiled_code().funcs;
    assert!(compiled > 0);
    // Another instance of the same module has the context's mode.
    let other = Instance::new(&module, InstanceArgs::default()).expect("instance");
    assert_eq!(other.running_mode(), RunningMode::Interp);
    one.set_running_mode(RunningMode::Interp).expect("the mode");
    assert_eq!(fold(&one).expect("a result"), expected);
    assert_eq!(module.compiled_code().funcs, compiled);
    context.set_running_mode(RunningMode::FastJit);
    let third = Instance::new(&module, InstanceArgs::default()).expect("instance");
    assert_eq!(third.running_mode(), RunningMode::FastJit);
    assert_eq!(fold(&third).expect("a result"), expected);
}

#[test]
fn a_running_instance_keeps_its_mode() {
    let context = context_in(RunningMode::LlvmJit, JitOptions::default());
    let switch = Native::new(FuncType::new([], [ValType::I32]), |caller, _, results| {
        let refused = caller.instance().set_running_mode(RunningMode::Interp).is_err();
        results[0] = Val::I32(refused.into());
        Ok(())
    });
    context.define("env", "switch", &switch).expect("defined");
    let wat = r#"(module (import "env" "switch" (func $switch (result i32)))
        (func (export "f") (result i32) (call $switch)))"#;
    let instance = Instance::new(&load(&context, wat), InstanceArgs::default()).expect("instance");
    let mut env = ExecEnv::new(&instance, 0).expect("exec_env");
    let f = instance.typed_func::<(), i32>("f").expect("exported");
    assert_eq!(f.call(&mut env, ()).expect("a result"), 1);
    assert_eq!(instance.running_mode(), RunningMode::LlvmJit);
}

#[test]
fn importers_follow_a_change_of_mode() {
    let context = context_in(RunningMode::LlvmJit, JitOptions::default());
    let provider =
        Instance::new(&load(&context, MIXED), InstanceArgs::default()).expect("instance");
    let wat = r#"(module (import "m" "fold" (func $fold (param i32) (result i32)))
        (func (export "f") (result i32) (call $fold (i32.const 10))))"#;
    let fold = provider.get_func("fold").expect("exported");
    let imports = [Some(isothread::Extern::Func(fold))];
    let importer = Instance::with_imports(&load(&context, wat), InstanceArgs::default(), &imports)
        .expect("instance");
    let mut env = ExecEnv::new(&importer, 0).expect("exec_env");
    let f = importer.typed_func::<(), i32>("f").expect("exported");
    let expected = f.call(&mut env, ()).expect("a result");
    for mode in MODES {
        provider.set_running_mode(mode).expect("the mode");
        assert_eq!(f.call(&mut env, ()).expect("a result"), expected, "{mode:?}");
    }
}

#[test]
fn tail_calls_out_of_interpreted_functions_come_back() {
    let context = context_in(RunningMode::LlvmJit, JitOptions::default());
    let provider = r#"(module (func (export "next") (param i32) (result i32)
        (i32.add (local.get 0) (i32.const 1))))"#;
    let provider = Instance::new(&load(&context, provider), InstanceArgs::default()).expect("made");
    let wat = r#"(module (import "m" "next" (func $next (param i32) (result i32)))
        (func $away (param i32) (result i32) (return_call $next (local.get 0)))
        (func (export "f") (param i32) (result i32)
            (i32.mul (call $away (local.get 0)) (i32.const 10))))"#;
    let next = provider.get_func("next").expect("exported");
    let imports = [Some(isothread::Extern::Func(next))];
    let importer = Instance::with_imports(&load(&context, wat), InstanceArgs::default(), &imports)
        .expect("instance");
    let mut env = ExecEnv::new(&importer, 0).expect("exec_env");
    let f = importer.typed_func::<i32, i32>("f").expect("exported");
    assert_eq!(f.call(&mut env, 6).expect("a result"), 70);
    assert_eq!(importer.module().compiled_code().funcs, 2);
}

#[test]
fn code_memory_has_a_limit() {
    let page = 4096;
    for pages in [1, 2, 3, 8] {
        let jit = JitOptions { code_cache_size: pages * page, ..JitOptions::default() };
        let context = context_in(RunningMode::LlvmJit, jit);
        let instance =
            Instance::new(&load(&context, MIXED), InstanceArgs::default()).expect("instance");
        let mut env = ExecEnv::new(&instance, 0).expect("exec_env");
        let fold = instance.typed_func::<i32, i32>("fold").expect("exported");
        let depth = instance.typed_func::<i32, i32>("depth").expect("exported");
        let seen = (fold.call(&mut env, 100).expect("a result"), depth.call(&mut env, 50));
        let mut reference = guest_in(RunningMode::Interp, MIXED);
        let expected = reference.call("fold", &[Val::I32(100)]).expect("a result");
        assert!(matches!(expected[..], [Val::I32(value)] if value == seen.0));
        assert_eq!(seen.1.expect("a result"), 50);
        assert!(instance.module().compiled_code().bytes <= u64::from(pages * page));
    }
}

#[test]
fn compiled_loops_are_stopped() {
    let wat = "(module (func (export \"hang\") (loop (br 0))))";
    for mode in MODES {
        let mut guest = guest_in(mode, wat);
        let context = guest.instance.module().context().clone();
        context.set_time_left(Some(Duration::from_millis(200)));
        let begun = Instant::now();
        let error = guest.call("hang", &[]).expect_err("an endless loop");
        assert!(error.contains("deadline exceeded"), "{mode:?}: {error}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{mode:?}");
    }
}

#[test]
fn deep_recursion_needs_no_native_stack() {
    // Of the guest's stack there is enough, of the native one there is not.
    let depths = in_all_modes(|mode| {
        let run = move || {
            let context = context_in(mode, JitOptions::default());
            let args = InstanceArgs { stack_size: 64 << 20, ..InstanceArgs::default() };
            let instance = Instance::new(&load(&context, MIXED), args).expect("instance");
            let mut env = ExecEnv::new(&instance, 64 << 20).expect("exec_env");
            let depth = instance.typed_func::<i32, i32>("depth").expect("exported");
            let deep = depth.call(&mut env, 400_000).expect("room on the guest's stack");
            let error = depth.call(&mut env, 100_000_000).expect_err("no room");
            (deep, error.trap())
        };
        let thread = thread::Builder::new().stack_size(256 << 10).spawn(run).expect("a thread");
        thread.join().expect("no panic")
    });
    assert_eq!(depths, (400_000, Some(Trap::OperandStackOverflow)));
}

#[test]
fn little_native_stack_is_enough() {
    // Not for the compiler: whatever is not compiled yet is interpreted there.
    in_all_modes(|mode| {
        let run = move || {
            let mut guest = guest_in(mode, MIXED);
            format!("{:?}", guest.call("fold", &[Val::I32(200_000)]))
        };
        let thread = thread::Builder::new().stack_size(64 << 10).spawn(run).expect("a thread");
        thread.join().expect("no panic")
    });
}

#[test]
fn host_functions_call_back() {
    let seen = in_all_modes(|mode| {
        let context = context_in(mode, JitOptions::default());
        let ty = FuncType::new([ValType::I32], [ValType::I32]);
        let again = Native::new(ty, |mut caller, args, results| {
            let Val::I32(n) = args[0] else { panic!("an i32") };
            let func = caller.instance().get_func("down").expect("exported");
            let called = caller.call(&func, &[Val::I32(n - 1)], results);
            called.map_err(|error| error.trap().expect("a trap"))
        });
        context.define("env", "again", &again).expect("defined");
        let wat = r#"(module (import "env" "again" (func $again (param i32) (result i32)))
            (func (export "down") (param i32) (result i32)
                (if (result i32) (i32.eqz (local.get 0))
                    (then (unreachable))
                    (else (i32.add (i32.const 1) (call $again (local.get 0)))))))"#;
        let instance =
            Instance::new(&load(&context, wat), InstanceArgs::default()).expect("instance");
        let mut env = ExecEnv::new(&instance, 0).expect("exec_env");
        let down = instance.typed_func::<i32, i32>("down").expect("exported");
        let error = down.call(&mut env, 5).expect_err("a trap");
        let trace = env.backtrace().expect("memory");
        let frames: Vec<_> =
            trace.frames.iter().map(|at| (at.func_index, at.module_offset)).collect();
        (error.trap(), frames)
    });
    assert_eq!(seen.0, Some(Trap::Unreachable));
    assert_eq!(seen.1.len(), 11);
}

#[test]
fn modules_come_and_go_on_many_threads() {
    let threads: Vec<_> = (0..4)
        .map(|_| {
            thread::spawn(|| {
                for round in 0..25 {
                    let mut guest = guest_in(MODES[1 + round % 3], MIXED);
                    let result = guest.call("fold", &[Val::I32(200_000)]).expect("a result");
                    assert_eq!(result.len(), 1);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
}

#[test]
fn what_contexts_share_is_theirs_to_compile() {
    let first = context_in(RunningMode::LlvmJit, JitOptions::default());
    let second = context_in(RunningMode::LlvmJit, JitOptions::default());
    let module = load(&first, MIXED);
    let shared: Module = module.import_into(&second).expect("imported");
    drop(module);
    drop(first);
    let instance = Instance::new(&shared, InstanceArgs::default()).expect("instance");
    let mut env = ExecEnv::new(&instance, 0).expect("exec_env");
    let depth = instance.typed_func::<i32, i32>("depth").expect("exported");
    assert_eq!(depth.call(&mut env, 20).expect("a result"), 20);
    assert_eq!(shared.compiled_code().funcs, 1);
}
