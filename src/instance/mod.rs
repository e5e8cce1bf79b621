//! Instances: a module's memories, tables, globals and functions, and the host's data for them.
//!
//! An instance is one block: [`Instance`], whose first field is the part that running code reads,
//! followed by all items whose number the module fixes (`layout.rs`). It is made by
//! [`Instance::new`], which links it (`link.rs`) and copies its segments (`segments.rs`), and freed
//! with its link set (`link_set.rs`). Nothing here runs guest code, knows how code runs, or knows
//! contexts: [`Parts`] and [`Host`] bring in the services of those parts.
//!
//! One thread uses a link set at a time; callers begin a [`Use`](link_set::Use) first. Counting
//! handles and terminating may come from any thread: they lock.

pub mod address_space;
mod app_heap;
mod attachment;
mod build;
mod clear;
mod cluster;
mod code;
mod elem_objects;
mod envs;
mod exception;
mod globals;
mod guest_alloc;
mod heap_plan;
mod host;
mod layout;
mod link;
pub mod link_set;
mod memory;
mod object_types;
mod objects;
mod pool;
mod refs;
mod segments;
mod shared_heap;
mod shared_memory;
mod switch;
mod table;
mod tags;

use crate::abi::error::{Error, Result};
use crate::abi::vm_layout::{VmFuncRef, VmGlobal, VmInstance, VmMemory, VmProfile, VmTypes};
use crate::alloc::{Heap, HeapRef, try_vec};
use crate::module::{ExternKind, FuncRefs, Module};
use crate::sync::Lock;
use app_heap::AppHeap;
use elem_objects::ElemObjects;
use exception::Exception;
use layout::OwnParts;
use link_set::Membership;
use std::any::Any;
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

pub use app_heap::AppHeapError;
pub use cluster::{Cluster, JoinError, Life};
pub use code::{CodeTable, ImportEntries};
pub use envs::{CANCEL, EnvLink, Envs};
pub use exception::EXCEPTION_BYTES;
pub use guest_alloc::{GuestAllocator, constant_export};
pub use host::{Host, OutputWait, PreparedThread};
pub use link::{GlobalImport, Import, is_built_in_module};
pub use memory::{GrowError, GrowFailure, Memory, MemorySize, MemorySource, PIECE_BYTES, Pace};
pub use objects::{HEAP_NUMBERS, ObjectLimits, Slots, heap_number};
pub use pool::MemoryPool;
pub use refs::{any_env, for_each_externref};
pub use shared_heap::{Refusal, SharedHeap, SharedHeaps};
pub use shared_memory::SharedMemory;
pub use switch::switch_code;
pub use table::Table;

/// Words that the host can keep with an instance under numbers of its own.
pub const SLOTS: usize = 8;

/// The parameters of a new instance.
pub struct Parts<'a> {
    pub module: &'a Arc<Module>,
    /// Code of the functions, which `host` keeps alive.
    pub code: CodeTable,
    /// Canonical number of each of the module's types, which `host` keeps alive.
    pub type_ids: *const u32,
    /// All types of the instance's context, which `host` keeps alive.
    pub types: *const VmTypes,
    pub host: Arc<dyn Host>,
    pub source: &'a MemorySource,
    pub limits: InstanceLimits,
    pub custom_data: usize,
    pub host_state: Option<Box<dyn Any + Send + Sync>>,
}

/// Sizes that the embedder chooses.
#[derive(Clone, Copy, Debug, Default)]
pub struct InstanceLimits {
    /// Bytes of guest stack for the instance's own exec_env; 0 for the default.
    pub stack_bytes: u32,
    /// Bytes of the app heap; 0 for none.
    pub heap_bytes: u32,
    /// Lowers the maximum of memories, in pages of 64 KiB whatever theirs are; 0 for the module's
    /// own.
    pub max_memory_pages: u32,
}

