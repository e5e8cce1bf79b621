//! Frames of our code, as `exec::frames` asks for them.
//!
//! Guest code leaves the frames: each has a header that says where to return to, and every call
//! instruction says where in the module it stands. Only an instruction that is no call must be
//! looked up, which [`position`] does by translating its function again.

use super::code::{ModuleCode, VmCode};
use super::compile;
use super::machine::{Frame, Header, Ip, Offset};
use super::shape::Site;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::VmActivation;
use crate::exec::{GuestCode, GuestFrame, Place, Point};
use crate::module::Module;
use std::cell::Cell;
use std::ptr;

/// The code that an activation's function belongs to.
///
/// # Safety
/// The activation is live, and its engine this one.
pub unsafe fn table_of<'a>(activation: *const VmActivation) -> &'a ModuleCode {
    // SAFETY: the caller vouches for the activation; a module's code lives as long as its
    // instances, and records say what table they are in.
    unsafe { &*(*(*(*activation).func).body.code.cast::<VmCode>()).module }
}

/// The call that the frame at `sp` was made by; `None` if that was the entry of a run.
///
/// # Safety
/// It is a frame of a function with this code.
pub unsafe fn caller(code: &VmCode, sp: *const u64) -> Option<Point> {
    // SAFETY: the header of a frame is where its function's code says.
    let Header { back_to, caller } = unsafe { *Frame::of(sp.cast_mut()).header(code.header_slot) };
    back_to.call().map(|call| Point { ip: call.as_ptr(), sp: caller.as_ptr() })
}

/// `Engine::frame_at_call`.
///
/// # Safety
/// As `Engine` says.
pub unsafe fn at_call(activation: &VmActivation, point: Point) -> Option<GuestFrame> {
    // SAFETY: the point is at a call of code of this table, says the caller.
    unsafe {
        let code = table_of(activation).place(point.ip)?.code;
        let Site { position } = *Ip::of(point.ip).of_shape::<Site>().operands();
        let caller = caller(code, point.sp);
        Some(GuestFrame { func_index: code.func_index, place: Place::Module(position), caller })
    }
}

/// `Engine::frame_at_trap`.
///
/// # Safety
/// As `Engine` says.
pub unsafe fn at_trap(activation: &VmActivation, point: Point) -> Option<GuestFrame> {
    // SAFETY: the point is in code of this table, says the caller.
    unsafe {
        let table = table_of(activation);
        let (code, offset) = table.find(point.ip)?;
        let place = Place::Code(u64::from(offset.bytes()) << 1 | u64::from(table.is_profiled()));
        let caller = caller(code, point.sp);
        Some(GuestFrame { func_index: code.func_index, place, caller })
    }
}

/// Looks of a translation that only finds a place: functions with up to a million operators are
/// translated to their end, which takes some hundredths of a second.
const LOOKS_MAX: u32 = (1 << 20) / compile::LOOK;

/// `Engine::position`: the code is how far into the function's code the instruction is, and
/// whether that measures.
pub fn position(module: &Module, func_index: u32, code: u64) -> Option<u32> {
    let (offset, profiled) = (Offset::from_bytes((code >> 1) as u32), code & 1 != 0);
    module.body(func_index)?;
    let looks = Cell::new(0);
    let stop = || {
        looks.set(looks.get() + 1);
        (looks.get() > LOOKS_MAX).then_some(Trap::Terminated)
    };
    let options = compile::Options { listing: true, profiled, stop: &stop };
    // Calls refer to the code table by addresses alone.
    let translated = compile::translate(module, ptr::null(), func_index, options).ok()?;
    let upto = translated.listing.iter().take_while(|line| line.at <= offset);
    upto.last().map(|line| line.position)
}
