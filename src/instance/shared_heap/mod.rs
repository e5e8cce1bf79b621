//! Shared heaps: memory that several instances reach, each at the end of its address space.
//!
//! A heap is pages of the runtime's with an allocator inside, or a buffer of the embedder's.
//! Heaps form chains: the last one ends where the address space ends, those before it lie right
//! in front of it. Attaching the head of a chain to an instance makes all of it reachable; no
//! access may straddle two heaps.
//!
//! It knows instances only to attach to them, and no context: [`SharedHeaps`] (`table.rs`) is a
//! context's table of them, and the only way to change a chain or an attachment. Guest code enters
//! through `address_space`, without any lock: a chain does not change while it is attached, and its
//! heaps are kept by the table, by the attachment, and by the heap before.

mod table;

pub use table::SharedHeaps;

use super::address_space::Span;
use super::app_heap::AppHeap;
use super::memory::{MemorySource, Storage, make_storage};
use crate::abi::types::MemoryType;
use crate::platform::pages;
use crate::sync::Lock;
use std::iter;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

/// WAMR's limits on a heap's size.
const BYTES_MIN: u32 = 256;
const BYTES_MAX: u32 = 1 << 30;

/// The range of 32-bit addresses, in bytes.
const ADDRESSES_32: u64 = 1 << 32;

/// A shared heap. Owners: the table of its context, the instances that it is attached to, and the
/// heap before it in its chain.
pub struct SharedHeap {
    base: NonNull<u8>,
    len: u32,
    /// Bytes from the heap's start to the end of the address space: its own and those of the
    /// heaps behind it.
    depth: AtomicU64,
    /// The heap behind this one, or null; from `Arc::into_raw`.
    next: AtomicPtr<SharedHeap>,
    /// Instances that this heap, as the head of its chain, is attached to.
    attached: AtomicUsize,
    /// Of a heap in the runtime's own memory.
    managed: Option<Managed>,
    source: MemorySource,
}

struct Managed {
    allocator: Lock<AppHeap>,
    storage: Storage,
}

// SAFETY: the base is memory that the heap owns or that the embedder promised to leave to it; the
// pages' reservation and the source may go to any thread, and everything that changes is atomic
// or locked.
unsafe impl Send for SharedHeap {}
// SAFETY: the storage is only read through a shared reference, and everything that changes is
// atomic or locked.
unsafe impl Sync for SharedHeap {}

/// Why something was not done to a shared heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Size,
    BufferSize,
    OutOfMemory,
    /// The heap is not one of this context's.
    Foreign,
    Invalid,
    ChainAttached,
    AlreadyBody,
    AlreadyHead,
    TwoManaged,
    NoChain,
    UnchainAttached,
    ResetAttached,
    NoMemory,
    Overlap,
    AlreadyAttached,
}

impl Refusal {
    pub fn text(self) -> &'static str {
        match self {
            Self::Size => "Invalid size of shared heap",
            Self::BufferSize => {
                "Pre allocated size need to be aligned with system page size to create shared heap"
            }
            Self::OutOfMemory => "Allocate memory failed",
            Self::Foreign => "the shared heap belongs to another runtime",
            Self::Invalid => "Invalid shared heap to chain.",
            Self::ChainAttached => {
                "To create shared heap chain, all shared heap need to be detached first."
            }
            Self::AlreadyBody => {
                "To create shared heap chain, both the 'head' and 'body' shared heap can't \
                 already be the 'body' in another a chain"
            }
            Self::AlreadyHead => {
                "To create shared heap chain, the 'head' shared heap can't already be the 'head' \
                 in another a chain"
            }
            Self::TwoManaged => {
                "To create shared heap chain, only one of shared heap can dynamically \
                 shared_heap_malloc and shared_heap_free, the rest can only be pre-allocated \
                 shared heap"
            }
            Self::NoChain => "Invalid shared heap chain to disconnect the head from.",
            Self::UnchainAttached => {
                "To disconnect the shared heap head from the shared heap chain, the shared heap \
                 chain needs to be detached first."
            }
            Self::ResetAttached => "the shared heap chain needs to be detached first",
            Self::NoMemory => "the instance has no memory",
            Self::Overlap => "Linear memory address is overlapped with shared heap",
            Self::AlreadyAttached => "A shared heap is already attached",
        }
    }
}

/// The end of the address space of a memory, modulo 2^64.
fn end_of(memory: MemoryType) -> u64 {
    if memory.memory64 { 0 } else { ADDRESSES_32 }
}

impl SharedHeap {
    /// Bytes that a heap of at least `size` bytes has: whole pages.
    pub fn len_for(size: u32) -> Result<u32, Refusal> {
        let page = u32::try_from(pages::page_size()).map_err(|_| Refusal::Size)?;
        let len = size.checked_next_multiple_of(page).ok_or(Refusal::Size)?;
        if (BYTES_MIN..=BYTES_MAX).contains(&len) { Ok(len) } else { Err(Refusal::Size) }
    }

    /// A heap of `len` bytes, as [`SharedHeap::len_for`] says, in memory of its own.
    pub fn new(source: MemorySource, len: u32) -> Result<Self, Refusal> {
        let bytes = len as usize;
        let (storage, base) = make_storage(&source, bytes, bytes).ok_or(Refusal::OutOfMemory)?;
        // SAFETY: the storage has as many bytes, all through the heap's life.
        let allocator = unsafe { AppHeap::new(base, 0, len as u64) };
        match (allocator, NonNull::new(base)) {
            (Some(allocator), Some(base)) => {
                let managed = Managed { allocator: Lock::new(allocator), storage };
                Ok(Self::with(source, base, len, Some(managed)))
            }
            _ => {
                storage.give_back(&source, bytes);
                Err(Refusal::Size)
            }
        }
    }

