//! Shared linear memories: the bytes that instances of several link sets, on several threads, have
//! in common.
//!
//! Each instance has a [`Memory`](super::Memory) of its own that holds a count of the
//! [`SharedMemory`], and running code's view of it belongs to that instance's thread alone. The
//! bytes are reserved up to the maximum, so they never move; the length only rises, and a view that
//! has missed a growth is short, never wrong. The waiters at its addresses are kept here too.

use super::app_heap::AppHeap;
use super::memory::{GrowError, MemorySize, MemorySource};
use super::pool::Reservation;
use crate::abi::types::MemoryType;
use crate::alloc::{Heap, Usage};
use crate::sync::{Lock, WaitQueue};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes of a shared memory. Owner: all memories and handles that count it.
pub struct SharedMemory {
    base: *mut u8,
    /// Accessible bytes. Only ever raised, under the lock of `storage`.
    len_bytes: AtomicUsize,
    ty: MemoryType,
    size: MemorySize,
    source: MemorySource,
    storage: Lock<Storage>,
    /// The heap that the host allocates from, if the instance that made the memory has one.
    app_heap: Lock<Option<AppHeap>>,
    /// The waiters at its addresses.
    pub wait_queue: WaitQueue,
}

enum Storage {
    Mapped(Option<Reservation>),
    /// A block as long as the memory can get.
    Heap(NonNull<u8>),
}

// SAFETY: a heap's block may be freed on any thread; reservations are `Send`.
unsafe impl Send for Storage {}
// SAFETY: `base` is memory that guests of several threads use at once, by design; Rust code never
// makes references into it. Everything else is immutable, atomic or locked.
unsafe impl Send for SharedMemory {}
// SAFETY: guests access `base`'s bytes on several threads by design, without Rust references;
// everything else is immutable, atomic or locked.
unsafe impl Sync for SharedMemory {}

impl SharedMemory {
    /// Makes a shared memory; `None` if memory or addresses ran out.
    pub fn new(source: &MemorySource, ty: MemoryType, size: MemorySize) -> Option<Self> {
        let len = usize::try_from(size.pages.checked_mul(size.page_bytes)?).ok()?;
        let max = usize::try_from(size.max_pages.checked_mul(size.page_bytes)?).ok()?;
        let (storage, base) = make_storage(source, len, max)?;
        Some(Self {
            base,
            len_bytes: AtomicUsize::new(len),
            ty,
            size,
            source: source.clone(),
            storage: Lock::new(storage),
            app_heap: Lock::new(None),
            wait_queue: WaitQueue::new(),
        })
    }

    pub fn base(&self) -> *mut u8 {
        self.base
    }

    pub fn ty(&self) -> MemoryType {
        self.ty
    }

    /// Accessible bytes now.
    pub fn len_bytes(&self) -> usize {
        self.len_bytes.load(Ordering::Acquire)
    }

    pub fn page_bytes(&self) -> u64 {
        self.size.page_bytes
    }

    pub fn max_pages(&self) -> u64 {
        self.size.max_pages
    }

    /// Adds pages and returns how many there were.
    pub(super) fn grow(&self, pages: u64) -> Result<u64, GrowError> {
        let mut storage = self.storage.lock();
        let len = self.len_bytes();
        let old = len as u64 / self.size.page_bytes;
        let new = old.checked_add(pages).filter(|&new| new <= self.size.max_pages);
        let bytes = new.ok_or(GrowError::Max)?.checked_mul(self.size.page_bytes);
        let bytes = bytes.and_then(|bytes| usize::try_from(bytes).ok());
        let bytes = bytes.ok_or(GrowError::Exhausted)?;
        if let Storage::Mapped(Some(reservation)) = &mut *storage {
            let more = (bytes - len) as u64;
            if !self.source.heap.charge(more) {
                return Err(GrowError::Exhausted);
            }
            if !reservation.resize(bytes) {
                self.source.heap.discharge(more);
                return Err(GrowError::Exhausted);
            }
        }
        self.len_bytes.store(bytes, Ordering::Release);
        Ok(old)
    }

    /// Gives the memory the heap that the host allocates from.
    pub(super) fn set_app_heap(&self, heap: AppHeap) {
        *self.app_heap.lock() = Some(heap);
    }

    /// Runs `act` on the heap that the host allocates from, if there is one.
    pub(super) fn with_app_heap<T>(&self, act: impl FnOnce(&mut AppHeap) -> T) -> Option<T> {
        self.app_heap.lock().as_mut().map(act)
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        let bytes = self.len_bytes() as u64;
        match &mut *self.storage.lock() {
            Storage::Mapped(reservation) => {
                self.source.heap.discharge(bytes);
                if let (Some(pool), Some(reservation)) = (&self.source.pool, reservation.take()) {
                    pool.put(reservation);
                }
            }
            Storage::Heap(block) => {
                // SAFETY: the block is this memory's own, and its users are gone.
                unsafe { Heap::free(block.as_ptr()) };
            }
        }
    }
}

fn make_storage(source: &MemorySource, len: usize, max: usize) -> Option<(Storage, *mut u8)> {
    if let Some(pool) = &source.pool
        && source.heap.charge(len as u64)
    {
        if let Some(reservation) = pool.take(len, max) {
            let base = reservation.base().as_ptr();
            return Some((Storage::Mapped(Some(reservation)), base));
        }
        source.heap.discharge(len as u64);
    }
    // It cannot move later, so all of it is needed now.
    let block = NonNull::new(source.heap.alloc_for(Usage::LinearMemory, max.max(len), 16))?;
    Some((Storage::Heap(block), block.as_ptr()))
}
