//! Tail calls: the called function takes over the frame of the one that calls it.
//!
//! The arguments lie in the frame's topmost slots and move to its first ones, where the called
//! function has its parameters; the header behind them is written anew, at another place if there
//! are more or fewer. The return address in it stays the same. All checks that may trap come
//! before, so that a trap finds the frame of the function that makes the call.
//!
//! Functions of the same instance are entered by leaves, as long as there are few slots to move.
//! "Engines" in ARCHITECTURE.md describes how other functions are called without nesting.

use super::calls::{Arrival, enter_leaf_with, enter_with};
use super::host::{call_placed, find_indirect, is_own};
use super::profile;
use super::references::check_subtype;
use super::{none, trap};
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmFuncKind, VmFuncRef};
use crate::exec::{builtins, end_in_host, tail_call as end_in_tail_call, work};
use crate::interp::code::VmCode;
use crate::interp::dispatch::{Regs, Ret, Slow, Stop, handler, slow, to_slow};
use crate::interp::frames::table_of;
use crate::interp::instr::Mode;
use crate::interp::machine::{Frame, Header};
use crate::interp::operand::{Acc, Slot, Src};
use crate::interp::shape::{self, Picked, Shape, SlotNo};
use std::marker::PhantomData;

/// Slots of parameters that leaves move; each number has a leaf of its own.
const MOVED_MAX: usize = 4;

/// The parameters are `N` slots of the same frame, from this one on. Where they overlap its first
/// ones, none is overwritten before it was moved: they are behind the header.
#[derive(Clone, Copy)]
struct Moved<const N: usize>(SlotNo);

impl<const N: usize> Arrival for Moved<N> {
    #[inline(always)]
    unsafe fn arrange(self, frame: Frame) {
        // SAFETY: the running function's frame, which begins where the called one's does, has the
        // parameters from the given slot on; there is room for the called one's.
        unsafe {
            let (to, from) = (frame.as_ptr(), frame.slot(self.0));
            for n in 0..N {
                *to.add(n) = *from.add(n);
            }
        }
    }
}

/// As [`Moved`], of any number of slots.
#[derive(Clone, Copy)]
struct ManyMoved {
    from: SlotNo,
    count: usize,
}

impl Arrival for ManyMoved {
    #[inline(always)]
    unsafe fn arrange(self, frame: Frame) {
        // SAFETY: the running function's frame, which begins where the called one's does, has the
        // parameters from the given slot on; there is room for the called one's.
        unsafe { std::ptr::copy(frame.slot(self.from), frame.as_ptr(), self.count) }
    }
}

/// A leaf's way into `code`, whose `N` slots of parameters lie from `from` on, in place of the
/// running function, whose header is in slot `header`.
///
/// # Safety
/// The parameters and the header are there, `code` is live, and the contract of `Handler` holds for
/// `r`.
#[inline(always)]
unsafe fn take_over_leaf<const N: usize>(
    r: Regs,
    code: *const VmCode,
    from: SlotNo,
    header: SlotNo,
) -> Ret {
    // SAFETY: the parameters are moved once there is room for the called function's frame, which
    // begins where the running one does.
    unsafe {
        let (frame, back) = (r.sp, *r.sp.header(header.into()));
        enter_leaf_with(r, code, frame, back, Moved::<N>(from))
    }
}

/// As [`take_over_leaf`], for a slow handler and any number of parameters.
///
/// # Safety
/// As for [`take_over_leaf`].
unsafe fn take_over(
    r: &mut Regs,
    code: *const VmCode,
    from: SlotNo,
    header: SlotNo,
) -> Result<(), Stop> {
    // SAFETY: the parameters are moved once there is room for the called function's frame, which
    // begins where the running one does. A function's header lies right behind its parameters, so
    // `header_slot` is their number of slots.
    unsafe {
        let count = (*code).header_slot as usize;
        work::charge(r.env, work::of_slots(count))?;
        let (frame, back) = (r.sp, *r.sp.header(header.into()));
        enter_with(r, code, frame, back, ManyMoved { from, count })
    }
}

