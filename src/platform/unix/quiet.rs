//! Calls whose errors come without the signals that the system sends beside them.
//!
//! The system sends such a signal to the calling thread alone. It is blocked during the call, then
//! removed from the thread's pending signals, and the mask is restored. The process's action for
//! the signal is neither changed nor read.

use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use std::ptr;

/// The signals that come with `EPIPE` and with `EFBIG`.
const SIGNALS: [Signal; 2] = [Signal::SIGPIPE, Signal::SIGXFSZ];

/// Runs `act`, best a single system call. `is_whole` says that it did all it was asked to, so that
/// no signal can have come with it.
pub fn quietly<T>(act: impl FnOnce() -> T, is_whole: impl FnOnce(&T) -> bool) -> T {
    let withheld = Withheld::new();
    let result = act();
    if !is_whole(&result) {
        withheld.take();
    }
    result
}

/// The signals are kept from the calling thread while this lives.
struct Withheld {
    /// The thread's mask before.
    mask: SigSet,
    /// Those signals that were pending before: they belong to other code.
    pending: [bool; 2],
}

impl Withheld {
    fn new() -> Self {
        let ours = SIGNALS.into_iter().collect::<SigSet>();
        // It fails for no other reason than an unknown first argument.
        let mask = ours.thread_swap_mask(SigmaskHow::SIG_BLOCK).unwrap_or(SigSet::empty());
        // An unblocked signal does not stay pending.
        let was_blocked = SIGNALS.iter().any(|signal| mask.contains(*signal));
        Self { mask, pending: if was_blocked { pending() } else { [false; 2] } }
    }

    /// Removes the signals that have come since from the pending ones.
    fn take(&self) {
        let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        for (signal, was_pending) in SIGNALS.into_iter().zip(self.pending) {
            if !was_pending {
                let one = SigSet::from(signal);
                // SAFETY: a set, nothing to fill, and a time; the call does not wait.
                unsafe { libc::sigtimedwait(one.as_ref(), ptr::null_mut(), &now) };
            }
        }
    }
}

impl Drop for Withheld {
    fn drop(&mut self) {
        let _ = self.mask.thread_set_mask();
    }
}

/// Which of the signals are pending.
fn pending() -> [bool; 2] {
    let mut pending = *SigSet::empty().as_ref();
    // SAFETY: `pending` is a set before the call and after it, whether that replaces it or fails.
    let pending = unsafe {
        libc::sigpending(&mut pending);
        SigSet::from_sigset_t_unchecked(pending)
    };
    SIGNALS.map(|signal| pending.contains(signal))
}
