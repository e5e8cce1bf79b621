//! Linear memories.

use super::Instance;
use super::pool::{MemoryPool, Reservation};
use super::shared_heap::Refusal;
use super::shared_memory::SharedMemory;
use crate::abi::error::Error;
use crate::abi::trap::Trap;
use crate::abi::types::{MemoryType, PAGE_SIZE};
use crate::abi::vm_layout::VmMemory;
use crate::alloc::{Heap, HeapRef, Usage};
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::Arc;

/// Where memories come from. Owner: the context; each instance has a copy.
#[derive(Clone)]
pub struct MemorySource {
    /// Mapped memory; `None` in a context whose memory must all come from its heap.
    pub pool: Option<Arc<MemoryPool>>,
    /// Used without a pool, and when mapping fails.
    pub heap: HeapRef,
}

/// The size that a memory starts with and may grow to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemorySize {
    pub page_bytes: u64,
    pub pages: u64,
    pub max_pages: u64,
}

/// A linear memory. Owner: the instance that defines it, in whose block it lies.
#[repr(C)]
pub struct Memory {
    /// First, so that running code's pointers lead here.
    vm: UnsafeCell<VmMemory>,
    ty: MemoryType,
    page_bytes: u64,
    max_pages: u64,
    instance: NonNull<Instance>,
    index: u32,
    storage: UnsafeCell<Storage>,
}

/// Where bytes for guests lie. Owner: a memory or a shared heap.
pub(super) enum Storage {
    /// No bytes, and none to come.
    Empty,
    Mapped(Reservation),
    /// A block of a heap; it moves when the memory grows.
    Heap(NonNull<u8>),
    /// Bytes that other instances have as well, of other threads too.
    Shared(Arc<SharedMemory>),
}

impl Storage {
    /// Returns `bytes` bytes, all there are, to where they came from.
    pub(super) fn give_back(self, source: &MemorySource, bytes: usize) {
        match self {
            Self::Empty | Self::Shared(_) => {}
            Self::Mapped(reservation) => {
                source.heap.discharge(bytes as u64);
                match &source.pool {
                    Some(pool) => pool.put(reservation),
                    None => drop(reservation),
                }
            }
            Self::Heap(block) => {
                // SAFETY: the block is this storage's own, and its users are gone.
                unsafe { Heap::free(block.as_ptr()) };
            }
        }
    }

    /// Zeroes the bytes, `len` at `base`.
    ///
    /// # Safety
    /// They are this storage's, and nobody uses their contents.
    pub(super) unsafe fn clear(&self, base: NonNull<u8>, len: usize) {
        let cleared = matches!(self, Self::Mapped(reservation) if reservation.clear());
        if !cleared {
            // SAFETY: the caller guarantees that the bytes are this storage's and unused.
            unsafe { base.write_bytes(0, len) };
        }
    }
}

/// Why a memory did not grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrowError {
    /// The maximum does not allow it.
    Max,
    /// There is no memory, or no permission to use more.
    Exhausted,
    /// The guest that asked for it is to stop; nothing has changed.
    Stopped(Trap),
}

/// Asked between the pieces of work that may take long, on behalf of a guest. An error ends it.
pub type Look<'a> = dyn FnMut() -> Result<(), Trap> + 'a;

/// Asked before each piece of the work of making an instance, with about as many bytes as are
/// written or looked at for the piece. An error ends it.
pub type Pace<'a> = dyn FnMut(usize) -> Result<(), Trap> + 'a;

/// Bytes that are moved between two looks.
pub const PIECE_BYTES: usize = 256 << 10;

impl Memory {
    /// Makes the memory that `instance` has under `index`; `None` if memory ran out. The memory
    /// is usable once it lies at its final address and `bind` has been called.
    pub fn new(
        source: &MemorySource,
        ty: MemoryType,
        size: MemorySize,
        instance: NonNull<Instance>,
        index: u32,
    ) -> Option<Self> {
        if ty.shared {
            let shared = SharedMemory::new(source, ty, size)?;
            return Some(Self::of_shared(Arc::new(shared), instance, index));
        }
        let len_bytes = usize::try_from(size.pages.checked_mul(size.page_bytes)?).ok()?;
        let max_bytes = usize::try_from(size.max_pages.checked_mul(size.page_bytes)?).ok()?;
        let (storage, base) = make_storage(source, len_bytes, max_bytes)?;
        Some(Self {
            vm: UnsafeCell::new(VmMemory { base, len_bytes, owner: ptr::null_mut() }),
            ty,
            page_bytes: size.page_bytes,
            max_pages: size.max_pages,
            instance,
            index,
            storage: UnsafeCell::new(storage),
        })
    }

    /// The memory that `instance` has under `index`, with bytes that others have too.
    pub fn of_shared(shared: Arc<SharedMemory>, instance: NonNull<Instance>, index: u32) -> Self {
        let (base, len_bytes) = (shared.base(), shared.len_bytes());
        Self {
            vm: UnsafeCell::new(VmMemory { base, len_bytes, owner: ptr::null_mut() }),
            ty: shared.ty(),
            page_bytes: shared.page_bytes(),
            max_pages: shared.max_pages(),
            instance,
            index,
            storage: UnsafeCell::new(Storage::Shared(shared)),
        }
    }

