//! The functions that take a path, and the names of preopened directories.
//!
//! Each checks its addresses first, then finds the directory that its path is relative to, with
//! the rights that the operation needs there, and leaves the rest to [`Directory`].

use super::abi::{
    Addr, FILESTAT_BYTES, FileStat, FileType, PRESTAT_BYTES, Rights, fdflags, known, lookupflags,
    oflags, prestat,
};
use super::call::{Call, Outcome};
use super::descriptor::Descriptor;
use super::dir::{Directory, OpenMode, Opened};
use super::errno::Errno;
use super::fd_table::FdEntry;
use super::pieces;
use super::times::NewTimes;
use std::ops::Deref;
use std::sync::Arc;

/// Longest path, as on the hosts that WASI comes from.
const PATH_BYTES_MAX: u32 = 4096;

/// A path in the guest's memory.
#[derive(Clone, Copy)]
struct Path {
    start: Addr,
    len: u32,
}

impl Path {
    fn check(call: &Call<'_>, start: Addr, len: u32) -> Outcome<Self> {
        call.check(start, len.into())?;
        Ok(Self { start, len })
    }

    /// A copy, since other threads of the guest may write to the original.
    fn copy(self, call: &Call<'_>) -> Outcome<Vec<u8>> {
        if self.len >= PATH_BYTES_MAX {
            return Err(Errno::NameTooLong.into());
        }
        let bytes = crate::alloc::try_filled(self.len as usize, 0);
        let mut bytes = bytes.map_err(|_| Errno::NoMemory)?;
        call.memory.copy_out(self.start.into(), &mut bytes)?;
        if bytes.contains(&0) {
            return Err(Errno::IllegalSequence.into());
        }
        Ok(bytes)
    }
}

/// A descriptor that stands for a directory.
struct OpenDirectory(Arc<Descriptor>);

impl Deref for OpenDirectory {
    type Target = Descriptor;

    fn deref(&self) -> &Descriptor {
        &self.0
    }
}

impl OpenDirectory {
    fn get(&self) -> Outcome<&Directory> {
        self.0.directory().ok_or(Errno::NotDirectory.into())
    }
}

fn directory(call: &Call<'_>, fd: u32, rights: Rights) -> Outcome<OpenDirectory> {
    call.ctx.fds.get_with(fd, rights).map(OpenDirectory)
}

pub(super) fn fd_prestat_get(call: &Call<'_>, fd: u32, stat: Addr) -> Outcome {
    call.check(stat, PRESTAT_BYTES)?;
    let name = call.ctx.fds.get(fd)?.preopen.ok_or(Errno::BadFd)?;
    let len = u32::try_from(name.len()).map_err(|_| Errno::Overflow)?;
    call.write(stat, &prestat(len))
}

pub(super) fn fd_prestat_dir_name(call: &Call<'_>, fd: u32, path: Addr, len: u32) -> Outcome {
    call.check(path, len.into())?;
    let name = call.ctx.fds.get(fd)?.preopen.ok_or(Errno::BadFd)?;
    if name.len() > len as usize {
        return Err(Errno::Invalid.into());
    }
    call.write(path, &name)
}

/// Fills the buffer with entries; the last may be cut off where the buffer ends.
pub(super) fn fd_readdir(
    call: &Call<'_>,
    fd: u32,
    buffer: Addr,
    len: u32,
    cookie: u64,
    used: Addr,
) -> Outcome {
    call.check(buffer, len.into())?;
    call.check(used, 4)?;
    let listing = directory(call, fd, Rights::FD_READDIR)?.get()?.listing(call, cookie)?;
    let mut done = 0;
    'entries: for (head, name) in listing.from(cookie) {
        for part in [&head, name] {
            let fits = part.len().min((len - done) as usize);
            call.write(buffer + done, &part[..fits])?;
            done += fits as u32;
            if done == len {
                break 'entries;
            }
        }
    }
    call.write_u32(used, done)
}

pub(super) fn path_create_directory(call: &Call<'_>, fd: u32, path: Addr, len: u32) -> Outcome {
    let path = Path::check(call, path, len)?;
    directory(call, fd, Rights::PATH_CREATE_DIRECTORY)?.get()?.create_dir(&path.copy(call)?)
}

