//! The thread's last error: for C functions that report failure by a text kept somewhere.

use super::{with, with_existing};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ffi::{CStr, c_char};
use std::ptr::NonNull;

/// Room for a text, with its NUL.
const LEN_MAX: usize = 128;

/// A C string. Its address stays the same until the thread ends. Owner: the thread.
pub(super) struct LastError(Cell<[u8; LEN_MAX]>);

/// Keeps `text`, cut to 127 bytes and at its first NUL, as the thread's last error; the empty text
/// for none. Without memory the old text stays.
pub fn set_last_error(text: &str) {
    let mut buffer = [0; LEN_MAX];
    let len = text.bytes().take(LEN_MAX - 1).take_while(|&byte| byte != 0).count();
    // Cut between characters.
    let len = (0..=len).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    buffer[..len].copy_from_slice(&text.as_bytes()[..len]);
    let place = if len == 0 { with_existing(|s| s.error.get()) } else { with(|s| place(&s.error)) };
    if let Some(place) = place.flatten() {
        // SAFETY: the block lives until the thread ends, and only this thread knows it.
        unsafe { place.as_ref() }.0.set(buffer);
    }
}

fn place(cell: &Cell<Option<NonNull<LastError>>>) -> Option<NonNull<LastError>> {
    if cell.get().is_none() {
        // SAFETY: the layout's size is not zero; zeroes are a valid (empty) text.
        let fresh = unsafe { System.alloc_zeroed(Layout::new::<LastError>()) };
        cell.set(NonNull::new(fresh.cast()));
    }
    cell.get()
}

/// The thread's last error as C reads it. It lies in the thread's state: the address is good
/// until the thread ends, the text until the next error.
pub fn last_error_ptr() -> *const c_char {
    match with_existing(|state| state.error.get()).flatten() {
        Some(error) => error.as_ptr().cast_const().cast(),
        None => c"".as_ptr(),
    }
}

/// Runs `f` on the thread's last error; empty if there was none.
pub fn with_last_error<R>(f: impl FnOnce(&CStr) -> R) -> R {
    // A copy, so that `f` may set another.
    let error = with_existing(|state| state.error.get()).flatten();
    // SAFETY: the block lives until the thread ends, and only this thread knows it.
    let buffer = error.map_or([0; LEN_MAX], |error| unsafe { error.as_ref() }.0.get());
    f(CStr::from_bytes_until_nul(&buffer).unwrap_or_default())
}

/// Frees a thread's text.
pub(super) fn free(error: Option<NonNull<LastError>>) {
    if let Some(error) = error {
        // SAFETY: made by `place` with this layout; the caller took it out of the state.
        unsafe { System.dealloc(error.as_ptr().cast(), Layout::new::<LastError>()) };
    }
}
