//! The imports of Emscripten's programs, called as by those: every function, with valid addresses
//! and with addresses outside the guest.

#![cfg(feature = "libc-emcc")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may end in a panic")]

mod control;
mod files;
mod streams;
mod system;

use isothread::{Context, ExecEnv, Instance, InstanceArgs, Module, Trap, Val, WasiArgs, WasiCtx};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// Imports all there is, and exports it again under the same names.
const IMPORTS: &[(&str, &str)] = &[
    ("invoke_viiii", "(param i32 i32 i32 i32 i32)"),
    ("invoke_viii", "(param i32 i32 i32 i32)"),
    ("invoke_vii", "(param i32 i32 i32)"),
    ("invoke_vi", "(param i32 i32)"),
    ("invoke_iii", "(param i32 i32 i32) (result i32)"),
    ("invoke_ii", "(param i32 i32) (result i32)"),
    ("open", "(param i32 i32 i32) (result i32)"),
    ("__sys_read", "(param i32 i32 i32) (result i32)"),
    ("__sys_stat64", "(param i32 i32) (result i32)"),
    ("__sys_fstat64", "(param i32 i32) (result i32)"),
    ("mmap", "(param i32 i32 i32 i32 i32 i64) (result i32)"),
    ("munmap", "(param i32 i32) (result i32)"),
    ("__munmap", "(param i32 i32) (result i32)"),
    ("getentropy", "(param i32 i32) (result i32)"),
    ("setjmp", "(param i32) (result i32)"),
    ("longjmp", "(param i32 i32)"),
    ("fopen", "(param i32 i32) (result i32)"),
    ("fread", "(param i32 i32 i32 i32) (result i32)"),
    ("fseeko", "(param i32 i64 i32) (result i32)"),
    ("emcc_fwrite", "(param i32 i32 i32 i32) (result i32)"),
    ("feof", "(param i32) (result i32)"),
    ("fclose", "(param i32) (result i32)"),
    ("__sys_mkdir", "(param i32 i32) (result i32)"),
    ("__sys_rmdir", "(param i32) (result i32)"),
    ("__sys_unlink", "(param i32) (result i32)"),
    ("__sys_getcwd", "(param i32 i32) (result i32)"),
    ("__sys_uname", "(param i32) (result i32)"),
    ("emscripten_notify_memory_growth", "(param i32)"),
    ("emscripten_sleep", "(param i32)"),
    ("emscripten_thread_sleep", "(param f64)"),
];

/// One function of each kind that `invoke_*` calls; `back` calls `invoke_ii` from within one.
const OWN: &str = r#"
    (memory (export "memory") 1)
    (global $seen (export "seen") (mut i32) (i32.const 0))
    (table 12 funcref)
    (elem (i32.const 1) $vi $vii $viii $viiii $ii $iii $trap $exit $back $l)
    (func $vi (param i32) (global.set $seen (local.get 0)))
    (func $vii (param i32 i32) (global.set $seen (i32.sub (local.get 0) (local.get 1))))
    (func $viii (param i32 i32 i32)
        (global.set $seen
            (i32.sub (i32.sub (local.get 0) (local.get 1)) (local.get 2))))
    (func $viiii (param i32 i32 i32 i32)
        (global.set $seen (i32.sub
            (i32.sub (i32.sub (local.get 0) (local.get 1)) (local.get 2)) (local.get 3))))
    (func $ii (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func $iii (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1)))
    (func $trap (param i32) (unreachable))
    (func $exit (param i32) (call $proc_exit (local.get 0)))
    (func $back (param i32) (result i32)
        (if (result i32) (local.get 0)
            (then (call $invoke_ii (i32.const 9) (i32.sub (local.get 0) (i32.const 1))))
            (else (i32.const 77))))
    (func $l (param i64)))"#;

/// Numbers of `OWN`'s functions in the table.
const VI: i32 = 1;
const VII: i32 = 2;
const VIII: i32 = 3;
const VIIII: i32 = 4;
const II: i32 = 5;
const III: i32 = 6;
const TRAP: i32 = 7;
const EXIT: i32 = 8;
const BACK: i32 = 9;
const LONG: i32 = 10;

/// Where paths go.
const PATH: i32 = 1024;
/// The address of data that is read.
const BUFFER: i32 = 8192;

