//! The table: order, signatures, names.

use crate::abi::types::{FuncType, ValType};
use crate::native::{BuiltinModule, Registry};
use crate::wasi;
use crate::wasi::table::PREVIEW1;

/// The type that a signature in letters stands for.
fn type_of(signature: &str) -> FuncType {
    let Some((params, results)) = signature.trim_start_matches('(').split_once(')') else {
        panic!("no signature: {signature}")
    };
    let list = |letters: &str| -> Vec<ValType> {
        letters.chars().map(|c| if c == 'I' { ValType::I64 } else { ValType::I32 }).collect()
    };
    FuncType::new(list(params), list(results))
}

fn registry() -> Registry {
    Registry::new(&[wasi::WASI])
}

#[test]
fn the_table_is_sorted() {
    let BuiltinModule { functions, .. } = PREVIEW1;
    assert!(functions.is_sorted_by(|a, b| a.name < b.name));
    assert_eq!(functions.iter().filter(|f| !f.name.starts_with("sock_")).count(), 42);
    assert_eq!(functions.len(), 94);
}

#[test]
fn every_function_is_found_under_both_names() {
    let registry = registry();
    for module in ["wasi_snapshot_preview1", "wasi_unstable"] {
        for function in PREVIEW1.functions {
            let ty = type_of(function.signature);
            assert!(registry.resolve(module, function.name, &ty).is_some(), "{}", function.name);
            let other = FuncType::new([ValType::F32], []);
            assert!(registry.resolve(module, function.name, &other).is_none());
        }
        assert!(!registry.is_linked(module, "fd_frobnicate"));
    }
    assert!(!registry.is_linked("wasi_snapshot_preview2", "fd_write"));
}
