//! Atomic accesses, waiting and notifying.
//!
//! All of them are sequentially consistent, on memories that are shared and on others. Operands
//! are in slots: the access itself costs more than finding them. If the access is narrower than the
//! result's type, the upper bits of the result are zero.

use super::any_memory;
use super::memory::reload_memory;
use crate::abi::trap::Trap;
use crate::exec::{atomics, builtins};
use crate::interp::dispatch::{Regs, Slow, Stop, handler, next, to_slow};
use crate::interp::op::{AtomicOp, atomic_ops};
use crate::interp::operand::{Dst, ToSlot};
use crate::interp::shape::{Atomic, AtomicAny, Picked, Shape, SlotNo};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

/// A width in memory.
pub trait Width: Copy + 'static {
    type Atomic: 'static;
    fn cut(value: u64) -> Self;
    fn widen(self) -> u64;
    /// # Safety
    /// `at` is aligned and points to memory that is accessible during `'a`.
    unsafe fn place<'a>(at: *mut u8) -> &'a Self::Atomic;
    fn load(place: &Self::Atomic) -> Self;
    fn store(place: &Self::Atomic, value: Self);
    fn cmpxchg(place: &Self::Atomic, expected: Self, new: Self) -> Self;
}

/// The operation of a read-modify-write.
pub trait Modify<T: Width> {
    fn modify(place: &T::Atomic, value: T) -> T;
}

pub struct Add;
pub struct Sub;
pub struct And;
pub struct Or;
pub struct Xor;
pub struct Xchg;

macro_rules! widths {
    ($($ty:ident $atomic:ident;)*) => {$(
        impl Width for $ty {
            type Atomic = $atomic;
            #[inline(always)]
            fn cut(value: u64) -> Self {
                value as $ty
            }
            #[inline(always)]
            fn widen(self) -> u64 {
                self as u64
            }
            #[inline(always)]
            unsafe fn place<'a>(at: *mut u8) -> &'a $atomic {
                // SAFETY: the caller guarantees that `at` is aligned and accessible during `'a`.
                unsafe { $atomic::from_ptr(at.cast()) }
            }
            #[inline(always)]
            fn load(place: &$atomic) -> Self {
                place.load(Ordering::SeqCst)
            }
            #[inline(always)]
            fn store(place: &$atomic, value: Self) {
                place.store(value, Ordering::SeqCst);
            }
            #[inline(always)]
            fn cmpxchg(place: &$atomic, expected: Self, new: Self) -> Self {
                let found =
                    place.compare_exchange(expected, new, Ordering::SeqCst, Ordering::SeqCst);
                found.unwrap_or_else(|found| found)
            }
        }
        widths!(@modify $ty $atomic: Add fetch_add, Sub fetch_sub, And fetch_and, Or fetch_or,
            Xor fetch_xor, Xchg swap);
    )*};
    (@modify $ty:ident $atomic:ident: $($how:ident $method:ident),*) => {$(
        impl Modify<$ty> for $how {
            #[inline(always)]
            fn modify(place: &$atomic, value: $ty) -> $ty {
                place.$method(value, Ordering::SeqCst)
            }
        }
    )*};
}

widths! {
    u8 AtomicU8;
    u16 AtomicU16;
    u32 AtomicU32;
    u64 AtomicU64;
}

/// The operands of an atomic instruction.
pub trait Operands: Shape {
    /// The memory, and the guest's address; `None` if that has more than 64 bits.
    ///
    /// # Safety
    /// These are the current instruction's.
    unsafe fn address(&self, r: &Regs) -> (u32, Option<u64>);

    /// The native address of `size` bytes at `at` as far as running code knows the memory.
    ///
    /// # Safety
    /// As for [`Operands::address`].
    unsafe fn find(&self, r: &Regs, at: u64, size: usize) -> Option<*mut u8>;

    /// The slots of the result and of the two operands beside the address.
    fn slots(&self) -> (SlotNo, SlotNo, SlotNo);
}

impl Operands for Atomic {
    #[inline(always)]
    unsafe fn address(&self, r: &Regs) -> (u32, Option<u64>) {
        // SAFETY: the caller guarantees that these are the current instruction's operands.
        let base = unsafe { r.get::<u32>(self.a) };
        (0, Some((base as u64).saturating_add(self.offset)))
    }

    #[inline(always)]
    unsafe fn find(&self, r: &Regs, at: u64, size: usize) -> Option<*mut u8> {
        r.memory.find(at, size)
    }

