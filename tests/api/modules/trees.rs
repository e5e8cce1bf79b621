//! Many modules, deep and wide.

use super::{Library, call, start};
use crate::load;
use isothread::{Instance, InstanceArgs};

/// Module dN imports twice from d(N-1), down to d0.
fn diamond(name: &str) -> Option<String> {
    let depth: u32 = name.strip_prefix('d')?.parse().ok()?;
    let below = depth.checked_sub(1);
    Some(below.map_or_else(
        || r#"(module (func (export "f") (result i32) (i32.const 1)))"#.to_owned(),
        |below| {
            format!(
                r#"(module (import "l{below}" "f" (func $left (result i32)))
                    (import "r{below}" "f" (func $right (result i32)))
                    (func (export "f") (result i32) (i32.add (call $left) (call $right))))"#
            )
        },
    ))
}

/// As [`diamond`], with modules lN and rN that re-export dN's exports.
fn with_sides(name: &str) -> Option<String> {
    let side = name.strip_prefix(['l', 'r']);
    side.map_or_else(
        || diamond(name),
        |depth| {
            let wat = r#"(module (import "dN" "f" (func (result i32))) (export "f" (func 0)))"#;
            Some(wat.replace('N', depth))
        },
    )
}

#[test]
fn deep_diamonds() {
    let library = Library::from_fn(with_sides);
    let root = |depth: u32| load(&library.context, &with_sides(&format!("d{depth}")).unwrap());
    let module = root(8);
    // Each module is read once, and has one instance.
    assert_eq!(library.context.stats().modules, 1 + 3 * 8);
    let mut instance = start(&module);
    assert_eq!(call(&mut instance, "f"), Ok(256));
    assert_eq!(library.context.stats().instances, 1 + 3 * 8);
    drop(instance);
    assert_eq!(library.context.stats().instances, 0);
}

/// However many ways lead to them, there are as many instances as modules.
#[test]
fn diamonds_do_not_multiply() {
    let library = Library::from_fn(with_sides);
    // Modules that are registered already can be piled up without end.
    for depth in 0..=30 {
        for side in ["d", "l", "r"] {
            let name = format!("{side}{depth}");
            let module = load(&library.context, &with_sides(&name).unwrap());
            library.context.register_module(&name, &module).unwrap();
        }
    }
    let make = |depth: u32| {
        let module = library.context.registered_module(&format!("d{depth}")).unwrap();
        Instance::new(&module, InstanceArgs::default())
    };
    let instance = make(30).unwrap();
    assert_eq!(library.context.stats().instances, 1 + 3 * 30);
    drop(instance);
    assert_eq!(library.context.stats().instances, 0);
}

/// Module sN imports from s(N-1), down to s0.
fn row(name: &str) -> Option<String> {
    let depth: u32 = name.strip_prefix('s')?.parse().ok()?;
    let Some(below) = depth.checked_sub(1) else {
        return Some(r#"(module (func (export "f")))"#.to_owned());
    };
    Some(format!(r#"(module (import "s{below}" "f" (func)) (export "f" (func 0)))"#))
}

#[test]
fn long_rows() {
    let library = Library::from_fn(row);
    let module = load(&library.context, &row("s32").unwrap());
    assert_eq!(module.link_problem(), None);
    start(&module);
    // The reader is not called ever deeper.
    let library = Library::from_fn(row);
    load(&library.context, &row("s1000").unwrap());
    let problem = "WASM module load failed: failed to register sub module s967";
    assert_eq!(library.log(), [format!("failed to load sub module: {problem}")]);
    // From the end, a row can be of any length. It can be dropped, if not instantiated.
    let library = Library::from_fn(row);
    let mut last = None;
    for depth in 0..20_000 {
        let name = format!("s{depth}");
        let module = load(&library.context, &row(&name).unwrap());
        library.context.register_module(&name, &module).unwrap();
        last = Some(module);
    }
    let last = last.unwrap();
    let error = Instance::new(&last, InstanceArgs::default()).err().unwrap();
    assert_eq!(error.message(), "sub modules are nested too deeply");
    library.context.close();
    drop(last);
    assert_eq!(library.context.stats().modules, 0);
}
