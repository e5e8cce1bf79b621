//! Address ranges in whole pages, from `mmap`.

#[cfg(isothread_jit)]
use std::fs::File;
use std::io;
#[cfg(isothread_jit)]
use std::os::fd::AsRawFd;
use std::ptr::{self, NonNull};

/// Shorter ranges are cleared by writing to them: a system call, the faults that follow and the
/// kernel's own clearing cost more.
const ZERO_BY_HAND_MAX: usize = 32 * 1024;

/// Bytes in a page.
pub fn page_size() -> usize {
    // nix's function sets `errno` to 0, which the embedder may want to look at.
    // SAFETY: no arguments that could be wrong.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    // POSIX requires an answer; 4 KiB stands in for a missing one.
    usize::try_from(size).unwrap_or(4096)
}

fn checked(result: i32) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Reserves addresses without memory behind them; touching them faults. `len` is a multiple of
/// the page size and not zero.
pub fn reserve(len: usize) -> io::Result<NonNull<u8>> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new mapping at a place of the kernel's choice affects no existing one.
    let start = unsafe { libc::mmap(ptr::null_mut(), len, libc::PROT_NONE, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(start.cast()).ok_or_else(io::Error::last_os_error)
}

/// Makes reserved pages readable and writable. Pages that were never committed, or decommitted
/// since, read as zero.
///
/// # Safety
/// The pages belong to a reservation of the caller's.
pub unsafe fn commit(start: *mut u8, len: usize) -> io::Result<()> {
    // SAFETY: the caller owns the pages; more access cannot break their uses.
    checked(unsafe { libc::mprotect(start.cast(), len, libc::PROT_READ | libc::PROT_WRITE) })
}

/// Maps the first `len` bytes of a file, which are not none, for reading. The rest of the last page
/// is zero. Changes of the file may be seen or not; where it has become shorter, reading ends the
/// process.
#[cfg(isothread_jit)]
pub fn map_file(file: &File, len: usize) -> io::Result<NonNull<u8>> {
    let (protection, flags) = (libc::PROT_READ, libc::MAP_PRIVATE);
    // SAFETY: a new mapping at a place of the kernel's choice affects no existing one.
    let start = unsafe { libc::mmap(ptr::null_mut(), len, protection, flags, file.as_raw_fd(), 0) };
    if start == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(start.cast()).ok_or_else(io::Error::last_os_error)
}

/// Makes committed or mapped pages executable, and no longer writable.
///
/// # Safety
/// The pages are the caller's, and nobody writes to them any more.
#[cfg(isothread_jit)]
pub unsafe fn make_executable(start: *mut u8, len: usize) -> io::Result<()> {
    // SAFETY: the caller owns the pages, and nobody relies on writing to them.
    checked(unsafe { libc::mprotect(start.cast(), len, libc::PROT_READ | libc::PROT_EXEC) })
}

/// Makes pages inaccessible again and gives their memory back.
///
/// # Safety
/// The pages belong to a reservation of the caller's, and nobody uses their contents any more.
pub unsafe fn decommit(start: *mut u8, len: usize) -> io::Result<()> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED;
    // SAFETY: a fresh mapping over pages that the caller owns and that nobody uses.
    let mapped = unsafe { libc::mmap(start.cast(), len, libc::PROT_NONE, flags, -1, 0) };
    if mapped == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Makes committed pages read as zero, giving back memory where that is cheaper than writing.
///
/// # Safety
/// The pages are committed, of a reservation of the caller's, and nobody uses their contents.
pub unsafe fn zero(start: *mut u8, len: usize) -> io::Result<()> {
    if len <= ZERO_BY_HAND_MAX || !cfg!(any(target_os = "linux", target_os = "android")) {
        // SAFETY: committed pages are writable, and the caller owns them.
        unsafe { start.write_bytes(0, len) };
        return Ok(());
    }
    // SAFETY: the pages are the caller's, who does not use their contents. On Linux private
    // anonymous pages are zero after this; other systems may keep the old contents.
    checked(unsafe { libc::madvise(start.cast(), len, libc::MADV_DONTNEED) })
}

/// Ends a reservation, or whole pages of it.
///
/// # Safety
/// The pages belong to a reservation of the caller's, and nobody uses them any more.
pub unsafe fn release(start: *mut u8, len: usize) -> io::Result<()> {
    // SAFETY: the caller owns the pages and nobody uses them.
    checked(unsafe { libc::munmap(start.cast(), len) })
}
