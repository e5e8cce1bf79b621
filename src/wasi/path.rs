//! Directories and what is named relative to them.
//!
//! No directory is open yet: the standard streams are all that a descriptor can stand for. So
//! each function checks its addresses and its descriptors in the order in which it will need
//! them, and ends with the error that a descriptor without the right gets.

use super::abi::{Addr, FILESTAT_BYTES, PRESTAT_BYTES, Rights, prestat};
use super::call::{Call, Outcome};
use super::errno::Errno;

/// A path in the guest's memory.
#[derive(Clone, Copy)]
#[expect(dead_code, reason = "read as soon as there are directories to look in")]
struct Path {
    start: Addr,
    len: u32,
}

impl Path {
    fn check(call: &Call<'_>, start: Addr, len: u32) -> Outcome<Self> {
        call.check(start, len.into())?;
        Ok(Self { start, len })
    }
}

/// Finds the directory that a path is relative to. None can be found yet, so this is where every
/// function ends.
fn directory(call: &Call<'_>, fd: u32, rights: Rights, path: Path) -> Outcome {
    call.ctx.fds.get_with(fd, rights)?;
    let Path { start: _, len: _ } = path;
    Err(Errno::NotDirectory.into())
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

pub(super) fn fd_readdir(
    call: &Call<'_>,
    fd: u32,
    buffer: Addr,
    len: u32,
    _cookie: u64,
    used: Addr,
) -> Outcome {
    call.check(buffer, len.into())?;
    call.check(used, 4)?;
    call.ctx.fds.get_with(fd, Rights::FD_READDIR)?;
    Err(Errno::NotDirectory.into())
}

pub(super) fn path_create_directory(call: &Call<'_>, fd: u32, path: Addr, len: u32) -> Outcome {
    let path = Path::check(call, path, len)?;
    directory(call, fd, Rights::PATH_CREATE_DIRECTORY, path)
}

#[expect(clippy::too_many_arguments, reason = "preview 1 has that many")]
pub(super) fn path_link(
    call: &Call<'_>,
    old_fd: u32,
    _old_flags: u32,
    old_path: Addr,
    old_len: u32,
    new_fd: u32,
    new_path: Addr,
    new_len: u32,
) -> Outcome {
    let old_path = Path::check(call, old_path, old_len)?;
    let new_path = Path::check(call, new_path, new_len)?;
    directory(call, old_fd, Rights::PATH_LINK_SOURCE, old_path)?;
    directory(call, new_fd, Rights::PATH_LINK_TARGET, new_path)
}

#[expect(clippy::too_many_arguments, reason = "preview 1 has that many")]
pub(super) fn path_open(
    call: &Call<'_>,
    fd: u32,
    _lookup_flags: u32,
    path: Addr,
    len: u32,
    _oflags: u32,
    _rights: u64,
    _inheriting: u64,
    _fdflags: u32,
    opened: Addr,
) -> Outcome {
    let path = Path::check(call, path, len)?;
    call.check(opened, 4)?;
    directory(call, fd, Rights::PATH_OPEN, path)
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
    directory(call, fd, Rights::PATH_READLINK, path)
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
    directory(call, old_fd, Rights::PATH_RENAME_SOURCE, old_path)?;
    directory(call, new_fd, Rights::PATH_RENAME_TARGET, new_path)
}

pub(super) fn path_filestat_get(
    call: &Call<'_>,
    fd: u32,
    _flags: u32,
    path: Addr,
    len: u32,
    stat: Addr,
) -> Outcome {
    let path = Path::check(call, path, len)?;
    call.check(stat, FILESTAT_BYTES)?;
    directory(call, fd, Rights::PATH_FILESTAT_GET, path)
}

#[expect(clippy::too_many_arguments, reason = "preview 1 has that many")]
pub(super) fn path_filestat_set_times(
    call: &Call<'_>,
    fd: u32,
    _flags: u32,
    path: Addr,
    len: u32,
    _accessed: u64,
    _modified: u64,
    _fst_flags: u32,
) -> Outcome {
    let path = Path::check(call, path, len)?;
    directory(call, fd, Rights::PATH_FILESTAT_SET_TIMES, path)
}

pub(super) fn path_symlink(
    call: &Call<'_>,
    old_path: Addr,
    old_len: u32,
    fd: u32,
    new_path: Addr,
    new_len: u32,
) -> Outcome {
    Path::check(call, old_path, old_len)?;
    let new_path = Path::check(call, new_path, new_len)?;
    directory(call, fd, Rights::PATH_SYMLINK, new_path)
}

pub(super) fn path_unlink_file(call: &Call<'_>, fd: u32, path: Addr, len: u32) -> Outcome {
    let path = Path::check(call, path, len)?;
    directory(call, fd, Rights::PATH_UNLINK_FILE, path)
}

pub(super) fn path_remove_directory(call: &Call<'_>, fd: u32, path: Addr, len: u32) -> Outcome {
    let path = Path::check(call, path, len)?;
    directory(call, fd, Rights::PATH_REMOVE_DIRECTORY, path)
}
