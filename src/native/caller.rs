//! Host functions written in Rust, and their caller.

use super::guest::GuestMemory;
use super::host_func::{Body, HostFunc};
use super::invoke;
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::abi::value::Val;
use crate::abi::vm_layout::{VmEnv, VmFuncRef, VmHostFunc, VmInstance};
use crate::alloc::try_filled;
use crate::exec::{self, ExecEnv, QuotaSlot};
use crate::instance::Instance;
use crate::platform::unwind::Unwinding;
use crate::sync::WakeDescriptor;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::time::Duration;

/// A host function in Rust: parameters in, results out.
///
/// The results come in as zeros of the declared types and must keep those types. A function
/// that sets the exception's text itself returns [`Trap::Host`].
pub type HostClosure =
    dyn Fn(Caller<'_>, &[Val], &mut [Val]) -> Result<(), Trap> + Send + Sync + 'static;

/// A host function in Rust that works on the slots themselves, of a type without references. The
/// slice holds the parameters, and takes the results from its start on.
pub type SlotClosure = dyn Fn(Caller<'_>, &mut [u64]) -> Result<(), Trap> + Send + Sync + 'static;

/// The caller of a host function. It lasts as long as the call.
pub struct Caller<'a> {
    env: *mut VmEnv,
    call: PhantomData<&'a mut VmEnv>,
}

impl<'a> Caller<'a> {
    /// # Safety
    /// `env` and its instance are live during `'a`.
    pub unsafe fn new(env: *mut VmEnv) -> Self {
        Self { env, call: PhantomData }
    }

    pub fn env(&self) -> *mut VmEnv {
        self.env
    }

    /// The owning exec_env, as C code knows it.
    pub fn exec_env(&self) -> *mut c_void {
        // SAFETY: `new` asked for a live environment.
        unsafe { (*self.env).owner }
    }

    /// The instance whose import was called.
    pub fn instance(&self) -> *mut VmInstance {
        // SAFETY: `new` asked for a live environment.
        unsafe { (*self.env).instance }
    }

    /// The instance that the calling exec_env was made for: the program, whichever of its modules
    /// calls.
    pub fn home(&self) -> Option<&Instance> {
        let (env, _) = self.calling_env()?;
        // SAFETY: `new` asked for a live environment, whose exec_env is live and keeps its
        // instance, or goes with it.
        Some(unsafe { env.as_ref().home().as_ref() })
    }

    /// The guest's first memory.
    pub fn memory(&self) -> GuestMemory<'_> {
        // SAFETY: `new` asked for a live environment.
        unsafe { GuestMemory::of_env(self.env) }
    }

    /// The attachment that was registered with the function.
    pub fn attachment(&self) -> *mut c_void {
        // SAFETY: `new` asked for a live environment.
        unsafe { (*self.env).attachment }
    }

    /// The reason why the caller should stop now, for functions that wait: it was terminated, or
    /// its time is over. The function then fails with this trap.
    pub fn stop_reason(&self) -> Option<Trap> {
        // SAFETY: `new` asked for a live environment.
        unsafe { exec::stop_reason(self.env) }
    }

    /// Counts the handling of `bytes` as the guest's instructions, which limits hold for; fails
    /// when there is a reason to stop. For functions whose work the guest chooses: they call it
    /// before each piece or after.
    pub fn work(&self, bytes: u64) -> Result<(), Trap> {
        // SAFETY: `new` asked for a live environment; the caller's thread is this one.
        unsafe { exec::work::charge_bytes(self.env, bytes) }
    }

    /// A pointer to the string at `address` and its length, as [`GuestMemory::text`] has it; the
    /// search is work.
    pub fn text(&self, address: u64) -> Result<(*mut u8, usize), Trap> {
        self.memory().text_with(address, |bytes| self.work(bytes))
    }

    /// A copy of the string at `address`, of no more than `most` bytes; `None` without memory.
    pub fn copy_text(&self, address: u64, most: usize) -> Result<Option<Vec<u8>>, Trap> {
        let (_, len) = self.text(address)?;
        let Ok(mut bytes) = try_filled(len.min(most), 0) else { return Ok(None) };
        self.memory().copy_out(address, &mut bytes)?;
        Ok(Some(bytes))
    }

    /// How long the function may wait before it should ask again; `None` for any time.
    pub fn time_left(&self) -> Option<Duration> {
        // SAFETY: `new` asked for a live environment.
        unsafe { exec::time_left(self.env) }
    }

    /// A descriptor that becomes readable when there may be a reason to stop, for functions that
    /// wait for descriptors: they get it, ask [`Caller::stop_reason`], and then wait. Without one
    /// they ask at times.
    pub fn wake_descriptor(&self) -> Option<WakeDescriptor<'_>> {
        // SAFETY: `new` asked for a live environment.
        unsafe { exec::wake_descriptor(self.env) }
    }

    /// How long one wait for descriptors may last, as [`exec::poll_timeout`] says.
    pub fn poll_timeout(&self, nanos: Option<u64>, can_be_woken: bool) -> Result<i32, Trap> {
        // SAFETY: `new` asked for a live environment.
        unsafe { exec::poll_timeout(self.env, nanos, can_be_woken) }
    }

    /// Waits until `descriptor` takes more, or never will; fails when there is a reason to stop.
    pub fn wait_to_write(&self, descriptor: i32) -> Result<(), Trap> {
        // SAFETY: `new` asked for a live environment, which this thread runs.
        unsafe { exec::wait_to_write(self.env, descriptor) }
    }

    /// Room for one more descriptor among those that guests of the caller's context may hold, for
    /// functions that open something in its name; `None` if there is no more.
    pub fn descriptor_slot(&self) -> Option<QuotaSlot> {
        // SAFETY: `new` asked for a live environment.
        unsafe { exec::descriptor_slot(self.env) }
    }

    /// Room for one more thread of the runtime's that works for guests of the caller's context in
    /// calls of the system's that cannot be stopped; `None` if there is no more.
    #[cfg_attr(not(feature = "wasi"), allow(dead_code, reason = "only WASI has such calls"))]
    pub fn errand_slot(&self) -> Option<QuotaSlot> {
        // SAFETY: `new` asked for a live environment.
        unsafe { exec::errand_slot(self.env) }
    }

    /// Runs `act`, best a single system call that may block. When there is a reason to stop, a
    /// signal interrupts it, so that the call fails with `EINTR`, again and again until `act`
    /// returns. Fails with the reason if there is one, before or afterwards.
    pub fn blocking<R>(&self, act: impl FnOnce() -> R) -> Result<R, Trap> {
        // SAFETY: `new` asked for a live environment; the caller's thread is this one.
        unsafe { exec::blocking(self.env, act) }
    }

    /// Lets `time` pass; fails with the reason if there is one to stop meanwhile.
    pub fn sleep(&self, time: Duration) -> Result<(), Trap> {
        // SAFETY: `new` asked for a live environment; the caller's thread is this one.
        unsafe { exec::sleep(self.env, time) }
    }

    /// The exec_env that the guest called from, and where its native stack ends.
    pub fn calling_env(&self) -> Option<(NonNull<ExecEnv>, usize)> {
        // SAFETY: `new` asked for a live environment, whose owner is its exec_env or null.
        let (owner, limit) = unsafe { ((*self.env).owner, (*self.env).native_stack_limit) };
        Some((NonNull::new(owner.cast())?, limit.saturating_sub(exec::NATIVE_STACK_MARGIN)))
    }

    /// Calls a function of the guest's back; its result, or the word 0 if it has none. On failure
    /// the instance has the exception.
    ///
    /// # Safety
    /// The function is of the calling instance's link set. It takes as many i32 as there are
    /// `params`, and gives one slot at most.
    pub unsafe fn call_guest(&self, func: NonNull<VmFuncRef>, params: &[u32]) -> Result<u64, Trap> {
        let (env, stack_low) = self.calling_env().ok_or(Trap::Internal)?;
        // SAFETY: the guest that calls runs on this exec_env, on this thread; there is room for
        // the parameters, and for one slot.
        unsafe {
            let call = exec::Call::prepare(env, func, params.len().max(1), stack_low)?;
            *call.frame() = 0;
            for (index, &param) in params.iter().enumerate() {
                *call.frame().add(index) = param.into();
            }
            call.run()?;
            Ok(*call.frame())
        }
    }

    /// Notes the calling thread's unwinding inside of the function, which then fails with this
    /// trap.
    #[cfg_attr(not(feature = "wasi"), allow(dead_code, reason = "only WASI waits in the system"))]
    pub fn unwound(&self, unwinding: Unwinding) -> Trap {
        // SAFETY: `new` asked for a live environment.
        unsafe { (*self.env).unwinding = unwinding.as_ptr() };
        Trap::Unwinding
    }

    /// Whether there is a reason to stop.
    pub fn is_terminated(&self) -> bool {
        self.stop_reason().is_some()
    }
}