#[expect(clippy::too_many_arguments, reason = "preview 1 has that many")]
pub(super) fn path_link(
    call: &Call<'_>,
    old_fd: u32,
    old_flags: u32,
    old_path: Addr,
    old_len: u32,
    new_fd: u32,
    new_path: Addr,
    new_len: u32,
) -> Outcome {
    let old_path = Path::check(call, old_path, old_len)?;
    let new_path = Path::check(call, new_path, new_len)?;
    let follow = lookupflags::follow(old_flags)?;
    let from = directory(call, old_fd, Rights::PATH_LINK_SOURCE)?;
    let to = directory(call, new_fd, Rights::PATH_LINK_TARGET)?;
    from.get()?.link(&old_path.copy(call)?, to.get()?, &new_path.copy(call)?, follow)
}

/// How a path is opened, in preview 1's numbers.
pub(super) struct Opening {
    pub(super) lookup: u32,
    /// `oflags`.
    pub(super) flags: u32,
    pub(super) rights: Rights,
    pub(super) inheriting: Rights,
    pub(super) fdflags: u16,
}

/// How the file is opened, if the directory `from` has the rights that it takes.
pub(super) fn granted(from: &FdEntry, opening: &Opening) -> Outcome<OpenMode> {
    known(opening.flags, oflags::ALL)?;
    let (rights, flags) = (opening.rights, opening.fdflags);
    let has = |flag: u32| opening.flags & flag != 0;
    let mode = OpenMode {
        read: rights.intersects(Rights::FD_READ.with(Rights::FD_READDIR)),
        write: rights.intersects(Rights::WRITING),
        follow: lookupflags::follow(opening.lookup)?,
        create: has(oflags::CREAT),
        exclusive: has(oflags::EXCL),
        truncate: has(oflags::TRUNC),
        directory: has(oflags::DIRECTORY),
        fdflags: flags,
    };
    let when = |on: bool, rights: Rights| if on { rights } else { Rights::NONE };
    let needed = Rights::PATH_OPEN
        .with(when(mode.create, Rights::PATH_CREATE_FILE))
        .with(when(mode.truncate, Rights::PATH_FILESTAT_SET_SIZE));
    let appends = flags & fdflags::APPEND != 0;
    let inherited = rights
        .with(when(flags & (fdflags::SYNC | fdflags::RSYNC) != 0, Rights::FD_SYNC))
        .with(when(flags & fdflags::DSYNC != 0, Rights::FD_DATASYNC))
        .with(when(mode.write && !appends && !mode.truncate, Rights::FD_SEEK))
        .with(opening.inheriting);
    if from.rights.contains(needed) && from.inheriting.contains(inherited) {
        Ok(mode)
    } else {
        Err(Errno::NotCapable.into())
    }
}

/// Opens a file with rights that were [`granted`].
pub(super) fn open_below(
    call: &Call<'_>,
    from: FdEntry,
    path: &[u8],
    mode: OpenMode,
    opening: &Opening,
) -> Outcome<FdEntry> {
    let from = OpenDirectory(from.descriptor);
    let directory = from.get()?;
    let slot = call.slot()?;
    // Opening a pipe waits until its other end is opened.
    let opened = call.caller.blocking(|| directory.open(path, mode))??;
    let descriptor = match opened {
        Opened::Directory(directory) => Descriptor::of_directory(directory, slot),
        Opened::File(file) => Descriptor::of_file(file, slot)?,
    };
    if mode.truncate && descriptor.file_type == FileType::RegularFile {
        pieces::set_size(call, &descriptor, 0)?;
    }
    FdEntry::opened(descriptor, opening.rights, opening.inheriting)
}

#[expect(clippy::too_many_arguments, reason = "preview 1 has that many")]
pub(super) fn path_open(
    call: &Call<'_>,
    fd: u32,
    lookup_flags: u32,
    path: Addr,
    len: u32,
    open_flags: u32,
    rights: u64,
    inheriting: u64,
    flags: u32,
    opened: Addr,
) -> Outcome {
    let path = Path::check(call, path, len)?;
    call.check(opened, 4)?;
    known(flags, fdflags::ALL)?;
    let opening = Opening {
        lookup: lookup_flags,
        flags: open_flags,
        rights: Rights(rights),
        inheriting: Rights(inheriting),
        fdflags: flags as u16,
    };
    let from = call.ctx.fds.get(fd)?;
    let mode = granted(&from, &opening)?;
    let entry = open_below(call, from, &path.copy(call)?, mode, &opening)?;
    call.write_u32(opened, call.ctx.fds.add(entry)?)
}

