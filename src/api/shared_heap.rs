//! Memory that several instances of a context share, beside their own.

use super::memory_pool::ContextPool;
use super::{Context, Error, Instance, Result};
use crate::context::{ContextData, ObjectKind, WeakContext};
use crate::instance::{self as parts, Refusal, SharedHeaps};
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;

/// The target of a [`SharedHeap`], for code that keeps bare pointers.
#[repr(C)]
pub struct RawSharedHeap {
    _opaque: [u8; 0],
}

/// A heap that instances of one context can reach at the end of their address space.
///
/// It belongs to its context and lives until that closes and nothing has it attached; handles
/// keep it too. It can be used from any thread.
///
/// ```
/// use isothread::{Context, Instance, InstanceArgs, Module};
///
/// let context = Context::new()?;
/// let module = Module::new(&context, &wat::parse_str("(module (memory 1))").unwrap())?;
/// let (first, second) = (
///     Instance::new(&module, InstanceArgs::default())?,
///     Instance::new(&module, InstanceArgs::default())?,
/// );
/// let heap = context.create_shared_heap(1 << 20)?;
/// first.attach_shared_heap(&heap)?;
/// second.attach_shared_heap(&heap)?;
/// let (address, native) = first.shared_heap_malloc(100).expect("room");
/// assert_eq!(second.addr_app_to_native(address), native.as_ptr().cast());
/// # Ok::<(), isothread::Error>(())
/// ```
#[derive(Clone)]
pub struct SharedHeap {
    part: Arc<parts::SharedHeap>,
    context: Context,
}

impl fmt::Debug for SharedHeap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedHeap").field("bytes", &self.len_bytes()).finish_non_exhaustive()
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::OutOfMemory => Self::out_of_memory(),
            other => Self::misuse(other.text()),
        }
    }
}

/// Owner: the context.
struct ContextHeaps {
    heaps: SharedHeaps,
    context: WeakContext,
}

impl ContextData for ContextHeaps {
    fn end(&self) {
        let count = self.heaps.clear();
        if let Some(context) = self.context.upgrade() {
            (0..count).for_each(|_| context.uncount_object(ObjectKind::SharedHeap));
        }
    }
}

impl Context {
    /// A heap of `size` bytes, rounded up to whole pages, from which guests and
    /// [`Instance::shared_heap_malloc`] allocate.
    pub fn create_shared_heap(&self, size: u32) -> Result<SharedHeap> {
        let len = self.shared_heap_len(size)?;
        let source = ContextPool::source(self)?;
        self.list_shared_heap(|| parts::SharedHeap::new(source, len))
    }

    /// A heap over a buffer of whole pages, from which nothing is allocated.
    ///
    /// # Safety
    /// `size` bytes at `buffer` are readable and writable, for all threads that run instances of
    /// this context, until the context and everything in it is gone.
    pub unsafe fn create_shared_heap_over(
        &self,
        buffer: NonNull<u8>,
        size: u32,
    ) -> Result<SharedHeap> {
        let len = self.shared_heap_len(size)?;
        if len != size {
            return Err(Refusal::BufferSize.into());
        }
        let source = ContextPool::source(self)?;
        // SAFETY: the caller guarantees that the bytes are readable and writable, for all threads
        // that run instances of this context, until everything in it is gone.
        self.list_shared_heap(|| Ok(unsafe { parts::SharedHeap::over(source, buffer, len) }))
    }

    fn shared_heap_len(&self, size: u32) -> Result<u32> {
        let len = parts::SharedHeap::len_for(size)?;
        if len != size {
            self.run(|| log::warn!("Shared heap size aligned from {size} to {len}"));
        }
        Ok(len)
    }

