//! Reads and writes in another manner than the open file's flags say, which are everybody's who
//! has that file: at once or not at all, and at the end.

use super::unix::{Buffer, last_error, poll, read, seek, write};
use super::{At, Interest, Poll, Result, Whence};
use std::ffi::c_int;

/// As [`read()`] at the position, but it fails with `EAGAIN` where that would wait.
///
/// # Safety
/// Every buffer is writable, and there are at most [`BUFFERS_MAX`](super::BUFFERS_MAX).
pub unsafe fn read_now(fd: i32, buffers: &[Buffer]) -> Result<usize> {
    if total(buffers) == 0 {
        // SAFETY: the caller vouches for the buffers.
        return unsafe { read(fd, buffers, At::Position) };
    }
    let mut message = message(buffers);
    // SAFETY: the caller vouches for the buffers, and the message names nothing else.
    let received = unsafe { libc::recvmsg(fd, &raw mut message, libc::MSG_DONTWAIT) };
    match usize::try_from(received).map_err(|_| last_error()) {
        Err(libc::ENOTSOCK) => {}
        answer => return answer,
    }
    // SAFETY: the caller vouches for the buffers.
    let done = unsafe { flagged_read(fd, buffers) };
    if !is_missing(done) {
        return done;
    }
    ready(fd, Interest::Read)?;
    // SAFETY: the caller vouches for the buffers.
    unsafe { read(fd, buffers, At::Position) }
}

/// As [`write()`] at the position, but where that would wait it writes less, or nothing and fails
/// with `EAGAIN`.
///
/// # Safety
/// Every buffer is readable, and there are at most [`BUFFERS_MAX`](super::BUFFERS_MAX).
pub unsafe fn write_now(fd: i32, buffers: &[Buffer]) -> Result<usize> {
    if total(buffers) == 0 {
        // SAFETY: the caller vouches for the buffers.
        return unsafe { write(fd, buffers, At::Position) };
    }
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    let message = message(buffers);
    // SAFETY: the caller vouches for the buffers, and the message names nothing else.
    let sent = unsafe { libc::sendmsg(fd, &raw const message, flags) };
    match usize::try_from(sent).map_err(|_| last_error()) {
        Err(libc::ENOTSOCK) => {}
        answer => return answer,
    }
    // SAFETY: the caller vouches for the buffers.
    let done = unsafe { flagged_write(fd, buffers, NOWAIT) };
    if !is_missing(done) {
        return done;
    }
    ready(fd, Interest::Write)?;
    // A pipe that is ready has room for so much, and would wait for more.
    let cut = first(buffers, libc::PIPE_BUF);
    let buffers =
        if total(buffers) > libc::PIPE_BUF { std::slice::from_ref(&cut) } else { buffers };
    // SAFETY: the caller vouches for the buffers; the cut one is a part of one of them.
    unsafe { write(fd, buffers, At::Position) }
}

/// Writes at the end of a file, where the position is afterwards.
///
/// # Safety
/// Every buffer is readable, and there are at most [`BUFFERS_MAX`](super::BUFFERS_MAX).
pub unsafe fn append(fd: i32, buffers: &[Buffer]) -> Result<usize> {
    // SAFETY: the caller vouches for the buffers.
    let done = unsafe { flagged_write(fd, buffers, APPEND) };
    if !is_missing(done) {
        return done;
    }
    // Two steps where the system has none for both.
    seek(fd, 0, Whence::End)?;
    // SAFETY: the caller vouches for the buffers.
    unsafe { write(fd, buffers, At::Position) }
}

fn total(buffers: &[Buffer]) -> usize {
    buffers.iter().fold(0, |sum: usize, buffer| sum.saturating_add(buffer.len()))
}

/// The first buffer that is not empty, up to `most` bytes of it.
fn first(buffers: &[Buffer], most: usize) -> Buffer {
    let found = buffers.iter().find(|buffer| buffer.len() > 0).copied();
    let found = found.unwrap_or(Buffer::new(std::ptr::null_mut(), 0));
    Buffer::new(found.start(), found.len().min(most))
}

/// Whether something can be done at once, if only failing.
fn ready(fd: i32, interest: Interest) -> Result<()> {
    match poll(&mut [Poll::new(fd, interest)], 0)? {
        0 => Err(libc::EAGAIN),
        _ => Ok(()),
    }
}

/// A message for no particular address, without control data.
fn message(buffers: &[Buffer]) -> libc::msghdr {
    // SAFETY: numbers and pointers, for which zero is a value.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = buffers.as_ptr().cast_mut().cast();
    message.msg_iovlen = buffers.len() as _;
    message
}

/// Whether the system, or this kind of file, has no such flags.
fn is_missing(done: Result<usize>) -> bool {
    matches!(done, Err(libc::EOPNOTSUPP | libc::ENOSYS))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const NOWAIT: c_int = libc::RWF_NOWAIT;
#[cfg(any(target_os = "linux", target_os = "android"))]
const APPEND: c_int = libc::RWF_APPEND;
/// For the position instead of an offset.
#[cfg(any(target_os = "linux", target_os = "android"))]
const POSITION: libc::off_t = -1;

#[cfg(any(target_os = "linux", target_os = "android"))]
unsafe fn flagged_read(fd: i32, buffers: &[Buffer]) -> Result<usize> {
    let (list, count) = (buffers.as_ptr().cast(), buffers.len() as c_int);
    // SAFETY: the caller vouches for the buffers; the list is a slice of `iovec`s.
    let done = unsafe { libc::preadv2(fd, list, count, POSITION, NOWAIT) };
    usize::try_from(done).map_err(|_| last_error())
}

#[cfg(any(target_os = "linux", target_os = "android"))]
unsafe fn flagged_write(fd: i32, buffers: &[Buffer], flags: c_int) -> Result<usize> {
    let (list, count) = (buffers.as_ptr().cast(), buffers.len() as c_int);
    // SAFETY: the caller vouches for the buffers; the list is a slice of `iovec`s.
    let done = unsafe { libc::pwritev2(fd, list, count, POSITION, flags) };
    usize::try_from(done).map_err(|_| last_error())
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
const NOWAIT: c_int = 0;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const APPEND: c_int = 0;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
unsafe fn flagged_read(_fd: i32, _buffers: &[Buffer]) -> Result<usize> {
    Err(libc::ENOSYS)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
unsafe fn flagged_write(_fd: i32, _buffers: &[Buffer], _flags: c_int) -> Result<usize> {
    Err(libc::ENOSYS)
}
