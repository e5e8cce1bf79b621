//! Branches, calls within the module, returns and traps.
//!
//! Branch instructions have a layout of their own:
//!
//! ```text
//! byte   0        8    10    12          16           20
//!        handler  a    b     distance    imm (32 bit) cost
//! ```
//!
//! The distance is in bytes from the start of the branch. A backward branch carries what one
//! more turn of its loop costs, takes it from the budget and looks after fuel and termination
//! when the budget is used up: that is the only place a loop passes through on every turn.
//!
//! A frame begins with the parameters, followed by a header of two slots: where to return to,
//! and the caller's frame. The caller leaves arguments in its topmost slots, which become the
//! callee's parameters without being moved; results come back in the same place.

use super::numeric::{Compare, ops};
use super::{Refill, none, trap};
use crate::abi::trap::Trap;
use crate::exec::work;
use crate::interp::code::VmCode;
use crate::interp::dispatch::{Handler, Regs, Ret, Stop, handler, next, slow, stop, to_slow};
use crate::interp::instr::{Class, Mode};
use crate::interp::op::{CompareOp, compare_ops};
use crate::interp::operand::{A, Acc, B, DST, IMM, Imm32, Slot, Src, Value, WIDE};
use std::sync::atomic::Ordering;

/// Field offsets of branches.
pub const BRANCH_A: usize = 8;
pub const BRANCH_B: usize = 10;
pub const DISTANCE: usize = 12;
pub const BRANCH_IMM: usize = 16;
pub const COST: usize = 20;

/// Field offsets that all calls share: where in the module the call stands, the slot of the
/// callee's frame, and that of the callee's header or the slots that arguments and results take.
pub const POSITION: usize = 8;
pub const FRAME: usize = 12;
pub const SLOTS: usize = 14;

/// Bytes of every call instruction.
pub const CALL_BYTES: usize = 24;

/// Slots of a frame's header.
pub const HEADER_SLOTS: u32 = 2;

handler!(unreachable [] |r| { trap(r, Trap::Unreachable) });

handler!(
    /// An access that is known to be outside the memory.
    out_of_bounds [] |r| { trap(r, Trap::MemoryOutOfBounds) }
);

handler!(
    /// Leaves guest code: where the outermost function returns to.
    exit [] |r| { stop(r, 0) }
);

/// Takes the branch of the current instruction.
///
/// # Safety
/// The instruction must be a branch, with a cost if `BACK`.
#[inline(always)]
unsafe fn take<const BACK: bool>(mut r: Regs) -> Ret {
    // SAFETY: the translator resolved the distance to an instruction of the same function.
    unsafe {
        let cost = if BACK { r.field::<u32>(COST) as i64 } else { 0 };
        r.ip = r.ip.offset(r.field::<i32>(DISTANCE) as isize);
        if BACK {
            let env = r.env;
            (*env).budget -= cost;
            if (*env).budget < 0 {
                return to_slow::<Refill>(r);
            }
        }
        next(r)
    }
}

handler!(branch [] |r| { take::<false>(r) });
handler!(branch_back [] |r| { take::<true>(r) });

handler!(branch_if [S: Src<u32>, const WANT: bool, const BACK: bool] |r| {
    let condition = S::read(&r, BRANCH_A, BRANCH_IMM);
    if (condition != 0) == WANT {
        return take::<BACK>(r);
    }
    r.skip(if BACK { 24 } else { 16 });
    next(r)
});

handler!(branch_compare [C: Compare, L: Src<C::In>, R: Src<C::In>, const BACK: bool] |r| {
    let a = L::read(&r, BRANCH_A, BRANCH_IMM);
    let b = R::read(&r, if L::IMM { BRANCH_A } else { BRANCH_B }, BRANCH_IMM);
    if C::test(a, b) {
        return take::<BACK>(r);
    }
    r.skip(if BACK || L::IMM || R::IMM { 24 } else { 16 });
    next(r)
});

handler!(
    /// Jumps by a table of distances, one 8-byte entry per target and the default last:
    /// `[handler][a, -, count][distance]...`.
    branch_table [S: Src<u32>] |r| {
    let index = S::read(&r, BRANCH_A, BRANCH_IMM);
    let last = r.field::<u32>(DISTANCE);
    let entry = 16 + index.min(last) as usize * 8;
    r.ip = r.ip.offset(r.field::<i64>(entry) as isize);
    next(r)
});

/// How entering a function went.
pub enum Entered {
    /// `r` is at the function's first instruction.
    Ready,
    /// As `Ready`, but there is to be a look first.
    Refill,
    /// There is no room for the frame; nothing has changed.
    Overflow,
}