pub(super) fn path_readlink(
    call: &Call<'_>,
    fd: u32,
    path: Addr,
    len: u32,
    buffer: Addr,
    buffer_len: u32,
    used: Addr,
) -> Outcome {
    let path = Path::check(call, path, len)?;
    call.check(buffer, buffer_len.into())?;
    call.check(used, 4)?;
    let target = directory(call, fd, Rights::PATH_READLINK)?.get()?.read_link(&path.copy(call)?)?;
    let fits = target.len().min(buffer_len as usize);
    call.write(buffer, &target[..fits])?;
    call.write_u32(used, fits as u32)
}

pub(super) fn path_rename(
    call: &Call<'_>,
    old_fd: u32,
    old_path: Addr,
    old_len: u32,
    new_fd: u32,
    new_path: Addr,
    new_len: u32,
) -> Outcome {
    let old_path = Path::check(call, old_path, old_len)?;
    let new_path = Path::check(call, new_path, new_len)?;
    let from = directory(call, old_fd, Rights::PATH_RENAME_SOURCE)?;
    let to = directory(call, new_fd, Rights::PATH_RENAME_TARGET)?;
    from.get()?.rename(&old_path.copy(call)?, to.get()?, &new_path.copy(call)?)
}

pub(super) fn path_filestat_get(
    call: &Call<'_>,
    fd: u32,
    flags: u32,
    path: Addr,
    len: u32,
    stat: Addr,
) -> Outcome {
    call.check(stat, FILESTAT_BYTES)?;
    let found = file_stat(call, fd, flags, path, len)?;
    call.write(stat, &found.to_bytes())
}

pub(super) fn file_stat(
    call: &Call<'_>,
    fd: u32,
    flags: u32,
    path: Addr,
    len: u32,
) -> Outcome<FileStat> {
    let path = Path::check(call, path, len)?;
    let follow = lookupflags::follow(flags)?;
    let directory = directory(call, fd, Rights::PATH_FILESTAT_GET)?;
    directory.get()?.stat(&path.copy(call)?, follow)
}

#[expect(clippy::too_many_arguments, reason = "preview 1 has that many")]
pub(super) fn path_filestat_set_times(
    call: &Call<'_>,
    fd: u32,
    flags: u32,
    path: Addr,
    len: u32,
    accessed: u64,
    modified: u64,
    fst_flags: u32,
) -> Outcome {
    let path = Path::check(call, path, len)?;
    let times = NewTimes::new(accessed, modified, fst_flags)?;
    let follow = lookupflags::follow(flags)?;
    let directory = directory(call, fd, Rights::PATH_FILESTAT_SET_TIMES)?;
    directory.get()?.set_times(&path.copy(call)?, follow, times)
}

pub(super) fn path_symlink(
    call: &Call<'_>,
    old_path: Addr,
    old_len: u32,
    fd: u32,
    new_path: Addr,
    new_len: u32,
) -> Outcome {
    let target = Path::check(call, old_path, old_len)?;
    let new_path = Path::check(call, new_path, new_len)?;
    directory(call, fd, Rights::PATH_SYMLINK)?
        .get()?
        .symlink(&target.copy(call)?, &new_path.copy(call)?)
}

pub(super) fn path_unlink_file(call: &Call<'_>, fd: u32, path: Addr, len: u32) -> Outcome {
    let path = Path::check(call, path, len)?;
    directory(call, fd, Rights::PATH_UNLINK_FILE)?.get()?.unlink(&path.copy(call)?)
}

pub(super) fn path_remove_directory(call: &Call<'_>, fd: u32, path: Addr, len: u32) -> Outcome {
    let path = Path::check(call, path, len)?;
    directory(call, fd, Rights::PATH_REMOVE_DIRECTORY)?.get()?.remove_dir(&path.copy(call)?)
}
