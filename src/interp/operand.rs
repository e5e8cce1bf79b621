//! Operands: the places of an instruction's inputs and of its result.
//!
//! An operand's mode is a type, so that a handler is compiled once per combination of modes and
//! never decides at run time: [`Acc`] is the accumulator of the value's class, [`Slot`] a slot
//! of the frame, [`Imm`] a constant in the instruction. The mode gives the type of the operand's
//! field; `shape` has the structs that the fields are in. A result goes to the accumulator alone
//! ([`ToAcc`]) or to a slot as well ([`ToSlot`]); since the accumulator always has it, an
//! instruction that follows can use it without waiting for the store.

use super::dispatch::Regs;
use super::shape::{Shape, SlotNo};
use crate::abi::lanes::V128;

impl Regs {
    /// Reads `T` from a slot of the frame.
    ///
    /// # Safety
    /// The current instruction names the slot.
    #[inline(always)]
    pub unsafe fn get<T: Value>(&self, slot: SlotNo) -> T {
        // SAFETY: the translator counts all slots of every operand that an instruction names into
        // the frame, and slots of frames are always initialised.
        unsafe { T::load(self.sp.slot(slot)) }
    }

    /// Writes `value` to a slot of the frame.
    ///
    /// # Safety
    /// As for [`Regs::get`].
    #[inline(always)]
    pub unsafe fn set<T: Value>(&mut self, slot: SlotNo, value: T) {
        // SAFETY: the translator counts all slots of every operand that an instruction names into
        // the frame.
        unsafe { value.store(self.sp.slot(slot)) }
    }

    /// Moves on behind the current instruction, whose operands these are.
    #[inline(always)]
    pub fn pass<S: Shape>(&mut self, _operands: &S) {
        self.ip = self.ip.next::<S>();
    }
}

/// A Rust type that travels in slots and in the accumulator of its class.
pub trait Value: Copy {
    /// A constant in an instruction.
    type Imm: Copy + 'static;
    /// Reads the value from its slots.
    ///
    /// # Safety
    /// `slot` is the first of as many initialised slots as the value takes.
    unsafe fn load(slot: *const u64) -> Self;
    /// Writes the value to its slots.
    ///
    /// # Safety
    /// `slot` is the first of as many slots as the value takes.
    unsafe fn store(self, slot: *mut u64);
    fn acc(r: &Regs) -> Self;
    fn set_acc(r: &mut Regs, value: Self);
    fn from_imm(imm: Self::Imm) -> Self;
    /// From 32 bits: sign-extended, or the bits of an f32.
    fn from_imm32(imm: u32) -> Self;
}

macro_rules! int_value {
    ($($ty:ty, $via:ty;)*) => {$(
        impl Value for $ty {
            type Imm = $via;
            #[inline(always)]
            unsafe fn load(slot: *const u64) -> Self {
                // SAFETY: the caller guarantees that the slot is there and initialised.
                let slot = unsafe { *slot };
                slot as $ty
            }
            #[inline(always)]
            unsafe fn store(self, slot: *mut u64) {
                let value = self as $via as u64;
                // SAFETY: the caller guarantees that the slot is there.
                unsafe { *slot = value }
            }
            #[inline(always)]
            fn acc(r: &Regs) -> Self {
                r.int as $ty
            }
            #[inline(always)]
            fn set_acc(r: &mut Regs, value: Self) {
                r.int = value as $via as u64;
            }
            #[inline(always)]
            fn from_imm(imm: $via) -> Self {
                imm as $ty
            }
            #[inline(always)]
            fn from_imm32(imm: u32) -> Self {
                imm as i32 as $ty
            }
        }
    )*};
}

int_value! {
    i32, u32;
    u32, u32;
    i64, u64;
    u64, u64;
}

impl Value for f32 {
    type Imm = f32;
    #[inline(always)]
    unsafe fn load(slot: *const u64) -> Self {
        // SAFETY: the caller guarantees that the slot is there and initialised.
        let slot = unsafe { *slot };
        f32::from_bits(slot as u32)
    }
    #[inline(always)]
    unsafe fn store(self, slot: *mut u64) {
        let value = self.to_bits() as u64;
        // SAFETY: the caller guarantees that the slot is there.
        unsafe { *slot = value }
    }
    #[inline(always)]
    fn acc(r: &Regs) -> Self {
        r.f32
    }
    #[inline(always)]
    fn set_acc(r: &mut Regs, value: Self) {
        r.f32 = value;
    }
    #[inline(always)]
    fn from_imm(imm: f32) -> Self {
        imm
    }
    #[inline(always)]
    fn from_imm32(imm: u32) -> Self {
        f32::from_bits(imm)
    }
}

