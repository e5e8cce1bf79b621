//! Fields of structs and elements of arrays, without asking the heap: `gc::direct` has the checks.
//! What that does not find, the slow handlers look for in the heap as a whole.

use super::none;
use crate::abi::lanes::V128;
use crate::exec::fields::{array_len as array_len_in_heap, get_element, get_field};
use crate::exec::fields::{set_element, set_field};
use crate::gc::{StorageKind, StructField, direct};
use crate::instance::Slots;
use crate::interp::dispatch::{Regs, Slow, Stop, handler, next, to_slow};
use crate::interp::instr::{Mode, Target};
use crate::interp::op::FieldOp;
use crate::interp::operand::{Acc, Dst, Imm32, Slot, Src, ToAcc, ToSlot, Value};
use crate::interp::shape::{self, Picked, SlotNo};
use std::any::TypeId;
use std::marker::PhantomData;

/// A kind of field or element as a type.
pub trait Field {
    const KIND: StorageKind;
    const SIGNED: bool;
    /// In memory, lowest byte first.
    type Raw: Copy;
    type Val: Value;
    fn widen(raw: Self::Raw) -> Self::Val;
    fn narrow(value: Self::Val) -> Self::Raw;
}

macro_rules! fields {
    ($($name:ident $kind:ident $signed:literal $raw:ty => $val:ty,
        |$from:ident| $widen:expr, |$value:ident| $narrow:expr;)*) => {$(
        pub struct $name;

        impl Field for $name {
            const KIND: StorageKind = StorageKind::$kind;
            const SIGNED: bool = $signed;
            type Raw = $raw;
            type Val = $val;
            #[inline(always)]
            fn widen($from: $raw) -> $val {
                $widen
            }
            #[inline(always)]
            fn narrow($value: $val) -> $raw {
                $narrow
            }
        }
    )*};
}

fields! {
    I8S I8 true u8 => u32, |raw| raw as i8 as i32 as u32, |v| v as u8;
    I8U I8 false u8 => u32, |raw| u32::from(raw), |v| v as u8;
    I16S I16 true u16 => u32, |raw| u16::from_le(raw) as i16 as i32 as u32, |v| (v as u16).to_le();
    I16U I16 false u16 => u32, |raw| u32::from(u16::from_le(raw)), |v| (v as u16).to_le();
    I32 I32 false u32 => u32, |raw| u32::from_le(raw), |v| v.to_le();
    I64 I64 false u64 => u64, |raw| u64::from_le(raw), |v| v.to_le();
    F32 F32 false u32 => f32, |raw| f32::from_bits(u32::from_le(raw)), |v| v.to_bits().to_le();
    F64 F64 false u64 => f64, |raw| f64::from_bits(u64::from_le(raw)), |v| v.to_bits().to_le();
    Vector V128 false [u64; 2] => V128,
        |raw| V128::from_u64x2([u64::from_le(raw[0]), u64::from_le(raw[1])]),
        |v| { let [low, high] = v.to_u64x2(); [low.to_le(), high.to_le()] };
    Ref Ref false u64 => u64, |raw| u64::from_le(raw), |v| v.to_le();
}

/// Gives the integer accumulator up, which the result is about to replace, if no operand is there:
/// a processor's register more for the leaf. The slow handler leaves the result there, too.
#[inline(always)]
pub(super) fn give_int_up<S: 'static>(r: &mut Regs, kind: StorageKind) {
    let is_int = !matches!(kind, StorageKind::F32 | StorageKind::F64 | StorageKind::V128);
    if is_int && TypeId::of::<S>() == TypeId::of::<Slot>() {
        r.int = 0;
    }
}

/// A value as slots have it.
fn slots_of<T: Value>(value: T) -> Slots {
    let mut slots = [0; 2];
    // SAFETY: no value takes more than two slots.
    unsafe { value.store(slots.as_mut_ptr()) };
    slots
}

fn of_slots<T: Value>(slots: Slots) -> T {
    // SAFETY: no value takes more than two slots.
    unsafe { T::load(slots.as_ptr()) }
}

/// The field at a place in the struct that a word refers to.
///
/// # Safety
/// The environment is the running one.
#[inline(always)]
unsafe fn field<F: Field>(r: &Regs, word: u64, at: u32) -> Option<*mut F::Raw> {
    // SAFETY: the running instance's view is that of its link set's heap, or an empty one.
    unsafe {
        let head = direct::find((*(*r.env).instance).objects, word)?;
        match F::KIND {
            StorageKind::Ref => direct::ref_field(head, at).map(|place| place.cast()),
            _ => direct::data_field(head, at),
        }
    }
}

/// The element with a number in the array that a word refers to.
///
/// # Safety
/// The environment is the running one.
#[inline(always)]
unsafe fn element<F: Field>(r: &Regs, word: u64, at: u32) -> Option<*mut F::Raw> {
    // SAFETY: the running instance's view is that of its link set's heap, or an empty one.
    unsafe { direct::element(direct::find((*(*r.env).instance).objects, word)?, at) }
}

