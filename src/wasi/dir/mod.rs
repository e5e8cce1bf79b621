//! Directories of the host that a guest may use, and operations on paths relative to them.
//!
//! Every path is resolved by `cap-std`, below an open directory: neither `..` nor a symbolic link
//! nor a change by another process leads out of it. This file turns preview 1's operations into
//! that library's; it knows no guest memory and no descriptor numbers.

mod listing;

pub(super) use listing::Listing;

use super::abi::{FileStat, FileType, fdflags};
use super::call::{Call, Outcome};
use super::errno::Errno;
use super::times::NewTimes;
use crate::platform::fd;
use crate::sync::Lock;
use cap_fs_ext::{DirExt, FollowSymlinks, MetadataExt, OpenOptionsFollowExt};
use cap_fs_ext::{OpenOptionsMaybeDirExt, OpenOptionsSyncExt};
use cap_std::fs::{Dir, File, Metadata, OpenOptions};
use cap_std::time::{SystemClock, SystemTime};
use rustix::fs::{Mode, OFlags};
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

/// An open directory. Owner: the descriptor that stands for it.
pub(super) struct Directory {
    dir: Dir,
    /// The directory's entries when the guest last began to read it.
    listing: Lock<Option<Arc<Listing>>>,
}

/// The result of opening a path.
pub(super) enum Opened {
    Directory(Directory),
    File(OwnedFd),
}

/// How to open a path.
#[derive(Clone, Copy)]
pub(super) struct OpenMode {
    pub(super) read: bool,
    pub(super) write: bool,
    pub(super) follow: bool,
    pub(super) create: bool,
    pub(super) exclusive: bool,
    /// Truncation is left to the caller, in pieces; here it takes a file that can be written.
    pub(super) truncate: bool,
    /// Nothing but a directory will do.
    pub(super) directory: bool,
    pub(super) fdflags: u16,
}

/// How many symbolic links may follow each other at a path's end, as on Linux.
const LINKS_MAX: usize = 40;

/// The guest's bytes as a path, which on POSIX systems any bytes are.
fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// A name without slashes at its end, which the library does not always handle.
fn plain(name: &[u8]) -> &[u8] {
    let end = name.iter().rposition(|&byte| byte != b'/');
    end.map_or(name, |end| &name[..=end])
}

/// Whether a name ends as a directory's: then a symbolic link there is always followed, even if the
/// guest did not ask for that. The library ignores such ends where it does not follow.
fn is_directory_name(name: &[u8]) -> bool {
    matches!(name.rsplit(|&byte| byte == b'/').next(), Some(b"" | b"." | b".."))
}

/// A name without dots at its end, but for a slash.
fn undotted(mut name: &[u8]) -> &[u8] {
    while let Some(shorter) = name.strip_suffix(b"/.") {
        let end = plain(shorter).len();
        name = &name[..end + 1];
    }
    name
}

fn done<T>(result: io::Result<T>) -> Outcome<T> {
    result.map_err(|error| Errno::from_io(&error).into())
}

impl Directory {
    /// Opens a directory of the host by any path. The library would open it for walking only, but
    /// guests list and synchronise it as well.
    pub(super) fn preopen(host: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::open(host, flags, Mode::empty())?;
        Ok(Self::of(Dir::from_std_file(dir.into())))
    }

    fn of(dir: Dir) -> Self {
        Self { dir, listing: Lock::new(None) }
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }

    /// The directory's entries when reading began: `cookie` 0 begins again.
    pub(super) fn listing(&self, call: &Call<'_>, cookie: u64) -> Outcome<Arc<Listing>> {
        let known = self.listing.lock().clone();
        if let (Some(listing), true) = (known, cookie != 0) {
            return Ok(listing);
        }
        let listing = Arc::new(Listing::read(call, &self.dir)?);
        let before = self.listing.lock().replace(listing.clone());
        drop(before);
        Ok(listing)
    }

    pub(super) fn open(&self, name: &[u8], mode: OpenMode) -> Outcome<Opened> {
        if mode.directory && (mode.create || mode.exclusive || mode.truncate) {
            return Err(Errno::Invalid.into());
        }
        if mode.create && plain(name).len() < name.len() {
            return Err(Errno::IsDirectory.into());
        }
        if mode.create && mode.exclusive && is_directory_name(name) {
            // There is nothing that could be made under such a name.
            self.stat(name, true)?;
            return Err(Errno::Exists.into());
        }
        let mut options = OpenOptions::new();
        options.maybe_dir(true).follow(follow(mode.follow));
        // For the library, creating and truncating need write access, even if the guest will not
        // write.
        let write = mode.write || mode.create || mode.truncate;
        options.write(write).read(mode.read || !write);
        match (mode.create, mode.exclusive) {
            (true, true) => options.create_new(true),
            (create, _) => options.create(create),
        };
        let has = |flag: u16| mode.fdflags & flag != 0;
        options.append(write && has(fdflags::APPEND)).nonblock(has(fdflags::NONBLOCK));
        options.dsync(has(fdflags::DSYNC)).sync(has(fdflags::SYNC | fdflags::RSYNC));
        let file: File = done(self.dir.open_with(path(name), &options))?;
        if done(file.metadata())?.is_dir() {
            return Ok(Opened::Directory(Self::of(Dir::from_std_file(file.into_std()))));
        }
        if mode.directory {
            return Err(Errno::NotDirectory.into());
        }
        Ok(Opened::File(file.into_std().into()))
    }