fn wat() -> String {
    let mut text = String::from(
        r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
           (import "wasi_snapshot_preview1" "fd_close"
                (func $fd_close (param i32) (result i32)))
           (import "wasi_snapshot_preview1" "fd_write"
                (func $fd_write (param i32 i32 i32 i32) (result i32)))"#,
    );
    for (name, ty) in IMPORTS {
        text += &format!("(import \"env\" \"{name}\" (func ${name} {ty}))");
    }
    for (name, _) in IMPORTS.iter().chain(&[("fd_close", ""), ("fd_write", "")]) {
        text += &format!("(export \"{name}\" (func ${name}))");
    }
    text + OWN
}

struct Guest {
    instance: Instance,
    env: ExecEnv,
}

impl Guest {
    fn new(wasi: &WasiArgs) -> Self {
        Self::on(&Context::new().unwrap(), wasi)
    }

    fn on(context: &Context, wasi: &WasiArgs) -> Self {
        let module = Module::new(context, &wat::parse_str(wat()).unwrap()).unwrap();
        assert!(module.imports().all(|import| import.linked));
        let args = InstanceArgs {
            heap_size: 0x8000,
            host_state: Some(Box::new(WasiCtx::new(wasi).unwrap())),
            ..InstanceArgs::default()
        };
        let instance = Instance::new(&module, args).unwrap();
        let env = ExecEnv::new(&instance, 0).unwrap();
        Self { instance, env }
    }

    /// The result, if the function has one; the trap's exception is cleared.
    fn try_call(&mut self, name: &str, args: &[Val]) -> Result<i32, (Trap, String)> {
        let func = self.instance.get_func(name).unwrap();
        let mut results = vec![Val::I32(0); func.ty().results().len()];
        let called = func.call(&mut self.env, args, &mut results);
        self.instance.clear_exception();
        match (called, results.first()) {
            (Ok(()), Some(&Val::I32(result))) => Ok(result),
            (Ok(()), _) => Ok(0),
            (Err(error), _) => Err((error.trap().unwrap(), error.to_string())),
        }
    }

    fn call(&mut self, name: &str, args: &[i32]) -> i32 {
        let args: Vec<Val> = args.iter().copied().map(Val::I32).collect();
        self.try_call(name, &args).unwrap()
    }

    fn fails(&mut self, name: &str, args: &[i32]) -> Trap {
        let args: Vec<Val> = args.iter().copied().map(Val::I32).collect();
        self.try_call(name, &args).unwrap_err().0
    }

    fn write(&self, address: i32, bytes: &[u8]) {
        self.instance.get_memory("memory").unwrap().write(address as u64, bytes).unwrap();
    }

    fn read(&self, address: i32, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.instance.get_memory("memory").unwrap().read(address as u64, &mut bytes).unwrap();
        bytes
    }

    fn read_u32(&self, address: i32) -> u32 {
        u32::from_le_bytes(self.read(address, 4).try_into().unwrap())
    }

    /// A C string at [`PATH`]; its address.
    fn path(&self, path: &str) -> i32 {
        self.write(PATH, path.as_bytes());
        self.write(PATH + path.len() as i32, &[0]);
        PATH
    }

    /// Opens a stream; 0 if that fails.
    fn fopen(&mut self, path: &str, mode: &str) -> i32 {
        self.write(PATH - 8, mode.as_bytes());
        self.write(PATH - 8 + mode.len() as i32, &[0]);
        let path = self.path(path);
        self.call("fopen", &[path, PATH - 8])
    }

    fn open(&mut self, path: &str, flags: i32) -> i32 {
        let path = self.path(path);
        self.call("open", &[path, flags, 0])
    }
}

