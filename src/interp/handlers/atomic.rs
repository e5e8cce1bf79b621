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

/// What a read-modify-write does.
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
                // SAFETY: it is aligned and accessible, says the caller.
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
        let place = builtins::slow_address((*r.env).instance, address(r, i), size as u64);
        reload_memory(r);
        let place = place.ok_or(Trap::MemoryOutOfBounds)?;
        let is_aligned = place.addr().is_multiple_of(size);
        if is_aligned { Ok(place) } else { Err(Trap::UnalignedAtomic.into()) }
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
unsafe fn access_at<X: Access>(r: &mut Regs, i: &Atomic, at: *mut u8) {
    // SAFETY: the place is accessible and the instruction names the slots, says the caller.
    unsafe {
        let b = if X::VALUES > 0 { r.get(i.b) } else { 0 };
        let c = if X::VALUES > 1 { r.get(i.c) } else { 0 };
        let result = X::access(X::Width::place(at), b, c);
        if X::HAS_RESULT {
            ToSlot::write(r, i.dst, result);
        }
    }
    r.pass(i);
}

handler!(
    /// An access to memory 0 as the registers have it.
    access [X: Access] |r, i: Atomic| {
    match near::<X::Width>(&r, i) {
        Some(at) => {
            access_at::<X>(&mut r, i, at);
            next(r)
        }
        None => to_slow::<SlowAccess<X>>(r, i),
    }
});

/// An access elsewhere, or none at all.
struct SlowAccess<X>(PhantomData<X>);

impl<X: Access> Slow for SlowAccess<X> {
    type Shape = Atomic;
    unsafe fn run(r: &mut Regs) -> Result<(), Stop> {
        // SAFETY: `access` has met an instruction of this kind; `locate` finds its place.
        unsafe {
            let i = r.ip.of_shape::<Atomic>().operands();
            let at = locate::<X::Width>(r, i)?;
            access_at::<X>(r, i, at);
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
