//! Loads and stores of other memories than the one that is in the registers, and of memory 0 with
//! addresses of 64 bits; sizes and growth of any memory.
//!
//! The instruction has the index of the memory. Its start and length are read from the instance's
//! list unless the registers have them; that makes these leaves slower than those of `memory`. An
//! address and an offset may both have 64 bits: a sum that has more is out of bounds.

use super::memory::{Absolute, Load, Store, loads, reload_memory, stores};
use super::none;
use crate::abi::trap::Trap;
use crate::exec::{builtins, work};
use crate::interp::dispatch::{Regs, Slow, Stop, handler, next, slow, to_slow};
use crate::interp::instr::{MemoryKind, Mode, Target};
use crate::interp::machine;
use crate::interp::op::{LoadOp, StoreOp, load_ops, store_ops};
use crate::interp::operand::{Acc, Dst, Imm32, Slot, Src, ToAcc, ToSlot, Value};
use crate::interp::shape::{self, LoadAny, Picked, SlotNo, StoreAny};
use std::marker::PhantomData;

/// A kind of memory.
pub trait Space {
    type Address: Value + Into<u64>;

    /// The native address of `size` bytes at `at`, as far as running code knows the memory.
    ///
    /// # Safety
    /// `r` are the registers of an instruction that names this memory.
    unsafe fn find(r: &Regs, memory: u16, at: u64, size: usize) -> Option<*mut u8>;
}

/// Memory 0, with addresses of 64 bits.
pub struct First;

impl Space for First {
    type Address = u64;
    #[inline(always)]
    unsafe fn find(r: &Regs, _memory: u16, at: u64, size: usize) -> Option<*mut u8> {
        r.memory.find(at, size)
    }
}

/// A memory in the instance's list, with addresses of the type `A`.
pub struct Other<A>(A);

impl<A: Value + Into<u64>> Space for Other<A> {
    type Address = A;
    #[inline(always)]
    unsafe fn find(r: &Regs, memory: u16, at: u64, size: usize) -> Option<*mut u8> {
        // SAFETY: the running environment's instance is alive, and validation has seen that it
        // has this memory.
        unsafe { find_listed(r, memory.into(), at, size) }
    }
}

/// The native address of `size` bytes at `at` of any memory, as far as running code knows it.
///
/// # Safety
/// `r` are the registers of an instruction that names this memory.
#[inline(always)]
pub unsafe fn find_listed(r: &Regs, memory: u32, at: u64, size: usize) -> Option<*mut u8> {
    // SAFETY: the running environment's instance is alive, and its list has an entry for each of
    // the module's memories. The caller guarantees that the running instruction names one.
    unsafe {
        let memory = *(*(*r.env).instance).memories.add(memory as usize);
        machine::find((*memory).base, (*memory).len_bytes, at, size)
    }
}

/// The native address of `size` bytes that [`Space::find`] has not found; memory 0 is in the
/// registers again.
///
/// # Safety
/// `r` are the registers of the running instruction.
pub unsafe fn locate(
    r: &mut Regs,
    memory: u32,
    at: Option<u64>,
    size: usize,
) -> Result<*mut u8, Stop> {
    // SAFETY: the instance of the running environment is alive.
    unsafe {
        work::charge(r.env, work::SLOW)?;
        let at = at.ok_or(Trap::MemoryOutOfBounds)?;
        let place = builtins::slow_address((*r.env).instance, (memory, at), size as u64);
        reload_memory(r);
        Ok(place.ok_or(Trap::MemoryOutOfBounds)?)
    }
}

/// The guest's address of an access; `None` if it has more than 64 bits.
///
/// # Safety
/// The field is the current instruction's.
#[inline(always)]
unsafe fn address<S: Space, A>(r: &Regs, field: SlotNo, offset: u64) -> Option<u64>
where
    A: Src<S::Address, Field = SlotNo>,
{
    // SAFETY: the caller guarantees that the field is the current instruction's.
    let base: u64 = unsafe { A::read(r, field) }.into();
    base.checked_add(offset)
}