    /// The shared part of the memory, if it is shared.
    pub fn shared(&self) -> Option<&Arc<SharedMemory>> {
        // SAFETY: the kind of storage only changes when the memory is torn down.
        match unsafe { &*self.storage.get() } {
            Storage::Shared(shared) => Some(shared),
            _ => None,
        }
    }

    /// Makes running code's view as long as the memory is now: another thread may have grown it.
    pub fn refresh(&self) {
        if let Some(shared) = self.shared() {
            // SAFETY: the view is only written on the thread that uses the link set.
            unsafe { (*self.vm.get()).len_bytes = shared.len_bytes() }
        }
    }

    /// Sets the owner in running code's view. Called once, at the final address.
    pub fn bind(&self) {
        // SAFETY: nobody else looks at a memory that is still being made.
        unsafe { (*self.vm.get()).owner = ptr::from_ref(self).cast_mut().cast::<c_void>() }
    }

    /// Running code's view of this memory.
    pub fn vm(&self) -> *mut VmMemory {
        self.vm.get()
    }

    pub fn ty(&self) -> MemoryType {
        self.ty
    }

    pub fn instance(&self) -> NonNull<Instance> {
        self.instance
    }

    pub fn base(&self) -> *mut u8 {
        // SAFETY: the view is only written by `grow`, on the thread that uses the link set.
        unsafe { (*self.vm.get()).base }
    }

    /// Accessible bytes now; running code's view of a shared memory may lag behind.
    pub fn len_bytes(&self) -> usize {
        match self.shared() {
            Some(shared) => shared.len_bytes(),
            // SAFETY: the view is only written by `grow`, on the thread that uses the link set.
            None => unsafe { (*self.vm.get()).len_bytes },
        }
    }

    pub fn page_bytes(&self) -> u64 {
        self.page_bytes
    }

    pub fn pages(&self) -> u64 {
        self.len_bytes() as u64 / self.page_bytes
    }

    pub fn max_pages(&self) -> u64 {
        self.max_pages
    }

    /// Where `len` bytes at `address` are now, if they are all there.
    pub fn range(&self, address: u64, len: u64) -> Option<*mut u8> {
        let end = address.checked_add(len)?;
        (end <= self.len_bytes() as u64).then(|| self.base().wrapping_add(address as usize))
    }

    /// Adds pages for the guest code that runs on `exec_env`, null for the embedder, and returns
    /// how many there were. The host hears of failures.
    pub fn grow_for(
        &self,
        exec_env: *mut c_void,
        pages: u64,
        look: &mut Look<'_>,
    ) -> Result<u64, GrowError> {
        let grown = self.grow_with(pages, look);
        if let Err(error @ (GrowError::Max | GrowError::Exhausted)) = grown {
            // SAFETY: a memory lies in its instance's block.
            let instance = unsafe { self.instance.as_ref() };
            instance.host().memory_grow_failed(&GrowFailure {
                instance: self.instance,
                exec_env,
                memory: self.index,
                pages,
                current_bytes: self.len_bytes() as u64,
                error,
            });
        }
        grown
    }

    /// Adds pages and returns how many there were.
    pub fn grow(&self, pages: u64) -> Result<u64, GrowError> {
        self.grow_with(pages, &mut || Ok(()))
    }

    fn grow_with(&self, pages: u64, look: &mut Look<'_>) -> Result<u64, GrowError> {
        if let Some(shared) = self.shared() {
            let old = shared.grow(pages);
            self.refresh();
            return old;
        }
        let old = self.pages();
        if pages == 0 {
            return Ok(old);
        }
        let new = old.checked_add(pages).filter(|&new| new <= self.max_pages);
        let bytes = new.ok_or(GrowError::Max)?.checked_mul(self.page_bytes);
        let bytes = bytes.and_then(|bytes| usize::try_from(bytes).ok());
        let bytes = bytes.ok_or(GrowError::Exhausted)?;
        // SAFETY: a memory lies in its instance's block.
        let instance = unsafe { self.instance.as_ref() };
        if self.index == 0 && instance.overlaps_shared_heap(bytes) {
            log::warn!("{}", Refusal::Overlap.text());
            return Err(GrowError::Exhausted);
        }
        let heap = instance.heap();
        // SAFETY: only the thread that uses the link set gets here, and nothing below calls back.
        let (storage, vm) = unsafe { (&mut *self.storage.get(), &mut *self.vm.get()) };
        match storage {
            Storage::Mapped(reservation) => {
                let more = (bytes - vm.len_bytes) as u64;
                if !heap.charge(more) {
                    return Err(GrowError::Exhausted);
                }
                if !reservation.resize(bytes) {
                    heap.discharge(more);
                    return Err(GrowError::Exhausted);
                }
            }
            Storage::Heap(block) => {
                grow_block(heap, block, vm.len_bytes, bytes, look)?;
                vm.base = block.as_ptr();
            }
            Storage::Empty | Storage::Shared(_) => return Err(GrowError::Max),
        }
        vm.len_bytes = bytes;
        Ok(old)
    }