/// An instance, at the start of its block. Owner: its link set.
#[repr(C)]
pub struct Instance {
    /// First, so that running code's pointers lead here.
    vm: VmInstance,
    /// The target of `memory0` when the module has no memory.
    no_memory: UnsafeCell<VmMemory>,
    exception: Exception,
    membership: Membership,
    /// The exec_envs that terminating must reach.
    pub envs: Envs,
    module: Arc<Module>,
    host: Arc<dyn Host>,
    source: MemorySource,
    limits: InstanceLimits,
    code: CodeTable,
    parts: OwnParts,
    /// Of a memory that is not shared. Embedders allocate while another thread runs the guest.
    app_heap: Lock<Option<AppHeap>>,
    elem_objects: ElemObjects,
    custom_data: AtomicUsize,
    slots: [AtomicUsize; SLOTS],
    exit_code: AtomicU32,
    /// Shared by the instances of a program's threads.
    host_state: OnceLock<Arc<dyn Any + Send + Sync>>,
    /// The cluster of the program's threads, once there are threads.
    cluster: OnceLock<Arc<Cluster>>,
    /// For `thread`: where in memory 0 the stack of this instance's thread was allocated.
    pub guest_stack: AtomicU64,
    /// An account for each function, if it measures.
    profile: OnceLock<Box<[VmProfile]>>,
    /// The instance's own exec_env and how to free it.
    singleton: AtomicPtr<c_void>,
    singleton_drop: OnceLock<unsafe fn(NonNull<c_void>)>,
}

impl Instance {
    /// The instance that running code knows as `vm`.
    ///
    /// # Safety
    /// `vm` is a live instance's.
    pub unsafe fn of_vm<'a>(vm: *const VmInstance) -> &'a Self {
        // SAFETY: every `VmInstance` is the first field of an `Instance`.
        unsafe { &*vm.cast::<Self>() }
    }

    /// The address that running code knows.
    pub fn vm(&self) -> *mut VmInstance {
        self.vm.owner.cast()
    }

    /// The instance's own address, with the provenance of its whole block.
    pub fn ptr(&self) -> NonNull<Self> {
        // SAFETY: `owner` is set to the block's start before anyone sees the instance.
        unsafe { NonNull::new_unchecked(self.vm.owner.cast()) }
    }

    pub fn module(&self) -> &Arc<Module> {
        &self.module
    }

    pub fn host(&self) -> &dyn Host {
        &*self.host
    }

    pub fn host_ref(&self) -> &Arc<dyn Host> {
        &self.host
    }

    pub fn heap(&self) -> &HeapRef {
        &self.source.heap
    }

    pub fn limits(&self) -> InstanceLimits {
        self.limits
    }

    /// The memory with this index.
    pub fn memory(&self, index: u32) -> Option<&Memory> {
        let inside = (index as usize) < self.module.memories.len();
        // SAFETY: the list has as many entries as the module has memories, each of which is
        // the first field of a `Memory` of this link set.
        inside.then(|| unsafe { &*(*self.vm.memories.add(index as usize)).cast::<Memory>() })
    }

    /// The table with this index.
    pub fn table(&self, index: u32) -> Option<&Table> {
        let inside = (index as usize) < self.module.tables.len();
        // SAFETY: there are as many entries as tables, each the first field of a live `Table`.
        inside.then(|| unsafe { &*(*self.vm.tables.add(index as usize)).cast::<Table>() })
    }

    /// Storage of the global with this index.
    pub fn global(&self, index: u32) -> Option<NonNull<VmGlobal>> {
        let imported = self.module.imported.globals;
        if index as usize >= self.module.globals.len() {
            return None;
        }
        // SAFETY: both lists are as long as the module says.
        NonNull::new(unsafe {
            match index.checked_sub(imported) {
                None => *self.vm.imported_globals.add(index as usize),
                Some(defined) => self.vm.globals.add(defined as usize),
            }
        })
    }

    /// The reference to the function with this index, if the module made it one that can be
    /// referred to: imported, exported, or named by `ref.func` or a segment.
    pub fn func(&self, index: u32) -> Option<NonNull<VmFuncRef>> {
        let place = *self.module.func_refs.place.get(index as usize)?;
        if place == FuncRefs::NONE {
            return None;
        }
        // SAFETY: `place` is an index of the instance's function references.
        NonNull::new(unsafe { self.vm.func_refs.add(place as usize) })
    }

    /// Index of the export called `name`, if it is a `kind`.
    pub fn exported(&self, name: &str, kind: ExternKind) -> Option<u32> {
        self.module.exported(name, kind)
    }

    /// Whether `func` is the address of one of this instance's function references.
    pub fn owns_func(&self, func: *const VmFuncRef) -> bool {
        let start = self.vm.func_refs as usize;
        let bytes = self.module.func_refs.order.len() * size_of::<VmFuncRef>();
        (func as usize)
            .checked_sub(start)
            .is_some_and(|offset| offset < bytes && offset.is_multiple_of(size_of::<VmFuncRef>()))
    }

    /// Whether an exception is pending.
    pub fn has_exception(&self) -> bool {
        self.vm.exception_set.load(Ordering::Acquire) != 0
    }

