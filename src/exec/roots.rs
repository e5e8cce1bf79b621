//! What stacks refer to, for collections.

use super::engine::{Point, Shown, engine_of};
use crate::abi::raw_ref::RawRef;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmActivation, VmEnv, VmHostParams, VmLocalRefs};
use crate::gc::GcMarker;
use crate::instance::{Instance, link_set};
use std::ptr;

/// Finding a frame takes as long as so many references.
const FRAME_STEPS: usize = 4;

/// Shows what the stacks of a link set refer to, and the host's local references; the guest code of
/// `env` is at `point`, if it runs. False if guest code was interrupted at a point without a frame
/// table, so that not everything was shown.
///
/// # Safety
/// `env` is live, its link set used by this thread, and its code at the point.
pub unsafe fn on_stacks(
    env: *mut VmEnv,
    point: Option<Point>,
    marker: &mut GcMarker<'_, '_, '_>,
) -> Result<bool, Trap> {
    // SAFETY: says the caller; one thread uses a link set, so that its other stacks wait for this.
    unsafe {
        let mut complete = stack_roots(env, point, marker)?;
        let instance = Instance::of_vm((*env).instance).ptr();
        link_set::try_for_each(instance, &mut |member| {
            marker.step(1)?;
            member.as_ref().envs.try_for_each_running(|other| {
                if !ptr::eq(other, env) {
                    complete &= stack_roots(other, None, marker)?;
                }
                Ok(())
            })?;
            let mut held = Ok(());
            member.as_ref().envs.for_each(|other| {
                if held.is_ok() {
                    held = host_roots(other, marker);
                }
            });
            held
        })?;
        Ok(complete)
    }
}

/// Shows what host code holds that uses an environment: its local references, and the parameters
/// that it was given.
///
/// # Safety
/// `env` is live, and its link set used by this thread.
unsafe fn host_roots(env: *const VmEnv, marker: &mut GcMarker<'_, '_, '_>) -> Result<(), Trap> {
    // SAFETY: the caller vouches for the environment; frames that are on the list of parameters
    // have not returned, and the slots are theirs.
    unsafe {
        for_each_local_ref(env, &mut |word| marker.mark(word))?;
        let mut params = (*env).host_params.as_ref();
        while let Some(VmHostParams { outer, slots, count }) = params {
            for slot in 0..*count {
                marker.mark(slot_of(*slots.add(slot)))?;
            }
            params = outer.as_ref();
        }
    }
    Ok(())
}

/// Calls `each` with the words, as guests have them, of the local references of an environment.
///
/// # Safety
/// `env` is live, and its link set used by this thread.
pub unsafe fn for_each_local_ref<E>(
    env: *const VmEnv,
    each: &mut dyn FnMut(u64) -> Result<(), E>,
) -> Result<(), E> {
    // SAFETY: the caller vouches for the environment; the host keeps those that are on the list.
    unsafe {
        let VmLocalRefs { last, count } = (*env).local_refs;
        let mut next = last;
        // Counted, because the host can make a circle of them.
        for _ in 0..count {
            let Some(local) = next.as_ref() else { break };
            each(slot_of(local.object.addr() as u64))?;
            next = local.previous;
        }
    }
    Ok(())
}

/// The word in a slot for a word of C's; 0 for functions, which are kept without references.
fn slot_of(word: u64) -> u64 {
    match RawRef::read(word) {
        RawRef::Plain(word) => word,
        reference => reference.slot().unwrap_or(0),
    }
}

/// As [`on_stacks`], of one stack; `at` is where its innermost guest code is, if that runs.
///
/// # Safety
/// `env` is live, and its thread is this one.
unsafe fn stack_roots(
    env: *const VmEnv,
    mut at: Option<Point>,
    marker: &mut GcMarker<'_, '_, '_>,
) -> Result<bool, Trap> {
    // SAFETY: says the caller of the stack, whose activations are live and say where their guest
    // code is; the engine passes slots that hold references.
    unsafe {
        let mut next = (*env).activation.as_ref();
        while let Some(activation) = next {
            next = activation.outer.as_ref();
            marker.step(1)?;
            let Some(engine) = engine_of(activation) else { continue };
            let &VmActivation { ip, sp, .. } = activation;
            let noted = (!ip.is_null()).then_some(Point { ip, sp });
            let Some(point) = at.take().or(noted) else { return Ok(false) };
            let mut show = |shown: Shown| match shown {
                Shown::Frame => marker.step(FRAME_STEPS),
                Shown::Reference(slot) => marker.mark(*slot),
                Shown::Nothing => marker.step(1),
            };
            (engine.references)(activation, point, &mut show)?;
        }
    }
    Ok(true)
}
