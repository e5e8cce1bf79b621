//! Files as C programs name them: by a path from a root of the guest's own, and by the numbers of
//! WASI's descriptors. For libraries that offer C's functions to guests (`libc_emcc`).
//!
//! Nothing is reached that WASI's own functions would not reach: a path is looked up below the
//! preopened directory whose name fits best, as programs of wasi-libc do it for themselves, and
//! `dir/` keeps it there. There is no current directory but the root.

use super::abi::{FileStat, Rights, fdflags, oflags};
use super::call::{Call, Outcome, Stop};
use super::descriptor::Descriptor;
use super::dir::Directory;
use super::errno::Errno;
use super::fd_table::{FILE_RIGHTS, FdEntry};
use super::path::{self, Opening};
use super::{WasiCtx, stdio};
use crate::abi::trap::Trap;
use crate::instance::Instance;
use crate::native::Caller;
use crate::platform::fd::{At, Buffer};
use crate::platform::unwind::Held;
use std::sync::Arc;

/// Bytes zeroed between two looks whether to stop.
const ZEROED_BYTES: usize = 1 << 20;

/// The result of an operation: `None` if it failed, which becomes the C function's own failure
/// value.
pub type Done<T = ()> = Result<Option<T>, Trap>;

/// The files of the instance that calls.
pub struct Files<'a>(pub(super) Call<'a>);

/// How a file is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenHow {
    pub read: bool,
    pub write: bool,
    pub create: bool,
    pub exclusive: bool,
    pub truncate: bool,
    pub append: bool,
    pub nonblock: bool,
    /// Nothing but a directory will do.
    pub directory: bool,
    /// A symbolic link at the path's end is not followed.
    pub no_follow: bool,
}

/// The result of an operation, without the error's number.
pub(super) fn done<T>(outcome: Outcome<T>) -> Done<T> {
    match outcome {
        Ok(answer) => Ok(Some(answer)),
        Err(Stop::Trap(trap)) => Err(trap),
        Err(Stop::Errno(_) | Stop::Signal(_)) => Ok(None),
    }
}

impl<'a> Files<'a> {
    /// `None` if the instance was made without WASI's state.
    pub fn of(caller: &'a Caller<'a>) -> Option<Self> {
        // SAFETY: a caller's instance is live during the call.
        let instance: &'a Instance = unsafe { Instance::of_vm(caller.instance()) };
        let ctx = WasiCtx::of(instance)?;
        Some(Self(Call { ctx, memory: caller.memory(), caller, held: Held::new() }))
    }

    /// Opens the file at `path`, under a number of WASI's.
    pub fn open(&self, path: &[u8], how: OpenHow) -> Done<u32> {
        done(self.open_entry(path, how).and_then(|entry| self.0.ctx.fds.add(entry)))
    }

    /// Reads once, into `len` bytes of the guest's: how many it were.
    pub fn read(&self, fd: u32, address: u32, len: u32) -> Done<u32> {
        let read = || {
            let start = self.0.memory.range(address.into(), len.into())?;
            let descriptor = self.0.ctx.fds.get_with(fd, Rights::FD_READ)?;
            let buffers = [Buffer::new(start, len as usize)];
            // SAFETY: `range` found that many bytes, and no guest code runs meanwhile.
            unsafe { stdio::read(&self.0, &descriptor, &buffers, At::Position) }
        };
        done(read().map(|count| count as u32))
    }

    /// Fills `len` bytes of the guest's with the file's bytes from `offset` on, and with zeros
    /// behind its end.
    pub fn load(&self, fd: u32, offset: u64, address: u32, len: u32) -> Done {
        let load = || {
            let descriptor = self.0.ctx.fds.get_with(fd, Rights::FD_READ)?;
            let (count, _) = self.read_all(&descriptor, address, len, Some(offset))?;
            let rest = (len - count) as usize;
            let start = self.0.memory.range(u64::from(address) + u64::from(count), rest as u64)?;
            for from in (0..rest).step_by(ZEROED_BYTES) {
                self.0.look()?;
                // SAFETY: `range` found `rest` bytes, and no guest code runs meanwhile.
                unsafe { start.add(from).write_bytes(0, (rest - from).min(ZEROED_BYTES)) };
            }
            Ok(())
        };
        done(load())
    }

    pub fn stat(&self, path: &[u8]) -> Done<FileStat> {
        self.in_directory(path, Rights::PATH_FILESTAT_GET, |dir, name| dir.stat(name, true))
    }

    pub fn stat_of(&self, fd: u32) -> Done<FileStat> {
        done(stdio::file_stat(&self.0, fd))
    }

    pub fn make_dir(&self, path: &[u8]) -> Done {
        self.in_directory(path, Rights::PATH_CREATE_DIRECTORY, Directory::create_dir)
    }

    pub fn remove_dir(&self, path: &[u8]) -> Done {
        self.in_directory(path, Rights::PATH_REMOVE_DIRECTORY, Directory::remove_dir)
    }

    pub fn unlink(&self, path: &[u8]) -> Done {
        self.in_directory(path, Rights::PATH_UNLINK_FILE, Directory::unlink)
    }

    /// Calls `act` with the directory of `path` and the rest of it.
    fn in_directory<T>(
        &self,
        path: &[u8],
        rights: Rights,
        act: impl FnOnce(&Directory, &[u8]) -> Outcome<T>,
    ) -> Done<T> {
        let acted = || {
            let (entry, rest) = self.locate(path)?;
            if !entry.rights.contains(rights) {
                return Err(Errno::NotCapable.into());
            }
            act(entry.descriptor.directory().ok_or(Errno::NotDirectory)?, rest)
        };
        done(acted())
    }

