//! Collections of guests' objects.
//!
//! The heap is shown all references that anybody of the link set holds: those on stacks, in
//! globals, tables, segments and exceptions, and the host's local ones. Then the finalizers of dead
//! objects run, which are the host's and may do anything but unwind.

use super::engine::Point;
use super::env::ExecEnv;
use super::roots::on_stacks;
use super::work;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::VmEnv;
use crate::gc::{GcHeap, GcMarker, GcRef, HeapFull};
use crate::instance::{Instance, link_set};
use std::ptr::NonNull;

/// Frees what nothing leads to, and runs finalizers. Guest code of the environment's is at the
/// point; none runs if that is `None`. Where a stack cannot be seen, nothing is freed.
///
/// # Safety
/// `env` is live, its link set used by this thread, and its code at the point.
#[cold]
pub(super) unsafe fn collect(env: *mut VmEnv, at: Option<Point>) -> Result<(), Trap> {
    let mut is_complete = true;
    // SAFETY: the code of the live environment is at the point, says the caller; this thread uses
    // the link set, whose members and exceptions are live. Nothing that is called asks for the
    // heap, which the marker has.
    unsafe {
        let instance = Instance::of_vm((*env).instance);
        let mut roots = |marker: &mut GcMarker<'_, '_, '_>| {
            if on_stacks(env, at, marker)?.is_none() {
                is_complete = false;
                return Err(Trap::Internal);
            }
            link_set::try_for_each(instance.ptr(), &mut |member| {
                member.as_ref().mark_own(marker).map(|_| ())
            })?;
            (*link_set::exceptions(instance.ptr())).mark_payloads(marker)
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
        Err(HeapFull::Exhausted) => None,
        Err(HeapFull::Collect) => {
            // SAFETY: the caller guarantees that the exec_env is live and its link set used by
            // this thread.
            unsafe { collect(ExecEnv::vm(env), None) }.ok()?;
            make().ok()
        }
    }
}