    pub(super) fn create_dir(&self, name: &[u8]) -> Outcome {
        done(self.dir.create_dir(path(name)))
    }

    pub(super) fn remove_dir(&self, name: &[u8]) -> Outcome {
        done(self.dir.remove_dir(path(plain(name))))
    }

    pub(super) fn unlink(&self, name: &[u8]) -> Outcome {
        done(self.dir.remove_file_or_symlink(path(name)))
    }

    /// Only directories may have a slash behind their names, old or new.
    pub(super) fn rename(&self, name: &[u8], to: &Self, new_name: &[u8]) -> Outcome {
        let (old, new) = (plain(name), plain(new_name));
        let slashes = old.len() < name.len() || new.len() < new_name.len();
        if slashes && self.stat(old, false)?.file_type != FileType::Directory {
            return Err(Errno::NotDirectory.into());
        }
        done(self.dir.rename(path(old), &to.dir, path(new)))
    }

    /// A second name for a file. With `follow`, for the target of a symbolic link at `name`.
    pub(super) fn link(&self, name: &[u8], to: &Self, new_name: &[u8], follow: bool) -> Outcome {
        if plain(name).len() < name.len() && !done(self.dir.metadata(path(name)))?.is_dir() {
            return Err(Errno::NotDirectory.into());
        }
        if follow {
            let target = self.target(name)?;
            return done(self.dir.hard_link(path(&target), &to.dir, path(new_name)));
        }
        done(self.dir.hard_link(path(name), &to.dir, path(new_name)))
    }

    /// The name that symbolic links at the end of `name` lead to, for operations on the target
    /// without opening it. Each use of that name checks again that it stays in the directory.
    ///
    /// The library has functions of its own that follow links. They read the process's descriptors
    /// in `/proc`, keep that directory open, and would read the parent's after a fork; and they
    /// open the target, which may block.
    fn target(&self, name: &[u8]) -> Outcome<Vec<u8>> {
        let mut name = crate::alloc::try_copy(name).map_err(|_| Errno::NoMemory)?;
        for _ in 0..LINKS_MAX {
            // The way ends at a name that is no link or cannot be read.
            let Ok(link) = self.dir.read_link_contents(path(plain(&name))) else {
                return Ok(name);
            };
            let link = link.as_os_str().as_bytes();
            let end = if plain(&name).len() < name.len() { &b"/"[..] } else { b"" };
            let last = plain(&name).iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1);
            name.truncate(if link.starts_with(b"/") { 0 } else { last });
            let room = crate::alloc::fallible(|| name.try_reserve(link.len() + 1));
            room.map_err(|_| Errno::NoMemory)?;
            name.extend_from_slice(link);
            name.extend_from_slice(end);
        }
        Err(Errno::Loop.into())
    }

    /// A symbolic link at `name`. Its text may name any path, but following it does not leave the
    /// directory.
    pub(super) fn symlink(&self, target: &[u8], name: &[u8]) -> Outcome {
        done(self.dir.symlink(path(target), path(name)))
    }

    /// The text of the symbolic link at `name`.
    pub(super) fn read_link(&self, name: &[u8]) -> Outcome<Vec<u8>> {
        let target = done(self.dir.read_link_contents(path(name)))?;
        Ok(target.into_os_string().into_encoded_bytes())
    }

    pub(super) fn stat(&self, name: &[u8], follow: bool) -> Outcome<FileStat> {
        let found = match follow || is_directory_name(name) {
            true => self.dir.metadata(path(name)),
            false => self.dir.symlink_metadata(path(name)),
        };
        Ok(file_stat(&done(found)?))
    }

    pub(super) fn set_times(&self, name: &[u8], follow: bool, times: NewTimes) -> Outcome {
        let (accessed, modified) = (times.accessed.spec()?, times.modified.spec()?);
        if follow || is_directory_name(name) {
            let target = self.target(undotted(name))?;
            return done(self.dir.set_symlink_times(path(&target), accessed, modified));
        }
        done(self.dir.set_symlink_times(path(name), accessed, modified))
    }
}

fn follow(follow: bool) -> FollowSymlinks {
    if follow { FollowSymlinks::Yes } else { FollowSymlinks::No }
}

fn file_stat(found: &Metadata) -> FileStat {
    let nanos = |time: io::Result<SystemTime>| {
        let since = time.ok().and_then(|time| time.duration_since(SystemClock::UNIX_EPOCH).ok());
        since.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    };
    let changed = cap_std::fs::MetadataExt::ctime(found);
    let changed_nanos = cap_std::fs::MetadataExt::ctime_nsec(found);
    FileStat {
        device: MetadataExt::dev(found),
        inode: MetadataExt::ino(found),
        file_type: fd::kind_of_mode(cap_std::fs::MetadataExt::mode(found)).into(),
        links: MetadataExt::nlink(found),
        size: found.len(),
        accessed: nanos(found.accessed()),
        modified: nanos(found.modified()),
        changed: u64::try_from(changed).map_or(0, |seconds| {
            seconds.saturating_mul(1_000_000_000).saturating_add(changed_nanos as u64)
        }),
    }
}
