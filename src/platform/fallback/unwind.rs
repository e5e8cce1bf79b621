//! Nothing unwinds out of C code here, and no thread is cancelled.

use std::ffi::c_void;
use std::ptr::NonNull;

/// An unwinding of a stack.
pub type Unwinding = NonNull<c_void>;

/// Calls a C function with up to four words and returns its result.
///
/// # Safety
/// `function` takes no more than these arguments, in integer registers, and they are as it asks.
pub unsafe fn call(function: *const c_void, args: [usize; 4]) -> Result<usize, Unwinding> {
    type Words = unsafe extern "C" fn(usize, usize, usize, usize) -> usize;
    // SAFETY: the caller vouches for the function; arguments that it does not take lie in
    // registers that it does not read.
    let function = unsafe { std::mem::transmute::<*const c_void, Words>(function) };
    let [a, b, c, d] = args;
    // SAFETY: the caller vouches for the arguments.
    Ok(unsafe { function(a, b, c, d) })
}

/// Nothing was caught that could go on.
///
/// # Safety
/// None needed: there is no [`Unwinding`] here.
pub unsafe fn resume(_unwinding: Unwinding) {}

/// Holds nothing off.
#[must_use = "cancellation is held off until it is dropped"]
pub struct Held;

impl Held {
    pub fn new() -> Self {
        Self
    }
}
