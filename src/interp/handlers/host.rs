//! Calls that may leave this instance: imports and indirect calls.
//!
//! A host function is called through its header and finds its arguments in the caller's
//! topmost slots. Guest code of another instance runs in a nested run, so that every frame of
//! one run has the same instance; the native stack bounds how deep that goes.

use super::control::{enter, native_stack_left};
use super::memory::reload_memory;
use super::trap;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmFuncKind, VmFuncRef};
use crate::exec::builtins;
use crate::interp::dispatch::{Handler, Regs, handler, next, stop};
use crate::interp::handlers::Mode;
use crate::interp::operand::{A, Acc, B, DST, IMM, Slot, Src, WIDE};

/// Calls `func`, whose instance or kind is not this run's, with its arguments at `frame`.
/// Zero, or a trap code. `top` is the first slot behind arguments and results.
///
/// # Safety
/// `func` must be live and `frame` must hold its parameters within the environment's slots.
#[inline(always)]
unsafe fn call_out(r: &Regs, func: *const VmFuncRef, frame: *mut u64, top: *mut u64) -> u32 {
    // SAFETY: the environment is live; a host function's header gives its own entry, and a
    // foreign function is run like one called by the host.
    unsafe {
        let env = r.env;
        if !native_stack_left(env) {
            return Trap::NativeStackOverflow as u32;
        }
        let saved_top = (*env).stack_top;
        (*env).stack_top = top;
        let code = match (*func).kind {
            VmFuncKind::Host => ((*(*func).host).call)((*func).host, env, frame),
            VmFuncKind::Wasm => crate::interp::run(env, func, frame),
            VmFuncKind::Unlinked => builtins::unlinked(func) as u32,
        };
        (*env).stack_top = saved_top;
        code
    }
}

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
    let code = call_out(&r, func, frame, top);
    if code != 0 {
        return stop(r, code);
    }
    reload_memory(&mut r);
    r.skip(24);
    next(r)
});

handler!(
    /// The rest of an indirect call whose target, `r.int`, is not guest code of this instance.
    /// A handler of its own, so that the usual path stays a chain of jumps.
    #[cold]
    call_indirect_out [] |r| {
    let func = r.int as usize as *const VmFuncRef;
    let frame = r.sp.add(r.field::<u16>(A) as usize);
    let top = frame.add(r.field::<u16>(B) as usize);
    if top > (*r.env).stack_limit {
        return trap(r, Trap::OperandStackOverflow);
    }
    let code = call_out(&r, func, frame, top);
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
        return enter(r, (*func).code, frame, r.ip.add(24));
    }
    call_indirect_out(r.ip, r.sp, r.mem, r.len, r.env, func as usize as u64, r.f32, r.f64)
});

/// The handler of `call_indirect` by where its index is.
pub fn call_indirect_handler(index: Mode) -> Handler {
    match index {
        Mode::Acc => call_indirect::<Acc>,
        Mode::Slot => call_indirect::<Slot>,
        Mode::Imm => super::none(),
    }
}
