//! The end of a thread (`pthread_exit`, `pthread_cancel`) that a native has started: its unwinding
//! is caught behind the native, and goes on at the end of the host's call.

use super::{with, with_existing};
use crate::platform::unwind;
use std::ffi::c_void;
use std::ptr::{NonNull, null_mut};

/// Keeps an unwinding that has to go on. Without memory for the thread's state it is lost, and the
/// thread lives on.
pub(crate) fn keep_unwinding(unwinding: NonNull<c_void>) {
    let _ = with(|state| state.unwinding.set(unwinding.as_ptr()));
}

/// Resumes the unwinding that a native has started, if a call on this thread has failed with
/// [`Trap::Unwinding`](crate::Trap::Unwinding) for it. Then this does not return: the thread ends.
///
/// # Safety
/// No frame from here to the C code that called owns anything, and all of them may be unwound
/// through: their functions are `extern "C-unwind"`, and nothing is caught.
#[inline]
pub unsafe extern "C-unwind" fn go_on_unwinding() {
    let kept = with_existing(|state| state.unwinding.replace(null_mut()));
    if let Some(unwinding) = kept.and_then(NonNull::new) {
        // SAFETY: it was caught on this thread, and the state has let go of it; the caller
        // guarantees that the frames out to the C code own nothing.
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
    // SAFETY: the caller guarantees that the arguments suit the function. A caught unwinding may be
    // dropped, because the thread ends anyway.
    unsafe { unwind::call(function, args) }.unwrap_or(0)
}
