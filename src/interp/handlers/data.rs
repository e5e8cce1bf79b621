//! Moves between slots, constants, accumulators and globals.

use super::none;
use crate::abi::lanes::V128;
use crate::interp::dispatch::{handler, next};
use crate::interp::instr::{Class, Mode, Target};
use crate::interp::operand::{Acc, Dst, Imm, Imm32, Slot, Src, ToAcc, ToSlot, Value};
use crate::interp::shape::{self, Picked};

handler!(
    /// `dst = a`; accumulators stay.
    copy [] |r, i: shape::Unary| {
    let value = r.get::<u64>(i.a);
    r.set(i.dst, value);
    r.pass(i);
    next(r)
});

handler!(
    /// `dst = a + b`; accumulators stay.
    copy_sum [R: Src<u32>] |r, i: shape::Binary<R::Field>| {
    let sum = r.get::<u32>(i.first).wrapping_add(R::read(&r, i.second));
    r.set(i.dst, sum);
    r.pass(i);
    next(r)
});

/// The handler of a sum that leaves the accumulators as they are.
pub fn copy_sum_handler(right: Mode) -> Picked {
    match right {
        Mode::Slot => Picked::leaf(copy_sum::<Slot>),
        Mode::Imm => Picked::leaf(copy_sum::<Imm>),
        Mode::Acc => none(),
    }
}

handler!(
    /// Adds a constant to a slot, then one to another, or to the same. The accumulator gets the
    /// second sum.
    step_two [] |r, i: shape::StepTwo| {
    let first = r.get::<u32>(i.first).wrapping_add(i.first_step);
    r.set(i.first, first);
    let second = r.get::<u32>(i.second).wrapping_add(i.second_step);
    ToSlot::write(&mut r, i.second, second);
    r.pass(i);
    next(r)
});

handler!(
    /// As `copy`, of a vector.
    copy_vector [] |r, i: shape::Unary| {
    let value = r.get::<V128>(i.a);
    r.set(i.dst, value);
    r.pass(i);
    next(r)
});

handler!(
    /// One copy, then the other.
    copy_two [] |r, i: shape::CopyTwo| {
    let first = r.get::<u64>(i.first.a);
    r.set(i.first.dst, first);
    let second = r.get::<u64>(i.second.a);
    r.set(i.second.dst, second);
    r.pass(i);
    next(r)
});

handler!(
    /// `dst = constant`: sign-extended from 32 bits if `S` is `Imm32`, or of 64 bits.
    copy_imm [S: Src<u64>] |r, i: shape::CopyImm<S::Field>| {
    let value = S::read(&r, i.value);
    r.set(i.dst, value);
    r.pass(i);
    next(r)
});

handler!(
    /// `dst = accumulator`.
    copy_acc [T: Value] |r, i: shape::Dst| {
    let value = T::acc(&r);
    r.set(i.dst, value);
    r.pass(i);
    next(r)
});

handler!(
    /// Clears `N` slots from `dst` on.
    clear [const N: usize] |r, i: shape::Dst| {
    let first = r.sp.slot(i.dst);
    for n in 0..N {
        *first.add(n) = 0;
    }
    r.pass(i);
    next(r)
});

/// The handler that clears `count` slots, up to `Instr::CLEAR_MAX`.
pub fn clear_handler(count: u8) -> Picked {
    match count {
        1 => Picked::leaf(clear::<1>),
        2 => Picked::leaf(clear::<2>),
        3 => Picked::leaf(clear::<3>),
        4 => Picked::leaf(clear::<4>),
        5 => Picked::leaf(clear::<5>),
        6 => Picked::leaf(clear::<6>),
        7 => Picked::leaf(clear::<7>),
        8 => Picked::leaf(clear::<8>),
        _ => none(),
    }
}

/// The handler that stores the accumulator of `class` to a slot.
pub fn copy_acc_handler(class: Class) -> Picked {
    match class {
        Class::Int => Picked::leaf(copy_acc::<u64>),
        Class::F32 => Picked::leaf(copy_acc::<f32>),
        Class::F64 => Picked::leaf(copy_acc::<f64>),
        Class::V128 => Picked::leaf(copy_acc::<V128>),
    }
}

handler!(
    /// `dst = defined global at the index`.
    global_get_own [T: Value, D: Dst] |r, i: shape::Get| {
    let global = (*r.env).globals.add(i.index as usize);
    D::write(&mut r, i.dst, T::load((*global).slots.as_ptr()));
    r.pass(i);
    next(r)
});

handler!(
    /// `dst = imported global at the index`.
    global_get_imported [T: Value, D: Dst] |r, i: shape::Get| {
    let global = *(*(*r.env).instance).imported_globals.add(i.index as usize);
    D::write(&mut r, i.dst, T::load((*global).slots.as_ptr()));
    r.pass(i);
    next(r)
});

handler!(
    /// `defined global at the index = value`.
    global_set_own [T: Value, S: Src<T>] |r, i: shape::GlobalSet<S::Field>| {
    let value = S::read(&r, i.value);
    let global = (*r.env).globals.add(i.index as usize);
    value.store((*global).slots.as_mut_ptr());
    r.pass(i);
    next(r)
});

handler!(
    /// `imported global at the index = value`.
    global_set_imported [T: Value, S: Src<T>] |r, i: shape::GlobalSet<S::Field>| {
    let value = S::read(&r, i.value);
    let global = *(*(*r.env).instance).imported_globals.add(i.index as usize);
    value.store((*global).slots.as_mut_ptr());
    r.pass(i);
    next(r)
});

/// The handler of `global.get`.
pub fn global_get(class: Class, imported: bool, target: Target) -> Picked {
    macro_rules! pick {
        ($t:ty) => {
            match (imported, target) {
                (false, Target::Acc) => Picked::leaf(global_get_own::<$t, ToAcc>),
                (false, Target::Slot) => Picked::leaf(global_get_own::<$t, ToSlot>),
                (true, Target::Acc) => Picked::leaf(global_get_imported::<$t, ToAcc>),
                (true, Target::Slot) => Picked::leaf(global_get_imported::<$t, ToSlot>),
            }
        };
    }
    match class {
        Class::Int => pick!(u64),
        Class::F32 => pick!(f32),
        Class::F64 => pick!(f64),
        Class::V128 => pick!(V128),
    }
}

/// The handler of `global.set`; immediates are integers only.
pub fn global_set(class: Class, imported: bool, source: Mode) -> Picked {
    macro_rules! pick {
        ($t:ty) => {
            match (imported, source) {
                (false, Mode::Acc) => Picked::leaf(global_set_own::<$t, Acc>),
                (false, Mode::Slot) => Picked::leaf(global_set_own::<$t, Slot>),
                (true, Mode::Acc) => Picked::leaf(global_set_imported::<$t, Acc>),
                (true, Mode::Slot) => Picked::leaf(global_set_imported::<$t, Slot>),
                (_, Mode::Imm) => none(),
            }
        };
    }
    match (class, imported, source) {
        (Class::Int, false, Mode::Imm) => Picked::leaf(global_set_own::<u64, Imm32>),
        (Class::Int, true, Mode::Imm) => Picked::leaf(global_set_imported::<u64, Imm32>),
        (Class::Int, ..) => pick!(u64),
        (Class::F32, ..) => pick!(f32),
        (Class::F64, ..) => pick!(f64),
        (Class::V128, ..) => pick!(V128),
    }
}
