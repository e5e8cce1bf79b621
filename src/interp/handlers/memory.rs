//! Loads and stores of memory 0 with addresses of 32 bits, its size and its growth.
//!
//! An address is 32 bits and an offset 32 bits, so their sum never wraps in 64; one comparison
//! with the accessible length decides. The slow handlers of `slow_path` do the accesses behind that
//! length. Other memories and 64-bit addresses have instructions of their own, in `any_memory`.

use super::none;
use super::slow_path::{self, SlowLoad, SlowStore};
use crate::abi::lanes::V128;
use crate::exec::builtins;
use crate::interp::dispatch::{Regs, handler, next, slow};
use crate::interp::instr::{Mode, Target};
use crate::interp::machine::Memory0;
use crate::interp::op::{LoadOp, StoreOp, load_ops, store_ops};
use crate::interp::operand::{Acc, Dst, Imm, Imm32, Slot, Src, ToAcc, ToSlot, Value};
use crate::interp::shape::{self, Picked, Shape, SlotNo};

/// An instruction that has the fields `A` for its address, and the offset of its last byte.
pub trait HasAddress<A>: Shape {
    fn address(&self) -> (A, u32);
}

/// An instruction that has a result.
pub trait HasResult: Shape {
    fn dst(&self) -> SlotNo;
}

/// An instruction that has the field `F` for a value.
pub trait HasValue<F>: Shape {
    fn value(&self) -> F;
}

macro_rules! fields {
    ($(
        [$($gen:ident)*] $shape:ty:
        $trait:ident$(<$arg:ty>)? { $method:ident -> $ty:ty: |$i:ident| $value:expr }
    )*) => {$(
        impl<$($gen: Copy + 'static),*> $trait$(<$arg>)? for $shape {
            #[inline(always)]
            fn $method(&self) -> $ty {
                let $i = self;
                $value
            }
        }
    )*};
}

fields! {
    [] shape::Load: HasAddress<SlotNo> { address -> (SlotNo, u32): |i| (i.address, i.last) }
    [F] shape::Store<F>: HasAddress<SlotNo> {
        address -> (SlotNo, u32): |i| (i.address, i.last)
    }
    [F] shape::LoadSum<F>: HasAddress<(SlotNo, F)> {
        address -> ((SlotNo, F), u32): |i| ((i.first, i.second), i.last)
    }
    [V F] shape::StoreSum<V, F>: HasAddress<(SlotNo, F)> {
        address -> ((SlotNo, F), u32): |i| ((i.first, i.second), i.last)
    }
    [] shape::Load: HasResult { dst -> SlotNo: |i| i.dst }
    [F] shape::LoadSum<F>: HasResult { dst -> SlotNo: |i| i.dst }
    [F] shape::Store<F>: HasValue<F> { value -> F: |i| i.value }
    [V F] shape::StoreSum<V, F>: HasValue<V> { value -> V: |i| i.value }
}

/// The mode of the address of a load or store.
pub trait Address {
    /// The instruction's fields for it.
    type Fields;
    /// A load at such an address.
    type Load: HasAddress<Self::Fields> + HasResult;
    /// A store there, with `F` for its value.
    type Store<F: Copy + 'static>: HasAddress<Self::Fields> + HasValue<F>;
    /// The address but for the offset.
    ///
    /// # Safety
    /// The fields are the current instruction's.
    unsafe fn base(r: &Regs, fields: Self::Fields) -> u32;
}

/// The address is in one operand.
impl<S: Src<u32, Field = SlotNo>> Address for S {
    type Fields = SlotNo;
    type Load = shape::Load;
    type Store<F: Copy + 'static> = shape::Store<F>;
    #[inline(always)]
    unsafe fn base(r: &Regs, address: SlotNo) -> u32 {
        // SAFETY: the caller guarantees that the field is the current instruction's.
        unsafe { S::read(r, address) }
    }
}

/// The offset is all of the address.
pub struct Absolute;

impl Src<u32> for Absolute {
    type Field = SlotNo;
    #[inline(always)]
    unsafe fn read(_r: &Regs, _field: SlotNo) -> u32 {
        0
    }
}

impl Src<u64> for Absolute {
    type Field = SlotNo;
    #[inline(always)]
    unsafe fn read(_r: &Regs, _field: SlotNo) -> u64 {
        0
    }
}

/// The 32-bit sum of two operands: an `i32.add` whose result only the access uses.
pub struct Sum<L, R>(L, R);