impl Value for f64 {
    type Imm = f64;
    #[inline(always)]
    unsafe fn load(slot: *const u64) -> Self {
        // SAFETY: the caller guarantees that the slot is there and initialised.
        let slot = unsafe { *slot };
        f64::from_bits(slot)
    }
    #[inline(always)]
    unsafe fn store(self, slot: *mut u64) {
        let value = self.to_bits();
        // SAFETY: the caller guarantees that the slot is there.
        unsafe { *slot = value }
    }
    #[inline(always)]
    fn acc(r: &Regs) -> Self {
        r.f64
    }
    #[inline(always)]
    fn set_acc(r: &mut Regs, value: Self) {
        r.f64 = value;
    }
    #[inline(always)]
    fn from_imm(imm: f64) -> Self {
        imm
    }
    #[inline(always)]
    fn from_imm32(imm: u32) -> Self {
        f32::from_bits(imm) as f64
    }
}

impl Value for V128 {
    type Imm = [u64; 2];
    #[inline(always)]
    unsafe fn load(slot: *const u64) -> Self {
        // SAFETY: the caller guarantees that two slots are there and initialised; they are aligned
        // for 64 bits only.
        V128::from_u64x2(unsafe { slot.cast::<[u64; 2]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, slot: *mut u64) {
        // SAFETY: the caller guarantees that two slots are there.
        unsafe { slot.cast::<[u64; 2]>().write_unaligned(self.to_u64x2()) }
    }
    #[inline(always)]
    fn acc(r: &Regs) -> Self {
        r.v128
    }
    #[inline(always)]
    fn set_acc(r: &mut Regs, value: Self) {
        r.v128 = value;
    }
    #[inline(always)]
    fn from_imm(imm: [u64; 2]) -> Self {
        V128::from_u64x2(imm)
    }
    #[inline(always)]
    fn from_imm32(imm: u32) -> Self {
        V128::from_u64x2([imm.into(), 0])
    }
}

/// An input's mode.
pub trait Src<T: Value> {
    /// The instruction's field for the operand.
    type Field: Copy + 'static;
    /// # Safety
    /// The field is the current instruction's.
    unsafe fn read(r: &Regs, field: Self::Field) -> T;
}

pub struct Acc;
pub struct Slot;
/// A constant of the operand's own width.
pub struct Imm;
/// A constant in 32 bits, in instructions that have no room for more.
pub struct Imm32;

impl<T: Value> Src<T> for Acc {
    type Field = SlotNo;
    #[inline(always)]
    unsafe fn read(r: &Regs, _field: SlotNo) -> T {
        T::acc(r)
    }
}

impl<T: Value> Src<T> for Slot {
    type Field = SlotNo;
    #[inline(always)]
    unsafe fn read(r: &Regs, field: SlotNo) -> T {
        // SAFETY: the caller guarantees that the current instruction names the slot.
        unsafe { r.get(field) }
    }
}

impl<T: Value> Src<T> for Imm {
    type Field = T::Imm;
    #[inline(always)]
    unsafe fn read(_r: &Regs, field: T::Imm) -> T {
        T::from_imm(field)
    }
}

impl<T: Value> Src<T> for Imm32 {
    type Field = u32;
    #[inline(always)]
    unsafe fn read(_r: &Regs, field: u32) -> T {
        T::from_imm32(field)
    }
}

/// A constant in 16 bits, sign-extended, in place of a slot's number.
pub struct Imm16;

impl<T: Value> Src<T> for Imm16 {
    type Field = SlotNo;
    #[inline(always)]
    unsafe fn read(_r: &Regs, field: SlotNo) -> T {
        T::from_imm32(i32::from(field.0 as i16) as u32)
    }
}

/// A result's mode.
pub trait Dst {
    /// # Safety
    /// The slot is the current instruction's.
    unsafe fn write<T: Value>(r: &mut Regs, slot: SlotNo, value: T);
}

pub struct ToAcc;
pub struct ToSlot;

impl Dst for ToAcc {
    #[inline(always)]
    unsafe fn write<T: Value>(r: &mut Regs, _slot: SlotNo, value: T) {
        T::set_acc(r, value);
    }
}

impl Dst for ToSlot {
    #[inline(always)]
    unsafe fn write<T: Value>(r: &mut Regs, slot: SlotNo, value: T) {
        T::set_acc(r, value);
        // SAFETY: the caller guarantees that the current instruction names the slot.
        unsafe { r.set(slot, value) }
    }
}
