//! The common part of the tests of the command.

#![allow(dead_code, reason = "not every test uses all of it")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder of a test's own.
pub fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Writes a module into a folder; its path.
pub fn module(folder: &Path, name: &str, wat: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, wat::parse_str(wat).expect("WAT")).expect("a file");
    path.to_str().expect("UTF-8").to_owned()
}

/// Exit code, standard output, standard error.
pub type Ended = (i32, String, String);

pub fn iwasm(args: &[&str]) -> Ended {
    with_input(args, "")
}

pub fn with_input(args: &[&str], input: &str) -> Ended {
    let mut child = Command::new(env!("CARGO_BIN_EXE_iwasm"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command");
    let mut stdin = child.stdin.take().expect("piped");
    // A command that reads nothing may be gone already.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("an end");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

pub fn ended(code: i32, stdout: &str) -> Ended {
    (code, stdout.to_owned(), String::new())
}

pub const FUNCTIONS: &str = r#"(module
    (table 1 funcref)
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "id64") (param i64) (result i64) (local.get 0))
    (func (export "idf32") (param f32) (result f32) (local.get 0))
    (func (export "idf64") (param f64) (result f64) (local.get 0))
    (func (export "idx") (param externref) (result externref) (local.get 0))
    (func (export "idfn") (param funcref) (result funcref) (local.get 0))
    (func (export "multi") (result i32 i64 f32)
        (i32.const -1) (i64.const -2) (f32.const 1.5))
    (func (export "void"))
    (func (export "trap") (unreachable))
    (func (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
    (func $deep (export "deep") (call $deep))
    (func (export "empty") (call_indirect (i32.const 0)))
    (func (export "a b") (result i32) (i32.const 5))
    (func (export "") (result i32) (i32.const 6))
    (func (export "loop") (loop (br 0))))"#;

/// The project's root.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Compiles a shared library against the project's headers, and linked to nothing of it: the
/// option that loads it.
pub fn native_lib(folder: &Path, text: &str) -> String {
    let (source, lib) = (folder.join("native.c"), folder.join("native.so"));
    fs::write(&source, text).expect("a file");
    let mut compiler = Command::new("gcc");
    compiler.args(["-Wall", "-Werror", "-shared", "-fPIC", "-I"]).arg(root().join("c-api/include"));
    let compiled = compiler.arg("-o").arg(&lib).arg(&source).status();
    assert!(compiled.expect("a C compiler").success());
    format!("--native-lib={}", lib.display())
}
