//! One heap: its source of memory, its ledger and its handles.

use super::config::{FailRule, HeapConfig, HeapError, HeapStats, Leak, PoolInfo, Usage};
use super::header::{LINEAR, Owner};
use super::ledger::Ledger;
use super::pool::Pool;
use super::source::{self, Fill, Source, SystemSource};
use super::user::UserSource;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::alloc::{GlobalAlloc, Layout, System};
use std::ops::Deref;
use std::ptr::{self, NonNull, null_mut};

/// Where blocks come from.
#[expect(clippy::large_enum_variant, reason = "a pool's state is never moved once it is made")]
pub(super) enum Backend {
    System,
    User(UserSource),
    Pool(Pool),
}

/// A heap. It lives in the system's memory, reached through [`HeapRef`]s and through the headers
/// of its blocks, until the last of both is gone.
///
/// Aligned so that the low bits of its address can carry flags in a header.
#[repr(align(64))]
pub struct Heap {
    /// Handles, plus one while any block is live.
    refs: AtomicUsize,
    pub(super) ledger: Ledger,
    pub(super) over_limit: AtomicU64,
    failing: Option<Failing>,
    pub(super) backend: Backend,
}

/// State of a [`HeapConfig::Failing`] heap.
struct Failing {
    rule: FailRule,
    seen: AtomicU64,
}

impl Failing {
    /// Counts one allocation; true if it is to fail.
    fn refuses_next(&self) -> bool {
        let number = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        match self.rule {
            FailRule::Once(at) => number == at,
            FailRule::From(at) => number >= at,
        }
    }
}

impl Heap {
    /// Makes a heap. With a quota, the sum of its live blocks' sizes stays within it, except for
    /// over-limit allocations of infallible code.
    ///
    /// Its cost does not depend on the size of a pool.
    #[expect(clippy::new_ret_no_self, reason = "heaps are only ever held by counted handles")]
    pub fn new(config: HeapConfig, quota_bytes: Option<u64>) -> Result<HeapRef, HeapError> {
        let (config, failing) = match config {
            HeapConfig::Failing { inner, rule } => {
                (*inner, Some(Failing { rule, seen: AtomicU64::new(0) }))
            }
            config => (config, None),
        };
        let backend = match config {
            HeapConfig::System => Backend::System,
            HeapConfig::User(allocator) => Backend::User(UserSource::new(allocator)),
            HeapConfig::Pool(buffer) => Backend::Pool(Pool::new(buffer)?),
            HeapConfig::Failing { .. } => return Err(HeapError::NestedFailing),
            HeapConfig::Made(_) => return Err(HeapError::Made),
        };
        let layout = Layout::new::<Self>();
        // SAFETY: the layout's size is not zero. The system is asked directly, so that a heap
        // is never inside another.
        let place = unsafe { System.alloc(layout) }.cast::<Self>();
        let heap = NonNull::new(place).ok_or(HeapError::OutOfMemory)?;
        // SAFETY: fresh memory of this layout.
        unsafe {
            heap.write(Self {
                refs: AtomicUsize::new(1),
                ledger: Ledger::new(quota_bytes),
                over_limit: AtomicU64::new(0),
                failing,
                backend,
            });
        }
        Ok(HeapRef(heap))
    }

    /// A block of `size` bytes, at least 16-aligned; null when the heap is exhausted. A block of
    /// zero bytes is one of one byte.
    #[inline]
    pub fn alloc(&self, size: usize, align: usize) -> *mut u8 {
        self.alloc_block(size, align, Fill::Any, 0)
    }

    /// [`Heap::alloc`] with all bytes zero.
    #[inline]
    pub fn alloc_zeroed(&self, size: usize, align: usize) -> *mut u8 {
        self.alloc_block(size, align, Fill::Zero, 0)
    }

    /// Whether large blocks of zeros take no time: the system has them.
    pub fn has_zeros(&self) -> bool {
        matches!(self.backend, Backend::System)
    }

    /// [`Heap::alloc_zeroed`] for a purpose, which callbacks that want to know it receive.
    pub fn alloc_for(&self, usage: Usage, size: usize, align: usize) -> *mut u8 {
        let flags = if usage == Usage::LinearMemory { LINEAR } else { 0 };
        self.alloc_block(size, align, Fill::Zero, flags)
    }

    pub fn stats(&self) -> HeapStats {
        HeapStats {
            live_bytes: self.ledger.live_bytes(),
            peak_bytes: self.ledger.peak_bytes(),
            live_blocks: self.ledger.live_blocks(),
            over_limit: self.over_limit.load(Ordering::Relaxed),
        }
    }

    pub fn quota_bytes(&self) -> Option<u64> {
        self.ledger.quota_bytes()
    }

    /// Changes the quota. Live blocks stay, even beyond it.
    pub fn set_quota_bytes(&self, quota_bytes: Option<u64>) {
        self.ledger.set_quota_bytes(quota_bytes);
    }

    /// The room in the pool; `None` for other heaps.
    pub fn pool_info(&self) -> Option<PoolInfo> {
        match &self.backend {
            Backend::Pool(pool) => Some(pool.info()),
            _ => None,
        }
    }

    /// Whether the embedder's allocator receives the purpose of blocks, and so expects to see
    /// linear memories.
    pub fn wants_memories(&self) -> bool {
        matches!(&self.backend, Backend::User(user) if user.wants_usage())
    }

    /// Whether [`Heap::realloc`] can resize this heap's blocks.
    pub fn has_realloc(&self) -> bool {
        match &self.backend {
            Backend::User(user) => user.has_realloc(),
            Backend::System | Backend::Pool(_) => true,
        }
    }

