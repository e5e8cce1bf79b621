//! Objects of guests in a context.
//!
//! C's functions on objects are given a reference and nothing else: here they find whose it is.

use super::Context;
use super::config::{GC_HEAP_SIZE_MAX, GC_HEAP_SIZE_MIN};
use super::object_heaps::ObjectHeaps;
use crate::gc::GcRef;
use crate::instance::{Instance, ObjectLimits, heap_number};
use std::ptr::NonNull;

impl Context {
    fn object_heaps(&self) -> &ObjectHeaps {
        &self.0.parts.object_heaps
    }

    /// What heaps of guests' objects are to be.
    fn object_limits(&self) -> ObjectLimits {
        let bytes = self.gc_heap_size().clamp(GC_HEAP_SIZE_MIN, GC_HEAP_SIZE_MAX).into();
        ObjectLimits { bytes, stress: self.collects_always() }
    }

    /// What a new heap of guests' objects is to be, and its number, which it has until the instance
    /// ends. `None` if memory or numbers run out.
    pub(crate) fn add_object_heap(&self, home: NonNull<Instance>) -> Option<(ObjectLimits, u32)> {
        let number = self.run(|| self.object_heaps().add(home, self.id()))?;
        Some((self.object_limits(), number))
    }

    /// The instance is about to end.
    pub(crate) fn remove_object_heaps(&self, home: NonNull<Instance>) {
        self.run(|| self.object_heaps().remove(home));
    }

    /// Calls `act` with an instance of the link set whose heap has made the object, which must not
    /// end meanwhile; `None` if there is none. `act` must not call the host, nor take a handle.
    pub(crate) fn with_object_home<R>(
        &self,
        object: GcRef,
        act: impl FnOnce(NonNull<Instance>) -> R,
    ) -> Option<R> {
        self.object_heaps().with_home(heap_number(object), act)
    }
}