/// A tail call whose function is found at run time.
trait EndsWith: Shape {
    /// The first slot of the parameters, and that of the running function's header.
    fn slots(&self) -> (SlotNo, SlotNo);
}

impl EndsWith for shape::TailCallIndirect {
    #[inline(always)]
    fn slots(&self) -> (SlotNo, SlotNo) {
        (self.from, self.header)
    }
}

impl EndsWith for shape::TailCallRef {
    #[inline(always)]
    fn slots(&self) -> (SlotNo, SlotNo) {
        (self.from, self.header)
    }
}

/// A leaf's way into `func` for a tail call, if its parameters take `N` slots. An `N` above
/// [`MOVED_MAX`] stands for any number above.
///
/// # Safety
/// `r` and `i` must be those of a tail call, and `func` live and of the type that the call is for.
#[inline(always)]
unsafe fn end_with<const N: usize, I: EndsWith>(mut r: Regs, i: &I, func: *const VmFuncRef) -> Ret {
    let (from, header) = i.slots();
    // SAFETY: the caller guarantees a tail call and that `func` is live and of its type. If it is
    // guest code of this instance, it is this engine's, and its body is a `VmCode`.
    unsafe {
        if N <= MOVED_MAX && is_own(&r, func) {
            return take_over_leaf::<N>(r, (*func).body.code.cast(), from, header);
        }
        r.int = func as usize as u64;
        to_slow::<EndWith<I>>(r, i)
    }
}

/// The rest of [`end_with`]: the function's address is in the integer accumulator.
struct EndWith<I>(PhantomData<I>);

impl<I: EndsWith> Slow for EndWith<I> {
    type Shape = I;
    unsafe fn run(r: &mut Regs) -> Result<(), Stop> {
        // SAFETY: `end_with` has handed over a tail call and a live function.
        unsafe {
            let (from, header) = r.ip.of_shape::<I>().operands().slots();
            let func = r.int as usize as *const VmFuncRef;
            if is_own(r, func) {
                return take_over(r, (*func).body.code.cast(), from, header);
            }
            leave(r, func, from, header)
        }
    }
}

handler!(
    /// Ends with a call of a function of this module that has `N` slots of parameters.
    tail_call [const N: usize] |r, i: shape::TailCall| {
    take_over_leaf::<N>(r, i.code, i.from, i.header)
});

slow!(
    /// As `tail_call`, with any number of parameters.
    TailCall |r, i: shape::TailCall| { take_over(r, i.code, i.from, i.header) }
);

handler!(
    /// Ends with a call through a table, of a function with `N` slots of parameters.
    tail_call_indirect [S: Src<u32, Field = SlotNo>, const N: usize]
    |r, i: shape::TailCallIndirect| {
    let (func, is_exact) = match find_indirect(&r, i.table, S::read(&r, i.index), i.ty) {
        Ok(found) => found,
        Err(code) => return trap(r, code),
    };
    if !is_exact {
        r.int = func as usize as u64;
        return to_slow::<TailCallSubtype>(r, i);
    }
    end_with::<N, _>(r, i, func)
});

slow!(
    /// As `tail_call_indirect`, of the function whose address is in the integer accumulator, if its
    /// type is not exactly `ty` but may be a subtype.
    TailCallSubtype |r, i: shape::TailCallIndirect| {
    check_subtype(r, r.int as usize as *const VmFuncRef, i.ty)?;
    EndWith::<shape::TailCallIndirect>::run(r)
});

handler!(
    /// Ends with a call of the function that a slot refers to, with `N` slots of parameters.
    tail_call_ref [const N: usize] |r, i: shape::TailCallRef| {
    let func = r.get::<u64>(i.callee) as usize as *const VmFuncRef;
    if func.is_null() {
        return trap(r, Trap::NullFunction);
    }
    end_with::<N, _>(r, i, func)
});

slow!(
    /// Ends with a call of an import.
    TailCallImport |r, i: shape::TailCallImport| {
    let func = (*(*r.env).instance).func_refs.add(i.import as usize);
    leave(r, func, i.from, i.header)
});

