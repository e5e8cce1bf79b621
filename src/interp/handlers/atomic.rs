//! Atomic accesses to memory 0, waiting and notifying.
//!
//! All of them are sequentially consistent, on memories that are shared and on others. Operands
//! are in slots: the access itself costs more than finding them. What a result has fewer bits
//! than its type is zero above.

use super::memory::reload_memory;
use crate::abi::trap::Trap;
use crate::exec::{atomics, builtins, work};
use crate::interp::dispatch::{Regs, Slow, Stop, handler, next, slow, to_slow};
use crate::interp::op::{AtomicOp, atomic_ops};
use crate::interp::operand::{Dst, ToSlot};
use crate::interp::shape::{self, Atomic, Picked};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

/// A width in memory.
pub trait Width: Copy {
    fn cut(value: u64) -> Self;
    fn widen(self) -> u64;
    /// # Safety
    /// `at` is aligned and points to accessible memory; so for all that follow.
    unsafe fn load(at: *mut u8) -> Self;
    /// # Safety
    /// As for `load`.
    unsafe fn store(at: *mut u8, value: Self);
    /// # Safety
    /// As for `load`.
    unsafe fn cmpxchg(at: *mut u8, expected: Self, new: Self) -> Self;
}

/// What a read-modify-write does.
pub trait Modify<T: Width> {
    /// # Safety
    /// As for [`Width::load`].
    unsafe fn modify(at: *mut u8, value: T) -> T;
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
            #[inline(always)]
            fn cut(value: u64) -> Self {
                value as $ty
            }
            #[inline(always)]
            fn widen(self) -> u64 {
                self as u64
            }
            #[inline(always)]
            unsafe fn load(at: *mut u8) -> Self {
                // SAFETY: the caller's contract.
                unsafe { $atomic::from_ptr(at.cast()) }.load(Ordering::SeqCst)
            }
            #[inline(always)]
            unsafe fn store(at: *mut u8, value: Self) {
                // SAFETY: the caller's contract.
                unsafe { $atomic::from_ptr(at.cast()) }.store(value, Ordering::SeqCst);
            }
            #[inline(always)]
            unsafe fn cmpxchg(at: *mut u8, expected: Self, new: Self) -> Self {
                // SAFETY: the caller's contract.
                let place = unsafe { $atomic::from_ptr(at.cast()) };
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
            unsafe fn modify(at: *mut u8, value: $ty) -> $ty {
                // SAFETY: the caller's contract.
                unsafe { $atomic::from_ptr(at.cast()) }.$method(value, Ordering::SeqCst)
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

/// The guest's address of an access.
///
/// # Safety
/// The operands are the current instruction's.
#[inline(always)]
unsafe fn address(r: &Regs, i: &Atomic) -> u64 {
    // SAFETY: the instruction names the slot, says the caller.
    unsafe { (r.get::<u32>(i.a) as u64).saturating_add(i.offset) }
}

/// The native address of an aligned access of `T` in memory 0 as the registers have it.
///
/// # Safety
/// As for [`address`].
#[inline(always)]
unsafe fn near<T>(r: &Regs, i: &Atomic) -> Option<*mut u8> {
    // SAFETY: the operands are the instruction's, says the caller.
    let at = unsafe { address(r, i) };
    let place = r.memory.find(at, size_of::<T>())?;
    place.addr().is_multiple_of(size_of::<T>()).then_some(place)
}

/// The native address of an access of `T`, wherever it lies; memory 0 is in the registers again.
///
/// # Safety
/// As for [`address`]; `r.env` is the running environment.
unsafe fn locate<T>(r: &mut Regs, i: &Atomic) -> Result<*mut u8, Stop> {
    let size = size_of::<T>();
    // SAFETY: the operands are the instruction's, says the caller, and the running environment's
    // instance is alive.
    unsafe {
        work::charge(r.env, work::SLOW)?;
        let place = builtins::far_memory((*r.env).instance, address(r, i), size as u64);
        reload_memory(r);
        let place = place.ok_or(Trap::MemoryOutOfBounds)?;
        let is_aligned = place.addr().is_multiple_of(size);
        if is_aligned { Ok(place) } else { Err(Trap::UnalignedAtomic.into()) }
    }
}

/// An access as a type.
pub trait Access {
    type Width: Width;
    /// Does it at `at`, with the other operands and the result where the instruction says.
    ///
    /// # Safety
    /// `at` is aligned and accessible; the operands are the current instruction's, which is one
    /// for this access.
    unsafe fn access(r: &mut Regs, i: &Atomic, at: *mut u8);
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
    #[inline(always)]
    unsafe fn access(r: &mut Regs, i: &Atomic, at: *mut u8) {
        // SAFETY: the place is accessible, says the caller, and the instruction has a result.
        unsafe { ToSlot::write(r, i.dst, T::load(at).widen()) }
    }
}

impl<T: Width> Access for Store<T> {
    type Width = T;
    #[inline(always)]
    unsafe fn access(r: &mut Regs, i: &Atomic, at: *mut u8) {
        // SAFETY: the place is accessible, says the caller, and the instruction has a value.
        unsafe { T::store(at, T::cut(r.get(i.b))) }
    }
}

impl<T: Width, M: Modify<T>> Access for ReadModifyWrite<T, M> {
    type Width = T;
    #[inline(always)]
    unsafe fn access(r: &mut Regs, i: &Atomic, at: *mut u8) {
        // SAFETY: the place is accessible, says the caller, and the instruction has a value and
        // a result.
        unsafe {
            let before = M::modify(at, T::cut(r.get(i.b))).widen();
            ToSlot::write(r, i.dst, before);
        }
    }
}

impl<T: Width> Access for CompareExchange<T> {
    type Width = T;
    #[inline(always)]
    unsafe fn access(r: &mut Regs, i: &Atomic, at: *mut u8) {
        // SAFETY: the place is accessible, says the caller, and the instruction has two values
        // and a result.
        unsafe {
            let before = T::cmpxchg(at, T::cut(r.get(i.b)), T::cut(r.get(i.c))).widen();
            ToSlot::write(r, i.dst, before);
        }
    }
}

handler!(
    /// An access to memory 0 as the registers have it.
    access [X: Access] |r, i: Atomic| {
    match near::<X::Width>(&r, i) {
        Some(at) => {
            X::access(&mut r, i, at);
            r.pass(i);
            next(r)
        }
        None => to_slow::<Far<X>>(r, i),
    }
});

/// An access elsewhere, or none at all.
struct Far<X>(PhantomData<X>);

impl<X: Access> Slow for Far<X> {
    type Shape = Atomic;
    unsafe fn run(r: &mut Regs) -> Result<(), Stop> {
        // SAFETY: `access` has met an instruction of this kind; `locate` finds its place.
        unsafe {
            let i = r.ip.of_shape::<Atomic>().operands();
            let at = locate::<X::Width>(r, i)?;
            X::access(r, i, at);
            r.pass(i);
        }
        Ok(())
    }
}

/// `dst = 0` after a notification at `a + offset`, `1` if `b` is not there, `2` after `c`
/// nanoseconds.
pub struct Wait<T>(PhantomData<T>);

impl<T: Width> Slow for Wait<T> {
    type Shape = Atomic;
    unsafe fn run(r: &mut Regs) -> Result<(), Stop> {
        // SAFETY: the instruction has these operands; `locate` finds the place.
        unsafe {
            let i = r.ip.of_shape::<Atomic>().operands();
            let place = locate::<T>(r, i)?;
            let expected = atomics::Expected { place, value: r.get(i.b), bytes: size_of::<T>() };
            let how = atomics::wait(r.env, 0, address(r, i), expected, r.get::<i64>(i.c))?;
            reload_memory(r);
            ToSlot::write(r, i.dst, how);
            r.pass(i);
        }
        Ok(())
    }
}

slow!(
    /// `dst = how many were woken` of the `b` at `a + offset`.
    Notify |r, i: Atomic| {
    locate::<u32>(r, i)?;
    let woken = atomics::notify((*r.env).instance, 0, address(r, i), r.get(i.b));
    ToSlot::write(r, i.dst, woken);
    r.pass(i);
    Ok(())
});

handler!(fence [] |r, i: ()| {
    std::sync::atomic::fence(Ordering::SeqCst);
    r.pass(i);
    next(r)
});

slow!(
    /// `dst = pages of memory 0`, which another thread may have grown.
    SharedMemorySize |r, i: shape::Dst| {
    work::charge(r.env, work::SLOW)?;
    builtins::refresh_memory((*r.env).instance);
    reload_memory(r);
    let pages = r.memory.pages();
    ToSlot::write(r, i.dst, pages);
    r.pass(i);
    Ok(())
});

macro_rules! atomic_match {
    (
        load { $($load:ident $load_raw:ident $load_ty:ident,)* }
        store { $($store:ident $store_raw:ident $store_ty:ident,)* }
        rmw { $($rmw:ident $rmw_raw:ident $rmw_ty:ident $how:ident,)* }
        cmpxchg { $($cmpxchg:ident $cmpxchg_raw:ident $cmpxchg_ty:ident,)* }
    ) => {
        /// The handler of an atomic access.
        pub fn handler_of(op: AtomicOp) -> Picked {
            match op {
                $(AtomicOp::$load => Picked::leaf(access::<Load<$load_raw>>),)*
                $(AtomicOp::$store => Picked::leaf(access::<Store<$store_raw>>),)*
                $(AtomicOp::$rmw => Picked::leaf(access::<ReadModifyWrite<$rmw_raw, $how>>),)*
                $(AtomicOp::$cmpxchg => Picked::leaf(access::<CompareExchange<$cmpxchg_raw>>),)*
            }
        }
    };
}
atomic_ops!(atomic_match);
