//! What a native has unwound the stack with, between the call that caught it and the end of the
//! host's call: the end of its thread (`pthread_exit`, `pthread_cancel`).

use super::{with, with_existing};
use crate::platform::unwind;
use std::ffi::c_void;
use std::ptr::{NonNull, null_mut};

/// Keeps what is to go on. Without memory for the thread's state it is lost, and the thread lives
/// on.
pub(crate) fn keep_unwinding(unwinding: NonNull<c_void>) {
    let _ = with(|state| state.unwinding.set(unwinding.as_ptr()));
}

/// Lets go on what a native has unwound the stack with, if a call on this thread has failed with
/// [`Trap::Unwinding`](crate::Trap::Unwinding) for it. Then this does not return: the thread ends.
///
/// # Safety
/// No frame from here to whoever called the Rust code in C owns anything, and all of them may be
/// unwound through: their functions are `extern "C-unwind"`, and nothing is caught.
#[inline]
pub unsafe extern "C-unwind" fn go_on_unwinding() {
    let kept = with_existing(|state| state.unwinding.replace(null_mut()));
    if let Some(unwinding) = kept.and_then(NonNull::new) {
        // SAFETY: it was caught on this thread, and the state has let go of it; the rest says the
        // caller.
        unsafe { unwind::resume(unwinding) }
    }
}

/// Runs `f`; if the calling thread is cancelled (`pthread_cancel`), that waits until `f` is done.
pub fn without_cancellation<R>(f: impl FnOnce() -> R) -> R {
    let _held = unwind::Held::new();
    f()
}

/// Calls a C function with up to four words, as the last thing that the calling thread does for
/// it. A function that ends the thread instead of returning is as one that returns 0.
///
/// # Safety
/// `function` takes no more than these arguments, in integer registers, and they are as it asks.
pub unsafe fn call_last(function: *const c_void, args: [usize; 4]) -> usize {
    // SAFETY: passed on to the caller. What was caught is done when the thread is.
    unsafe { unwind::call(function, args) }.unwrap_or(0)
}
