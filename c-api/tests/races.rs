//! Programs of `tests/c` with several threads, under ThreadSanitizer: the library, the programs and
//! guests' accesses to memory are all watched. `.ci/tsan` builds the library for it, names that in
//! `ISOTHREAD_TSAN` and runs this.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{compile_modules, limit, root, run, scratch, text};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Programs that neither race on purpose nor fork nor handle faults, all of which the sanitizer
/// cannot follow.
const PROGRAMS: [&str; 16] = [
    "ctx_limits",
    "pool",
    "spawn",
    "threads",
    "isolation/allocators",
    "isolation/engines",
    "isolation/guest_threads",
    "isolation/modules",
    "isolation/natives",
    "isolation/others",
    "isolation/rules",
    "isolation/settings",
    "isolation/shared_init",
    "stress/movers",
    "stress/shared",
    "stress/tenants",
];

fn output(command: &mut Command) -> String {
    let output = limit::output(command).expect("it starts");
    assert!(output.status.success(), "{command:?}\n{}", text(&output));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The sanitizer's runtime, which comes with the compiler.
fn runtime() -> PathBuf {
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]));
    let version = output(Command::new("rustc").arg("-vV"));
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let folder = Path::new(&sysroot).join("lib/rustlib").join(host).join("lib");
    let files = std::fs::read_dir(&folder).expect("the compiler's libraries");
    let mut paths = files.map(|file| file.expect("a file").path());
    paths.find(|path| path.to_string_lossy().ends_with("_rt.tsan.a")).expect("the runtime")
}

fn compile(name: &str, runtime: &Path, folder: &Path) -> PathBuf {
    let program = folder.join(name.replace('/', "_"));
    let object = program.with_extension("o");
    run(Command::new("gcc")
        .args(["-std=gnu11", "-g", "-O1", "-fsanitize=thread", "-c", "-I"])
        .arg(root().join("c-api/include"))
        .arg(root().join(format!("tests/c/{name}.c")))
        .arg("-o")
        .arg(&object));
    // One runtime for both: the compiler's, not gcc's.
    run(Command::new("gcc")
        .arg(&object)
        .arg("-o")
        .arg(&program)
        .arg("-Wl,--whole-archive")
        .arg(runtime)
        .args(["-Wl,--no-whole-archive", "-Wl,--export-dynamic"])
        .arg(folder.join("libiwasm.so.2"))
        .arg(format!("-Wl,-rpath,{}", folder.display()))
        .args(["-lpthread", "-ldl", "-lm", "-lrt", "-lstdc++"]));
    program
}

#[test]
fn nothing_races() {
    let library = env::var("ISOTHREAD_TSAN").expect("ISOTHREAD_TSAN names the library");
    let (folder, runtime) = (scratch("races"), runtime());
    for sources in ["tests/c", "tests/c/isolation", "tests/c/stress"] {
        compile_modules(sources, &folder);
    }
    std::fs::copy(library, folder.join("libiwasm.so.2")).expect("the library can be copied");
    let known = root().join("tests/c/races.supp");
    for name in PROGRAMS {
        let mut command = Command::new(compile(name, &runtime, &folder));
        command
            .arg(&folder)
            // Cargo points it at the usual library.
            .env_remove("LD_LIBRARY_PATH")
            .env("TSAN_OPTIONS", format!("history_size=4 suppressions={}", known.display()))
            .env("ROUNDS", "20")
            .env("STRESS_SECONDS", env::var("STRESS_SECONDS").unwrap_or_else(|_| "4".to_owned()));
        output(&mut command);
    }
}
