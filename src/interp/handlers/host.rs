//! Calls that may leave this instance: imports and indirect calls.
//!
//! A host function is called through its header and finds its arguments in the caller's
//! topmost slots. Guest code of another instance runs in a nested run, so that every frame of
//! one run has the same instance; the native stack bounds how deep that goes.
//!
//! The usual paths end in jumps, also into the unusual ones: a handler that called those would
//! need a stack frame on every path.

use super::control::{CALL_BYTES, FRAME, SLOTS, enter};
use super::exceptions::go_on_throwing;
use super::memory::reload_memory;
use super::{fail, trap};
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmFuncKind, VmFuncRef};
use crate::exec::builtins;
use crate::interp::dispatch::{Handler, Regs, handler, next};
use crate::interp::instr::Mode;
use crate::interp::operand::{Acc, Slot, Src, WIDE};

/// Field of the slot that an indirect call finds its index in.
pub const INDEX: usize = WIDE + 2;

/// Notes where guest code is while something else runs: `host`, or, for null, guest code of
/// another instance.
///
/// # Safety
/// `r` must be the registers of a call instruction.
#[inline(always)]
pub unsafe fn leave(r: &Regs, host: *const VmFuncRef) {
    // SAFETY: guest code runs inside an activation, which lasts longer than the instruction.
    unsafe {
        let activation = (*r.env).activation;
        (*activation).ip = r.ip;
        (*activation).sp = r.sp;
        (*activation).host = host;
    }
}

/// Guest code goes on.
///
/// # Safety
/// As for [`leave`].
#[inline(always)]
pub unsafe fn come_back(r: &Regs) {
    // SAFETY: as in `leave`.
    unsafe { (*(*r.env).activation).ip = std::ptr::null() }
}

handler!(
    /// Calls an import: `[handler][position, frame, slots][import index]`; `slots` is what
    /// arguments or results take, whichever is more.
    call_import [] |r| {
    let func = (*(*r.env).instance).func_refs.add(r.field::<u32>(WIDE) as usize);
    let frame = r.sp.add(r.field::<u16>(FRAME) as usize);
    let top = frame.add(r.field::<u16>(SLOTS) as usize);
    if top > (*r.env).stack_limit {
        return trap(r, Trap::OperandStackOverflow);
    }
    (*r.env).stack_top = top;
    if (*func).kind != VmFuncKind::Host {
        return call_out(r.ip, r.sp, r.mem, r.len, r.env, func as usize as u64, r.f32, r.f64);
    }
    leave(&r, func);
    let code = ((*(*func).host).call)((*func).host, r.env, frame);
    come_back(&r);
    if code != 0 {
        return fail(r, code);
    }
    reload_memory(&mut r);
    r.skip(CALL_BYTES);
    next(r)
});

handler!(
    /// The rest of a call whose target, `r.int`, is not guest code of this instance; the
    /// instruction is any call with the fields of [`call_import`].
    #[cold]
    #[inline(never)]
    call_out [] |r| {
    let func = r.int as usize as *const VmFuncRef;
    let frame = r.sp.add(r.field::<u16>(FRAME) as usize);
    let top = frame.add(r.field::<u16>(SLOTS) as usize);
    if top > (*r.env).stack_limit {
        return trap(r, Trap::OperandStackOverflow);
    }
    (*r.env).stack_top = top;
    let code = match (*func).kind {
        VmFuncKind::Host => {
            // The function belongs to the instance that imported it, and acts on that one.
            let saved = ((*r.env).instance, (*r.env).globals);
            (*r.env).instance = (*func).instance;
            (*r.env).globals = (*(*func).instance).globals;
            leave(&r, func);
            let code = ((*(*func).host).call)((*func).host, r.env, frame);
            ((*r.env).instance, (*r.env).globals) = saved;
            code
        }
        VmFuncKind::Wasm => {
            leave(&r, std::ptr::null());
            crate::interp::run_nested(r.env, func, frame)
        }
        VmFuncKind::Unlinked => builtins::unlinked(func) as u32,
    };
    come_back(&r);
    if code != 0 {
        if !(*r.env).exception.is_null() {
            return go_on_throwing(r.ip, r.sp, r.mem, r.len, r.env, r.int, r.f32, r.f64);
        }
        return fail(r, code);
    }
    reload_memory(&mut r);
    r.skip(CALL_BYTES);
    next(r)
});

handler!(
    /// Calls through a table: `[handler][position, frame, slots][table, index, type]`.
    call_indirect [S: Src<u32>] |r| {
    let index = S::read(&r, INDEX, INDEX) as usize;
    let frame = r.sp.add(r.field::<u16>(FRAME) as usize);
    let instance = (*r.env).instance;
    let table = *(*instance).tables.add(r.field::<u16>(WIDE) as usize);
    if index >= (*table).len {
        return trap(r, Trap::UndefinedElement);
    }
    let func = *(*table).elems.add(index) as usize as *const VmFuncRef;
    if func.is_null() {
        return trap(r, Trap::UninitializedElement);
    }
    if (*func).type_id != *(*instance).type_ids.add(r.field::<u32>(WIDE + 4) as usize) {
        return trap(r, Trap::IndirectCallTypeMismatch);
    }
    if (*func).kind == VmFuncKind::Wasm && (*func).instance == instance {
        let code = (*func).code;
        let header = frame.add((*code).header_slot as usize);
        return enter(r, code, frame, header, r.ip.add(CALL_BYTES));
    }
    call_out(r.ip, r.sp, r.mem, r.len, r.env, func as usize as u64, r.f32, r.f64)
});

/// The handler of `call_indirect` by where its index is.
pub fn call_indirect_handler(index: Mode) -> Handler {
    match index {
        Mode::Acc => call_indirect::<Acc>,
        Mode::Slot => call_indirect::<Slot>,
        Mode::Imm => super::none(),
    }
}