/// A folder for one test, with a `jail` that guests get as `/data`.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        /// Owner: the process; numbers the folders of this test run.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("isothread-emcc-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(folder.join("jail")).unwrap();
        std::fs::write(folder.join("secret"), "secret").unwrap();
        Self(folder)
    }

    fn inside(&self, name: &str) -> PathBuf {
        self.0.join("jail").join(name)
    }

    fn wasi(&self) -> WasiArgs {
        let map = format!("/data::{}", self.0.join("jail").display());
        WasiArgs { map_dirs: vec![map.into_bytes()], ..WasiArgs::default() }
    }

    fn guest(&self) -> Guest {
        Guest::new(&self.wasi())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Each function with an address behind the memory's end, in each place where it takes one, and
/// with one whose last byte is the first outside.
#[test]
fn addresses_that_are_not_the_guests_trap() {
    let folder = Folder::new();
    std::fs::write(folder.inside("a"), "text").unwrap();
    let mut guest = folder.guest();
    let end = guest.instance.get_memory("memory").unwrap().len_bytes() as i32;
    let file = guest.fopen("/data/a", "r+");
    let fd = guest.open("/data/a", 0);
    let path = guest.path("/data/a");
    guest.write(end - 1, b"x");
    for (name, args) in [
        ("open", &[end, 0, 0][..]),
        ("open", &[end - 1, 0, 0]),
        ("open", &[-1, 0, 0]),
        ("__sys_read", &[fd, end, 1]),
        ("__sys_read", &[fd, end - 3, 4]),
        ("__sys_read", &[fd, 16, -1]),
        ("__sys_stat64", &[end - 1, 0]),
        ("__sys_stat64", &[path, end - 87]),
        ("__sys_fstat64", &[fd, end - 87]),
        ("__sys_fstat64", &[-1, -1]),
        ("getentropy", &[end - 3, 4]),
        ("getentropy", &[0, -1]),
        ("setjmp", &[end]),
        ("longjmp", &[end, 1]),
        ("fopen", &[end - 1, path]),
        ("fopen", &[path, end - 1]),
        ("fread", &[end - 3, 1, 4, file]),
        ("fread", &[end - 3, 4, 1, file]),
        ("fread", &[0, -1, -1, file]),
        ("fread", &[end, 1, 1, 0]),
        ("emcc_fwrite", &[end - 3, 1, 4, file]),
        ("emcc_fwrite", &[0, 0x1_0000, 0x1_0000, file]),
        ("__sys_mkdir", &[end - 1, 0]),
        ("__sys_rmdir", &[end - 1]),
        ("__sys_unlink", &[end - 1]),
        ("__sys_getcwd", &[end, 2]),
        ("__sys_getcwd", &[end - 1, 2]),
        ("__sys_uname", &[end - 389]),
        ("__sys_uname", &[-1]),
    ] {
        assert_eq!(guest.fails(name, args), Trap::MemoryOutOfBounds, "{name} {args:?}");
    }
    let map = [end, 4, 0, 0, fd].map(Val::I32);
    let map = [&map[..], &[Val::I64(0)]].concat();
    assert_eq!(guest.try_call("mmap", &map).unwrap_err().0, Trap::MemoryOutOfBounds);
    assert_eq!(std::fs::read(folder.inside("a")).unwrap(), b"text");
}

#[test]
fn without_directories_nothing_opens() {
    let mut guest = Guest::new(&WasiArgs::default());
    for path in ["/etc/passwd", "etc/passwd", "/", ".", "..", "", "/proc/self/exe"] {
        assert_eq!(guest.open(path, 0), -1, "{path}");
        assert_eq!(guest.fopen(path, "r"), 0, "{path}");
        let path = guest.path(path);
        for name in ["__sys_stat64", "__sys_mkdir"] {
            assert_eq!(guest.call(name, &[path, BUFFER]), -1);
        }
        for name in ["__sys_rmdir", "__sys_unlink"] {
            assert_eq!(guest.call(name, &[path]), -1);
        }
    }
}

#[test]
fn an_instance_without_wasis_state_has_no_files() {
    let context = Context::new().unwrap();
    let text = r#"(module
        (import "env" "open" (func $o (param i32 i32 i32) (result i32)))
        (import "env" "fopen" (func $p (param i32 i32) (result i32)))
        (import "env" "feof" (func $e (param i32) (result i32)))
        (import "env" "fclose" (func $c (param i32) (result i32)))
        (import "env" "__sys_read" (func $r (param i32 i32 i32) (result i32)))
        (export "open" (func $o)) (export "fopen" (func $p)) (export "feof" (func $e))
        (export "fclose" (func $c)) (export "read" (func $r))
        (memory (export "memory") 1) (data (i32.const 16) "/\00r\00"))"#;
    let module = Module::new(&context, &wat::parse_str(text).unwrap()).unwrap();
    let instance = Instance::new(&module, InstanceArgs::default()).unwrap();
    let env = ExecEnv::new(&instance, 0).unwrap();
    let mut guest = Guest { instance, env };
    assert_eq!(guest.call("open", &[16, 0, 0]), -1);
    assert_eq!(guest.call("fopen", &[16, 18]), 0);
    assert_eq!(guest.call("feof", &[1]), 1);
    assert_eq!(guest.call("fclose", &[1]), -1);
    assert_eq!(guest.call("read", &[0, 16, 1]), -1);
}
