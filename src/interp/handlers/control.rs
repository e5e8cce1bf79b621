//! Branches and traps.
//!
//! A backward branch has the cost of one more turn of its loop, takes it from the budget and
//! checks fuel and termination when the budget is used up. Only the backward branch is executed on
//! every turn of a loop.

use super::numeric::{Compare, ops};
use super::{Refill, none, trap};
use crate::abi::trap::Trap;
use crate::exec::work;
use crate::interp::dispatch::{Regs, Ret, handler, next, slow, stop, to_slow};
use crate::interp::instr::Mode;
use crate::interp::op::{CompareOp, compare_ops};
use crate::interp::operand::{Acc, Dst, Imm32, Slot, Src, ToSlot, Value};
use crate::interp::shape::SlotNo;
use crate::interp::shape::{
    self, Back, BranchCompare, BranchIf, BranchStep, Forward, Jump, Picked,
};

handler!(unreachable [] |r| { trap(r, Trap::Unreachable) });

slow!(
    /// An access that is known to be outside the memory. It costs what others do that are.
    OutOfBounds |r| {
    work::charge(r.env, work::SLOW)?;
    Err(Trap::MemoryOutOfBounds.into())
});

handler!(
    /// Leaves guest code. The outermost function returns to this instruction.
    exit [] |r| { stop(r, 0) }
);

/// Takes the branch of the current instruction.
///
/// # Safety
/// The registers are those of a branch that goes on in this way.
#[inline(always)]
unsafe fn take(mut r: Regs, to: &impl Jump) -> Ret {
    let (distance, cost) = to.way();
    // SAFETY: the translator resolved the distance to an instruction of the same function; the
    // environment is live while its code runs.
    unsafe {
        r.ip = r.ip.at_distance(distance as isize);
        if let Some(cost) = cost {
            let env = r.env;
            (*env).budget -= cost as i64;
            if (*env).budget < 0 {
                return to_slow::<Refill>(r, &());
            }
        }
        next(r)
    }
}

handler!(branch [J: Jump] |r, i: J| { take(r, i) });

handler!(branch_if [S: Src<u32, Field = SlotNo>, const WANT: bool, J: Jump] |r, i: BranchIf<J>| {
    let condition = S::read(&r, i.condition);
    if (condition != 0) == WANT {
        return take(r, &i.to);
    }
    r.pass(i);
    next(r)
});

handler!(branch_compare [C: Compare, L: Src<C::In, Field = SlotNo>, R: Src<C::In>, J: Jump]
    |r, i: BranchCompare<J, R::Field>| {
    if C::test(L::read(&r, i.first), R::read(&r, i.second)) {
        return take(r, &i.to);
    }
    r.pass(i);
    next(r)
});

handler!(
    /// `slot += step`, also in the accumulator; then back if the comparison holds.
    branch_step [C: Compare<In: StepSum>, R: Src<C::In>] |r, i: BranchStep<R::Field>| {
    let sum = r.get::<u32>(i.slot).wrapping_add(i.step);
    ToSlot::write(&mut r, i.slot, sum);
    if C::test(C::In::of(sum), R::read(&r, i.second)) {
        return take(r, &i.to);
    }
    r.pass(i);
    next(r)
});

/// The type of the operands of a comparison with a 32-bit sum.
pub trait StepSum: Value {
    fn of(sum: u32) -> Self;
}

impl StepSum for u32 {
    #[inline(always)]
    fn of(sum: u32) -> Self {
        sum
    }
}

impl StepSum for i32 {
    #[inline(always)]
    fn of(sum: u32) -> Self {
        sum as i32
    }
}

fn pick_step<C: Compare<In: StepSum, Exchanged: Compare<In = C::In>>>(
    left: Mode,
    right: Mode,
) -> Picked {
    match (left, right) {
        (Mode::Acc, Mode::Slot) => Picked::leaf(branch_step::<C, Slot>),
        (Mode::Acc, Mode::Imm) => Picked::leaf(branch_step::<C, Imm32>),
        (Mode::Slot, Mode::Acc) => Picked::leaf(branch_step::<C::Exchanged, Slot>),
        (Mode::Imm, Mode::Acc) => Picked::leaf(branch_step::<C::Exchanged, Imm32>),
        _ => none(),
    }
}

