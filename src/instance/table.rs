//! Tables.

use super::Instance;
use super::memory::{Look, in_pieces};
use crate::abi::trap::Trap;
use crate::abi::types::TableType;
use crate::abi::vm_layout::VmTable;
use crate::alloc::Heap;
use std::cell::{Cell, UnsafeCell};
use std::ffi::c_void;
use std::ptr::{self, NonNull};

/// The most elements of any table; the limit that web engines share.
pub const ELEMS_MAX: u64 = 10_000_000;

const ELEM_BYTES: usize = size_of::<u64>();

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

    /// Sets the owner in running code's view. Called once, at the final address.
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
        // SAFETY: the view is only written by `grow`, on the thread that uses the link set.
        unsafe { (*self.vm.get()).len as u64 }
    }

    /// First element; it moves when the table grows.
    pub fn elems(&self) -> *mut u64 {
        // SAFETY: the view is only written by `grow`, on the thread that uses the link set.
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
        self.grow_with(by, value, &mut || Ok(())).unwrap_or(None)
    }

    /// As [`Table::grow`], on behalf of a guest. An error is `look`'s, and nothing has changed.
    pub fn grow_with(&self, by: u64, value: u64, look: &mut Look<'_>) -> Result<Option<u64>, Trap> {
        let old = self.len();
        let new = old.checked_add(by).filter(|&new| new <= self.max_len());
        let Some(new) = new.map(|new| new as usize) else { return Ok(None) };
        if new > self.capacity.get() && self.move_to(new, look)?.is_none() {
            return Ok(None);
        }
        // SAFETY: there is room for `new` elements now, and no other thread uses the table.
        unsafe {
            let vm = self.vm.get();
            let added = (*vm).elems.add(old as usize);
            in_pieces(by as usize * ELEM_BYTES, look, |at, len| {
                for index in at / ELEM_BYTES..(at + len) / ELEM_BYTES {
                    *added.add(index) = value;
                }
            })?;
            (*vm).len = new;
        }
        Ok(Some(old))
    }

    /// Moves the elements to where there is room for at least `len` of them; `None` without
    /// memory for it.
    fn move_to(&self, len: usize, look: &mut Look<'_>) -> Result<Option<()>, Trap> {
        // Half as much again, so that growing one by one stays cheap.
        let generous = (len + len / 2).min(self.max_len() as usize);
        // SAFETY: a table lies in its instance's block.
        let heap = unsafe { self.instance.as_ref() }.heap();
        let allocate = |count: usize| NonNull::new(heap.alloc(count * ELEM_BYTES, 16));
        let fitting = || allocate(len).map(|block| (block, len));
        let allocated = allocate(generous).map(|block| (block, generous)).or_else(fitting);
        let Some((block, capacity)) = allocated else { return Ok(None) };
        // SAFETY: the new block has room for more than the table has; the old one is the
        // table's own, and nobody keeps pointers into it across growth.
        unsafe {
            let vm = self.vm.get();
            let elems = block.as_ptr();
            let copied = in_pieces((*vm).len * ELEM_BYTES, look, |at, len| {
                let old = (*vm).elems.cast::<u8>();
                ptr::copy_nonoverlapping(old.add(at), elems.add(at), len);
            });
            if let Err(trap) = copied {
                Heap::free(elems);
                return Err(trap);
            }
            (*vm).elems = elems.cast();
        }
        self.free_block();
        self.block.set(Some(block));
        self.capacity.set(capacity);
        Ok(Some(()))
    }

    fn free_block(&self) {
        if let Some(block) = self.block.take() {
            // SAFETY: the block is the table's own and its elements are no longer there.
            unsafe { Heap::free(block.as_ptr()) };
        }
    }

    /// Frees the part outside the instance's block.
    pub fn tear_down(&mut self) {
        self.vm.get_mut().len = 0;
        self.free_block();
    }
}
