//! Reading, writing and moving in what descriptors stand for.

use super::abi::fdflags;
use super::abi::{Addr, FDSTAT_BYTES, FILESTAT_BYTES, FdStat, FileStat, FileType, Rights};
use super::attempt::{Patience, attempt, whole};
use super::call::{Call, Outcome, os};
use super::errno::Errno;
use super::fd_table::Descriptor;
use super::poll::until_ready;
use super::sock;
use super::times::NewTimes;
use crate::platform::fd::{self, At, Interest, Medium};

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
    if count == 0 {
        call.check(iovs, 1)?;
        call.check(read, 4)?;
        return Err(Errno::Invalid.into());
    }
    scattered(call, fd, iovs, count, At::Offset(offset), read)
}

fn scattered(call: &Call<'_>, fd: u32, iovs: Addr, count: u32, at: At, read: Addr) -> Outcome {
    call.check(iovs, 1)?;
    call.check(read, 4)?;
    let buffers = call.buffers(iovs, count)?;
    let descriptor = call.ctx.fds.get_with(fd, Rights::FD_READ)?;
    // SAFETY: `buffers` checked every buffer against the guest's memory, which no guest code
    // runs to shrink or move meanwhile, and left out what the system would not take.
    let done = unsafe { self::read(call, &descriptor, buffers.as_slice(), at) }?;
    call.write_u32(read, done as u32)
}

/// Whether something is waited for: not for nothing, and not at offsets, which only files have.
fn waits_for(buffers: &[fd::Buffer], at: At) -> bool {
    at == At::Position && buffers.iter().any(|buffer| buffer.len() > 0)
}

/// Reads once, when there is something.
///
/// # Safety
/// Every buffer is writable, and there are at most [`fd::BUFFERS_MAX`].
pub(super) unsafe fn read(
    call: &Call<'_>,
    descriptor: &Descriptor,
    buffers: &[fd::Buffer],
    at: At,
) -> Outcome<usize> {
    let medium = descriptor.medium();
    // SAFETY: the caller vouches for the buffers.
    let read = || unsafe { fd::read(descriptor.fd(), buffers, at) };
    if !waits_for(buffers, at) || medium == Medium::File {
        return call.blocking(descriptor, read);
    }
    if medium == Medium::Socket {
        // SAFETY: the caller vouches for the same of the same buffers.
        return unsafe { sock::read(call, descriptor, buffers) };
    }
    let mut patience = Patience::new(descriptor, Interest::Read, |_, _| Ok(None));
    let tried = attempt(call, &mut patience, || {
        // SAFETY: the caller vouches for the buffers.
        descriptor.attempt(|| unsafe { fd::try_read(descriptor.fd(), buffers) })
    })?;
    if let Some(done) = tried {
        return Ok(done);
    }
    until_ready(call, descriptor, Interest::Read, None)?;
    call.blocking(descriptor, read)
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
    let medium = descriptor.medium();
    // SAFETY: the caller vouches for the buffers.
    let write = || unsafe { fd::write(descriptor.fd(), buffers, at, medium) };
    if !waits_for(buffers, at) || medium == Medium::File {
        return call.blocking(descriptor, write);
    }
    if medium == Medium::Socket {
        // SAFETY: the caller vouches for the same of the same buffers.
        return unsafe { sock::write(call, descriptor, buffers) };
    }
    let mut patience = Patience::new(descriptor, Interest::Write, |_, _| Ok(None));
    let mut can_try = true;
    let tried = whole(buffers, |buffers| {
        let step = attempt(call, &mut patience, || {
            // SAFETY: the caller vouches for the buffers, of which these are a part.
            descriptor.attempt(|| unsafe { fd::try_write(descriptor.fd(), buffers) })
        });
        step.map(|step| {
            step.unwrap_or_else(|| {
                can_try = false;
                0
            })
        })
    })?;
    if can_try {
        return Ok(tried);
    }
    until_ready(call, descriptor, Interest::Write, None)?;
    call.blocking(descriptor, write)
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
    // SAFETY: as in `scattered`.
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
    let tells = offset == 0 && whence as u8 == 1;
    let rights = if tells { Rights::FD_TELL } else { Rights::FD_TELL.with(Rights::FD_SEEK) };
    let descriptor = call.ctx.fds.get_with(fd, rights)?;
    let whence = match whence as u8 {
        0 => fd::Whence::Start,
        1 => fd::Whence::Current,
        2 => fd::Whence::End,
        _ => return Err(Errno::Invalid.into()),
    };
    call.write_u64(position, os(fd::seek(descriptor.fd(), offset, whence))?)
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
    os(fd::sync(call.ctx.fds.get_with(fd, Rights::FD_SYNC)?.fd()))
}

pub(super) fn fd_datasync(call: &Call<'_>, fd: u32) -> Outcome {
    os(fd::sync_data(call.ctx.fds.get_with(fd, Rights::FD_DATASYNC)?.fd()))
}

pub(super) fn fd_advise(call: &Call<'_>, fd: u32, offset: u64, len: u64, advice: u32) -> Outcome {
    let descriptor = call.ctx.fds.get_with(fd, Rights::FD_ADVISE)?;
    if descriptor.file_type == FileType::Directory {
        return Err(Errno::BadFd.into());
    }
    let advice = match advice as u8 {
        0 => fd::Advice::Normal,
        1 => fd::Advice::Sequential,
        2 => fd::Advice::Random,
        3 => fd::Advice::WillNeed,
        4 => fd::Advice::DontNeed,
        5 => fd::Advice::NoReuse,
        _ => return Err(Errno::Invalid.into()),
    };
    os(fd::advise(descriptor.fd(), offset, len, advice))
}

pub(super) fn fd_allocate(call: &Call<'_>, fd: u32, offset: u64, len: u64) -> Outcome {
    os(fd::allocate(call.ctx.fds.get_with(fd, Rights::FD_ALLOCATE)?.fd(), offset, len))
}

pub(super) fn fd_fdstat_get(call: &Call<'_>, fd: u32, stat: Addr) -> Outcome {
    call.check(stat, FDSTAT_BYTES)?;
    let entry = call.ctx.fds.get(fd)?;
    let nonblock = !entry.descriptor.waits()?;
    let flags = fd::Flags { nonblock, ..os(fd::flags(entry.descriptor.fd()))? };
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
    let descriptor = call.ctx.fds.get_with(fd, Rights::FD_FDSTAT_SET_FLAGS)?;
    if let Some(own) = descriptor.own_socket() {
        // Sockets have no other flag.
        if flags & !u32::from(fdflags::NONBLOCK) != 0 {
            return Err(Errno::Invalid.into());
        }
        own.set_nonblocking(flags != 0);
        return Ok(());
    }
    let has = |flag: u16| flags as u16 & flag != 0;
    let flags = fd::Flags {
        append: has(fdflags::APPEND),
        nonblock: has(fdflags::NONBLOCK),
        data_sync: has(fdflags::DSYNC),
        sync: has(fdflags::SYNC | fdflags::RSYNC),
        ..fd::Flags::default()
    };
    os(fd::set_flags(descriptor.fd(), flags))
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
    let found = os(fd::stat(descriptor.fd()))?;
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
    os(fd::set_size(call.ctx.fds.get_with(fd, Rights::FD_FILESTAT_SET_SIZE)?.fd(), size))
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
    os(fd::set_times(descriptor.fd(), times.accessed.0, times.modified.0))
}
