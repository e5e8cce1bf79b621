//! Calls of functions that have other code than the interpreter's.

use super::calls::enter_own;
use super::exceptions::rethrow;
use super::memory::reload_memory;
use crate::abi::lanes::V128;
use crate::exec::{Point, away};
use crate::interp::code::{DECLINED, GO_ON, VmCode};
use crate::interp::dispatch::{Regs, Stop, slow};
use crate::interp::machine::{Frame, Header};
use crate::interp::operand::Value;
use crate::interp::shape;

slow!(
    /// First instruction for calls of a function that has other code. The frame's header has been
    /// written.
    Diverted |r, i: shape::EnterOther| {
    let (frame, code, env) = (r.sp, i.code, r.env);
    let back = *frame.header((*code).header_slot);
    let Some(call) = back.back_to.call() else {
        // The run's last function has called this one in its place.
        (*env).next_code = code.cast();
        return Err(Stop::Exit(GO_ON));
    };
    match run_other(r, back, || (i.enter)(env, code, frame.as_ptr()))? {
        OtherEnd::Returned => take_results(r, back, frame),
        OtherEnd::Caught => {}
        OtherEnd::Declined => {
            // Where there is no room, the call is what traps.
            (r.ip, r.sp) = (call, back.caller);
            enter_own(r, code, frame, back.back_to)?;
        }
    }
    Ok(())
});

/// The budget was used up, and a new one has been made: reports the function that runs, which may
/// go on in other code.
///
/// # Safety
/// The registers are those of running code, at the start of a function or of a turn of a loop.
pub unsafe fn look(r: &mut Regs) -> Result<(), Stop> {
    // SAFETY: the caller vouches for the registers: the activation is one of this engine's code,
    // and the frame has a header.
    unsafe {
        let func = (*(*r.env).activation).func;
        let table = &*(*(*func).body.code.cast::<VmCode>()).module;
        let Some((code, above, other)) = table.sample(r.env, r.ip) else { return Ok(()) };
        let (frame, env, here) = (r.sp, r.env, r.ip);
        let back = *frame.header(code.header_slot);
        match run_other(r, back, || (above.go_on)(env, other, frame.as_ptr()))? {
            OtherEnd::Returned => take_results(r, back, frame),
            OtherEnd::Caught => {}
            OtherEnd::Declined => (r.ip, r.sp) = (here, frame),
        }
        Ok(())
    }
}

/// How other code has ended.
enum OtherEnd {
    Returned,
    /// By an exception that a frame further out has caught: the registers are at the handler.
    Caught,
    /// Nothing has been done.
    Declined,
}

/// Runs other code of a function with this header, while guest code is at the call that made its
/// frame.
///
/// # Safety
/// The registers are those of running code, on a frame with the header.
unsafe fn run_other(
    r: &mut Regs,
    back: Header,
    enter: impl FnOnce() -> u32,
) -> Result<OtherEnd, Stop> {
    // SAFETY: guest code runs inside an activation, which lasts longer than the instruction; a call
    // has made the frame, or the entry of the run.
    unsafe {
        let call = back.back_to.call();
        // Where the frame is the outermost one, there is none at this point.
        let ip = call.unwrap_or(back.back_to).as_ptr();
        let at = Point { ip, sp: back.caller.as_ptr() };
        let stopped = away(r.env, at, std::ptr::null(), enter);
        if stopped == DECLINED {
            return Ok(OtherEnd::Declined);
        }
        if stopped == 0 {
            return Ok(OtherEnd::Returned);
        }
        let Some(call) = call else { return Err(Stop::Exit(stopped)) };
        (r.ip, r.sp) = (call, back.caller);
        if !(*r.env).exception.is_none() {
            rethrow(r)?;
            return Ok(OtherEnd::Caught);
        }
        Err(Stop::Trap(stopped))
    }
}

/// Goes on behind the call that made a frame, whose first slots have the results. The interpreter's
/// code has a single one in its accumulator as well.
///
/// # Safety
/// The registers are those of running code, and the frame is that of a function that has returned.
unsafe fn take_results(r: &mut Regs, back: Header, frame: Frame) {
    // SAFETY: the frame has at least the two slots of its header.
    unsafe {
        (r.ip, r.sp) = (back.back_to, back.caller);
        reload_memory(r);
        let first = frame.as_ptr();
        r.int = *first;
        (r.f32, r.f64) = (f32::load(first), f64::load(first));
        r.v128 = V128::load(first);
    }
}
