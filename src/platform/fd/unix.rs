//! Descriptors of POSIX systems.

use super::super::unwind::Held;
use super::{Advice, At, Flags, Interrupted, Kind, Medium, Poll, Result, Stat, Time, Whence};
use crate::platform::quiet::quietly;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{SockType, getsockopt, sockopt};
use nix::sys::stat::{FileStat, fstat, futimens};
use nix::sys::time::TimeSpec;
use nix::unistd;
use std::ffi::{c_int, c_void};
use std::io::IsTerminal;
use std::os::fd::{AsRawFd, BorrowedFd};

/// A buffer for [`read()`] and [`write()`], laid out as the system wants it.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Buffer(libc::iovec);

impl Buffer {
    pub fn new(start: *mut u8, len: usize) -> Self {
        Self(libc::iovec { iov_base: start.cast(), iov_len: len })
    }

    pub fn len(&self) -> usize {
        self.0.iov_len
    }

    fn start(&self) -> *mut u8 {
        self.0.iov_base.cast()
    }

    /// The buffer without its first `count` bytes; nothing if there are no more.
    pub fn after(&self, count: usize) -> Self {
        let count = count.min(self.len());
        Self::new(self.start().wrapping_add(count), self.len() - count)
    }

    /// The buffer in pieces of `most` bytes, but for the last; none of an empty one.
    pub fn pieces(self, most: usize) -> impl Iterator<Item = Self> {
        (0..self.len()).step_by(most.max(1)).map(move |from| {
            let start = self.start().wrapping_add(from);
            Self::new(start, (self.len() - from).min(most))
        })
    }
}

/// # Safety
/// Every buffer is writable, and there are at most [`BUFFERS_MAX`](super::BUFFERS_MAX).
pub unsafe fn read(fd: BorrowedFd<'_>, buffers: &[Buffer], at: At) -> Result<usize> {
    let (fd, list, count) = (fd.as_raw_fd(), buffers.as_ptr().cast(), buffers.len() as c_int);
    // SAFETY: the caller vouches for the buffers; the list is a slice of `iovec`s.
    let done = unsafe {
        match at {
            At::Position => libc::readv(fd, list, count),
            At::Offset(offset) => libc::preadv(fd, list, count, offset as libc::off_t),
        }
    };
    usize::try_from(done).map_err(|_| last_error())
}

/// Writes to a descriptor of this medium.
///
/// # Safety
/// Every buffer is readable, and there are at most [`BUFFERS_MAX`](super::BUFFERS_MAX).
pub unsafe fn write(
    fd: BorrowedFd<'_>,
    buffers: &[Buffer],
    at: At,
    medium: Medium,
) -> Result<usize> {
    // SAFETY: the caller vouches for the buffers.
    let write = || unsafe { write_loudly(fd, buffers, at) };
    let is_quiet = match medium {
        Medium::Device => true,
        Medium::File => !are_sizes_limited(),
        Medium::Pipe | Medium::Socket => false,
    };
    if is_quiet { write() } else { quietly(write, |done| is_whole(done, buffers)) }
}

/// Whether everything in `buffers` was written.
pub(super) fn is_whole(done: &Result<usize>, buffers: &[Buffer]) -> bool {
    *done == Ok(buffers.iter().map(Buffer::len).sum())
}

/// Writes, and lets a signal come with the error.
///
/// # Safety
/// Every buffer is readable, and there are at most [`BUFFERS_MAX`](super::BUFFERS_MAX).
pub(super) unsafe fn write_loudly(fd: BorrowedFd<'_>, buffers: &[Buffer], at: At) -> Result<usize> {
    let (fd, list, count) = (fd.as_raw_fd(), buffers.as_ptr().cast(), buffers.len() as c_int);
    // SAFETY: the caller vouches for the buffers; the list is a slice of `iovec`s.
    let done = unsafe {
        match at {
            At::Position => libc::writev(fd, list, count),
            At::Offset(offset) => libc::pwritev(fd, list, count, offset as libc::off_t),
        }
    };
    usize::try_from(done).map_err(|_| last_error())
}

