//! WASI through the public interface: what is bound, what a program sees, how it ends.

#![cfg(feature = "wasi")]
#![allow(clippy::expect_used, reason = "a test may end in a panic")]

use isothread::{
    Context, ExecEnv, FuncType, Instance, InstanceArgs, Module, Native, Trap, Val, ValType,
    WasiArgs, WasiCtx,
};
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::Path;

const HELLO: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write"
        (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_sizes_get"
        (func $args_sizes_get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
    (import "wasi_snapshot_preview1" "nonsense" (func $nonsense))
    (memory (export "memory") 1)
    (data (i32.const 0) "\10\00\00\00\06\00\00\00")
    (data (i32.const 16) "hello\n")
    (func (export "_start")
        (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))
        (drop (call $args_sizes_get (i32.const 64) (i32.const 68)))
        (call $proc_exit (i32.load (i32.const 64)))
        unreachable))"#;

fn module(context: &Context) -> Module {
    let wasm = wat::parse_str(HELLO).expect("text");
    Module::new(context, &wasm).expect("module")
}

#[test]
fn imports_are_bound_without_the_embedders_doing() {
    let context = Context::new().expect("context");
    let linked: Vec<bool> = module(&context).imports().map(|import| import.linked).collect();
    assert_eq!(linked, [true, true, true, false]);
}

#[test]
fn a_program_has_arguments_and_output_of_its_own() {
    let context = Context::new().expect("context");
    let module = module(&context);
    for count in 0..3 {
        let (inside, mut outside) = UnixStream::pair().expect("sockets");
        let args = WasiArgs {
            args: vec![b"arg".to_vec(); count],
            stdout: inside.as_raw_fd(),
            ..WasiArgs::default()
        };
        let ctx = WasiCtx::new(&args).expect("WASI state");
        let args = InstanceArgs { host_state: Some(Box::new(ctx)), ..InstanceArgs::default() };
        let instance = Instance::new(&module, args).expect("instance");
        let mut env = ExecEnv::new(&instance, 0).expect("exec_env");
        let start = instance.typed_func::<(), ()>("_start").expect("_start");
        let trap = start.call(&mut env, ()).err().and_then(|error| error.trap());
        assert_eq!(trap, Some(Trap::ProcExit));
        assert_eq!(instance.exception().as_deref(), Some("Exception: wasi proc exit"));
        assert_eq!(instance.exit_code(), count as u32);
        let mut text = [0; 6];
        outside.read_exact(&mut text).expect("output");
        assert_eq!(&text, b"hello\n");
    }
}

#[test]
fn what_the_embedder_defines_comes_first() {
    let context = Context::new().expect("context");
    let ty = FuncType::new([ValType::I32; 4], [ValType::I32]);
    let fd_write = Native::new(ty, |caller, _, results| {
        caller.write(16, b"HELLO")?;
        results[0] = Val::I32(0);
        Ok(())
    });
    context.define("wasi_snapshot_preview1", "fd_write", &fd_write).expect("room");
    let instance = Instance::new(&module(&context), InstanceArgs::default()).expect("instance");
    let mut env = ExecEnv::new(&instance, 0).expect("exec_env");
    let start = instance.typed_func::<(), ()>("_start").expect("_start");
    assert!(start.call(&mut env, ()).is_err());
    let mut text = [0; 6];
    let memory = instance.get_memory("memory").expect("memory");
    memory.read(16, &mut text).expect("bytes");
    assert_eq!(&text, b"HELLO\n");
    // Another context has not heard of it.
    let other = Context::new().expect("context");
    assert!(!other.undefine("wasi_snapshot_preview1", "fd_write"));
}

/// A program of the WASI test suite that needs no files.
struct Program {
    path: &'static str,
    args: &'static [&'static str],
    env: &'static [&'static str],
    exit_code: u32,
    /// Part of what it writes.
    output: &'static str,
}

const fn program(path: &'static str) -> Program {
    Program { path, args: &[], env: &[], exit_code: 0, output: "" }
}

const ARGS: &[&str] = &["first", "the \"second\" arg", "3"];

