//! Two arithmetic instructions in one: the second takes the first one's result and a slot.
//!
//! Programs have most of a shift or mask whose result is combined, as addresses and hashes are, and
//! of products that are added up. The list of these is [`handler_of`].

use super::none;
use super::numeric::{Binary, Exchanged, ops};
use super::trap;
use crate::abi::trap::Trap;
use crate::interp::dispatch::{handler, next};
use crate::interp::instr::{Mode, Target, is_fused};
use crate::interp::op::BinaryOp;
use crate::interp::operand::{Acc, Dst, Imm16, Slot, Src, ToAcc, ToSlot};
use crate::interp::shape::{self, Picked, SlotNo};

handler!(fused [
        O: Binary,
        P: Binary<In = O::Out>,
        L: Src<O::In, Field = SlotNo>,
        R: Src<O::In, Field = SlotNo>,
        D: Dst
    ] |r, i: shape::Ternary| {
    let first = O::apply(L::read(&r, i.a), R::read(&r, i.b));
    match first.and_then(|first| P::apply(first, r.get(i.c))) {
        Ok(value) => {
            D::write(&mut r, i.dst, value);
            r.pass(i);
            next(r)
        }
        Err(code) => trap(r, code),
    }
});

/// An operation on unsigned numbers whose result is taken as a signed one.
struct Signed<O>(O);

impl<O: Binary<In = u32, Out = u32>> Binary for Signed<O> {
    type In = u32;
    type Out = i32;
    type Exchanged = Exchanged<Self>;
    #[inline(always)]
    fn apply(a: u32, b: u32) -> Result<i32, Trap> {
        O::apply(a, b).map(|value| value as i32)
    }
}

fn pick<O, P, R>(left: Mode, target: Target) -> Picked
where
    O: Binary,
    P: Binary<In = O::Out>,
    R: Src<O::In, Field = SlotNo>,
{
    match (left, target) {
        (Mode::Acc, Target::Acc) => Picked::leaf(fused::<O, P, Acc, R, ToAcc>),
        (Mode::Acc, Target::Slot) => Picked::leaf(fused::<O, P, Acc, R, ToSlot>),
        (Mode::Slot, Target::Acc) => Picked::leaf(fused::<O, P, Slot, R, ToAcc>),
        (Mode::Slot, Target::Slot) => Picked::leaf(fused::<O, P, Slot, R, ToSlot>),
        (Mode::Imm, _) => none(),
    }
}

/// A shift or mask by a constant, then a combination.
fn pick_bits<O>(second: BinaryOp, left: Mode, target: Target) -> Picked
where
    O: Binary<Out = i32>,
{
    match second {
        BinaryOp::I32Add => pick::<O, ops::I32Add, Imm16>(left, target),
        BinaryOp::I32And => pick::<O, ops::I32And, Imm16>(left, target),
        BinaryOp::I32Or => pick::<O, ops::I32Or, Imm16>(left, target),
        BinaryOp::I32Xor => pick::<O, ops::I32Xor, Imm16>(left, target),
        _ => none(),
    }
}

macro_rules! pick_float {
    ($name:ident: $add:ident $sub:ident $mul:ident) => {
        /// A sum, difference or product of a slot, then another.
        fn $name<O>((second, exchanged): (BinaryOp, bool), left: Mode, target: Target) -> Picked
        where
            O: Binary<Out = <ops::$add as Binary>::In>,
        {
            type Turned = <ops::$sub as Binary>::Exchanged;
            match (second, exchanged) {
                (BinaryOp::$add, _) => pick::<O, ops::$add, Slot>(left, target),
                (BinaryOp::$mul, _) => pick::<O, ops::$mul, Slot>(left, target),
                (BinaryOp::$sub, false) => pick::<O, ops::$sub, Slot>(left, target),
                (BinaryOp::$sub, true) => pick::<O, Turned, Slot>(left, target),
                _ => none(),
            }
        }
    };
}
pick_float!(pick_f32: F32Add F32Sub F32Mul);
pick_float!(pick_f64: F64Add F64Sub F64Mul);

/// The handler of two operations, if [`is_fused`].
pub fn handler_of(
    (first, left, right): (BinaryOp, Mode, Mode),
    then: (BinaryOp, bool),
    target: Target,
) -> Picked {
    if !is_fused(first, right, then.0, then.1) {
        return none();
    }
    match first {
        BinaryOp::I32Shl => pick_bits::<ops::I32Shl>(then.0, left, target),
        BinaryOp::I32ShrU => pick_bits::<Signed<ops::I32ShrU>>(then.0, left, target),
        BinaryOp::I32Rotl => pick_bits::<Signed<ops::I32Rotl>>(then.0, left, target),
        BinaryOp::I32And => pick_bits::<ops::I32And>(then.0, left, target),
        BinaryOp::F32Add => pick_f32::<ops::F32Add>(then, left, target),
        BinaryOp::F32Sub => pick_f32::<ops::F32Sub>(then, left, target),
        BinaryOp::F32Mul => pick_f32::<ops::F32Mul>(then, left, target),
        BinaryOp::F64Add => pick_f64::<ops::F64Add>(then, left, target),
        BinaryOp::F64Sub => pick_f64::<ops::F64Sub>(then, left, target),
        BinaryOp::F64Mul => pick_f64::<ops::F64Mul>(then, left, target),
        _ => none(),
    }
}
