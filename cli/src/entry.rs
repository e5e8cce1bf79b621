//! Where the command starts with glibc: C's `main`, in place of the one of Rust's runtime.
//!
//! Before its `main` Rust looks for the stack's bounds, for a message if it overflows; glibc reads
//! a file of /proc for that, in a twentieth of an empty program's time. Here an overflow has no
//! message of its own. The rest of what Rust's runtime does is done here.

use super::command::{USAGE_ERROR, start};
use super::output;
use std::ffi::{c_char, c_int};
use std::io;
use std::panic::catch_unwind;

/// The exit code of Rust's runtime after a panic.
const PANICKED: u8 = 101;

// Rust's library takes the arguments from where glibc leaves them for all objects.
#[unsafe(no_mangle)]
extern "C" fn main(_count: c_int, _words: *const *const c_char) -> c_int {
    if !streams_are_open() {
        return USAGE_ERROR.into();
    }
    output::ignore_pipe_signal();
    catch_unwind(start).unwrap_or(PANICKED).into()
}

/// Opens those of the three standard streams that are closed, so that no file takes their place.
fn streams_are_open() -> bool {
    (0..3).all(|stream| {
        // SAFETY: asks for a descriptor's flags.
        let flags = unsafe { libc::fcntl(stream, libc::F_GETFD) };
        let closed = flags == -1 && io::Error::last_os_error().raw_os_error() == Some(libc::EBADF);
        // SAFETY: the path is terminated. The lowest free descriptor is this one, since those
        // below are open.
        !closed || unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) } == stream
    })
}
