//! Reading, writing and seeking by descriptors.

use super::abi::{Addr, FDSTAT_BYTES, FILESTAT_BYTES, FdStat, FileStat, FileType, Rights};
use super::abi::{fdflags, known};
use super::attempt::{Patience, now_or_later, whole};
use super::call::{Call, Outcome, Stop, os};
use super::descriptor::Descriptor;
use super::errno::Errno;
use super::pieces;
use super::sock;
use super::times::NewTimes;
use crate::platform::fd::{self, At, Interest, Medium};

/// Most that one call of the system's moves from or to a file: it cannot be stopped.
const PIECE_BYTES: usize = 1 << 20;

pub(super) fn fd_read(call: &Call<'_>, fd: u32, iovs: Addr, count: u32, read: Addr) -> Outcome {
    scattered(call, fd, iovs, count, At::Position, read)
}

pub(super) fn fd_pread(
    call: &Call<'_>,
    fd: u32,
    iovs: Addr,
    count: u32,
    offset: u64,
    read: Addr,
) -> Outcome {
    scattered(call, fd, iovs, count, At::Offset(offset), read)
}

fn scattered(call: &Call<'_>, fd: u32, iovs: Addr, count: u32, at: At, read: Addr) -> Outcome {
    call.check(iovs, 1)?;
    call.check(read, 4)?;
    let buffers = call.buffers(iovs, count)?;
    let descriptor = call.ctx.fds.get_with(fd, Rights::FD_READ)?;
    // SAFETY: `buffers` checked every buffer against the guest's memory, which no guest code runs
    // to shrink or move meanwhile, and left out the part beyond the system's limit.
    let done = unsafe { self::read(call, &descriptor, buffers.as_slice(), at) }?;
    call.write_u32(read, done as u32)
}

/// Whether something may be waited for: not of files, not for nothing, and not at offsets, which
/// only files have.
fn waits_for(descriptor: &Descriptor, buffers: &[fd::Buffer], at: At) -> bool {
    at == At::Position && buffers.iter().any(|buffer| buffer.len() > 0) && descriptor.may_block()
}

fn patience(descriptor: &Descriptor, interest: Interest) -> Patience<'_> {
    Patience::new(descriptor, interest, |_, _| Ok(None))
}

/// Reads once, when there is something; a file that has as much fills all of the buffers.
///
/// # Safety
/// Every buffer is writable, and there are at most [`fd::BUFFERS_MAX`].
pub(super) unsafe fn read(
    call: &Call<'_>,
    descriptor: &Descriptor,
    buffers: &[fd::Buffer],
    at: At,
) -> Outcome<usize> {
    // SAFETY: the caller vouches for the buffers, of which these are a part.
    let read = |buffers: &[fd::Buffer], at| unsafe { fd::read(descriptor.as_fd(), buffers, at) };
    if !waits_for(descriptor, buffers, at) {
        return in_pieces(call, descriptor, buffers, at, read);
    }
    if descriptor.medium() == Medium::Socket {
        // SAFETY: the caller vouches for the same of the same buffers.
        return unsafe { sock::read(call, descriptor, buffers) };
    }
    // SAFETY: the caller vouches for the buffers.
    let now = || unsafe { fd::try_read(descriptor.as_fd(), buffers) };
    let patience = &mut patience(descriptor, Interest::Read);
    now_or_later(call, patience, now, || read(buffers, At::Position))
}

/// Writes everything, when there is room, unless the guest does not wait for the descriptor.
///
/// # Safety
/// Every buffer is readable, and there are at most [`fd::BUFFERS_MAX`].
pub(super) unsafe fn write(
    call: &Call<'_>,
    descriptor: &Descriptor,
    buffers: &[fd::Buffer],
    at: At,
) -> Outcome<usize> {
    if let Some(flush) = call.ctx.before_output.filter(|_| descriptor.is_embedders()) {
        flush();
    }
    let (fd, medium) = (descriptor.as_fd(), descriptor.medium());
    // SAFETY: the caller vouches for the buffers, of which these are a part.
    let write = |buffers: &[fd::Buffer], at| unsafe { fd::write(fd, buffers, at, medium) };
    // SAFETY: the caller vouches for the buffers, of which these are a part.
    let append = |buffers: &[fd::Buffer]| unsafe { fd::append(fd, buffers) };
    if !waits_for(descriptor, buffers, at) {
        return in_pieces(call, descriptor, buffers, at, |buffers, at| match at {
            At::Position if medium == Medium::File && descriptor.appends() => append(buffers),
            at => write(buffers, at),
        });
    }
    if medium == Medium::Socket {
        // SAFETY: the caller vouches for the same of the same buffers.
        return unsafe { sock::write(call, descriptor, buffers) };
    }
    let mut patience = patience(descriptor, Interest::Write);
    whole(buffers, |buffers| {
        // SAFETY: the caller vouches for the buffers, of which these are a part.
        let now = || unsafe { fd::try_write(fd, buffers) };
        now_or_later(call, &mut patience, now, || {
            if descriptor.waits()? {
                return write(buffers, At::Position);
            }
            // A pipe that is ready has room for so much, and would wait for more.
            let mut pieces = buffers.iter().flat_map(|buffer| buffer.pieces(libc::PIPE_BUF));
            write(pieces.next().as_slice(), At::Position)
        })
    })
}

