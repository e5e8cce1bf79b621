//! C functions of up to six integer-like parameters, called through a function pointer.
//!
//! Where every integer argument takes a whole register or an 8-byte stack slot and nobody reads
//! the upper half of a 32-bit one, `f(env, int, int64_t)` and `f(env, u64, u64)` are called in
//! the same way. So one function pointer type for each arity and result serves every type, and
//! the compiler does the rest.

use super::{CallFn, attached, enter, pending_exception};
use crate::abi::types::{FuncType, ValType};
use crate::abi::vm_layout::{VmEnv, VmHostFunc};
use crate::native::host_func::HostFunc;
use std::ffi::c_void;

/// Whether the target passes integers as described above.
const ABLE: bool = cfg!(all(
    any(target_arch = "x86_64", all(target_arch = "aarch64", not(target_vendor = "apple"))),
    unix,
    not(miri),
    not(isothread_ffi),
));

/// The entry for a function of type `ty`, if this way will do.
pub(in crate::native) fn direct(ty: &FuncType) -> Option<CallFn> {
    let whole = |ty: &ValType| !matches!(ty, ValType::F32 | ValType::F64 | ValType::V128);
    if !ABLE || !ty.params().iter().all(whole) {
        return None;
    }
    match ty.results() {
        [] => of_arity::<()>(ty.params().len()),
        [ValType::I32] => of_arity::<u32>(ty.params().len()),
        [ValType::I64] => of_arity::<u64>(ty.params().len()),
        [ValType::F32] => of_arity::<f32>(ty.params().len()),
        [ValType::F64] => of_arity::<f64>(ty.params().len()),
        _ => None,
    }
}

fn of_arity<R: Answer>(arity: usize) -> Option<CallFn> {
    Some(match arity {
        0 => call_0::<R>,
        1 => call_1::<R>,
        2 => call_2::<R>,
        3 => call_3::<R>,
        4 => call_4::<R>,
        5 => call_5::<R>,
        6 => call_6::<R>,
        _ => return None,
    })
}

/// What a C function returns, and how that lies in a slot.
trait Answer: Copy {
    /// # Safety
    /// `slot` is writable, unless nothing is returned.
    unsafe fn store(self, slot: *mut u64);
}

impl Answer for () {
    #[inline(always)]
    unsafe fn store(self, _slot: *mut u64) {}
}

macro_rules! answers {
    ($($ty:ty, $value:ident => $slot:expr;)*) => {$(
        impl Answer for $ty {
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

macro_rules! entries {
    ($($name:ident($($index:literal),*);)*) => {$(
        unsafe extern "C" fn $name<R: Answer>(
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
            type Func<R> = unsafe extern "C" fn(*mut c_void $(, word!($index))*) -> R;
            // SAFETY: whoever registered the function vouched for its type, which `direct`
            // found to be called like this one.
            let func = unsafe { std::mem::transmute::<*const c_void, Func<R>>(host.target) };
            // SAFETY: `args` holds as many slots as the type has parameters, and room for a
            // result if it has one; the owner of a live environment is its exec_env.
            unsafe {
                let result = attached(host, env, || func((*env).owner $(, *args.add($index))*));
                result.store(args);
                pending_exception(env)
            }
        }
    )*};
}

/// One parameter's type, whatever its index.
macro_rules! word {
    ($index:literal) => {
        u64
    };
}

entries! {
    call_0();
    call_1(0);
    call_2(0, 1);
    call_3(0, 1, 2);
    call_4(0, 1, 2, 3);
    call_5(0, 1, 2, 3, 4);
    call_6(0, 1, 2, 3, 4, 5);
}