/// Enters `code` with its parameters at `frame` and its header at `header`, to come back to
/// `r`'s frame at `back_to`. Clearing the locals is up to the function's first instructions.
///
/// # Safety
/// `frame` must lie in the environment's slots and hold the parameters; the header must be
/// where the code has it.
#[inline(always)]
unsafe fn set_up(
    r: &mut Regs,
    code: *const VmCode,
    frame: *mut u64,
    header: *mut u64,
    back_to: *const u8,
) -> Entered {
    // SAFETY: the frame and the header fit, which is checked before anything is written; the
    // fields of `code` were set before its entry was.
    unsafe {
        let env = r.env;
        let entry = (*code).entry.load(Ordering::Acquire);
        let slots = (*code).frame_slots.load(Ordering::Relaxed) as usize;
        // At most 512 KiB beyond `frame`, which no allocation's end is away from wrapping.
        if frame.wrapping_add(slots) > (*env).stack_limit {
            return Entered::Overflow;
        }
        *header = back_to as usize as u64;
        *header.add(1) = r.sp as usize as u64;
        r.ip = entry.cast::<u8>();
        r.sp = frame;
        (*env).budget -= (*code).cost.load(Ordering::Relaxed) as i64;
        if (*env).budget < 0 { Entered::Refill } else { Entered::Ready }
    }
}

/// A leaf's way into a function; the contract is that of [`enter`].
///
/// # Safety
/// As for [`enter`].
#[inline(always)]
pub unsafe fn enter_leaf(
    mut r: Regs,
    code: *const VmCode,
    frame: *mut u64,
    header: *mut u64,
    back_to: *const u8,
) -> Ret {
    // SAFETY: the caller keeps to the contract of `enter`.
    unsafe {
        match set_up(&mut r, code, frame, header, back_to) {
            Entered::Ready => next(r),
            Entered::Refill => to_slow::<Refill>(r),
            Entered::Overflow => trap(r, Trap::OperandStackOverflow),
        }
    }
}

/// Enters a function from elsewhere: `r` is at its first instruction then.
///
/// # Safety
/// `frame` must lie in the environment's slots and hold the parameters, `header` must be where
/// the code has its header, and `back_to` an instruction for `r`'s frame.
#[inline]
pub unsafe fn enter(
    r: &mut Regs,
    code: *const VmCode,
    frame: *mut u64,
    header: *mut u64,
    back_to: *const u8,
) -> Result<(), Stop> {
    // SAFETY: the caller keeps to the contract.
    unsafe {
        match set_up(r, code, frame, header, back_to) {
            Entered::Ready => Ok(()),
            Entered::Refill => Ok(work::refill(r.env)?),
            Entered::Overflow => Err(Trap::OperandStackOverflow.into()),
        }
    }
}

handler!(
    /// Calls a function of this module: `[handler][position, frame, header][code]`.
    call [] |r| {
    let code = r.field::<*const VmCode>(WIDE);
    let (frame, header) = (r.slot(FRAME), r.slot(SLOTS));
    enter_leaf(r, code, frame, header, r.ip.add(CALL_BYTES))
});

slow!(
    /// First instruction of every function that was not called yet: translates it, then enters
    /// it again. The header is in place; what it says stays true.
    Translate |r| {
    let code = r.field::<*const VmCode>(8);
    crate::interp::code::translate(r.env, code)?;
    let header = r.sp.add((*code).header_slot as usize);
    let back_to = *header as usize as *const u8;
    let frame = r.sp;
    r.sp = *header.add(1) as usize as *mut u64;
    enter(r, code, frame, header, back_to)
});

/// Goes back to the caller. `r.sp` must be the frame whose header lies at `header`.
///
/// # Safety
/// The header must be that of the running frame.
#[inline(always)]
unsafe fn leave(mut r: Regs, header: *mut u64) -> Ret {
    // SAFETY: `enter` wrote the header.
    unsafe {
        r.ip = *header as usize as *const u8;
        r.sp = *header.add(1) as usize as *mut u64;
        next(r)
    }
}

handler!(return_none [] |r| {
    let header = r.slot(DST);
    leave(r, header)
});

handler!(
    /// Returns one value, in slot 0 and in its accumulator.
    return_one [T: Value, S: Src<T>] |r| {
    let value = S::read(&r, A, IMM);
    let header = r.slot(DST);
    T::set_acc(&mut r, value);
    let frame = r.sp;
    let ret = (*header, *header.add(1));
    // Without parameters slot 0 is the header's own first slot.
    *frame = value.to_slot();
    r.ip = ret.0 as usize as *const u8;
    r.sp = ret.1 as usize as *mut u64;
    next(r)
});

