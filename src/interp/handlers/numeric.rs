//! Arithmetic, comparisons as values, conversions and `select`.
//!
//! Two generic functions implement all binary and unary instructions; the meaning comes from the
//! lists in `op`, the operands from their modes.

use super::{none, trap};
use crate::abi::lanes::V128;
use crate::abi::trap::Trap;
use crate::abi::wasm_ops::{self, Halves};
use crate::interp::dispatch::{Regs, handler, next};
use crate::interp::instr::{Class, Mode, Target};
use crate::interp::op::{BinaryOp, CompareOp, UnaryOp, binary_ops, compare_ops, unary_ops};
use crate::interp::operand::{Acc, Dst, Imm, Imm16, Slot, Src, ToAcc, ToSlot, Value};
use crate::interp::shape::{self, Picked, SlotNo};

/// A binary operation as a type.
pub trait Binary {
    type In: Value;
    type Out: Value;
    /// The same of exchanged operands.
    type Exchanged: Binary;
    fn apply(a: Self::In, b: Self::In) -> Result<Self::Out, Trap>;
}

/// A comparison as a type.
pub trait Compare {
    type In: Value;
    /// The same of exchanged operands.
    type Exchanged: Compare;
    fn test(a: Self::In, b: Self::In) -> bool;
}

/// A unary operation as a type.
pub trait Unary {
    type In: Value;
    type Out: Value;
    fn apply(a: Self::In) -> Result<Self::Out, Trap>;
}

/// A comparison used for its value.
pub struct Compared<C>(C);

impl<C: Compare> Binary for Compared<C> {
    type In = C::In;
    type Out = u32;
    type Exchanged = Compared<C::Exchanged>;
    #[inline(always)]
    fn apply(a: C::In, b: C::In) -> Result<u32, Trap> {
        Ok(C::test(a, b) as u32)
    }
}

/// An operation whose operands stand in the instruction the other way round.
pub struct Exchanged<O>(O);

impl<O: Binary> Binary for Exchanged<O> {
    type In = O::In;
    type Out = O::Out;
    type Exchanged = O;
    #[inline(always)]
    fn apply(b: O::In, a: O::In) -> Result<O::Out, Trap> {
        O::apply(a, b)
    }
}

impl<C: Compare> Compare for Exchanged<C> {
    type In = C::In;
    type Exchanged = C;
    #[inline(always)]
    fn test(b: C::In, a: C::In) -> bool {
        C::test(a, b)
    }
}

handler!(binary [O: Binary, L: Src<O::In, Field = SlotNo>, R: Src<O::In>, D: Dst]
    |r, i: shape::Binary<R::Field>| {
    match O::apply(L::read(&r, i.first), R::read(&r, i.second)) {
        Ok(value) => {
            D::write(&mut r, i.dst, value);
            r.pass(i);
            next(r)
        }
        Err(code) => trap(r, code),
    }
});

handler!(unary [O: Unary, S: Src<O::In, Field = SlotNo>, D: Dst] |r, i: shape::Unary| {
    match O::apply(S::read(&r, i.a)) {
        Ok(value) => {
            D::write(&mut r, i.dst, value);
            r.pass(i);
            next(r)
        }
        Err(code) => trap(r, code),
    }
});

handler!(
    /// `dst = condition != 0 ? a : b`, with the condition in a slot or the accumulator.
    select_value [
        T: Value,
        S: Src<u32, Field = SlotNo>,
        A: Src<T, Field = SlotNo>,
        B: Src<T, Field = SlotNo>,
        D: Dst
    ] |r, i: shape::Select| {
    let condition = S::read(&r, i.condition);
    let a = A::read(&r, i.a);
    let b = B::read(&r, i.b);
    // A branch would be a guess, and wrong half of the time where programs sort.
    let value = std::hint::select_unpredictable(condition != 0, a, b);
    D::write(&mut r, i.dst, value);
    r.pass(i);
    next(r)
});

/// Leaves a 128-bit result in two slots, and its upper half in the accumulator.
///
/// # Safety
/// The current instruction names the first slot, and the second is the frame's, too.
#[inline(always)]
unsafe fn set_wide(r: &mut Regs, dst: SlotNo, [low, high]: Halves) {
    // SAFETY: the caller guarantees that the instruction names `dst` and that the slot behind it is
    // the frame's, too.
    unsafe {
        r.set(dst, low);
        r.set(SlotNo(dst.0.wrapping_add(1)), high);
    }
    u64::set_acc(r, high);
}

