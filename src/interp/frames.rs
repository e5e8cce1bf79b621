//! Frames of our code, for `exec::frames`.
//!
//! Each frame has a header with its return address, and every call instruction has its position in
//! the module. The position of other instructions is looked up: [`position`] translates the
//! function again for that.

use super::code::{ModuleCode, VmCode};
use super::compile;
use super::machine::{Frame, Header, Ip, Offset};
use super::shape::Site;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::VmActivation;
use crate::exec::{FramePlace, GuestCode, GuestFrame, Point};
use crate::module::Module;
use std::cell::Cell;
use std::ptr;

/// The code that an activation's function belongs to.
///
/// # Safety
/// The activation is live, and its engine this one.
pub unsafe fn table_of<'a>(activation: *const VmActivation) -> &'a ModuleCode {
    // SAFETY: the caller guarantees that the activation is live and this engine's, so that its
    // function's code is a `VmCode`. That points to its table, which lives as long as the instance.
    unsafe { &*(*(*(*activation).func).body.code.cast::<VmCode>()).module }
}

/// The call that has made the frame at `sp`; `None` if the entry of a run has made it.
///
/// # Safety
/// It is a frame of a function with this code.
pub unsafe fn caller(code: &VmCode, sp: *const u64) -> Option<Point> {
    // SAFETY: the caller guarantees a frame of a function with this code; entering the function
    // has written the header to its `header_slot`.
    let Header { back_to, caller } = unsafe { *Frame::of(sp.cast_mut()).header(code.header_slot) };
    back_to.call().map(|call| Point { ip: call.as_ptr(), sp: caller.as_ptr() })
}

/// `Engine::frame_at_call`.
///
/// # Safety
/// The contract of `Engine`: the activation is live and this engine's, its guest code at a call at
/// `point`.
pub unsafe fn at_call(activation: &VmActivation, point: Point) -> Option<GuestFrame> {
    if Ip::of(point.ip).is_exit() {
        return None;
    }
    // SAFETY: the caller guarantees that the point is at a call in code of the activation's table.
    unsafe {
        let code = table_of(activation).place(point.ip)?.code;
        let Site { position } = *Ip::of(point.ip).of_shape::<Site>().operands();
        let caller = caller(code, point.sp);
        Some(GuestFrame {
            func_index: code.func_index,
            place: FramePlace::Module(position),
            caller,
        })
    }
}

/// `Engine::frame_at_trap`.
///
/// # Safety
/// The contract of `Engine`: the activation is live and this engine's, its guest code at `point`.
pub unsafe fn at_trap(activation: &VmActivation, point: Point) -> Option<GuestFrame> {
    // SAFETY: the caller guarantees that the point is in code of the activation's table.
    unsafe {
        let table = table_of(activation);
        let (code, offset) = table.find(point.ip)?;
        let place =
            FramePlace::Code(u64::from(offset.bytes()) << 1 | u64::from(table.is_profiled()));
        let caller = caller(code, point.sp);
        Some(GuestFrame { func_index: code.func_index, place, caller })
    }
}

/// The most calls of `Options::stop` in a translation that only finds a position. Functions with up
/// to a million operators are translated to their end, which takes some hundredths of a second.
const LOOKS_MAX: u32 = (1 << 20) / compile::LOOK;

/// `Engine::position`. `code` has the offset of the instruction in the function's code in its upper
/// bits, and in bit 0 whether the function measures its cost.
pub fn position(module: &Module, func_index: u32, code: u64) -> Option<u32> {
    let (offset, profiled) = (Offset::from_bytes((code >> 1) as u32), code & 1 != 0);
    module.body(func_index)?;
    let looks = Cell::new(0);
    let stop = || {
        looks.set(looks.get() + 1);
        (looks.get() > LOOKS_MAX).then_some(Trap::Terminated)
    };
    let options = compile::Options { listing: true, profiled, loops: false, stop: &stop };
    // The code table may be null: translation computes addresses of its entries, and reads none.
    let translated = compile::translate(module, ptr::null(), func_index, options).ok()?;
    let upto = translated.listing.iter().take_while(|line| line.at <= offset);
    upto.last().map(|line| line.position)
}
