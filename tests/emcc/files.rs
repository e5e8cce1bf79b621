//! Files by path and by number.

use super::{BUFFER, Folder, Guest, PATH};
use isothread::{Trap, Val};
use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::time::Duration;

const WRITE: i32 = 1;
const READ_WRITE: i32 = 2;
const CREATE: i32 = 0o100;
const EXCLUSIVE: i32 = 0o200;
const TRUNCATE: i32 = 0o1000;
const APPEND: i32 = 0o2000;
const DIRECTORY: i32 = 0o20_0000;
const NO_FOLLOW: i32 = 0o40_0000;

/// Where WASI's iovecs go.
const IOVEC: i32 = 64;

/// Writes with WASI's function: its error number.
fn fd_write(guest: &mut Guest, fd: i32, text: &str) -> i32 {
    guest.write(BUFFER, text.as_bytes());
    guest.write(IOVEC, &(BUFFER as u32).to_le_bytes());
    guest.write(IOVEC + 4, &(text.len() as u32).to_le_bytes());
    guest.call("fd_write", &[fd, IOVEC, 1, IOVEC + 8])
}

#[test]
fn what_is_opened_is_read_and_closed_by_its_number() {
    let folder = Folder::new();
    fs::write(folder.inside("a"), "0123456789").unwrap();
    let mut guest = folder.guest();
    let fd = guest.open("/data/a", 0);
    assert_eq!(fd, 4);
    assert_eq!(guest.call("__sys_read", &[fd, BUFFER, 4]), 4);
    assert_eq!(guest.call("__sys_read", &[fd, BUFFER + 4, 100]), 6);
    assert_eq!(guest.read(BUFFER, 11), b"0123456789\0");
    assert_eq!(guest.call("__sys_read", &[fd, BUFFER, 4]), 0);
    assert_eq!(fd_write(&mut guest, fd, "no"), 76, "it was opened to be read");
    assert_eq!(guest.call("fd_close", &[fd]), 0);
    assert_eq!(guest.call("__sys_read", &[fd, BUFFER, 4]), -1);
    for other in [-1, 99, 3] {
        assert_eq!(guest.call("__sys_read", &[other, BUFFER, 4]), -1, "{other}");
    }
}

#[test]
fn flags_are_those_of_c() {
    let folder = Folder::new();
    let text = || fs::read_to_string(folder.inside("a")).unwrap();
    let mut guest = folder.guest();
    assert_eq!(guest.open("/data/a", WRITE), -1);
    let fd = guest.open("/data/a", WRITE | CREATE | EXCLUSIVE);
    assert_eq!(fd_write(&mut guest, fd, "one"), 0);
    assert_eq!(guest.call("__sys_read", &[fd, BUFFER, 1]), -1, "it was opened to be written");
    assert_eq!(guest.open("/data/a", WRITE | CREATE | EXCLUSIVE), -1);
    let fd = guest.open("/data/a", WRITE | APPEND);
    assert_eq!(fd_write(&mut guest, fd, "two"), 0);
    assert_eq!(text(), "onetwo");
    let fd = guest.open("/data/a", READ_WRITE | CREATE);
    assert_eq!(guest.call("__sys_read", &[fd, BUFFER, 3]), 3);
    assert_eq!(fd_write(&mut guest, fd, "six"), 0);
    assert_eq!(text(), "onesix");
    assert!(guest.open("/data/a", WRITE | TRUNCATE) > 0);
    assert_eq!(text(), "");
    assert_eq!(guest.open("/data/a", DIRECTORY), -1);
    assert!(guest.open("/data", DIRECTORY) > 0);
    symlink("a", folder.inside("link")).unwrap();
    assert!(guest.open("/data/link", 0) > 0);
    assert_eq!(guest.open("/data/link", NO_FOLLOW), -1);
}

#[test]
fn paths_lead_into_the_directories_and_nowhere_else() {
    let folder = Folder::new();
    fs::create_dir(folder.inside("inside")).unwrap();
    fs::write(folder.inside("inside/a"), "a").unwrap();
    symlink(folder.0.join("secret"), folder.inside("absolute")).unwrap();
    symlink("../secret", folder.inside("relative")).unwrap();
    let mut guest = folder.guest();
    for path in
        ["/data/inside/a", "data/inside/a", "./data//inside/./a", "/data/inside/../inside/a"]
    {
        assert!(guest.open(path, 0) > 0, "{path}");
    }
    let long = "a".repeat(5000);
    for path in [
        "/data/../secret",
        "data/inside/../../secret",
        "/data/absolute",
        "/data/relative",
        "/database",
        "/secret",
        "/etc/passwd",
        "",
        &long,
    ] {
        assert_eq!(guest.open(path, 0), -1, "{path}");
        assert_eq!(guest.fopen(path, "r"), 0, "{path}");
        let path = guest.path(path);
        assert_eq!(guest.call("__sys_stat64", &[path, BUFFER]), -1);
    }
    for path in ["/data/../made", "/made"] {
        let path = guest.path(path);
        assert_eq!(guest.call("__sys_mkdir", &[path, 0o777]), -1);
    }
    let path = guest.path("/data/../secret");
    assert_eq!(guest.call("__sys_unlink", &[path]), -1);
    assert_eq!(fs::read_to_string(folder.0.join("secret")).unwrap(), "secret");
    assert!(!folder.0.join("made").exists());
}

