//! Modules that several others import from: one instance of each in one instantiation.

use super::{Library, call, start};
use crate::load;
use isothread::{Context, Instance, InstanceArgs, LoadOptions, Module, ModuleBytes, Trap, Val};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A memory, a table, a counter, and how often its start function has run.
const MEM: &str = r#"(module
    (memory (export "memory") 1 5)
    (table (export "table") 4 funcref)
    (global $count (export "count") (mut i32) (i32.const 100))
    (func (export "next") (result i32)
        (global.set $count (i32.add (global.get $count) (i32.const 1)))
        (global.get $count))
    (func $start (i32.store (i32.const 16)
        (i32.add (i32.load (i32.const 16)) (i32.const 1))))
    (start $start))"#;

const SUB: &str = r#"(module
    (import "mem" "memory" (memory 1))
    (import "mem" "table" (table 4 funcref))
    (import "mem" "count" (global $count (mut i32)))
    (import "mem" "next" (func $next (result i32)))
    (elem (i32.const 2) $five)
    (data (i32.const 8) "\05")
    (func $five (result i32) (i32.const 55))
    (func (export "raise") (param i32)
        (i32.store (local.get 0) (i32.add (i32.const 1) (i32.load (local.get 0))))
        (global.set $count (i32.add (global.get $count) (i32.const 10))))
    (func (export "grow") (result i32) (memory.grow (i32.const 1)))
    (func (export "next") (result i32) (call $next)))"#;

/// The view of a module that imports from both.
const MAIN: &str = r#"
    (func (export "run") (result i32 i32 i32 i32 i32 i32 i32 i32)
        (call $raise (i32.const 0))
        (call $raise (i32.const 0))
        (i32.load (i32.const 0))
        (i32.load8_u (i32.const 8))
        (global.get $count)
        (drop (call $grow))
        (memory.size)
        (call $next)
        (call $sub_next)
        (call_indirect (result i32) (i32.const 2))
        (i32.load (i32.const 16)))"#;

const OF_MEM: &str = r#"
    (import "mem" "memory" (memory 1))
    (import "mem" "table" (table 4 funcref))
    (import "mem" "count" (global $count (mut i32)))
    (import "mem" "next" (func $next (result i32)))"#;

const OF_SUB: &str = r#"
    (import "sub" "raise" (func $raise (param i32)))
    (import "sub" "grow" (func $grow (result i32)))
    (import "sub" "next" (func $sub_next (result i32)))"#;

#[test]
fn one_instance_serves_all_that_import_from_a_module() {
    for order in [[OF_MEM, OF_SUB], [OF_SUB, OF_MEM]] {
        let library = Library::new(&[("mem", MEM), ("sub", SUB)]);
        let [first, second] = order;
        let module = load(&library.context, &format!("(module {first} {second} {MAIN})"));
        for _ in 0..2 {
            // Another instantiation has instances of its own.
            let mut program = start(&module);
            let run = program.0.get_func("run").expect("exported");
            let mut results = [const { Val::I32(0) }; 8];
            run.call(&mut program.1, &[], &mut results).expect("results");
            let results = results.map(|value| match value {
                Val::I32(value) => value,
                _ => -1,
            });
            assert_eq!(results, [2, 5, 120, 2, 121, 122, 55, 1]);
            assert_eq!(library.context.stats().instances, 3);
        }
        drop(module);
        assert_eq!(library.context.stats().instances, 0);
    }
}

