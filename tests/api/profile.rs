use crate::{Guest, load};
use isothread::{Context, ExecEnv, FuncType, Instance, InstanceArgs, Native, Val, ValType};
use std::time::{Duration, Instant};

const WAT: &str = r#"(module
    (import "host" "work" (func $work (param i32)))
    (type $unary (func (param i32) (result i32)))
    (memory 1)
    (table 1 funcref)
    (elem (i32.const 0) $leaf)
    (func $spin (param i32) (result i32) (local i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
        (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get 0))
    (func $leaf (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func $many (param f64) (result f64 i32) (local.get 0) (i32.const 3))
    (func $early (param i32) (result i32)
        (block (br_if 0 (local.get 0)) (return (i32.const 10)))
        (br 0 (i32.const 20)))
    (func $calls (export "calls") (param i32) (result i32) (local i32)
        (call $work (i32.const 2))
        (drop (call $spin (i32.const 100000)))
        (drop (drop (call $many (f64.const 1.5))))
        (local.set 1 (i32.add (call $early (i32.const 0)) (call $early (i32.const 1))))
        (i32.add (local.get 1)
            (call_indirect (type $unary) (local.get 0) (i32.const 0))))
    (func $fib (export "fib") (param i32) (result i32)
        (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))
            (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
    (func $trap (export "trap") (result i32) (drop (call $leaf (i32.const 1)))
        (i32.load (i32.const -1))))"#;

fn guest(measure: bool) -> Guest {
    let context = Context::new().unwrap();
    context.set_perf_profiling(measure);
    let work = Native::new(FuncType::new([ValType::I32], []), |_, args, _| {
        let Val::I32(ms) = args[0] else { panic!("an i32") };
        let end = Instant::now() + Duration::from_millis(ms as u64);
        while Instant::now() < end {}
        Ok(())
    });
    context.define("host", "work", &work).unwrap();
    let instance = Instance::new(&load(&context, WAT), InstanceArgs::default()).unwrap();
    let env = ExecEnv::new(&instance, 0).unwrap();
    Guest { env, instance }
}

#[test]
fn functions_are_measured_where_that_was_asked_for() {
    let mut guest = guest(true);
    assert!(guest.instance.is_profiled());
    assert_eq!(guest.call_i32("calls", &[7]), Ok(38));
    let profile: Vec<_> = guest.instance.profile().collect();
    let of = |name| *profile.iter().find(|func| func.name == Some(name)).expect("known");
    for (name, count) in
        [("work", 1), ("spin", 1), ("leaf", 1), ("many", 1), ("early", 2), ("calls", 1), ("fib", 0)]
    {
        assert_eq!(of(name).count, count, "{name}");
        assert!(of(name).total_ns >= of(name).children_ns, "{name}");
    }
    let calls = of("calls");
    let below = ["work", "spin", "leaf", "many", "early"].map(|name| of(name).total_ns);
    assert_eq!(calls.children_ns, below.iter().sum::<u64>());
    assert!(of("spin").total_ns > 0 && of("spin").children_ns == 0);
    assert_eq!(calls.own_ms(), (calls.total_ns - calls.children_ns) as f64 / 1e6);

    let before = of("leaf").count;
    assert_eq!(guest.call_i32("fib", &[10]), Ok(55));
    let fib = guest.instance.profile().find(|func| func.name == Some("fib")).unwrap();
    assert_eq!(fib.count, 177);

    // A trap's functions do not return; its place is found all the same.
    guest.call("trap", &[]).unwrap_err();
    let leaf = guest.instance.profile().find(|func| func.name == Some("leaf")).unwrap();
    assert_eq!(leaf.count, before + 1);
    let trap = guest.instance.profile().find(|func| func.name == Some("trap")).unwrap();
    assert_eq!((trap.count, trap.children_ns > 0 || leaf.total_ns == 0), (0, true));
    let places = |guest: &Guest| -> Vec<_> {
        let backtrace = guest.env.backtrace().unwrap();
        backtrace.frames.iter().map(|f| (f.func_index, f.module_offset)).collect()
    };
    let measured = places(&guest);
    let mut plain = self::guest(false);
    plain.call("trap", &[]).unwrap_err();
    assert_eq!(measured, places(&plain));
}

#[test]
fn nothing_is_measured_unless_asked_for() {
    let mut guest = guest(false);
    assert_eq!(guest.call_i32("calls", &[7]), Ok(38));
    assert!(!guest.instance.is_profiled());
    assert_eq!(guest.instance.profile().count(), 0);
}

#[test]
fn what_memory_is_used_for_adds_up() {
    let mut guest = guest(false);
    let before = guest.env.memory_use();
    assert_eq!(before.instance.memories, 65536);
    assert_eq!(before.exec_env.stack, 2 * 16384);
    guest.call_i32("calls", &[7]).unwrap();
    let after = guest.env.memory_use();
    // The difference is the translated code.
    assert!(after.module.funcs > before.module.funcs);
    let translated = after.module.funcs - before.module.funcs;
    assert_eq!(after.module.total(), before.module.total() + translated);
    assert_eq!(after.instance, before.instance);
    let small = guest.instance.module().bytes().len() as u64;
    assert!(before.module.total() > small, "{before:?}");
}