    /// Charges memory that is held for this heap but not taken from it, such as mapped pages;
    /// false if the quota does not allow it.
    pub fn charge(&self, bytes: u64) -> bool {
        self.change_ledger(|ledger| ledger.charge(bytes))
    }

    /// Takes back a [`Heap::charge`].
    pub fn discharge(&self, bytes: u64) {
        self.change_ledger(|ledger| ledger.discharge(bytes));
    }

    /// Lets go of a pool's buffer and returns the count of blocks still allocated in it. Its blocks
    /// become invalid: freeing one is refused for as long as the buffer can be read. Later
    /// allocations fail. A heap without a buffer only reports; its blocks stay.
    ///
    /// # Safety
    /// Nothing inside the buffer is used any more.
    pub unsafe fn retire(&self) -> Leak {
        let Backend::Pool(pool) = &self.backend else {
            let stats = self.stats();
            return Leak { live_bytes: stats.live_bytes, live_blocks: stats.live_blocks };
        };
        let (leak, was_last) = pool.retire(&self.ledger);
        if was_last {
            // SAFETY: the reference that stood for the blocks; the caller has another one, or
            // it could not call this.
            unsafe { Self::release_ref(self) };
        }
        leak
    }

    /// Counts one allocation of a [`HeapConfig::Failing`] heap; true if it is to fail.
    #[inline]
    pub(super) fn refuses_next(&self) -> bool {
        self.failing.as_ref().is_some_and(Failing::refuses_next)
    }

    /// Runs `f` on the heap's ledger, under the pool's lock if the heap has one.
    pub(super) fn change_ledger<R>(&self, f: impl FnOnce(&Ledger) -> R) -> R {
        match &self.backend {
            Backend::Pool(pool) => pool.exclusively(|| f(&self.ledger)),
            _ => f(&self.ledger),
        }
    }

    #[inline]
    pub(super) fn alloc_block(&self, size: usize, align: usize, fill: Fill, flags: u64) -> *mut u8 {
        if self.refuses_next() || !align.is_power_of_two() {
            return null_mut();
        }
        let size = size.max(1);
        match &self.backend {
            Backend::System => self.alloc_from(&SystemSource, size, align, fill, flags),
            Backend::User(user) => self.alloc_from(user, size, align, fill, flags),
            Backend::Pool(pool) => self.alloc_in(pool, size, align, fill, flags, 0),
        }
    }

    fn alloc_from(
        &self,
        source: &impl Source,
        size: usize,
        align: usize,
        fill: Fill,
        flags: u64,
    ) -> *mut u8 {
        if !self.ledger.charge(size as u64) {
            return null_mut();
        }
        let block = source::place(source, self.owner(), size, align, fill, flags);
        if block.is_null() {
            self.ledger.discharge(size as u64);
        } else if self.ledger.open_block() {
            self.retain();
        }
        block
    }

    /// A block of `pool`, which is this heap's. `credit` bytes need no quota.
    pub(super) fn alloc_in(
        &self,
        pool: &Pool,
        size: usize,
        align: usize,
        fill: Fill,
        flags: u64,
        credit: usize,
    ) -> *mut u8 {
        let Some((block, is_first)) =
            pool.alloc(self.owner(), &self.ledger, size, align, flags, credit)
        else {
            return null_mut();
        };
        if is_first {
            self.retain();
        }
        if fill == Fill::Zero {
            // SAFETY: the block has `size` bytes and is ours to give.
            unsafe { block.write_bytes(0, size) };
        }
        block
    }

    /// This heap as owner in its blocks' headers.
    pub(super) fn owner(&self) -> Owner {
        Owner(ptr::from_ref(self).cast())
    }

    /// The heap that a block belongs to, if it is some heap's.
    ///
    /// # Safety
    /// `owner` comes from the header of a block that is live as long as the result is used.
    pub(super) unsafe fn of_owner<'a>(owner: Owner) -> Option<&'a Self> {
        // SAFETY: headers name a heap by `Heap::owner`, or none; a heap lives until its last block
        // is gone, and by this function's contract the block is live.
        unsafe { owner.0.cast::<Self>().as_ref() }
    }

    pub(super) fn retain(&self) {
        self.refs.fetch_add(1, Ordering::Relaxed);
    }

    /// Gives up one reference; the last one ends the heap.
    ///
    /// # Safety
    /// The caller owns a reference and does not use the heap afterwards.
    pub(super) unsafe fn release_ref(heap: *const Self) {
        // SAFETY: the caller's reference keeps the heap alive up to here.
        if unsafe { &*heap }.refs.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        // SAFETY: with the last reference gone nobody else can end the heap. This load synchronises
        // with every other owner's decrement, in a form that race detectors understand.
        unsafe { &*heap }.refs.load(Ordering::Acquire);
        // SAFETY: no handle and no block is left, so nobody can reach the heap; it was made in
        // `new` with this layout.
        unsafe {
            ptr::drop_in_place(heap.cast_mut());
            System.dealloc(heap as *mut u8, Layout::new::<Self>());
        }
    }
}

/// A counted handle of a [`Heap`].
pub struct HeapRef(NonNull<Heap>);

// SAFETY: a heap's counters are atomic, its pool is locked, and user callbacks may be called on
// any thread (`UserAllocator::new`).
unsafe impl Send for HeapRef {}
// SAFETY: shared access goes to atomic counters, a locked pool and callbacks for any thread.
unsafe impl Sync for HeapRef {}

impl HeapRef {
    /// The heap's address, by which it becomes a thread's current heap.
    #[inline]
    pub fn as_ptr(&self) -> *const Heap {
        self.0.as_ptr()
    }

    /// A new handle of the heap at `heap`, which the caller keeps alive meanwhile.
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
