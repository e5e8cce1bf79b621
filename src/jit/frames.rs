//! Native frames of compiled code, and where guest code is in them.
//!
//! Compiled functions call each other on the native stack, where every frame begins with a
//! [`NativeFrame`]. A return address says which call that was, by the table of machine code.

use crate::abi::vm_layout::VmEnv;
use crate::exec::{Point, record_trap};
use std::ptr;

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
}

/// Set in the `ip` of points that are positions in the module and no addresses, which have it
/// never.
pub const POSITION: u64 = 1 << 63;

/// A position in the module as the `ip` of a point.
pub fn position_mark(position: u32) -> u64 {
    POSITION | u64::from(position)
}

/// A point at a position in the module, in a function with this native frame.
pub fn point_at(position: u32, native: *const NativeFrame) -> Point {
    let ip = ptr::without_provenance(position_mark(position) as usize);
    Point { ip, sp: native.cast_mut().cast() }
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
