//! The folders of a run: one for hostile guests, and its neighbours.

use crate::wasi::tests::snapshot;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

/// `jail` is given to guests, with links that lead out and a pipe that no other process opens; the
/// rest must stay as it is.
pub(super) struct World(PathBuf);

impl World {
    pub(super) fn new() -> Self {
        let name = format!("isothread-hostile-{}", std::process::id());
        let world = Self(std::env::temp_dir().join(name));
        let made = fs::create_dir_all(world.0.join("outside/deep"))
            .and_then(|()| fs::write(world.0.join("secret"), "secret"))
            .and_then(|()| fs::write(world.0.join("outside/kept"), "kept"));
        assert!(made.is_ok(), "no temporary folder");
        limit_files();
        world
    }

    pub(super) fn jail(&self) -> PathBuf {
        self.0.join("jail")
    }

    /// Makes the jail anew.
    pub(super) fn fill(&self) {
        let jail = self.jail();
        let _ = fs::remove_dir_all(&jail);
        let made = fs::create_dir_all(jail.join("inside"))
            .and_then(|()| fs::write(jail.join("own"), "own"))
            .and_then(|()| fs::write(jail.join("inside/file"), "file"))
            .and_then(|()| symlink("..", jail.join("up")))
            .and_then(|()| symlink("../outside", jail.join("out")))
            .and_then(|()| symlink(self.0.join("secret"), jail.join("absolute")))
            .and_then(|()| symlink("../made", jail.join("dangling")))
            .and_then(|()| symlink("loop", jail.join("loop")))
            .and_then(|()| {
                let mode = rustix::fs::Mode::from(0o600);
                let kind = rustix::fs::FileType::Fifo;
                Ok(rustix::fs::mknodat(rustix::fs::CWD, jail.join("fifo"), kind, mode, 0)?)
            });
        assert!(made.is_ok(), "{made:?}");
    }

    /// All that lies beside the jail, with everything that a guest could change of it.
    pub(super) fn beside(&self) -> Vec<String> {
        snapshot(&self.0, &self.jail())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// How many descriptors the process has open.
pub(super) fn open_descriptors() -> usize {
    // The one that lists them is among them, each time.
    fs::read_dir("/proc/self/fd").into_iter().flatten().count()
}

/// No file gets large, so that guests cannot fill the disk; trying is an error and no signal.
fn limit_files() {
    let most = libc::rlimit { rlim_cur: 16 << 20, rlim_max: 16 << 20 };
    // SAFETY: a plain value for the system to copy; no other code in this process uses the signal.
    let done = unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        libc::setrlimit(libc::RLIMIT_FSIZE, &most)
    };
    assert_eq!(done, 0);
}