handler!(add_wide [] |r, i: shape::WideBinary| {
    let (a, b) = ([r.get(i.a_low), r.get(i.a_high)], [r.get(i.b_low), r.get(i.b_high)]);
    set_wide(&mut r, i.dst, wasm_ops::i64_add128(a, b));
    r.pass(i);
    next(r)
});

handler!(sub_wide [] |r, i: shape::WideBinary| {
    let (a, b) = ([r.get(i.a_low), r.get(i.a_high)], [r.get(i.b_low), r.get(i.b_high)]);
    set_wide(&mut r, i.dst, wasm_ops::i64_sub128(a, b));
    r.pass(i);
    next(r)
});

handler!(mul_wide_s [] |r, i: shape::Binary<SlotNo>| {
    let product = wasm_ops::i64_mul_wide_s(r.get(i.first), r.get(i.second));
    set_wide(&mut r, i.dst, product);
    r.pass(i);
    next(r)
});

handler!(mul_wide_u [] |r, i: shape::Binary<SlotNo>| {
    let product = wasm_ops::i64_mul_wide_u(r.get(i.first), r.get(i.second));
    set_wide(&mut r, i.dst, product);
    r.pass(i);
    next(r)
});

/// The handler of a multiplication with a result of twice the width.
pub fn mul_wide_handler(signed: bool) -> Picked {
    if signed { Picked::leaf(mul_wide_s) } else { Picked::leaf(mul_wide_u) }
}

fn pick_binary<O: Binary>(left: Mode, right: Mode, target: Target) -> Picked {
    macro_rules! pick {
        ($o:ty, $l:ty, $r:ty) => {
            match target {
                Target::Acc => Picked::leaf(binary::<$o, $l, $r, ToAcc>),
                Target::Slot => Picked::leaf(binary::<$o, $l, $r, ToSlot>),
            }
        };
    }
    match (left, right) {
        (Mode::Slot, Mode::Slot) => pick!(O, Slot, Slot),
        (Mode::Acc, Mode::Slot) => pick!(O, Acc, Slot),
        (Mode::Slot, Mode::Imm) => pick!(O, Slot, Imm),
        (Mode::Acc, Mode::Imm) => pick!(O, Acc, Imm),
        (Mode::Slot, Mode::Acc) => pick!(O::Exchanged, Acc, Slot),
        (Mode::Imm, Mode::Slot) => pick!(O::Exchanged, Slot, Imm),
        (Mode::Imm, Mode::Acc) => pick!(O::Exchanged, Acc, Imm),
        (Mode::Acc, Mode::Acc) | (Mode::Imm, Mode::Imm) => none(),
    }
}

/// The handler of `op` with both operands in the accumulator, if it `takes_acc_twice`.
fn acc_twice_handler(op: BinaryOp, target: Target) -> Picked {
    macro_rules! pick {
        ($o:ty) => {
            match target {
                Target::Acc => Picked::leaf(binary::<$o, Acc, Acc, ToAcc>),
                Target::Slot => Picked::leaf(binary::<$o, Acc, Acc, ToSlot>),
            }
        };
    }
    match op {
        BinaryOp::I32Mul => pick!(ops::I32Mul),
        BinaryOp::I64Mul => pick!(ops::I64Mul),
        BinaryOp::F32Add => pick!(ops::F32Add),
        BinaryOp::F32Mul => pick!(ops::F32Mul),
        BinaryOp::F64Add => pick!(ops::F64Add),
        BinaryOp::F64Mul => pick!(ops::F64Mul),
        _ => none(),
    }
}

fn pick_unary<O: Unary>(source: Mode, target: Target) -> Picked {
    match (source, target) {
        (Mode::Acc, Target::Acc) => Picked::leaf(unary::<O, Acc, ToAcc>),
        (Mode::Acc, Target::Slot) => Picked::leaf(unary::<O, Acc, ToSlot>),
        (Mode::Slot, Target::Acc) => Picked::leaf(unary::<O, Slot, ToAcc>),
        (Mode::Slot, Target::Slot) => Picked::leaf(unary::<O, Slot, ToSlot>),
        (Mode::Imm, _) => none(),
    }
}

fn pick_select<T, A, B>(condition: Mode, target: Target) -> Picked
where
    T: Value,
    A: Src<T, Field = SlotNo>,
    B: Src<T, Field = SlotNo>,
{
    match (condition, target) {
        (Mode::Acc, Target::Acc) => Picked::leaf(select_value::<T, Acc, A, B, ToAcc>),
        (Mode::Acc, Target::Slot) => Picked::leaf(select_value::<T, Acc, A, B, ToSlot>),
        (Mode::Slot, Target::Acc) => Picked::leaf(select_value::<T, Slot, A, B, ToAcc>),
        (Mode::Slot, Target::Slot) => Picked::leaf(select_value::<T, Slot, A, B, ToSlot>),
        (Mode::Imm, _) => none(),
    }
}