#[test]
fn the_closest_directory_is_taken() {
    let (outer, inner) = (Folder::new(), Folder::new());
    fs::create_dir(outer.inside("sub")).unwrap();
    fs::write(outer.inside("sub/a"), "outer").unwrap();
    fs::write(inner.inside("a"), "inner").unwrap();
    let mut wasi = outer.wasi();
    wasi.map_dirs.push(format!("/data/sub::{}", inner.inside("").display()).into_bytes());
    let mut guest = Guest::new(&wasi);
    let fd = guest.open("/data/sub/a", 0);
    assert_eq!(guest.call("__sys_read", &[fd, BUFFER, 9]), 5);
    assert_eq!(guest.read(BUFFER, 5), b"inner");
}

#[test]
fn directories_are_made_and_removed() {
    let folder = Folder::new();
    let mut guest = folder.guest();
    let path = guest.path("/data/new");
    assert_eq!(guest.call("__sys_mkdir", &[path, 0o755]), 0);
    assert_eq!(guest.call("__sys_mkdir", &[path, 0o755]), -1);
    assert!(folder.inside("new").is_dir());
    assert_eq!(guest.call("__sys_unlink", &[path]), -1);
    assert_eq!(guest.call("__sys_rmdir", &[path]), 0);
    assert_eq!(guest.call("__sys_rmdir", &[path]), -1);
    fs::write(folder.inside("a"), "").unwrap();
    let path = guest.path("/data/a");
    assert_eq!(guest.call("__sys_rmdir", &[path]), -1);
    assert_eq!(guest.call("__sys_unlink", &[path]), 0);
    assert!(!folder.inside("a").exists());
}

#[test]
fn files_are_described_as_emscripten_lays_it_out() {
    let folder = Folder::new();
    fs::write(folder.inside("a"), "0123456789").unwrap();
    let mut guest = folder.guest();
    let fd = guest.open("/data/a", 0);
    let path = guest.path("/data/a");
    assert_eq!(guest.call("__sys_stat64", &[path, BUFFER]), 0);
    let by_path = guest.read(BUFFER, 88);
    guest.write(BUFFER, &[0xff; 89]);
    assert_eq!(guest.call("__sys_fstat64", &[fd, BUFFER]), 0);
    assert_eq!(guest.read(BUFFER, 88), by_path);
    assert_eq!(guest.read(BUFFER + 88, 1), [0xff]);
    assert_eq!(guest.read_u32(BUFFER + 12), 0o10_0666);
    assert_eq!(guest.read_u32(BUFFER + 16), 1, "links");
    assert_eq!((guest.read_u32(BUFFER + 20), guest.read_u32(BUFFER + 24)), (0, 0), "owner");
    assert_eq!(guest.read(BUFFER + 40, 8), 10_u64.to_le_bytes());
    assert_eq!(guest.read_u32(BUFFER + 52), 1, "blocks");
    let modified = fs::metadata(folder.inside("a")).unwrap().modified().unwrap();
    let modified = modified.duration_since(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(u64::from(guest.read_u32(BUFFER + 64)), modified.as_secs());
    assert_eq!(guest.read_u32(BUFFER + 68), modified.subsec_nanos());
    let path = guest.path("/data");
    assert_eq!(guest.call("__sys_stat64", &[path, BUFFER]), 0);
    assert_eq!(guest.read_u32(BUFFER + 12), 0o04_0777);
    for fd in [0, -1, 77] {
        assert_eq!(guest.call("__sys_fstat64", &[fd, BUFFER]), -1, "{fd}");
    }
}

#[test]
fn a_mapping_is_a_copy() {
    let folder = Folder::new();
    fs::write(folder.inside("a"), "0123456789").unwrap();
    let mut guest = folder.guest();
    let fd = guest.open("/data/a", 0);
    let map = |guest: &mut Guest, len: i32, fd: i32, offset: i64| {
        let args = [0, len, 1, 2, fd].map(Val::I32);
        guest.try_call("mmap", &[&args[..], &[Val::I64(offset)]].concat()).unwrap()
    };
    let address = map(&mut guest, 16, fd, 3);
    assert!(address > 0);
    assert_eq!(guest.read(address, 16), b"3456789\0\0\0\0\0\0\0\0\0");
    assert_eq!(guest.call("__sys_read", &[fd, BUFFER, 1]), 1);
    assert_eq!(guest.read(BUFFER, 1), b"0", "the position has not moved");
    assert_eq!(guest.call("munmap", &[address, 16]), 0);
    for (len, fd, offset) in [
        (0, fd, 0),
        (-1, fd, 0),
        (i32::MAX, fd, 0),
        (16, 0, 0),
        (16, -1, 0),
        (16, 99, 0),
        (16, fd, -1),
    ] {
        assert_eq!(map(&mut guest, len, fd, offset), -1, "{len} {fd} {offset}");
    }
    // All of it was given back: there is room for one of nearly the whole heap, again and again.
    for _ in 0..3 {
        let address = map(&mut guest, 0x7000, fd, 0);
        assert!(address > 0);
        assert_eq!(guest.call("__munmap", &[address, 0x7000]), 0);
    }
    // Addresses that were never mapped are ignored.
    assert_eq!(guest.call("munmap", &[-5, 16]), 0);
    assert_eq!(guest.call("munmap", &[0, 16]), 0);
}

#[test]
fn opening_a_pipe_without_another_end_can_be_stopped() {
    let folder = Folder::new();
    let pipe = CString::new(folder.inside("pipe").as_os_str().as_bytes()).unwrap();
    // SAFETY: a C string.
    assert_eq!(unsafe { libc::mkfifo(pipe.as_ptr(), 0o600) }, 0);
    let mut guest = folder.guest();
    guest.path("/data/pipe");
    let terminator = guest.instance.terminator();
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        terminator.terminate();
    });
    assert_eq!(guest.fails("open", &[PATH, 0, 0]), Trap::Terminated);
    stopper.join().unwrap();
}