    #[inline(always)]
    fn slots(&self) -> (SlotNo, SlotNo, SlotNo) {
        (self.dst, self.b, self.c)
    }
}

impl Operands for AtomicAny {
    #[inline(always)]
    unsafe fn address(&self, r: &Regs) -> (u32, Option<u64>) {
        // SAFETY: the caller guarantees that these are the current instruction's operands.
        let base = unsafe { r.get::<u64>(self.a) };
        (self.memory, base.checked_add(self.offset))
    }

    #[inline(always)]
    unsafe fn find(&self, r: &Regs, at: u64, size: usize) -> Option<*mut u8> {
        // SAFETY: the caller guarantees that these are the current instruction's operands, which
        // name the memory.
        unsafe { any_memory::find_listed(r, self.memory, at, size) }
    }

    #[inline(always)]
    fn slots(&self) -> (SlotNo, SlotNo, SlotNo) {
        (self.dst, self.b, self.c)
    }
}

/// The native address of an aligned access of `T` in the memory as running code knows it.
///
/// # Safety
/// As for [`Operands::address`].
#[inline(always)]
unsafe fn near<T>(r: &Regs, i: &impl Operands) -> Option<*mut u8> {
    // SAFETY: the caller guarantees that `i` are the current instruction's operands.
    let place = unsafe { i.find(r, i.address(r).1?, size_of::<T>())? };
    place.addr().is_multiple_of(size_of::<T>()).then_some(place)
}

/// The native address of an access of `T`, in any memory, and the guest's; memory 0 is in the
/// registers again.
///
/// # Safety
/// As for [`Operands::address`]; `r.env` is the running environment.
unsafe fn locate<T>(
    r: &mut Regs,
    i: &impl Operands,
) -> Result<(*mut u8, builtins::MemoryAddress), Stop> {
    // SAFETY: the caller guarantees that `i` are the current instruction's operands.
    let (memory, at) = unsafe { i.address(r) };
    // SAFETY: the caller guarantees that `r` are the registers of the current instruction, in the
    // running environment.
    let place = unsafe { any_memory::locate(r, memory, at, size_of::<T>())? };
    if place.addr().is_multiple_of(size_of::<T>()) {
        Ok((place, (memory, at.unwrap_or(u64::MAX))))
    } else {
        Err(Trap::UnalignedAtomic.into())
    }
}

/// An access as a type.
pub trait Access {
    type Width: Width;
    /// Operands beside the address.
    const VALUES: usize;
    const HAS_RESULT: bool;
    /// Does it at a place with the operands `b` and `c`, and returns the result; zero where there
    /// are none.
    fn access(place: &<Self::Width as Width>::Atomic, b: u64, c: u64) -> u64;
}

/// `dst = [a + offset]`.
pub struct Load<T>(T);
/// `[a + offset] = b`.
pub struct Store<T>(T);
/// `dst = [a + offset]`, which becomes a function of itself and `b`.
pub struct ReadModifyWrite<T, M>(T, M);
/// `dst = [a + offset]`, which becomes `c` if it is `b`.
pub struct CompareExchange<T>(T);

impl<T: Width> Access for Load<T> {
    type Width = T;
    const VALUES: usize = 0;
    const HAS_RESULT: bool = true;
    #[inline(always)]
    fn access(place: &T::Atomic, _b: u64, _c: u64) -> u64 {
        T::load(place).widen()
    }
}

impl<T: Width> Access for Store<T> {
    type Width = T;
    const VALUES: usize = 1;
    const HAS_RESULT: bool = false;
    #[inline(always)]
    fn access(place: &T::Atomic, b: u64, _c: u64) -> u64 {
        T::store(place, T::cut(b));
        0
    }
}

impl<T: Width, M: Modify<T>> Access for ReadModifyWrite<T, M> {
    type Width = T;
    const VALUES: usize = 1;
    const HAS_RESULT: bool = true;
    #[inline(always)]
    fn access(place: &T::Atomic, b: u64, _c: u64) -> u64 {
        M::modify(place, T::cut(b)).widen()
    }
}

impl<T: Width> Access for CompareExchange<T> {
    type Width = T;
    const VALUES: usize = 2;
    const HAS_RESULT: bool = true;
    #[inline(always)]
    fn access(place: &T::Atomic, b: u64, c: u64) -> u64 {
        T::cmpxchg(place, T::cut(b), T::cut(c)).widen()
    }
}

