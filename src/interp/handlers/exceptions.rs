//! Throwing. `unwind` finds the handler, and the handlers here go on there.

use super::memory::reload_memory;
use crate::abi::trap::Trap;
use crate::exec::work;
use crate::interp::dispatch::{Regs, Stop, slow};
use crate::interp::machine::{Frame, Ip};
use crate::interp::shape;
use crate::interp::unwind;

slow!(
    /// Throws a new exception with the payload from `frame` on.
    Throw |r, i: shape::Throw| {
    let caught = unwind::throw(r.env, r.point(), i.tag, r.sp.slot(i.frame));
    land(r, caught)
});

slow!(
    /// Throws the exception that a slot refers to.
    ThrowRef |r, i: shape::ThrowRef| {
    let word = r.get::<u64>(i.reference);
    if word == 0 {
        return Err(Trap::NullReference.into());
    }
    let caught = unwind::throw_ref(r.env, r.point(), word);
    land(r, caught)
});

/// The rest of a call out of which an exception has come that this instance will catch.
///
/// # Safety
/// `r` must be the registers of the call.
#[cold]
pub unsafe fn rethrow(r: &mut Regs) -> Result<(), Stop> {
    // SAFETY: the caller guarantees that the registers are those of a call, which may throw.
    unsafe {
        let caught = unwind::go_on(r.env, r.point());
        land(r, caught)
    }
}

/// Goes on where an exception was caught, or leaves guest code.
///
/// # Safety
/// `r` must be the registers of the instruction that has thrown, `caught` the result of `unwind`.
unsafe fn land(r: &mut Regs, caught: Result<(), Trap>) -> Result<(), Stop> {
    // SAFETY: the caller guarantees that the environment is live and `caught` is the result of
    // `unwind`. If that is `Ok`, `unwind` has set `catch_ip` and `catch_sp` to a handler of a live
    // frame.
    unsafe {
        let env = r.env;
        if let Err(trap) = caught {
            // An exception that a run further out catches is no trap.
            let is_trap = (*env).exception.is_none();
            return Err(if is_trap { trap.into() } else { Stop::Exit(trap as u32) });
        }
        r.ip = Ip::of((*env).catch_ip);
        r.sp = Frame::of((*env).catch_sp);
        reload_memory(r);
        Ok(work::charge(env, work::SLOW)?)
    }
}
