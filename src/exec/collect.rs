//! Collections of guests' objects.
//!
//! The heap is shown all references that anybody of the link set holds: those on stacks, in
//! globals, tables and segments, in the exception that is being thrown, and the host's local ones.
//! Then the finalizers of dead objects run, which are the host's and may do anything but unwind.

use super::engine::Point;
use super::env::ExecEnv;
use super::roots::on_stacks;
use super::work;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmEnv, VmThrown};
use crate::gc::{GcHeap, GcMarker, GcRef, HeapFull};
use crate::instance::{Instance, link_set};
use std::ptr::NonNull;

/// Frees what nothing leads to, and runs finalizers. Guest code of the environment's is at the
/// point; none runs if that is `None`. Where a stack cannot be seen, nothing is freed.
///
/// # Safety
/// `env` is live, its link set used by this thread, and its code at the point. `thrown` is none, or
/// its payload as long as it says.
#[cold]
unsafe fn collect(env: *mut VmEnv, at: Option<Point>, thrown: &VmThrown) -> Result<(), Trap> {
    let mut is_complete = true;
    // SAFETY: the code of the live environment is at the point, says the caller, who vouches for
    // the payload, too; this thread uses the link set, whose members are live. Nothing that is
    // called asks for the heap, which the marker has.
    unsafe {
        let instance = Instance::of_vm((*env).instance);
        let mut roots = |marker: &mut GcMarker<'_, '_, '_>| {
            if !on_stacks(env, at, marker)? {
                is_complete = false;
                return Err(Trap::Internal);
            }
            // Other words than references may be among the slots.
            for slot in 0..thrown.slots as usize {
                marker.mark(*thrown.payload.add(slot))?;
            }
            link_set::try_for_each(instance.ptr(), &mut |member| member.as_ref().mark_own(marker))
        };
        let mut look = work::look(env);
        let collected = instance.with_objects(|heap| heap.collect(&mut roots, &mut look));
        if !is_complete {
            instance.with_objects(GcHeap::postpone_collection);
            return Ok(());
        }
        collected?;
        if at.is_some() {
            // The guest's frames may be anywhere above, so that no call finds room on this stack.
            let limit = (*env).stack_limit;
            (*env).stack_limit = (*env).stack_top;
            instance.run_finalizers();
            (*env).stack_limit = limit;
        } else {
            // Without guest code the environment may end meanwhile.
            instance.run_finalizers();
        }
        Ok(())
    }
}

/// Makes an object for guest code at the point; frees others first if it is time for that. `thrown`
/// is an exception that is being thrown and has references, or none. `failure` is the trap if there
/// is no room.
///
/// # Safety
/// As for [`collect`].
pub(super) unsafe fn make(
    env: *mut VmEnv,
    point: Point,
    thrown: &VmThrown,
    failure: Trap,
    mut make: impl FnMut() -> Result<GcRef, HeapFull>,
) -> Result<GcRef, Trap> {
    make().or_else(|full| {
        if full != HeapFull::Collect {
            return Err(full.trap(failure));
        }
        // SAFETY: says the caller.
        unsafe { collect(env, Some(point), thrown)? };
        make().map_err(|full| full.trap(failure))
    })
}

/// Makes an object for the host, which runs outside of guest code or was called by it; frees others
/// first if it is time for that. `None` if there is no room, or a reason to stop.
///
/// # Safety
/// The exec_env is live, and its link set used by this thread.
pub unsafe fn make_object(
    env: NonNull<ExecEnv>,
    make: &mut dyn FnMut() -> Result<GcRef, HeapFull>,
) -> Option<GcRef> {
    match make() {
        Ok(object) => Some(object),
        Err(HeapFull::Exhausted | HeapFull::Stopped(_)) => None,
        Err(HeapFull::Collect) => {
            // SAFETY: the caller guarantees that the exec_env is live and its link set used by
            // this thread.
            unsafe { collect(ExecEnv::vm(env), None, &VmThrown::NONE) }.ok()?;
            make().ok()
        }
    }
}
