//! The last error, and what needs none.

use crate::ffi::guard;
use isothread::context::thread;
use std::ffi::c_char;
use std::fmt;
use std::io::Write;

/// Keeps an error as the calling thread's last one, cut where the thread has no more room for it.
pub(super) fn set(text: fmt::Arguments<'_>) {
    let mut buffer = [0; 128];
    let mut rest = &mut buffer[..];
    // What does not fit is left out.
    let _ = write!(rest, "Error: {text}");
    let left = rest.len();
    let written = &buffer[..buffer.len() - left];
    let valid = str::from_utf8(written).map_or_else(|error| error.valid_up_to(), str::len);
    let text = str::from_utf8(&written[..valid]).unwrap_or_default();
    // Without memory for the text, the old one stays.
    let _ = thread::operation(|| thread::set_last_error(text));
}

/// The value of a result; an error is kept, and stands for failure.
pub(super) fn keep<T>(result: isothread::Result<T>) -> Option<T> {
    result.inspect_err(|error| set(format_args!("{}", error.message()))).ok()
}

/// The error of the calling thread's last function of this header that failed, as "Error: ...", cut
/// to 127 bytes; "" before any has. The text is the thread's: it is there until another fails, or
/// the thread ends. Needs no context.
#[unsafe(no_mangle)]
pub extern "C" fn aot_get_last_error() -> *mut c_char {
    guard(|| thread::last_error_ptr().cast_mut())
}

/// The size of the table by which code in WAMR's files reaches functions of the runtime: 0, since
/// code in files has no such table. Needs no context.
#[unsafe(no_mangle)]
pub extern "C" fn aot_get_plt_table_size() -> u32 {
    0
}
