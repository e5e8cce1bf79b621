//! Operands: where an instruction finds its inputs and leaves its result.
//!
//! An instruction is a word with its handler's address, then a word of operands, and for wide
//! immediates or extra fields one or two more words:
//!
//! ```text
//! byte   0        8     10    12    14    16
//!        handler  dst   a     b     c     wide
//!                             imm (32 bit)
//! ```
//!
//! An operand's mode is a type, so that a handler is compiled once per combination of modes and
//! never decides at run time: [`Acc`] is the accumulator of the value's class, [`Slot`] a slot
//! of the frame, [`Imm`] a constant in the instruction. A result goes to the accumulator alone
//! ([`ToAcc`]) or to a slot as well ([`ToSlot`]); since the accumulator always has it, an
//! instruction that follows can use it without waiting for the store.

use super::dispatch::Regs;

/// Byte offsets of the operand fields.
pub const DST: usize = 8;
pub const A: usize = 10;
pub const B: usize = 12;
pub const C: usize = 14;
pub const IMM: usize = 12;
pub const WIDE: usize = 16;

impl Regs {
    /// Reads a field of the current instruction.
    ///
    /// # Safety
    /// The instruction must have a field of type `T` at byte `at`.
    #[inline(always)]
    pub unsafe fn field<T: Copy>(&self, at: usize) -> T {
        // SAFETY: the caller says that the field is there; it may be less than aligned.
        unsafe { self.ip.add(at).cast::<T>().read_unaligned() }
    }

    /// The frame's slot whose number is in the field at `at`.
    ///
    /// # Safety
    /// The instruction must have a slot number at byte `at`.
    #[inline(always)]
    pub unsafe fn slot(&self, at: usize) -> *mut u64 {
        // SAFETY: the translator counts every slot it names into the frame's size.
        unsafe { self.sp.add(self.field::<u16>(at) as usize) }
    }

    /// Reads `T` from the slot named at `at`.
    ///
    /// # Safety
    /// As for [`Regs::slot`].
    #[inline(always)]
    pub unsafe fn get<T: Value>(&self, at: usize) -> T {
        // SAFETY: the caller's contract; frame slots are always initialised memory.
        T::from_slot(unsafe { *self.slot(at) })
    }

    /// Writes `value` to the slot named at `at`.
    ///
    /// # Safety
    /// As for [`Regs::slot`].
    #[inline(always)]
    pub unsafe fn set<T: Value>(&mut self, at: usize, value: T) {
        // SAFETY: the caller's contract.
        unsafe { *self.slot(at) = value.to_slot() }
    }

    /// Moves on by `bytes`, the size of the current instruction.
    ///
    /// # Safety
    /// Another instruction must follow.
    #[inline(always)]
    pub unsafe fn skip(&mut self, bytes: usize) {
        // SAFETY: code never ends in an instruction that goes on to the next.
        self.ip = unsafe { self.ip.add(bytes) };
    }
}

/// A Rust type that travels in slots and in the accumulator of its class.
pub trait Value: Copy {
    /// Whether an immediate takes a whole word rather than 32 bits.
    const WIDE: bool;
    fn from_slot(slot: u64) -> Self;
    fn to_slot(self) -> u64;
    fn acc(r: &Regs) -> Self;
    fn set_acc(r: &mut Regs, value: Self);
    /// # Safety
    /// The instruction must carry an immediate of this type at byte `at`.
    unsafe fn imm(r: &Regs, at: usize) -> Self;
    /// An immediate in 32 bits: sign-extended, or the bits of an f32.
    ///
    /// # Safety
    /// The instruction must carry such an immediate at byte `at`.
    unsafe fn imm32(r: &Regs, at: usize) -> Self;
}

