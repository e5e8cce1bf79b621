//! The symbols of the built libraries: their exports, and their process-wide state.

mod common;

use common::{declared, functions, headers, library, root, run};
use std::collections::BTreeSet;
use std::process::Command;

fn symbols(library_file: &str, options: &[&str]) -> BTreeSet<String> {
    let names = run(Command::new("nm")
        .args(["--defined-only", "--format=just-symbols"])
        .args(options)
        .arg(library(library_file)));
    names.lines().map(str::to_owned).collect()
}

fn exported() -> BTreeSet<String> {
    symbols("libiwasm.so", &["--dynamic"])
}

#[test]
fn declared_functions_are_exported_and_no_others() {
    let facts = functions();
    let all: BTreeSet<_> = headers().iter().flat_map(|header| declared(header)).collect();
    // Ours may define what WAMR only declares.
    let undefined = |name: &str| facts.iter().any(|f| f.name == name && f.status == "undefined");
    let wanted: BTreeSet<_> = all.iter().filter(|name| !undefined(name)).cloned().collect();
    let exported = exported();
    let missing: Vec<_> = wanted.difference(&exported).collect();
    let undeclared: Vec<_> = exported.difference(&all).collect();
    assert!(missing.is_empty(), "declared and not exported: {missing:?}");
    assert!(undeclared.is_empty(), "exported and not declared: {undeclared:?}");
}

/// Headers whose functions are all there, but for the list below.
const COMPLETE: [&str; 6] = [
    "wasm_export.h",
    "lib_export.h",
    "gc_export.h",
    "wasm_c_api.h",
    "aot_export.h",
    "aot_comp_option.h",
];

/// Functions of those that are still to come. One that has come must leave the list.
const TO_COME: [&str; 0] = [];

#[test]
fn every_function_of_upstream_is_there() {
    let exported = exported();
    let facts: Vec<_> =
        functions().into_iter().filter(|f| COMPLETE.contains(&f.header.as_str())).collect();
    assert_eq!(facts.len(), 176 + 65 + 312 + 20);
    for fact in &facts {
        let name = fact.name.as_str();
        let is_declared = declared(&fact.header).contains(&fact.name);
        let is_exported = exported.contains(name);
        if TO_COME.contains(&name) {
            assert!(!is_declared && !is_exported, "{name} is there: take it off the list");
        } else {
            let is_inline = fact.status == "inline";
            assert!(is_declared != is_inline, "{name} is not declared, or no longer inline");
            assert_eq!(is_exported, fact.status == "defined", "{name}");
        }
    }
    let ours = |name: &str| {
        name.starts_with("wasm_runtime_ctx_") || name == "wasm_runtime_thread_state_swap"
    };
    for name in exported.iter().filter(|name| !ours(name)) {
        assert!(facts.iter().any(|f| f.name == *name), "{name} is no function of upstream's");
    }
}

#[test]
fn the_static_library_defines_the_same_functions() {
    let defined = symbols("libiwasm.a", &["--extern-only"]);
    let exported = exported();
    let missing: Vec<_> = exported.difference(&defined).collect();
    assert!(missing.is_empty(), "not in the static library: {missing:?}");
}

#[test]
fn the_shared_library_is_named_as_upstream_names_it() {
    let dynamic = run(Command::new("readelf").arg("-dW").arg(library("libiwasm.so")));
    assert!(dynamic.contains("[libiwasm.so.2]"), "{dynamic}");
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
}

#[test]
fn writable_state_is_listed() {
    run(Command::new(root().join(".ci/symbols")).arg(library("libiwasm.so")));
}