/// Calls a closure; the `call` of its [`HostFunc`].
pub(super) unsafe extern "C" fn call_closure(
    this: *const VmHostFunc,
    env: *mut VmEnv,
    args: *mut u64,
) -> u32 {
    // SAFETY: running code passes the function it was linked to, which its module keeps alive;
    // the header is the first field of a `HostFunc`.
    let host = unsafe { &*this.cast::<HostFunc>() };
    let Body::Closure(closure) = &host.body else { return Trap::Internal as u32 };
    // SAFETY: running code passes its live environment and the function's argument slots.
    unsafe {
        let trap = around(host, env, args, || with_vals(closure, host, env, args));
        if trap == 0 && host.returns_refs { invoke::check_refs(host, env, args) } else { trap }
    }
}

/// Calls a closure that works on slots; the `call` of its [`HostFunc`].
pub(super) unsafe extern "C" fn call_in_place(
    this: *const VmHostFunc,
    env: *mut VmEnv,
    args: *mut u64,
) -> u32 {
    // SAFETY: running code passes the function it was linked to, which its module keeps alive;
    // the header is the first field of a `HostFunc`.
    let host = unsafe { &*this.cast::<HostFunc>() };
    let Body::InPlace(closure) = &host.body else { return Trap::Internal as u32 };
    let slots = host.arg_slots as usize;
    // SAFETY: running code passes its live environment, and room for all parameters and all
    // results at `args`.
    unsafe {
        around(host, env, args, || {
            closure(Caller::new(env), std::slice::from_raw_parts_mut(args, slots))
        })
    }
}