impl<L: Src<u32, Field = SlotNo>, R: Src<u32>> Address for Sum<L, R> {
    type Fields = (SlotNo, R::Field);
    type Load = shape::LoadSum<R::Field>;
    type Store<F: Copy + 'static> = shape::StoreSum<F, R::Field>;
    #[inline(always)]
    unsafe fn base(r: &Regs, (first, second): Self::Fields) -> u32 {
        // SAFETY: the caller guarantees that the fields are the current instruction's.
        unsafe { L::read(r, first).wrapping_add(R::read(r, second)) }
    }
}

/// A load as a type.
pub trait Load {
    /// Whether the build leaves this load out, because it is of a vector.
    const LEFT_OUT: bool;
    type Raw: Copy;
    type Out: Value;
    fn widen(raw: Self::Raw) -> Self::Out;
}

/// A store as a type.
pub trait Store {
    /// As for [`Load`].
    const LEFT_OUT: bool;
    type Val: Value;
    type Raw: Copy;
    fn narrow(value: Self::Val) -> Self::Raw;
}

handler!(load_memory [L: Load, X: Address, D: Dst] |r, i: X::Load| {
    let (fields, last) = i.address();
    match r.memory.find_sum(X::base(&r, fields), last, size_of::<L::Raw>()) {
        Ok(at) => {
            let raw = at.cast::<L::Raw>().read_unaligned();
            D::write(&mut r, i.dst(), L::widen(raw));
            r.pass(i);
            next(r)
        }
        Err(at) => slow_path::hand_over::<SlowLoad<L, D, X::Load>>(r, i, at),
    }
});

handler!(store_memory [S: Store, X: Address, V: Src<S::Val>] |r, i: X::Store<V::Field>| {
    let (fields, last) = i.address();
    match r.memory.find_sum(X::base(&r, fields), last, size_of::<S::Raw>()) {
        Ok(at) => {
            let value = V::read(&r, i.value());
            at.cast::<S::Raw>().write_unaligned(S::narrow(value));
            r.pass(i);
            next(r)
        }
        Err(at) => slow_path::hand_over::<SlowStore<S, V, X::Store<V::Field>>>(r, i, at),
    }
});

/// Whether values of this type are vectors in a build without instructions on those.
const fn is_left_out<T>() -> bool {
    !cfg!(feature = "simd") && size_of::<T>() == size_of::<V128>()
}

fn pick_load<L: Load>(address: Mode, target: Target) -> Picked {
    match (address, target) {
        (Mode::Acc, Target::Acc) => Picked::leaf(load_memory::<L, Acc, ToAcc>),
        (Mode::Acc, Target::Slot) => Picked::leaf(load_memory::<L, Acc, ToSlot>),
        (Mode::Slot, Target::Acc) => Picked::leaf(load_memory::<L, Slot, ToAcc>),
        (Mode::Slot, Target::Slot) => Picked::leaf(load_memory::<L, Slot, ToSlot>),
        (Mode::Imm, Target::Acc) => Picked::leaf(load_memory::<L, Absolute, ToAcc>),
        (Mode::Imm, Target::Slot) => Picked::leaf(load_memory::<L, Absolute, ToSlot>),
    }
}

