//! Attempts to leave a preopened directory: none of them reads, makes, changes or removes files
//! outside.
//!
//! `table.rs` lists them, each with its result; `handles.rs` has those that need several calls; in
//! `races.rs` another thread changes the tree meanwhile.

mod handles;
mod races;
mod table;

use super::{Guest, snapshot};
use crate::wasi::abi::Addr;
use crate::wasi::call::Outcome;
use crate::wasi::{WasiArgs, path};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// The preopened directory's number.
const ROOT: u32 = 3;
const FROM: Addr = 1024;
const TO: Addr = 16384;
const OPENED: Addr = 64;
const STAT: Addr = 128;
const FOLLOW: u32 = 1;
/// To read and to be looked at.
const READ: u64 = 1 << 1 | 1 << 21;
const WRITE: u64 = 1 << 6;
const CREATE: u32 = 1;
const DIRECTORY: u32 = 1 << 1;
const EXCLUSIVE: u32 = 1 << 2;
const TRUNCATE: u32 = 1 << 3;

/// `jail` is given to the guest; `secret` and `outside` lie beside it.
struct Folders(PathBuf);

impl Folders {
    fn new() -> Self {
        /// Owner: the process; numbers the folders of this test run.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("isothread-escapes-{}-{number}", std::process::id());
        let folders = Self(std::env::temp_dir().join(name));
        assert!(folders.fill().is_ok(), "no temporary folder");
        folders
    }

    fn fill(&self) -> std::io::Result<()> {
        let jail = self.jail();
        fs::create_dir_all(jail.join("inside/deep"))?;
        fs::create_dir_all(self.0.join("outside/deep"))?;
        fs::write(self.0.join("secret"), "secret")?;
        fs::write(self.0.join("outside/victim"), "kept")?;
        fs::write(jail.join("own"), "own")?;
        fs::write(jail.join("inside/victim"), "mine")?;
        Ok(())
    }

    /// Fills the jail with symbolic links of every kind.
    fn links(&self) -> std::io::Result<()> {
        let (jail, base) = (self.jail(), &self.0);
        for (target, name) in [
            (Path::new(".."), "up"),
            (&base.join("secret"), "absolute"),
            (Path::new("../secret"), "relative"),
            (Path::new("relative"), "chained"),
            (Path::new("inside/../chained"), "chained_again"),
            (Path::new("/"), "everything"),
            (Path::new("../outside"), "out"),
            (&base.join("outside"), "out_absolute"),
            (Path::new("../made"), "dangling"),
            (&base.join("made"), "dangling_absolute"),
            (Path::new("dangling"), "dangling_chained"),
            (Path::new("inside/made"), "dangling_inside"),
            (Path::new("inside"), "in"),
            (Path::new("inside/.."), "here"),
            (Path::new("inside/../../jail/own"), "out_and_in"),
            (&jail.join("own"), "absolute_inside"),
            (Path::new("loop_b"), "loop_a"),
            (Path::new("loop_a"), "loop_b"),
            (Path::new("/proc/self/root"), "magic_root"),
            (Path::new("/proc/self/cwd"), "magic_cwd"),
            (Path::new("../../.."), "inside/far_up"),
        ] {
            symlink(target, jail.join(name))?;
        }
        // A chain that is longer than the system follows, and one that is not.
        for at in 0..44 {
            symlink(format!("chain_{}", at + 1), jail.join(format!("chain_{at}")))?;
        }
        symlink("../secret", jail.join("chain_44"))
    }

    fn jail(&self) -> PathBuf {
        self.0.join("jail")
    }

    fn guest(&self) -> Guest {
        let map = format!("/::{}", self.jail().display());
        Guest::new(&WasiArgs { map_dirs: vec![map.into_bytes()], ..WasiArgs::default() })
    }

    /// All that lies beside the jail, with everything that an attempt could change of it.
    fn beside(&self) -> Vec<String> {
        snapshot(&self.0, &self.jail())
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The functions that take paths, on paths in the guest's memory.
impl Guest {
    fn place(&mut self, at: Addr, name: &[u8]) -> u32 {
        self.write(at, name);
        name.len() as u32
    }

    fn open_at(&mut self, fd: u32, name: &[u8], oflags: u32, rights: u64) -> Outcome {
        let len = self.place(FROM, name);
        let inheriting = if oflags & DIRECTORY != 0 { READ | 1 << 13 } else { 0 };
        self.call(|c| {
            path::path_open(c, fd, FOLLOW, FROM, len, oflags, rights, inheriting, 0, OPENED)
        })
    }

    fn open_path(&mut self, name: &[u8], oflags: u32, rights: u64) -> Outcome {
        self.open_at(ROOT, name, oflags, rights)
    }

    fn stat(&mut self, name: &[u8], flags: u32) -> Outcome {
        let len = self.place(FROM, name);
        self.call(|c| path::path_filestat_get(c, ROOT, flags, FROM, len, STAT))
    }

    fn rename(&mut self, from: &[u8], to: &[u8]) -> Outcome {
        let (a, b) = (self.place(FROM, from), self.place(TO, to));
        self.call(|c| path::path_rename(c, ROOT, FROM, a, ROOT, TO, b))
    }

    fn link(&mut self, from: &[u8], to: &[u8], flags: u32) -> Outcome {
        let (a, b) = (self.place(FROM, from), self.place(TO, to));
        self.call(|c| path::path_link(c, ROOT, flags, FROM, a, ROOT, TO, b))
    }

    fn symlink(&mut self, target: &[u8], name: &[u8]) -> Outcome {
        let (a, b) = (self.place(FROM, target), self.place(TO, name));
        self.call(|c| path::path_symlink(c, FROM, a, ROOT, TO, b))
    }

    fn unlink(&mut self, name: &[u8]) -> Outcome {
        let len = self.place(FROM, name);
        self.call(|c| path::path_unlink_file(c, ROOT, FROM, len))
    }

    fn remove_dir(&mut self, name: &[u8]) -> Outcome {
        let len = self.place(FROM, name);
        self.call(|c| path::path_remove_directory(c, ROOT, FROM, len))
    }

    fn create_dir(&mut self, name: &[u8]) -> Outcome {
        let len = self.place(FROM, name);
        self.call(|c| path::path_create_directory(c, ROOT, FROM, len))
    }

    /// Sets both times to the first nanosecond of 1970.
    fn set_times(&mut self, name: &[u8], flags: u32) -> Outcome {
        let len = self.place(FROM, name);
        self.call(|c| path::path_filestat_set_times(c, ROOT, flags, FROM, len, 1, 1, 1 | 1 << 2))
    }

    /// The text of a symbolic link.
    fn read_link(&mut self, name: &[u8]) -> Outcome<Vec<u8>> {
        let len = self.place(FROM, name);
        self.call(|c| path::path_readlink(c, ROOT, FROM, len, TO, 4096, OPENED))?;
        let len = self.read_u32(OPENED) as usize;
        Ok(self.read(TO, len).to_vec())
    }
}