/// Calls a built-in function; the `call` of its [`HostFunc`].
pub(super) unsafe extern "C" fn call_builtin(
    this: *const VmHostFunc,
    env: *mut VmEnv,
    args: *mut u64,
) -> u32 {
    // SAFETY: running code passes the function it was linked to, which its module keeps alive; the
    // header is the first field of a `HostFunc`.
    let host = unsafe { &*this.cast::<HostFunc>() };
    let Body::Builtin(builtin) = host.body else { return Trap::Internal as u32 };
    let slots = host.arg_slots as usize;
    // SAFETY: running code passes its live environment, and room for all parameters and all
    // results at `args`.
    let trap = unsafe {
        around(host, env, args, || {
            builtin(Caller::new(env), std::slice::from_raw_parts_mut(args, slots))
        })
    };
    if trap != 0 {
        return trap;
    }
    // The guest checks by its count of instructions, which says nothing of these functions' time.
    // SAFETY: running code passes its live environment.
    unsafe { exec::stop_reason(env) }.map_or(0, |trap| trap as u32)
}

/// The frame around every call of Rust code: stack check, attachment, panics.
///
/// # Safety
/// `env` and its instance are live, and `args` holds the parameters of `host`'s type.
unsafe fn around(
    host: &HostFunc,
    env: *mut VmEnv,
    args: *const u64,
    call: impl FnOnce() -> Result<(), Trap>,
) -> u32 {
    // SAFETY: the caller vouches for `env`.
    if let Err(trap) = unsafe { invoke::check_stack(env, 0) } {
        return trap as u32;
    }
    // SAFETY: the caller guarantees that `env` is live and that `args` holds the parameters.
    let outcome =
        unsafe { invoke::attached(host, env, args, || catch_unwind(AssertUnwindSafe(call))) };
    match outcome {
        Ok(Err(trap)) => trap as u32,
        // SAFETY: the caller guarantees that `env` and its instance are live.
        Ok(Ok(())) => unsafe { invoke::pending_exception(env) },
        Err(payload) => {
            // Dropping the payload may panic again, and nothing may unwind into the guest.
            if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                std::mem::forget(again);
            }
            Trap::Host as u32
        }
    }
}