/// Whether the process may not make files as large as it likes. Asked for every time, since others
/// may change it any time; the C library's function takes twice as long as the system's.
pub(super) fn are_sizes_limited() -> bool {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    // SAFETY: the call takes a number and writes one `rlimit`, which is the kernel's own there.
    let done =
        unsafe { libc::syscall(libc::SYS_getrlimit, libc::RLIMIT_FSIZE, &raw mut limit) == 0 };
    #[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
    // SAFETY: the call writes one `rlimit`.
    let done = unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut limit) == 0 };
    !done || limit.rlim_cur != libc::RLIM_INFINITY
}

/// Moves the position and returns it.
pub fn seek(fd: BorrowedFd<'_>, offset: i64, whence: Whence) -> Result<u64> {
    let whence = match whence {
        Whence::Start => unistd::Whence::SeekSet,
        Whence::Current => unistd::Whence::SeekCur,
        Whence::End => unistd::Whence::SeekEnd,
    };
    let position = unistd::lseek(fd, offset, whence).map_err(number)?;
    u64::try_from(position).map_err(|_| libc::EOVERFLOW)
}

pub fn stat(fd: BorrowedFd<'_>) -> Result<Stat> {
    let stat = fstat(fd).map_err(number)?;
    #[allow(clippy::unnecessary_cast, reason = "the fields' types differ between systems")]
    let stat = Stat {
        device: stat.st_dev as u64,
        inode: stat.st_ino as u64,
        kind: kind(fd, &stat),
        links: stat.st_nlink as u64,
        size: stat.st_size as u64,
        accessed: nanos(stat.st_atime, stat.st_atime_nsec),
        modified: nanos(stat.st_mtime, stat.st_mtime_nsec),
        changed: nanos(stat.st_ctime, stat.st_ctime_nsec),
    };
    Ok(stat)
}

#[allow(clippy::unnecessary_cast, reason = "as below")]
fn kind(fd: BorrowedFd<'_>, stat: &FileStat) -> Kind {
    if stat.st_mode & libc::S_IFMT != libc::S_IFSOCK {
        return kind_of_mode(stat.st_mode as u32);
    }
    match getsockopt(&fd, sockopt::SockType) {
        Ok(SockType::Datagram) => Kind::DatagramSocket,
        Ok(SockType::Stream) => Kind::Stream,
        _ => Kind::Unknown,
    }
}

/// A descriptor that cannot be queried may be of any kind.
pub fn medium(fd: BorrowedFd<'_>) -> Medium {
    let Ok(stat) = fstat(fd) else { return Medium::Pipe };
    match stat.st_mode & libc::S_IFMT {
        libc::S_IFREG | libc::S_IFDIR => Medium::File,
        libc::S_IFIFO => Medium::Pipe,
        libc::S_IFSOCK => Medium::Socket,
        _ => Medium::Device,
    }
}

/// A file's kind by its mode, which does not distinguish kinds of sockets.
#[allow(clippy::unnecessary_cast, reason = "the types of modes differ between systems")]
pub fn kind_of_mode(mode: u32) -> Kind {
    match mode as libc::mode_t & libc::S_IFMT {
        libc::S_IFBLK => Kind::BlockDevice,
        libc::S_IFCHR => Kind::CharacterDevice,
        libc::S_IFDIR => Kind::Directory,
        libc::S_IFREG => Kind::RegularFile,
        libc::S_IFIFO | libc::S_IFSOCK => Kind::Stream,
        libc::S_IFLNK => Kind::SymbolicLink,
        _ => Kind::Unknown,
    }
}

/// Nanoseconds since 1970; earlier times are 0, and times that do not fit the largest number.
fn nanos(seconds: libc::time_t, nanos: i64) -> u64 {
    let Ok(seconds) = u64::try_from(seconds) else { return 0 };
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos as u64)
}