handler!(
    /// `dst = a field`.
    struct_get [F: Field, S: Src<u64, Field = SlotNo> + 'static, D: Dst] |r, i: shape::FieldGet| {
    give_int_up::<S>(&mut r, F::KIND);
    match field::<F>(&r, S::read(&r, i.object), i.at) {
        Some(place) => {
            let raw = place.read_unaligned();
            D::write(&mut r, i.dst, F::widen(raw));
            r.pass(i);
            next(r)
        }
        None => to_slow::<SlowStructGet<F, S, D>>(r, i),
    }
});

/// The rest of [`struct_get`].
pub struct SlowStructGet<F, S, D>(PhantomData<(F, S, D)>);

impl<F: Field, S: Src<u64, Field = SlotNo>, D: Dst> Slow for SlowStructGet<F, S, D> {
    type Shape = shape::FieldGet;
    unsafe fn run(r: &mut Regs) -> Result<(), Stop> {
        // SAFETY: `struct_get` has handed over its registers and instruction.
        unsafe {
            let i = r.ip.of_shape::<shape::FieldGet>().operands();
            let (word, field) = (S::read(r, i.object), StructField::new(F::KIND, i.at));
            let value = get_field(r.env, word, field, F::SIGNED)?;
            D::write(r, i.dst, of_slots::<F::Val>(value));
            r.pass(i);
        }
        Ok(())
    }
}

handler!(
    /// `a field = value`.
    struct_set [F: Field, S: Src<u64, Field = SlotNo>, V: Src<F::Val>]
    |r, i: shape::FieldSet<V::Field>| {
    match field::<F>(&r, S::read(&r, i.object), i.at) {
        Some(place) => {
            place.write_unaligned(F::narrow(V::read(&r, i.value)));
            r.pass(i);
            next(r)
        }
        None => to_slow::<SlowStructSet<F, S, V>>(r, i),
    }
});

/// The rest of [`struct_set`].
pub struct SlowStructSet<F, S, V>(PhantomData<(F, S, V)>);

impl<F, S, V> Slow for SlowStructSet<F, S, V>
where
    F: Field,
    S: Src<u64, Field = SlotNo>,
    V: Src<F::Val>,
{
    type Shape = shape::FieldSet<V::Field>;
    unsafe fn run(r: &mut Regs) -> Result<(), Stop> {
        // SAFETY: `struct_set` has handed over its registers and instruction.
        unsafe {
            let i = r.ip.of_shape::<Self::Shape>().operands();
            let (word, field) = (S::read(r, i.object), StructField::new(F::KIND, i.at));
            set_field(r.env, word, field, slots_of(V::read(r, i.value)))?;
            r.pass(i);
        }
        Ok(())
    }
}

