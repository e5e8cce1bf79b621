//! The callbacks at a thread's end.

use super::word;
use std::cell::Cell;

/// Receives the thread word when its thread ends.
pub type ExitCallback = unsafe fn(*mut u8);

/// The callbacks of [`arm_exit`](super::arm_exit) and [`arm_last`](super::arm_last). Owner: the
/// thread.
pub(super) struct Hooks {
    pub(super) exit: Cell<Option<ExitCallback>>,
    pub(super) last: Cell<Option<ExitCallback>>,
}

impl Hooks {
    pub(super) const fn new() -> Self {
        Self { exit: Cell::new(None), last: Cell::new(None) }
    }

    /// At the thread's end.
    pub(super) fn run(&self) {
        let own = word::get();
        if let (Some(callback), false) = (self.exit.get(), own.is_null()) {
            // SAFETY: the caller of `tls::arm_exit` promised that the callback accepts the word of
            // this thread at its end; this is that thread, at its end.
            unsafe { callback(own) };
            // Others may still run after this; they must find an unprepared thread, not the state
            // that the callback has just taken down.
            word::set(std::ptr::null_mut());
        }
        if let Some(callback) = self.last.get() {
            // SAFETY: promised by the caller of `tls::arm_last`: the callback takes this thread's
            // second word.
            unsafe { callback(word::place()) };
        }
    }
}
