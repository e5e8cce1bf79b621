//! `--timeout` ends every guest.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Ended, FUNCTIONS, ended, folder, iwasm, module, with_input};

#[test]
fn a_timeout_ends_the_program() {
    let file = module(&folder("timeout"), "a.wasm", FUNCTIONS);
    let over = ended(1, "Exception: terminated by user\n");
    assert_eq!(iwasm(&["--timeout=100", "-f", "loop", &file]), over);
    assert_eq!(iwasm(&["--timeout=0", "-f", "void", &file]), over);
    assert_eq!(iwasm(&["--timeout=0", "--repl", &file]), over);
    assert_eq!(iwasm(&["--timeout=60000", "-f", "void", &file]), ended(0, "\n"));
}

/// Ends by itself, should the option not end it: the fuel of a test.
fn in_time(args: &[&str]) -> Ended {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_iwasm"))
        .args(args)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the command");
    let begun = std::time::Instant::now();
    while child.try_wait().expect("a child").is_none() {
        if begun.elapsed().as_secs() > 20 {
            child.kill().expect("its end");
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let output = child.wait_with_output().expect("an end");
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    (output.status.code().unwrap_or(-1), stdout, String::new())
}

#[test]
fn instantiation_is_part_of_the_time() {
    let folder = folder("timeout_start");
    let path = format!("--module-path={}", folder.display());
    let wasi = r#"(import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))
        (memory (export "memory") 0)"#;
    let starts = [
        ("start", "(func $f (loop (br 0))) (start $f)".to_owned()),
        ("init", format!(r#"{wasi} (func (export "_initialize") (loop (br 0)))"#)),
        ("post", r#"(func (export "__post_instantiate") (loop (br 0)))"#.to_owned()),
        ("ctors", r#"(func (export "__wasm_call_ctors") (loop (br 0)))"#.to_owned()),
        // Waiting is no different.
        (
            "waits",
            r#"(memory 1 1 shared) (func $f (drop
                (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))) (start $f)"#
                .to_owned(),
        ),
    ];
    let over = ended(255, "WASM module instantiate failed: Exception: terminated by user\n");
    for (name, start) in starts {
        let sub = format!(r#"(module {start} (func (export "main")))"#);
        let file = module(&folder, &format!("{name}.wasm"), &sub);
        assert_eq!(in_time(&["--timeout=50", &file]), over, "{name}");
        let main = format!(
            r#"(module (import "{name}" "main" (func $f)) (func (export "main") (call $f)))"#
        );
        let file = module(&folder, "main.wasm", &main);
        assert_eq!(in_time(&["--timeout=50", &path, &file]), over, "{name}");
    }
}

#[test]
fn the_guests_allocator_is_part_of_the_time() {
    let folder = folder("timeout_malloc");
    let main = r#"(func (export "main") (param i32 i32) (result i32) (i32.const 0))"#;
    for (code, malloc, free) in [(1, "(loop (br 0))", ""), (0, "", "(loop (br 0))")] {
        let text = format!(
            r#"(module (memory (export "memory") 1)
                (func (export "malloc") (param i32) (result i32) {malloc} (i32.const 64))
                (func (export "free") (param i32) {free}) {main})"#
        );
        let file = module(&folder, "a.wasm", &text);
        assert_eq!(in_time(&["--timeout=50", &file]).0, code);
    }
}

#[test]
fn the_repl_ends_with_the_time() {
    let file = module(&folder("timeout_repl"), "a.wasm", FUNCTIONS);
    let lines = "add 1 2\nloop\nadd 3 4\n";
    let printed = "webassembly> 0x3:i32\nwebassembly> Exception: terminated by user\n";
    assert_eq!(with_input(&["--timeout=300", "--repl", &file], lines), ended(1, printed));
}