/// Finds room for the values: on the native stack for a few, else on the heap.
///
/// # Safety
/// `args` holds the parameters of `host`'s type and has room for its results; `env` is live.
unsafe fn with_vals(
    closure: &HostClosure,
    host: &HostFunc,
    env: *mut VmEnv,
    args: *mut u64,
) -> Result<(), Trap> {
    let total = host.ty().params().len() + host.ty().results().len();
    let zero = Val::I32(0);
    // SAFETY: the caller guarantees that `args` holds the parameters of `host`'s type and has room
    // for its results; `env` is live.
    unsafe {
        match total {
            0..=4 => on_vals(closure, host, env, args, &mut [zero; 4][..total]),
            5..=16 => on_vals(closure, host, env, args, &mut [zero; 16][..total]),
            _ => {
                let mut vals = try_filled(total, zero).map_err(|_| Trap::OutOfMemory)?;
                on_vals(closure, host, env, args, &mut vals)
            }
        }
    }
}

/// Reads the parameters, calls, and writes the results back.
///
/// # Safety
/// As for `with_vals`; `vals` is as long as both lists together.
unsafe fn on_vals(
    closure: &HostClosure,
    host: &HostFunc,
    env: *mut VmEnv,
    args: *mut u64,
    vals: &mut [Val],
) -> Result<(), Trap> {
    let (params, results) = (host.ty().params(), host.ty().results());
    let (param_vals, result_vals) = vals.split_at_mut(params.len());
    let mut slot = args;
    for (val, &ty) in param_vals.iter_mut().zip(params) {
        // SAFETY: the parameters lie one behind the other at `args`.
        (*val, slot) = unsafe { read(ty, slot) };
    }
    for (val, &ty) in result_vals.iter_mut().zip(results) {
        *val = Val::from_slots(ty, [0, 0]);
    }
    // SAFETY: the caller of `call_closure` vouches for `env` during the call.
    closure(unsafe { Caller::new(env) }, param_vals, result_vals)?;
    let mut slot = args;
    for (val, &ty) in result_vals.iter().zip(results) {
        if val.ty() != ty {
            log::error!("a host function returned {} instead of {ty}", val.ty());
            return Err(Trap::Host);
        }
        // SAFETY: the results lie one behind the other at `args`, where there is room.
        slot = unsafe { write(*val, slot) };
    }
    Ok(())
}

/// # Safety
/// `slot` holds a value of type `ty`.
unsafe fn read(ty: ValType, slot: *mut u64) -> (Val, *mut u64) {
    let count = ty.slots() as usize;
    // SAFETY: the caller vouches for as many slots as the type has.
    let slots = unsafe { [*slot, if count == 2 { *slot.add(1) } else { 0 }] };
    (Val::from_slots(ty, slots), slot.wrapping_add(count))
}

/// # Safety
/// `slot` has room for `val`.
unsafe fn write(val: Val, slot: *mut u64) -> *mut u64 {
    let slots = val.to_slots();
    let count = val.ty().slots() as usize;
    // SAFETY: the caller vouches for the room.
    unsafe { std::ptr::copy_nonoverlapping(slots.as_ptr(), slot, count) };
    slot.wrapping_add(count)
}