/// Does the current instruction's access at `at`, and goes on behind it.
///
/// # Safety
/// `at` is aligned and accessible; the operands are the current instruction's.
#[inline(always)]
unsafe fn access_at<X: Access>(r: &mut Regs, i: &impl Operands, at: *mut u8) {
    let (dst, b, c) = i.slots();
    // SAFETY: the caller guarantees that `at` is aligned and accessible, and that the current
    // instruction names the slots.
    unsafe {
        let b = if X::VALUES > 0 { r.get(b) } else { 0 };
        let c = if X::VALUES > 1 { r.get(c) } else { 0 };
        let result = X::access(X::Width::place(at), b, c);
        if X::HAS_RESULT {
            ToSlot::write(r, dst, result);
        }
    }
    r.pass(i);
}

handler!(
    /// An access to the memory as running code knows it.
    access [X: Access, I: Operands] |r, i: I| {
    match near::<X::Width>(&r, i) {
        Some(at) => {
            access_at::<X>(&mut r, i, at);
            next(r)
        }
        None => to_slow::<SlowAccess<X, I>>(r, i),
    }
});

/// An access elsewhere, or none at all.
struct SlowAccess<X, I>(PhantomData<(X, I)>);

impl<X: Access, I: Operands> Slow for SlowAccess<X, I> {
    type Shape = I;
    unsafe fn run(r: &mut Regs) -> Result<(), Stop> {
        // SAFETY: `access` has met an instruction of this kind; `locate` finds its place.
        unsafe {
            let i = r.ip.of_shape::<I>().operands();
            let (at, _) = locate::<X::Width>(r, i)?;
            access_at::<X>(r, i, at);
        }
        Ok(())
    }
}

/// `dst = 0` after a notification at `a + offset`, `1` if the value there is not `b`, `2` after
/// `c` nanoseconds.
pub struct Wait<T, I>(PhantomData<(T, I)>);

impl<T: Width, I: Operands> Slow for Wait<T, I> {
    type Shape = I;
    unsafe fn run(r: &mut Regs) -> Result<(), Stop> {
        // SAFETY: the instruction has these operands; `locate` finds the place.
        unsafe {
            let i = r.ip.of_shape::<I>().operands();
            let (dst, b, c) = i.slots();
            let (place, (memory, at)) = locate::<T>(r, i)?;
            let expected = atomics::Expected { place, value: r.get(b), bytes: size_of::<T>() };
            let how = atomics::wait(r.env, memory, at, expected, r.get::<i64>(c))?;
            reload_memory(r);
            ToSlot::write(r, dst, how);
            r.pass(i);
        }
        Ok(())
    }
}

/// `dst = number of threads woken`, at most `b`, of those that wait at `a + offset`.
pub struct Notify<I>(PhantomData<I>);

impl<I: Operands> Slow for Notify<I> {
    type Shape = I;
    unsafe fn run(r: &mut Regs) -> Result<(), Stop> {
        // SAFETY: the instruction has these operands; `locate` finds the place.
        unsafe {
            let i = r.ip.of_shape::<I>().operands();
            let (dst, count, _) = i.slots();
            let (_, (memory, at)) = locate::<u32>(r, i)?;
            let woken = atomics::notify((*r.env).instance, memory, at, r.get(count));
            ToSlot::write(r, dst, woken);
            r.pass(i);
        }
        Ok(())
    }
}

handler!(fence [] |r, i: ()| {
    std::sync::atomic::fence(Ordering::SeqCst);
    r.pass(i);
    next(r)
});

macro_rules! atomic_match {
    (
        load { $($load:ident $load_raw:ident $load_ty:ident,)* }
        store { $($store:ident $store_raw:ident $store_ty:ident,)* }
        rmw { $($rmw:ident $rmw_raw:ident $rmw_ty:ident $how:ident,)* }
        cmpxchg { $($cmpxchg:ident $cmpxchg_raw:ident $cmpxchg_ty:ident,)* }
    ) => {
        /// The handler of an atomic access with operands of the shape `I`.
        pub fn handler_of<I: Operands>(op: AtomicOp) -> Picked {
            match op {
                $(AtomicOp::$load => Picked::leaf(access::<Load<$load_raw>, I>),)*
                $(AtomicOp::$store => Picked::leaf(access::<Store<$store_raw>, I>),)*
                $(AtomicOp::$rmw => Picked::leaf(access::<ReadModifyWrite<$rmw_raw, $how>, I>),)*
                $(AtomicOp::$cmpxchg => Picked::leaf(access::<CompareExchange<$cmpxchg_raw>, I>),)*
            }
        }
    };
}
atomic_ops!(atomic_match);
