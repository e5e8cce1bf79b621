//! Tables.

use super::Instance;
use crate::abi::types::TableType;
use crate::abi::vm_layout::VmTable;
use crate::alloc::Heap;
use std::cell::{Cell, UnsafeCell};
use std::ffi::c_void;
use std::ptr::{self, NonNull};

/// Elements a table can have, whatever its type says; the limit that web engines share.
pub const ELEMS_MAX: u64 = 10_000_000;

/// A table. Owner: the instance that defines it, in whose block it lies with its first
/// elements.
#[repr(C)]
pub struct Table {
    /// First, so that running code's pointers lead here.
    vm: UnsafeCell<VmTable>,
    ty: TableType,
    instance: NonNull<Instance>,
    /// Elements that fit where they are.
    capacity: Cell<usize>,
    /// The block that the elements moved to when the table outgrew its first place.
    block: Cell<Option<NonNull<u8>>>,
}

impl Table {
    /// A table of null elements that start out at `elems`.
    ///
    /// # Safety
    /// `elems` has room for the type's minimum, zeroed, and belongs to the table for its life.
    pub unsafe fn new(ty: TableType, elems: *mut u64, instance: NonNull<Instance>) -> Self {
        let len = ty.limits.min as usize;
        Self {
            vm: UnsafeCell::new(VmTable { elems, len, owner: ptr::null_mut() }),
            ty,
            instance,
            capacity: Cell::new(len),
            block: Cell::new(None),
        }
    }

    /// Tells running code's view where its owner is. Called once, at the final address.
    pub fn bind(&self) {
        // SAFETY: nobody else looks at a table that is still being made.
        unsafe { (*self.vm.get()).owner = ptr::from_ref(self).cast_mut().cast::<c_void>() }
    }

    /// Running code's view of this table.
    pub fn vm(&self) -> *mut VmTable {
        self.vm.get()
    }

    pub fn ty(&self) -> TableType {
        self.ty
    }

    pub fn instance(&self) -> NonNull<Instance> {
        self.instance
    }

    pub fn len(&self) -> u64 {
        // SAFETY: the view is only written by `grow`, on the thread that uses the group.
        unsafe { (*self.vm.get()).len as u64 }
    }

    /// First element; it moves when the table grows.
    pub fn elems(&self) -> *mut u64 {
        // SAFETY: as in `len`.
        unsafe { (*self.vm.get()).elems }
    }

    pub fn max_len(&self) -> u64 {
        self.ty.limits.max.unwrap_or(u64::MAX).min(ELEMS_MAX)
    }

    pub fn get(&self, index: u64) -> Option<u64> {
        // SAFETY: the table has `len` elements.
        (index < self.len()).then(|| unsafe { *self.elems().add(index as usize) })
    }

    /// Sets an element; false beyond the end.
    pub fn set(&self, index: u64, value: u64) -> bool {
        let inside = index < self.len();
        if inside {
            // SAFETY: the table has `len` elements.
            unsafe { *self.elems().add(index as usize) = value }
        }
        inside
    }

    /// Where `count` elements at `index` are now, if they are all there.
    pub fn range(&self, index: u64, count: u64) -> Option<*mut u64> {
        let end = index.checked_add(count)?;
        (end <= self.len()).then(|| self.elems().wrapping_add(index as usize))
    }

    /// Adds elements and returns how many there were; `None` where it cannot.
    pub fn grow(&self, by: u64, value: u64) -> Option<u64> {
        let old = self.len();
        let new = old.checked_add(by).filter(|&new| new <= self.max_len())? as usize;
        if new > self.capacity.get() {
            self.move_to(new)?;
        }
        // SAFETY: there is room for `new` elements now, and no other thread uses the table.
        unsafe {
            let vm = self.vm.get();
            for place in old as usize..new {
                *(*vm).elems.add(place) = value;
            }
            (*vm).len = new;
        }
        Some(old)
    }

    /// Moves the elements to where there is room for at least `len` of them.
    fn move_to(&self, len: usize) -> Option<()> {
        // Half as much again, so that growing one by one stays cheap.
        let generous = (len + len / 2).min(self.max_len() as usize);
        // SAFETY: a table lies in its instance's block.
        let heap = unsafe { self.instance.as_ref() }.heap();
        let allocate = |count: usize| NonNull::new(heap.alloc(count * size_of::<u64>(), 16));
        let (block, capacity) = match allocate(generous) {
            Some(block) => (block, generous),
            None => (allocate(len)?, len),
        };
        // SAFETY: the new block has room for more than the table has; the old one is the
        // table's own, and nobody keeps pointers into it across growth.
        unsafe {
            let vm = self.vm.get();
            let elems = block.as_ptr().cast::<u64>();
            ptr::copy_nonoverlapping((*vm).elems, elems, (*vm).len);
            (*vm).elems = elems;
        }
        self.free_block();
        self.block.set(Some(block));
        self.capacity.set(capacity);
        Some(())
    }

    fn free_block(&self) {
        if let Some(block) = self.block.take() {
            // SAFETY: the block is the table's own and its elements are no longer there.
            unsafe { Heap::free(block.as_ptr()) };
        }
    }

    /// Frees what lies outside the instance's block.
    pub fn tear_down(&mut self) {
        self.vm.get_mut().len = 0;
        self.free_block();
    }
}
