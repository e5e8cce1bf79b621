//! Native frames of compiled code, and where guest code is in them.
//!
//! Compiled functions call each other on the native stack, where every frame begins with a
//! [`NativeFrame`]. A return address says which call that was, by the table of machine code.

use crate::abi::vm_layout::VmEnv;
use crate::exec::{Point, record_trap};
use std::ptr;

/// Bytes that `enter::isothread_jit_enter` pushes behind its frame pointer.
const ENTER_PUSHES: usize = 48;

/// The beginning of a native frame of compiled code, to which the frame pointer points.
#[repr(C)]
pub struct NativeFrame {
    caller: *const NativeFrame,
    return_address: *const u8,
}

impl NativeFrame {
    /// Where the caller of this frame's function is.
    pub fn caller_point(&self) -> Point {
        Point { ip: self.return_address, sp: self.caller.cast_mut().cast() }
    }

    /// Whether the caller of this frame's function was entered from the frame of
    /// `enter::isothread_jit_enter`, whose stack pointer is `native_sp`.
    ///
    /// # Safety
    /// The frame is that of compiled code, whose frames are linked up to that one.
    pub unsafe fn is_called_by_first(&self, native_sp: *const u8) -> bool {
        // SAFETY: the caller guarantees that there is a frame around this one.
        let around = unsafe { (*self.caller).caller };
        around.addr() == native_sp.addr() + ENTER_PUSHES
    }
}

/// Set in the `ip` of points that are positions in the module and no addresses, which have it
/// never.
pub const POSITION: u64 = 1 << 63;

/// A position in the module as the `ip` of a point. In code that begins at a loop, with the loop's
/// offset in its function's body.
pub fn position_mark(position: u32, loop_offset: Option<u32>) -> u64 {
    let part = loop_offset.map_or(0, |offset| u64::from(offset) + 1);
    POSITION | part << 32 | u64::from(position)
}

/// The point that a mark stands for, in a function with this native frame.
pub fn point_at(mark: u64, native: *const NativeFrame) -> Point {
    let ip = ptr::without_provenance(mark as usize);
    Point { ip, sp: native.cast_mut().cast() }
}

/// The position in a mark, and the offset of the loop that the code begins at, if it begins at one.
pub fn in_mark(mark: u64) -> (u32, Option<u32>) {
    let part = ((mark & !POSITION) >> 32) as u32;
    (mark as u32, part.checked_sub(1))
}

/// Notes the stack of a trap that compiled code has met; returns the code to end the run with.
///
/// # Safety
/// `env` is the running environment, and its guest code at the point.
pub unsafe fn trapped(env: *mut VmEnv, code: u32, at: Point) -> u32 {
    // SAFETY: the caller guarantees a running environment.
    unsafe {
        // An exception that is caught further out is no trap, and goes on its way.
        if (*env).exception.is_none() {
            record_trap(env, at);
        }
    }
    code
}
