//! The global allocator, which allocates from the thread's current heap.
//!
//! The C library declares it with `#[global_allocator]`. Every allocation of Rust code, ours or
//! a dependency's, then comes from the thread's current heap, or from the system when there is
//! none; and every block goes back where it came from, because its header says so.

use super::blocks;
use super::current::{current, from_reserve, note_over_limit};
use super::header::{self, OVER_LIMIT, Owner, RESERVED};
use super::heap::Heap;
use super::source::{self, Fill, SystemSource};
use crate::sync::atomic::Ordering;
use std::alloc::{GlobalAlloc, Layout};
use std::ptr::{self, null_mut};

/// The owner-tagged global allocator.
#[derive(Clone, Copy, Debug, Default)]
pub struct ContextAlloc;

fn alloc(layout: Layout, fill: Fill) -> *mut u8 {
    let (heap, fallible) = current();
    // SAFETY: the caller that made the heap current keeps it alive (`ThreadHead::replace_heap`).
    match unsafe { heap.as_ref() } {
        None => alloc_outside(layout.size(), layout.align(), fill, fallible),
        Some(heap) => alloc_in(heap, layout, fill, fallible),
    }
}

/// A block that belongs to no heap, from the system or else from the thread's reserve.
#[inline]
fn alloc_outside(size: usize, align: usize, fill: Fill, fallible: bool) -> *mut u8 {
    let block = source::place(&SystemSource, Owner::NONE, size, align, fill, 0);
    if block.is_null() && !fallible { reserved_outside(size, align, fill) } else { block }
}

#[cold]
fn reserved_outside(size: usize, align: usize, fill: Fill) -> *mut u8 {
    note_over_limit();
    let flags = OVER_LIMIT | RESERVED;
    from_reserve(|reserve| source::place(reserve, Owner::NONE, size, align, fill, flags))
}

#[inline]
fn alloc_in(heap: &Heap, layout: Layout, fill: Fill, fallible: bool) -> *mut u8 {
    let block = heap.alloc_block(layout.size(), layout.align(), fill, 0);
    if block.is_null() && !fallible {
        return heap.alloc_over_limit(layout.size(), layout.align(), fill);
    }
    block
}

impl Heap {
    /// An over-limit allocation: a block in this heap's name, for code that cannot handle null,
    /// from the system or else from the thread's reserve. Null only if that is used up.
    #[cold]
    fn alloc_over_limit(&self, size: usize, align: usize, fill: Fill) -> *mut u8 {
        let mut block = source::place(&SystemSource, self.owner(), size, align, fill, OVER_LIMIT);
        if block.is_null() {
            let flags = OVER_LIMIT | RESERVED;
            block = from_reserve(|reserve| {
                source::place(reserve, self.owner(), size, align, fill, flags)
            });
        }
        if !block.is_null() {
            let is_first = self.change_ledger(|ledger| {
                ledger.charge_beyond(size as u64);
                ledger.open_block()
            });
            if is_first {
                self.retain();
            }
            self.over_limit.fetch_add(1, Ordering::Relaxed);
            note_over_limit();
        }
        block
    }
}

// SAFETY: blocks have the size and alignment that was asked for (`source::place`), are distinct
// and stay valid until freed; nothing here unwinds: there are no panics on these paths, and the
// embedder's callbacks are C functions.
unsafe impl GlobalAlloc for ContextAlloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        alloc(layout, Fill::Any)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        alloc(layout, Fill::Zero)
    }

    unsafe fn dealloc(&self, block: *mut u8, _layout: Layout) {
        // SAFETY: the caller owns the block, which one of these functions returned, and gives it
        // up. A block whose header was overwritten is left alone: a leak, not a crash.
        unsafe { Heap::free(block) };
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller owns the block, which was made with this layout; its owner is
        // alive as long as the block is.
        unsafe {
            let Some(tagged) = header::read(block) else {
                return null_mut();
            };
            let resized = blocks::resize(block, &tagged, size, layout.align());
            if !resized.is_null() {
                return resized;
            }
            let (_, fallible) = current();
            if fallible {
                return null_mut();
            }
            let new = match Heap::of_owner(tagged.owner) {
                Some(owner) => owner.alloc_over_limit(size, layout.align(), Fill::Any),
                None => reserved_outside(size, layout.align(), Fill::Any),
            };
            if !new.is_null() {
                ptr::copy_nonoverlapping(block, new, size.min(tagged.size));
                blocks::release(block, &tagged);
            }
            new
        }
    }
}
