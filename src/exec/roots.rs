//! What stacks refer to, for the collections of exceptions and of objects.

use super::engine::{Point, Shown, engine_of};
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmActivation, VmEnv};
use crate::instance::{Instance, Marks, link_set};
use std::ptr;

/// The cost of finding the references of one frame, in bytes of exceptions.
const FRAME_COST: usize = 64;

/// Shows what the stacks of a link set refer to, the stack of `env` being at `point`; returns the
/// cost. `None` if guest code was interrupted at a point without a frame
/// table.
///
/// # Safety
/// `env` is the live environment of the running code, which is at the point.
pub unsafe fn on_stacks(
    env: *mut VmEnv,
    point: Point,
    marks: &mut dyn Marks,
) -> Result<Option<usize>, Trap> {
    // SAFETY: says the caller; one thread uses a link set, so that its other stacks wait for this.
    unsafe {
        let mut cost = stack_roots(env, Some(point), marks)?;
        let instance = Instance::of_vm((*env).instance).ptr();
        link_set::try_for_each(instance, &mut |member| {
            marks.step(1)?;
            member.as_ref().envs.try_for_each_running(|other| {
                if !ptr::eq(other, env) {
                    let more = stack_roots(other, None, marks)?;
                    cost = cost.zip(more).map(|(a, b)| a + b);
                }
                Ok(())
            })
        })?;
        Ok(cost)
    }
}

/// As [`on_stacks`], of one stack; `at` is where its innermost guest code is, if that runs.
///
/// # Safety
/// `env` is live, and its thread is this one.
unsafe fn stack_roots(
    env: *const VmEnv,
    mut at: Option<Point>,
    marks: &mut dyn Marks,
) -> Result<Option<usize>, Trap> {
    let mut cost = 0;
    // SAFETY: the caller vouches for the stack, whose activations are live and say where their
    // guest code is; the engine passes slots that hold references.
    unsafe {
        let mut next = (*env).activation.as_ref();
        while let Some(activation) = next {
            next = activation.outer.as_ref();
            marks.step(1)?;
            let Some(engine) = engine_of(activation) else { continue };
            let &VmActivation { ip, sp, .. } = activation;
            let noted = (!ip.is_null()).then_some(Point { ip, sp });
            let Some(point) = at.take().or(noted) else { return Ok(None) };
            let mut show = |shown: Shown| match shown {
                Shown::Frame => {
                    cost += FRAME_COST;
                    marks.step(1)
                }
                Shown::Reference(slot) => marks.mark(*slot),
                Shown::Nothing => marks.step(1),
            };
            (engine.references)(activation, point, &mut show)?;
        }
    }
    Ok(Some(cost))
}
