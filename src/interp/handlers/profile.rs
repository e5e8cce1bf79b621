//! Time spent in functions, in code that was translated to measure it.
//!
//! A profiled function keeps the time of its start in a slot behind its header. At its end it adds
//! the time that has passed to its own account and to its caller's account of called functions. If
//! an exception ends the function, `unwind` does the same. A call that a trap ends is not counted.
//! Time is the thread's CPU time.

use super::host::{call_out, exit, place, resume};
use super::memory::reload_memory;
use crate::abi::vm_layout::{VmEnv, VmFuncKind, VmFuncRef, VmProfile};
use crate::exec::work;
use crate::interp::dispatch::{Stop, slow};
use crate::interp::frames::table_of;
use crate::interp::machine::Header;
use crate::interp::shape;
use crate::platform::time::{Clock, now};
use std::sync::atomic::Ordering;

fn clock() -> u64 {
    now(Clock::ThreadCpu).unwrap_or(0)
}

/// The account of a function of the running instance, if it keeps accounts.
///
/// # Safety
/// `env` is live, and `func_index` a function of its instance's module.
unsafe fn account<'a>(env: *const VmEnv, func_index: u32) -> Option<&'a VmProfile> {
    // SAFETY: the caller guarantees that `env` is live and that the module has the function; an
    // instance with accounts has one for each function.
    unsafe {
        let accounts = (*(*env).instance).profile;
        if accounts.is_null() { None } else { Some(&*accounts.add(func_index as usize)) }
    }
}

/// # Safety
/// As for [`account`].
unsafe fn add(env: *const VmEnv, func_index: u32, elapsed: u64) {
    // SAFETY: the caller keeps the contract of `account`, which is this function's own.
    if let Some(own) = unsafe { account(env, func_index) } {
        own.total_ns.fetch_add(elapsed, Ordering::Relaxed);
        own.count.fetch_add(1, Ordering::Relaxed);
    }
}

/// # Safety
/// As for [`account`].
unsafe fn add_to_caller(env: *const VmEnv, func_index: u32, elapsed: u64) {
    // SAFETY: the caller keeps the contract of `account`, which is this function's own.
    if let Some(caller) = unsafe { account(env, func_index) } {
        caller.children_ns.fetch_add(elapsed, Ordering::Relaxed);
    }
}

slow!(
    /// Writes the time of a function's start to a slot.
    Enter |r, i: shape::Dst| {
    r.set(i.dst, clock());
    r.pass(i);
    Ok(())
});

slow!(
    /// Counts the function's time, before a return.
    End |r, i: shape::ProfileEnd| {
    let elapsed = clock().saturating_sub(r.get(i.start));
    add(r.env, i.function, elapsed);
    let Header { back_to, .. } = *r.sp.header(i.header.into());
    if let Some(call) = back_to.call()
        && let Some(caller) = table_of((*r.env).activation).place(call.as_ptr())
    {
        add_to_caller(r.env, caller.code.func_index, elapsed);
    }
    r.pass(i);
    Ok(())
});

/// Counts a call that has ended without an instruction that measures it: one that an exception has
/// ended, or one of a host function. It began at `began`, and `caller` is the calling function.
///
/// # Safety
/// As for [`account`], of both functions.
pub unsafe fn left(env: *const VmEnv, func_index: u32, began: u64, caller: Option<u32>) {
    let elapsed = clock().saturating_sub(began);
    // SAFETY: the caller keeps the contract of `account` for `func_index` and for `caller`.
    unsafe {
        add(env, func_index, elapsed);
        if let Some(caller) = caller {
            add_to_caller(env, caller, elapsed);
        }
    }
}

/// The time now, as the start of a call of a host function by the running code; `None` if the call
/// is not measured. Only imports of the running instance are, if it keeps accounts.
///
/// # Safety
/// `env` is live, and so is `func`.
pub unsafe fn begin(env: *const VmEnv, func: *const VmFuncRef) -> Option<u64> {
    // SAFETY: the caller guarantees that `env` and `func` are live; so is the running instance.
    unsafe {
        let instance = (*env).instance;
        let is_measured = (*func).instance == instance && !(*instance).profile.is_null();
        is_measured.then(clock)
    }
}

slow!(
    /// Calls an import and measures host functions: as `host::CallImport`.
    CallImport |r, i: shape::CallImport| {
    work::charge(r.env, work::HOST_CALL)?;
    let func = (*(*r.env).instance).func_refs.add(i.import as usize);
    if (*func).kind != VmFuncKind::Host {
        return call_out(r, i, func);
    }
    let (frame, top) = place(r, i)?;
    (*r.env).stack_top = top;
    exit(r, func);
    let began = clock();
    let host = (*func).body.host;
    let code = ((*host).call)(host, r.env, frame.as_ptr());
    let elapsed = clock().saturating_sub(began);
    resume(r);
    if code != 0 {
        return Err(Stop::Trap(code));
    }
    add(r.env, i.import, elapsed);
    add_to_caller(r.env, i.caller, elapsed);
    reload_memory(r);
    r.pass(i);
    Ok(())
});