    fn list_shared_heap(
        &self,
        make: impl FnOnce() -> Result<parts::SharedHeap, Refusal>,
    ) -> Result<SharedHeap> {
        let part = self.guarded(|| make().map(Arc::new))??;
        let table = self.data_or_init(|| ContextHeaps {
            heaps: SharedHeaps::default(),
            context: self.downgrade(),
        })?;
        if !self.run(|| table.heaps.add(&part)) {
            return Err(Error::out_of_memory());
        }
        self.count_object(ObjectKind::SharedHeap);
        Ok(SharedHeap { part, context: self.clone() })
    }

    fn shared_heap(&self, heap: *const parts::SharedHeap) -> Option<SharedHeap> {
        let part = self.data::<ContextHeaps>()?.heaps.find(heap)?;
        Some(SharedHeap { part, context: self.clone() })
    }
}

impl SharedHeap {
    fn table(&self) -> Result<Arc<ContextHeaps>> {
        self.context.data().ok_or_else(|| Refusal::Foreign.into())
    }

    pub fn context(&self) -> &Context {
        &self.context
    }

    pub fn len_bytes(&self) -> u32 {
        self.part.len_bytes()
    }

    /// The first byte's native address.
    pub fn base_ptr(&self) -> *mut u8 {
        self.part.base().as_ptr()
    }

    /// Puts this heap in front of the chain that starts with `body`. None of them may be attached,
    /// or be in another chain's middle, and only one may have an allocator.
    pub fn chain(&self, body: &Self) -> Result<()> {
        if self.context != body.context {
            return Err(Refusal::Foreign.into());
        }
        let (head, body) = (Arc::as_ptr(&self.part), Arc::as_ptr(&body.part));
        Ok(self.table()?.heaps.chain(head, body)?)
    }

    /// Takes this heap off the chain that it is the head of, and returns the next one.
    pub fn unchain_head(&self) -> Result<Self> {
        let part = self.table()?.heaps.unchain_head(Arc::as_ptr(&self.part))?;
        Ok(Self { part, context: self.context.clone() })
    }

    /// Takes the chain that this heap is the head of apart, and returns its last heap.
    pub fn unchain_all(&self) -> Result<Self> {
        let part = self.table()?.heaps.unchain_all(Arc::as_ptr(&self.part))?;
        Ok(Self { part, context: self.context.clone() })
    }

    /// Zeroes this heap and those behind it and frees everything allocated from them. An error
    /// while any of them is attached.
    pub fn reset_chain(&self) -> Result<()> {
        Ok(self.table()?.heaps.reset(Arc::as_ptr(&self.part))?)
    }

    /// The heap's address, without a count.
    pub fn as_raw(&self) -> NonNull<RawSharedHeap> {
        NonNull::from(&*self.part).cast()
    }

    /// The heap with this address, if an open context has one. Any pointer may be asked for: it
    /// is compared, not followed.
    pub fn find(raw: *const RawSharedHeap) -> Option<Self> {
        let of = |context: Context| context.shared_heap(raw.cast());
        let current = Context::current().ok().and_then(of);
        current.or_else(|| Context::all().ok()?.into_iter().find_map(of))
    }
}

impl Instance {
    /// Makes the heap, and those chained to it, reachable for the guest: memory 0 must end
    /// before them, and none may be attached. Both must be of one context.
    pub fn attach_shared_heap(&self, heap: &SharedHeap) -> Result<()> {
        if heap.context != self.context() {
            return Err(Refusal::Foreign.into());
        }
        Ok(heap.table()?.heaps.attach(self.parts(), Arc::as_ptr(&heap.part))?)
    }

    /// Takes the shared heap away from the guest, if there is one.
    pub fn detach_shared_heap(&self) {
        self.context().run(|| self.parts().detach_shared_heap());
    }

    /// Allocates from the shared heap that is attached: the guest's address and the native one.
    pub fn shared_heap_malloc(&self, size: u64) -> Option<(u64, NonNull<u8>)> {
        self.context().run(|| self.parts().shared_heap_malloc(size))
    }

    /// Frees a block of [`Instance::shared_heap_malloc`], of any instance.
    pub fn shared_heap_free(&self, address: u64) {
        self.context().run(|| self.parts().shared_heap_free(address));
    }
}