/// Moves the bytes of a file by `act`, in pieces if they are many, with a look between them whether
/// to stop.
fn in_pieces(
    call: &Call<'_>,
    descriptor: &Descriptor,
    buffers: &[fd::Buffer],
    at: At,
    act: impl Fn(&[fd::Buffer], At) -> fd::Result<usize>,
) -> Outcome<usize> {
    let total = buffers.iter().fold(0, |sum: usize, buffer| sum.saturating_add(buffer.len()));
    if total <= PIECE_BYTES {
        return call.blocking(descriptor, || act(buffers, at));
    }
    let mut sum = 0;
    for piece in buffers.iter().flat_map(|buffer| buffer.pieces(PIECE_BYTES)) {
        call.look()?;
        let at = match at {
            At::Position => At::Position,
            At::Offset(offset) => At::Offset(offset.saturating_add(sum as u64)),
        };
        match call.blocking(descriptor, || act(&[piece], at)) {
            Ok(count) if count == piece.len() => sum += count,
            Ok(count) => return Ok(sum + count),
            Err(Stop::Errno(_)) if sum > 0 => break,
            Err(stop) => return Err(stop),
        }
    }
    Ok(sum)
}

pub(super) fn fd_write(call: &Call<'_>, fd: u32, iovs: Addr, count: u32, written: Addr) -> Outcome {
    gathered(call, fd, iovs, count, At::Position, written)
}

pub(super) fn fd_pwrite(
    call: &Call<'_>,
    fd: u32,
    iovs: Addr,
    count: u32,
    offset: u64,
    written: Addr,
) -> Outcome {
    gathered(call, fd, iovs, count, At::Offset(offset), written)
}

fn gathered(call: &Call<'_>, fd: u32, iovs: Addr, count: u32, at: At, written: Addr) -> Outcome {
    call.check(iovs, 1)?;
    call.check(written, 4)?;
    let buffers = call.buffers(iovs, count)?;
    let descriptor = call.ctx.fds.get_with(fd, Rights::FD_WRITE)?;
    // SAFETY: `buffers` checked every buffer against the guest's memory, which no guest code runs
    // to shrink or move meanwhile, and left out the part beyond the system's limit.
    let done = unsafe { write(call, &descriptor, buffers.as_slice(), at) }?;
    call.write_u32(written, done as u32)
}

pub(super) fn fd_seek(
    call: &Call<'_>,
    fd: u32,
    offset: u64,
    whence: u32,
    position: Addr,
) -> Outcome {
    call.check(position, 8)?;
    let offset = offset as i64;
    let tells = offset == 0 && whence == 1;
    let rights = if tells { Rights::FD_TELL } else { Rights::FD_TELL.with(Rights::FD_SEEK) };
    let descriptor = call.ctx.fds.get_with(fd, rights)?;
    let whence = match whence {
        0 => fd::Whence::Start,
        1 => fd::Whence::Current,
        2 => fd::Whence::End,
        _ => return Err(Errno::Invalid.into()),
    };
    call.write_u64(position, os(fd::seek(descriptor.as_fd(), offset, whence))?)
}

pub(super) fn fd_tell(call: &Call<'_>, fd: u32, position: Addr) -> Outcome {
    fd_seek(call, fd, 0, 1, position)
}

pub(super) fn fd_close(call: &Call<'_>, fd: u32) -> Outcome {
    call.ctx.fds.close(fd)
}

pub(super) fn fd_renumber(call: &Call<'_>, from: u32, to: u32) -> Outcome {
    call.ctx.fds.renumber(from, to)
}

pub(super) fn fd_sync(call: &Call<'_>, fd: u32) -> Outcome {
    let descriptor = call.ctx.fds.get_with(fd, Rights::FD_SYNC)?;
    pieces::flush(call, &descriptor)?;
    os(fd::sync(descriptor.as_fd()))
}

pub(super) fn fd_datasync(call: &Call<'_>, fd: u32) -> Outcome {
    let descriptor = call.ctx.fds.get_with(fd, Rights::FD_DATASYNC)?;
    pieces::flush(call, &descriptor)?;
    os(fd::sync_data(descriptor.as_fd()))
}

