//! Whether references are of a type: tests and casts that do not ask the heap (`gc::direct` has the
//! checks). What they do not find, the slow handlers look for in the heap as a whole.

use super::fields::give_int_up;
use super::{none, trap};
use crate::abi::guest_word;
use crate::abi::trap::Trap;
use crate::exec::objects;
use crate::gc::{StorageKind, direct};
use crate::interp::dispatch::{Regs, Slow, Stop, go_on_in, handler, next, slow, to_slow};
use crate::interp::instr::{Mode, Target};
use crate::interp::op::RefKind;
use crate::interp::operand::{Acc, Dst, Slot, Src, ToAcc, ToSlot};
use crate::interp::shape::{self, Picked, SlotNo};
use crate::types::has_supertype;
use std::marker::PhantomData;

/// The number of the type of the object that a word refers to, and that of the module's type at
/// `index`. `None` if no object is found here.
///
/// # Safety
/// The environment is the running one, and the module has the type.
#[inline(always)]
unsafe fn types_of(r: &Regs, word: u64, index: u32) -> Option<(u32, u32)> {
    // SAFETY: the running instance's view is that of its link set's heap, or an empty one.
    unsafe {
        let instance = (*r.env).instance;
        let id = direct::type_of(direct::find((*instance).objects, word)?);
        Some((id, *(*instance).type_ids.add(index as usize)))
    }
}

/// Whether the type whose number is in the integer accumulator, that of an object, has the module's
/// type at `index` among its supertypes, which has `depth` of them itself.
///
/// # Safety
/// The environment is the running one, and the module has the type.
#[inline(always)]
unsafe fn is_sub(r: &Regs, index: u32, depth: u32) -> bool {
    // SAFETY: types of objects are those of modules of the link set, which are loaded.
    unsafe {
        let instance = (*r.env).instance;
        let wanted = *(*instance).type_ids.add(index as usize);
        has_supertype(&*(*instance).types, r.int as u32, (depth, wanted))
    }
}

handler!(
    /// `dst = whether a reference is of a type that the module defines`.
    type_test [S: Src<u64, Field = SlotNo> + 'static, D: Dst] |r, i: shape::TypeTest| {
    give_int_up::<S>(&mut r, StorageKind::I32);
    let word = S::read(&r, i.a);
    let is_of = if word == 0 {
        i.ty.is_nullable()
    } else {
        match types_of(&r, word, i.index) {
            Some((id, wanted)) if id == wanted => true,
            Some((id, _)) => {
                r.int = id.into();
                return go_on_in(type_test_of_sub::<D>, r, i);
            }
            None => return to_slow::<SlowTypeTest<S, D>>(r, i),
        }
    };
    D::write(&mut r, i.dst, u32::from(is_of));
    r.pass(i);
    next(r)
});

handler!(
    /// As [`type_test`], of an object of another type, whose number is in the integer accumulator.
    // A leaf of its own, so that the other needs fewer of the processor's registers.
    #[inline(never)]
    type_test_of_sub [D: Dst] |r, i: shape::TypeTest| {
    let is_of = is_sub(&r, i.index, i.depth);
    D::write(&mut r, i.dst, u32::from(is_of));
    r.pass(i);
    next(r)
});

/// The rest of [`type_test`].
pub struct SlowTypeTest<S, D>(PhantomData<(S, D)>);

impl<S: Src<u64, Field = SlotNo>, D: Dst> Slow for SlowTypeTest<S, D> {
    type Shape = shape::TypeTest;
    unsafe fn run(r: &mut Regs) -> Result<(), Stop> {
        // SAFETY: `type_test` has handed over its registers and instruction.
        unsafe {
            let i = r.ip.of_shape::<shape::TypeTest>().operands();
            let is_of = objects::is_of(r.env, i.ty, S::read(r, i.a));
            D::write(r, i.dst, u32::from(is_of));
            r.pass(i);
        }
        Ok(())
    }
}

handler!(
    /// Goes on if a reference is of a type that the module defines, with the reference in the
    /// integer accumulator.
    type_cast [] |r, i: shape::TypeCast| {
    let word = r.get::<u64>(i.reference);
    r.int = 0;
    if word == 0 {
        if i.ty.is_nullable() {
            r.pass(i);
            return next(r);
        }
    } else if let Some((id, wanted)) = types_of(&r, word, i.index) {
        if id != wanted {
            r.int = id.into();
            return go_on_in(type_cast_of_sub, r, i);
        }
        // Read again, which is cheaper than to keep it.
        r.int = r.get(i.reference);
        r.pass(i);
        return next(r);
    }
    to_slow::<SlowTypeCast>(r, i)
});

handler!(
    /// As [`type_cast`], of an object of another type, whose number is in the integer accumulator.
    #[inline(never)]
    type_cast_of_sub [] |r, i: shape::TypeCast| {
    if !is_sub(&r, i.index, i.depth) {
        return trap(r, Trap::CastFailure);
    }
    r.int = r.get(i.reference);
    r.pass(i);
    next(r)
});

slow!(
    /// The rest of [`type_cast`].
    SlowTypeCast |r, i: shape::TypeCast| {
    let word = r.get::<u64>(i.reference);
    if !objects::is_of(r.env, i.ty, word) {
        return Err(Trap::CastFailure.into());
    }
    r.int = word;
    r.pass(i);
    Ok(())
});

/// A kind of reference as a type.
pub trait TestedKind {
    /// Whether the word, which is not null, is of the kind. `None` if it claims to be an object,
    /// and none is found here.
    ///
    /// # Safety
    /// The environment is the running one.
    unsafe fn is(r: &Regs, word: u64) -> Option<bool>;
}

