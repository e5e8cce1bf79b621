//! C functions whose arguments all travel in registers, called through a function pointer.
//!
//! Where every integer argument takes a whole register or an 8-byte stack slot and the upper half
//! of a 32-bit one is never read, `f(env, int, int64_t)` and `f(env, u64, u64)` are called in the
//! same way. So one function pointer type for each arity and result serves every type, and the
//! compiler does the rest.
//!
//! Floats have registers of their own, regardless of other arguments between them: `f(env, int,
//! float, int)` finds its arguments where `f(env, u64, u64, f64)` puts them. Registers without an
//! argument may hold anything, so one type with several of both kinds serves all functions with no
//! more of either.
//!
//! The pointer is a thunk's, which calls the function with the owner of its environment in front
//! and catches its unwinding.

use super::{CallFn, attached, backend, enter, pending_exception};
use crate::abi::trap::Trap;
use crate::abi::types::{FuncType, ValType};
use crate::abi::vm_layout::{VmEnv, VmHostFunc};
use crate::native::host_func::{Body, HostFunc};
use std::ffi::c_void;

/// The entry for a function of type `ty` and the entry's own data, if this way is possible.
pub(in crate::native) fn direct(ty: &FuncType) -> Option<(CallFn, Body)> {
    let count = |wanted: fn(&ValType) -> bool| ty.params().iter().filter(|&ty| wanted(ty)).count();
    let floats = count(|ty| matches!(ty, ValType::F32 | ValType::F64));
    let ints = count(|ty| !matches!(ty, ValType::F32 | ValType::F64 | ValType::V128));
    if ints + floats < ty.params().len() {
        return None;
    }
    let entries = match ty.results() {
        [] => entries::<()>(ints, floats),
        [ValType::I32] => entries::<u32>(ints, floats),
        [ValType::I64] => entries::<u64>(ints, floats),
        [ValType::F32] => entries::<f32>(ints, floats),
        [ValType::F64] => entries::<f64>(ints, floats),
        _ => None,
    };
    let body = if floats == 0 { Body::Direct } else { Body::Mixed(Mixed::new(ty)) };
    entries.map(|call| (call, body))
}

fn entries<R: RegisterResult>(ints: usize, floats: usize) -> Option<CallFn> {
    Some(match (ints, floats) {
        (0, 0) => call_0::<R>,
        (1, 0) => call_1::<R>,
        (2, 0) => call_2::<R>,
        (3, 0) => call_3::<R>,
        (4, 0) => call_4::<R>,
        (5, 0) => call_5::<R>,
        (6, 0) => call_6::<R>,
        (0..=MIXED_INTS, 1..=MIXED_FLOATS) => call_mixed::<R>,
        _ => return None,
    })
}

/// Integer registers beside the one of the exec_env, and vector registers, that a call of mixed
/// arguments fills.
const MIXED_INTS: usize = 3;
const MIXED_FLOATS: usize = 4;

/// Which slots go to the registers; those without an argument get the first.
pub(in crate::native) struct Mixed {
    ints: [u8; MIXED_INTS],
    floats: [u8; MIXED_FLOATS],
}

impl Mixed {
    /// For a type with no more than that of either.
    fn new(ty: &FuncType) -> Self {
        let mut mixed = Self { ints: [0; MIXED_INTS], floats: [0; MIXED_FLOATS] };
        let (mut ints, mut floats) = (mixed.ints.iter_mut(), mixed.floats.iter_mut());
        for (slot, ty) in (0_u8..).zip(ty.params()) {
            let place = match ty {
                ValType::F32 | ValType::F64 => floats.next(),
                _ => ints.next(),
            };
            if let Some(place) = place {
                *place = slot;
            }
        }
        mixed
    }
}

/// A C function's result, and its form in a slot.
trait RegisterResult: Copy {
    /// # Safety
    /// `slot` is writable, unless nothing is returned.
    unsafe fn store(self, slot: *mut u64);
}

impl RegisterResult for () {
    #[inline(always)]
    unsafe fn store(self, _slot: *mut u64) {}
}

