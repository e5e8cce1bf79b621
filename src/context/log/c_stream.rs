//! C's standard output, whose buffer the embedder writes to as well.
//!
//! When the buffer is written to a pipe without a reader, the system sends a signal that would end
//! the process. The signal is suppressed where the buffer may be written out; most writes only fill
//! it, and cost no system call.

use crate::instance::OutputWait;
use crate::platform::poll::would_wait;
use crate::platform::quiet::quietly;
use std::ffi::c_int;
use std::io;

/// Writes to C's standard output.
pub(super) fn write(bytes: &[u8]) -> io::Result<usize> {
    let stream = lock::Stream::new();
    if stream.takes(bytes) { print(bytes) } else { print_quietly(bytes) }
}

/// Writes the bytes to C's standard output, unless that would block.
pub(super) fn try_write(bytes: &[u8]) -> Result<io::Result<()>, OutputWait> {
    let Some(stream) = lock::Stream::try_new() else { return Err(OutputWait::Writer) };
    let takes = stream.takes(bytes);
    if !takes && would_wait(stream.descriptor()) {
        return Err(OutputWait::Descriptor(stream.descriptor()));
    }
    let mut left = bytes;
    while !left.is_empty() {
        let written = if takes { print(left) } else { print_quietly(left) };
        match written {
            Ok(len) => left = &left[len..],
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(()))
}

fn print_quietly(bytes: &[u8]) -> io::Result<usize> {
    quietly(|| print(bytes), |written| matches!(written, Ok(len) if *len == bytes.len()))
}

/// `printf` is the way to C's `stdout` that needs no name of a C variable, which differs from
/// system to system. It ends at a NUL, so those are written one by one.
fn print(bytes: &[u8]) -> io::Result<usize> {
    let len = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    let shown = c_int::try_from(len).unwrap_or(c_int::MAX);
    // SAFETY: the format takes a length and that many bytes at most, which are readable.
    let written = unsafe { libc::printf(c"%.*s".as_ptr(), shown, bytes.as_ptr()) };
    if written < 0 {
        return Err(io::Error::last_os_error());
    }
    if len == bytes.len() {
        return Ok(len);
    }
    // SAFETY: a plain number.
    if unsafe { libc::putchar(0) } < 0 { Err(io::Error::last_os_error()) } else { Ok(len + 1) }
}

#[cfg(all(target_os = "linux", target_env = "gnu", not(miri)))]
mod lock {
    //! glibc's own information about its buffer.

    use std::ffi::c_int;

    unsafe extern "C" {
        /// Owner: the process, whose C library it is.
        static stdout: *mut libc::FILE;
        fn flockfile(stream: *mut libc::FILE);
        fn ftrylockfile(stream: *mut libc::FILE) -> c_int;
        fn funlockfile(stream: *mut libc::FILE);
        fn __flbf(stream: *mut libc::FILE) -> c_int;
        fn __fbufsize(stream: *mut libc::FILE) -> usize;
        fn __fpending(stream: *mut libc::FILE) -> usize;
    }

    /// Nobody else writes to the stream while this lives.
    pub(super) struct Stream(*mut libc::FILE);

    impl Stream {
        pub(super) fn new() -> Self {
            // SAFETY: glibc's variable, which programs change before they have threads, if at all;
            // the stream that it names is open.
            unsafe {
                let stream = stdout;
                flockfile(stream);
                Self(stream)
            }
        }

        /// `None` while another thread writes.
        pub(super) fn try_new() -> Option<Self> {
            // SAFETY: glibc's variable, which programs change before they have threads, if at all;
            // the stream that it names is open.
            unsafe {
                let stream = stdout;
                (ftrylockfile(stream) == 0).then_some(Self(stream))
            }
        }

        /// Whether these bytes only go into the buffer. The end of a line may send it on.
        pub(super) fn takes(&self, bytes: &[u8]) -> bool {
            // SAFETY: the stream is open, and its lock is this thread's.
            let (by_lines, pending, size) =
                unsafe { (__flbf(self.0) != 0, __fpending(self.0), __fbufsize(self.0)) };
            pending.saturating_add(bytes.len()) < size && !(by_lines && bytes.contains(&b'\n'))
        }

        pub(super) fn descriptor(&self) -> c_int {
            // SAFETY: the stream is open, or has no descriptor and says so.
            unsafe { libc::fileno(self.0) }
        }
    }

    impl Drop for Stream {
        fn drop(&mut self) {
            // SAFETY: `new` locked the stream, on this thread.
            unsafe { funlockfile(self.0) };
        }
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu", not(miri))))]
mod lock {
    //! Nothing is known of the buffer.

    pub(super) struct Stream;

    impl Stream {
        pub(super) fn new() -> Self {
            Self
        }

        pub(super) fn try_new() -> Option<Self> {
            Some(Self)
        }

        pub(super) fn takes(&self, _bytes: &[u8]) -> bool {
            false
        }

        pub(super) fn descriptor(&self) -> std::ffi::c_int {
            crate::platform::poll::STDOUT
        }
    }
}
