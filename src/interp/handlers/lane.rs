//! Single lanes of vectors.
//!
//! The instruction has the number of the lane. Each lane of 32 or 64 bits has a leaf of its own,
//! which works on accumulators; smaller lanes are found in the vector's slots.

use super::none;
use crate::abi::lanes::{self, Lane, V128};
use crate::interp::dispatch::{Regs, handler, next};
use crate::interp::instr::{Mode, Target};
use crate::interp::operand::{Acc, Dst, Slot, Src, ToAcc, ToSlot, Value};
use crate::interp::shape::{self, Picked, SlotNo};
use crate::interp::vector_op::{ExtractOp, ReplaceOp, vector_extract_ops, vector_replace_ops};

/// The read of a lane.
pub trait Extract {
    type Lane: Lane;
    type Out: Value;
    fn widen(lane: Self::Lane) -> Self::Out;
}

/// The write of a lane.
pub trait Replace {
    type Lane: Lane;
    type Val: Value;
    fn narrow(value: Self::Val) -> Self::Lane;
}

/// The lane `lane` of the vector in the slots from `slot` on, without reading the others.
///
/// # Safety
/// The current instruction names the slot, and the vector has such a lane.
#[inline(always)]
unsafe fn lane_at<T: Lane>(r: &Regs, slot: SlotNo, lane: u8) -> T {
    #[cfg(target_endian = "little")]
    // SAFETY: the vector's bytes lie in two slots in their order, and the lane is one of them.
    return unsafe { r.sp.slot(slot).cast::<T>().add(lane.into()).read_unaligned() };
    #[cfg(target_endian = "big")]
    // SAFETY: the instruction names the slot.
    return lanes::extract_lane(unsafe { r.get(slot) }, lane.into());
}

/// Writes the lane `lane` of the vector in the slots from `slot` on.
///
/// # Safety
/// As for [`lane_at`].
#[inline(always)]
unsafe fn set_lane_at<T: Lane>(r: &mut Regs, slot: SlotNo, lane: u8, value: T) {
    #[cfg(target_endian = "little")]
    // SAFETY: the vector's bytes lie in two slots in their order, and the lane is one of them.
    return unsafe { r.sp.slot(slot).cast::<T>().add(lane.into()).write_unaligned(value) };
    #[cfg(target_endian = "big")]
    // SAFETY: the instruction names the slot.
    return unsafe { r.set(slot, lanes::replace_lane(r.get(slot), lane.into(), value)) };
}

handler!(
    extract_any [O: Extract, D: Dst] |r, i: shape::Extract| {
    let lane = lane_at::<O::Lane>(&r, i.a, i.lane);
    D::write(&mut r, i.dst, O::widen(lane));
    r.pass(i);
    next(r)
});

handler!(
    extract_one [O: Extract, const LANE: usize, A: Src<V128, Field = SlotNo>, D: Dst]
    |r, i: shape::Extract| {
    let lane = lanes::extract_lane(A::read(&r, i.a), LANE);
    D::write(&mut r, i.dst, O::widen(lane));
    r.pass(i);
    next(r)
});

handler!(
    replace_any [O: Replace, V: Src<O::Val, Field = SlotNo>] |r, i: shape::Replace| {
    let (a, lane) = (r.get::<V128>(i.a), O::narrow(V::read(&r, i.value)));
    r.set(i.dst, a);
    set_lane_at(&mut r, i.dst, i.lane, lane);
    let value = r.get(i.dst);
    V128::set_acc(&mut r, value);
    r.pass(i);
    next(r)
});

handler!(
    replace_one [
        O: Replace, const LANE: usize,
        A: Src<V128, Field = SlotNo>, V: Src<O::Val, Field = SlotNo>, D: Dst
    ] |r, i: shape::Replace| {
    let lane = O::narrow(V::read(&r, i.value));
    let value = lanes::replace_lane(A::read(&r, i.a), LANE, lane);
    D::write(&mut r, i.dst, value);
    r.pass(i);
    next(r)
});

