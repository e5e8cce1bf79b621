//! Calls whose errors come without the signals that the system sends beside them.
//!
//! The system sends such a signal to the calling thread alone. It is kept from the thread during
//! the call, then taken off what the thread has pending, and the mask is put back. The process's
//! action for the signal is neither changed nor looked at.

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::ptr;

/// What comes with `EPIPE`, and what comes with `EFBIG`.
const SIGNALS: [c_int; 2] = [libc::SIGPIPE, libc::SIGXFSZ];

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
    mask: libc::sigset_t,
    /// Those signals that were pending already: they are somebody else's.
    pending: [bool; 2],
}

impl Withheld {
    fn new() -> Self {
        let ours = set(SIGNALS);
        let mut mask = MaybeUninit::uninit();
        // SAFETY: `ours` is a set, and `mask` has room for one, which the call fills: it fails for
        // no other reason than an unknown first argument.
        let mask = unsafe {
            libc::pthread_sigmask(libc::SIG_BLOCK, &ours, mask.as_mut_ptr());
            mask.assume_init()
        };
        // What is not blocked is not pending for long.
        let was_blocked = SIGNALS.map(|signal| contains(&mask, signal));
        let pending = if was_blocked.contains(&true) { pending() } else { [false; 2] };
        Self { mask, pending }
    }

    /// Takes what has come since off what is pending.
    fn take(&self) {
        let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        for (signal, was_pending) in SIGNALS.into_iter().zip(self.pending) {
            if !was_pending {
                let one = set([signal]);
                // SAFETY: a set, nothing to fill, and a time; the call does not wait.
                unsafe { libc::sigtimedwait(&one, ptr::null_mut(), &now) };
            }
        }
    }
}

impl Drop for Withheld {
    fn drop(&mut self) {
        // SAFETY: the mask is one that the system gave; the old one is not asked for.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.mask, ptr::null_mut()) };
    }
}

fn set<const N: usize>(signals: [c_int; N]) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: `sigemptyset` fills the set before anything else looks at it.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in signals {
            libc::sigaddset(set.as_mut_ptr(), signal);
        }
        set.assume_init()
    }
}

fn contains(set: &libc::sigset_t, signal: c_int) -> bool {
    // SAFETY: a set, and the number of a signal.
    unsafe { libc::sigismember(set, signal) == 1 }
}

/// Which of the signals are pending.
fn pending() -> [bool; 2] {
    let mut pending = set([]);
    // SAFETY: `pending` is a set, which the call replaces.
    unsafe { libc::sigpending(&mut pending) };
    SIGNALS.map(|signal| contains(&pending, signal))
}