fn pick_load_sum<L: Load>(left: Mode, right: Mode, target: Target) -> Picked {
    macro_rules! pick {
        ($l:ty, $r:ty) => {
            match target {
                Target::Acc => Picked::leaf(load_memory::<L, Sum<$l, $r>, ToAcc>),
                Target::Slot => Picked::leaf(load_memory::<L, Sum<$l, $r>, ToSlot>),
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

fn pick_store_sum<S: Store>(left: Mode, right: Mode, value: Mode) -> Picked {
    macro_rules! pick {
        ($l:ty, $r:ty) => {
            match value {
                Mode::Slot => Picked::leaf(store_memory::<S, Sum<$l, $r>, Slot>),
                Mode::Acc => Picked::leaf(store_memory::<S, Sum<$l, $r>, Acc>),
                Mode::Imm => Picked::leaf(store_memory::<S, Sum<$l, $r>, Imm32>),
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

fn pick_store<S: Store>(address: Mode, value: Mode) -> Picked {
    match (address, value) {
        (Mode::Slot, Mode::Slot) => Picked::leaf(store_memory::<S, Slot, Slot>),
        (Mode::Slot, Mode::Acc) => Picked::leaf(store_memory::<S, Slot, Acc>),
        (Mode::Slot, Mode::Imm) => Picked::leaf(store_memory::<S, Slot, Imm32>),
        (Mode::Acc, Mode::Slot) => Picked::leaf(store_memory::<S, Acc, Slot>),
        (Mode::Acc, Mode::Imm) => Picked::leaf(store_memory::<S, Acc, Imm32>),
        (Mode::Imm, Mode::Slot) => Picked::leaf(store_memory::<S, Absolute, Slot>),
        (Mode::Imm, Mode::Acc) => Picked::leaf(store_memory::<S, Absolute, Acc>),
        (Mode::Imm, Mode::Imm) => Picked::leaf(store_memory::<S, Absolute, Imm32>),
        // A float in its accumulator beside an address in its own.
        (Mode::Acc, Mode::Acc) => Picked::leaf(store_memory::<S, Acc, Acc>),
    }
}

macro_rules! load_match {
    ($($name:ident, $raw:ty => $out:ty, |$a:ident| $e:expr;)*) => {
        pub mod loads {
            use crate::abi::lanes::{self, V128};

            $(
                pub struct $name;
                impl super::Load for $name {
                    const LEFT_OUT: bool = super::is_left_out::<$out>();
                    type Raw = $raw;
                    type Out = $out;
                    #[inline(always)]
                    fn widen($a: $raw) -> $out {
                        $e
                    }
                }
            )*
        }

        /// The handler of `op`; an immediate address is part of the offset.
        pub fn load_handler(op: LoadOp, address: Mode, target: Target) -> Picked {
            match op {
                $(
                    LoadOp::$name if loads::$name::LEFT_OUT => none(),
                    LoadOp::$name => pick_load::<loads::$name>(address, target),
                )*
            }
        }

        /// The handler of `op` at the sum of two operands.
        pub fn load_sum_handler(op: LoadOp, left: Mode, right: Mode, target: Target) -> Picked {
            match op {
                $(
                    LoadOp::$name if loads::$name::LEFT_OUT => none(),
                    LoadOp::$name => pick_load_sum::<loads::$name>(left, right, target),
                )*
            }
        }
    };
}
load_ops!(load_match);

macro_rules! store_match {
    ($($name:ident, $val:ty => $raw:ty, |$a:ident| $e:expr;)*) => {
        pub mod stores {
            use crate::abi::lanes::V128;

            $(
                pub struct $name;
                impl super::Store for $name {
                    const LEFT_OUT: bool = super::is_left_out::<$val>();
                    type Val = $val;
                    type Raw = $raw;
                    #[inline(always)]
                    fn narrow($a: $val) -> $raw {
                        $e
                    }
                }
            )*
        }

        /// The handler of `op`; an immediate address is part of the offset.
        pub fn store_handler(op: StoreOp, address: Mode, value: Mode) -> Picked {
            match op {
                $(
                    StoreOp::$name if stores::$name::LEFT_OUT => none(),
                    StoreOp::$name => pick_store::<stores::$name>(address, value),
                )*
            }
        }

        /// The handler of `op` at the sum of two operands.
        pub fn store_sum_handler(op: StoreOp, left: Mode, right: Mode, value: Mode) -> Picked {
            match op {
                $(
                    StoreOp::$name if stores::$name::LEFT_OUT => none(),
                    StoreOp::$name => pick_store_sum::<stores::$name>(left, right, value),
                )*
            }
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
    r.memory = unsafe {
        let memory = (*(*r.env).instance).memory0;
        Memory0 { base: (*memory).base, len: (*memory).len_bytes }
    };
}

handler!(
    /// `dst = pages of memory 0`.
    memory_size [D: Dst] |r, i: shape::Dst| {
    let pages = r.memory.pages();
    D::write(&mut r, i.dst, pages);
    r.pass(i);
    next(r)
});

slow!(
    /// `dst = memory.grow(a)`.
    MemoryGrow |r, i: shape::Unary| {
    let delta = r.get::<u32>(i.a);
    let pages = builtins::memory_grow(r.env, 0, delta as u64)?;
    ToSlot::write(r, i.dst, pages as i32);
    reload_memory(r);
    r.pass(i);
    Ok(())
});

/// The handler of `memory.size`.
pub fn memory_size_handler(target: Target) -> Picked {
    match target {
        Target::Acc => Picked::leaf(memory_size::<ToAcc>),
        Target::Slot => Picked::leaf(memory_size::<ToSlot>),
    }
}