/// The handler of a step with a branch back, if there is one for `op`.
pub fn branch_step_handler(op: CompareOp, left: Mode, right: Mode) -> Picked {
    match op {
        CompareOp::I32Eq => pick_step::<ops::I32Eq>(left, right),
        CompareOp::I32Ne => pick_step::<ops::I32Ne>(left, right),
        CompareOp::I32LtS => pick_step::<ops::I32LtS>(left, right),
        CompareOp::I32LtU => pick_step::<ops::I32LtU>(left, right),
        CompareOp::I32LeS => pick_step::<ops::I32LeS>(left, right),
        CompareOp::I32LeU => pick_step::<ops::I32LeU>(left, right),
        _ => none(),
    }
}

handler!(
    /// Jumps by a table of distances behind the instruction, one word per target and the default
    /// last.
    branch_table [S: Src<u32, Field = SlotNo>] |r, i: shape::BranchTable| {
    let index = S::read(&r, i.index).min(i.last);
    let table = r.ip.next::<shape::BranchTable>().as_ptr().cast::<i64>();
    r.ip = r.ip.at_distance(*table.add(index as usize) as isize);
    next(r)
});

/// The handler of `br_if` and `if` (`want` false: branch when the condition is zero).
pub fn branch_if_handler(condition: Mode, want: bool, back: bool) -> Picked {
    match (condition, want, back) {
        (Mode::Acc, true, false) => Picked::leaf(branch_if::<Acc, true, Forward>),
        (Mode::Acc, true, true) => Picked::leaf(branch_if::<Acc, true, Back>),
        (Mode::Acc, false, false) => Picked::leaf(branch_if::<Acc, false, Forward>),
        (Mode::Acc, false, true) => Picked::leaf(branch_if::<Acc, false, Back>),
        (Mode::Slot, true, false) => Picked::leaf(branch_if::<Slot, true, Forward>),
        (Mode::Slot, true, true) => Picked::leaf(branch_if::<Slot, true, Back>),
        (Mode::Slot, false, false) => Picked::leaf(branch_if::<Slot, false, Forward>),
        (Mode::Slot, false, true) => Picked::leaf(branch_if::<Slot, false, Back>),
        (Mode::Imm, ..) => none(),
    }
}

/// The handler of `br_table` by the mode of its index.
pub fn branch_table_handler(index: Mode) -> Picked {
    match index {
        Mode::Acc => Picked::leaf(branch_table::<Acc>),
        Mode::Slot => Picked::leaf(branch_table::<Slot>),
        Mode::Imm => none(),
    }
}

fn pick_compare<C: Compare>(left: Mode, right: Mode, back: bool) -> Picked {
    macro_rules! pick {
        ($c:ty, $l:ty, $r:ty) => {
            if back {
                Picked::leaf(branch_compare::<$c, $l, $r, Back>)
            } else {
                Picked::leaf(branch_compare::<$c, $l, $r, Forward>)
            }
        };
    }
    match (left, right) {
        (Mode::Slot, Mode::Slot) => pick!(C, Slot, Slot),
        (Mode::Acc, Mode::Slot) => pick!(C, Acc, Slot),
        (Mode::Slot, Mode::Imm) => pick!(C, Slot, Imm32),
        (Mode::Acc, Mode::Imm) => pick!(C, Acc, Imm32),
        (Mode::Slot, Mode::Acc) => pick!(C::Exchanged, Acc, Slot),
        (Mode::Imm, Mode::Slot) => pick!(C::Exchanged, Slot, Imm32),
        (Mode::Imm, Mode::Acc) => pick!(C::Exchanged, Acc, Imm32),
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
        ) -> Picked {
            match op {
                $(CompareOp::$name => pick_compare::<ops::$name>(left, right, back),)*
            }
        }
    };
}
compare_ops!(compare_match);
