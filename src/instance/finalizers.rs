//! Finalizers: the host's functions that run when an object of a guest's is reachable no longer.

use super::{Instance, link_set};
use crate::gc::GcHeap;
use std::ptr::NonNull;

impl Instance {
    /// Runs the finalizers that collections have found. Not inside of others, so that the native
    /// stack stays bounded.
    pub fn run_finalizers(&self) {
        if self.with_live_objects(GcHeap::has_finalizers) != Some(true)
            || !self.with_objects(GcHeap::begin_finalizers)
        {
            return;
        }
        while let Some((object, finalizer)) = self.with_objects(GcHeap::take_finalizer) {
            // The object stays while its finalizer runs, unless memory runs out.
            let held = self.with_objects(|heap| heap.hold(object));
            self.host().run_finalizer(object, finalizer);
            if held {
                self.with_objects(|heap| heap.let_go(object));
            }
        }
        self.with_objects(GcHeap::finalizers_done);
    }

    /// Whether the link set's end has finalizers to run.
    pub(super) fn has_finalizers(&self) -> bool {
        self.with_live_objects(GcHeap::has_finalizers) == Some(true)
    }
}

/// Runs all finalizers of a link set, which is about to end.
///
/// # Safety
/// The caller has the only handle into the link set, and keeps it.
pub(super) unsafe fn run_all(instance: NonNull<Instance>) {
    // SAFETY: the caller keeps the link set alive.
    let Some(_use) = (unsafe { link_set::Use::begin(instance) }) else { return };
    // SAFETY: the caller keeps the link set alive.
    let instance = unsafe { instance.as_ref() };
    instance.with_objects(GcHeap::end_finalizers);
    instance.run_finalizers();
}
