//! Moves between slots, constants, accumulators and globals.

use super::none;
use crate::interp::dispatch::{Handler, handler, next};
use crate::interp::instr::{Class, Mode, Target};
use crate::interp::operand::{
    A, Acc, B, C, DST, Dst, IMM, Imm32, Slot, Src, ToAcc, ToSlot, Value, WIDE,
};

handler!(
    /// `dst = a`; accumulators stay.
    copy [] |r| {
    let value = r.get::<u64>(A);
    r.set(DST, value);
    r.skip(16);
    next(r)
});

handler!(
    /// `dst = a`, then `b = c`.
    copy_two [] |r| {
    let first = r.get::<u64>(A);
    r.set(DST, first);
    let second = r.get::<u64>(C);
    r.set(B, second);
    r.skip(16);
    next(r)
});

handler!(
    /// `dst = constant`, sign-extended from 32 bits.
    copy_imm32 [] |r| {
    let value = r.field::<i32>(IMM) as i64;
    r.set(DST, value);
    r.skip(16);
    next(r)
});

handler!(
    /// `dst = constant`.
    copy_imm64 [] |r| {
    let value = r.field::<u64>(WIDE);
    r.set(DST, value);
    r.skip(24);
    next(r)
});

handler!(
    /// `dst = accumulator`.
    copy_acc [T: Value] |r| {
    let value = T::acc(&r);
    r.set(DST, value);
    r.skip(16);
    next(r)
});

handler!(
    /// Clears `N` slots from `dst` on.
    clear [const N: usize] |r| {
    let first = r.slot(DST);
    for i in 0..N {
        *first.add(i) = 0;
    }
    r.skip(16);
    next(r)
});

/// The handler that clears `count` slots, for as many as are worth a handler of their own.
pub fn clear_handler(count: u8) -> Handler {
    match count {
        1 => clear::<1>,
        2 => clear::<2>,
        3 => clear::<3>,
        4 => clear::<4>,
        5 => clear::<5>,
        6 => clear::<6>,
        7 => clear::<7>,
        8 => clear::<8>,
        _ => none(),
    }
}

/// The handler that stores the accumulator of `class` to a slot.
pub fn copy_acc_handler(class: Class) -> Handler {
    match class {
        Class::Int => copy_acc::<u64>,
        Class::F32 => copy_acc::<f32>,
        Class::F64 => copy_acc::<f64>,
    }
}

handler!(
    /// `dst = defined global at index imm`.
    global_get_own [T: Value, D: Dst] |r| {
    let global = (*r.env).globals.add(r.field::<u32>(IMM) as usize);
    D::write(&mut r, T::from_slot((*global).slots[0]));
    r.skip(16);
    next(r)
});

handler!(
    /// `dst = imported global at index imm`.
    global_get_imported [T: Value, D: Dst] |r| {
    let global = *(*(*r.env).instance).imported_globals.add(r.field::<u32>(IMM) as usize);
    D::write(&mut r, T::from_slot((*global).slots[0]));
    r.skip(16);
    next(r)
});

handler!(
    /// `defined global at index imm = a`.
    global_set_own [T: Value, S: Src<T>] |r| {
    let value = S::read(&r, A, WIDE);
    let global = (*r.env).globals.add(r.field::<u32>(IMM) as usize);
    (*global).slots[0] = value.to_slot();
    r.skip(if S::IMM { 24 } else { 16 });
    next(r)
});

handler!(
    /// `imported global at index imm = a`.
    global_set_imported [T: Value, S: Src<T>] |r| {
    let value = S::read(&r, A, WIDE);
    let global = *(*(*r.env).instance).imported_globals.add(r.field::<u32>(IMM) as usize);
    (*global).slots[0] = value.to_slot();
    r.skip(if S::IMM { 24 } else { 16 });
    next(r)
});

/// The handler of `global.get`.
pub fn global_get(class: Class, imported: bool, target: Target) -> Handler {
    macro_rules! pick {
        ($t:ty) => {
            match (imported, target) {
                (false, Target::Acc) => global_get_own::<$t, ToAcc>,
                (false, Target::Slot) => global_get_own::<$t, ToSlot>,
                (true, Target::Acc) => global_get_imported::<$t, ToAcc>,
                (true, Target::Slot) => global_get_imported::<$t, ToSlot>,
            }
        };
    }
    match class {
        Class::Int => pick!(u64),
        Class::F32 => pick!(f32),
        Class::F64 => pick!(f64),
    }
}

/// The handler of `global.set`; immediates are integers only.
pub fn global_set(class: Class, imported: bool, source: Mode) -> Handler {
    macro_rules! pick {
        ($t:ty) => {
            match (imported, source) {
                (false, Mode::Acc) => global_set_own::<$t, Acc>,
                (false, Mode::Slot) => global_set_own::<$t, Slot>,
                (true, Mode::Acc) => global_set_imported::<$t, Acc>,
                (true, Mode::Slot) => global_set_imported::<$t, Slot>,
                (_, Mode::Imm) => none(),
            }
        };
    }
    match (class, imported, source) {
        (Class::Int, false, Mode::Imm) => global_set_own::<u64, Imm32>,
        (Class::Int, true, Mode::Imm) => global_set_imported::<u64, Imm32>,
        (Class::Int, ..) => pick!(u64),
        (Class::F32, ..) => pick!(f32),
        (Class::F64, ..) => pick!(f64),
    }
}
