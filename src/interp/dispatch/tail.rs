//! Tail dispatch: every handler ends in a jump to the next one.
//!
//! Rust has no stable guaranteed tail call. LLVM makes one of `return f(..)` when caller and
//! callee have the same signature, no argument lies on the stack and no local's address is
//! still needed; the handlers keep to that, and a test runs a long loop on a small native
//! stack to see that they do.

use super::{Handler, Regs};

/// Zero for a normal end, else a trap code.
pub type Ret = u32;

/// Runs the instruction at `r.ip`.
///
/// # Safety
/// The contract of [`Handler`] must hold for `r`.
#[inline(always)]
pub unsafe fn next(r: Regs) -> Ret {
    // SAFETY: an instruction starts with its handler's address, which the translator wrote.
    unsafe {
        let handler = *r.ip.cast::<Handler>();
        handler(r.ip, r.sp, r.mem, r.len, r.env, r.int, r.f32, r.f64)
    }
}

/// Leaves guest code with `code`.
#[inline(always)]
pub fn stop(_r: Regs, code: u32) -> Ret {
    code
}

/// Runs until guest code is left; returns the code given to [`stop`].
///
/// # Safety
/// None needed here: `ret` is the code already. The loop backend's twin runs the code.
#[inline(always)]
pub unsafe fn finish(ret: Ret) -> u32 {
    ret
}