/// Whether the object that a word refers to is an array; `None` if no array or struct is found
/// here.
///
/// # Safety
/// The environment is the running one.
#[inline(always)]
unsafe fn is_array(r: &Regs, word: u64) -> Option<bool> {
    // SAFETY: the running instance's view is that of its link set's heap, or an empty one.
    unsafe { direct::is_array(direct::find((*(*r.env).instance).objects, word)?) }
}

macro_rules! kinds {
    ($($name:ident |$r:ident, $word:ident, $is_i31:ident| $is:expr;)*) => {$(
        pub struct $name;

        impl TestedKind for $name {
            #[inline(always)]
            unsafe fn is($r: &Regs, $word: u64) -> Option<bool> {
                let $is_i31 = guest_word::as_small_integer($word).is_some();
                // SAFETY: the caller guarantees that the environment is the running one.
                #[allow(unused_unsafe, reason = "small integers are no objects")]
                unsafe { $is }
            }
        }
    )*};
}

kinds! {
    Any |r, word, is_i31| match is_i31 || !guest_word::is_guests(word) {
        true => Some(true),
        false => is_array(r, word).map(|_| true),
    };
    Eq |r, word, is_i31| if is_i31 { Some(true) } else { is_array(r, word).map(|_| true) };
    I31 |_r, word, is_i31| Some(is_i31);
    Struct |r, word, is_i31| if is_i31 { Some(false) } else { is_array(r, word).map(|is| !is) };
    Array |r, word, is_i31| if is_i31 { Some(false) } else { is_array(r, word) };
}

handler!(
    /// `dst = whether a reference is of a kind`.
    kind_test [K: TestedKind, S: Src<u64, Field = SlotNo> + 'static, D: Dst]
    |r, i: shape::RefTest| {
    give_int_up::<S>(&mut r, StorageKind::I32);
    let word = S::read(&r, i.a);
    let is_of = if word == 0 { Some(i.ty.is_nullable()) } else { K::is(&r, word) };
    match is_of {
        Some(is_of) => {
            D::write(&mut r, i.dst, u32::from(is_of));
            r.pass(i);
            next(r)
        }
        None => to_slow::<SlowKindTest<S, D>>(r, i),
    }
});

/// The rest of [`kind_test`].
pub struct SlowKindTest<S, D>(PhantomData<(S, D)>);

impl<S: Src<u64, Field = SlotNo>, D: Dst> Slow for SlowKindTest<S, D> {
    type Shape = shape::RefTest;
    unsafe fn run(r: &mut Regs) -> Result<(), Stop> {
        // SAFETY: `kind_test` has handed over its registers and instruction.
        unsafe {
            let i = r.ip.of_shape::<shape::RefTest>().operands();
            let is_of = objects::is_of(r.env, i.ty, S::read(r, i.a));
            D::write(r, i.dst, u32::from(is_of));
            r.pass(i);
        }
        Ok(())
    }
}

handler!(
    /// Goes on if a reference is of a kind.
    kind_cast [K: TestedKind] |r, i: shape::RefCast| {
    let word = r.get::<u64>(i.reference);
    let is_of = if word == 0 { Some(i.ty.is_nullable()) } else { K::is(&r, word) };
    if is_of == Some(true) {
        r.pass(i);
        return next(r);
    }
    to_slow::<SlowKindCast>(r, i)
});

slow!(
    /// The rest of [`kind_cast`].
    SlowKindCast |r, i: shape::RefCast| {
    if !objects::is_of(r.env, i.ty, r.get::<u64>(i.reference)) {
        return Err(Trap::CastFailure.into());
    }
    r.pass(i);
    Ok(())
});

pub fn type_test_handler(source: Mode, target: Target) -> Picked {
    match (source, target) {
        (Mode::Acc, Target::Acc) => Picked::leaf(type_test::<Acc, ToAcc>),
        (Mode::Acc, Target::Slot) => Picked::leaf(type_test::<Acc, ToSlot>),
        (Mode::Slot, Target::Acc) => Picked::leaf(type_test::<Slot, ToAcc>),
        (Mode::Slot, Target::Slot) => Picked::leaf(type_test::<Slot, ToSlot>),
        _ => none(),
    }
}

/// Calls `$pick!` with the type of a kind.
macro_rules! of_kind {
    ($kind:expr, $pick:ident) => {
        match $kind {
            RefKind::Any => $pick!(Any),
            RefKind::Eq => $pick!(Eq),
            RefKind::I31 => $pick!(I31),
            RefKind::Struct => $pick!(Struct),
            RefKind::Array => $pick!(Array),
        }
    };
}

pub fn kind_test_handler(kind: RefKind, source: Mode, target: Target) -> Picked {
    macro_rules! pick {
        ($kind:ty) => {
            match (source, target) {
                (Mode::Acc, Target::Acc) => Picked::leaf(kind_test::<$kind, Acc, ToAcc>),
                (Mode::Acc, Target::Slot) => Picked::leaf(kind_test::<$kind, Acc, ToSlot>),
                (Mode::Slot, Target::Acc) => Picked::leaf(kind_test::<$kind, Slot, ToAcc>),
                (Mode::Slot, Target::Slot) => Picked::leaf(kind_test::<$kind, Slot, ToSlot>),
                _ => none(),
            }
        };
    }
    of_kind!(kind, pick)
}

pub fn kind_cast_handler(kind: RefKind) -> Picked {
    macro_rules! pick {
        ($kind:ty) => {
            Picked::leaf(kind_cast::<$kind>)
        };
    }
    of_kind!(kind, pick)
}
