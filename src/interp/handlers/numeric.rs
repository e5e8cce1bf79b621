//! Arithmetic, comparisons as values, conversions and `select`.
//!
//! Two generic functions are all binary and unary instructions; the meaning comes from the
//! lists in `op`, the operands from their modes.

use super::{none, trap};
use crate::abi::trap::Trap;
use crate::abi::wasm_ops;
use crate::interp::dispatch::{Handler, handler, next};
use crate::interp::instr::{Class, Mode, Target};
use crate::interp::op::{BinaryOp, CompareOp, UnaryOp, binary_ops, compare_ops, unary_ops};
use crate::interp::operand::{A, Acc, B, C, Dst, IMM, Imm, Slot, Src, ToAcc, ToSlot, Value, WIDE};

/// A binary operation as a type.
pub trait Binary {
    type In: Value;
    type Out: Value;
    const COMMUTES: bool;
    fn apply(a: Self::In, b: Self::In) -> Result<Self::Out, Trap>;
}

/// A comparison as a type.
pub trait Compare {
    type In: Value;
    const COMMUTES: bool;
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
    const COMMUTES: bool = C::COMMUTES;
    #[inline(always)]
    fn apply(a: C::In, b: C::In) -> Result<u32, Trap> {
        Ok(C::test(a, b) as u32)
    }
}

/// Where an immediate of type `T` stands in an instruction with a result.
const fn imm_at<T: Value>() -> usize {
    if T::WIDE { WIDE } else { IMM }
}

/// Size of an instruction with a result and inputs of type `T`, one of which may be immediate.
pub const fn size_with_imm(wide: bool, imm: bool) -> usize {
    if wide && imm { 24 } else { 16 }
}

handler!(binary [O: Binary, L: Src<O::In>, R: Src<O::In>, D: Dst] |r| {
    let imm = imm_at::<O::In>();
    let a = L::read(&r, A, imm);
    // Next to an immediate there is one slot number only, and it stands in the first field.
    let b = R::read(&r, if L::IMM { A } else { B }, imm);
    match O::apply(a, b) {
        Ok(value) => {
            D::write(&mut r, value);
            r.skip(size_with_imm(O::In::WIDE, L::IMM || R::IMM));
            next(r)
        }
        Err(code) => trap(r, code),
    }
});

handler!(unary [O: Unary, S: Src<O::In>, D: Dst] |r| {
    match O::apply(S::read(&r, A, IMM)) {
        Ok(value) => {
            D::write(&mut r, value);
            r.skip(16);
            next(r)
        }
        Err(code) => trap(r, code),
    }
});

handler!(
    /// `dst = c != 0 ? a : b`, with the condition in a slot or the accumulator.
    select_value [T: Value, S: Src<u32>, D: Dst] |r| {
    let condition = S::read(&r, C, IMM);
    let a = r.get::<T>(A);
    let b = r.get::<T>(B);
    D::write(&mut r, if condition != 0 { a } else { b });
    r.skip(16);
    next(r)
});

fn pick_binary<O: Binary>(left: Mode, right: Mode, target: Target) -> Handler {
    // A commuting operation has its constant or accumulator on one side only.
    let (left, right) = match (O::COMMUTES, left, right) {
        (true, Mode::Slot, Mode::Acc) => (Mode::Acc, Mode::Slot),
        (true, Mode::Imm, other) => (other, Mode::Imm),
        _ => (left, right),
    };
    macro_rules! pick {
        ($l:ty, $r:ty) => {
            match target {
                Target::Acc => binary::<O, $l, $r, ToAcc>,
                Target::Slot => binary::<O, $l, $r, ToSlot>,
            }
        };
    }
    match (left, right) {
        (Mode::Slot, Mode::Slot) => pick!(Slot, Slot),
        (Mode::Acc, Mode::Slot) => pick!(Acc, Slot),
        (Mode::Slot, Mode::Imm) => pick!(Slot, Imm),
        (Mode::Acc, Mode::Imm) => pick!(Acc, Imm),
        _ if O::COMMUTES => none(),
        (Mode::Slot, Mode::Acc) => pick!(Slot, Acc),
        (Mode::Imm, Mode::Slot) => pick!(Imm, Slot),
        (Mode::Imm, Mode::Acc) => pick!(Imm, Acc),
        (Mode::Acc, Mode::Acc) | (Mode::Imm, Mode::Imm) => none(),
    }
}

fn pick_unary<O: Unary>(source: Mode, target: Target) -> Handler {
    match (source, target) {
        (Mode::Acc, Target::Acc) => unary::<O, Acc, ToAcc>,
        (Mode::Acc, Target::Slot) => unary::<O, Acc, ToSlot>,
        (Mode::Slot, Target::Acc) => unary::<O, Slot, ToAcc>,
        (Mode::Slot, Target::Slot) => unary::<O, Slot, ToSlot>,
        (Mode::Imm, _) => none(),
    }
}

fn pick_select<T: Value>(condition: Mode, target: Target) -> Handler {
    match (condition, target) {
        (Mode::Acc, Target::Acc) => select_value::<T, Acc, ToAcc>,
        (Mode::Acc, Target::Slot) => select_value::<T, Acc, ToSlot>,
        (Mode::Slot, Target::Acc) => select_value::<T, Slot, ToAcc>,
        (Mode::Slot, Target::Slot) => select_value::<T, Slot, ToSlot>,
        (Mode::Imm, _) => none(),
    }
}

/// The handler of `select` for values of `class`.
pub fn select(class: Class, condition: Mode, target: Target) -> Handler {
    match class {
        Class::Int => pick_select::<u64>(condition, target),
        Class::F32 => pick_select::<f32>(condition, target),
        Class::F64 => pick_select::<f64>(condition, target),
    }
}

/// The operations as types, for the generic handlers of this folder.
pub mod ops {
    use super::*;

    macro_rules! binary_types {
        ($($name:ident, $comm:literal, $in:ty => $out:ty, |$a:ident, $b:ident| $e:expr;)*) => {
            $(
                pub struct $name;
                impl Binary for $name {
                    type In = $in;
                    type Out = $out;
                    const COMMUTES: bool = $comm;
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
        ($($name:ident, $comm:literal, $in:ty, |$a:ident, $b:ident| $e:expr;)*) => {
            $(
                pub struct $name;
                impl Compare for $name {
                    type In = $in;
                    const COMMUTES: bool = $comm;
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
        pub fn binary_handler(op: BinaryOp, left: Mode, right: Mode, target: Target) -> Handler {
            match op { $(BinaryOp::$name => pick_binary::<ops::$name>(left, right, target),)* }
        }
    };
}
binary_ops!(binary_match);

macro_rules! compare_match {
    ($($name:ident, $comm:literal, $in:ty, |$a:ident, $b:ident| $e:expr;)*) => {
        /// The handler of `op` for its value.
        pub fn compare_handler(op: CompareOp, left: Mode, right: Mode, target: Target) -> Handler {
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
        pub fn unary_handler(op: UnaryOp, source: Mode, target: Target) -> Handler {
            match op { $(UnaryOp::$name => pick_unary::<ops::$name>(source, target),)* }
        }
    };
}
unary_ops!(unary_match);
