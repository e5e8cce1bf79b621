//! Programs that other people wrote and compiled, in eight threads with a context each.
//!
//! They are read from `../shared/testdata/real` beside the checkout, and are no part of the
//! project: without that folder the test says so and has nothing to run.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{library, root, run, scratch, text};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A program that needs nothing but its arguments and its output: file, arguments, exit code,
/// SHA-256 of what it prints.
const PROGRAMS: [(&str, &[&str], i32, &str); 2] = [
    (
        "icepll/icepll.wasm",
        &["-i", "12", "-o", "60"],
        0,
        "ae15db359752aa5b8b1feb6dce956c4db4e294029eb96b5de20544364ea8e713",
    ),
    (
        "icepll/icepll.wasm",
        &["-i", "16", "-o", "100", "-m"],
        0,
        "78754319f263400d10a53a3bbea358dbd6411a9960d567af76d1d843b7a6883d",
    ),
];

/// Programs that start, find that their file is not there, and end with an error of their own.
const STARTING: [&str; 2] = ["boolector/boolector.wasm", "wasm-tools/wasm-tools.wasm"];

fn programs() -> Option<PathBuf> {
    let folder = root().join("../shared/testdata/real");
    folder.is_dir().then_some(folder)
}

fn compile(folder: &Path) -> PathBuf {
    let program = folder.join("eightfold");
    let so = folder.join("libiwasm.so.2");
    std::fs::copy(library("libiwasm.so"), &so).expect("the library can be copied");
    run(Command::new("gcc")
        .args(["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(root().join("c-api/include"))
        .arg(root().join("tests/c/eightfold.c"))
        .arg("-o")
        .arg(&program)
        .arg(&so)
        .arg(format!("-Wl,-rpath,{}", folder.display()))
        .arg("-lpthread"));
    program
}

fn sha256(bytes: &[u8]) -> String {
    let mut child = Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("sha256sum is there");
    child.stdin.take().expect("piped").write_all(bytes).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    String::from_utf8_lossy(&output.stdout).chars().take(64).collect()
}

fn eightfold(program: &Path, wasm: &Path, args: &[&str]) -> Output {
    Command::new(program).arg(wasm).args(args).output().expect("the program starts")
}

#[test]
fn real_programs_run_in_eight_contexts_at_once() {
    let Some(real) = programs() else {
        println!("not run: there is no ../shared/testdata/real beside this checkout");
        return;
    };
    let folder = scratch("real_programs");
    let program = compile(&folder);
    for (file, args, code, digest) in PROGRAMS {
        let output = eightfold(&program, &real.join(file), args);
        assert_eq!(output.status.code(), Some(code), "{file} {args:?}\n{}", text(&output));
        assert_eq!(sha256(&output.stdout), digest, "{file} {args:?}\n{}", text(&output));
    }
    for file in STARTING {
        let output = eightfold(&program, &real.join(file), &["/no/such/file"]);
        let code = output.status.code();
        assert!(code.is_some_and(|code| code != 0 && code != 125), "{file}\n{}", text(&output));
    }
}