handler!(
    load_any [L: Load, S: Space, A: Src<S::Address, Field = SlotNo>, D: Dst] |r, i: LoadAny| {
    let at = address::<S, A>(&r, i.address, i.offset);
    match at.and_then(|at| S::find(&r, i.memory, at, size_of::<L::Raw>())) {
        Some(at) => {
            let raw = at.cast::<L::Raw>().read_unaligned();
            D::write(&mut r, i.dst, L::widen(raw));
            r.pass(i);
            next(r)
        }
        None => to_slow::<SlowLoadAny<L, S, A, D>>(r, i),
    }
});

handler!(
    store_any [W: Store, S: Space, A: Src<S::Address, Field = SlotNo>, V: Src<W::Val>]
    |r, i: StoreAny<V::Field>| {
    let at = address::<S, A>(&r, i.address, i.offset);
    match at.and_then(|at| S::find(&r, i.memory, at, size_of::<W::Raw>())) {
        Some(at) => {
            let value = V::read(&r, i.value);
            at.cast::<W::Raw>().write_unaligned(W::narrow(value));
            r.pass(i);
            next(r)
        }
        None => to_slow::<SlowStoreAny<W, S, A, V>>(r, i),
    }
});

/// A load of bytes that [`Space::find`] has not found.
struct SlowLoadAny<L, S, A, D>(PhantomData<(L, S, A, D)>);

impl<L: Load, S: Space, A, D: Dst> Slow for SlowLoadAny<L, S, A, D>
where
    A: Src<S::Address, Field = SlotNo>,
{
    type Shape = LoadAny;
    unsafe fn run(r: &mut Regs) -> Result<(), Stop> {
        // SAFETY: `load_any` has met an instruction with these operands; `locate` returns a place
        // with room for the value.
        unsafe {
            let i = r.ip.of_shape::<LoadAny>().operands();
            let at = address::<S, A>(r, i.address, i.offset);
            let at = locate(r, i.memory.into(), at, size_of::<L::Raw>())?;
            D::write(r, i.dst, L::widen(at.cast::<L::Raw>().read_unaligned()));
            r.pass(i);
        }
        Ok(())
    }
}

/// A store to bytes that [`Space::find`] has not found.
struct SlowStoreAny<W, S, A, V>(PhantomData<(W, S, A, V)>);

impl<W: Store, S: Space, A, V: Src<W::Val>> Slow for SlowStoreAny<W, S, A, V>
where
    A: Src<S::Address, Field = SlotNo>,
{
    type Shape = StoreAny<V::Field>;
    unsafe fn run(r: &mut Regs) -> Result<(), Stop> {
        // SAFETY: `store_any` has met an instruction with these operands; `locate` returns a place
        // with room for the value.
        unsafe {
            let i = r.ip.of_shape::<StoreAny<V::Field>>().operands();
            let value = V::read(r, i.value);
            let at = address::<S, A>(r, i.address, i.offset);
            let at = locate(r, i.memory.into(), at, size_of::<W::Raw>())?;
            at.cast::<W::Raw>().write_unaligned(W::narrow(value));
            r.pass(i);
        }
        Ok(())
    }
}

fn pick_load<L: Load, S: Space, A>(target: Target) -> Picked
where
    A: Src<S::Address, Field = SlotNo>,
{
    match target {
        Target::Acc => Picked::leaf(load_any::<L, S, A, ToAcc>),
        Target::Slot => Picked::leaf(load_any::<L, S, A, ToSlot>),
    }
}