/// Whether a descriptor is a terminal.
pub fn is_terminal(fd: BorrowedFd<'_>) -> bool {
    fd.is_terminal()
}

pub fn flags(fd: BorrowedFd<'_>) -> Result<Flags> {
    let bits = fcntl(fd, FcntlArg::F_GETFL).map_err(number)?;
    let access = bits & libc::O_ACCMODE;
    let has = |flag: c_int| bits & flag == flag;
    Ok(Flags {
        readable: access == libc::O_RDONLY || access == libc::O_RDWR,
        writable: access == libc::O_WRONLY || access == libc::O_RDWR,
        append: has(libc::O_APPEND),
        nonblock: has(libc::O_NONBLOCK),
        data_sync: has(libc::O_DSYNC),
        sync: has(libc::O_SYNC),
    })
}

/// Changes those flags that can be changed once a descriptor is open.
pub fn set_flags(fd: BorrowedFd<'_>, flags: Flags) -> Result<()> {
    let bit = |on: bool, flag: OFlag| if on { flag } else { OFlag::empty() };
    let bits = bit(flags.append, OFlag::O_APPEND)
        | bit(flags.nonblock, OFlag::O_NONBLOCK)
        | bit(flags.data_sync, OFlag::O_DSYNC)
        | bit(flags.sync, OFlag::O_SYNC);
    fcntl(fd, FcntlArg::F_SETFL(bits)).map(drop).map_err(number)
}

/// Writes a file's data and properties through to its device.
pub fn sync(fd: BorrowedFd<'_>) -> Result<()> {
    unistd::fsync(fd).map_err(number)
}

/// Writes a file's data through to its device.
pub fn sync_data(fd: BorrowedFd<'_>) -> Result<()> {
    #[cfg(not(target_vendor = "apple"))]
    let done = unistd::fdatasync(fd);
    #[cfg(target_vendor = "apple")]
    let done = unistd::fsync(fd);
    done.map_err(number)
}

/// Writes a range of a file to its device and waits for that, without the file's metadata.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn flush(fd: BorrowedFd<'_>, offset: u64, len: u64) -> Result<()> {
    let all = libc::SYNC_FILE_RANGE_WAIT_BEFORE
        | libc::SYNC_FILE_RANGE_WRITE
        | libc::SYNC_FILE_RANGE_WAIT_AFTER;
    // SAFETY: the descriptor is open while it is borrowed; the others are plain numbers.
    let done = unsafe { libc::sync_file_range(fd.as_raw_fd(), offset as _, len as _, all) };
    if done < 0 { Err(last_error()) } else { Ok(()) }
}

/// Not every system can.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn flush(_fd: BorrowedFd<'_>, _offset: u64, _len: u64) -> Result<()> {
    Err(libc::ENOSYS)
}

/// Cuts or extends a file.
pub fn set_size(fd: BorrowedFd<'_>, size: u64) -> Result<()> {
    let size = libc::off_t::try_from(size).map_err(|_| libc::EINVAL)?;
    quietly(|| unistd::ftruncate(fd, size), |done| done.is_ok()).map_err(number)
}

/// Sets when a file was last read and written.
pub fn set_times(fd: BorrowedFd<'_>, accessed: Time, modified: Time) -> Result<()> {
    let spec = |time| match time {
        Time::Keep => TimeSpec::UTIME_OMIT,
        Time::Now => TimeSpec::UTIME_NOW,
        Time::At(nanos) => {
            let seconds = (nanos / 1_000_000_000) as libc::time_t;
            TimeSpec::new(seconds, (nanos % 1_000_000_000) as _)
        }
    };
    futimens(fd, &spec(accessed), &spec(modified)).map_err(number)
}

