//! Calling C functions whose types are known only at run time.
//!
//! Three ways, chosen when an import is bound: [`direct()`] for a few integers and floats, which
//! a plain function pointer takes; a [`CallPlan`], which lists the place of each argument and
//! leaves the call itself to a few lines of assembly (or to libffi where no thunk was written);
//! and raw natives, which take the slots as they lie.
//!
//! All of them are entered by running code through the header of a `HostFunc`. A native may leave
//! by unwinding the stack, as when it ends its thread. That goes no further than the thunk that
//! called it (`platform::unwind`): running code gets a trap, and the environment keeps the
//! unwinding, which goes on when the host's call is over.

mod plan;

cfg_select! {
    miri => {
        mod miri;
        use miri as backend;
        mod direct_disabled;
        use direct_disabled as direct;
    }
    all(target_arch = "x86_64", unix, not(isothread_ffi)) => {
        mod x86_64;
        use x86_64 as backend;
        mod direct;
    }
    all(target_arch = "aarch64", unix, not(target_vendor = "apple"), not(isothread_ffi)) => {
        mod aarch64;
        use aarch64 as backend;
        mod direct;
    }
    _ => {
        mod ffi;
        use ffi as backend;
        mod direct_disabled;
        use direct_disabled as direct;
    }
}

pub(super) use direct::{Mixed, direct};
pub(super) use plan::{CallPlan, PLANNED};

use super::convert;
use super::host_func::{Body, HostFunc};
use crate::abi::guest_word;
use crate::abi::heap_types::HeapType;
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::abi::vm_layout::{VmEnv, VmHostFunc, VmHostParams};
use crate::instance::Instance;
use crate::platform::stack;
use std::sync::atomic::Ordering;

/// The entry of a host function.
pub(super) type CallFn =
    unsafe extern "C" fn(this: *const VmHostFunc, env: *mut VmEnv, args: *mut u64) -> u32;

/// The entry of raw natives.
pub(super) const RAW: CallFn = call_raw;

/// Traps if fewer than `room` bytes of native stack are left above the limit.
///
/// # Safety
/// `env` is live.
#[inline(always)]
pub(super) unsafe fn check_stack(env: *const VmEnv, room: usize) -> Result<(), Trap> {
    // SAFETY: the caller vouches for `env`.
    let limit = unsafe { (*env).native_stack_limit };
    if stack::pointer().saturating_sub(room) < limit {
        return Err(Trap::NativeStackOverflow);
    }
    Ok(())
}

/// The code of the trap that a native has caused, by an exception or by unwinding, or another
/// thread by terminating meanwhile; else 0.
///
/// # Safety
/// `env` and its instance are live.
#[inline(always)]
pub(super) unsafe fn pending_exception(env: *const VmEnv) -> u32 {
    // SAFETY: the caller vouches for both.
    let (set, unwinding) =
        unsafe { ((*(*env).instance).exception_set.load(Ordering::Acquire), (*env).unwinding) };
    match (set, unwinding.is_null()) {
        (0, true) => 0,
        // SAFETY: the caller vouches for the environment and its instance.
        (_, true) => unsafe { trap_behind(env) as u32 },
        (_, false) => Trap::Unwinding as u32,
    }
}

/// Which trap a pending exception stands for: another thread that terminates the instance sets
/// one as well, with this text and before it asks to stop.
///
/// # Safety
/// `env` and its instance are live.
#[cold]
#[inline(never)]
unsafe fn trap_behind(env: *const VmEnv) -> Trap {
    // SAFETY: the caller vouches for both; an instance's owner is null or lives as long.
    let instance = unsafe { (*(*env).instance).owner.cast::<Instance>().as_ref() };
    let is_terminated = instance.and_then(Instance::exception).is_some_and(|(text, len)| {
        text[..len].strip_prefix(b"Exception: ") == Some(Trap::Terminated.text().as_bytes())
    });
    if is_terminated { Trap::Terminated } else { Trap::Host }
}

/// Stack check and conversions, before every call of a C function.
///
/// # Safety
/// `env` and its instance are live, and `args` holds the parameters of `host`'s type.
#[inline(always)]
unsafe fn enter(host: &HostFunc, env: *mut VmEnv, args: *mut u64, room: usize) -> u32 {
    // SAFETY: the caller vouches for `env`.
    if let Err(trap) = unsafe { check_stack(env, room) } {
        return trap as u32;
    }
    if host.conversions.is_empty() {
        return 0;
    }
    // SAFETY: the caller guarantees that `env` and its instance are live, and `args` holds the
    // parameters of `host`'s type.
    unsafe { convert_params(host, env, args) }
}

/// Kept apart so that calls without conversions stay short.
///
/// # Safety
/// As for `enter`.
#[inline(never)]
unsafe fn convert_params(host: &HostFunc, env: *mut VmEnv, args: *mut u64) -> u32 {
    // SAFETY: the caller vouches for `env` and for parameters of the type that the
    // conversions were listed for.
    match unsafe { convert::apply(&host.conversions, host.externrefs.as_deref(), env, args) } {
        Ok(()) => 0,
        Err(trap) => trap as u32,
    }
}