slow!(
    /// Returns `b` slots that start at slot `a`. At most as many as a function has results.
    ReturnMany |r| {
    let header = r.slot(DST);
    let ret = (*header, *header.add(1));
    let count = r.field::<u16>(B) as usize;
    work::charge(r.env, work::of_slots(count))?;
    std::ptr::copy(r.slot(A), r.sp, count);
    r.ip = ret.0 as usize as *const u8;
    r.sp = ret.1 as usize as *mut u64;
    Ok(())
});

/// The handler of `br_if` and `if` (`want` false: branch when the condition is zero).
pub fn branch_if_handler(condition: Mode, want: bool, back: bool) -> Handler {
    match (condition, want, back) {
        (Mode::Acc, true, false) => branch_if::<Acc, true, false>,
        (Mode::Acc, true, true) => branch_if::<Acc, true, true>,
        (Mode::Acc, false, false) => branch_if::<Acc, false, false>,
        (Mode::Acc, false, true) => branch_if::<Acc, false, true>,
        (Mode::Slot, true, false) => branch_if::<Slot, true, false>,
        (Mode::Slot, true, true) => branch_if::<Slot, true, true>,
        (Mode::Slot, false, false) => branch_if::<Slot, false, false>,
        (Mode::Slot, false, true) => branch_if::<Slot, false, true>,
        (Mode::Imm, ..) => none(),
    }
}

/// The handler of `br_table` by where its index is.
pub fn branch_table_handler(index: Mode) -> Handler {
    match index {
        Mode::Acc => branch_table::<Acc>,
        Mode::Slot => branch_table::<Slot>,
        Mode::Imm => none(),
    }
}

/// The handler that returns one value of `class`; immediates are integers only.
pub fn return_one_handler(class: Class, source: Mode) -> Handler {
    match (class, source) {
        (Class::Int, Mode::Acc) => return_one::<u64, Acc>,
        (Class::Int, Mode::Slot) => return_one::<u64, Slot>,
        (Class::Int, Mode::Imm) => return_one::<u64, Imm32>,
        (Class::F32, Mode::Acc) => return_one::<f32, Acc>,
        (Class::F32, Mode::Slot) => return_one::<f32, Slot>,
        (Class::F64, Mode::Acc) => return_one::<f64, Acc>,
        (Class::F64, Mode::Slot) => return_one::<f64, Slot>,
        (Class::F32 | Class::F64, Mode::Imm) => none(),
    }
}

fn pick_compare<C: Compare>(left: Mode, right: Mode, back: bool) -> Handler {
    let (left, right) = match (C::COMMUTES, left, right) {
        (true, Mode::Slot, Mode::Acc) => (Mode::Acc, Mode::Slot),
        (true, Mode::Imm, other) => (other, Mode::Imm),
        _ => (left, right),
    };
    macro_rules! pick {
        ($l:ty, $r:ty) => {
            if back {
                branch_compare::<C, $l, $r, true>
            } else {
                branch_compare::<C, $l, $r, false>
            }
        };
    }
    match (left, right) {
        (Mode::Slot, Mode::Slot) => pick!(Slot, Slot),
        (Mode::Acc, Mode::Slot) => pick!(Acc, Slot),
        (Mode::Slot, Mode::Imm) => pick!(Slot, Imm32),
        (Mode::Acc, Mode::Imm) => pick!(Acc, Imm32),
        _ if C::COMMUTES => none(),
        (Mode::Slot, Mode::Acc) => pick!(Slot, Acc),
        (Mode::Imm, Mode::Slot) => pick!(Imm32, Slot),
        (Mode::Imm, Mode::Acc) => pick!(Imm32, Acc),
        (Mode::Acc, Mode::Acc) | (Mode::Imm, Mode::Imm) => none(),
    }
}

macro_rules! compare_match {
    ($($name:ident, $comm:literal, $in:ty, |$a:ident, $b:ident| $e:expr;)*) => {
        /// The handler of a branch that is taken when `op` holds.
        pub fn branch_compare_handler(
            op: CompareOp,
            left: Mode,
            right: Mode,
            back: bool,
        ) -> Handler {
            match op {
                $(CompareOp::$name => pick_compare::<ops::$name>(left, right, back),)*
            }
        }
    };
}
compare_ops!(compare_match);
