//! `iwasm compile`, `wamrc`, and running the files that they make.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{Ended, FUNCTIONS, ended, folder, iwasm, module};
use std::fs;
use std::path::Path;
use std::process::Command;

const TRAPS: &str = r#"(module
    (func $inner (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
    (func (export "divide") (param i32) (result i32) (call $inner (local.get 0))))"#;

/// The path of a file in a folder.
fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().expect("UTF-8").to_owned()
}

fn compile(options: &[&str], output: &str, input: &str) -> Ended {
    iwasm(&[&["compile"], options, &["-o", output, input]].concat())
}

#[test]
fn compiled_programs_do_the_same() {
    let folder = folder("compiled");
    let output = path(&folder, "a.aot");
    let success = ended(0, &format!("Compile success, file {output} was generated.\n"));
    for (wat, args) in [(FUNCTIONS, &["add", "1", "2"][..]), (TRAPS, &["divide", "0"])] {
        let input = module(&folder, "a.wasm", wat);
        assert_eq!(compile(&[], &output, &input), success);
        let run = |file: &str| iwasm(&[&["-f", args[0], file], &args[1..]].concat());
        let expected = run(&input);
        assert_eq!(run(&output), expected);
        for options in [&["--opt-level=0"][..], &["--size-level=1"], &["--target=x86_64"]] {
            assert_eq!(compile(options, &output, &input), success, "{options:?}");
            assert_eq!(run(&output), expected, "{options:?}");
        }
        let threads = iwasm(&[&["--threads=3", "-f", args[0], &output], &args[1..]].concat());
        assert_eq!((threads.0, threads.1), (expected.0, expected.1.repeat(3)));
        let interpreted = iwasm(&[&["--interp", "-f", args[0], &output], &args[1..]].concat());
        assert_eq!(interpreted, expected);
    }
}

#[test]
fn compiled_programs_import_from_compiled_modules_first() {
    let folder = folder("compiled_imports");
    let numbers = |value: i32| {
        let wat = format!(r#"(module (func (export "number") (result i32) (i32.const {value})))"#);
        module(&folder, "numbers.wasm", &wat)
    };
    let main = r#"(module (import "numbers" "number" (func $number (result i32)))
                     (func (export "run") (result i32) (call $number)))"#;
    let (main, compiled) = (module(&folder, "main.wasm", main), path(&folder, "main.aot"));
    assert_eq!(compile(&[], &compiled, &main).0, 0);
    let place = format!("--module-path={}", folder.display());
    let run = |file: &str| iwasm(&[&place, "-f", "run", file]);
    assert_eq!(compile(&[], &path(&folder, "numbers.aot"), &numbers(1)).0, 0);
    numbers(2);
    assert_eq!(run(&compiled), ended(0, "0x1:i32\n"));
    assert_eq!(run(&main), ended(0, "0x2:i32\n"));
    fs::remove_file(path(&folder, "numbers.aot")).expect("the file is there");
    assert_eq!(run(&compiled), ended(0, "0x2:i32\n"));
}

#[test]
fn files_that_do_not_fit_are_refused() {
    let folder = folder("refused");
    let input = module(&folder, "a.wasm", FUNCTIONS);
    let output = path(&folder, "a.aot");
    assert_eq!(compile(&[], &output, &input).0, 0);
    let sound = fs::read(&output).expect("the file");
    let with = |bytes: &[u8]| {
        fs::write(&output, bytes).expect("a file");
        iwasm(&["-f", "add", &output, "1", "2"])
    };
    let refused = |text: &str| ended(255, &format!("AOT module load failed: {text}\n"));
    assert_eq!(with(&sound[..sound.len() - 1]), refused("unexpected end"));
    let mut bytes = sound.clone();
    bytes[sound.len() / 2] ^= 8;
    assert_eq!(with(&bytes), refused("the file is damaged"));
    let upstream = [b"\0aot\x06\0\0\0", [0; 200].as_slice()].concat();
    let text = "the file is another compiler's: compile the module again with `iwasm compile` or \
                `wamrc`";
    assert_eq!(with(&upstream), refused(text));
    assert_eq!(with(&sound).0, 0);
}

#[test]
fn the_compiler_has_another_name() {
    let folder = folder("wamrc");
    let wamrc = folder.join("wamrc");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_iwasm"), &wamrc).expect("a link");
    let run = |args: &[&str]| {
        let output = Command::new(&wamrc).args(args).output().expect("the command");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
    };
    let input = module(&folder, "a.wasm", FUNCTIONS);
    let output = path(&folder, "a.aot");
    let (code, stdout, stderr) =
        run(&["--enable-simd", "--bounds-checks=1", "-o", &output, &input]);
    assert_eq!((code, stdout), (0, format!("Compile success, file {output} was generated.\n")));
    assert_eq!(
        stderr,
        "wamrc: --enable-simd changes nothing: it is always on\n\
         wamrc: --bounds-checks=0/1 changes nothing: accesses and the stack are always checked\n"
    );
    assert_eq!(run(&["--version"]), ended(0, concat!("wamrc ", env!("CARGO_PKG_VERSION"), "\n")));
    assert_eq!(run(&["--target=help"]), ended(0, "x86_64\n"));
    assert!(run(&["--cpu-features=+help"]).1.contains("avx2\n"));
    assert!(run(&["--help"]).1.starts_with("Usage: wamrc [OPTION]... -o FILE MODULE\n"));
}

#[test]
fn what_cannot_be_compiled_is_said() {
    let folder = folder("uncompiled");
    let input = module(&folder, "a.wasm", FUNCTIONS);
    let output = path(&folder, "a.aot");
    let failed = |text: &str| ended(1, &format!("{text}\n"));
    let arch = "Error: there is no code for the target \"mips\"";
    assert_eq!(compile(&["--target=mips"], &output, &input), failed(arch));
    let none = path(&folder, "none.wasm");
    let unread = format!("Read file to buffer failed: open file {none} failed.");
    assert_eq!(compile(&[], &output, &none), failed(&unread));
    let junk = path(&folder, "junk.wasm");
    fs::write(&junk, "junk here").expect("a file");
    let magic = "Invalid wasm file: magic header not detected";
    assert_eq!(compile(&[], &output, &junk), failed(magic));
    let same = "Error: input file and output file are the same";
    assert_eq!(compile(&[], &input, &input), ended(255, same));
    let nowhere = path(&folder, "none/a.aot");
    assert_eq!(compile(&[], &nowhere, &input), failed("Error: open or create aot file failed."));
    let (code, stdout, stderr) = iwasm(&["compile", "--format=object", "-o", &output, &input]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert_eq!(stderr, "wamrc: Invalid format object.\nTry `wamrc --help`.\n");
    assert!(!Path::new(&output).exists());
}