    /// Sets the exception to "Exception: " and `text`, cut to fit. It ends the program's other
    /// threads.
    pub fn set_exception(&self, text: &[u8]) {
        self.exception.set(&self.vm.exception_set, text, true);
        self.spread(text);
    }

    /// As [`Instance::set_exception`], unless one is pending already.
    pub fn raise(&self, text: &[u8]) {
        if self.raise_alone(text) {
            self.spread(text);
        }
    }

    /// As [`Instance::raise`], but not for the program's other threads. Returns whether it was set.
    fn raise_alone(&self, text: &[u8]) -> bool {
        self.exception.set(&self.vm.exception_set, text, false)
    }

    fn spread(&self, text: &[u8]) {
        if let Some(cluster) = self.cluster.get() {
            cluster.spread(self, text);
        }
    }

    /// Clears the exception, and with it the request to stop that terminating left. Code that is
    /// ending because of it ends all the same.
    pub fn clear_exception(&self) {
        self.envs.clear_terminate();
        self.forget_exception();
    }

    /// The pending exception's text and its length, prefix included.
    pub fn exception(&self) -> Option<([u8; EXCEPTION_BYTES], usize)> {
        self.has_exception().then(|| self.exception.read())
    }

    /// The pending exception's text as C reads it, or null.
    pub fn exception_ptr(&self) -> *const std::ffi::c_char {
        if self.has_exception() { self.exception.as_ptr() } else { ptr::null() }
    }

    /// Makes the instance's running code stop. Any thread may call this.
    pub fn terminate(&self) {
        self.raise(b"terminated by user");
        self.envs.set_terminate();
    }

    /// Whether running code was asked to stop and the exception is the one for that.
    pub fn is_terminated(&self) -> bool {
        self.envs.is_terminated()
    }

    pub fn custom_data(&self) -> usize {
        self.custom_data.load(Ordering::Relaxed)
    }

    /// Sets the word for the instances of all of the program's threads.
    pub fn set_custom_data(&self, word: usize) {
        self.custom_data.store(word, Ordering::Relaxed);
        if let Some(cluster) = self.cluster.get() {
            cluster.for_each(|member| member.custom_data.store(word, Ordering::Relaxed));
        }
    }

    /// The host's word under this number.
    pub fn slot(&self, index: usize) -> Option<&AtomicUsize> {
        self.slots.get(index)
    }

    pub fn exit_code(&self) -> u32 {
        self.exit_code.load(Ordering::Relaxed)
    }

    /// The accounts of its functions; empty unless the instance measures.
    pub fn profile(&self) -> &[VmProfile] {
        self.profile.get().map_or(&[], |accounts| accounts)
    }

    /// Makes the instance measure the cost of its functions.
    ///
    /// # Safety
    /// Nothing of it has run yet.
    pub unsafe fn start_profile(&self) -> Result<()> {
        let count = self.module.func_count() as usize;
        let mut accounts = try_vec(count).map_err(|_| Error::out_of_memory())?;
        accounts.resize_with(count, VmProfile::default);
        let accounts = crate::sync::once(&self.profile, || accounts.into_boxed_slice());
        // SAFETY: the caller guarantees that nobody reads the field yet.
        unsafe { (*self.vm()).profile = accounts.as_ptr() };
        Ok(())
    }

    pub fn set_exit_code(&self, code: u32) {
        self.exit_code.store(code, Ordering::Relaxed);
    }

    pub fn host_state(&self) -> Option<&(dyn Any + Send + Sync)> {
        self.host_state.get().map(|state| &**state)
    }

    /// Gives the instance its host state; the state comes back if it has one.
    pub fn set_host_state(
        &self,
        state: Box<dyn Any + Send + Sync>,
    ) -> Result<(), Box<dyn Any + Send + Sync>> {
        if self.host_state.get().is_some() {
            return Err(state);
        }
        let _ = self.host_state.set(Arc::from(state));
        Ok(())
    }

    /// The instance's own exec_env, or null.
    pub fn singleton(&self) -> *mut c_void {
        self.singleton.load(Ordering::Acquire)
    }

