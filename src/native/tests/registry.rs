//! The binding of a name: order of registrations, lookup rules, tolerance, threads.

use super::Rig;
use crate::abi::trap::Trap;
use crate::abi::types::{FuncType, ValType};
use crate::abi::value::Val;
use crate::native::{
    Builtin, BuiltinModule, BuiltinTable, Convention, HostFunc, NativeArray, NativeSymbol, Registry,
};
use ValType::{I32, I64};
use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::sync::Arc;

fn symbol(name: &'static CStr, func: *const c_void, signature: &'static CStr) -> NativeSymbol {
    NativeSymbol {
        symbol: name.as_ptr(),
        func_ptr: func.cast_mut(),
        signature: signature.as_ptr(),
        attachment: ptr::null_mut(),
    }
}

fn register(registry: &Registry, module: &CStr, symbols: &[NativeSymbol]) {
    let count = symbols.len() as u32;
    // SAFETY: every test keeps its arrays for as long as its registry.
    let array =
        unsafe { NativeArray::new(module.as_ptr(), symbols.as_ptr(), count, Convention::Native) };
    assert!(registry.register(array));
}

fn unregister(registry: &Registry, module: &CStr, symbols: &[NativeSymbol]) -> bool {
    // SAFETY: `module` is a C string.
    unsafe { registry.unregister(module.as_ptr(), symbols.as_ptr()) }
}

extern "C" fn one(_env: *mut c_void) -> i32 {
    1
}

extern "C" fn two(_env: *mut c_void) -> i32 {
    2
}

extern "C" fn three(_env: *mut c_void) -> i32 {
    3
}

fn ty() -> FuncType {
    FuncType::new([], [I32])
}

/// The result of calling the import, or none if it is unbound.
fn answer(registry: &Registry, module: &str, name: &str) -> Option<u64> {
    let func = registry.resolve(module, name, &ty())?;
    let mut slots = [0];
    assert_eq!(Rig::new(0).call(&func, &mut slots), 0);
    Some(slots[0])
}

#[test]
fn the_last_registration_wins() {
    let registry = Registry::new(&[]);
    let first = [symbol(c"f", one as *const c_void, c"()i")];
    let second = [symbol(c"f", two as *const c_void, c"()i")];
    register(&registry, c"env", &first);
    assert_eq!(answer(&registry, "env", "f"), Some(1));
    register(&registry, c"env", &second);
    assert_eq!(answer(&registry, "env", "f"), Some(2));
    register(&registry, c"env", &first);
    assert_eq!(answer(&registry, "env", "f"), Some(1));
    // The same array stands twice, and goes one registration at a time, latest first.
    assert!(unregister(&registry, c"env", &first));
    assert_eq!(answer(&registry, "env", "f"), Some(2));
    assert!(unregister(&registry, c"env", &second));
    assert_eq!(answer(&registry, "env", "f"), Some(1));
    assert!(unregister(&registry, c"env", &first));
    assert_eq!(answer(&registry, "env", "f"), None);
    assert!(!unregister(&registry, c"env", &first));
}

#[test]
fn module_and_array_must_both_match_to_unregister() {
    let registry = Registry::new(&[]);
    let array = [symbol(c"f", one as *const c_void, c"()i")];
    register(&registry, c"env", &array);
    assert!(!unregister(&registry, c"other", &array));
    assert!(!unregister(&registry, c"env", &[]));
    let copy = c"env".to_owned();
    assert!(unregister(&registry, &copy, &array));
}

#[test]
fn what_is_bound_stays_bound() {
    let registry = Registry::new(&[]);
    let array = [symbol(c"f", one as *const c_void, c"()i")];
    register(&registry, c"env", &array);
    let func = registry.resolve("env", "f", &ty());
    assert!(unregister(&registry, c"env", &array));
    let mut slots = [0];
    assert_eq!(func.map(|f| Rig::new(0).call(&f, &mut slots)), Some(0));
    assert_eq!(slots, [1]);
}