handler!(
    /// `dst = an element`.
    array_get [F: Field, I: Src<u32, Field = SlotNo> + 'static, D: Dst]
    |r, i: shape::ElementGet| {
    give_int_up::<I>(&mut r, F::KIND);
    match element::<F>(&r, r.get(i.array), I::read(&r, i.index)) {
        Some(place) => {
            let raw = place.read_unaligned();
            D::write(&mut r, i.dst, F::widen(raw));
            r.pass(i);
            next(r)
        }
        None => to_slow::<SlowArrayGet<F, I, D>>(r, i),
    }
});

/// The rest of [`array_get`].
pub struct SlowArrayGet<F, I, D>(PhantomData<(F, I, D)>);

impl<F: Field, I: Src<u32, Field = SlotNo>, D: Dst> Slow for SlowArrayGet<F, I, D> {
    type Shape = shape::ElementGet;
    unsafe fn run(r: &mut Regs) -> Result<(), Stop> {
        // SAFETY: `array_get` has handed over its registers and instruction.
        unsafe {
            let i = r.ip.of_shape::<shape::ElementGet>().operands();
            let (word, at) = (r.get(i.array), I::read(r, i.index));
            let value = get_element(r.env, word, at, F::SIGNED)?;
            D::write(r, i.dst, of_slots::<F::Val>(value));
            r.pass(i);
        }
        Ok(())
    }
}

handler!(
    /// `an element = value`.
    array_set [F: Field, V: Src<F::Val>] |r, i: shape::ElementSet<V::Field>| {
    match element::<F>(&r, r.get(i.array), r.get(i.index)) {
        Some(place) => {
            place.write_unaligned(F::narrow(V::read(&r, i.value)));
            r.pass(i);
            next(r)
        }
        None => to_slow::<SlowArraySet<F, V>>(r, i),
    }
});

/// The rest of [`array_set`].
pub struct SlowArraySet<F, V>(PhantomData<(F, V)>);

impl<F: Field, V: Src<F::Val>> Slow for SlowArraySet<F, V> {
    type Shape = shape::ElementSet<V::Field>;
    unsafe fn run(r: &mut Regs) -> Result<(), Stop> {
        // SAFETY: `array_set` has handed over its registers and instruction.
        unsafe {
            let i = r.ip.of_shape::<Self::Shape>().operands();
            let (word, at) = (r.get(i.array), r.get(i.index));
            set_element(r.env, word, at, slots_of(V::read(r, i.value)))?;
            r.pass(i);
        }
        Ok(())
    }
}

handler!(
    /// `dst = the length of an array`.
    array_len [S: Src<u64, Field = SlotNo> + 'static, D: Dst] |r, i: shape::Unary| {
    give_int_up::<S>(&mut r, StorageKind::I32);
    let head = direct::find((*(*r.env).instance).objects, S::read(&r, i.a));
    match head.and_then(|head| direct::len(head)) {
        Some(len) => {
            D::write(&mut r, i.dst, len);
            r.pass(i);
            next(r)
        }
        None => to_slow::<SlowArrayLen<S, D>>(r, i),
    }
});

/// The rest of [`array_len`].
pub struct SlowArrayLen<S, D>(PhantomData<(S, D)>);

impl<S: Src<u64, Field = SlotNo>, D: Dst> Slow for SlowArrayLen<S, D> {
    type Shape = shape::Unary;
    unsafe fn run(r: &mut Regs) -> Result<(), Stop> {
        // SAFETY: `array_len` has handed over its registers and instruction.
        unsafe {
            let i = r.ip.of_shape::<shape::Unary>().operands();
            let len = array_len_in_heap(r.env, S::read(r, i.a))?;
            D::write(r, i.dst, len);
            r.pass(i);
        }
        Ok(())
    }
}

/// Calls `$pick!` with the type of a kind.
macro_rules! of_op {
    ($op:expr, $pick:ident) => {
        match $op {
            FieldOp::I8S => $pick!(I8S),
            FieldOp::I8U => $pick!(I8U),
            FieldOp::I16S => $pick!(I16S),
            FieldOp::I16U => $pick!(I16U),
            FieldOp::I32 => $pick!(I32),
            FieldOp::I64 => $pick!(I64),
            FieldOp::F32 => $pick!(F32),
            FieldOp::F64 => $pick!(F64),
            FieldOp::V128 => $pick!(Vector),
            FieldOp::Ref => $pick!(Ref),
        }
    };
}

pub fn struct_get_handler(op: FieldOp, object: Mode, target: Target) -> Picked {
    macro_rules! pick {
        ($field:ty) => {
            match (object, target) {
                (Mode::Acc, Target::Acc) => Picked::leaf(struct_get::<$field, Acc, ToAcc>),
                (Mode::Acc, Target::Slot) => Picked::leaf(struct_get::<$field, Acc, ToSlot>),
                (Mode::Slot, Target::Acc) => Picked::leaf(struct_get::<$field, Slot, ToAcc>),
                (Mode::Slot, Target::Slot) => Picked::leaf(struct_get::<$field, Slot, ToSlot>),
                _ => none(),
            }
        };
    }
    of_op!(op, pick)
}

pub fn struct_set_handler(op: FieldOp, object: Mode, value: Mode) -> Picked {
    macro_rules! pick {
        ($field:ty) => {
            match (object, value) {
                (Mode::Acc, Mode::Slot) => Picked::leaf(struct_set::<$field, Acc, Slot>),
                (Mode::Slot, Mode::Acc) => Picked::leaf(struct_set::<$field, Slot, Acc>),
                (Mode::Slot, Mode::Slot) => Picked::leaf(struct_set::<$field, Slot, Slot>),
                (Mode::Slot, Mode::Imm) => Picked::leaf(struct_set::<$field, Slot, Imm32>),
                _ => none(),
            }
        };
    }
    of_op!(op, pick)
}

pub fn array_get_handler(op: FieldOp, index: Mode, target: Target) -> Picked {
    macro_rules! pick {
        ($field:ty) => {
            match (index, target) {
                (Mode::Acc, Target::Acc) => Picked::leaf(array_get::<$field, Acc, ToAcc>),
                (Mode::Acc, Target::Slot) => Picked::leaf(array_get::<$field, Acc, ToSlot>),
                (Mode::Slot, Target::Acc) => Picked::leaf(array_get::<$field, Slot, ToAcc>),
                (Mode::Slot, Target::Slot) => Picked::leaf(array_get::<$field, Slot, ToSlot>),
                _ => none(),
            }
        };
    }
    of_op!(op, pick)
}

pub fn array_set_handler(op: FieldOp, value: Mode) -> Picked {
    macro_rules! pick {
        ($field:ty) => {
            match value {
                Mode::Acc => Picked::leaf(array_set::<$field, Acc>),
                Mode::Slot => Picked::leaf(array_set::<$field, Slot>),
                Mode::Imm => Picked::leaf(array_set::<$field, Imm32>),
            }
        };
    }
    of_op!(op, pick)
}

pub fn array_len_handler(array: Mode, target: Target) -> Picked {
    match (array, target) {
        (Mode::Acc, Target::Acc) => Picked::leaf(array_len::<Acc, ToAcc>),
        (Mode::Acc, Target::Slot) => Picked::leaf(array_len::<Acc, ToSlot>),
        (Mode::Slot, Target::Acc) => Picked::leaf(array_len::<Slot, ToAcc>),
        (Mode::Slot, Target::Slot) => Picked::leaf(array_len::<Slot, ToSlot>),
        _ => none(),
    }
}