    /// A heap over `len` bytes of the embedder's, as [`SharedHeap::len_for`] says.
    ///
    /// # Safety
    /// The bytes stay readable and writable, on any thread, while the heap lives.
    pub unsafe fn over(source: MemorySource, base: NonNull<u8>, len: u32) -> Self {
        Self::with(source, base, len, None)
    }

    fn with(source: MemorySource, base: NonNull<u8>, len: u32, managed: Option<Managed>) -> Self {
        Self {
            base,
            len,
            depth: AtomicU64::new(len as u64),
            next: AtomicPtr::new(ptr::null_mut()),
            attached: AtomicUsize::new(0),
            managed,
            source,
        }
    }

    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    pub fn len_bytes(&self) -> u32 {
        self.len
    }

    /// This heap and those behind it.
    fn chain(&self) -> impl Iterator<Item = &Self> {
        // SAFETY: the pointer is null or holds a count, and the code that takes it out keeps the
        // heap in the table; see the module's comment.
        iter::successors(Some(self), |heap| unsafe { heap.next.load(Ordering::Acquire).as_ref() })
    }

    /// The guest's address of this heap in a memory of this type.
    pub fn start(&self, memory: MemoryType) -> u64 {
        end_of(memory).wrapping_sub(self.depth.load(Ordering::Relaxed))
    }

    /// The heap of this chain that `address` lies in.
    pub fn span(&self, memory: MemoryType, address: u64) -> Option<Span> {
        let spans = self.chain().map(|heap| Span {
            start: heap.start(memory),
            base: heap.base.as_ptr(),
            len_bytes: heap.len as u64,
        });
        spans.into_iter().find(|span| span.contains(address))
    }

    /// The guest's address of `len` bytes at `native`, if one heap of this chain has them all.
    pub fn address_of(&self, memory: MemoryType, native: usize, len: u64) -> Option<u64> {
        self.chain().find_map(|heap| {
            let offset = native.checked_sub(heap.base.as_ptr() as usize)? as u64;
            let end = offset.checked_add(len.max(1))?;
            (end <= heap.len as u64).then(|| heap.start(memory).wrapping_add(offset))
        })
    }

    /// The heap of this chain that has an allocator.
    fn managed(&self) -> Option<(&Self, &Managed)> {
        self.chain().find_map(|heap| Some((heap, heap.managed.as_ref()?)))
    }

    /// Allocates from the chain: the guest's address and the native one.
    pub(super) fn alloc(&self, memory: MemoryType, size: u64) -> Option<(u64, NonNull<u8>)> {
        let Some((heap, managed)) = self.managed() else {
            log::warn!("Can't allocate from pre allocated shared heap");
            return None;
        };
        // SAFETY: the heap was made over these bytes.
        let offset = unsafe { managed.allocator.lock().alloc(heap.base.as_ptr(), size) }.ok()?;
        let native = heap.base.as_ptr().wrapping_add(offset as usize);
        Some((heap.start(memory).wrapping_add(offset), NonNull::new(native)?))
    }

    /// Frees a block of `alloc`. Other addresses are ignored.
    pub(super) fn free(&self, memory: MemoryType, address: u64) {
        let Some((heap, managed)) = self.managed() else {
            log::warn!("The address to free is from pre allocated shared heap");
            return;
        };
        let offset = address.checked_sub(heap.start(memory));
        match offset.filter(|&offset| offset < heap.len as u64) {
            // SAFETY: the heap was made over these bytes.
            Some(offset) => unsafe { managed.allocator.lock().free(heap.base.as_ptr(), offset) },
            None => log::warn!("The address to free isn't in shared heap"),
        }
    }

    /// Makes the heap as it was when it was made: zero, and nothing allocated.
    fn reset(&self) -> Result<(), Refusal> {
        let Some(managed) = &self.managed else {
            // SAFETY: the embedder left these bytes to the heap, and no instance reaches them.
            unsafe { self.base.write_bytes(0, self.len as usize) };
            return Ok(());
        };
        let mut allocator = managed.allocator.lock();
        // SAFETY: the storage is this heap's, and no instance reaches it.
        unsafe { managed.storage.clear(self.base, self.len as usize) };
        // SAFETY: the storage has as many bytes, all through the heap's life.
        let fresh = unsafe { AppHeap::new(self.base.as_ptr(), 0, self.len as u64) };
        *allocator = fresh.ok_or(Refusal::Size)?;
        Ok(())
    }

    /// Counts another attachment of a heap that is attached, so that its chain does not change.
    pub(super) fn attach_once_more(&self) {
        self.attached.fetch_add(1, Ordering::AcqRel);
    }

    /// Ends one attachment.
    pub(super) fn detached(heap: Arc<Self>) {
        heap.attached.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for SharedHeap {
    fn drop(&mut self) {
        let mut next = *self.next.get_mut();
        if let Some(managed) = self.managed.take() {
            managed.storage.give_back(&self.source, self.len as usize);
        }
        // One after the other: a chain may be longer than the native stack is deep.
        while !next.is_null() {
            // SAFETY: a pointer in `next` holds a count, which is taken over here.
            match Arc::into_inner(unsafe { Arc::from_raw(next.cast_const()) }) {
                Some(mut last) => next = std::mem::replace(last.next.get_mut(), ptr::null_mut()),
                None => break,
            }
        }
    }
}
