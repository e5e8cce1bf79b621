//! Calls that may leave this instance: imports and indirect calls.
//!
//! A host function is called through its header and finds its arguments in the caller's
//! topmost slots. Other functions are entered by their references, as `exec` does, so that their
//! engine does not matter: guest code of another instance runs in a run of its own, and every frame
//! of one run has the same instance and the same engine. The native stack bounds the depth of runs.
//!
//! Indirect calls within the instance and the usual call of an import are leaves; the other cases
//! are slow handlers.

use super::calls::enter_leaf;
use super::exceptions::rethrow;
use super::memory::reload_memory;
use super::references::CallSubtype;
use super::{TrapNow, trap};
use crate::abi::lanes::V128;
use crate::abi::trap::Trap;
use crate::abi::types::FuncType;
use crate::abi::vm_layout::{VmFuncKind, VmFuncRef};
use crate::exec::{self, work};
use crate::interp::code::VmCode;
use crate::interp::dispatch::{
    HandlerFor, Leaf, Regs, Stop, call_host, handler, next, slow, to_slow,
};
use crate::interp::instr::{Class, Mode};
use crate::interp::machine::{Frame, Ip, Memory0};
use crate::interp::operand::{Acc, Slot, Src, Value};
use crate::interp::shape::{self, Picked, Shape, SlotNo};

/// Notes the position and frame of guest code in its activation before `host` is called or, if that
/// is null, guest code of another instance.
///
/// # Safety
/// `r` must be the registers of a call instruction.
#[inline(always)]
pub unsafe fn exit(r: &Regs, host: *const VmFuncRef) {
    // SAFETY: guest code runs inside an activation, which lasts longer than the instruction.
    unsafe {
        let activation = (*r.env).activation;
        (*activation).ip = r.ip.as_ptr();
        (*activation).sp = r.sp.as_ptr();
        (*activation).host = host;
    }
}

/// Notes in the activation that guest code runs again.
///
/// # Safety
/// As for [`exit`].
#[inline(always)]
pub unsafe fn resume(r: &Regs) {
    // SAFETY: guest code runs inside an activation, which lasts longer than the instruction.
    unsafe { (*(*r.env).activation).ip = std::ptr::null() }
}

/// A call of a function that is not guest code of this instance.
pub trait CallsOut: Shape {
    /// The first slot of the arguments, and the slots that they or the results take.
    fn arguments(&self) -> (SlotNo, u16);

    /// The frame of the called function, and the end of the slots that arguments or results take.
    #[inline(always)]
    fn place(&self, r: &Regs) -> (Frame, *mut u64) {
        let (frame, slots) = self.arguments();
        let frame = r.sp.inner(frame);
        (frame, frame.slots_on(slots.into()))
    }
}

impl CallsOut for shape::CallImport {
    #[inline(always)]
    fn arguments(&self) -> (SlotNo, u16) {
        (self.frame, self.slots)
    }
}

impl CallsOut for shape::CallIndirect {
    #[inline(always)]
    fn arguments(&self) -> (SlotNo, u16) {
        (self.frame, self.slots)
    }
}

/// As [`CallsOut::place`], after a check that there is room for the slots. Traps if there is none.
///
/// # Safety
/// `r` must be the registers of the call.
#[inline(always)]
pub unsafe fn place(r: &Regs, i: &impl CallsOut) -> Result<(Frame, *mut u64), Stop> {
    let (frame, top) = i.place(r);
    // SAFETY: the environment is live while its code runs. The running frame has room for
    // arguments; results may need more.
    if top > unsafe { (*r.env).stack_limit } {
        return Err(Trap::OperandStackOverflow.into());
    }
    Ok((frame, top))
}

handler!(
    /// Calls an import.
    call_import [] |r, i: shape::CallImport| {
    let env = r.env;
    let func = (*(*env).instance).func_refs.add(i.import as usize);
    let (frame, top) = i.place(&r);
    let budget = (*env).budget - work::HOST_CALL as i64;
    if (*func).kind != VmFuncKind::Host || top > (*env).stack_limit || budget < 0 {
        // Memory 0 is read again after the call, and the accumulators are free.
        return to_slow::<CallImport>(Regs { memory: Memory0::NONE, int: 0, ..r }, i);
    }
    (*env).budget = budget;
    (*env).stack_top = top;
    exit(&r, func);
    call_host::<AfterHost>(r, (*func).body.host, frame)
});

handler!(
    /// The rest of a call of a host function, which has returned `r.int`.
    after_host [] |r, i: shape::CallImport| {
    resume(&r);
    if r.int != 0 {
        return to_slow::<TrapNow>(r, &());
    }
    reload_memory(&mut r);
    r.pass(i);
    next(r)
});

struct AfterHost;

impl Leaf for AfterHost {
    type Shape = shape::CallImport;
    const HANDLER: HandlerFor<shape::CallImport> = after_host;
}

slow!(
    /// As `call_import`, for all cases.
    CallImport |r, i: shape::CallImport| {
    work::charge(r.env, work::HOST_CALL)?;
    let func = (*(*r.env).instance).func_refs.add(i.import as usize);
    call_out(r, i, func)
});

