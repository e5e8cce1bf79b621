//! Programs that use the functions of the standard's header alone (`tests/c/standard`). Each prints
//! what happens, and that is `NAME.out`.
//!
//! The same sources run with other libraries that have the standard C API, by a command of its own:
//!
//! ```sh
//! ISOTHREAD_STANDARD='wasmi=LIBRARY:INCLUDE wasmtime=LIBRARY:INCLUDE' \
//!     cargo test -p isothread-c --test standard
//! ```
//!
//! where LIBRARY is a static or shared library and INCLUDE the folder of its `wasm.h`;
//! `benches/c/peers.sh` builds two of them. If LABEL prints something else, that is
//! `NAME.LABEL.out`, and `docs/wasm-c-api.md` has the reasons.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{compile_modules, limit, root, run, scratch, shared_library, text};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAMS: [&str; 15] = [
    "callback",
    "finalize",
    "funcref",
    "global",
    "hello",
    "hostinfo",
    "hostref",
    "memory",
    "multi",
    "reflect",
    "serialize",
    "start",
    "table",
    "threads",
    "trap",
];

fn modules(folder: &Path) {
    for sources in ["tests/c", "tests/c/standard"] {
        compile_modules(sources, folder);
    }
}

fn compile(name: &str, folder: &Path, include: &[PathBuf], library: &Path) -> PathBuf {
    let program = folder.join(name);
    let mut cc = Command::new("gcc");
    cc.args(["-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror"]);
    include.iter().for_each(|folder| {
        cc.arg("-isystem").arg(folder);
    });
    cc.arg(root().join(format!("tests/c/standard/{name}.c"))).arg("-o").arg(&program).arg(library);
    if let Some(folder) = library.parent() {
        cc.arg(format!("-Wl,--disable-new-dtags,-rpath,{}", folder.display()));
    }
    run(cc.args(["-lpthread", "-lm", "-ldl", "-lgcc_s"]));
    program
}

/// The output without log lines, and whether the program ended well.
fn output(command: &mut Command) -> (String, bool) {
    let output = limit::output(command).unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let printed = String::from_utf8_lossy(&output.stdout);
    let lines = printed.lines().filter(|line| !line.starts_with('['));
    let mut printed: String = lines.map(|line| format!("{line}\n")).collect();
    if !output.status.success() {
        eprintln!("{command:?}\n{}", text(&output));
        printed.push_str("(it fails)\n");
    }
    (printed, output.status.success())
}

/// The recorded output of a program with a library.
fn recorded(name: &str, label: Option<&str>) -> String {
    let folder = root().join("tests/c/standard");
    let own = label.map(|label| folder.join(format!("{name}.{label}.out")));
    let path =
        own.filter(|path| path.exists()).unwrap_or_else(|| folder.join(name).with_extension("out"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn programs_print_what_is_recorded() {
    let folder = scratch("standard");
    modules(&folder);
    let include = ["c-api/include", "c-api/include/compat"].map(|path| root().join(path));
    let so = shared_library(&folder);
    for name in PROGRAMS {
        let program = compile(name, &folder, &include, &so);
        let (printed, _) = output(Command::new(&program).arg(&folder));
        assert_eq!(printed, recorded(name, None), "{name}");
        let (checked, ended) = output(
            Command::new("valgrind")
                .args(["--quiet", "--error-exitcode=99", "--leak-check=full"])
                .args(["--errors-for-leak-kinds=definite", "--fair-sched=yes"])
                .arg(&program)
                .arg(&folder),
        );
        assert!(ended && checked == printed, "{name}: {checked}");
    }
}

#[test]
fn other_libraries_print_what_is_recorded() {
    let Ok(list) = std::env::var("ISOTHREAD_STANDARD") else {
        // At once, and not by `println!`, whose output is kept back when a test passes.
        let note = b"no other libraries to compare with: ISOTHREAD_STANDARD names none\n";
        std::io::stdout().write_all(note).expect("the output takes what is written");
        return;
    };
    let mut failed = Vec::new();
    for entry in list.split_whitespace() {
        let (label, rest) = entry.split_once('=').expect("LABEL=LIBRARY:INCLUDE");
        let (library, include) = rest.split_once(':').expect("LABEL=LIBRARY:INCLUDE");
        let folder = scratch(&format!("standard_{label}"));
        modules(&folder);
        for name in PROGRAMS {
            let program = compile(name, &folder, &[include.into()], Path::new(library));
            let (printed, _) = output(Command::new(&program).arg(&folder));
            if printed != recorded(name, Some(label)) {
                failed.push(format!("{label}, {name}:\n{printed}"));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