/// Runs `call` with `host`'s attachment in the environment; restores the previous one, since the
/// caller may be a native itself. Local references that the native has pushed and left there are
/// gone with its frame. Objects among the parameters stay until it returns.
///
/// # Safety
/// `env` is live, and `args` holds the parameters of `host`'s type.
#[inline(always)]
pub(super) unsafe fn attached<R>(
    host: &HostFunc,
    env: *mut VmEnv,
    args: *const u64,
    call: impl FnOnce() -> R,
) -> R {
    // SAFETY: the caller vouches for `env`, which is live until this returns, and so is `params`.
    unsafe {
        let attachment = std::mem::replace(&mut (*env).attachment, host.attachment);
        let local_refs = (*env).local_refs;
        let result = match host.kept_slots {
            0 => call(),
            slots => {
                let outer = (*env).host_params;
                let params = VmHostParams { outer, slots: args, count: slots as usize };
                (*env).host_params = &raw const params;
                let result = call();
                (*env).host_params = outer;
                result
            }
        };
        (*env).attachment = attachment;
        (*env).local_refs = local_refs;
        result
    }
}

/// Looks whether the references among a host function's results are of the types that the import
/// declares; returns the code of a trap if not.
///
/// # Safety
/// `env` is live and `host` its innermost function, which has left its results at `args`.
#[cold]
#[inline(never)]
pub(super) unsafe fn check_refs(host: &HostFunc, env: *mut VmEnv, args: *const u64) -> u32 {
    // SAFETY: the caller vouches for the environment; the innermost activation is the function's,
    // or that of the guest code that calls it, which has noted the function.
    unsafe {
        let activation = (*env).activation.as_ref();
        let called = activation.map(|at| if at.engine.is_null() { at.func } else { at.host });
        let ty = match called.and_then(|func| func.as_ref()) {
            Some(func) => &*func.ty,
            None => host.ty(),
        };
        let mut slot = args;
        for &ty in ty.results() {
            if let ValType::Ref(ty) = ty {
                let is_fit = match *slot {
                    0 => ty.is_nullable(),
                    // The host's own objects are of both types that have any.
                    word if ty.heap() == HeapType::Extern && !guest_word::is_guests(word) => true,
                    word => {
                        let instance = Instance::of_vm((*env).instance);
                        instance.admits(instance.types().reference(ty), word)
                    }
                };
                if !is_fit {
                    return refuse(env, Trap::Host);
                }
            }
            slot = slot.add(ty.slots() as usize);
        }
        0
    }
}

/// The code of the trap with which a call ends whose results are no good.
///
/// # Safety
/// `env` and its instance are live.
#[cold]
#[inline(never)]
unsafe fn refuse(env: *mut VmEnv, trap: Trap) -> u32 {
    if trap == Trap::Host {
        // SAFETY: the caller vouches for both.
        unsafe { Instance::of_vm((*env).instance) }.raise(b"the result conversion is failed");
    }
    trap as u32
}

unsafe extern "C" fn call_raw(this: *const VmHostFunc, env: *mut VmEnv, args: *mut u64) -> u32 {
    // SAFETY: running code passes the function it was linked to, which its module keeps alive;
    // the header is the first field of a `HostFunc`.
    let host = unsafe { &*this.cast::<HostFunc>() };
    // SAFETY: running code passes its live environment and the parameters of this type.
    let trap = unsafe { enter(host, env, args, 0) };
    if trap != 0 {
        return trap;
    }
    // SAFETY: the embedder that registered a raw native vouched for its type; `args` holds the
    // parameters and has room for the results.
    unsafe { attached(host, env, args, || backend::raw(env, host.target, args)) };
    // SAFETY: running code passes its live environment.
    let pending = unsafe { pending_exception(env) };
    if pending == 0 && matches!(host.body, Body::Raw { fit_results: true }) {
        // SAFETY: running code passes its live environment; `args` has room for the results.
        return unsafe { fit_raw_results(host, env, args) };
    }
    pending
}

/// Puts references among a raw native's results into the form that guests know. Numbers stay:
/// readers of a 32-bit value in a slot ignore its upper half.
///
/// # Safety
/// `env` and its instance are live, and `args` holds the results of `host`'s type.
#[cold]
#[inline(never)]
unsafe fn fit_raw_results(host: &HostFunc, env: *mut VmEnv, args: *mut u64) -> u32 {
    let mut slot = args;
    for &ty in host.ty().results() {
        // SAFETY: the results lie one behind the other at `args`.
        let value = unsafe { &mut *slot };
        // SAFETY: the caller vouches for `env`.
        let instance = unsafe { (*env).instance };
        match plan::slot_of_result(ty, *value, host, instance) {
            Ok(fitted) => *value = fitted,
            // SAFETY: the caller vouches for `env`.
            Err(trap) => return unsafe { refuse(env, trap) },
        }
        slot = slot.wrapping_add(ty.slots() as usize);
    }
    // SAFETY: the caller vouches for `env`; the results are in their slots.
    unsafe { check_refs(host, env, args) }
}
