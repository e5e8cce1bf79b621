//! Descriptors of POSIX systems.

use super::super::unwind::Held;
use super::{
    Advice, At, Flags, Interest, Interrupted, Kind, Medium, Readiness, Result, Stat, Time, Whence,
};
use crate::platform::quiet::quietly;
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
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
pub unsafe fn read(fd: i32, buffers: &[Buffer], at: At) -> Result<usize> {
    let (list, count) = (buffers.as_ptr().cast(), buffers.len() as c_int);
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
pub unsafe fn write(fd: i32, buffers: &[Buffer], at: At, medium: Medium) -> Result<usize> {
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
pub(super) unsafe fn write_loudly(fd: i32, buffers: &[Buffer], at: At) -> Result<usize> {
    let (list, count) = (buffers.as_ptr().cast(), buffers.len() as c_int);
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
pub fn seek(fd: i32, offset: i64, whence: Whence) -> Result<u64> {
    let whence = match whence {
        Whence::Start => libc::SEEK_SET,
        Whence::Current => libc::SEEK_CUR,
        Whence::End => libc::SEEK_END,
    };
    // SAFETY: plain numbers.
    let position = unsafe { libc::lseek(fd, offset, whence) };
    u64::try_from(position).map_err(|_| last_error())
}

pub fn stat(fd: i32) -> Result<Stat> {
    let mut stat = MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: `stat` has room for what the call writes.
    check(unsafe { libc::fstat(fd, stat.as_mut_ptr()) })?;
    // SAFETY: a `stat` is plain numbers, zeroed before and filled by the call.
    let stat = unsafe { stat.assume_init() };
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
fn kind(fd: i32, stat: &libc::stat) -> Kind {
    if stat.st_mode & libc::S_IFMT != libc::S_IFSOCK {
        return kind_of_mode(stat.st_mode as u32);
    }
    match socket_type(fd) {
        Ok(libc::SOCK_DGRAM) => Kind::DatagramSocket,
        Ok(libc::SOCK_STREAM) => Kind::Stream,
        _ => Kind::Unknown,
    }
}

/// What is not open may be anything.
pub fn medium(fd: i32) -> Medium {
    let mut stat = MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: `stat` has room for what the call writes.
    if check(unsafe { libc::fstat(fd, stat.as_mut_ptr()) }).is_err() {
        return Medium::Pipe;
    }
    // SAFETY: a `stat` is plain numbers, zeroed before and filled by the call.
    match unsafe { stat.assume_init() }.st_mode & libc::S_IFMT {
        libc::S_IFREG | libc::S_IFDIR => Medium::File,
        libc::S_IFIFO => Medium::Pipe,
        libc::S_IFSOCK => Medium::Socket,
        _ => Medium::Device,
    }
}

/// What a file's mode says about its kind; of sockets it does not say which.
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

fn socket_type(fd: i32) -> Result<c_int> {
    let mut kind: c_int = 0;
    let mut len = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: the option is one `c_int`, and `kind` has room for it.
    check(unsafe {
        libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_TYPE, (&raw mut kind).cast(), &raw mut len)
    })?;
    Ok(kind)
}

/// Nanoseconds since 1970; what came before is 0, what does not fit is the largest number.
fn nanos(seconds: libc::time_t, nanos: i64) -> u64 {
    let Ok(seconds) = u64::try_from(seconds) else { return 0 };
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos as u64)
}

/// Whether a descriptor is a terminal.
pub fn is_terminal(fd: i32) -> bool {
    // SAFETY: a plain number.
    unsafe { libc::isatty(fd) == 1 }
}

pub fn flags(fd: i32) -> Result<Flags> {
    // SAFETY: plain numbers; this command takes no argument.
    let bits = check(unsafe { libc::fcntl(fd, libc::F_GETFL) })?;
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

/// Changes what of the flags can be changed once a descriptor is open.
pub fn set_flags(fd: i32, flags: Flags) -> Result<()> {
    let bit = |on: bool, flag: c_int| if on { flag } else { 0 };
    let bits = bit(flags.append, libc::O_APPEND)
        | bit(flags.nonblock, libc::O_NONBLOCK)
        | bit(flags.data_sync, libc::O_DSYNC)
        | bit(flags.sync, libc::O_SYNC);
    // SAFETY: plain numbers; this command takes one.
    check(unsafe { libc::fcntl(fd, libc::F_SETFL, bits) }).map(drop)
}

/// Writes a file's data and properties through to its device.
pub fn sync(fd: i32) -> Result<()> {
    // SAFETY: a plain number.
    check(unsafe { libc::fsync(fd) }).map(drop)
}

/// Writes a file's data through to its device.
pub fn sync_data(fd: i32) -> Result<()> {
    // SAFETY: a plain number.
    #[cfg(not(target_vendor = "apple"))]
    let done = unsafe { libc::fdatasync(fd) };
    // SAFETY: a plain number.
    #[cfg(target_vendor = "apple")]
    let done = unsafe { libc::fsync(fd) };
    check(done).map(drop)
}

/// Writes a range of a file to its device and waits for it, without what it takes to find it there.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn flush(fd: i32, offset: u64, len: u64) -> Result<()> {
    let all = libc::SYNC_FILE_RANGE_WAIT_BEFORE
        | libc::SYNC_FILE_RANGE_WRITE
        | libc::SYNC_FILE_RANGE_WAIT_AFTER;
    // SAFETY: plain numbers.
    check(unsafe { libc::sync_file_range(fd, offset as _, len as _, all) }).map(drop)
}

/// Not every system can.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn flush(_fd: i32, _offset: u64, _len: u64) -> Result<()> {
    Err(libc::ENOSYS)
}

/// Cuts or extends a file.
pub fn set_size(fd: i32, size: u64) -> Result<()> {
    let size = libc::off_t::try_from(size).map_err(|_| libc::EINVAL)?;
    // SAFETY: plain numbers.
    quietly(|| check(unsafe { libc::ftruncate(fd, size) }).map(drop), Result::is_ok)
}

/// Sets when a file was last read and written.
pub fn set_times(fd: i32, accessed: Time, modified: Time) -> Result<()> {
    let spec = |time| {
        let (seconds, nanos) = match time {
            Time::Keep => (0, libc::UTIME_OMIT),
            Time::Now => (0, libc::UTIME_NOW),
            Time::At(nanos) => (nanos / 1_000_000_000, (nanos % 1_000_000_000) as _),
        };
        libc::timespec { tv_sec: seconds as libc::time_t, tv_nsec: nanos }
    };
    let times = [spec(accessed), spec(modified)];
    // SAFETY: the call reads two times.
    check(unsafe { libc::futimens(fd, times.as_ptr()) }).map(drop)
}

/// Tells the system how a range of a file will be used.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
pub fn advise(fd: i32, offset: u64, len: u64, advice: Advice) -> Result<()> {
    let advice = match advice {
        Advice::Normal => libc::POSIX_FADV_NORMAL,
        Advice::Sequential => libc::POSIX_FADV_SEQUENTIAL,
        Advice::Random => libc::POSIX_FADV_RANDOM,
        Advice::WillNeed => libc::POSIX_FADV_WILLNEED,
        Advice::DontNeed => libc::POSIX_FADV_DONTNEED,
        Advice::NoReuse => libc::POSIX_FADV_NOREUSE,
    };
    // SAFETY: plain numbers. The call returns the error number itself.
    match unsafe { libc::posix_fadvise(fd, offset as _, len as _, advice) } {
        0 => Ok(()),
        error => Err(error),
    }
}

/// Advice that a system does not take is taken as read.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
pub fn advise(_fd: i32, _offset: u64, _len: u64, _advice: Advice) -> Result<()> {
    Ok(())
}

/// Makes room for a range of a file, as far as the file's system does that itself: the C library
/// would write to every block where it does not. A signal ends it.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn allocate(fd: i32, offset: u64, len: u64) -> Result<()> {
    // SAFETY: plain numbers.
    let allocate = || check(unsafe { libc::fallocate(fd, 0, offset as _, len as _) }).map(drop);
    quietly(allocate, Result::is_ok)
}

