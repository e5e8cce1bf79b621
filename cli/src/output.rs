//! The standard output, and its end.
//!
//! All that the command prints goes through C's buffer: results, log lines, and the text of guests
//! that print with the built-in C library. So does the stdio of native libraries, and everything
//! comes out in order. WASI's programs write past the buffer, which is flushed before they do; as
//! long as nothing is in it, that asks nothing of the system.
//!
//! When its output has no reader any more, the command ends as others do: by the signal SIGPIPE.
//! That is ignored while guests run, whose call gets an error. Other failures of the output are
//! reported once, and the exit code is not zero.

use isothread::context::log::Output;
use std::fmt::Arguments;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// The exit code instead of 0 when output was lost.
const FAILED_OUTPUT: u8 = 1;

/// Whether output was lost. Owner: the process.
static FAILED: AtomicBool = AtomicBool::new(false);

/// Whether SIGPIPE was ignored before the command began to: a closed pipe is then an error like
/// others. Owner: the process.
static PIPE_IGNORED: AtomicBool = AtomicBool::new(false);

unsafe extern "C" {
    /// Owner: the process, whose C library it belongs to.
    #[cfg_attr(target_vendor = "apple", link_name = "__stdoutp")]
    static stdout: *mut libc::FILE;
}

/// Ignores SIGPIPE: writing without a reader is an error then, and not the process's end.
#[cfg_attr(test, allow(dead_code, reason = "it belongs to the command's own start"))]
pub fn ignore_pipe_signal() {
    // SAFETY: no handler is set, and no other thread runs yet.
    let before = unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    PIPE_IGNORED.store(before == libc::SIG_IGN, Ordering::Relaxed);
}

/// Writes to the standard output, at once.
pub fn print(text: Arguments<'_>) {
    write(text.to_string().as_bytes());
    flush();
}

/// Writes to the standard output's buffer.
pub fn write(bytes: &[u8]) {
    if let Err(error) = Output::C.write_all(bytes) {
        failed(&error);
    }
}

/// Flushes the buffer.
pub fn flush() {
    // SAFETY: C's own stream, which nobody closes while guests run.
    if unsafe { libc::fflush(stdout) } != 0 {
        failed(&io::Error::last_os_error());
    }
}

/// Whether output was lost.
pub fn has_failed() -> bool {
    FAILED.load(Ordering::Relaxed)
}

/// Writes to the standard error, after flushing the standard output.
pub fn error(text: &str) {
    flush();
    if io::stderr().write_all(text.as_bytes()).is_err() {
        // The exit code alone can report this failure.
        FAILED.store(true, Ordering::Relaxed);
    }
}

/// The command's exit code, when all is written and the program's is `code`.
pub fn finish(code: u8) -> u8 {
    flush();
    // SAFETY: C's own stream, which nobody closes while guests run.
    let lost = unsafe { libc::ferror(stdout) } != 0;
    if lost && !has_failed() {
        // Log lines and native libraries keep the reason to themselves.
        failed(&io::Error::other("output was lost"));
    }
    if has_failed() && code == 0 { FAILED_OUTPUT } else { code }
}

#[cold]
fn failed(error: &io::Error) {
    let ignored = PIPE_IGNORED.load(Ordering::Relaxed);
    if !ignored && (error.raw_os_error() == Some(libc::EPIPE) || is_unread()) {
        end_by_signal();
    }
    if !FAILED.swap(true, Ordering::Relaxed) {
        // As in `error`.
        let _ = writeln!(io::stderr(), "iwasm: cannot write to the standard output: {error}");
    }
}

/// Whether the standard output is a pipe without a reader.
fn is_unread() -> bool {
    let mut poll = libc::pollfd { fd: libc::STDOUT_FILENO, events: 0, revents: 0 };
    // SAFETY: one structure, which is here.
    unsafe { libc::poll(&mut poll, 1, 0) == 1 && poll.revents & libc::POLLERR != 0 }
}

/// Ends the process as SIGPIPE does where it is not ignored.
fn end_by_signal() -> ! {
    // SAFETY: sets and raises a signal; the set of signals is filled before it is used.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGPIPE);
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut());
        libc::raise(libc::SIGPIPE);
        // Not reached, unless a library has taken the signal between these lines.
        libc::_exit(128 + libc::SIGPIPE)
    }
}
