//! Another thread exchanges a directory, and a file, for links to the outside, again and again,
//! while the guest works below them: it reaches its own or fails. One test for each function.

use super::{CREATE, FOLLOW, Folders, OPENED, READ, TRUNCATE, WRITE};
use crate::wasi::call::{Outcome, Stop};
use crate::wasi::stdio;
use crate::wasi::tests::Guest;
use rustix::fs::{CWD, Mode, OFlags, RenameFlags};
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Rounds at least; more, until the guest has met both.
const ROUNDS: u32 = 1_000;
const PATIENCE: Duration = Duration::from_secs(60);

/// The guest's own directory, by its name at the moment.
struct Inside(OwnedFd);

impl Inside {
    /// Puts a file there that an attempt may use up.
    fn put(&self, name: &str) {
        let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
        assert!(rustix::fs::openat(&self.0, name, flags, Mode::from(0o600)).is_ok());
    }
}

/// `inside` is a directory or a link to `../outside`, `leaf` a file or a link to a file there.
fn exchange(jail: &Path, done: &AtomicBool) {
    let pairs = [("inside", "inside.other"), ("leaf", "leaf.other")];
    let pairs = pairs.map(|(a, b)| (jail.join(a), jail.join(b)));
    while !done.load(Ordering::Relaxed) {
        for (one, other) in &pairs {
            let exchanged = rustix::fs::renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE);
            assert!(exchanged.is_ok(), "{exchanged:?}");
            // A memory checker runs one thread at a time.
            std::thread::yield_now();
        }
    }
}

/// Lets the guest try again and again; a try says whether it got through.
fn race(mut attempt: impl FnMut(&mut Guest, &Inside, u32) -> Outcome) {
    let folders = Folders::new();
    let jail = folders.jail();
    assert!(symlink("../outside", jail.join("inside.other")).is_ok());
    assert!(fs::write(jail.join("leaf"), "mine").is_ok());
    assert!(symlink("../outside/victim", jail.join("leaf.other")).is_ok());
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let inside = rustix::fs::open(jail.join("inside"), flags, Mode::empty());
    let Ok(inside) = inside.map(Inside) else { panic!("no folder") };
    let before = folders.beside();
    let done = AtomicBool::new(false);
    let (mut through, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| exchange(&jail, &done));
        let mut guest = folders.guest();
        let started = Instant::now();
        let mut round = 0;
        while round < ROUNDS || through == 0 || refused == 0 {
            match attempt(&mut guest, &inside, round) {
                Ok(()) => through += 1,
                Err(Stop::Errno(_)) => refused += 1,
                Err(_) => break,
            }
            round += 1;
            if started.elapsed() > PATIENCE {
                break;
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(folders.beside(), before);
    assert!(through > 0 && refused > 0, "no race: {through} got through, {refused} did not");
}

#[test]
fn path_open() {
    race(|guest, _, round| {
        // In turn a file that is cut and written, one that is made, one that is read.
        let name = ["leaf", "inside/victim", "inside/new", "inside/victim"][round as usize % 4];
        let reads = round % 4 == 3;
        let (flags, rights) = if reads { (0, READ) } else { (CREATE | TRUNCATE, READ | WRITE) };
        guest.open_path(name.as_bytes(), flags, rights)?;
        let file = guest.read_u32(OPENED);
        guest.write(4096, b"mine");
        guest.iovecs(128, &[(4096, 4)]);
        if reads {
            guest.call(|c| stdio::fd_read(c, file, 128, 1, 160))?;
            let len = guest.read_u32(160) as usize;
            assert_eq!(guest.read(4096, len), &b"mine"[..len]);
        } else {
            guest.call(|c| stdio::fd_write(c, file, 128, 1, 160))?;
        }
        guest.call(|c| stdio::fd_close(c, file))
    });
}

#[test]
fn path_create_directory() {
    race(|guest, _, round| guest.create_dir(format!("inside/new{round}").as_bytes()));
}

#[test]
fn path_unlink_file() {
    race(|guest, inside, _| {
        inside.put("victim");
        guest.unlink(b"inside/victim")
    });
}

#[test]
fn path_rename() {
    race(|guest, inside, round| {
        if round % 2 == 0 {
            inside.put("victim");
            return guest.rename(b"inside/victim", b"taken");
        }
        guest.open_path(b"given", CREATE, READ | WRITE)?;
        let file = guest.read_u32(OPENED);
        guest.call(|c| stdio::fd_close(c, file))?;
        guest.rename(b"given", b"inside/victim")
    });
}

#[test]
fn path_symlink() {
    race(|guest, _, round| guest.symlink(b"own", format!("inside/new{round}").as_bytes()));
}

#[test]
fn path_filestat_set_times() {
    race(|guest, inside, round| {
        inside.put("victim");
        let name = ["inside/victim", "leaf", "inside/."][round as usize % 3];
        guest.set_times(name.as_bytes(), FOLLOW)
    });
}

#[test]
fn path_link() {
    race(|guest, inside, round| {
        inside.put("victim");
        let name = format!("linked{round}");
        guest.link(b"inside/victim", name.as_bytes(), if round % 2 == 0 { FOLLOW } else { 0 })
    });
}

#[test]
fn path_remove_directory() {
    race(|guest, inside, _| {
        let _ = rustix::fs::mkdirat(&inside.0, "deep", Mode::from(0o700));
        guest.remove_dir(b"inside/deep")
    });
}