/// Ends the running function, whose header is in slot `header`, with a call of `func`, which is not
/// guest code of this instance. The parameters lie from `from` on.
///
/// # Safety
/// The parameters and the header must be there, `r` the registers of a tail call, and `func` live.
unsafe fn leave(
    r: &mut Regs,
    func: *const VmFuncRef,
    from: SlotNo,
    header: SlotNo,
) -> Result<(), Stop> {
    // SAFETY: the caller guarantees that `func` is live, and its type and instance live with it.
    // The frame's first slots are the running function's own, and `top` is compared with the limit
    // before arguments or results are written to them.
    unsafe {
        let env = r.env;
        let (ty, kind) = (&*(*func).ty, (*func).kind);
        let count = ty.param_slots();
        work::charge(env, work::HOST_CALL + work::of_slots(count as usize))?;
        if kind == VmFuncKind::Unlinked {
            return Err(builtins::unlinked(func).into());
        }
        let frame = r.sp;
        let top = frame.slots_on(count.max(ty.result_slots()));
        if top > (*env).stack_limit {
            return Err(Trap::OperandStackOverflow.into());
        }
        let Header { back_to, caller } = *frame.header(header.into());
        std::ptr::copy(frame.slot(from), frame.as_ptr(), count as usize);
        let began = (kind == VmFuncKind::Host).then(|| profile::begin(env, func)).flatten();
        if let Some(call) = back_to.call() {
            (r.ip, r.sp) = (call, caller);
            call_placed(r, func, frame, top, back_to)?;
            if let Some(began) = began {
                let caller = table_of((*env).activation).place(call.as_ptr());
                let caller = caller.map(|at| at.code.func_index);
                profile::left(env, (*func).func_index, began, caller);
            }
            return Ok(());
        }
        if kind == VmFuncKind::Wasm {
            return Err(Stop::Exit(end_in_tail_call(env, func)));
        }
        let code = end_in_host(env, func, frame.as_ptr());
        if code != 0 {
            return Err(Stop::Exit(code));
        }
        if let Some(began) = began {
            profile::left(env, (*func).func_index, began, None);
        }
        (r.ip, r.sp) = (back_to, caller);
        Ok(())
    }
}

/// The handler of a call by a reference by how many slots the parameters take.
pub fn tail_call_ref_handler(slots: u32) -> Picked {
    match slots {
        0 => Picked::leaf(tail_call_ref::<0>),
        1 => Picked::leaf(tail_call_ref::<1>),
        2 => Picked::leaf(tail_call_ref::<2>),
        3 => Picked::leaf(tail_call_ref::<3>),
        4 => Picked::leaf(tail_call_ref::<4>),
        _ => Picked::leaf(tail_call_ref::<{ MOVED_MAX + 1 }>),
    }
}

/// The handler of a call of a function of this module by how many slots its parameters take.
pub fn tail_call_handler(slots: u32) -> Picked {
    match slots {
        0 => Picked::leaf(tail_call::<0>),
        1 => Picked::leaf(tail_call::<1>),
        2 => Picked::leaf(tail_call::<2>),
        3 => Picked::leaf(tail_call::<3>),
        4 => Picked::leaf(tail_call::<4>),
        _ => Picked::slow::<TailCall>(),
    }
}

/// The handler of an indirect call by where its index is and how many slots the parameters take.
pub fn tail_call_indirect_handler(index: Mode, slots: u32) -> Picked {
    macro_rules! pick {
        ($s:ty) => {
            match slots {
                0 => Picked::leaf(tail_call_indirect::<$s, 0>),
                1 => Picked::leaf(tail_call_indirect::<$s, 1>),
                2 => Picked::leaf(tail_call_indirect::<$s, 2>),
                3 => Picked::leaf(tail_call_indirect::<$s, 3>),
                4 => Picked::leaf(tail_call_indirect::<$s, 4>),
                _ => Picked::leaf(tail_call_indirect::<$s, { MOVED_MAX + 1 }>),
            }
        };
    }
    match index {
        Mode::Acc => pick!(Acc),
        Mode::Slot => pick!(Slot),
        Mode::Imm => none(),
    }
}
