//! Attempts by way of descriptors: directories that are moved while they are open, numbers that are
//! exchanged, rights that were given away, and links that only the system understands.

use super::{CREATE, DIRECTORY, FOLLOW, FROM, Folders, OPENED, READ, ROOT, WRITE};
use crate::wasi::call::Stop;
use crate::wasi::errno::Errno;
use crate::wasi::tests::{Guest, fails};
use crate::wasi::{WasiArgs, path, stdio};
use std::fs;

const PATH_OPEN: u64 = 1 << 13;
const CREATE_FILE: u64 = 1 << 10;

impl Guest {
    /// Opens a directory to find more in it.
    fn directory(&mut self, name: &[u8]) -> u32 {
        let len = self.place(FROM, name);
        let rights = READ | PATH_OPEN | CREATE_FILE;
        let below = rights | WRITE | 1 << 2;
        let opened = self.call(|c| {
            path::path_open(c, ROOT, FOLLOW, FROM, len, DIRECTORY, rights, below, 0, OPENED)
        });
        assert_eq!(opened, Ok(()));
        self.read_u32(OPENED)
    }

    fn content(&mut self, fd: u32) -> Vec<u8> {
        self.iovecs(32, &[(512, 64)]);
        assert_eq!(self.call(|c| stdio::fd_read(c, fd, 32, 1, 48)), Ok(()));
        let len = self.read_u32(48) as usize;
        self.read(512, len).to_vec()
    }
}

#[test]
fn a_directory_that_is_moved_has_no_parent() {
    let folders = Folders::new();
    let before = folders.beside();
    let mut guest = folders.guest();
    let deep = guest.directory(b"inside/deep");
    // By the guest itself, to a place whose parent is the jail, and by another process to the
    // outside.
    let outside = folders.0.join("outside/moved");
    for moved in [false, true] {
        for name in [&b".."[..], b"../own", b"../../secret", b"../victim", b"../../jail/own"] {
            assert_eq!(guest.open_at(deep, name, 0, READ), fails(Errno::NotCapable));
            let made = guest.open_at(deep, name, CREATE, READ | WRITE);
            assert!(matches!(made, Err(Stop::Errno(_))), "{made:?}");
        }
        if !moved {
            assert_eq!(guest.rename(b"inside/deep", b"deep"), Ok(()));
            assert!(fs::rename(folders.jail().join("deep"), &outside).is_ok());
        }
    }
    // The directory itself stays accessible.
    assert_eq!(guest.open_at(deep, b"new", CREATE, READ | WRITE), Ok(()));
    assert!(outside.join("new").exists());
    assert!(fs::remove_dir_all(&outside).is_ok());
    let names = |seen: Vec<String>| -> Vec<String> {
        seen.iter().filter(|line| !line.contains("/outside ")).cloned().collect()
    };
    // The folder that it was moved to has another time now.
    assert_eq!(names(folders.beside()), names(before));
}

#[test]
fn exchanged_numbers_do_not_lead_out() {
    let folders = Folders::new();
    let before = folders.beside();
    let mut guest = folders.guest();
    // A file in the preopened directory's place is no directory, and preopened no more.
    assert_eq!(guest.open_path(b"own", 0, READ), Ok(()));
    let file = guest.read_u32(OPENED);
    let inside = guest.directory(b"inside");
    assert_eq!(guest.call(|c| stdio::fd_renumber(c, file, ROOT)), Ok(()));
    for name in [&b"own"[..], b"../secret", b"/etc/passwd"] {
        let opened = guest.open_path(name, 0, READ);
        assert!(matches!(opened, Err(Stop::Errno(_))), "{opened:?}");
    }
    assert_eq!(guest.call(|c| path::fd_prestat_get(c, ROOT, 256)), fails(Errno::BadFd));
    assert_eq!(guest.content(ROOT), b"own");
    // A directory in its place leads to where it is, and not above: not even to the jail.
    assert_eq!(guest.call(|c| stdio::fd_renumber(c, inside, ROOT)), Ok(()));
    assert_eq!(guest.open_path(b"victim", 0, READ), Ok(()));
    let victim = guest.read_u32(OPENED);
    assert_eq!(guest.content(victim), b"mine");
    for name in [&b"../own"[..], b"../../secret", b".."] {
        assert_eq!(guest.open_path(name, 0, READ), fails(Errno::NotCapable));
    }
    // As a standard stream it leads no further.
    assert_eq!(guest.call(|c| stdio::fd_renumber(c, ROOT, 1)), Ok(()));
    assert_eq!(guest.open_at(1, b"victim", 0, READ), Ok(()));
    assert_eq!(guest.open_at(1, b"../../secret", 0, READ), fails(Errno::NotCapable));
    for fd in [inside, u32::MAX, 1 << 31] {
        assert_eq!(guest.open_at(fd, b"victim", 0, READ), fails(Errno::BadFd));
    }
    assert_eq!(folders.beside(), before);
}

