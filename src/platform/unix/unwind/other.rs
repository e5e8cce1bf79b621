//! For targets whose assembly was not written: nothing is caught, and unwinding out of C code ends
//! the process.

use std::ffi::c_void;

/// Calls `function`.
///
/// # Safety
/// As for [`super::call`].
pub unsafe fn call(_: *mut *mut c_void, function: *const c_void, args: [usize; 4]) -> usize {
    type Words = unsafe extern "C" fn(usize, usize, usize, usize) -> usize;
    // SAFETY: the caller vouches for the function; arguments that it does not take lie in
    // registers that it does not read.
    let function = unsafe { std::mem::transmute::<*const c_void, Words>(function) };
    let [a, b, c, d] = args;
    // SAFETY: the caller vouches for the arguments.
    unsafe { function(a, b, c, d) }
}
