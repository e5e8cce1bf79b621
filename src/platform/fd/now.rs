//! Reads and writes in another mode than the open file's flags, which all its descriptors share: at
//! once or not at all, and at the end.

use super::unix::{Buffer, are_sizes_limited, is_whole, last_error, seek, write_loudly};
use super::{At, Result, Whence};
use crate::platform::quiet::quietly;
use std::ffi::c_int;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Reads available bytes without waiting. Not every system can, nor every kind of file: then the
/// error is `EOPNOTSUPP`, and nothing has happened.
///
/// # Safety
/// Every buffer is writable, and there are at most [`BUFFERS_MAX`](super::BUFFERS_MAX).
#[cfg(target_os = "linux")]
pub unsafe fn try_read(fd: BorrowedFd<'_>, buffers: &[Buffer]) -> Result<usize> {
    let (fd, list, count) = (fd.as_raw_fd(), buffers.as_ptr().cast(), buffers.len() as c_int);
    // SAFETY: the caller vouches for the buffers; the list is a slice of `iovec`s.
    let done = unsafe { libc::preadv2(fd, list, count, POSITION, libc::RWF_NOWAIT) };
    usize::try_from(done).map_err(|_| last_error())
}

/// Writes as many bytes as there is room for, as [`try_read`] reads.
///
/// # Safety
/// Every buffer is readable, and there are at most [`BUFFERS_MAX`](super::BUFFERS_MAX).
#[cfg(target_os = "linux")]
pub unsafe fn try_write(fd: BorrowedFd<'_>, buffers: &[Buffer]) -> Result<usize> {
    /// Sends no signal beside the error. Kernels that do not know it say so.
    const RWF_NOSIGNAL: c_int = 0x100;
    // SAFETY: the caller vouches for the buffers.
    let write = |flags| unsafe { flagged_write(fd, buffers, libc::RWF_NOWAIT | flags) };
    match write(RWF_NOSIGNAL) {
        Err(libc::EOPNOTSUPP) => quietly(|| write(0), |done| is_whole(done, buffers)),
        answer => answer,
    }
}

/// # Safety
/// Nothing is touched.
#[cfg(not(target_os = "linux"))]
pub unsafe fn try_read(_fd: BorrowedFd<'_>, _buffers: &[Buffer]) -> Result<usize> {
    Err(libc::EOPNOTSUPP)
}

/// # Safety
/// Nothing is touched.
#[cfg(not(target_os = "linux"))]
pub unsafe fn try_write(_fd: BorrowedFd<'_>, _buffers: &[Buffer]) -> Result<usize> {
    Err(libc::EOPNOTSUPP)
}

/// Writes at the end of a file, where the position is afterwards.
///
/// # Safety
/// Every buffer is readable, and there are at most [`BUFFERS_MAX`](super::BUFFERS_MAX).
pub unsafe fn append(fd: BorrowedFd<'_>, buffers: &[Buffer]) -> Result<usize> {
    // SAFETY: the caller vouches for the buffers.
    let append = || unsafe { append_loudly(fd, buffers) };
    if are_sizes_limited() { quietly(append, |done| is_whole(done, buffers)) } else { append() }
}

/// Appends, and lets a signal come with the error.
///
/// # Safety
/// Every buffer is readable, and there are at most [`BUFFERS_MAX`](super::BUFFERS_MAX).
unsafe fn append_loudly(fd: BorrowedFd<'_>, buffers: &[Buffer]) -> Result<usize> {
    #[cfg(target_os = "linux")]
    // SAFETY: the caller vouches for the buffers.
    match unsafe { flagged_write(fd, buffers, libc::RWF_APPEND) } {
        Err(libc::EOPNOTSUPP | libc::ENOSYS) => {}
        answer => return answer,
    }
    // Two steps where the system has none for both.
    seek(fd, 0, Whence::End)?;
    // SAFETY: the caller vouches for the buffers.
    unsafe { write_loudly(fd, buffers, At::Position) }
}

/// For the position instead of an offset.
#[cfg(target_os = "linux")]
const POSITION: libc::off_t = -1;

/// Writes in the manner that the flags say, and lets a signal come with the error.
///
/// # Safety
/// Every buffer is readable, and there are at most [`BUFFERS_MAX`](super::BUFFERS_MAX).
#[cfg(target_os = "linux")]
unsafe fn flagged_write(fd: BorrowedFd<'_>, buffers: &[Buffer], flags: c_int) -> Result<usize> {
    let (fd, list, count) = (fd.as_raw_fd(), buffers.as_ptr().cast(), buffers.len() as c_int);
    // SAFETY: the caller vouches for the buffers; the list is a slice of `iovec`s.
    let done = unsafe { libc::pwritev2(fd, list, count, POSITION, flags) };
    usize::try_from(done).map_err(|_| last_error())
}
