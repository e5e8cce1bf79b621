//! Throwing exceptions through frames of several engines.
//!
//! An engine that throws looks through the frames of its own run first (it alone can read them),
//! then calls [`uncaught`] for an exception that it does not catch. No frame is undone before a
//! handler is found, so that an uncaught exception leaves a whole stack for its trace. The search
//! goes from run to run as long as they call each other; a host function in between ends it. An
//! exception that is caught further out ends the run with a code and waits in the environment; the
//! call that the run came from goes on throwing it ([`arrived`]).
//!
//! A throw takes no memory: the payload stays in the slots from which it was thrown, and is moved
//! to the handler's. Only a clause that asks a reference of an exception has an object made of it
//! ([`refer`]). Between the end of a run and the handler in a run further out nothing runs on this
//! stack, so that slots of the ended run keep the payload: host functions that a collection calls
//! meanwhile find no room there.

use super::collect;
use super::engine::{Point, Search, Sought, engine_of};
use super::fields::show_view;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmActivation, VmEnv, VmThrown};
use crate::instance::Instance;
use std::ptr;

/// A new exception with the payload at `from`.
///
/// # Safety
/// `env` is the live environment of the code that throws; `tag` is an index of its module's.
pub unsafe fn made(env: *mut VmEnv, tag: u32, from: *const u64) -> VmThrown {
    // SAFETY: the caller vouches for the environment, and there is a tag for each index, the type
    // of which lives as long as the link set.
    unsafe {
        let tag = *(*(*env).instance).tags.add(tag as usize);
        let slots = (*(*tag).ty).param_slots();
        VmThrown { tag, payload: from, slots, ..VmThrown::NONE }
    }
}

/// The exception that the reference in `word` leads to.
///
/// # Safety
/// `env` is the live environment of the code that throws.
pub unsafe fn referred(env: *const VmEnv, word: u64) -> Result<VmThrown, Trap> {
    // SAFETY: the running instance is live.
    let instance = unsafe { Instance::of_vm((*env).instance) };
    // Others are words that a host function wrote in place of a reference.
    instance.exception_of(word).ok_or(Trap::NullReference)
}

/// The exception that has come out of a call, taken from the environment.
///
/// # Safety
/// `env` is the live environment of the running code.
pub unsafe fn arrived(env: *mut VmEnv) -> Result<VmThrown, Trap> {
    // SAFETY: the caller guarantees that the environment is live.
    let thrown = unsafe { ptr::replace(&raw mut (*env).exception, VmThrown::NONE) };
    if thrown.is_none() { Err(Trap::Internal) } else { Ok(thrown) }
}

/// The trap that ends a run which does not catch an exception. If a run further out does, the
/// exception waits for it in the environment, and `passes` is called before.
///
/// # Safety
/// `env` is the live environment of the code that throws, whose run is left at once; the exception
/// is its link set's.
pub unsafe fn uncaught(
    env: *mut VmEnv,
    thrown: VmThrown,
    search: Search,
    passes: impl FnOnce(),
) -> Trap {
    // SAFETY: the caller vouches for both.
    unsafe {
        match is_caught_outside(env, (thrown.tag, search)) {
            Ok(true) => {
                passes();
                (*env).exception = thrown;
                Trap::UncaughtException
            }
            Ok(false) => Trap::UncaughtException,
            Err(trap) => trap,
        }
    }
}

/// The reference to an exception that is caught at `point`, of which an object is made if it is
/// none yet.
///
/// # Safety
/// `env` is the live environment of the running code, which is at the point. The exception is its
/// link set's, and its payload as long as it says.
pub unsafe fn refer(env: *mut VmEnv, point: Point, thrown: &VmThrown) -> Result<u64, Trap> {
    if thrown.reference != 0 {
        return Ok(thrown.reference);
    }
    // SAFETY: the caller vouches for all of it.
    unsafe {
        let instance = Instance::of_vm((*env).instance);
        let make = || instance.make_exception(thrown);
        let made = collect::make(env, point, thrown, Trap::OutOfMemory, make);
        show_view(env);
        made.map(|object| object.word())
    }
}

/// The place of the reference to the caught exception among the values that a clause carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferencePlace {
    Nowhere,
    /// In the slot behind the payload.
    Above,
    /// In a slot before the payload.
    Below,
    /// There is such a slot, but no instruction reads it.
    Unused,
}

impl ReferencePlace {
    /// The word for the place: the reference to an exception that is caught at `point`, or zero if
    /// nothing reads it.
    ///
    /// # Safety
    /// As for [`refer`].
    pub unsafe fn word(
        self,
        env: *mut VmEnv,
        point: Point,
        thrown: &VmThrown,
    ) -> Result<u64, Trap> {
        match self {
            // SAFETY: the caller keeps the contract of `refer`.
            Self::Above | Self::Below => unsafe { refer(env, point, thrown) },
            Self::Nowhere | Self::Unused => Ok(0),
        }
    }

    /// Leaves the values that a clause carries from `first` on: the payload, unless the clause is
    /// for all tags, and the word for this place.
    ///
    /// # Safety
    /// There is room for these values. The payload is there, at other slots or the same.
    pub unsafe fn leave(self, thrown: &VmThrown, is_for_all: bool, word: u64, first: *mut u64) {
        let is_below = matches!(self, Self::Below | Self::Unused);
        let count = if is_for_all { 0 } else { thrown.slots as usize };
        // SAFETY: the caller guarantees the payload and room for the values.
        unsafe {
            let payload = first.add(usize::from(is_below));
            // Before anything else is written, because the payload may lie where the values go.
            payload.copy_from(thrown.payload, count);
            if is_below {
                *first = word;
            }
            if self == Self::Above {
                *payload.add(count) = word;
            }
        }
    }
}

/// Whether one of the runs around the innermost one catches what is sought: those that have
/// called each other without a host function in between.
///
/// # Safety
/// `env` is the live environment of the code that throws.
unsafe fn is_caught_outside(env: *mut VmEnv, sought: Sought) -> Result<bool, Trap> {
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
            if (engine.catches)(env, outer, Point { ip, sp }, sought)? {
                return Ok(true);
            }
            next = around.as_ref();
        }
    }
    Ok(false)
}