/// Not every system can.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn allocate(_fd: i32, _offset: u64, _len: u64) -> Result<()> {
    Err(libc::ENOSYS)
}

/// Whether connecting sends data along with the first packet.
#[cfg(target_os = "linux")]
pub fn fast_open(fd: BorrowedFd<'_>) -> Result<bool> {
    let mut on: c_int = 0;
    let mut len = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: the option is one `c_int`, and `on` has room for it.
    check(unsafe {
        let to = (&raw mut on).cast();
        let option = libc::TCP_FASTOPEN_CONNECT;
        libc::getsockopt(fd.as_raw_fd(), libc::IPPROTO_TCP, option, to, &raw mut len)
    })?;
    Ok(on != 0)
}

#[cfg(target_os = "linux")]
pub fn set_fast_open(fd: BorrowedFd<'_>, on: bool) -> Result<()> {
    let on = c_int::from(on);
    let len = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: the option is one `c_int`.
    check(unsafe {
        let from = (&raw const on).cast();
        let option = libc::TCP_FASTOPEN_CONNECT;
        libc::setsockopt(fd.as_raw_fd(), libc::IPPROTO_TCP, option, from, len)
    })
    .map(drop)
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

/// Bytes that could be read at once, as far as the system tells.
pub fn readable_bytes(fd: i32) -> u64 {
    let mut bytes: c_int = 0;
    // SAFETY: the request writes one `c_int`.
    let done = unsafe { libc::ioctl(fd, libc::FIONREAD, &raw mut bytes) };
    if done < 0 { 0 } else { bytes.max(0) as u64 }
}

/// Whether [`poll`] knows what descriptors are ready for.
pub const CAN_POLL: bool = true;

/// [`poll`]'s error when a signal came.
pub const INTERRUPTED: i32 = libc::EINTR;

/// One descriptor to wait for; its number is negative for none.
#[repr(transparent)]
pub struct Poll(libc::pollfd);

impl Poll {
    pub fn new(fd: i32, interest: Interest) -> Self {
        let events = match interest {
            Interest::Read => libc::POLLIN,
            Interest::Write => libc::POLLOUT,
        };
        Self(libc::pollfd { fd, events, revents: 0 })
    }

    pub fn none() -> Self {
        Self(libc::pollfd { fd: -1, events: 0, revents: 0 })
    }

    pub fn readiness(&self) -> Readiness {
        let has = |event| self.0.revents & event != 0;
        if self.0.fd < 0 {
            Readiness::NotYet
        } else if has(libc::POLLNVAL) {
            Readiness::NotOpen
        } else if has(libc::POLLERR) {
            Readiness::Failed
        } else if has(libc::POLLHUP) {
            Readiness::HangUp
        } else if has(libc::POLLIN | libc::POLLOUT) {
            Readiness::Ready
        } else {
            Readiness::NotYet
        }
    }
}

/// Waits until one of `polls` is ready, at most so long; returns how many are.
pub fn poll(polls: &mut [Poll], timeout_ms: i32) -> Result<usize> {
    // SAFETY: the list is a slice of `pollfd`s.
    let ready =
        unsafe { libc::poll(polls.as_mut_ptr().cast(), polls.len() as libc::nfds_t, timeout_ms) };
    usize::try_from(ready).map_err(|_| last_error())
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

pub(super) fn check(answer: c_int) -> Result<c_int> {
    if answer < 0 { Err(last_error()) } else { Ok(answer) }
}

pub(super) fn last_error() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}