    /// Opens the file at `path`, with the rights that its directory can give.
    pub(super) fn open_entry(&self, path: &[u8], how: OpenHow) -> Outcome<FdEntry> {
        let (from, rest) = self.locate(path)?;
        let with = |on: bool, rights: Rights| if on { Rights::NONE } else { rights };
        let most = FILE_RIGHTS.with(Rights::FD_READDIR);
        let most = most.without(with(how.read, Rights::FD_READ.with(Rights::FD_READDIR)));
        let rights = most.without(with(how.write, Rights::WRITING)).and(from.inheriting);
        let missing = |asked: bool, right: Rights| asked && !rights.contains(right);
        if missing(how.read, Rights::FD_READ) || missing(how.write, Rights::FD_WRITE) {
            return Err(Errno::NotCapable.into());
        }
        let flag = |on: bool, flag: u32| if on { flag } else { 0 };
        let opening = Opening {
            lookup: flag(!how.no_follow, 1),
            flags: flag(how.create, oflags::CREAT)
                | flag(how.exclusive, oflags::EXCL)
                | flag(how.truncate, oflags::TRUNC)
                | flag(how.directory, oflags::DIRECTORY),
            rights,
            inheriting: Rights::NONE,
            fdflags: if how.append { fdflags::APPEND } else { 0 }
                | if how.nonblock { fdflags::NONBLOCK } else { 0 },
        };
        let mode = path::granted(&from, &opening)?;
        path::open_below(&self.0, from, rest, mode, &opening)
    }

    /// The preopened directory that `path` lies below, and the path from there.
    fn locate<'p>(&self, path: &'p [u8]) -> Outcome<(FdEntry, &'p [u8])> {
        if path.is_empty() {
            return Err(Errno::NoEntry.into());
        }
        let path = plain(path);
        let length = |name: &[u8]| below(name, path).map(|rest| path.len() - rest.len());
        let entry = self.0.ctx.fds.best_preopen(length).ok_or(Errno::NotCapable)?;
        let rest = entry.preopen.as_deref().and_then(|name| below(name, path));
        Ok((entry, rest.filter(|rest| !rest.is_empty()).unwrap_or(b".")))
    }

    /// Reads until `len` bytes are there: how many it were, and whether the file ended.
    pub(super) fn read_all(
        &self,
        descriptor: &Arc<Descriptor>,
        address: u32,
        len: u32,
        offset: Option<u64>,
    ) -> Outcome<(u32, bool)> {
        self.repeat(address, len, |buffers, done| {
            let at = offset.map_or(At::Position, |from| At::Offset(from.wrapping_add(done)));
            // SAFETY: `repeat` found the bytes, and no guest code runs meanwhile.
            unsafe { stdio::read(&self.0, descriptor, buffers, at) }
        })
    }

    /// Writes all of `len` bytes, if there is no error: how many it were.
    pub(super) fn write_all(
        &self,
        descriptor: &Arc<Descriptor>,
        address: u32,
        len: u32,
    ) -> Outcome<(u32, bool)> {
        self.repeat(address, len, |buffers, _| {
            // SAFETY: `repeat` found the bytes, and no guest code runs meanwhile.
            unsafe { stdio::write(&self.0, descriptor, buffers, At::Position) }
        })
    }

    /// Moves bytes in pieces until `len` were moved or nothing moves any more, which is the second
    /// answer. An error after the first piece counts as such an end, but is not called one.
    fn repeat(
        &self,
        address: u32,
        len: u32,
        mut step: impl FnMut(&[Buffer], u64) -> Outcome<usize>,
    ) -> Outcome<(u32, bool)> {
        let mut done = 0;
        while done < len {
            let left = len - done;
            let start = self.0.memory.range(u64::from(address) + u64::from(done), left.into())?;
            match step(&[Buffer::new(start, left as usize)], done.into()) {
                Ok(0) => return Ok((done, true)),
                Ok(count) => done += (count as u32).min(left),
                // A signal of the embedder's is nothing to the guest.
                Err(Stop::Errno(Errno::Interrupted)) => {}
                Err(Stop::Errno(_)) if done > 0 => break,
                Err(stop) => return Err(stop),
            }
        }
        Ok((done, false))
    }
}

/// A path without slashes and dots at its start.
fn plain(mut path: &[u8]) -> &[u8] {
    loop {
        match path {
            [b'/', rest @ ..] | [b'.', b'/', rest @ ..] => path = rest,
            [b'.'] => return &[],
            _ => return path,
        }
    }
}

/// The rest of a plain path that lies below the directory `name`.
fn below<'p>(name: &[u8], path: &'p [u8]) -> Option<&'p [u8]> {
    let mut name = plain(name);
    while let Some(shorter) = name.strip_suffix(b"/") {
        name = shorter;
    }
    let rest = path.strip_prefix(name)?;
    let ends = name.is_empty() || rest.is_empty() || rest.starts_with(b"/");
    ends.then(|| plain(rest))
}

#[cfg(test)]
mod tests {
    use super::{below, plain};

    #[test]
    fn paths_lie_below_the_names_that_they_begin_with() {
        for (name, path, rest) in [
            ("/", "a/b", Some("a/b")),
            (".", "a", Some("a")),
            ("", "a", Some("a")),
            ("/data", "data/a", Some("a")),
            ("./data/", "data//a", Some("a")),
            ("data", "data", Some("")),
            ("data", "database", None),
            ("data/a", "data", None),
            ("data", "data/../a", Some("../a")),
        ] {
            let found = below(name.as_bytes(), plain(path.as_bytes()));
            assert_eq!(found, rest.map(str::as_bytes), "{name} {path}");
        }
        assert_eq!(plain(b"/.//./a/."), b"a/.");
        assert_eq!(plain(b"/."), b"");
    }
}
