//! The programs of `tests/c/isolation`: each row is one thing that two threads with a context each
//! must not notice of each other. They run by themselves with as many rounds as a race needs, and
//! with fewer under valgrind's memcheck and helgrind.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{compile_modules, library, limit, root, run, scratch, shared_library, text};
use std::path::Path;
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
    ("user_data", &["allocator user data"]),
    (
        "guest_threads",
        &["thread limit", "guest thread numbers", "pthread handles", "named semaphores"],
    ),
    (
        "others",
        &[
            "emcc files",
            "c-api engine",
            "c-api stores",
            "aot compiler error",
            "shared heaps",
            "wait lists",
        ],
    ),
    ("engines", &["calls in two engines", "traps in two engines", "references in two engines"]),
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
    (
        "forks",
        &[
            "fork",
            "fork while a function is translated",
            "fork leaves a running guest behind",
            "fork in a child",
            "fork inside a guest that others call",
            "fork while guest threads start and end",
        ],
    ),
    (
        "rules",
        &[
            "workers of one context",
            "a handle wins",
            "init twice",
            "destroy on another thread",
            "exit without destroy",
            "inside natives",
            "work that moves between threads",
        ],
    ),
    (
        "shared_init",
        &["one runtime for the process", "shared inits at once", "one engine for the process"],
    ),
    (
        "embedders",
        &[
            "a library with threads of its own",
            "a library with a copy of its own",
            "a library that comes first",
        ],
    ),
    (
        "scale",
        &[
            "bytes of an idle context",
            "ten thousand contexts, one after another",
            "a thousand contexts at once",
        ],
    ),
    ("call_path", &["a call of a guest", "a call of another context's guest"]),
];

/// Programs that look at themselves from outside, where a memory checker is in the way.
const UNWATCHED: [&str; 2] = ["scale", "call_path"];

/// Programs whose two sides share only the list of contexts, so that any other memory that helgrind
/// sees two threads touch is a leak from one context into another. The other programs share
/// contexts on purpose, and helgrind knows neither atomics nor our locks.
const APART: [&str; 3] = ["engines", "natives", "settings"];

/// Native libraries that the static library needs.
const NATIVE_LIBS: [&str; 4] = ["-lpthread", "-lm", "-ldl", "-lgcc_s"];

/// Rows that have nothing to try yet, and the feature they wait for. When the feature comes, the
/// row fails until it is written and taken off here.
const LACKING: &[(&str, &str)] =
    &[("log timers", "bh_print_time"), ("debug engine", "debug engine")];

/// The line that a row must print.
fn expected(row: &str) -> String {
    match LACKING.iter().find(|(name, _)| *name == row) {
        Some((_, feature)) => format!("lacks {feature}: {row}"),
        None => format!("ok {row}"),
    }
}

/// A compiler run on one of the programs, still without the libraries.
fn compiler(name: &str, output: &Path) -> Command {
    let mut cc = Command::new("gcc");
    cc.args(["-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(root().join("c-api/include"))
        .arg(root().join(format!("tests/c/isolation/{name}.c")))
        .arg("-o")
        .arg(output);
    cc
}

fn link_shared(cc: &mut Command, folder: &Path) {
    let so = shared_library(folder);
    // Cargo's search path has another library, of an earlier build, maybe.
    cc.arg(&so).arg(format!("-Wl,--disable-new-dtags,-rpath,{}", folder.display()));
    cc.args(["-lpthread", "-ldl"]);
    run(cc);
}

/// The library that `embedders` loads: on the shared runtime, and with a copy of its own.
fn compile_plugins(folder: &Path) {
    let mut shared = compiler("plugin", &folder.join("plugin_shared.so"));
    link_shared(shared.args(["-shared", "-fPIC"]), folder);
    let mut copy = compiler("plugin", &folder.join("plugin_static.so"));
    copy.args(["-shared", "-fPIC"]).arg(library("libiwasm.a"));
    run(copy.arg("-Wl,--exclude-libs,ALL").args(NATIVE_LIBS));
}

/// Lines of a program that are no log lines of the runtime.
fn own_lines(output: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(output);
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('['));
    lines.map(str::to_owned).collect()
}

fn check(command: &mut Command, folder: &Path, rounds: &str, rows: &[&str]) {
    let output =
        limit::output(command.arg(folder).env("ROUNDS", rounds)).expect("the program starts");
    let printed = own_lines(&output.stdout);
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
    let program = folder.join(name);
    link_shared(&mut compiler(name, &program), &folder);
    if name == "embedders" {
        compile_plugins(&folder);
    }
    check(&mut Command::new(&program), &folder, ROUNDS, rows);
    if UNWATCHED.contains(&name) {
        return;
    }
    // Memory of threads that a fork's child does not have is lost there.
    let leaks = if name == "forks" { "no" } else { "full" };
    let mut memcheck = Command::new("valgrind");
    memcheck
        .args(["--quiet", "--error-exitcode=99", "--num-callers=30", "--fair-sched=yes"])
        .args([&format!("--leak-check={leaks}"), "--errors-for-leak-kinds=definite"])
        .arg(&program);
    check(&mut memcheck, &folder, ROUNDS_WATCHED, rows);
    if APART.contains(&name) {
        let known = root().join("tests/c/isolation/helgrind.supp");
        let mut helgrind = Command::new("valgrind");
        helgrind
            .args(["--tool=helgrind", "--quiet", "--error-exitcode=98", "--num-callers=30"])
            .arg(format!("--suppressions={}", known.display()))
            .arg(&program);
        check(&mut helgrind, &folder, ROUNDS_WATCHED, rows);
    }
}

macro_rules! programs {
    ($($name:ident),* $(,)?) => { $(
        #[test]
        fn $name() {
            all(stringify!($name));
        }
    )* };
}

/// Needs a library that hands embedders their pointer, so it is not among those below:
/// `.ci/user-data` builds one and runs this.
#[cfg(feature = "alloc-with-user-data")]
#[test]
fn user_data() {
    all("user_data");
}

programs! {
    allocators, call_path, embedders, engines, forks, guest_threads, modules, natives, others,
    process, rules, scale, settings, shared_init,
}