/// The handler of `select` for values of `class`; constants are integers only.
pub fn select(class: Class, condition: Mode, values: (Mode, Mode), target: Target) -> Picked {
    match (class, values) {
        (Class::Int, (Mode::Slot, Mode::Slot)) => pick_select::<u64, Slot, Slot>(condition, target),
        (Class::Int, (Mode::Slot, Mode::Imm)) => pick_select::<u64, Slot, Imm16>(condition, target),
        (Class::Int, (Mode::Imm, Mode::Slot)) => pick_select::<u64, Imm16, Slot>(condition, target),
        (Class::Int, (Mode::Imm, Mode::Imm)) => pick_select::<u64, Imm16, Imm16>(condition, target),
        (Class::F32, (Mode::Slot, Mode::Slot)) => pick_select::<f32, Slot, Slot>(condition, target),
        (Class::F64, (Mode::Slot, Mode::Slot)) => pick_select::<f64, Slot, Slot>(condition, target),
        (Class::V128, (Mode::Slot, Mode::Slot)) => {
            pick_select::<V128, Slot, Slot>(condition, target)
        }
        _ => none(),
    }
}

/// The operations as types, for the generic handlers of this folder.
pub mod ops {
    use super::*;

    macro_rules! exchanged {
        (true $name:ident) => { $name };
        (false $name:ident) => { Exchanged<$name> };
    }

    macro_rules! binary_types {
        ($($name:ident, $comm:tt, $in:ty => $out:ty, |$a:ident, $b:ident| $e:expr;)*) => {
            $(
                pub struct $name;
                impl Binary for $name {
                    type In = $in;
                    type Out = $out;
                    type Exchanged = exchanged!($comm $name);
                    #[inline(always)]
                    fn apply($a: $in, $b: $in) -> Result<$out, Trap> {
                        $e
                    }
                }
            )*
        };
    }
    binary_ops!(binary_types);

    macro_rules! compare_types {
        ($($name:ident, $comm:tt, $in:ty, |$a:ident, $b:ident| $e:expr;)*) => {
            $(
                pub struct $name;
                impl Compare for $name {
                    type In = $in;
                    type Exchanged = exchanged!($comm $name);
                    #[inline(always)]
                    #[allow(clippy::neg_cmp_op_on_partial_ord, reason = "true for NaN")]
                    fn test($a: $in, $b: $in) -> bool {
                        $e
                    }
                }
            )*
        };
    }
    compare_ops!(compare_types);

    macro_rules! unary_types {
        ($($name:ident, $in:ty => $out:ty, |$a:ident| $e:expr;)*) => {
            $(
                pub struct $name;
                impl Unary for $name {
                    type In = $in;
                    type Out = $out;
                    #[inline(always)]
                    fn apply($a: $in) -> Result<$out, Trap> {
                        $e
                    }
                }
            )*
        };
    }
    unary_ops!(unary_types);
}

macro_rules! binary_match {
    ($($name:ident, $comm:literal, $in:ty => $out:ty, |$a:ident, $b:ident| $e:expr;)*) => {
        /// The handler of `op` in the given modes.
        pub fn binary_handler(op: BinaryOp, left: Mode, right: Mode, target: Target) -> Picked {
            if (left, right) == (Mode::Acc, Mode::Acc) {
                return acc_twice_handler(op, target);
            }
            match op { $(BinaryOp::$name => pick_binary::<ops::$name>(left, right, target),)* }
        }
    };
}
binary_ops!(binary_match);

macro_rules! compare_match {
    ($($name:ident, $comm:literal, $in:ty, |$a:ident, $b:ident| $e:expr;)*) => {
        /// The handler of `op` for its value.
        pub fn compare_handler(op: CompareOp, left: Mode, right: Mode, target: Target) -> Picked {
            match op {
                $(CompareOp::$name => pick_binary::<Compared<ops::$name>>(left, right, target),)*
            }
        }
    };
}
compare_ops!(compare_match);

macro_rules! unary_match {
    ($($name:ident, $in:ty => $out:ty, |$a:ident| $e:expr;)*) => {
        /// The handler of `op`.
        pub fn unary_handler(op: UnaryOp, source: Mode, target: Target) -> Picked {
            match op { $(UnaryOp::$name => pick_unary::<ops::$name>(source, target),)* }
        }
    };
}
unary_ops!(unary_match);
