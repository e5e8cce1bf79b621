//! Calls through the table, which Emscripten makes where C++ or `longjmp` might come back from a
//! call in another way, and jumps.
//!
//! Nothing comes back in another way here: an exception goes through all calls and ends the guest.

use super::call::{Answer, EmccCall};
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::abi::vm_layout::VmFuncRef;
use crate::exec::func_type;
use std::ptr::NonNull;

/// Calls the function at `index` of the first table, if it takes as many i32 and gives `results`.
fn invoke(call: &EmccCall<'_>, index: u32, params: &[u32], results: &[ValType]) -> Answer {
    let table = call.instance().table(0).ok_or_else(|| call.raise("unknown table"))?;
    let word = table.get(index.into()).ok_or(Trap::UndefinedElement)?;
    let func = NonNull::new(word as usize as *mut VmFuncRef).ok_or(Trap::UninitializedElement)?;
    // SAFETY: an element of a table is a function of the table's link set.
    let ty = unsafe { func_type(func) };
    let takes =
        ty.params().len() == params.len() && ty.params().iter().all(|&ty| ty == ValType::I32);
    if !takes || ty.results() != results {
        return Err(Trap::IndirectCallTypeMismatch);
    }
    // SAFETY: the function comes from a table of the caller's link set; its type has these
    // parameters, and one result at most.
    unsafe { call.caller.call_guest(func, params) }
}

pub(super) fn invoke_vi(call: &EmccCall<'_>, index: u32, a: u32) -> Answer {
    invoke(call, index, &[a], &[])
}

pub(super) fn invoke_vii(call: &EmccCall<'_>, index: u32, a: u32, b: u32) -> Answer {
    invoke(call, index, &[a, b], &[])
}

pub(super) fn invoke_viii(call: &EmccCall<'_>, index: u32, a: u32, b: u32, c: u32) -> Answer {
    invoke(call, index, &[a, b, c], &[])
}

pub(super) fn invoke_viiii(
    call: &EmccCall<'_>,
    index: u32,
    a: u32,
    b: u32,
    c: u32,
    d: u32,
) -> Answer {
    invoke(call, index, &[a, b, c, d], &[])
}

pub(super) fn invoke_ii(call: &EmccCall<'_>, index: u32, a: u32) -> Answer {
    invoke(call, index, &[a], &[ValType::I32])
}

pub(super) fn invoke_iii(call: &EmccCall<'_>, index: u32, a: u32, b: u32) -> Answer {
    invoke(call, index, &[a, b], &[ValType::I32])
}

/// It returns the first time, which is the only one. Nothing is stored.
pub(super) fn setjmp(call: &EmccCall<'_>, buffer: u32) -> Answer {
    call.check(buffer, 1)?;
    Ok(0)
}

/// WAMR's returns, which a program does not expect of it, and mostly traps behind it. So this is
/// the end of the guest, with a text that says why.
pub(super) fn longjmp(call: &EmccCall<'_>, buffer: u32, value: u32) -> Answer {
    call.check(buffer, 1)?;
    Err(call.raise(&format!("env.longjmp({})", value as i32)))
}
