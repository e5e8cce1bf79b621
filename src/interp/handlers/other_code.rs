//! Calls of functions that have other code than the interpreter's.

use super::calls::enter_own;
use super::exceptions::rethrow;
use super::memory::reload_memory;
use crate::abi::lanes::V128;
use crate::interp::code::DECLINED;
use crate::interp::dispatch::{Stop, slow};
use crate::interp::operand::Value;
use crate::interp::shape;

slow!(
    /// First instruction for calls of a function that has other code. The frame's header has been
    /// written. The other code leaves the results where the interpreter's does: in the frame's
    /// first slots, and a single one in its accumulator as well.
    Diverted |r, i: shape::EnterOther| {
    let (frame, code) = (r.sp, i.code);
    let back = *frame.header((*code).header_slot);
    let call = back.back_to.call();
    let activation = (*r.env).activation;
    // Of an outermost function there is no call, and no frame before it is entered.
    (*activation).ip = call.unwrap_or(back.back_to).as_ptr();
    (*activation).sp = back.caller.as_ptr();
    (*activation).host = std::ptr::null();
    let stopped = (i.enter)(r.env, code, frame.as_ptr());
    (*activation).ip = std::ptr::null();
    if stopped == DECLINED {
        r.sp = back.caller;
        return enter_own(r, code, frame, back.back_to);
    }
    (r.ip, r.sp) = (back.back_to, back.caller);
    if stopped != 0 {
        let Some(call) = call else { return Err(Stop::Exit(stopped)) };
        r.ip = call;
        if !(*r.env).exception.is_null() {
            return rethrow(r);
        }
        return Err(Stop::Trap(stopped));
    }
    reload_memory(r);
    // Of which class the result is, the caller knows. A frame has two slots at least.
    let first = frame.as_ptr();
    r.int = *first;
    (r.f32, r.f64) = (f32::load(first), f64::load(first));
    r.v128 = V128::load(first);
    Ok(())
});
