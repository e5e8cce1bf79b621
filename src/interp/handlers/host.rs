//! Calls that may leave this instance: imports and indirect calls.
//!
//! A host function is called through its header and finds its arguments in the caller's
//! topmost slots. Guest code of another instance runs in a nested run, so that every frame of
//! one run has the same instance; the native stack bounds how deep that goes.
//!
//! The usual paths end in jumps, also into the unusual ones: a handler that called those would
//! need a stack frame on every path.

use super::control::enter;
use super::memory::reload_memory;
use super::trap;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmFuncKind, VmFuncRef};
use crate::exec::builtins;
use crate::interp::dispatch::{Handler, handler, next, stop};
use crate::interp::instr::Mode;
use crate::interp::operand::{A, Acc, B, DST, IMM, Slot, Src, WIDE};

handler!(
    /// Calls an import: `[handler][-, frame, slots][import index]`; `slots` is what arguments
    /// or results take, whichever is more.
    call_import [] |r| {
    let func = (*(*r.env).instance).func_refs.add(r.field::<u32>(WIDE) as usize);
    let frame = r.sp.add(r.field::<u16>(A) as usize);
    let top = frame.add(r.field::<u16>(B) as usize);
    if top > (*r.env).stack_limit {
        return trap(r, Trap::OperandStackOverflow);
    }
    (*r.env).stack_top = top;
    if (*func).kind != VmFuncKind::Host {
        return call_out(r.ip, r.sp, r.mem, r.len, r.env, func as usize as u64, r.f32, r.f64);
    }
    let code = ((*(*func).host).call)((*func).host, r.env, frame);
    if code != 0 {
        return stop(r, code);
    }
    reload_memory(&mut r);
    r.skip(24);
    next(r)
});

handler!(
    /// The rest of a call whose target, `r.int`, is not guest code of this instance; the
    /// instruction is any call with the fields of [`call_import`].
    #[cold]
    #[inline(never)]
    call_out [] |r| {
    let func = r.int as usize as *const VmFuncRef;
    let frame = r.sp.add(r.field::<u16>(A) as usize);
    let top = frame.add(r.field::<u16>(B) as usize);
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
            let code = ((*(*func).host).call)((*func).host, r.env, frame);
            ((*r.env).instance, (*r.env).globals) = saved;
            code
        }
        VmFuncKind::Wasm => crate::interp::run_nested(r.env, func, frame),
        VmFuncKind::Unlinked => builtins::unlinked(func) as u32,
    };
    if code != 0 {
        return stop(r, code);
    }
    reload_memory(&mut r);
    r.skip(24);
    next(r)
});

handler!(
    /// Calls through a table: `[handler][index, frame, slots][table, type]`.
    call_indirect [S: Src<u32>] |r| {
    let index = S::read(&r, DST, IMM) as usize;
    let frame = r.sp.add(r.field::<u16>(A) as usize);
    let instance = (*r.env).instance;
    let table = *(*instance).tables.add(r.field::<u32>(WIDE) as usize);
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
        return enter(r, code, frame, header, r.ip.add(24));
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