pub(super) fn fd_advise(call: &Call<'_>, fd: u32, offset: u64, len: u64, advice: u32) -> Outcome {
    let descriptor = call.ctx.fds.get_with(fd, Rights::FD_ADVISE)?;
    if descriptor.file_type == FileType::Directory {
        return Err(Errno::BadFd.into());
    }
    let advice = match advice {
        0 => fd::Advice::Normal,
        1 => fd::Advice::Sequential,
        2 => fd::Advice::Random,
        3 => fd::Advice::WillNeed,
        4 => fd::Advice::DontNeed,
        5 => fd::Advice::NoReuse,
        _ => return Err(Errno::Invalid.into()),
    };
    pieces::advise(call, &descriptor, offset, len, advice)
}

pub(super) fn fd_allocate(call: &Call<'_>, fd: u32, offset: u64, len: u64) -> Outcome {
    let descriptor = call.ctx.fds.get_with(fd, Rights::FD_ALLOCATE)?;
    // However much that is, finding it can be stopped.
    call.interruptible(|| fd::allocate(descriptor.as_fd(), offset, len))
}

pub(super) fn fd_fdstat_get(call: &Call<'_>, fd: u32, stat: Addr) -> Outcome {
    call.check(stat, FDSTAT_BYTES)?;
    let entry = call.ctx.fds.get(fd)?;
    let flags = entry.descriptor.flags()?;
    let bit = |on: bool, flag: u16| if on { flag } else { 0 };
    // Where O_SYNC is set, so are O_DSYNC and O_RSYNC, which is the same bit on Linux.
    let flags = bit(flags.append, fdflags::APPEND)
        | bit(flags.data_sync, fdflags::DSYNC)
        | bit(flags.nonblock, fdflags::NONBLOCK)
        | bit(flags.sync, fdflags::SYNC | fdflags::RSYNC);
    let file_type = entry.descriptor.file_type;
    let (rights, inheriting) = (entry.rights, entry.inheriting);
    call.write(stat, &FdStat { file_type, flags, rights, inheriting }.to_bytes())
}

pub(super) fn fd_fdstat_set_flags(call: &Call<'_>, fd: u32, flags: u32) -> Outcome {
    known(flags, fdflags::ALL)?;
    let descriptor = call.ctx.fds.get_with(fd, Rights::FD_FDSTAT_SET_FLAGS)?;
    let has = |flag: u16| flags as u16 & flag != 0;
    // How a file is synchronised is decided when it is opened: POSIX systems do not change it.
    let now = descriptor.flags()?;
    let sync = has(fdflags::SYNC | fdflags::RSYNC);
    if (sync && !now.sync) || (has(fdflags::DSYNC) && !now.data_sync) {
        return Err(Errno::Invalid.into());
    }
    descriptor.set_flags(has(fdflags::NONBLOCK), has(fdflags::APPEND))
}

pub(super) fn fd_fdstat_set_rights(
    call: &Call<'_>,
    fd: u32,
    rights: u64,
    inheriting: u64,
) -> Outcome {
    call.ctx.fds.restrict(fd, Rights(rights), Rights(inheriting))
}

pub(super) fn fd_filestat_get(call: &Call<'_>, fd: u32, stat: Addr) -> Outcome {
    call.check(stat, FILESTAT_BYTES)?;
    let found = file_stat(call, fd)?;
    call.write(stat, &found.to_bytes())
}

pub(super) fn file_stat(call: &Call<'_>, fd: u32) -> Outcome<FileStat> {
    let descriptor = call.ctx.fds.get_with(fd, Rights::FD_FILESTAT_GET)?;
    let found = os(fd::stat(descriptor.as_fd()))?;
    Ok(FileStat {
        device: found.device,
        inode: found.inode,
        file_type: found.kind.into(),
        links: found.links,
        size: found.size,
        accessed: found.accessed,
        modified: found.modified,
        changed: found.changed,
    })
}

pub(super) fn fd_filestat_set_size(call: &Call<'_>, fd: u32, size: u64) -> Outcome {
    let descriptor = call.ctx.fds.get_with(fd, Rights::FD_FILESTAT_SET_SIZE)?;
    pieces::set_size(call, &descriptor, size)
}

pub(super) fn fd_filestat_set_times(
    call: &Call<'_>,
    fd: u32,
    accessed: u64,
    modified: u64,
    flags: u32,
) -> Outcome {
    let times = NewTimes::new(accessed, modified, flags)?;
    let descriptor = call.ctx.fds.get_with(fd, Rights::FD_FILESTAT_SET_TIMES)?;
    os(fd::set_times(descriptor.as_fd(), times.accessed.0, times.modified.0))
}
