//! The registers of the virtual machine that point somewhere: instruction, frame and memory 0.
//!
//! Moving them is safe and done here. The few unsafe functions here read the memory behind them,
//! and each states its conditions. Raw pointers come in where `abi::vm_layout` has them.

use super::dispatch::Handler;
use super::shape::{Call, Code, Entry, Shape, SlotNo, Word};
use std::ptr;

/// The address of an instruction whose operands have the shape `S`; `()` for any shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Ip<S = ()>(*const Code<S>);

impl<S: Shape> Ip<S> {
    /// The same instruction as one of any shape.
    #[inline(always)]
    pub fn any(self) -> Ip {
        Ip(self.0.cast())
    }

    /// The operands of the instruction.
    ///
    /// # Safety
    /// An instruction of this shape stands here, or one that begins with it, in code that lives
    /// during `'a`.
    #[inline(always)]
    pub unsafe fn operands<'a>(self) -> &'a S {
        // SAFETY: the caller guarantees that an instruction of this shape stands here during `'a`,
        // and instructions do not change.
        unsafe { (*self.0).operands() }
    }
}

impl Ip {
    #[inline(always)]
    pub fn of(pointer: *const u8) -> Self {
        Self(pointer.cast())
    }

    #[inline(always)]
    pub fn as_ptr(self) -> *const u8 {
        self.0.cast()
    }

    /// The same instruction as one with operands of the shape `S`.
    #[inline(always)]
    pub fn of_shape<S: Shape>(self) -> Ip<S> {
        Ip(self.0.cast())
    }

    /// The handler of the instruction.
    ///
    /// # Safety
    /// An instruction stands here, in live code.
    #[inline(always)]
    pub unsafe fn handler(self) -> Handler {
        // SAFETY: the caller guarantees that an instruction stands here, and every instruction
        // begins with its handler.
        unsafe { (*self.0).handler() }
    }

    /// The instruction behind this one, whose operands have the shape `S`.
    #[inline(always)]
    pub fn next<S: Shape>(self) -> Self {
        Self::of(self.as_ptr().wrapping_add(size_of::<Code<S>>()))
    }

    /// The instruction at a distance from this one that a branch has.
    #[inline(always)]
    pub fn at_distance(self, distance: isize) -> Self {
        Self::of(self.as_ptr().wrapping_offset(distance))
    }

    /// The instruction at a place in the code of the function that begins here.
    pub fn behind(self, offset: Offset) -> Self {
        Self::of(self.as_ptr().wrapping_add(offset.0 as usize))
    }

    /// The word before this instruction, which begins a function's code if this is its first one.
    pub fn before(self) -> Self {
        Self::of(self.as_ptr().wrapping_sub(size_of::<Word>()))
    }

    /// The entry that stands before this instruction, if it is a function's first one.
    #[inline(always)]
    pub fn entry(self) -> *const Entry {
        self.as_ptr().cast::<Entry>().wrapping_sub(1)
    }

    /// The place of this instruction in the code of the function that begins at `start`.
    pub fn offset(self, start: Self) -> Option<Offset> {
        let bytes = self.as_ptr().addr().checked_sub(start.as_ptr().addr())?;
        u32::try_from(bytes).ok().map(Offset)
    }

    /// The call instruction before this return address; `None` for the return address of outermost
    /// functions.
    pub fn call(self) -> Option<Self> {
        let call = self.as_ptr().wrapping_sub(size_of::<Code<Call>>());
        (!self.is_exit()).then_some(Self::of(call))
    }

    /// Whether this is the return address of outermost functions. Guest code that is there has no
    /// frame.
    pub fn is_exit(self) -> bool {
        ptr::eq(self.0, super::EXIT.as_ptr())
    }
}

/// A place in the code of one function, in bytes from its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Offset(u32);

impl Offset {
    /// No place.
    pub const NONE: Self = Self(u32::MAX);
    /// The first instruction of a function, behind its `Entry`.
    pub const START: Self = Self(size_of::<Entry>() as u32);

    /// The place of a word of the code.
    pub fn of_word(index: usize) -> Self {
        let bytes = index * size_of::<Word>();
        debug_assert!(u32::try_from(bytes).is_ok_and(|bytes| bytes < Self::NONE.0));
        Self(bytes as u32)
    }

    pub fn word(self) -> usize {
        self.0 as usize / size_of::<Word>()
    }

    pub fn from_bytes(bytes: u32) -> Self {
        Self(bytes)
    }

    pub fn bytes(self) -> u32 {
        self.0
    }

    /// The distance from here to `target`, as branches have it.
    pub fn distance(self, target: Self) -> i32 {
        let distance = i64::from(target.0) - i64::from(self.0);
        debug_assert!(i32::try_from(distance).is_ok());
        distance as i32
    }
}

/// Slot 0 of a function's frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Frame(*mut u64);

impl Frame {
    #[inline(always)]
    pub fn of(pointer: *mut u64) -> Self {
        Self(pointer)
    }

    #[inline(always)]
    pub fn as_ptr(self) -> *mut u64 {
        self.0
    }

    #[inline(always)]
    pub fn slot(self, slot: SlotNo) -> *mut u64 {
        self.slots_on(slot.into())
    }

    /// The address of the slot with this number.
    #[inline(always)]
    pub fn slots_on(self, slots: u32) -> *mut u64 {
        self.0.wrapping_add(slots as usize)
    }

    /// The frame of a function that is called with its parameters from `slot` on.
    #[inline(always)]
    pub fn inner(self, slot: SlotNo) -> Self {
        Self(self.slot(slot))
    }

    /// The header that begins at the slot with this number.
    #[inline(always)]
    pub fn header(self, slots: u32) -> *mut Header {
        self.slots_on(slots).cast()
    }
}

/// The header of a frame, behind its parameters: the return address, and the caller's frame.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub struct Header {
    pub back_to: Ip,
    pub caller: Frame,
}

impl Header {
    /// Slots of a header.
    pub const SLOTS: u32 = (size_of::<Self>() / size_of::<u64>()) as u32;
}

/// The native address of `size` bytes at the guest's address `at` in a memory with `len` bytes at
/// `base`, if all of them are there.
#[inline(always)]
pub fn find(base: *mut u8, len: usize, at: u64, size: usize) -> Option<*mut u8> {
    let is_inside = at.saturating_add(size as u64) <= len as u64;
    is_inside.then_some(base.wrapping_add(at as usize))
}

/// Memory 0 of the running instance: start and accessible bytes.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Memory0 {
    pub base: *mut u8,
    pub len: usize,
}

impl Memory0 {
    /// For registers in which memory 0 is read again before it is used.
    pub const NONE: Self = Self { base: ptr::null_mut(), len: 0 };

    /// The native address of `size` bytes at the guest's address `at`, if all of them are here.
    #[inline(always)]
    pub fn find(self, at: u64, size: usize) -> Option<*mut u8> {
        find(self.base, self.len, at, size)
    }

    /// As [`Memory0::find`], of bytes of which the last is at the sum of two 32-bit values, which
    /// cannot wrap; else the address of the first. `b` is not less than `size - 1`.
    #[inline(always)]
    pub fn find_sum(self, a: u32, b: u32, size: usize) -> Result<*mut u8, u64> {
        let last = u64::from(a) + u64::from(b);
        if last >= self.len as u64 {
            return Err(last.wrapping_sub(size as u64 - 1));
        }
        Ok(self.base.wrapping_add(last as usize).wrapping_sub(size - 1))
    }

    /// Pages of 64 KiB.
    #[inline(always)]
    pub fn pages(self) -> u32 {
        (self.len >> 16) as u32
    }
}