#[test]
fn modules_are_told_apart() {
    let registry = Registry::new(&[]);
    let array = [symbol(c"f", one as *const c_void, c"()i")];
    register(&registry, c"env", &array);
    for module in ["", "en", "envy", "Env"] {
        assert_eq!(answer(&registry, module, "f"), None);
    }
    for name in ["", "F", "ff", "f\0"] {
        assert_eq!(answer(&registry, "env", name), None);
    }
}

#[test]
fn a_leading_underscore_may_be_missing_here() {
    let registry = Registry::new(&[]);
    let old = [symbol(c"f", one as *const c_void, c"()i")];
    let new = [symbol(c"_f", two as *const c_void, c"()i"), symbol(c"f", three as _, c"()i")];
    register(&registry, c"env", &old);
    assert_eq!(answer(&registry, "env", "_f"), Some(1));
    assert_eq!(answer(&registry, "env", "__f"), None);
    register(&registry, c"env", &new);
    assert_eq!(answer(&registry, "env", "_f"), Some(2));
    // A newer registration's bare name goes before an older one's exact name.
    register(&registry, c"env", &old);
    assert_eq!(answer(&registry, "env", "_f"), Some(1));
}

#[test]
fn null_pointers_match_nothing() {
    let registry = Registry::new(&[]);
    // SAFETY: the function accepts null.
    let arrays = unsafe {
        [
            NativeArray::new(ptr::null(), ptr::null(), 1, Convention::Native),
            NativeArray::new(c"env".as_ptr(), ptr::null(), 1, Convention::Raw),
        ]
    };
    assert!(arrays.into_iter().all(|array| registry.register(array)));
    let null = NativeSymbol {
        symbol: ptr::null(),
        func_ptr: one as *mut c_void,
        signature: ptr::null(),
        attachment: ptr::null_mut(),
    };
    let array = [
        null,
        NativeSymbol { symbol: c"g".as_ptr(), func_ptr: ptr::null_mut(), ..null },
        NativeSymbol { symbol: c"h".as_ptr(), ..null },
    ];
    register(&registry, c"env", &array);
    assert_eq!(answer(&registry, "env", ""), None);
    assert_eq!(answer(&registry, "env", "g"), None);
    assert_eq!(answer(&registry, "env", "h"), Some(1));
    // SAFETY: the function accepts null.
    unsafe {
        assert!(registry.unregister(ptr::null(), ptr::null()));
        assert!(!registry.unregister(ptr::null(), ptr::null()));
    }
}

#[test]
fn an_array_is_read_when_a_name_is_looked_up() {
    let registry = Registry::new(&[]);
    let mut array = vec![
        symbol(c"z", one as *const c_void, c"()i"),
        symbol(c"a", two as *const c_void, c"()i"),
        symbol(c"m", three as *const c_void, c"()i"),
    ];
    let names =
        |array: &[NativeSymbol]| -> Vec<*const c_char> { array.iter().map(|s| s.symbol).collect() };
    let before = names(&array);
    register(&registry, c"env", &array);
    assert_eq!(answer(&registry, "env", "a"), Some(2));
    assert_eq!(names(&array), before, "the embedder's order is the embedder's");
    array[1].func_ptr = three as *mut c_void;
    assert_eq!(answer(&registry, "env", "a"), Some(3));
    drop(registry);
}

#[test]
fn a_signature_that_does_not_fit_leaves_the_import_unbound() {
    let registry = Registry::new(&[]);
    let fits = [symbol(c"f", one as *const c_void, c"()i")];
    let misfit = [symbol(c"f", two as *const c_void, c"(i)i")];
    register(&registry, c"env", &fits);
    register(&registry, c"env", &misfit);
    assert_eq!(answer(&registry, "env", "f"), None);
    assert!(registry.is_linked("env", "f"));
    assert!(!registry.is_linked("env", "g"));
}

