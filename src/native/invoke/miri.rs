//! Miri knows no assembly, so only Rust host functions can be called under it.

use super::plan::CallPlan;
use crate::abi::types::FuncType;
use crate::abi::vm_layout::VmEnv;
use crate::native::signature::Signature;
use std::ffi::c_void;

pub(super) const FLOAT_REGS: usize = 8;
pub(super) const INT_REGS: usize = 6;

pub(super) struct Extra;

/// Words of a frame beyond the arguments.
pub(super) fn own_words(_args: usize) -> usize {
    0
}

impl Extra {
    pub(super) fn new(_ty: &FuncType, _signature: Option<Signature<'_>>) -> Self {
        Self
    }
}

/// Leaves zeros as the results.
///
/// # Safety
/// `frame` has room for four words.
pub(super) unsafe fn call(
    _env: *mut VmEnv,
    _target: *const c_void,
    frame: *mut u64,
    _stack_words: usize,
    _plan: &CallPlan,
) -> bool {
    // SAFETY: the caller vouches for the room.
    unsafe { std::ptr::write_bytes(frame, 0, 4) };
    true
}

/// Calls a raw native.
///
/// # Safety
/// `env` is live, and `target` takes the slots at `args`.
pub(super) unsafe fn raw(env: *mut VmEnv, target: *const c_void, args: *const u64) {
    type Raw = unsafe extern "C" fn(*mut c_void, *const u64);
    // SAFETY: the caller guarantees that `env` is live, and `target` takes the slots at `args`; the
    // owner of a live environment is its exec_env.
    unsafe { std::mem::transmute::<*const c_void, Raw>(target)((*env).owner, args) };
}
