//! Arithmetic of vectors.
//!
//! As in `numeric`, a generic function implements all instructions of one kind. On x86-64 there are
//! two of each: one for any processor, with operands and results in slots alone, and one that is
//! compiled for AVX, in all modes of operands. The latter is used if [`lanes::is_fast`] is true.
//! Elsewhere there is one, in all modes.

use crate::abi::lanes::{self, V128};
use crate::interp::dispatch::{handler, next};
use crate::interp::instr::{Mode, Target, VectorInstr};
use crate::interp::operand::{Acc, Dst, Imm, Slot, Src, ToAcc, ToSlot, Value};
use crate::interp::shape::{self, Picked, SlotNo};
use crate::interp::vector_op::{
    ShiftOp, VectorBinaryOp, VectorTernaryOp, VectorUnaryOp, vector_binary_ops, vector_shift_ops,
    vector_ternary_ops, vector_unary_ops,
};

/// An operation of two vectors. `FAST`: in a function that is compiled for AVX.
pub trait VectorBinary {
    /// The same of exchanged operands.
    type Exchanged: VectorBinary;
    /// # Safety
    /// With `FAST`, the processor has AVX.
    unsafe fn apply<const FAST: bool>(a: V128, b: V128) -> V128;
}

/// An operation on one value, of which the operand, the result or both are vectors.
pub trait VectorUnary {
    type In: Value;
    type Out: Value;
    /// # Safety
    /// As for [`VectorBinary::apply`].
    unsafe fn apply<const FAST: bool>(a: Self::In) -> Self::Out;
}

/// An operation of a vector and a number of bits.
pub trait VectorShift {
    /// # Safety
    /// As for [`VectorBinary::apply`].
    unsafe fn apply<const FAST: bool>(a: V128, bits: u32) -> V128;
}

/// An operation of three vectors.
pub trait VectorTernary {
    /// # Safety
    /// As for [`VectorBinary::apply`].
    unsafe fn apply<const FAST: bool>(a: V128, b: V128, c: V128) -> V128;
}

/// An operation whose operands stand in the instruction the other way round.
pub struct Exchanged<O>(O);

impl<O: VectorBinary> VectorBinary for Exchanged<O> {
    type Exchanged = O;
    #[inline(always)]
    unsafe fn apply<const FAST: bool>(b: V128, a: V128) -> V128 {
        // SAFETY: with `FAST`, the caller guarantees that the processor has AVX.
        unsafe { O::apply::<FAST>(a, b) }
    }
}