    /// Gives the instance its own exec_env, which `free` frees with it. False if it has one.
    pub fn set_singleton(&self, env: NonNull<c_void>, free: unsafe fn(NonNull<c_void>)) -> bool {
        let _ = self.singleton_drop.set(free);
        self.singleton
            .compare_exchange(ptr::null_mut(), env.as_ptr(), Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// Frees the instance's own exec_env, if it has one that is not in use.
    pub fn drop_singleton(&self) {
        let env = NonNull::new(self.singleton.swap(ptr::null_mut(), Ordering::AcqRel));
        if let (Some(env), Some(free)) = (env, self.singleton_drop.get()) {
            // SAFETY: `set_singleton` was given both, and the swap makes this the only call.
            unsafe { free(env) }
        }
    }

    /// Whether the app heap exists.
    pub fn has_app_heap(&self) -> bool {
        self.with_app_heap(false, |_, _| true)
    }

    /// Allocates from the app heap.
    pub fn app_heap_alloc(&self, size: u64) -> Result<u64, AppHeapError> {
        self.with_app_heap(Err(AppHeapError::Exhausted), |heap, memory| {
            // SAFETY: the heap was placed inside this memory, which never shrinks.
            unsafe { heap.alloc(memory, size) }
        })
    }

    /// Frees a block of [`Instance::app_heap_alloc`]; false if `address` is not the heap's.
    pub fn app_heap_free(&self, address: u64) -> bool {
        self.with_app_heap(false, |heap, memory| {
            let inside = heap.contains(address);
            if inside {
                // SAFETY: the heap was placed inside this memory, which never shrinks.
                unsafe { heap.free(memory, address) }
            }
            inside
        })
    }

    /// Bytes that can be used of the app heap's block at `address`, if there is one.
    pub fn app_heap_block_len(&self, address: u64) -> Option<u64> {
        self.with_app_heap(None, |heap, memory| {
            // SAFETY: the heap was placed inside this memory, which never shrinks.
            unsafe { heap.block_len(memory, address) }
        })
    }

    /// Runs `act` on the app heap, which lies in memory 0 and is shared with it, and on the
    /// memory's first byte; `none` without an app heap.
    fn with_app_heap<T>(&self, none: T, act: impl FnOnce(&mut AppHeap, *mut u8) -> T) -> T {
        let Some(memory) = self.memory(0) else { return none };
        if let Some(shared) = memory.shared() {
            return shared.with_app_heap(|heap| act(heap, shared.base())).unwrap_or(none);
        }
        match &mut *self.app_heap.lock() {
            Some(heap) => act(heap, memory.base()),
            None => none,
        }
    }

    /// Whether data segment `index` has been dropped.
    pub fn is_data_dropped(&self, index: u32) -> bool {
        self.dropped(index as usize, self.module.datas.len(), 0)
    }

    /// Whether element segment `index` has been dropped.
    pub fn is_elem_dropped(&self, index: u32) -> bool {
        self.dropped(index as usize, self.module.elems.len(), self.module.datas.len())
    }

    fn dropped(&self, index: usize, count: usize, first: usize) -> bool {
        // SAFETY: there is a byte for each segment, data segments first.
        index >= count || unsafe { *self.parts.dropped.add(first + index) != 0 }
    }

    pub fn drop_data(&self, index: u32) {
        if !self.is_data_dropped(index) {
            // SAFETY: `is_data_dropped` is true for what has no byte.
            unsafe { *self.parts.dropped.add(index as usize) = 1 }
        }
    }

    pub fn drop_elem(&self, index: u32) {
        if !self.is_elem_dropped(index) {
            // SAFETY: `is_elem_dropped` is true for what has no byte.
            unsafe { *self.parts.dropped.add(self.module.datas.len() + index as usize) = 1 }
            self.elem_objects.drop_segment(index);
        }
    }

    /// Gives back everything but the block.
    ///
    /// # Safety
    /// Nobody uses the instance any more; called once, before `free`.
    unsafe fn tear_down(at: NonNull<Self>) {
        // SAFETY: the caller vouches that this is the only access; the parts are initialised
        // up to their counts.
        unsafe {
            let this = at.as_ref();
            if let Some(cluster) = this.cluster.get() {
                cluster.leave(at);
            }
            this.detach_shared_heap();
            this.drop_singleton();
            for index in 0..this.parts.memory_count {
                (*this.parts.memories.add(index)).tear_down(&this.source);
            }
            for index in 0..this.parts.table_count {
                (*this.parts.tables.add(index)).tear_down();
            }
        }
    }

    /// Frees the block.
    ///
    /// # Safety
    /// As for `tear_down`, which comes before.
    unsafe fn free(at: NonNull<Self>) {
        // SAFETY: the caller guarantees that this is the only access; the block was allocated from
        // a heap.
        unsafe {
            ptr::drop_in_place(at.as_ptr());
            Heap::free(at.as_ptr().cast());
        }
    }
}

#[cfg(test)]
mod tests;
