//! WASI through the public interface: bindings, a program's view of the host, its end.

#![cfg(feature = "wasi")]
#![allow(clippy::expect_used, reason = "a test may end in a panic")]

mod edges;
mod suite;

use isothread::{
    Context, ExecEnv, FuncType, Instance, InstanceArgs, Module, Native, Trap, Val, ValType,
    WasiArgs, WasiCtx,
};
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

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