/// All paths from `top` lead to `d`; `a` is on a short one and on a long one.
fn paths(name: &str) -> Option<String> {
    let from: &[&str] = match name {
        "top" => &["a", "b", "c", "d"],
        "b" => &["a", "d"],
        "c" => &["b"],
        "a" => &["d"],
        "d" => &[],
        _ => return None,
    };
    let imports: String = from
        .iter()
        .map(|name| format!(r#"(import "{name}" "n" (func ${name} (result i32)))"#))
        .collect();
    let calls: String = from.iter().map(|name| format!("(drop (call ${name}))")).collect();
    Some(format!(
        r#"(module {imports} (global $n (mut i32) (i32.const 0))
            (func (export "n") (result i32) {calls}
                (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)))"#
    ))
}

#[test]
fn paths_of_any_length_meet() {
    let library = Library::from_fn(paths);
    let module = load(&library.context, &paths("top").unwrap());
    let mut top = start(&module);
    assert_eq!(library.context.stats().instances, 5);
    assert_eq!(call(&mut top, "n"), Ok(1));
    assert_eq!(call(&mut top, "n"), Ok(2));
    // Each call of `top` calls `b` twice, itself and through `c`; `a` three times, itself and
    // through `b`; and `d` itself and through all of these.
    let d = top.0.func(3).expect("imported").typed::<(), i32>().expect("its type");
    assert_eq!(d.call(&mut top.1, ()).expect("a number"), 2 * (1 + 3 + 2) + 1);
    // Another instantiation's is apart.
    let other = load(
        &library.context,
        r#"(module (import "d" "n" (func (result i32))) (export "n" (func 0)))"#,
    );
    assert_eq!(call(&mut start(&other), "n"), Ok(1));
}

#[test]
fn what_fails_half_way_leaves_nothing() {
    let library = Library::new(&[
        ("mem", MEM),
        ("sub", SUB),
        // Puts a function of its own where the others see it, and then ends.
        (
            "bad",
            r#"(module (import "mem" "table" (table 4 funcref))
                (func $f (export "f")) (elem (i32.const 0) $f)
                (func $start unreachable) (start $start))"#,
        ),
    ]);
    let states = Arc::new(AtomicUsize::new(0));
    struct State(Arc<AtomicUsize>);
    impl Drop for State {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
    for bad in ["", r#"(import "bad" "f" (func))"#] {
        let module = load(&library.context, &format!("(module {bad} {OF_SUB} {OF_MEM})"));
        let live = states.clone();
        let made = Arc::new(Mutex::new(Vec::new()));
        let names = made.clone();
        let args = InstanceArgs {
            sub_host_state: Some(Rc::new(move |module: &Module| {
                names.lock().unwrap().push(module.name());
                live.fetch_add(1, Ordering::Relaxed);
                Ok(Some(Box::new(State(live.clone())) as Box<_>))
            })),
            ..Default::default()
        };
        let made_it = Instance::new(&module, args);
        let mut made = made.lock().unwrap().clone();
        made.sort();
        if bad.is_empty() {
            // One state for each, and all go with the instance.
            assert_eq!(made, ["mem", "sub"]);
            assert_eq!(states.load(Ordering::Relaxed), 2);
            drop(made_it.expect("an instance"));
        } else {
            assert_eq!(made, ["bad", "mem", "sub"]);
            let error = made_it.err().expect("its start function ends");
            assert_eq!(error.message(), "Exception: unreachable");
        }
        assert_eq!(states.load(Ordering::Relaxed), 0);
        assert_eq!(library.context.stats().instances, 0);
    }
}

/// A reader that comes back: while it is asked for `z`, `b` is bound to `a`, which is about to be
/// bound to `b`.
#[test]
fn late_binding_makes_no_circle_by_turns() {
    let context = Context::new().unwrap();
    let late = |wat: &str| {
        let options = LoadOptions { no_resolve: true, ..Default::default() };
        Module::with_options(&context, &wat::parse_str(wat).unwrap(), options).unwrap()
    };
    let a = late(
        r#"(module (import "b" "f" (func $f)) (import "z" "f" (func))
            (func (export "f") (call $f)))"#,
    );
    let b = late(r#"(module (import "a" "f" (func $f)) (func (export "f") (call $f)))"#);
    context.register_module("a", &a).unwrap();
    context.register_module("b", &b).unwrap();
    let inner = context.downgrade();
    let reader = move |_: &str, _| {
        let b = inner.upgrade()?.registered_module("b")?;
        assert!(b.resolve_imports());
        Some(Box::new(wat::parse_str(r#"(module (func (export "f")))"#).unwrap()) as ModuleBytes)
    };
    context.set_module_reader(Some(Arc::new(reader))).unwrap();
    assert!(!a.resolve_imports());
    let circle = "WASM module load failed: found circular dependency on b";
    assert_eq!(a.link_problem().as_deref(), Some(circle));
    // Both are as sound as they can be.
    let mut user = start(&b);
    let error = user.0.typed_func::<(), ()>("f").unwrap().call(&mut user.1, ()).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::UnlinkedImport));
    drop((a, b, user));
    context.close();
    assert_eq!(context.stats().modules, 0);
}
