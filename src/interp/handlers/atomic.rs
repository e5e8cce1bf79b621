//! Atomic accesses to memory 0, waiting and notifying.
//!
//! All of them are sequentially consistent, on memories that are shared and on others. Operands
//! are in slots: the access itself costs more than finding them. What a result has fewer bits
//! than its type is zero above.

use super::memory::reload_memory;
use super::trap;
use crate::abi::trap::Trap;
use crate::exec::{atomics, builtins};
use crate::interp::dispatch::{Handler, Regs, handler, next};
use crate::interp::op::{AtomicOp, atomic_ops};
use crate::interp::operand::{A, B, C, Dst, ToSlot, WIDE};
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

/// The native address of an access of `T`, in memory 0 as it is now.
///
/// # Safety
/// The instruction must have an address in slot `A` and an offset at `WIDE`.
#[inline(always)]
unsafe fn locate<T>(r: &mut Regs) -> Result<*mut u8, Trap> {
    let size = size_of::<T>() as u64;
    // SAFETY: the caller's contract; what lies inside the length is accessible.
    unsafe {
        let at = (r.get::<u32>(A) as u64).saturating_add(r.field::<u64>(WIDE));
        let place = if at.saturating_add(size) <= r.len as u64 {
            r.mem.add(at as usize)
        } else {
            let place = builtins::far_memory((*r.env).instance, at, size);
            reload_memory(r);
            place.ok_or(Trap::MemoryOutOfBounds)?
        };
        if place.addr().is_multiple_of(size as usize) {
            Ok(place)
        } else {
            Err(Trap::UnalignedAtomic)
        }
    }
}

handler!(
    /// `dst = [a + offset]`.
    load [T: Width] |r| {
    match locate::<T>(&mut r) {
        Ok(at) => {
            let value = T::load(at).widen();
            ToSlot::write(&mut r, value);
            r.skip(24);
            next(r)
        }
        Err(code) => trap(r, code),
    }
});

handler!(
    /// `[a + offset] = b`.
    store [T: Width] |r| {
    match locate::<T>(&mut r) {
        Ok(at) => {
            T::store(at, T::cut(r.get(B)));
            r.skip(24);
            next(r)
        }
        Err(code) => trap(r, code),
    }
});

handler!(
    /// `dst = [a + offset]`, which becomes a function of itself and `b`.
    rmw [T: Width, M: Modify<T>] |r| {
    match locate::<T>(&mut r) {
        Ok(at) => {
            let before = M::modify(at, T::cut(r.get(B))).widen();
            ToSlot::write(&mut r, before);
            r.skip(24);
            next(r)
        }
        Err(code) => trap(r, code),
    }
});

handler!(
    /// `dst = [a + offset]`, which becomes `c` if it is `b`.
    cmpxchg [T: Width] |r| {
    match locate::<T>(&mut r) {
        Ok(at) => {
            let before = T::cmpxchg(at, T::cut(r.get(B)), T::cut(r.get(C))).widen();
            ToSlot::write(&mut r, before);
            r.skip(24);
            next(r)
        }
        Err(code) => trap(r, code),
    }
});

handler!(
    /// `dst = 0` after a notification at `a + offset`, `1` if `b` is not there, `2` after `c`
    /// nanoseconds.
    wait [T: Width] |r| {
    let at = (r.get::<u32>(A) as u64).saturating_add(r.field::<u64>(WIDE));
    let is_there = match locate::<T>(&mut r) {
        Ok(place) => atomics::Expected { place, value: r.get(B), bytes: size_of::<T>() },
        Err(code) => return trap(r, code),
    };
    match atomics::wait(r.env, 0, at, is_there, r.get::<i64>(C)) {
        Ok(how) => {
            reload_memory(&mut r);
            ToSlot::write(&mut r, how);
            r.skip(24);
            next(r)
        }
        Err(code) => trap(r, code),
    }
});

handler!(
    /// `dst = how many were woken` of the `b` at `a + offset`.
    notify [] |r| {
    let at = (r.get::<u32>(A) as u64).saturating_add(r.field::<u64>(WIDE));
    match locate::<u32>(&mut r) {
        Ok(_) => {
            let woken = atomics::notify((*r.env).instance, 0, at, r.get(B));
            ToSlot::write(&mut r, woken);
            r.skip(24);
            next(r)
        }
        Err(code) => trap(r, code),
    }
});

handler!(fence [] |r| {
    std::sync::atomic::fence(Ordering::SeqCst);
    r.skip(16);
    next(r)
});

handler!(
    /// `dst = pages of memory 0`, which another thread may have grown.
    shared_memory_size [] |r| {
    builtins::refresh_memory((*r.env).instance);
    reload_memory(&mut r);
    let pages = (r.len >> 16) as u32;
    ToSlot::write(&mut r, pages);
    r.skip(16);
    next(r)
});

macro_rules! atomic_match {
    (
        load { $($load:ident $load_raw:ident $load_ty:ident,)* }
        store { $($store:ident $store_raw:ident $store_ty:ident,)* }
        rmw { $($rmw:ident $rmw_raw:ident $rmw_ty:ident $how:ident,)* }
        cmpxchg { $($cmpxchg:ident $cmpxchg_raw:ident $cmpxchg_ty:ident,)* }
    ) => {
        /// The handler of an atomic access.
        pub fn handler_of(op: AtomicOp) -> Handler {
            match op {
                $(AtomicOp::$load => load::<$load_raw>,)*
                $(AtomicOp::$store => store::<$store_raw>,)*
                $(AtomicOp::$rmw => rmw::<$rmw_raw, $how>,)*
                $(AtomicOp::$cmpxchg => cmpxchg::<$cmpxchg_raw>,)*
            }
        }
    };
}
atomic_ops!(atomic_match);
