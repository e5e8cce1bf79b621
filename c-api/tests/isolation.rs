//! The programs of `tests/c/isolation`: each row is one thing that two threads with a context each
//! must not notice of each other. They run by themselves with as many rounds as a race needs, and
//! with fewer under valgrind's memcheck and helgrind.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{compile_modules, library, root, run, scratch, text};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Rounds of a row that is a race.
const ROUNDS: &str = "1000";
/// The same where every instruction is watched.
const ROUNDS_WATCHED: &str = "10";

/// The rows of each program.
const ROWS: &[(&str, &[&str])] = &[
    (
        "allocators",
        &[
            "allocator functions",
            "pool",
            "pool exhaustion",
            "allocator user data",
            "init counting",
            "init failure",
            "memory cost",
        ],
    ),
    (
        "natives",
        &[
            "native symbols",
            "symbol arrays",
            "externref objects",
            "externref numbers",
            "instance context keys",
        ],
    ),
    ("modules", &["module reader", "registered modules", "modules being loaded", "wasi arguments"]),
    (
        "settings",
        &[
            "running mode",
            "enlarge callback",
            "log level",
            "log timers",
            "gc heap size",
            "linux perf map",
            "debug engine",
            "jit options",
            "fast-jit cache",
        ],
    ),
    (
        "others",
        &[
            "thread limit",
            "guest thread numbers",
            "pthread handles",
            "named semaphores",
            "emcc files",
            "c-api engine",
            "c-api stores",
            "aot compiler error",
            "shared heaps",
            "wait lists",
        ],
    ),
    (
        "process",
        &[
            "destroy elsewhere",
            "thread exit",
            "fault handler chain",
            "fault handler restored",
            "blocking-op signal",
            "late signal number",
        ],
    ),
    ("forks", &["fork", "fork leaves a running guest behind", "fork in a child"]),
];

/// Rows that have nothing to try yet, and the feature they wait for. When the feature comes, the
/// row fails until it is written and taken off here.
const LACKING: &[(&str, &str)] = &[
    ("allocator user data", "alloc-with-user-data"),
    ("externref objects", "externref objects"),
    ("externref numbers", "externref objects"),
    ("instance context keys", "instance contexts"),
    ("module reader", "multi-module"),
    ("registered modules", "multi-module"),
    ("modules being loaded", "multi-module"),
    ("running mode", "compiled code"),
    ("enlarge callback", "enlarge callback"),
    ("log timers", "bh_print_time"),
    ("gc heap size", "garbage collection"),
    ("linux perf map", "ahead-of-time code"),
    ("debug engine", "debug engine"),
    ("jit options", "compiled code"),
    ("fast-jit cache", "compiled code"),
    ("thread limit", "wasi-threads"),
    ("guest thread numbers", "wasi-threads"),
    ("pthread handles", "lib-pthread"),
    ("named semaphores", "lib-pthread"),
    ("emcc files", "libc-emcc"),
    ("c-api engine", "wasm_c_api.h"),
    ("c-api stores", "wasm_c_api.h"),
    ("aot compiler error", "aot_export.h"),
    ("wait lists", "threads and atomics"),
    ("late signal number", "signals for blocking operations"),
];

/// The line that a row must print.
fn expected(row: &str) -> String {
    match LACKING.iter().find(|(name, _)| *name == row) {
        Some((_, feature)) => format!("lacks {feature}: {row}"),
        None => format!("ok {row}"),
    }
}

fn compile(name: &str, folder: &Path) -> PathBuf {
    let program = folder.join(name);
    let so = folder.join("libiwasm.so.2");
    std::fs::copy(library("libiwasm.so"), &so).expect("the library can be copied");
    run(Command::new("gcc")
        .args(["-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(root().join("c-api/include"))
        .arg(root().join(format!("tests/c/isolation/{name}.c")))
        .arg("-o")
        .arg(&program)
        .arg(&so)
        .arg(format!("-Wl,-rpath,{}", folder.display()))
        .args(["-lpthread", "-ldl"]));
    program
}

fn check(command: &mut Command, folder: &Path, rounds: &str, rows: &[&str]) {
    let output = command.arg(folder).env("ROUNDS", rounds).output().expect("the program starts");
    let printed: Vec<_> =
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    let wanted: Vec<_> = rows.iter().map(|row| expected(row)).collect();
    let shown: String = text(&output).lines().take(40).collect::<Vec<_>>().join("\n");
    assert!(printed == wanted, "{command:?}\n{shown}");
    assert!(output.status.success(), "{command:?}\n{}", text(&output));
}

fn all(name: &str) {
    let (_, rows) = ROWS.iter().find(|(program, _)| *program == name).expect("it is listed");
    let folder = scratch(&format!("isolation_{name}"));
    compile_modules("tests/c", &folder);
    compile_modules("tests/c/isolation", &folder);
    let program = compile(name, &folder);
    check(&mut Command::new(&program), &folder, ROUNDS, rows);
    // What a thread that is not there in the child of a fork held is lost there.
    let leaks = if name == "forks" { "no" } else { "full" };
    let mut memcheck = Command::new("valgrind");
    memcheck
        .args(["--quiet", "--error-exitcode=99", "--num-callers=30", "--fair-sched=yes"])
        .args([&format!("--leak-check={leaks}"), "--errors-for-leak-kinds=definite"])
        .arg(&program);
    check(&mut memcheck, &folder, ROUNDS_WATCHED, rows);
}

macro_rules! programs {
    ($($name:ident),* $(,)?) => { $(
        #[test]
        fn $name() {
            all(stringify!($name));
        }
    )* };
}

programs! { allocators, natives, modules, settings, others, process, forks }
