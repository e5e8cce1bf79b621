//! Loop dispatch: every handler returns the registers, and one loop calls the next.
//!
//! Slower, but it needs nothing of the optimiser: used for unoptimised builds, for targets
//! with few argument registers, and for checking the other backend.

use super::{Leaf, Regs, Slow, body};
use crate::abi::lanes::V128;
use crate::abi::vm_layout::{VmEnv, VmHostFunc};
use crate::interp::machine::{Frame, Ip, Memory0};
use std::ops::ControlFlow;

/// Handlers return before the next one is called.
pub const IS_LOOP: bool = true;

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

/// The handler that runs `S`.
///
/// # Safety
/// The contract of [`Handler`].
#[allow(clippy::too_many_arguments, reason = "the registers of the virtual machine")]
pub unsafe extern "C-unwind" fn stub<S: Slow>(
    ip: Ip,
    sp: Frame,
    mem: *mut u8,
    len: usize,
    env: *mut VmEnv,
    int: u64,
    f32: f32,
    f64: f64,
    v128: V128,
) -> Ret {
    let memory = Memory0 { base: mem, len };
    let mut r = Regs { ip, sp, memory, env, int, f32, f64, v128 };
    // SAFETY: the caller guarantees the contract of `Handler` for these registers, which are a
    // local of this function.
    match unsafe { body::<S>(&raw mut r) } {
        0 => ControlFlow::Continue(r),
        code => ControlFlow::Break(code),
    }
}

/// Calls `host` with its arguments at `frame`, then goes on in the leaf `L` with the host
/// function's result as integer accumulator; the other accumulators and memory 0 are lost.
///
/// # Safety
/// The contract of [`Handler`] must hold for `r`, and that of [`VmHostFunc`] for the call.
pub unsafe fn call_host<L: Leaf>(r: Regs, host: *const VmHostFunc, frame: Frame) -> Ret {
    // SAFETY: the caller guarantees the contract of `VmHostFunc` for the call, and for the leaf
    // that of `Handler`: the instruction is the same.
    unsafe {
        let code = ((*host).call)(host, r.env, frame.as_ptr());
        let (ip, Memory0 { base, len }) = (r.ip.of_shape(), r.memory);
        (L::HANDLER)(ip, r.sp, base, len, r.env, code as u64, r.f32, r.f64, r.v128)
    }
}

/// Runs from the instruction at `r.ip` until guest code is left; returns the code it left with.
///
/// # Safety
/// The contract of [`Handler`] must hold for `r`.
pub unsafe fn run(mut r: Regs) -> u32 {
    loop {
        // SAFETY: an instruction starts with its handler's address, which the translator
        // wrote; the registers are those the previous handler went on with.
        let ret = unsafe {
            let handler = r.ip.handler();
            let Memory0 { base, len } = r.memory;
            handler(r.ip, r.sp, base, len, r.env, r.int, r.f32, r.f64, r.v128)
        };
        match ret {
            ControlFlow::Continue(next) => r = next,
            ControlFlow::Break(code) => return code,
        }
    }
}
