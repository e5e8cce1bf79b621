//! Whole programs: guest code that imports WASI, through the registry and the interpreter.

use crate::abi::trap::Trap;
use crate::native::Registry;
use crate::native::tests::guest::Guest;
use crate::wasi::{self, WasiArgs, WasiCtx};
use std::any::Any;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

const PROGRAM: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write"
        (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_unstable" "proc_exit" (func $proc_exit (param i32)))
    (import "wasi_snapshot_preview1" "proc_raise"
        (func $proc_raise (param i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get"
        (func $clock_time_get (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open" (func $path_open
        (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $misfit (param i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\10\00\00\00\06\00\00\00")
    (data (i32.const 16) "hello\n")
    (func (export "_start")
        (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100)))
        (call $proc_exit (i32.load (i32.const 100)))
        unreachable)
    (func (export "raise") (drop (call $proc_raise (i32.const 6))) unreachable)
    (func (export "time") (result i32)
        (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 200)))
    (func (export "bad") (result i32)
        (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 65530)))
    (func (export "open") (result i32)
        (call $path_open (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 5)
            (i32.const 0) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 300)))
    (func (export "misfit") (result i32) (call $misfit (i32.const 0))))"#;

fn guest(args: &WasiArgs) -> Guest {
    let registry = Registry::new(&[wasi::WASI]);
    let ctx = WasiCtx::new(args).expect("WASI state");
    let state: Box<dyn Any + Send + Sync> = Box::new(ctx);
    Guest::new(PROGRAM, &registry, Some(state))
}

#[test]
fn a_program_writes_and_exits() {
    let (inside, mut outside) = UnixStream::pair().expect("sockets");
    let args = WasiArgs { stdout: inside.as_raw_fd(), ..WasiArgs::default() };
    let guest = guest(&args);
    assert_eq!(guest.call("_start", &mut []), Err(Trap::ProcExit));
    assert_eq!(guest.take_exception(), "Exception: wasi proc exit");
    assert_eq!(guest.instance().exit_code(), 6);
    let ctx = WasiCtx::of(guest.instance()).expect("WASI state");
    assert_eq!(ctx.exit_code(), 6);
    let mut text = [0; 6];
    outside.read_exact(&mut text).expect("output");
    assert_eq!(&text, b"hello\n");
}

#[test]
fn errors_come_back_and_traps_do_not() {
    let guest = guest(&WasiArgs::default());
    let mut cells = [9];
    assert_eq!((guest.call("time", &mut cells), cells), (Ok(()), [0]));
    assert!(guest.read(200, 8).iter().any(|&b| b != 0));
    assert_eq!((guest.call("open", &mut cells), cells), (Ok(()), [8]));
    assert_eq!(guest.call("bad", &mut cells), Err(Trap::MemoryOutOfBounds));
    assert_eq!(guest.take_exception(), "Exception: out of bounds memory access");
    assert_eq!(guest.call("raise", &mut []), Err(Trap::Host));
    assert_eq!(guest.take_exception(), "Exception: wasi proc raise 6");
}

#[test]
fn an_import_of_another_type_is_unbound() {
    let guest = guest(&WasiArgs::default());
    assert!(guest.is_bound(0) && !guest.is_bound(5));
    assert_eq!(guest.call("misfit", &mut [0]), Err(Trap::UnlinkedImport));
}

#[test]
fn without_wasi_state_functions_fail() {
    let registry = Registry::new(&[wasi::WASI]);
    for state in [None, Some(Box::new(5_u8) as Box<dyn Any + Send + Sync>)] {
        let guest = Guest::new(PROGRAM, &registry, state);
        let mut cells = [0];
        assert_eq!((guest.call("time", &mut cells), cells), (Ok(()), [0xffff]));
    }
}
