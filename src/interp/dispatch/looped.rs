//! Loop dispatch: every handler returns the registers, and one loop calls the next.
//!
//! Slower, but it needs nothing of the optimiser: used for unoptimised builds, for targets
//! with few argument registers, and for checking the other backend.

use super::{Handler, Regs};
use std::ops::ControlFlow;

/// The registers to go on with, or the code to leave guest code with.
pub type Ret = ControlFlow<u32, Regs>;

/// Goes on with the instruction at `r.ip`.
///
/// # Safety
/// The contract of [`Handler`] must hold for `r`.
#[inline(always)]
pub unsafe fn next(r: Regs) -> Ret {
    ControlFlow::Continue(r)
}

/// Leaves guest code with `code`.
#[inline(always)]
pub fn stop(_r: Regs, code: u32) -> Ret {
    ControlFlow::Break(code)
}

/// Runs until guest code is left; returns the code given to [`stop`].
///
/// # Safety
/// The contract of [`Handler`] must hold for the registers in `ret`.
pub unsafe fn finish(mut ret: Ret) -> u32 {
    loop {
        let r = match ret {
            ControlFlow::Continue(r) => r,
            ControlFlow::Break(code) => return code,
        };
        // SAFETY: an instruction starts with its handler's address, which the translator
        // wrote; the registers are those the previous handler went on with.
        ret = unsafe {
            let handler = *r.ip.cast::<Handler>();
            handler(r.ip, r.sp, r.mem, r.len, r.env, r.int, r.f32, r.f64)
        };
    }
}
