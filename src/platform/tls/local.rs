//! The thread words as a `thread_local!`: for targets without TLS descriptors, and for miri.

use std::cell::Cell;

thread_local! {
    /// Owner: the thread. Constant and without destructor, so it can be used at any time.
    static WORD: Cell<*mut u8> = const { Cell::new(std::ptr::null_mut()) };
    /// Owner: the thread. As above.
    static PLACE: Cell<*mut u8> = const { Cell::new(std::ptr::null_mut()) };
}

#[inline]
pub fn get() -> *mut u8 {
    WORD.with(Cell::get)
}

#[inline]
pub fn set(value: *mut u8) {
    WORD.with(|word| word.set(value));
}

#[inline]
pub fn place() -> *mut u8 {
    PLACE.with(Cell::get)
}

#[inline]
pub fn set_place(value: *mut u8) {
    PLACE.with(|place| place.set(value));
}
