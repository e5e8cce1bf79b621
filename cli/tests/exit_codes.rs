//! Exit codes of programs that are several modules.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{ended, folder, iwasm, module};

/// Whichever module leaves the program, the code is the program's.
#[test]
fn an_imported_module_exits_the_program() {
    let folder = folder("exit_of_sub");
    let sub = r#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_initialize"))
        (func (export "leave") (call $exit (i32.const 7))))"#;
    module(&folder, "sub.wasm", sub);
    let between = r#"(module (import "sub" "leave" (func $leave))
        (func (export "leave") (call $leave)))"#;
    module(&folder, "between.wasm", between);
    let path = format!("--module-path={}", folder.display());
    for from in ["sub", "between"] {
        let main = format!(
            r#"(module (import "{from}" "leave" (func $leave))
                (func (export "_start") (call $leave)))"#
        );
        let file = module(&folder, "main.wasm", &main);
        assert_eq!(iwasm(&[&path, &file]), ended(7, ""), "{from}");
    }
}
