//! The programs of `tests/c/stress`: many threads that do random things with contexts of their own
//! and shared ones. By default each runs for seconds; `STRESS_SECONDS` sets the time, and
//! `STRESS_SEED` repeats a failure, as far as the system's scheduling lets it.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;
#[cfg(target_os = "linux")]
#[path = "../../tests/refuse/mod.rs"]
mod refuse;

use common::{compile_modules, limit, root, run, scratch, shared_library, text};
use std::env;
use std::path::Path;
use std::process::Command;

/// Seconds of a program by itself, and where every instruction is watched.
const SECONDS: &str = "5";
const SECONDS_WATCHED: &str = "3";

/// Where the system refuses a barrier in all threads.
#[cfg(target_os = "linux")]
const SECONDS_REFUSED: &str = "2";

fn seconds(default: &str) -> String {
    env::var("STRESS_SECONDS").unwrap_or_else(|_| default.to_owned())
}

fn check(command: &mut Command, folder: &Path) {
    let output = limit::output(command.arg(folder)).expect("the program starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    let quiet = printed.lines().all(|line| line.is_empty() || line.starts_with('['));
    let shown: Vec<_> = printed.lines().rev().take(5).collect();
    let all = text(&output);
    let first: Vec<_> = all.lines().take(60).collect();
    assert!(quiet && output.status.success(), "{command:?}\n{}\n...\n{shown:?}", first.join("\n"));
}

fn all(name: &str, helgrind: bool) {
    let folder = scratch(&format!("stress_{name}"));
    compile_modules("tests/c/stress", &folder);
    let so = shared_library(&folder);
    let program = folder.join(name);
    let mut cc = Command::new("gcc");
    cc.args(["-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(root().join("c-api/include"))
        .arg(root().join(format!("tests/c/stress/{name}.c")))
        .arg("-o")
        .arg(&program)
        .arg(&so)
        .arg(format!("-Wl,-rpath,{}", folder.display()))
        .args(["-lpthread", "-ldl"]);
    run(&mut cc);
    check(Command::new(&program).env("STRESS_SECONDS", seconds(SECONDS)), &folder);
    #[cfg(target_os = "linux")]
    {
        let mut refused = Command::new(&program);
        refused.env("STRESS_SECONDS", seconds(SECONDS_REFUSED));
        check(refuse::without_membarrier(&mut refused), &folder);
    }
    // Some lives end without an end on purpose, so that leaks are no errors here.
    let mut memcheck = Command::new("valgrind");
    memcheck
        .args(["--quiet", "--error-exitcode=99", "--num-callers=30", "--fair-sched=yes"])
        .args(["--leak-check=no"])
        .arg(&program)
        .env("STRESS_SECONDS", seconds(SECONDS_WATCHED))
        .env("STRESS_WORKERS", "3")
        .env("STRESS_WATCHED", "1");
    check(&mut memcheck, &folder);
    if helgrind {
        let known = root().join("tests/c");
        let mut helgrind = Command::new("valgrind");
        helgrind
            .args(["--tool=helgrind", "--quiet", "--error-exitcode=98", "--num-callers=30"])
            .arg(format!("--suppressions={}/isolation/helgrind.supp", known.display()))
            .arg(format!("--suppressions={}/stress/helgrind.supp", known.display()))
            .arg(&program)
            .env("STRESS_SECONDS", seconds(SECONDS_WATCHED))
            .env("STRESS_WORKERS", "3")
            .env("STRESS_WATCHED", "1")
            .env("STRESS_APART", "1");
        check(&mut helgrind, &folder);
    }
}

/// Here two threads can be kept from having anything in common, so that helgrind, which knows
/// neither atomics nor our locks, has nothing to report but leaks between contexts.
#[test]
fn tenants() {
    all("tenants", true);
}

#[test]
fn movers() {
    all("movers", false);
}

#[test]
fn shared() {
    all("shared", false);
}

#[test]
fn signals() {
    all("signals", false);
}
