//! Loads and stores of memory 0, its size and its growth.
//!
//! An address is 32 bits and an offset 32 bits, so their sum never wraps in 64; one comparison
//! with the accessible length decides. Whatever lies behind that length is up to the slow
//! handlers of `far`. Other memories and 64-bit addresses are instructions of their own.

use super::far::{self, FarLoad, FarStore};
use super::none;
use crate::exec::builtins;
use crate::interp::dispatch::{Handler, Regs, handler, next, slow};
use crate::interp::instr::{Mode, Target};
use crate::interp::op::{LoadOp, StoreOp, load_ops, store_ops};
use crate::interp::operand::{
    A, Acc, B, DST, Dst, IMM, Imm, Imm32, Slot, Src, ToAcc, ToSlot, Value, WIDE,
};

/// Field of the constant in a sum that is an address.
pub const SUM_IMM: usize = 20;

/// Where a load or store finds its address; the instruction's offset is added to it.
pub trait Address {
    /// Field of the offset.
    const OFFSET: usize;
    /// # Safety
    /// The instruction must have been encoded for this mode.
    unsafe fn base(r: &Regs) -> u64;
}

/// The offset is all of the address.
pub struct Absolute;

/// The 32-bit sum of two operands: an `i32.add` that nothing but the access needed.
pub struct Sum<L, R>(L, R);

impl Address for Absolute {
    const OFFSET: usize = IMM;
    #[inline(always)]
    unsafe fn base(_r: &Regs) -> u64 {
        0
    }
}

impl Address for Acc {
    const OFFSET: usize = IMM;
    #[inline(always)]
    unsafe fn base(r: &Regs) -> u64 {
        r.int as u32 as u64
    }
}

impl Address for Slot {
    const OFFSET: usize = IMM;
    #[inline(always)]
    unsafe fn base(r: &Regs) -> u64 {
        // SAFETY: the caller's contract.
        unsafe { r.get::<u32>(A) as u64 }
    }
}

impl<L: Src<u32>, R: Src<u32>> Address for Sum<L, R> {
    const OFFSET: usize = WIDE;
    #[inline(always)]
    unsafe fn base(r: &Regs) -> u64 {
        // SAFETY: the caller's contract.
        unsafe { L::read(r, A, SUM_IMM).wrapping_add(R::read(r, B, SUM_IMM)) as u64 }
    }
}

/// The native address of `size` bytes at `base` plus the instruction's offset; the guest's
/// address if they are not in memory 0.
///
/// # Safety
/// The instruction must have been encoded for `X`; `r.mem`/`r.len` must be memory 0.
#[inline(always)]
unsafe fn locate<X: Address>(r: &Regs, size: usize) -> Result<*mut u8, u64> {
    // SAFETY: the caller's contract; the pointer stays within the memory when it is used.
    unsafe {
        let at = X::base(r) + r.field::<u32>(X::OFFSET) as u64;
        if at + size as u64 > r.len as u64 {
            return Err(at);
        }
        Ok(r.mem.add(at as usize))
    }
}

/// A load as a type.
pub trait Load {
    type Raw: Copy;
    type Out: Value;
    fn widen(raw: Self::Raw) -> Self::Out;
}

/// A store as a type.
pub trait Store {
    type Val: Value;
    type Raw: Copy;
    fn narrow(value: Self::Val) -> Self::Raw;
}

handler!(load_memory [L: Load, X: Address, D: Dst] |r| {
    match locate::<X>(&r, size_of::<L::Raw>()) {
        Ok(at) => {
            let raw = at.cast::<L::Raw>().read_unaligned();
            D::write(&mut r, L::widen(raw));
            r.skip(if X::OFFSET == WIDE { 24 } else { 16 });
            next(r)
        }
        Err(at) if X::OFFSET == WIDE => far::hand_over::<FarLoad<L, D, 24>>(r, at),
        Err(at) => far::hand_over::<FarLoad<L, D, 16>>(r, at),
    }
});

handler!(store_memory [S: Store, X: Address, V: Src<S::Val>] |r| {
    match locate::<X>(&r, size_of::<S::Raw>()) {
        Ok(at) => {
            let value = V::read(&r, DST, WIDE);
            at.cast::<S::Raw>().write_unaligned(S::narrow(value));
            r.skip(if V::IMM || X::OFFSET == WIDE { 24 } else { 16 });
            next(r)
        }
        Err(at) if V::IMM || X::OFFSET == WIDE => far::hand_over::<FarStore<S, V, 24>>(r, at),
        Err(at) => far::hand_over::<FarStore<S, V, 16>>(r, at),
    }
});

fn pick_load<L: Load>(address: Mode, target: Target) -> Handler {
    match (address, target) {
        (Mode::Acc, Target::Acc) => load_memory::<L, Acc, ToAcc>,
        (Mode::Acc, Target::Slot) => load_memory::<L, Acc, ToSlot>,
        (Mode::Slot, Target::Acc) => load_memory::<L, Slot, ToAcc>,
        (Mode::Slot, Target::Slot) => load_memory::<L, Slot, ToSlot>,
        (Mode::Imm, Target::Acc) => load_memory::<L, Absolute, ToAcc>,
        (Mode::Imm, Target::Slot) => load_memory::<L, Absolute, ToSlot>,
    }
}