const SUITE: &[Program] = &[
    program("c/wasm32-wasip1/clock_getres-monotonic"),
    program("c/wasm32-wasip1/clock_getres-realtime"),
    program("c/wasm32-wasip1/clock_gettime-monotonic"),
    program("c/wasm32-wasip1/clock_gettime-realtime"),
    program("c/wasm32-wasip1/fopen-with-no-access"),
    program("c/wasm32-wasip1/sock_shutdown-invalid_fd"),
    program("c/wasm32-wasip1/sock_shutdown-not_sock"),
    program("rust/wasm32-wasip1/big_random_buf"),
    program("rust/wasm32-wasip1/clock_time_get"),
    Program { output: "writable subs: {", ..program("rust/wasm32-wasip1/poll_oneoff_stdio") },
    program("rust/wasm32-wasip1/sched_yield"),
    Program { args: ARGS, ..program("assemblyscript/wasm32-wasip1/args_get-multiple-arguments") },
    Program {
        args: ARGS,
        ..program("assemblyscript/wasm32-wasip1/args_sizes_get-multiple-arguments")
    },
    program("assemblyscript/wasm32-wasip1/args_sizes_get-no-arguments"),
    Program {
        env: &["a=text", "b=escap \" ing", "c=new\nline"],
        ..program("assemblyscript/wasm32-wasip1/environ_get-multiple-variables")
    },
    Program {
        env: &["a=b", "b=c", "c=d"],
        ..program("assemblyscript/wasm32-wasip1/environ_sizes_get-multiple-variables")
    },
    program("assemblyscript/wasm32-wasip1/environ_sizes_get-no-variables"),
    program("assemblyscript/wasm32-wasip1/fd_write-to-invalid-fd"),
    Program { output: "hello", ..program("assemblyscript/wasm32-wasip1/fd_write-to-stdout") },
    Program { exit_code: 33, ..program("assemblyscript/wasm32-wasip1/proc_exit-failure") },
    program("assemblyscript/wasm32-wasip1/proc_exit-success"),
    program("assemblyscript/wasm32-wasip1/random_get-non-zero-length"),
    program("assemblyscript/wasm32-wasip1/random_get-zero-length"),
];

/// Runs a program; its exit code and what it wrote.
fn run(wasm: &[u8], program: &Program) -> (Option<u32>, String) {
    let bytes = |list: &[&str]| list.iter().map(|s| s.as_bytes().to_vec()).collect::<Vec<_>>();
    // Standard input is open and silent.
    let (stdin, _silent) = std::io::pipe().expect("pipe");
    let (mut output, stdout) = std::io::pipe().expect("pipe");
    let mut args = WasiArgs {
        args: vec![program.path.into()],
        env: bytes(program.env),
        stdin: stdin.as_raw_fd(),
        stdout: stdout.as_raw_fd(),
        ..WasiArgs::default()
    };
    args.args.extend(bytes(program.args));
    let ctx = WasiCtx::new(&args).expect("WASI state");
    let context = Context::new().expect("context");
    let module = Module::new(&context, wasm).expect("module");
    assert!(module.imports().all(|import| import.linked), "{}", program.path);
    let args = InstanceArgs { host_state: Some(Box::new(ctx)), ..InstanceArgs::default() };
    let instance = Instance::new(&module, args).expect("instance");
    let mut env = ExecEnv::new(&instance, 1 << 20).expect("exec_env");
    let start = instance.typed_func::<(), ()>("_start").expect("_start");
    let exit_code = match start.call(&mut env, ()) {
        Ok(()) => Some(0),
        Err(error) => (error.trap() == Some(Trap::ProcExit)).then_some(instance.exit_code()),
    };
    drop(stdout);
    let mut text = String::new();
    output.read_to_string(&mut text).expect("output");
    (exit_code, text)
}

#[test]
fn the_test_suite_passes_as_far_as_it_needs_no_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/testdata/wasi-testsuite");
    if !folder.exists() {
        eprintln!("no test data: the WASI test suite is not run");
        return;
    }
    for program in SUITE {
        let wasm = std::fs::read(folder.join(program.path).with_extension("wasm"));
        let (exit_code, output) = run(&wasm.expect("program"), program);
        assert_eq!(exit_code, Some(program.exit_code), "{}", program.path);
        assert!(output.contains(program.output), "{}: {output}", program.path);
    }
}
