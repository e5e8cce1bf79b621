//! The effect of a context's limits and requests to stop on guest code that the runtime calls on
//! its own: start functions and their relatives, also of imported modules, and the guest's own
//! allocator.

use crate::load;
use isothread::{Context, ExecEnv, FuncType, Instance, InstanceArgs, Module, Native, Trap};
use std::rc::Rc;
use std::time::Duration;

/// Each has an endless loop in one of the functions that run when an instance is made.
const LOOPS: [(&str, &str); 4] = [
    ("start", "(module (func $f (loop (br 0))) (start $f))"),
    (
        "initialize",
        r#"(module (import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))
            (memory (export "memory") 0) (func (export "_initialize") (loop (br 0))))"#,
    ),
    ("post", r#"(module (func (export "__post_instantiate") (loop (br 0))))"#),
    ("ctors", r#"(module (func (export "__wasm_call_ctors") (loop (br 0))))"#),
];

/// The loop itself, and a module that imports from a module with it.
fn modules(context: &Context, wat: &str) -> [Module; 2] {
    let function = r#"(func (export "f")))"#;
    let sub = format!("{} {function}", wat.strip_suffix(')').unwrap());
    context.register_module("sub", &load(context, &sub)).unwrap();
    [load(context, wat), load(context, r#"(module (import "sub" "f" (func)))"#)]
}

fn end(module: &Module) -> Option<Trap> {
    let made = Instance::new(module, InstanceArgs::default());
    assert_eq!(module.context().stats().instances, 0);
    made.err().expect("no instance").trap()
}

/// Stops an endless loop in a test that fails.
fn in_case(context: &Context) {
    context.set_fuel(Some(2_000_000_000));
}

#[test]
fn limits_reach_all_that_runs_at_the_start() {
    for (name, wat) in LOOPS {
        let context = Context::new().unwrap();
        for (module, which) in modules(&context, wat).iter().zip(["itself", "imported"]) {
            context.set_fuel(Some(1_000_000));
            assert_eq!(end(module), Some(Trap::FuelExhausted), "{name}, {which}");
            assert_eq!(context.fuel(), Some(0));
            in_case(&context);
            context.set_time_left(Some(Duration::from_millis(5)));
            assert_eq!(end(module), Some(Trap::DeadlineExceeded), "{name}, {which}");
            // So it does when the time was over before.
            assert_eq!(end(module), Some(Trap::DeadlineExceeded), "{name}, {which}");
            context.set_time_left(None);
        }
        context.close();
    }
}

#[test]
fn terminating_reaches_all_that_runs_at_the_start() {
    for (name, wat) in LOOPS {
        let context = Context::new().unwrap();
        in_case(&context);
        for (module, which) in modules(&context, wat).iter().zip(["itself", "imported"]) {
            let stopped = context.clone();
            let stopper = std::thread::spawn(move || {
                while stopped.stats().calls == 0 || stopped.stats().instances == 0 {
                    std::thread::yield_now();
                }
                stopped.terminate_all();
            });
            assert_eq!(end(module), Some(Trap::Terminated), "{name}, {which}");
            stopper.join().unwrap();
        }
        context.close();
    }
}

/// A request to stop that comes before the last instance is listed, and after the first is done.
#[test]
fn terminating_reaches_instances_that_are_being_made() {
    let context = Context::new().unwrap();
    in_case(&context);
    let sub = r#"(module (func (export "f")))"#;
    context.register_module("first", &load(&context, sub)).unwrap();
    context.register_module("last", &load(&context, sub)).unwrap();
    let module = load(
        &context,
        r#"(module (import "first" "f" (func)) (import "last" "f" (func))
            (func $start (loop (br 0))) (start $start))"#,
    );
    let stopped = context.clone();
    let args = || InstanceArgs {
        sub_host_state: Some(Rc::new({
            let context = stopped.clone();
            move |module: &Module| {
                if module.id() == context.registered_module("first").unwrap().id() {
                    context.terminate_all();
                }
                Ok(None)
            }
        })),
        ..Default::default()
    };
    let made = Instance::new(&module, args());
    assert_eq!(made.err().expect("no instance").trap(), Some(Trap::Terminated));
    assert_eq!(context.stats().instances, 0);
    // Instances made afterwards are not affected.
    let sound = load(&context, r#"(module (func $f) (start $f))"#);
    Instance::new(&sound, InstanceArgs::default()).unwrap();
    context.close();
}

/// It does the requested allocation first.
const ALLOCATOR: &str = r#"(module
    (memory (export "memory") 1)
    (global $loops (mut i32) (i32.const 1))
    (func $maybe (if (global.get $loops) (then (loop (br 0)))))
    (func (export "mend") (global.set $loops (i32.const 0)))
    (func (export "malloc") (param i32) (result i32) (call $maybe) (i32.const 64))
    (func (export "free") (param i32) (call $maybe)))"#;

#[test]
fn limits_reach_the_guests_allocator() {
    let context = Context::new().unwrap();
    let instance = Instance::new(&load(&context, ALLOCATOR), InstanceArgs::default()).unwrap();
    let exception = || {
        let text = instance.exception();
        instance.clear_exception();
        text.map(|text| text.trim_start_matches("Exception: ").to_owned())
    };
    for free in [false, true] {
        let allocate = || match free {
            true => instance.free(64),
            false => assert!(instance.malloc(8).is_none()),
        };
        context.set_fuel(Some(1_000_000));
        allocate();
        assert_eq!(exception().as_deref(), Some("instruction limit exceeded"));
        in_case(&context);
        context.set_time_left(Some(Duration::from_millis(5)));
        allocate();
        assert_eq!(exception().as_deref(), Some("deadline exceeded"));
        context.set_time_left(None);
        let terminator = instance.terminator();
        let stopped = context.clone();
        let calls = context.stats().calls;
        let stopper = std::thread::spawn(move || {
            while stopped.stats().calls == calls {
                std::thread::yield_now();
            }
            terminator.terminate();
        });
        allocate();
        stopper.join().unwrap();
        assert_eq!(exception().as_deref(), Some("terminated by user"));
        // An instance that was stopped runs nothing, until the exception is cleared.
        instance.terminate();
        let fuel = context.fuel();
        allocate();
        assert_eq!(context.fuel(), fuel);
        assert_eq!(exception().as_deref(), Some("terminated by user"));
    }
    instance.call_text(b"mend", &[]).unwrap();
    assert!(instance.malloc(8).is_some());
    context.set_fuel(None);
}

/// A host function's allocations in the guest's name count for the guest that called it.
#[test]
fn an_exec_envs_own_limit_reaches_the_guests_allocator() {
    let context = Context::new().unwrap();
    in_case(&context);
    let allocate = Native::new(FuncType::new([], []), |caller, _, _| {
        let instance = caller.instance();
        let found = instance.malloc(8).is_some();
        // The caller finds failures of this.
        instance.clear_exception();
        if found { Ok(()) } else { Err(Trap::Host) }
    });
    context.define("env", "allocate", &allocate).unwrap();
    let wat = r#"(module
        (import "env" "allocate" (func $allocate))
        (memory (export "memory") 1)
        (func (export "malloc") (param i32) (result i32)
            (local $turns i32)
            (loop (br_if 0 (i32.lt_u
                (local.tee $turns (i32.add (local.get $turns) (i32.const 1)))
                (i32.const 100000))))
            (i32.const 64))
        (func (export "free") (param i32))
        (func (export "once") (call $allocate))
        (func (export "forever") (loop (call $allocate) (br 0))))"#;
    let instance = Instance::new(&load(&context, wat), InstanceArgs::default()).unwrap();
    let mut env = ExecEnv::new(&instance, 0).unwrap();
    let mut call = |name: &str, limit: u64| {
        instance.clear_exception();
        env.set_instruction_limit(Some(limit));
        let func = instance.typed_func::<(), ()>(name).unwrap();
        func.call(&mut env, ()).err().and_then(|error| error.trap())
    };
    assert_eq!(call("once", 10_000_000), None);
    assert_eq!(call("once", 50_000), Some(Trap::Host));
    let before = context.fuel().unwrap();
    assert!(call("forever", 10_000_000).is_some());
    let spent = before - context.fuel().unwrap();
    assert!((5_000_000..12_000_000).contains(&spent), "{spent}");
}