macro_rules! answers {
    ($($ty:ty, $value:ident => $slot:expr;)*) => {$(
        impl RegisterResult for $ty {
            #[inline(always)]
            unsafe fn store(self, slot: *mut u64) {
                let $value = self;
                // SAFETY: the caller vouches for the slot.
                unsafe { *slot = $slot };
            }
        }
    )*};
}

answers! {
    u32, value => value as u64;
    u64, value => value;
    f32, value => value.to_bits() as u64;
    f64, value => value.to_bits();
}

/// A thunk's view of a function that returns an `R`.
type Words<R> = unsafe extern "C" fn(*mut VmEnv, *const c_void, *const u64) -> R;
type Thunk = unsafe extern "C" fn(*mut VmEnv, *const c_void, *const u64);

macro_rules! entries {
    ($($name:ident, $thunk:ident;)*) => {$(
        unsafe extern "C" fn $name<R: RegisterResult>(
            this: *const VmHostFunc,
            env: *mut VmEnv,
            args: *mut u64,
        ) -> u32 {
            // SAFETY: running code passes the function it was linked to, which its module keeps
            // alive; the header is the first field of a `HostFunc`.
            let host = unsafe { &*this.cast::<HostFunc>() };
            // SAFETY: running code passes its live environment and the function's parameters.
            let trap = unsafe { enter(host, env, args, 0) };
            if trap != 0 {
                return trap;
            }
            // SAFETY: thunks leave the registers of a result as the function left them.
            let call = unsafe { std::mem::transmute::<Thunk, Words<R>>(backend::$thunk) };
            // SAFETY: `args` holds as many slots as the type has parameters, and room for a result
            // if it has one; the embedder that registered the function vouched for its type, which
            // `direct` found to be called like this one.
            unsafe {
                let result = attached(host, env, args, || call(env, host.target, args));
                result.store(args);
                pending_exception(env)
            }
        }
    )*};
}

entries! {
    call_0, words_0;
    call_1, words_1;
    call_2, words_2;
    call_3, words_3;
    call_4, words_4;
    call_5, words_5;
    call_6, words_6;
}

unsafe extern "C" fn call_mixed<R: RegisterResult>(
    this: *const VmHostFunc,
    env: *mut VmEnv,
    args: *mut u64,
) -> u32 {
    // SAFETY: running code passes the function it was linked to, which its module keeps alive;
    // the header is the first field of a `HostFunc`.
    let host = unsafe { &*this.cast::<HostFunc>() };
    let Body::Mixed(mixed) = &host.body else { return Trap::Internal as u32 };
    // SAFETY: running code passes its live environment and the function's parameters.
    let trap = unsafe { enter(host, env, args, 0) };
    if trap != 0 {
        return trap;
    }
    type Thunk = unsafe extern "C" fn(*mut VmEnv, *const c_void, u64, u64, u64);
    type Full<R> =
        unsafe extern "C" fn(*mut VmEnv, *const c_void, u64, u64, u64, f64, f64, f64, f64) -> R;
    // SAFETY: the thunk leaves the vector registers as they are, and those of a result as the
    // function left them.
    let call = unsafe { std::mem::transmute::<Thunk, Full<R>>(backend::mixed) };
    // SAFETY: the slots are the parameters', of which there is at least one float.
    let int = |at: usize| unsafe { *args.add(mixed.ints[at] as usize) };
    // SAFETY: the slots are the parameters', of which there is at least one float.
    let word = |at: usize| unsafe { *args.add(mixed.floats[at] as usize) };
    // A 32-bit float lies in the low half of its slot as of its register.
    let float = |at: usize| f64::from_bits(word(at));
    // SAFETY: the embedder that registered the function vouched for its type, which `direct` found
    // to be called like this one; there is room for a result if the type has one.
    unsafe {
        let result = attached(host, env, args, || {
            let (a, b, c, d) = (float(0), float(1), float(2), float(3));
            call(env, host.target, int(0), int(1), int(2), a, b, c, d)
        });
        result.store(args);
        pending_exception(env)
    }
}