/// Advises the system about the use of a range of a file.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
pub fn advise(fd: BorrowedFd<'_>, offset: u64, len: u64, advice: Advice) -> Result<()> {
    use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
    let advice = match advice {
        Advice::Normal => PosixFadviseAdvice::POSIX_FADV_NORMAL,
        Advice::Sequential => PosixFadviseAdvice::POSIX_FADV_SEQUENTIAL,
        Advice::Random => PosixFadviseAdvice::POSIX_FADV_RANDOM,
        Advice::WillNeed => PosixFadviseAdvice::POSIX_FADV_WILLNEED,
        Advice::DontNeed => PosixFadviseAdvice::POSIX_FADV_DONTNEED,
        Advice::NoReuse => PosixFadviseAdvice::POSIX_FADV_NOREUSE,
    };
    posix_fadvise(fd, offset as _, len as _, advice).map_err(number)
}

/// Advice that a system does not take is taken as read.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
pub fn advise(_fd: BorrowedFd<'_>, _offset: u64, _len: u64, _advice: Advice) -> Result<()> {
    Ok(())
}

/// Makes room for a range of a file, as far as the file's system does that itself: the C library
/// would write to every block where it does not. A signal ends it.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn allocate(fd: BorrowedFd<'_>, offset: u64, len: u64) -> Result<()> {
    use nix::fcntl::{FallocateFlags, fallocate};
    let allocate = || fallocate(fd, FallocateFlags::empty(), offset as _, len as _);
    quietly(allocate, |done| done.is_ok()).map_err(number)
}

/// Not every system can.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn allocate(_fd: BorrowedFd<'_>, _offset: u64, _len: u64) -> Result<()> {
    Err(libc::ENOSYS)
}

/// Whether connecting sends data along with the first packet.
#[cfg(target_os = "linux")]
pub fn fast_open(fd: BorrowedFd<'_>) -> Result<bool> {
    getsockopt(&fd, sockopt::TcpFastOpenConnect).map_err(number)
}

#[cfg(target_os = "linux")]
pub fn set_fast_open(fd: BorrowedFd<'_>, on: bool) -> Result<()> {
    nix::sys::socket::setsockopt(&fd, sockopt::TcpFastOpenConnect, &on).map_err(number)
}

/// Other systems have no such setting.
#[cfg(not(target_os = "linux"))]
pub fn fast_open(_fd: BorrowedFd<'_>) -> Result<bool> {
    Err(libc::ENOPROTOOPT)
}

#[cfg(not(target_os = "linux"))]
pub fn set_fast_open(_fd: BorrowedFd<'_>, _on: bool) -> Result<()> {
    Err(libc::ENOPROTOOPT)
}

/// Bytes that could be read at once, as far as the system reports it.
pub fn readable_bytes(fd: BorrowedFd<'_>) -> u64 {
    let mut bytes: c_int = 0;
    // SAFETY: the request writes one `c_int`.
    let done = unsafe { libc::ioctl(fd.as_raw_fd(), libc::FIONREAD, &raw mut bytes) };
    if done < 0 { 0 } else { bytes.max(0) as u64 }
}

/// As [`poll`], and the one place where a thread may be cancelled whose cancellation is `held` off.
pub fn wait(
    polls: &mut [Poll],
    timeout_ms: i32,
    held: &Held,
) -> std::result::Result<usize, Interrupted> {
    let args = [polls.as_mut_ptr().expose_provenance(), polls.len(), timeout_ms as usize, 0];
    // SAFETY: `poll` takes a list, its length and an `int`, which is read from the lower half.
    match unsafe { held.call(libc::poll as *const c_void, args) } {
        Ok(ready) => usize::try_from(ready as c_int).map_err(|_| Interrupted::Failed(last_error())),
        Err(unwinding) => Err(Interrupted::Cancelled(unwinding)),
    }
}

/// The system's number of an error; of one that has no name here, `EIO`.
fn number(error: Errno) -> i32 {
    match error {
        Errno::UnknownErrno => libc::EIO,
        error => error as i32,
    }
}

pub(super) fn last_error() -> i32 {
    Errno::last_raw()
}
