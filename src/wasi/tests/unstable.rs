//! The differences of `wasi_unstable`, as its programs call it.

use crate::native::Registry;
use crate::native::tests::guest::Guest;
use crate::wasi::{self, WasiArgs, WasiCtx};
use std::any::Any;
use std::fs::{self, File};
use std::os::fd::AsRawFd;

/// The same functions under both names, on standard input; `wait` is for a clock, which the older
/// layout has eight bytes further on.
const PROGRAM: &str = r#"(module
    (import "wasi_unstable" "fd_seek"
        (func $old_seek (param i32 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_seek"
        (func $new_seek (param i32 i64 i32 i32) (result i32)))
    (import "wasi_unstable" "fd_tell" (func $tell (param i32 i32) (result i32)))
    (import "wasi_unstable" "fd_filestat_get" (func $stat (param i32 i32) (result i32)))
    (import "wasi_unstable" "path_filestat_get"
        (func $path_stat (param i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_unstable" "poll_oneoff"
        (func $poll (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 16) "a")
    (func (export "old_seek") (param i32 i32) (result i32)
        (call $old_seek (i32.const 0) (i64.extend_i32_s (local.get 0)) (local.get 1)
            (i32.const 64)))
    (func (export "new_seek") (param i32 i32) (result i32)
        (call $new_seek (i32.const 0) (i64.extend_i32_s (local.get 0)) (local.get 1)
            (i32.const 64)))
    (func (export "tell") (result i32) (call $tell (i32.const 0) (i32.const 64)))
    (func (export "stat") (param i32) (result i32) (call $stat (i32.const 0) (local.get 0)))
    (func (export "path_stat") (param i32) (result i32)
        (call $path_stat (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 1)
            (local.get 0)))
    (func (export "wait") (param $at i32) (result i32)
        (i64.store (local.get $at) (i64.const 7))
        (i32.store (i32.add (local.get $at) (i32.const 24)) (i32.const 1))
        (i64.store (i32.add (local.get $at) (i32.const 32)) (i64.const 1000))
        (call $poll (local.get $at) (i32.const 256) (i32.const 1) (i32.const 64))))"#;

/// A guest whose standard input is a file of ten bytes, in a folder that it has too.
fn with_file(test: &str, act: impl FnOnce(&Guest)) {
    let name = format!("isothread-unstable-{test}-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("a"), "0123456789").expect("a file");
    let file = File::open(folder.join("a")).expect("a file");
    let args = WasiArgs {
        stdin: file.as_raw_fd(),
        map_dirs: vec![format!("/::{}", folder.display()).into_bytes()],
        ..WasiArgs::default()
    };
    let registry = Registry::new(&[wasi::WASI]);
    let state: Box<dyn Any + Send + Sync> = Box::new(WasiCtx::new(&args).expect("WASI state"));
    act(&Guest::new(PROGRAM, &registry, Some(state)));
    let _ = fs::remove_dir_all(folder);
}

fn call(guest: &Guest, name: &str, args: [u32; 2]) -> u32 {
    let mut cells = args;
    assert_eq!(guest.call(name, &mut cells), Ok(()));
    cells[0]
}

#[test]
fn seeking_counts_from_other_places() {
    with_file("seek", |guest| {
        let position = || guest.read(64, 8)[0];
        for (name, offset, whence, expected) in [
            ("old_seek", 4, 2, 4),
            ("old_seek", 2, 0, 6),
            ("old_seek", -1_i32 as u32, 1, 9),
            ("new_seek", 4, 0, 4),
            ("new_seek", 2, 1, 6),
            ("new_seek", -1_i32 as u32, 2, 9),
        ] {
            assert_eq!(call(guest, name, [offset, whence]), 0, "{name} {whence}");
            assert_eq!(position(), expected, "{name} {whence}");
        }
        assert_eq!(call(guest, "old_seek", [0, 3]), 28);
        assert_eq!(call(guest, "tell", [0, 0]), 0);
        assert_eq!(position(), 9);
    });
}

#[test]
fn files_are_described_in_fewer_bytes() {
    with_file("stat", |guest| {
        for name in ["stat", "path_stat"] {
            // All of it lies in the last bytes of the memory, where preview 1's would not fit.
            let at = 0x1_0000 - 56;
            assert_eq!(call(guest, name, [at, 0]), 0);
            let bytes = guest.read(at as usize, 56);
            assert_eq!((bytes[16], &bytes[20..24]), (4, &[1, 0, 0, 0][..]), "{name}");
            assert_eq!(bytes[24..32], 10_u64.to_le_bytes(), "{name}");
            let mut cells = [at + 1];
            assert!(guest.call(name, &mut cells).is_err());
            guest.take_exception();
        }
    });
}

#[test]
fn clocks_are_waited_for() {
    with_file("poll", |guest| {
        // Read as preview 1's, it would be another clock, or none.
        assert_eq!(call(guest, "wait", [0x1_0000 - 56, 0]), 0);
        assert_eq!(guest.read(64, 4), [1, 0, 0, 0]);
        assert_eq!((guest.read(256, 1)[0], guest.read(264, 3)), (7, vec![0, 0, 0]));
        let mut cells = [0x1_0000 - 55];
        assert!(guest.call("wait", &mut cells).is_err());
    });
}