#[test]
fn functions_of_the_host_are_found_by_type() {
    let registry = Registry::new(&[]);
    let func = |value| {
        Arc::new(HostFunc::closure(ty(), move |_, _, results| {
            results[0] = Val::I32(value);
            Ok(())
        }))
    };
    assert!(registry.register_func("env", "f", func(7)));
    assert!(registry.register_func("env", "f", func(8)));
    assert_eq!(answer(&registry, "env", "f"), Some(8));
    assert!(registry.resolve("env", "f", &FuncType::new([], [I64])).is_none());
    assert!(registry.unregister_func("env", "f"));
    assert_eq!(answer(&registry, "env", "f"), Some(7));
    assert!(registry.unregister_func("env", "f"));
    assert!(!registry.unregister_func("env", "f"));
}

const fn builtin(name: &'static str, call: crate::native::BuiltinFn) -> Builtin {
    Builtin { name, signature: "()i", call }
}

const TABLE: BuiltinTable = BuiltinTable::new(&[&BuiltinModule {
    names: &["env", "alias"],
    functions: &[
        builtin("a", |_, slots| {
            slots[0] = 10;
            Ok(())
        }),
        builtin("b", |_, _| Err(Trap::Unreachable)),
    ],
}]);

const OTHER_TABLE: BuiltinTable = BuiltinTable::new(&[&BuiltinModule {
    names: &["env"],
    functions: &[builtin("a", |_, slots| {
        slots[0] = 20;
        Ok(())
    })],
}]);

#[test]
fn built_in_tables_come_last() {
    let registry = Registry::new(&[TABLE]);
    assert_eq!(answer(&registry, "env", "a"), Some(10));
    assert_eq!(answer(&registry, "alias", "_a"), Some(10));
    assert!(registry.is_linked("alias", "b"));
    assert!(!registry.is_linked("alias", "c"));
    assert!(registry.resolve("env", "a", &FuncType::new([], [I64])).is_none());
    let registry = Registry::new(&[OTHER_TABLE, TABLE]);
    assert_eq!(answer(&registry, "env", "a"), Some(20));
    let array = [symbol(c"a", one as *const c_void, c"()i")];
    register(&registry, c"env", &array);
    assert_eq!(answer(&registry, "env", "a"), Some(1));
    assert_eq!(answer(&registry, "alias", "a"), Some(10));
}

#[test]
fn built_in_tables_are_told_apart_by_their_names() {
    assert_eq!([TABLE, OTHER_TABLE], [TABLE, OTHER_TABLE]);
    assert_ne!(TABLE, OTHER_TABLE);
    assert_eq!(format!("{TABLE:?}"), r#"[["env", "alias"]]"#);
}

#[test]
fn registries_do_not_notice_each_other() {
    let (a, b) = (Registry::new(&[]), Registry::new(&[]));
    let in_a = [symbol(c"who", one as *const c_void, c"()i")];
    let in_b = [symbol(c"who", two as *const c_void, c"()i")];
    register(&a, c"env", &in_a);
    assert!(!b.is_linked("env", "who"));
    register(&b, c"env", &in_b);
    assert_eq!((answer(&a, "env", "who"), answer(&b, "env", "who")), (Some(1), Some(2)));
}

#[test]
fn threads_register_and_look_up_at_once() {
    let registry = Registry::new(&[]);
    let array =
        [symbol(c"g", two as *const c_void, c"()i"), symbol(c"f", one as *const c_void, c"()i")];
    // The array's address crosses threads as a number; the array outlives them.
    let address = array.as_ptr().expose_provenance();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let symbols = ptr::with_exposed_provenance(address);
                    // SAFETY: the array outlives the scope, and is never written to.
                    unsafe {
                        let module = c"env".as_ptr();
                        let array = NativeArray::new(module, symbols, 2, Convention::Native);
                        assert!(registry.register(array));
                        assert_eq!(answer(&registry, "env", "f"), Some(1));
                        assert!(registry.unregister(module, symbols));
                    }
                }
            });
        }
    });
    assert!(!registry.is_linked("env", "f"));
}