    /// Returns the bytes to where they came from.
    pub fn tear_down(&mut self, source: &MemorySource) {
        let vm = self.vm.get_mut();
        let bytes = vm.len_bytes;
        (vm.base, vm.len_bytes) = (ptr::without_provenance_mut(PAGE_SIZE), 0);
        std::mem::replace(self.storage.get_mut(), Storage::Empty).give_back(source, bytes);
    }
}

/// A failed growth, for the host's callback.
pub struct GrowFailure {
    pub instance: NonNull<Instance>,
    /// The exec_env of the guest code that grows the memory, as C code knows it; null for the
    /// embedder.
    pub exec_env: *mut c_void,
    pub memory: u32,
    pub pages: u64,
    pub current_bytes: u64,
    pub error: GrowError,
}

/// Zeroed storage of `len` bytes that can grow to `max`, and where it lies.
pub(super) fn make_storage(
    source: &MemorySource,
    len: usize,
    max: usize,
) -> Option<(Storage, *mut u8)> {
    if max == 0 && len == 0 {
        // Never read, but not null either: C code takes null for "no memory".
        return Some((Storage::Empty, ptr::without_provenance_mut(PAGE_SIZE)));
    }
    if let Some(pool) = &source.pool
        && source.heap.charge(len as u64)
    {
        if let Some(reservation) = pool.take(len, max) {
            let base = reservation.base().as_ptr();
            return Some((Storage::Mapped(reservation), base));
        }
        source.heap.discharge(len as u64);
    }
    let block = NonNull::new(source.heap.alloc_for(Usage::LinearMemory, len, 16))?;
    Some((Storage::Heap(block), block.as_ptr()))
}

/// Makes `block` one of `new` bytes that starts with its `old` bytes and is zero behind them.
/// On failure it holds its old bytes, wherever it lies then.
fn grow_block(
    heap: &HeapRef,
    block: &mut NonNull<u8>,
    old: usize,
    new: usize,
    look: &mut Look<'_>,
) -> Result<(), GrowError> {
    // SAFETY: the block belongs to the memory that grows, which holds the only pointer into it that
    // outlives the call; pieces lie within the allocation.
    unsafe {
        if let Some(grown) = NonNull::new(Heap::realloc(block.as_ptr(), new)) {
            *block = grown;
        } else {
            // An embedder's allocator need not have `realloc`.
            let moved = heap.alloc_for(Usage::LinearMemory, new, 16);
            let moved = NonNull::new(moved).ok_or(GrowError::Exhausted)?;
            let copied = in_pieces(old, look, |at, len| {
                ptr::copy_nonoverlapping(block.as_ptr().add(at), moved.as_ptr().add(at), len);
            });
            if let Err(trap) = copied {
                Heap::free(moved.as_ptr());
                return Err(GrowError::Stopped(trap));
            }
            Heap::free(block.as_ptr());
            *block = moved;
        }
        let added = block.as_ptr().add(old);
        in_pieces(new - old, look, |at, len| ptr::write_bytes(added.add(at), 0, len))
            .map_err(GrowError::Stopped)
    }
}

/// Works on `count` elements of `bytes` bytes each in pieces: `piece` is given the number of its
/// first element and how many there are.
pub(super) fn paced(
    count: usize,
    bytes: usize,
    pace: &mut Pace<'_>,
    mut piece: impl FnMut(usize, usize) -> Result<(), Trap>,
) -> Result<(), Trap> {
    let most = PIECE_BYTES / bytes.max(1);
    for done in (0..count).step_by(most) {
        let now = (count - done).min(most);
        pace(now * bytes)?;
        piece(done, now)?;
    }
    Ok(())
}

/// A block of zeros.
pub(super) fn zeroed(heap: &Heap, bytes: usize, pace: &mut Pace<'_>) -> Result<NonNull<u8>, Error> {
    if heap.has_zeros() {
        // The system knows how to for large tables.
        return NonNull::new(heap.alloc_zeroed(bytes, 16)).ok_or_else(Error::out_of_memory);
    }
    let block = NonNull::new(heap.alloc(bytes, 16)).ok_or_else(Error::out_of_memory)?;
    let cleared = paced(bytes, 1, pace, |at, now| {
        // SAFETY: the piece lies in the block, which was just made.
        unsafe { block.as_ptr().add(at).write_bytes(0, now) };
        Ok(())
    });
    cleared.map_err(|trap| {
        // SAFETY: nobody has seen the block.
        unsafe { Heap::free(block.as_ptr()) };
        Error::from(trap)
    })?;
    Ok(block)
}

/// Does `len` bytes' worth of work in pieces, with a look before each but the first.
pub(super) fn in_pieces(
    len: usize,
    look: &mut Look<'_>,
    mut piece: impl FnMut(usize, usize),
) -> Result<(), Trap> {
    let mut done = 0;
    while done < len {
        if done > 0 {
            look()?;
        }
        let now = (len - done).min(PIECE_BYTES);
        piece(done, now);
        done += now;
    }
    Ok(())
}
