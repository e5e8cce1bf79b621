//! Throwing. Where to is `unwind`'s business; what remains is to go on there.

use super::control::{FRAME, refill_and_go_on};
use super::memory::reload_memory;
use super::{fail, trap};
use crate::abi::trap::Trap;
use crate::interp::dispatch::{Regs, Ret, handler, next, stop};
use crate::interp::operand::WIDE;
use crate::interp::unwind;

handler!(
    /// Throws a new exception: `[handler][position, frame][tag]`, the payload from `frame` on.
    throw [] |r| {
    let code = unwind::throw(r.env, r.ip, r.sp, r.field(WIDE), r.slot(FRAME));
    land(r, code)
});

handler!(
    /// Throws the exception that the slot `frame` refers to: `[handler][position, frame]`.
    throw_ref [] |r| {
    let word = *r.slot(FRAME);
    if word == 0 {
        return trap(r, Trap::NullReference);
    }
    let code = unwind::throw_ref(r.env, r.ip, r.sp, word);
    land(r, code)
});

handler!(
    /// The rest of a call out of which an exception has come that this instance will catch.
    #[cold]
    #[inline(never)]
    go_on_throwing [] |r| {
    let code = unwind::go_on(r.env, r.ip, r.sp);
    land(r, code)
});

/// Goes on where an exception was caught, or leaves guest code with `code`.
///
/// # Safety
/// `r` must be the registers of the instruction that has thrown, `code` what `unwind` said.
#[inline(always)]
unsafe fn land(mut r: Regs, code: u32) -> Ret {
    // SAFETY: where something is caught, `unwind` has said where that is.
    unsafe {
        let env = r.env;
        if code != 0 {
            // Caught further out, this was no trap.
            return if (*env).exception.is_null() { fail(r, code) } else { stop(r, code) };
        }
        r.ip = (*env).catch_ip;
        r.sp = (*env).catch_sp;
        reload_memory(&mut r);
        if (*env).budget < 0 {
            return refill_and_go_on(r.ip, r.sp, r.mem, r.len, r.env, r.int, r.f32, r.f64);
        }
        next(r)
    }
}