#[test]
fn rights_do_not_come_back() {
    let folders = Folders::new();
    let mut guest = folders.guest();
    let set = |guest: &mut Guest, fd, rights, inheriting| {
        guest.call(|c| stdio::fd_fdstat_set_rights(c, fd, rights, inheriting))
    };
    // A file that was opened for reading.
    assert_eq!(guest.open_path(b"own", 0, READ), Ok(()));
    let file = guest.read_u32(OPENED);
    for more in [READ | WRITE, u64::MAX, READ | 1 << 8, READ | 1 << 22] {
        assert_eq!(set(&mut guest, file, more, 0), fails(Errno::NotCapable));
        assert_eq!(set(&mut guest, file, READ, more), fails(Errno::NotCapable));
    }
    let write = guest.call(|c| stdio::fd_write(c, file, 0, 0, 48));
    assert_eq!(write, fails(Errno::NotCapable));
    // A directory that gave up making files, for itself and for directories opened below it.
    let (rights, below) = (1 << 21 | PATH_OPEN, READ | PATH_OPEN);
    assert_eq!(set(&mut guest, ROOT, rights, below), Ok(()));
    for (own, inheriting) in [(rights | CREATE_FILE, below), (rights, below | WRITE)] {
        assert_eq!(set(&mut guest, ROOT, own, inheriting), fails(Errno::NotCapable));
    }
    assert_eq!(guest.open_path(b"new", CREATE, READ), fails(Errno::NotCapable));
    assert_eq!(guest.open_path(b"own", 0, READ | WRITE), fails(Errno::NotCapable));
    assert_eq!(guest.unlink(b"own"), fails(Errno::NotCapable));
    assert_eq!(guest.create_dir(b"new"), fails(Errno::NotCapable));
    assert_eq!(guest.open_path(b"inside", DIRECTORY, rights), Ok(()));
    let inside = guest.read_u32(OPENED);
    assert_eq!(guest.open_at(inside, b"new", CREATE, READ), fails(Errno::NotCapable));
    assert_eq!(guest.open_at(inside, b"victim", 0, READ | WRITE), fails(Errno::NotCapable));
    assert_eq!(set(&mut guest, inside, u64::MAX, u64::MAX), fails(Errno::NotCapable));
    // Without the right to open, there is nothing below it any more.
    assert_eq!(set(&mut guest, ROOT, 0, 0), Ok(()));
    assert_eq!(guest.open_path(b"own", 0, READ), fails(Errno::NotCapable));
    assert_eq!(guest.open_path(b"own", 0, 0), fails(Errno::NotCapable));
    assert!(!folders.jail().join("new").exists());
}