/// Defines a leaf, and on x86-64 a second one that is compiled for AVX, in which `FAST` is true.
macro_rules! vector_handler {
    (
        $(#[$meta:meta])*
        $plain:ident, $fast:ident [$($gen:tt)*] |$r:ident, $i:ident: $shape:ty| $body:block
    ) => {
        handler!($(#[$meta])* $plain [$($gen)*] |$r, $i: $shape| {
            const FAST: bool = false;
            $body
        });
        #[cfg(target_arch = "x86_64")]
        handler!($(#[$meta])* #[target_feature(enable = "avx")] $fast [$($gen)*]
            |$r, $i: $shape| {
            const FAST: bool = true;
            $body
        });
    };
}

/// Bytes of `a` by their numbers; zero where a number has bit 7 set. All numbers from 16 on have
/// it.
///
/// # Safety
/// With `FAST`, the processor has AVX.
#[inline(always)]
unsafe fn picked<const FAST: bool>(a: V128, bytes: V128) -> V128 {
    #[cfg(target_arch = "x86_64")]
    if FAST {
        // SAFETY: with `FAST`, the caller guarantees that the processor has AVX.
        return unsafe { lanes::avx::i8x16_permute(a, bytes) };
    }
    lanes::i8x16_swizzle(a, bytes)
}

vector_handler!(binary, binary_fast
    [O: VectorBinary, L: Src<V128, Field = SlotNo>, R: Src<V128, Field = SlotNo>, D: Dst]
    |r, i: shape::Binary<SlotNo>| {
    let value = O::apply::<FAST>(L::read(&r, i.first), R::read(&r, i.second));
    D::write(&mut r, i.dst, value);
    r.pass(i);
    next(r)
});

vector_handler!(unary, unary_fast [O: VectorUnary, S: Src<O::In, Field = SlotNo>, D: Dst]
    |r, i: shape::Unary| {
    let value = O::apply::<FAST>(S::read(&r, i.a));
    D::write(&mut r, i.dst, value);
    r.pass(i);
    next(r)
});

vector_handler!(shift, shift_fast
    [O: VectorShift, A: Src<V128, Field = SlotNo>, B: Src<u32>, D: Dst]
    |r, i: shape::Binary<B::Field>| {
    let value = O::apply::<FAST>(A::read(&r, i.first), B::read(&r, i.second));
    D::write(&mut r, i.dst, value);
    r.pass(i);
    next(r)
});

vector_handler!(
    /// The third operand is in a slot or the accumulator.
    ternary, ternary_fast [O: VectorTernary, C: Src<V128, Field = SlotNo>, D: Dst]
    |r, i: shape::Ternary| {
    let (a, b) = (r.get(i.a), r.get(i.b));
    let value = O::apply::<FAST>(a, b, C::read(&r, i.c));
    D::write(&mut r, i.dst, value);
    r.pass(i);
    next(r)
});

vector_handler!(
    /// Lanes of two vectors.
    shuffle, shuffle_fast [A: Src<V128, Field = SlotNo>, B: Src<V128, Field = SlotNo>, D: Dst]
    |r, i: shape::Shuffle| {
    let (a, b) = (A::read(&r, i.a), B::read(&r, i.b));
    let (from_a, from_b) = (V128::from_u64x2(i.from_a), V128::from_u64x2(i.from_b));
    let value = lanes::v128_or(picked::<FAST>(a, from_a), picked::<FAST>(b, from_b));
    D::write(&mut r, i.dst, value);
    r.pass(i);
    next(r)
});

vector_handler!(
    /// Lanes of one vector.
    permute, permute_fast [A: Src<V128, Field = SlotNo>, D: Dst] |r, i: shape::Permute| {
    let value = picked::<FAST>(A::read(&r, i.a), V128::from_u64x2(i.from));
    D::write(&mut r, i.dst, value);
    r.pass(i);
    next(r)
});

handler!(
    constant [D: Dst] |r, i: shape::VectorConst| {
    D::write(&mut r, i.dst, V128::from_u64x2(i.value));
    r.pass(i);
    next(r)
});

/// Picks one of a handler's forms for modes: `pick!(target, plain, fast; [generics] modes)`. If
/// the processor has no AVX, all operands are in slots, and so is the result.
macro_rules! pick {
    ($target:expr, $plain:ident, $fast:ident [$($gen:ty),*]) => {{
        #[cfg(target_arch = "x86_64")]
        {
            match $target {
                Target::Acc => Picked::leaf($fast::<$($gen,)* ToAcc>),
                Target::Slot => Picked::leaf($fast::<$($gen,)* ToSlot>),
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            match $target {
                Target::Acc => Picked::leaf($plain::<$($gen,)* ToAcc>),
                Target::Slot => Picked::leaf($plain::<$($gen,)* ToSlot>),
            }
        }
    }};
}

fn pick_binary<O: VectorBinary>(left: Mode, right: Mode, target: Target) -> Picked {
    if !lanes::is_fast() {
        return Picked::leaf(binary::<O, Slot, Slot, ToSlot>);
    }
    match (left, right) {
        (Mode::Acc, _) => pick!(target, binary, binary_fast [O, Acc, Slot]),
        (_, Mode::Acc) => pick!(target, binary, binary_fast [O::Exchanged, Acc, Slot]),
        _ => pick!(target, binary, binary_fast [O, Slot, Slot]),
    }
}

fn pick_unary<O: VectorUnary>(source: Mode, target: Target) -> Picked {
    if !lanes::is_fast() {
        return Picked::leaf(unary::<O, Slot, ToSlot>);
    }
    match source {
        Mode::Acc => pick!(target, unary, unary_fast [O, Acc]),
        _ => pick!(target, unary, unary_fast [O, Slot]),
    }
}

fn pick_shift<O: VectorShift>(a: Mode, bits: Mode, target: Target) -> Picked {
    if !lanes::is_fast() {
        return Picked::leaf(shift::<O, Slot, Slot, ToSlot>);
    }
    match (a, bits) {
        (Mode::Acc, Mode::Imm) => pick!(target, shift, shift_fast [O, Acc, Imm]),
        (_, Mode::Imm) => pick!(target, shift, shift_fast [O, Slot, Imm]),
        (Mode::Acc, _) => pick!(target, shift, shift_fast [O, Acc, Slot]),
        _ => pick!(target, shift, shift_fast [O, Slot, Slot]),
    }
}

fn pick_ternary<O: VectorTernary>(c: Mode, target: Target) -> Picked {
    if !lanes::is_fast() {
        return Picked::leaf(ternary::<O, Slot, ToSlot>);
    }
    match c {
        Mode::Acc => pick!(target, ternary, ternary_fast [O, Acc]),
        _ => pick!(target, ternary, ternary_fast [O, Slot]),
    }
}

fn pick_shuffle(a: Mode, b: Mode, target: Target) -> Picked {
    if !lanes::is_fast() {
        return Picked::leaf(shuffle::<Slot, Slot, ToSlot>);
    }
    match (a, b) {
        (Mode::Acc, _) => pick!(target, shuffle, shuffle_fast [Acc, Slot]),
        (_, Mode::Acc) => pick!(target, shuffle, shuffle_fast [Slot, Acc]),
        _ => pick!(target, shuffle, shuffle_fast [Slot, Slot]),
    }
}

fn pick_permute(a: Mode, target: Target) -> Picked {
    if !lanes::is_fast() {
        return Picked::leaf(permute::<Slot, ToSlot>);
    }
    match a {
        Mode::Acc => pick!(target, permute, permute_fast[Acc]),
        _ => pick!(target, permute, permute_fast[Slot]),
    }
}

/// The operations as types.
mod ops {
    use super::{Exchanged, VectorBinary, VectorShift, VectorTernary, VectorUnary};
    use super::{vector_binary_ops, vector_shift_ops, vector_ternary_ops, vector_unary_ops};
    use crate::abi::lanes::{self, V128};

    macro_rules! exchanged {
        (true $name:ident) => { $name };
        (false $name:ident) => { Exchanged<$name> };
    }

    /// The meaning of an operation in either way of compiling it. A meaning for AVX is an unsafe
    /// function, which needs a processor that has it.
    macro_rules! meaning {
        ($plain:expr) => {
            $plain
        };
        ($plain:expr, $fast:expr) => {{
            #[cfg(target_arch = "x86_64")]
            {
                // SAFETY: with `FAST`, the caller of `apply` guarantees that the processor has AVX.
                #[allow(unused_unsafe, reason = "some meanings are safe functions")]
                if FAST { unsafe { $fast } } else { $plain }
            }
            #[cfg(not(target_arch = "x86_64"))]
            {
                $plain
            }
        }};
    }

    macro_rules! binary_types {
        ($($name:ident, $comm:tt, |$a:ident, $b:ident| $plain:expr $(, fast $fast:expr)?;)*) => {$(
            pub struct $name;
            impl VectorBinary for $name {
                type Exchanged = exchanged!($comm $name);
                #[inline(always)]
                unsafe fn apply<const FAST: bool>($a: V128, $b: V128) -> V128 {
                    meaning!($plain $(, $fast)?)
                }
            }
        )*};
    }
    vector_binary_ops!(binary_types);

    macro_rules! unary_types {
        ($($name:ident, $in:ty => $out:ty, |$a:ident| $plain:expr $(, fast $fast:expr)?;)*) => {$(
            pub struct $name;
            impl VectorUnary for $name {
                type In = $in;
                type Out = $out;
                #[inline(always)]
                unsafe fn apply<const FAST: bool>($a: $in) -> $out {
                    meaning!($plain $(, $fast)?)
                }
            }
        )*};
    }
    vector_unary_ops!(unary_types);

    macro_rules! shift_types {
        ($($name:ident, |$a:ident, $bits:ident| $plain:expr $(, fast $fast:expr)?;)*) => {$(
            pub struct $name;
            impl VectorShift for $name {
                #[inline(always)]
                unsafe fn apply<const FAST: bool>($a: V128, $bits: u32) -> V128 {
                    meaning!($plain $(, $fast)?)
                }
            }
        )*};
    }
    vector_shift_ops!(shift_types);

    macro_rules! ternary_types {
        ($(
            $name:ident, |$a:ident, $b:ident, $c:ident| $plain:expr $(, fast $fast:expr)?;
        )*) => {$(
            pub struct $name;
            impl VectorTernary for $name {
                #[inline(always)]
                unsafe fn apply<const FAST: bool>($a: V128, $b: V128, $c: V128) -> V128 {
                    meaning!($plain $(, $fast)?)
                }
            }
        )*};
    }
    vector_ternary_ops!(ternary_types);
}

macro_rules! binary_match {
    ($($name:ident, $comm:tt, |$a:ident, $b:ident| $plain:expr $(, fast $fast:expr)?;)*) => {
        fn binary_handler(op: VectorBinaryOp, left: Mode, right: Mode, target: Target) -> Picked {
            match op {
                $(VectorBinaryOp::$name => pick_binary::<ops::$name>(left, right, target),)*
            }
        }
    };
}
vector_binary_ops!(binary_match);

macro_rules! unary_match {
    ($($name:ident, $in:ty => $out:ty, |$a:ident| $plain:expr $(, fast $fast:expr)?;)*) => {
        fn unary_handler(op: VectorUnaryOp, source: Mode, target: Target) -> Picked {
            match op { $(VectorUnaryOp::$name => pick_unary::<ops::$name>(source, target),)* }
        }
    };
}
vector_unary_ops!(unary_match);

macro_rules! shift_match {
    ($($name:ident, |$a:ident, $bits:ident| $plain:expr $(, fast $fast:expr)?;)*) => {
        fn shift_handler(op: ShiftOp, a: Mode, bits: Mode, target: Target) -> Picked {
            match op { $(ShiftOp::$name => pick_shift::<ops::$name>(a, bits, target),)* }
        }
    };
}
vector_shift_ops!(shift_match);

macro_rules! ternary_match {
    ($($name:ident, |$a:ident, $b:ident, $c:ident| $plain:expr $(, fast $fast:expr)?;)*) => {
        fn ternary_handler(op: VectorTernaryOp, c: Mode, target: Target) -> Picked {
            match op { $(VectorTernaryOp::$name => pick_ternary::<ops::$name>(c, target),)* }
        }
    };
}
vector_ternary_ops!(ternary_match);

impl VectorInstr {
    /// The handler of this instruction, in the form that leaves a result in `target`.
    pub fn handler(self, target: Target) -> Picked {
        match self {
            Self::Binary { op, left, right } => binary_handler(op, left, right, target),
            Self::Unary { op, source } => unary_handler(op, source, target),
            Self::Shift { op, a, bits } => shift_handler(op, a, bits, target),
            Self::Ternary { op, c } => ternary_handler(op, c, target),
            Self::Shuffle { a, b } => pick_shuffle(a, b, target),
            Self::Permute { a } => pick_permute(a, target),
            Self::Const => match target {
                Target::Acc => Picked::leaf(constant::<ToAcc>),
                Target::Slot => Picked::leaf(constant::<ToSlot>),
            },
            Self::Extract { op, a, lane } => super::lane::extract_handler(op, a, lane, target),
            Self::Replace { op, a, value, lane } => {
                super::lane::replace_handler(op, (a, value), lane, target)
            }
        }
    }
}
