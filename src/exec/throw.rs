//! Throwing exceptions through frames of several engines.
//!
//! An engine that throws looks through the frames of its own run first (it alone can read them),
//! then calls [`uncaught`] for an exception that it does not catch. No frame is undone before a
//! handler is found, so that an uncaught exception leaves a whole stack for its trace. The search
//! goes from run to run as long as they call each other; a host function in between ends it. An
//! exception that is caught further out ends the run with a code and waits in the environment; the
//! call that the run came from goes on throwing it ([`arrived`]).

use super::engine::{Point, engine_of};
use super::roots::on_stacks;
use super::work;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmActivation, VmEnv, VmException, VmTag};
use crate::instance::Instance;
use crate::instance::exceptions::{self, Sweep};
use std::ptr::{self, NonNull};

/// A new exception with the payload at `from`, thrown at `point`.
///
/// # Safety
/// `env` is the live environment of the code that throws, which is at the point; `tag` is an index
/// of its module's.
pub unsafe fn made(
    env: *mut VmEnv,
    point: Point,
    tag: u32,
    from: *const u64,
) -> Result<NonNull<VmException>, Trap> {
    // SAFETY: the caller vouches for the environment, and there is a tag for each index.
    unsafe {
        let instance = Instance::of_vm((*env).instance);
        let tag = *(*(*env).instance).tags.add(tag as usize);
        instance.make_exception(tag, from).or_else(|_| {
            let mut roots = |sweep: &mut Sweep<'_, '_, '_>| on_stacks(env, Some(point), sweep);
            exceptions::collect(instance.ptr(), None, &mut roots, &mut work::look(env))?;
            instance.make_exception(tag, from)
        })
    }
}

/// The exception that the reference in `word` leads to.
///
/// # Safety
/// `env` is the live environment of the code that throws.
pub unsafe fn referred(env: *const VmEnv, word: u64) -> Result<NonNull<VmException>, Trap> {
    // SAFETY: the running instance is live, and its link set this thread's.
    unsafe {
        let instance = Instance::of_vm((*env).instance).ptr();
        // Others are words that a host function wrote in place of a reference.
        exceptions::find(instance, word).ok_or(Trap::NullReference)
    }
}

/// The exception that has come out of a call, taken from the environment.
///
/// # Safety
/// `env` is the live environment of the running code.
pub unsafe fn arrived(env: *mut VmEnv) -> Result<NonNull<VmException>, Trap> {
    // SAFETY: the caller guarantees that the environment is live.
    let exception = unsafe { ptr::replace(&raw mut (*env).exception, ptr::null_mut()) };
    NonNull::new(exception).ok_or(Trap::Internal)
}

/// The trap that ends a run which does not catch an exception. If a run further out does, the
/// exception waits for it in the environment, and `passes` is called before.
///
/// # Safety
/// `env` is the live environment of the code that throws, the exception is live and its link set's.
pub unsafe fn uncaught(
    env: *mut VmEnv,
    exception: NonNull<VmException>,
    passes: impl FnOnce(),
) -> Trap {
    // SAFETY: the caller vouches for both.
    unsafe {
        match is_caught_outside(env, exception.as_ref().tag) {
            Ok(true) => {
                passes();
                (*env).exception = exception.as_ptr();
                Trap::UncaughtException
            }
            Ok(false) => {
                abandon(exception);
                Trap::UncaughtException
            }
            Err(trap) => {
                abandon(exception);
                trap
            }
        }
    }
}

/// An exception is thrown no further: it goes, unless guests may have references to it.
///
/// # Safety
/// It is live, and not used by the caller afterwards.
pub unsafe fn abandon(exception: NonNull<VmException>) {
    // SAFETY: the caller guarantees that the exception is live; only unshared ones are freed here,
    // to which the caller has the only pointer.
    unsafe {
        if !exception.as_ref().shared {
            exceptions::discard(exception);
        }
    }
}

/// Lets the guest have a reference to an exception that is caught, which is thrown at `point`. On
/// failure the exception is gone.
///
/// # Safety
/// As for [`uncaught`]; the code is at the point.
pub unsafe fn share(
    env: *mut VmEnv,
    point: Point,
    exception: NonNull<VmException>,
) -> Result<(), Trap> {
    // SAFETY: the caller vouches for all of it.
    unsafe {
        let instance = Instance::of_vm((*env).instance).ptr();
        let mut roots = |sweep: &mut Sweep<'_, '_, '_>| on_stacks(env, Some(point), sweep);
        exceptions::share(instance, exception, &mut roots, &mut work::look(env))
            .inspect_err(|_| exceptions::discard(exception))
    }
}

/// Whether one of the runs around the innermost one catches exceptions with `tag`: those that have
/// called each other without a host function in between.
///
/// # Safety
/// `env` is the live environment of the code that throws.
unsafe fn is_caught_outside(env: *mut VmEnv, tag: *const VmTag) -> Result<bool, Trap> {
    // SAFETY: activations are live while their runs last; the call that one has noted is valid
    // while it lasts.
    unsafe {
        let mut next = (*(*env).activation).outer.as_ref();
        while let Some(outer) = next {
            let &VmActivation { outer: around, ip, sp, host, .. } = outer;
            let Some(engine) = engine_of(outer) else { return Ok(false) };
            if ip.is_null() || !host.is_null() {
                return Ok(false);
            }
            if (engine.catches)(env, outer, Point { ip, sp }, tag)? {
                return Ok(true);
            }
            next = around.as_ref();
        }
    }
    Ok(false)
}
