//! The C programs of `tests/c`: compiled against the header, linked with the shared and the static
//! library, run, and run again under a memory checker.
//!
//! A program checks itself and exits with 0. Its output must be the content of `NAME.out`, or empty
//! if there is no such file.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{
    compile_modules, declared, functions, library, limit, root, run, scratch, shared_library, text,
};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Native libraries that the static library needs.
const NATIVE_LIBS: [&str; 4] = ["-lpthread", "-lm", "-ldl", "-lgcc_s"];

#[derive(Clone, Copy)]
enum Linked {
    Shared,
    Static,
}

fn compile(name: &str, linked: Linked, folder: &Path, extra: &[&str]) -> PathBuf {
    let sources = root().join("tests/c");
    let suffix = match linked {
        Linked::Shared => "shared",
        Linked::Static => "static",
    };
    let program = folder.join(format!("{name}_{suffix}"));
    let mut cc = Command::new("gcc");
    cc.args(["-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(root().join("c-api/include"))
        .arg(sources.join(format!("{name}.c")))
        .arg("-o")
        .arg(&program);
    match linked {
        Linked::Shared => {
            let so = shared_library(folder);
            // Cargo's search path has another library, of an earlier build, maybe.
            cc.arg(&so).arg(format!("-Wl,--disable-new-dtags,-rpath,{}", folder.display()));
            cc.arg("-lpthread");
        }
        Linked::Static => {
            cc.arg(library("libiwasm.a")).args(NATIVE_LIBS);
        }
    }
    run(cc.args(extra));
    program
}

/// Replaces the time and the thread of log lines.
fn without_times(output: &str) -> String {
    let lines = output.lines().map(|line| {
        let stamp = line.strip_prefix('[').and_then(|l| l.split_once("]: "));
        match stamp {
            Some((stamp, rest)) if stamp.len() > 15 && stamp.as_bytes()[2] == b':' => {
                format!("[log]: {rest}")
            }
            _ => line.to_owned(),
        }
    });
    lines.map(|line| line + "\n").collect()
}

fn check(command: &mut Command, name: &str) {
    let output = limit::output(command).unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}\n{}", text(&output));
    let golden = root().join(format!("tests/c/{name}.out"));
    let expected = std::fs::read_to_string(golden).unwrap_or_default();
    let printed = without_times(&String::from_utf8_lossy(&output.stdout));
    assert_eq!(printed, expected, "{command:?}");
}

fn check_under_valgrind(program: &Path, folder: &Path, name: &str) {
    let present = Command::new("valgrind").arg("--version").output().is_ok();
    assert!(present, "valgrind is missing; install it to run this test");
    let mut command = Command::new("valgrind");
    command
        .args(["--quiet", "--error-exitcode=99", "--leak-check=full", "--num-callers=30"])
        .args(["--errors-for-leak-kinds=definite", "--fair-sched=yes"])
        .arg(program)
        .arg(folder);
    check(&mut command, name);
}

fn all(name: &str) {
    let folder = scratch(&format!("c_{name}"));
    all_in(name, &folder, &[]);
}

fn all_in(name: &str, folder: &Path, extra: &[&str]) {
    compile_modules("tests/c", folder);
    for linked in [Linked::Shared, Linked::Static] {
        let program = compile(name, linked, folder, extra);
        check(Command::new(&program).arg(folder), name);
        if let Linked::Shared = linked {
            check_under_valgrind(&program, folder, name);
        }
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

programs! {
    aot,
    application,
    blocking,
    blocking_signal,
    c_api_callback,
    c_api_calls,
    c_api_engines,
    c_api_finalize,
    c_api_global,
    c_api_hello,
    c_api_hostref,
    c_api_memory,
    c_api_multi,
    c_api_reflect,
    c_api_serialize,
    c_api_start,
    c_api_table,
    c_api_threads,
    c_api_trap,
    c_api_wasi,
    call_stack,
    calls,
    ctx,
    ctx_import,
    ctx_limits,
    descriptors,
    early,
    enlarge,
    exceptions,
    externref,
    fibres,
    freestanding,
    full_pipe,
    gc_calls,
    gc_exceptions,
    gc_objects,
    gc_roots,
    gc_types,
    in_use,
    init,
    inst_context,
    limited,
    load,
    memories,
    memory,
    misuse,
    multi_module,
    natives,
    pending,
    pool,
    profiling,
    reports,
    sections,
    shared_heap,
    shared_module,
    signals,
    spawn,
    tags,
    tail_calls,
    thread_end,
    threads,
    vectors,
    wasi,
}

/// The wrappers for C++, in the oldest version that they are for and in a newer one.
#[test]
fn c_api_cxx() {
    let folder = scratch("c_c_api_cxx");
    compile_modules("tests/c", &folder);
    let so = shared_library(&folder);
    for standard in ["-std=c++11", "-std=c++17"] {
        let program = folder.join("c_api_cxx");
        let mut cc = Command::new("g++");
        cc.args([standard, "-g", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]);
        for include in ["c-api/include", "c-api/include/compat"] {
            cc.arg("-I").arg(root().join(include));
        }
        cc.arg(root().join("tests/c/c_api_cxx.cpp")).arg("-o").arg(&program).arg(&so);
        run(cc.arg(format!("-Wl,--disable-new-dtags,-rpath,{}", folder.display())));
        check(Command::new(&program).arg(&folder), "c_api_cxx");
        check_under_valgrind(&program, &folder, "c_api_cxx");
    }
}

/// The system's allocator is not called while a context with a pool works.
#[test]
fn no_malloc() {
    let folder = scratch("c_no_malloc");
    compile_modules("tests/c", &folder);
    let wrap = "-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=posix_memalign,\
                --wrap=aligned_alloc";
    let program = compile("no_malloc", Linked::Static, &folder, &[wrap]);
    check(Command::new(&program).arg(&folder), "no_malloc");
}

/// The system's allocator fails, and the address space is small: nothing ends the process. Every
/// case is tried with `EXHAUSTION_STRIDE=1`, which takes many minutes.
#[test]
fn exhaustion() {
    let folder = scratch("c_exhaustion");
    compile_modules("tests/c", &folder);
    let program = compile("exhaustion", Linked::Shared, &folder, &[]);
    check(Command::new(&program).arg(&folder), "exhaustion");
}

/// The same while functions are compiled at their first call. That takes thousands of blocks more.
#[test]
fn compiled_exhaustion() {
    let folder = scratch("c_compiled_exhaustion");
    compile_modules("tests/c", &folder);
    let program = compile("exhaustion", Linked::Shared, &folder, &[]);
    let mut command = Command::new(&program);
    // Mode_LLVM_JIT.
    command.env("EXHAUSTION_MODE", "3");
    if std::env::var_os("EXHAUSTION_STRIDE").is_none() {
        command.env("EXHAUSTION_STRIDE", "691");
    }
    check(command.arg(&folder), "compiled_exhaustion");
}

#[test]
fn c_api_exhaustion() {
    let folder = scratch("c_c_api_exhaustion");
    compile_modules("tests/c", &folder);
    let program = compile("c_api_exhaustion", Linked::Shared, &folder, &[]);
    // Blocks in caches of threads would count as in use.
    let mut command = Command::new(&program);
    command.env("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0");
    check(command.arg(&folder), "c_api_exhaustion");
}

/// Functions that are there in the future are swept too.
#[test]
fn sweep() {
    let folder = scratch("c_sweep");
    for (file, handles) in [("with_nothing.inc", false), ("with_handles.inc", true)] {
        std::fs::write(folder.join(file), every_call(handles)).expect("a file can be written");
    }
    let include = format!("-I{}", folder.display());
    all_in("sweep", &folder, &[&include]);
}

#[test]
fn c_api_sweep() {
    let folder = scratch("c_c_api_sweep");
    for (file, wrong) in [("c_api_with_nothing.inc", false), ("c_api_with_wrong_kinds.inc", true)] {
        std::fs::write(folder.join(file), every_c_api_call(wrong)).expect("a file can be written");
    }
    let include = format!("-I{}", folder.display());
    all_in("c_api_sweep", &folder, &[&include]);
}

/// A C call of every function of `wasm_c_api.h`, with zero for every argument, or with an object of
/// another kind where the type is one of references; the former of all, the latter of those.
fn every_c_api_call(wrong: bool) -> String {
    let kinds = ["trap", "func", "global", "table", "memory", "extern", "instance"];
    let mut calls = String::new();
    for function in functions() {
        let name = function.name.as_str();
        if function.header != "wasm_c_api.h" || function.status == "inline" {
            continue;
        }
        let (_, rest) = function.prototype.split_once('(').expect("a prototype");
        let (params, _) = rest.rsplit_once(')').expect("a prototype");
        let is_kind = |param: &str| kinds.iter().any(|k| param.contains(&format!("wasm_{k}_t *")));
        let is_list = |param: &str| param.contains("_t **") || param.contains("*const *");
        let mut depth = 0;
        let outer = |c: char| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            c == ',' && depth == 0
        };
        let params: Vec<_> =
            params.split(outer).map(str::trim).filter(|param| *param != "void").collect();
        if wrong && !params.iter().any(|param| is_kind(param) && !is_list(param)) {
            continue;
        }
        let argument = |param: &&str| match wrong && is_kind(param) && !is_list(param) {
            true => "wrong",
            false => "0",
        };
        let arguments: Vec<_> = params.iter().map(argument).collect();
        let arguments = arguments.join(", ");
        let end = match name {
            "wasm_engine_new" => "wasm_engine_delete",
            "wasm_config_new" => "wasm_config_delete",
            "wasm_valtype_new" => "wasm_valtype_delete",
            "wasm_functype_new" => "wasm_functype_delete",
            _ => "(void)",
        };
        calls += &format!("    {end}({name}({arguments}));\n");
    }
    let least = if wrong { 85 } else { 280 };
    assert!(calls.lines().count() > least, "the table is nearly empty");
    calls
}

/// A C call of every function of `wasm_export.h` and `gc_export.h`, with zero for every argument,
/// or with the program's `handles` where the type is one.
fn every_call(handles: bool) -> String {
    // The program begins and ends contexts, and prints nothing; what ends a handle would leave
    // nothing to the calls behind it.
    let mut left_out = vec!["wasm_runtime_init", "wasm_runtime_destroy"];
    if handles {
        left_out.extend([
            "wasm_runtime_unload",
            "wasm_runtime_deinstantiate",
            "wasm_runtime_destroy_exec_env",
            "wasm_runtime_destroy_spawned_exec_env",
            "wasm_runtime_set_module_inst",
        ]);
    }
    let mut declared = declared("wasm_export.h");
    declared.extend(common::declared("gc_export.h"));
    let mut calls = String::new();
    for function in functions() {
        let name = function.name.as_str();
        let here = function.status == "defined" && declared.contains(&function.name);
        let prints = handles && name.contains("_dump_");
        if !here || prints || left_out.contains(&name) {
            continue;
        }
        let (_, rest) = function.prototype.split_once('(').expect("a prototype");
        let (params, _) = rest.rsplit_once(')').expect("a prototype");
        let arguments = arguments(params, handles).join(", ");
        let end = match name {
            "wasm_runtime_malloc" | "wasm_runtime_realloc" => "wasm_runtime_free",
            "wasm_runtime_create_exec_env" => "wasm_runtime_destroy_exec_env",
            "wasm_runtime_spawn_exec_env" => "wasm_runtime_destroy_spawned_exec_env",
            _ if name.starts_with("wasm_runtime_load") => "wasm_runtime_unload",
            _ if name.starts_with("wasm_runtime_instantiate") => "wasm_runtime_deinstantiate",
            _ => "(void)",
        };
        calls += &format!("    {end}({name}({arguments}));\n");
    }
    assert!(calls.lines().count() > 200, "the table is nearly empty");
    calls
}

fn arguments(params: &str, handles: bool) -> Vec<&'static str> {
    let mut depth = 0;
    let outer = |c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    };
    let params = params.split(outer).map(str::trim).filter(|p| *p != "void" && *p != "...");
    let argument = |param: &str| {
        let of = |ty: &str| handles && param.contains(ty) && !param.contains('*');
        match () {
            () if of("wasm_module_t ") => "module",
            () if of("wasm_module_inst_t ") => "inst",
            () if of("wasm_exec_env_t ") => "env",
            () if of("wasm_function_inst_t ") => "func",
            () if of("wasm_memory_inst_t ") => "memory",
            () => "0",
        }
    };
    params.map(argument).collect()
}

#[test]
fn a_program_that_hangs_is_killed() {
    let mut command = Command::new("sh");
    command.args(["-c", "echo begun; sleep 1000 & wait"]);
    let limit = std::time::Duration::from_millis(300);
    let output = limit::output_within(&mut command, limit).expect("it starts");
    assert!(!output.status.success());
    let text = text(&output);
    assert!(text.contains("begun") && text.contains("it hangs"), "{text}");
}