fn pick_load_sum<L: Load>(left: Mode, right: Mode, target: Target) -> Handler {
    macro_rules! pick {
        ($l:ty, $r:ty) => {
            match target {
                Target::Acc => load_memory::<L, Sum<$l, $r>, ToAcc>,
                Target::Slot => load_memory::<L, Sum<$l, $r>, ToSlot>,
            }
        };
    }
    match (left, right) {
        (Mode::Slot, Mode::Slot) => pick!(Slot, Slot),
        (Mode::Acc, Mode::Slot) => pick!(Acc, Slot),
        (Mode::Slot, Mode::Imm) => pick!(Slot, Imm),
        (Mode::Acc, Mode::Imm) => pick!(Acc, Imm),
        _ => none(),
    }
}

/// The value is in a slot, or a float in its accumulator.
fn pick_store_sum<S: Store>(left: Mode, right: Mode, value: Mode) -> Handler {
    macro_rules! pick {
        ($l:ty, $r:ty) => {
            match value {
                Mode::Slot => store_memory::<S, Sum<$l, $r>, Slot>,
                Mode::Acc => store_memory::<S, Sum<$l, $r>, Acc>,
                Mode::Imm => none(),
            }
        };
    }
    match (left, right) {
        (Mode::Slot, Mode::Slot) => pick!(Slot, Slot),
        (Mode::Acc, Mode::Slot) => pick!(Acc, Slot),
        (Mode::Slot, Mode::Imm) => pick!(Slot, Imm),
        (Mode::Acc, Mode::Imm) => pick!(Acc, Imm),
        _ => none(),
    }
}

fn pick_store<S: Store>(address: Mode, value: Mode) -> Handler {
    match (address, value) {
        (Mode::Slot, Mode::Slot) => store_memory::<S, Slot, Slot>,
        (Mode::Slot, Mode::Acc) => store_memory::<S, Slot, Acc>,
        (Mode::Slot, Mode::Imm) => store_memory::<S, Slot, Imm32>,
        (Mode::Acc, Mode::Slot) => store_memory::<S, Acc, Slot>,
        (Mode::Acc, Mode::Imm) => store_memory::<S, Acc, Imm32>,
        (Mode::Imm, Mode::Slot) => store_memory::<S, Absolute, Slot>,
        (Mode::Imm, Mode::Acc) => store_memory::<S, Absolute, Acc>,
        (Mode::Imm, Mode::Imm) => store_memory::<S, Absolute, Imm32>,
        // A float in its accumulator beside an address in its own.
        (Mode::Acc, Mode::Acc) => store_memory::<S, Acc, Acc>,
    }
}

macro_rules! load_match {
    ($($name:ident, $raw:ty => $out:ty;)*) => {
        mod loads {
            $(
                pub struct $name;
                impl super::Load for $name {
                    type Raw = $raw;
                    type Out = $out;
                    #[inline(always)]
                    fn widen(raw: $raw) -> $out {
                        raw as $out
                    }
                }
            )*
        }

        /// The handler of `op`; an immediate address stands in the offset.
        pub fn load_handler(op: LoadOp, address: Mode, target: Target) -> Handler {
            match op { $(LoadOp::$name => pick_load::<loads::$name>(address, target),)* }
        }

        /// The handler of `op` at the sum of two operands.
        pub fn load_sum_handler(op: LoadOp, left: Mode, right: Mode, target: Target) -> Handler {
            match op { $(LoadOp::$name => pick_load_sum::<loads::$name>(left, right, target),)* }
        }
    };
}
load_ops!(load_match);

macro_rules! store_match {
    ($($name:ident, $val:ty => $raw:ty;)*) => {
        mod stores {
            $(
                pub struct $name;
                impl super::Store for $name {
                    type Val = $val;
                    type Raw = $raw;
                    #[inline(always)]
                    fn narrow(value: $val) -> $raw {
                        value as $raw
                    }
                }
            )*
        }

        /// The handler of `op`; an immediate address stands in the offset.
        pub fn store_handler(op: StoreOp, address: Mode, value: Mode) -> Handler {
            match op { $(StoreOp::$name => pick_store::<stores::$name>(address, value),)* }
        }

        /// The handler of `op` at the sum of two operands.
        pub fn store_sum_handler(op: StoreOp, left: Mode, right: Mode, value: Mode) -> Handler {
            match op { $(StoreOp::$name => pick_store_sum::<stores::$name>(left, right, value),)* }
        }
    };
}
store_ops!(store_match);

/// Reads memory 0 of the running instance again, after something that may have changed it.
///
/// # Safety
/// `r.env` must be the running environment.
#[inline(always)]
pub unsafe fn reload_memory(r: &mut Regs) {
    // SAFETY: an instance always has a `memory0`, empty if the module has none.
    unsafe {
        let memory = (*(*r.env).instance).memory0;
        r.mem = (*memory).base;
        r.len = (*memory).len_bytes;
    }
}

handler!(
    /// `dst = pages of memory 0`.
    memory_size [D: Dst] |r| {
    let pages = (r.len >> 16) as u32;
    D::write(&mut r, pages);
    r.skip(16);
    next(r)
});

slow!(
    /// `dst = memory.grow(a)`.
    MemoryGrow |r| {
    let delta = r.get::<u32>(A);
    let pages = builtins::memory_grow(r.env, 0, delta as u64)?;
    ToSlot::write(r, pages as i32);
    reload_memory(r);
    r.skip(16);
    Ok(())
});

/// The handler of `memory.size`.
pub fn memory_size_handler(target: Target) -> Handler {
    match target {
        Target::Acc => memory_size::<ToAcc>,
        Target::Slot => memory_size::<ToSlot>,
    }
}