/// A constant address in other memories than the first is in a slot.
fn load_of<L: Load>(memory: MemoryKind, address: Mode, target: Target) -> Picked {
    match (memory, address) {
        (MemoryKind::First64, Mode::Acc) => pick_load::<L, First, Acc>(target),
        (MemoryKind::First64, Mode::Slot) => pick_load::<L, First, Slot>(target),
        (MemoryKind::First64, Mode::Imm) => pick_load::<L, First, Absolute>(target),
        (MemoryKind::Other32, Mode::Acc) => pick_load::<L, Other<u32>, Acc>(target),
        (MemoryKind::Other32, Mode::Slot) => pick_load::<L, Other<u32>, Slot>(target),
        (MemoryKind::Other64, Mode::Acc) => pick_load::<L, Other<u64>, Acc>(target),
        (MemoryKind::Other64, Mode::Slot) => pick_load::<L, Other<u64>, Slot>(target),
        (MemoryKind::Other32 | MemoryKind::Other64, Mode::Imm) => none(),
    }
}

fn pick_store<W: Store, S: Space, A>(value: Mode) -> Picked
where
    A: Src<S::Address, Field = SlotNo>,
{
    match value {
        Mode::Acc => Picked::leaf(store_any::<W, S, A, Acc>),
        Mode::Slot => Picked::leaf(store_any::<W, S, A, Slot>),
        Mode::Imm => Picked::leaf(store_any::<W, S, A, Imm32>),
    }
}

fn store_of<W: Store>(memory: MemoryKind, address: Mode, value: Mode) -> Picked {
    match (memory, address) {
        (MemoryKind::First64, Mode::Acc) => pick_store::<W, First, Acc>(value),
        (MemoryKind::First64, Mode::Slot) => pick_store::<W, First, Slot>(value),
        (MemoryKind::First64, Mode::Imm) => pick_store::<W, First, Absolute>(value),
        (MemoryKind::Other32, Mode::Acc) => pick_store::<W, Other<u32>, Acc>(value),
        (MemoryKind::Other32, Mode::Slot) => pick_store::<W, Other<u32>, Slot>(value),
        (MemoryKind::Other64, Mode::Acc) => pick_store::<W, Other<u64>, Acc>(value),
        (MemoryKind::Other64, Mode::Slot) => pick_store::<W, Other<u64>, Slot>(value),
        (MemoryKind::Other32 | MemoryKind::Other64, Mode::Imm) => none(),
    }
}

macro_rules! load_match {
    ($($name:ident, $raw:ty => $out:ty, |$a:ident| $e:expr;)*) => {
        /// The handler of `op`; a constant address stands in the offset.
        pub fn load_handler(op: LoadOp, memory: MemoryKind, at: Mode, target: Target) -> Picked {
            match op {
                $(
                    LoadOp::$name if loads::$name::LEFT_OUT => none(),
                    LoadOp::$name => load_of::<loads::$name>(memory, at, target),
                )*
            }
        }
    };
}
load_ops!(load_match);

macro_rules! store_match {
    ($($name:ident, $val:ty => $raw:ty, |$a:ident| $e:expr;)*) => {
        /// The handler of `op`; a constant address stands in the offset.
        pub fn store_handler(op: StoreOp, memory: MemoryKind, at: Mode, value: Mode) -> Picked {
            match op {
                $(
                    StoreOp::$name if stores::$name::LEFT_OUT => none(),
                    StoreOp::$name => store_of::<stores::$name>(memory, at, value),
                )*
            }
        }
    };
}
store_ops!(store_match);

slow!(
    /// `dst = pages of the memory at the index`, which another thread may have grown.
    MemorySizeAny |r, i: shape::Get| {
    work::charge(r.env, work::SLOW)?;
    let pages = builtins::memory_size((*r.env).instance, i.index);
    reload_memory(r);
    ToSlot::write(r, i.dst, pages);
    r.pass(i);
    Ok(())
});

slow!(
    /// `dst = memory.grow(delta)`. Memory 0 may be the same memory under another index.
    MemoryGrowAny |r, i: shape::MemoryGrowAny| {
    let delta = r.get::<u64>(i.delta);
    let pages = builtins::memory_grow(r.env, i.memory, delta)?;
    ToSlot::write(r, i.dst, pages);
    reload_memory(r);
    r.pass(i);
    Ok(())
});