/// Whether lanes of this type have leaves of their own, and vectors an accumulator.
pub fn has_leaves(lanes: usize) -> bool {
    lanes <= 4 && lanes::is_fast()
}

fn pick_extract<O: Extract>(a: Mode, lane: u8, target: Target) -> Picked {
    macro_rules! one {
        ($lane:literal) => {
            match (a, target) {
                (Mode::Acc, Target::Acc) => Picked::leaf(extract_one::<O, $lane, Acc, ToAcc>),
                (Mode::Acc, Target::Slot) => Picked::leaf(extract_one::<O, $lane, Acc, ToSlot>),
                (_, Target::Acc) => Picked::leaf(extract_any::<O, ToAcc>),
                (_, Target::Slot) => Picked::leaf(extract_any::<O, ToSlot>),
            }
        };
    }
    match lane {
        0 => one!(0),
        1 => one!(1),
        2 if <O::Lane as Lane>::COUNT > 2 => one!(2),
        3 if <O::Lane as Lane>::COUNT > 2 => one!(3),
        _ if a == Mode::Acc => none(),
        _ => match target {
            Target::Acc => Picked::leaf(extract_any::<O, ToAcc>),
            Target::Slot => Picked::leaf(extract_any::<O, ToSlot>),
        },
    }
}

fn pick_replace<O: Replace>((a, value): (Mode, Mode), lane: u8, target: Target) -> Picked {
    macro_rules! one {
        ($lane:literal, $a:ty, $v:ty) => {
            match target {
                Target::Acc => Picked::leaf(replace_one::<O, $lane, $a, $v, ToAcc>),
                Target::Slot => Picked::leaf(replace_one::<O, $lane, $a, $v, ToSlot>),
            }
        };
        ($lane:literal) => {
            match (a, value) {
                (Mode::Acc, Mode::Acc) => one!($lane, Acc, Acc),
                (Mode::Acc, _) => one!($lane, Acc, Slot),
                (_, Mode::Acc) => one!($lane, Slot, Acc),
                _ => one!($lane, Slot, Slot),
            }
        };
    }
    if !has_leaves(<O::Lane as Lane>::COUNT) {
        return match value {
            Mode::Acc => Picked::leaf(replace_any::<O, Acc>),
            _ => Picked::leaf(replace_any::<O, Slot>),
        };
    }
    match lane {
        0 => one!(0),
        1 => one!(1),
        2 if <O::Lane as Lane>::COUNT > 2 => one!(2),
        3 if <O::Lane as Lane>::COUNT > 2 => one!(3),
        _ => none(),
    }
}

macro_rules! extract_match {
    ($($name:ident, $lane:ty => $out:ty;)*) => {
        mod extracts {
            $(
                pub struct $name;
                impl super::Extract for $name {
                    type Lane = $lane;
                    type Out = $out;
                    #[inline(always)]
                    fn widen(lane: $lane) -> $out {
                        lane as $out
                    }
                }
            )*
        }

        /// The handler of `op` for a lane.
        pub fn extract_handler(op: ExtractOp, a: Mode, lane: u8, target: Target) -> Picked {
            match op { $(ExtractOp::$name => pick_extract::<extracts::$name>(a, lane, target),)* }
        }
    };
}
vector_extract_ops!(extract_match);

macro_rules! replace_match {
    ($($name:ident, $val:ty => $lane:ty;)*) => {
        mod replaces {
            $(
                pub struct $name;
                impl super::Replace for $name {
                    type Lane = $lane;
                    type Val = $val;
                    #[inline(always)]
                    fn narrow(value: $val) -> $lane {
                        value as $lane
                    }
                }
            )*
        }

        /// The handler of `op` for a lane, by the modes of the vector and of the value. Unless
        /// [`has_leaves`] is true, the vector is in a slot, and so is the result.
        pub fn replace_handler(
            op: ReplaceOp,
            modes: (Mode, Mode),
            lane: u8,
            target: Target,
        ) -> Picked {
            match op {
                $(ReplaceOp::$name => pick_replace::<replaces::$name>(modes, lane, target),)*
            }
        }
    };
}
vector_replace_ops!(replace_match);
