//! Panics stop here, and a native's unwinding goes on from here.

use isothread::context::thread;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The error value of a function's result type.
pub(crate) trait ErrorValue {
    const ERROR: Self;
}

impl ErrorValue for () {
    const ERROR: Self = ();
}

impl ErrorValue for bool {
    const ERROR: Self = false;
}

impl ErrorValue for u8 {
    /// No value kind.
    const ERROR: Self = u8::MAX;
}

impl ErrorValue for usize {
    const ERROR: Self = 0;
}

impl ErrorValue for u32 {
    const ERROR: Self = 0;
}

impl ErrorValue for u64 {
    const ERROR: Self = 0;
}

impl ErrorValue for i32 {
    const ERROR: Self = -1;
}

impl<T> ErrorValue for *mut T {
    const ERROR: Self = std::ptr::null_mut();
}

impl<T> ErrorValue for *const T {
    const ERROR: Self = std::ptr::null();
}

/// Runs a function's body; a panic in it becomes the return type's error value.
///
/// A panic is a bug of ours, and unwinding out of `extern "C"` would abort the embedder's process.
/// The panic hook has already reported its place.
#[inline(always)]
pub(crate) fn guard<R: ErrorValue>(body: impl FnOnce() -> R) -> R {
    guard_or(R::ERROR, body)
}

/// As [`guard`], for functions that run guest code, which are `extern "C-unwind"`. If a native has
/// left by unwinding, as at its thread's end, that was caught behind it and has become an error on
/// the way here: it goes on to the function's caller.
#[inline(always)]
pub(crate) fn guard_guest<R: ErrorValue + Copy>(body: impl FnOnce() -> R) -> R {
    let result = guard(body);
    // SAFETY: the body is over, and this frame and its caller's, which it is inlined into, own
    // nothing; both may be unwound through.
    unsafe { thread::go_on_unwinding() };
    result
}

/// As [`guard`], for functions that call the embedder or the system meanwhile: if the thread is
/// cancelled, that waits until they are done.
pub(crate) fn guard_held<R: ErrorValue>(body: impl FnOnce() -> R) -> R {
    guard(|| thread::without_cancellation(body))
}

/// The same for functions whose error value is not their type's usual one.
#[inline(always)]
pub(crate) fn guard_or<R>(error: R, body: impl FnOnce() -> R) -> R {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => value,
        Err(payload) => {
            drop_payload(payload);
            error
        }
    }
}

/// Drops a panic's payload; its own destructor may panic, which ends here too.
#[cold]
#[inline(never)]
fn drop_payload(payload: Box<dyn std::any::Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_become_error_values() {
        assert!(!guard(|| -> bool { panic!("bug") }));
        assert_eq!(guard(|| -> i32 { panic!("bug") }), -1);
        assert!(guard(|| -> *mut u8 { panic!("bug") }).is_null());
        assert_eq!(guard_or(7u32, || panic!("bug")), 7);
        assert_eq!(guard(|| 5u32), 5);
    }

    #[test]
    fn a_payload_may_panic_itself() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("again");
            }
        }
        guard(|| -> () { std::panic::panic_any(Bomb) });
    }
}
