//! An instance's side of shared heaps: which one is attached, and allocating from it.

use super::Instance;
use super::memory::Memory;
use super::shared_heap::SharedHeap;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Instance {
    /// Attaches a heap that counts this attachment already; it comes back if there is one.
    pub(super) fn set_shared_heap(&self, heap: Arc<SharedHeap>) -> Result<(), Arc<SharedHeap>> {
        let raw = Arc::into_raw(heap).cast_mut();
        let place = &self.vm.shared_heap;
        let free = ptr::null_mut();
        match place.compare_exchange(free, raw.cast(), Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Ok(()),
            // SAFETY: the pointer was made above and has gone nowhere.
            Err(_) => Err(unsafe { Arc::from_raw(raw.cast_const()) }),
        }
    }

    /// Attaches the shared heap that is attached here to `child`, which is not in use yet.
    pub(super) fn share_heap_with(&self, child: &Self) {
        let heap = self.vm.shared_heap.load(Ordering::Acquire).cast_const().cast::<SharedHeap>();
        if heap.is_null() {
            return;
        }
        // SAFETY: a count of this instance's keeps the heap, which came from an `Arc`; nobody
        // detaches it from an instance that is starting a thread.
        let heap = unsafe {
            Arc::increment_strong_count(heap);
            Arc::from_raw(heap)
        };
        heap.attach_once_more();
        if let Err(heap) = child.set_shared_heap(heap) {
            SharedHeap::detached(heap);
        }
    }

    /// Takes the shared heap away, if there is one.
    pub fn detach_shared_heap(&self) {
        let heap = self.vm.shared_heap.swap(ptr::null_mut(), Ordering::AcqRel);
        if !heap.is_null() {
            // SAFETY: `set_shared_heap` put a count there, which the swap has taken out.
            SharedHeap::detached(unsafe { Arc::from_raw(heap.cast_const().cast()) });
        }
    }

    /// The heap that is attached, the first of its chain.
    pub fn shared_heap(&self) -> Option<&SharedHeap> {
        // SAFETY: null, or kept by the count that `set_shared_heap` put there.
        unsafe { self.vm.shared_heap.load(Ordering::Acquire).cast::<SharedHeap>().as_ref() }
    }

    fn attachment(&self) -> Option<(&SharedHeap, &Memory)> {
        Some((self.shared_heap()?, self.memory(0)?))
    }

    /// Whether a memory 0 of this length would reach into the shared heap.
    pub(super) fn overlaps_shared_heap(&self, bytes: usize) -> bool {
        let attached = self.attachment();
        attached.is_some_and(|(heap, memory)| bytes as u64 > heap.start(memory.ty()))
    }

    /// Allocates from the shared heap: the guest's address and the native one. A heap without an
    /// allocator is logged.
    pub fn shared_heap_malloc(&self, size: u64) -> Option<(u64, NonNull<u8>)> {
        let (heap, memory) = self.attachment()?;
        heap.alloc(memory.ty(), size)
    }

    /// Frees a block of [`Instance::shared_heap_malloc`]. Other addresses are logged.
    pub fn shared_heap_free(&self, address: u64) {
        if let Some((heap, memory)) = self.attachment() {
            heap.free(memory.ty(), address);
        }
    }
}
