//! The options that limit a program.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{FUNCTIONS, ended, folder, iwasm, module};

#[test]
fn fuel_ends_a_program() {
    let file = module(&folder("fuel"), "a.wasm", FUNCTIONS);
    let over = ended(1, "Exception: instruction limit exceeded\n");
    assert_eq!(iwasm(&["--fuel=100000", "-f", "loop", &file]), over);
    assert_eq!(iwasm(&["--fuel=0", "-f", "void", &file]), over);
    assert_eq!(iwasm(&["--fuel=100000", "-f", "add", &file, "1", "2"]), ended(0, "0x3:i32\n"));
    // Each context has as much.
    let (code, printed, _) = iwasm(&["--fuel=100000", "--threads=2", "-f", "loop", &file]);
    assert_eq!((code, printed.lines().count()), (1, 2));
}

#[test]
fn memory_has_an_end() {
    let wat = r#"(module (memory (export "memory") 1)
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#;
    let file = module(&folder("max_memory"), "a.wasm", wat);
    let grow = |pages: &str| iwasm(&["--max-memory=1000000", "-f", "grow", &file, pages]);
    assert_eq!(grow("1"), ended(0, "0x1:i32\n"));
    assert_eq!(grow("100"), ended(0, "0xffffffff:i32\n"));
    let (code, printed, _) = iwasm(&["--max-memory=20000", "-f", "grow", &file, "1"]);
    assert_eq!(code, 255);
    assert!(printed.contains("failed"), "{printed}");
}

#[test]
fn descriptors_are_counted() {
    // Opens the folder twice; the exit code is the second error number.
    let wat = r#"(module
        (import "wasi_snapshot_preview1" "path_open" (func $open
            (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (data (i32.const 16) ".")
        (func $again (result i32) (call $open (i32.const 3) (i32.const 0) (i32.const 16)
            (i32.const 1) (i32.const 2) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 0)))
        (func (export "_start")
            (if (call $again) (then (call $exit (i32.const 99))))
            (call $exit (call $again))))"#;
    let folder = folder("max_descriptors");
    let file = module(&folder, "a.wasm", wat);
    let dir = format!("--dir={}", folder.display());
    assert_eq!(iwasm(&["--max-descriptors=1", &dir, &file]), ended(33, ""));
    assert_eq!(iwasm(&["--max-descriptors=2", &dir, &file]), ended(0, ""));
}
