//! Handles of a heap.

use super::heap::Heap;
use std::ops::Deref;
use std::ptr::NonNull;

/// A counted handle of a [`Heap`].
pub struct HeapRef(pub(super) NonNull<Heap>);

// SAFETY: a heap's counters are atomic, its pool is locked, and user callbacks may be called on
// any thread (`UserAllocator::new`).
unsafe impl Send for HeapRef {}
// SAFETY: as above.
unsafe impl Sync for HeapRef {}

impl HeapRef {
    /// The heap's address, for whoever makes it a thread's current heap.
    #[inline]
    pub fn as_ptr(&self) -> *const Heap {
        self.0.as_ptr()
    }

    /// A handle of the heap at `heap`, which somebody made current or otherwise keeps alive.
    ///
    /// # Safety
    /// `heap` is a live heap.
    pub unsafe fn from_ptr(heap: NonNull<Heap>) -> Self {
        // SAFETY: live, as promised.
        unsafe { heap.as_ref() }.retain();
        Self(heap)
    }
}

impl Clone for HeapRef {
    fn clone(&self) -> Self {
        self.retain();
        Self(self.0)
    }
}

impl Drop for HeapRef {
    fn drop(&mut self) {
        // SAFETY: this handle's reference, not used again.
        unsafe { Heap::release_ref(self.0.as_ptr()) };
    }
}

impl Deref for HeapRef {
    type Target = Heap;

    #[inline]
    fn deref(&self) -> &Heap {
        // SAFETY: a handle keeps its heap alive.
        unsafe { self.0.as_ref() }
    }
}