slow!(
    /// An indirect call of the function whose address is in the integer accumulator, which is
    /// not guest code of this instance.
    CallOut |r, i: shape::CallIndirect| {
    work::charge(r.env, work::HOST_CALL)?;
    let func = r.int as usize as *const VmFuncRef;
    call_out(r, i, func)
});

/// Calls a function that is not guest code of this instance.
///
/// # Safety
/// `r` and `i` must be those of a call instruction, and `func` live.
pub unsafe fn call_out<I: CallsOut>(
    r: &mut Regs,
    i: &I,
    func: *const VmFuncRef,
) -> Result<(), Stop> {
    // SAFETY: the caller guarantees that `func` is live; `place` has checked that there is room for
    // the call's arguments and results.
    unsafe {
        let (frame, top) = place(r, i)?;
        call_placed(r, func, frame, top, r.ip.next::<I>())
    }
}

/// As [`call_out`], with the arguments at `frame` and the end of the slots of these or the results
/// at `top`; goes on at `back_to`.
///
/// # Safety
/// `r` must be those of a call instruction, which lies before `back_to`, and `func` live. There is
/// room for arguments and results.
#[inline(never)]
pub unsafe fn call_placed(
    r: &mut Regs,
    func: *const VmFuncRef,
    frame: Frame,
    top: *mut u64,
    back_to: Ip,
) -> Result<(), Stop> {
    // SAFETY: the instance of the running environment and that of the function are alive.
    unsafe {
        let ty = &*(*func).ty;
        let code = exec::call_out(r.env, r.point(), func, (frame.as_ptr(), top));
        if code != 0 {
            if !(*r.env).exception.is_none() {
                return rethrow(r);
            }
            return Err(Stop::Trap(code));
        }
        reload_memory(r);
        set_accs(r, frame, ty);
        r.ip = back_to;
        Ok(())
    }
}

/// Loads a single result into its accumulator, where a caller expects it when guest code returns.
///
/// # Safety
/// A function of this type has returned, with its results at `frame`.
unsafe fn set_accs(r: &mut Regs, frame: Frame, ty: &FuncType) {
    let &[result] = ty.results() else { return };
    let slot = frame.as_ptr();
    // SAFETY: the caller guarantees that results of this type lie in the slots from `frame` on.
    unsafe {
        match Class::of(result) {
            Class::Int => u64::set_acc(r, u64::load(slot)),
            Class::F32 => f32::set_acc(r, f32::load(slot)),
            Class::F64 => f64::set_acc(r, f64::load(slot)),
            Class::V128 => V128::set_acc(r, V128::load(slot)),
        }
    }
}

/// The function that an element of a table refers to, and whether its type is exactly the type at
/// the index `ty`. If not, it may still be a subtype.
///
/// # Safety
/// `r` must be the registers of an instruction that has the indices of a table and of a type.
#[inline(always)]
pub unsafe fn find_indirect(
    r: &Regs,
    table: u16,
    index: u32,
    ty: u32,
) -> Result<(*const VmFuncRef, bool), Trap> {
    // SAFETY: there is a table and a type for each index; elements of tables of functions are null
    // or live references.
    unsafe {
        let index = index as usize;
        let instance = (*r.env).instance;
        let table = *(*instance).tables.add(table as usize);
        if index >= (*table).len {
            return Err(Trap::UndefinedElement);
        }
        let func = *(*table).elems.add(index) as usize as *const VmFuncRef;
        if func.is_null() {
            return Err(Trap::UninitializedElement);
        }
        Ok((func, (*func).type_id == *(*instance).type_ids.add(ty as usize)))
    }
}

/// Whether a function is guest code of the running instance.
///
/// # Safety
/// `func` is live, and `r` are registers of running code.
#[inline(always)]
pub unsafe fn is_own(r: &Regs, func: *const VmFuncRef) -> bool {
    // SAFETY: the caller guarantees that `func` is live and that the code of `r` is running, whose
    // environment is live.
    unsafe { (*func).kind == VmFuncKind::Wasm && (*func).instance == (*r.env).instance }
}

handler!(
    /// Calls through a table.
    call_indirect [S: Src<u32, Field = SlotNo>] |r, i: shape::CallIndirect| {
    let index = S::read(&r, i.index);
    // A processor's register more for the leaf: the call leaves nothing in the accumulators.
    r.int = 0;
    let (func, is_exact) = match find_indirect(&r, i.table, index, i.ty) {
        Ok(found) => found,
        Err(code) => return trap(r, code),
    };
    if !is_exact {
        r.int = func as usize as u64;
        return to_slow::<CallSubtype>(r, i);
    }
    if is_own(&r, func) {
        let frame = r.sp.inner(i.frame);
        let code = (*func).body.code.cast::<VmCode>();
        let back_to = r.ip.next::<shape::CallIndirect>();
        return enter_leaf(r, code, frame, back_to);
    }
    r.int = func as usize as u64;
    to_slow::<CallOut>(r, i)
});

/// The handler of `call_indirect` by the mode of its index.
pub fn call_indirect_handler(index: Mode) -> Picked {
    match index {
        Mode::Acc => Picked::leaf(call_indirect::<Acc>),
        Mode::Slot => Picked::leaf(call_indirect::<Slot>),
        Mode::Imm => super::none(),
    }
}