macro_rules! int_value {
    ($($ty:ty, $via:ty, $wide:literal;)*) => {$(
        impl Value for $ty {
            const WIDE: bool = $wide;
            #[inline(always)]
            fn from_slot(slot: u64) -> Self {
                slot as $ty
            }
            #[inline(always)]
            fn to_slot(self) -> u64 {
                self as $via as u64
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
            unsafe fn imm(r: &Regs, at: usize) -> Self {
                // SAFETY: the caller says that the immediate is there.
                unsafe { r.field(at) }
            }
            #[inline(always)]
            unsafe fn imm32(r: &Regs, at: usize) -> Self {
                // SAFETY: the caller says that the immediate is there.
                unsafe { r.field::<i32>(at) as $ty }
            }
        }
    )*};
}

int_value! {
    i32, u32, false;
    u32, u32, false;
    i64, u64, true;
    u64, u64, true;
}

impl Value for f32 {
    const WIDE: bool = false;
    #[inline(always)]
    fn from_slot(slot: u64) -> Self {
        f32::from_bits(slot as u32)
    }
    #[inline(always)]
    fn to_slot(self) -> u64 {
        self.to_bits() as u64
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
    unsafe fn imm(r: &Regs, at: usize) -> Self {
        // SAFETY: the caller says that the immediate is there.
        unsafe { r.field(at) }
    }
    #[inline(always)]
    unsafe fn imm32(r: &Regs, at: usize) -> Self {
        // SAFETY: the caller says that the immediate is there.
        f32::from_bits(unsafe { r.field(at) })
    }
}

impl Value for f64 {
    const WIDE: bool = true;
    #[inline(always)]
    fn from_slot(slot: u64) -> Self {
        f64::from_bits(slot)
    }
    #[inline(always)]
    fn to_slot(self) -> u64 {
        self.to_bits()
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
    unsafe fn imm(r: &Regs, at: usize) -> Self {
        // SAFETY: the caller says that the immediate is there.
        unsafe { r.field(at) }
    }
    #[inline(always)]
    unsafe fn imm32(r: &Regs, at: usize) -> Self {
        // SAFETY: the caller says that the immediate is there.
        f32::from_bits(unsafe { r.field(at) }) as f64
    }
}

/// An input's mode.
pub trait Src<T: Value> {
    /// Whether the operand stands in the instruction itself.
    const IMM: bool;
    /// # Safety
    /// The instruction must have been encoded for this mode: a slot's number in the field at
    /// `slot_at`, a constant at `imm_at`.
    unsafe fn read(r: &Regs, slot_at: usize, imm_at: usize) -> T;
}

pub struct Acc;
pub struct Slot;
/// A constant of the operand's own width.
pub struct Imm;
/// A constant in 32 bits, in instructions that have no room for more.
pub struct Imm32;

impl<T: Value> Src<T> for Acc {
    const IMM: bool = false;
    #[inline(always)]
    unsafe fn read(r: &Regs, _slot_at: usize, _imm_at: usize) -> T {
        T::acc(r)
    }
}

impl<T: Value> Src<T> for Slot {
    const IMM: bool = false;
    #[inline(always)]
    unsafe fn read(r: &Regs, slot_at: usize, _imm_at: usize) -> T {
        // SAFETY: the caller's contract.
        unsafe { r.get(slot_at) }
    }
}

impl<T: Value> Src<T> for Imm {
    const IMM: bool = true;
    #[inline(always)]
    unsafe fn read(r: &Regs, _slot_at: usize, imm_at: usize) -> T {
        // SAFETY: the caller's contract.
        unsafe { T::imm(r, imm_at) }
    }
}

impl<T: Value> Src<T> for Imm32 {
    const IMM: bool = true;
    #[inline(always)]
    unsafe fn read(r: &Regs, _slot_at: usize, imm_at: usize) -> T {
        // SAFETY: the caller's contract.
        unsafe { T::imm32(r, imm_at) }
    }
}

/// A result's mode.
pub trait Dst {
    /// # Safety
    /// The instruction must have a slot number at [`DST`] if the mode writes one.
    unsafe fn write<T: Value>(r: &mut Regs, value: T);
}

pub struct ToAcc;
pub struct ToSlot;

impl Dst for ToAcc {
    #[inline(always)]
    unsafe fn write<T: Value>(r: &mut Regs, value: T) {
        T::set_acc(r, value);
    }
}

impl Dst for ToSlot {
    #[inline(always)]
    unsafe fn write<T: Value>(r: &mut Regs, value: T) {
        T::set_acc(r, value);
        // SAFETY: the caller's contract.
        unsafe { r.set(DST, value) }
    }
}