/// Links that lead anywhere at the system's word, in a directory that is full of them.
#[test]
fn links_of_the_system_are_not_followed() {
    let args = WasiArgs { map_dirs: vec![b"/::/proc/self".to_vec()], ..WasiArgs::default() };
    let mut guest = Guest::new(&args);
    assert_eq!(guest.open_path(b"status", 0, READ), Ok(()));
    for name in [
        &b"root"[..],
        b"root/",
        b"root/etc/passwd",
        b"cwd",
        b"cwd/Cargo.toml",
        b"cwd/..",
        b"exe",
        b"fd/0",
        b"fd/3",
        b"fd/3/../../../etc/passwd",
        b"task/../cwd/secret",
        b"ns/mnt",
    ] {
        for flags in [0, DIRECTORY, CREATE] {
            let opened = guest.open_path(name, flags, READ);
            assert!(matches!(opened, Err(Stop::Errno(_))), "{name:?}: {opened:?}");
        }
        let stat = guest.stat(name, FOLLOW);
        assert!(matches!(stat, Err(Stop::Errno(_))), "{name:?}: {stat:?}");
        let times = guest.set_times(name, FOLLOW);
        assert!(matches!(times, Err(Stop::Errno(_))), "{name:?}: {times:?}");
    }
    assert_eq!(guest.open_path(b"../1/status", 0, READ), fails(Errno::NotCapable));
}

/// A second name for a file of the outside would be as good as the file.
#[test]
fn hard_links_to_the_outside_are_not_made() {
    let folders = Folders::new();
    assert!(folders.links().is_ok());
    let before = folders.beside();
    let mut guest = folders.guest();
    for name in [&b"../secret"[..], b"up/secret", b"out/victim", b"/etc/passwd"] {
        for flags in [0, FOLLOW] {
            assert_eq!(guest.link(name, b"mine", flags), fails(Errno::NotCapable));
        }
    }
    // A second name for the link is one for the link, not for its target.
    assert_eq!(guest.link(b"relative", b"mine", 0), Ok(()));
    assert_eq!(guest.open_path(b"mine", 0, READ), fails(Errno::NotCapable));
    assert_eq!(folders.beside(), before);
}

/// A possible entry of an embedder's directory: a pipe that no other process opens.
#[test]
fn a_pipe_is_not_opened_by_looking_at_it() {
    let folders = Folders::new();
    let pipe = folders.jail().join("pipe");
    let mode = rustix::fs::Mode::from(0o600);
    let made = rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0);
    assert!(made.is_ok());
    let mut guest = folders.guest();
    assert_eq!(guest.stat(b"pipe", FOLLOW), Ok(()));
    assert_eq!(guest.set_times(b"pipe", FOLLOW), Ok(()));
    assert_eq!(guest.link(b"pipe", b"again", FOLLOW), Ok(()));
    let modified = fs::metadata(&pipe).and_then(|found| found.modified());
    let since = modified.map(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    assert_eq!(since.ok().flatten().map(|since| since.as_nanos()), Some(1));
}

/// Links at the end of a path, and directories, are followed to their targets.
#[test]
fn links_that_stay_inside_are_followed() {
    let folders = Folders::new();
    assert!(folders.links().is_ok());
    let jail = folders.jail();
    let times = |name: &str| {
        let found = fs::symlink_metadata(jail.join(name)).and_then(|found| found.modified());
        found.ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
    };
    let mut guest = folders.guest();
    assert!(std::os::unix::fs::symlink("../own", jail.join("inside/to_own")).is_ok());
    assert!(std::os::unix::fs::symlink("in/to_own", jail.join("to_own")).is_ok());
    assert_eq!(guest.set_times(b"to_own", FOLLOW), Ok(()));
    assert_eq!(times("own").map(|since| since.as_nanos()), Some(1));
    assert_ne!(times("to_own").map(|since| since.as_nanos()), Some(1));
    for name in [&b"in/deep"[..], b"inside/", b"inside/.", b"inside/deep/..", b"."] {
        assert_eq!(guest.set_times(name, FOLLOW), Ok(()), "{name:?}");
    }
    assert_eq!(times("inside/deep").map(|since| since.as_nanos()), Some(1));
    assert_eq!(guest.link(b"to_own", b"second", FOLLOW), Ok(()));
    assert!(fs::symlink_metadata(jail.join("second")).is_ok_and(|found| found.is_file()));
    assert_eq!(guest.link(b"to_own", b"third", 0), Ok(()));
    assert!(fs::symlink_metadata(jail.join("third")).is_ok_and(|found| found.is_symlink()));
}
