//! The functions that compiled code calls for what it does not do itself, as a table.
//!
//! Compiled code finds them at the offsets of its fields. It stores the budget in the environment
//! before a call and reads it again afterwards. A function that can fail returns zero or the code
//! of a trap; a result is in [`VmEnv::scratch`].

use super::frames::NativeFrame;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmEnv, VmFuncRef};
use crate::interp::VmCode;

/// The table. The signatures of its functions are those that `translate` calls them with. Owner:
/// the process; it never changes.
#[repr(C)]
pub struct Builtins {
    /// Assembly: these keep all registers but the budget's.
    pub refill: unsafe extern "C" fn(),
    pub slow_address: unsafe extern "C" fn(),
    pub interpret_here: unsafe extern "C" fn(),
    /// Assembly: these end the run, or lead to a clause.
    pub trap: unsafe extern "C" fn(),
    pub pass_on: unsafe extern "C" fn(),
    pub throw: unsafe extern "C" fn(),
    pub throw_ref: unsafe extern "C" fn(),
    /// Assembly: this ends the run.
    pub overflow: unsafe extern "C" fn(),
    pub interpret:
        unsafe extern "C" fn(*mut VmEnv, *const VmCode, *mut u64, *const NativeFrame) -> u32,
    pub call_out: unsafe extern "C" fn(
        *mut VmEnv,
        *const VmFuncRef,
        *mut u64,
        *const NativeFrame,
        u64,
        u32,
    ) -> u32,
    pub end_with: unsafe extern "C" fn(
        *mut VmEnv,
        *const VmFuncRef,
        *mut u64,
        *const NativeFrame,
        u64,
    ) -> u32,
    pub check_subtype: unsafe extern "C" fn(*mut VmEnv, *const VmFuncRef, u32) -> u32,
    pub memory_size: unsafe extern "C" fn(*mut VmEnv, u32) -> u32,
    pub memory_grow: unsafe extern "C" fn(*mut VmEnv, u32, u64) -> u32,
    pub memory_copy: unsafe extern "C" fn(*mut VmEnv, u64, u64, u64, u64) -> u32,
    pub memory_fill: unsafe extern "C" fn(*mut VmEnv, u32, u64, u32, u64) -> u32,
    pub memory_init: unsafe extern "C" fn(*mut VmEnv, u64, u64, u32, u32) -> u32,
    pub data_drop: unsafe extern "C" fn(*mut VmEnv, u32) -> u32,
    pub table_grow: unsafe extern "C" fn(*mut VmEnv, u32, u64, u64) -> u32,
    pub table_fill: unsafe extern "C" fn(*mut VmEnv, u32, u32, u64, u32) -> u32,
    pub table_copy: unsafe extern "C" fn(*mut VmEnv, u64, u32, u32, u32) -> u32,
    pub table_init: unsafe extern "C" fn(*mut VmEnv, u64, u32, u32, u32) -> u32,
    pub elem_drop: unsafe extern "C" fn(*mut VmEnv, u32) -> u32,
    pub object:
        unsafe extern "C" fn(*mut VmEnv, u64, u32, *mut u64, *const NativeFrame, u64) -> u32,
    pub is_of: unsafe extern "C" fn(*mut VmEnv, u32, u64) -> u32,
    pub get_field: unsafe extern "C" fn(*mut VmEnv, u64, u64, *mut u64) -> u32,
    pub set_field: unsafe extern "C" fn(*mut VmEnv, u64, u64, *const u64) -> u32,
    pub get_element: unsafe extern "C" fn(*mut VmEnv, u64, u32, u32, *mut u64) -> u32,
    pub set_element: unsafe extern "C" fn(*mut VmEnv, u64, u32, *const u64) -> u32,
    pub array_len: unsafe extern "C" fn(*mut VmEnv, u64) -> u32,
    pub atomic_wait: unsafe extern "C" fn(*mut VmEnv, u64, u64, u64, i64) -> u32,
    pub atomic_notify: unsafe extern "C" fn(*mut VmEnv, u64, u64, u32) -> u32,
}

/// The result of a function: zero, or the code of a trap.
pub fn code(result: Result<(), Trap>) -> u32 {
    result.map_or_else(|trap| trap as u32, |()| 0)
}
