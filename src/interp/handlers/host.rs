//! Calls that may leave this instance: imports and indirect calls.
//!
//! A host function is called through its header and finds its arguments in the caller's
//! topmost slots. Everything else is entered by its reference, as `exec` does, whatever engine it
//! is of: guest code of another instance in a run of its own, so that every frame of one run has
//! the same instance and the same engine; the native stack bounds how deep that goes.
//!
//! Indirect calls within the instance are leaves, everything else is slow handlers.

use super::control::{CALL_BYTES, FRAME, SLOTS, enter_leaf};
use super::exceptions::go_on_throwing;
use super::memory::reload_memory;
use super::{TrapNow, trap};
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmFuncKind, VmFuncRef};
use crate::exec::{nested, work};
use crate::interp::code::VmCode;
use crate::interp::dispatch::{Handler, Leaf, Regs, Stop, call_host, handler, next, slow, to_slow};
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

/// The frame of a call of something else than guest code of this instance, and the end of the
/// slots that arguments or results take.
///
/// # Safety
/// `r` must be the registers of a call instruction with these fields.
#[inline(always)]
pub unsafe fn place(r: &Regs) -> Result<(*mut u64, *mut u64), Stop> {
    // SAFETY: the instruction says where its arguments lie in the running frame, which has room
    // for them; results may need more.
    unsafe {
        let frame = r.sp.add(r.field::<u16>(FRAME) as usize);
        let top = frame.wrapping_add(r.field::<u16>(SLOTS) as usize);
        if top > (*r.env).stack_limit {
            return Err(Trap::OperandStackOverflow.into());
        }
        Ok((frame, top))
    }
}

handler!(
    /// Calls an import: `[handler][position, frame, slots][import index]`; `slots` is what
    /// arguments or results take, whichever is more.
    call_import [] |r| {
    let env = r.env;
    let func = (*(*env).instance).func_refs.add(r.field::<u32>(WIDE) as usize);
    let frame = r.sp.add(r.field::<u16>(FRAME) as usize);
    let top = frame.wrapping_add(r.field::<u16>(SLOTS) as usize);
    let budget = (*env).budget - work::HOST_CALL as i64;
    if (*func).kind != VmFuncKind::Host || top > (*env).stack_limit || budget < 0 {
        // Memory 0 is read again after the call, and the accumulators are free.
        return to_slow::<CallImport>(Regs { mem: std::ptr::null_mut(), len: 0, int: 0, ..r });
    }
    (*env).budget = budget;
    (*env).stack_top = top;
    leave(&r, func);
    call_host::<AfterHost>(r, (*func).body.host, frame)
});

handler!(
    /// The rest of a call of a host function, which has returned `r.int`.
    after_host [] |r| {
    come_back(&r);
    if r.int != 0 {
        return to_slow::<TrapNow>(r);
    }
    reload_memory(&mut r);
    r.skip(CALL_BYTES);
    next(r)
});

struct AfterHost;

impl Leaf for AfterHost {
    const HANDLER: Handler = after_host;
}

slow!(
    /// As `call_import`, where anything is unusual.
    CallImport |r| {
    work::charge(r.env, work::HOST_CALL)?;
    let func = (*(*r.env).instance).func_refs.add(r.field::<u32>(WIDE) as usize);
    call_out(r, func)
});

slow!(
    /// An indirect call of the function whose address is in the integer accumulator, which is
    /// not guest code of this instance.
    CallOut |r| {
    work::charge(r.env, work::HOST_CALL)?;
    let func = r.int as usize as *const VmFuncRef;
    call_out(r, func)
});

/// Calls a function that is not guest code of this instance, by any call instruction with the
/// fields of [`CallImport`].
///
/// # Safety
/// `r` must be the registers of such an instruction, and `func` live.
#[inline(never)]
pub unsafe fn call_out(r: &mut Regs, func: *const VmFuncRef) -> Result<(), Stop> {
    // SAFETY: the instance of the running environment and that of the function are alive.
    unsafe {
        let (frame, top) = place(r)?;
        (*r.env).stack_top = top;
        let code = if (*func).kind == VmFuncKind::Host {
            // The function belongs to the instance that imported it, and acts on that one.
            let saved = ((*r.env).instance, (*r.env).globals);
            (*r.env).instance = (*func).instance;
            (*r.env).globals = (*(*func).instance).globals;
            leave(r, func);
            let host = (*func).body.host;
            let code = ((*host).call)(host, r.env, frame);
            ((*r.env).instance, (*r.env).globals) = saved;
            code
        } else {
            leave(r, std::ptr::null());
            nested(r.env, func, frame)
        };
        come_back(r);
        if code != 0 {
            if !(*r.env).exception.is_null() {
                return go_on_throwing(r);
            }
            return Err(Stop::Trap(code));
        }
        reload_memory(r);
        r.skip(CALL_BYTES);
        Ok(())
    }
}

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
        let code = (*func).body.code.cast::<VmCode>();
        let header = frame.add((*code).header_slot as usize);
        return enter_leaf(r, code, frame, header, r.ip.add(CALL_BYTES));
    }
    r.int = func as usize as u64;
    to_slow::<CallOut>(r)
});

/// The handler of `call_indirect` by where its index is.
pub fn call_indirect_handler(index: Mode) -> Handler {
    match index {
        Mode::Acc => call_indirect::<Acc>,
        Mode::Slot => call_indirect::<Slot>,
        Mode::Imm => super::none(),
    }
}
