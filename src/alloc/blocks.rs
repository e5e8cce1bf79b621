//! Freeing and resizing live blocks of any owner.

use super::header::{self, LINEAR, MIN_ALIGN, OVER_LIMIT, Owner, RESERVED, Tagged};
use super::heap::{Backend, Heap};
use super::pool::{Freed, Pool};
use super::reserve::Reserve;
use super::source::{self, Fill, SystemSource};
use std::ptr::{self, null_mut};

impl Heap {
    /// Resizes a block of any heap, which keeps its owner; null leaves the block as it was. It is
    /// null also for a pointer that is no block, and for a heap over callbacks that lack `realloc`.
    /// The new block is 16-aligned, even if the old one had a larger alignment.
    ///
    /// # Safety
    /// The 16 bytes before `block` are readable, and if it is a block, nobody else uses or frees
    /// it meanwhile.
    pub unsafe fn realloc(block: *mut u8, size: usize) -> *mut u8 {
        // SAFETY: the caller guarantees that the 16 bytes before `block` are readable, and if it is
        // a block, nobody else uses or frees it meanwhile; the owner of a live block is alive (see
        // `Heap::refs`).
        unsafe {
            let Some(tagged) = header::read(block) else {
                return null_mut();
            };
            if let Some(heap) = Self::of_owner(tagged.owner)
                && let Backend::User(user) = &heap.backend
                && !user.has_realloc()
            {
                return null_mut();
            }
            resize(block, &tagged, size.max(1), MIN_ALIGN)
        }
    }

    /// Frees a block of any heap, on any thread. Returns false and does nothing if `block` is null,
    /// no block, or was freed before.
    ///
    /// # Safety
    /// `block` is null or the 16 bytes before it are readable, and if it is a block, nobody uses
    /// it any more.
    pub unsafe fn free(block: *mut u8) -> bool {
        // SAFETY: the caller guarantees that `block` is null or the 16 bytes before it are
        // readable, and if it is a block, nobody uses it any more.
        match unsafe { header::read(block) } {
            // SAFETY: the header is valid, so `block` is live.
            Some(tagged) => unsafe { release(block, &tagged) },
            None => false,
        }
    }
}

/// Frees a live block. Returns false and does nothing if its owner refuses it.
///
/// # Safety
/// `block` is live, `tagged` is the content of its header, and nobody uses it any more.
pub unsafe fn release(block: *mut u8, tagged: &Tagged) -> bool {
    // SAFETY: the owner of a live block is alive; the block came from the source that owner and
    // flags name, because `alloc_block` and `alloc_over_limit` tag what they place. The heap is not
    // used once its ledger has counted the block out, unless this was its last block.
    unsafe {
        let Some(heap) = Heap::of_owner(tagged.owner) else {
            release_over_limit(block, tagged);
            return true;
        };
        let was_last = if tagged.flags & OVER_LIMIT != 0 {
            release_over_limit(block, tagged);
            heap.change_ledger(|ledger| {
                ledger.discharge(tagged.size as u64);
                ledger.close_block()
            })
        } else {
            match &heap.backend {
                Backend::System => source::release(&SystemSource, block, tagged),
                Backend::User(user) => source::release(user, block, tagged),
                Backend::Pool(pool) => {
                    let freed = pool.free(&heap.ledger, block);
                    if freed == Freed::Last {
                        Heap::release_ref(heap);
                    }
                    return freed != Freed::Refused;
                }
            }
            heap.ledger.discharge(tagged.size as u64);
            heap.ledger.close_block()
        };
        if was_last {
            Heap::release_ref(heap);
        }
    }
    true
}

/// Gives a block that came from no heap's source back to the system or to the reserve that it came
/// from.
///
/// # Safety
/// As for [`release`].
unsafe fn release_over_limit(block: *mut u8, tagged: &Tagged) {
    // SAFETY: the caller guarantees that `block` is live, `tagged` is the content of its header,
    // and nobody uses it any more; blocks know the reserve that they came from, so any other
    // returns them.
    unsafe {
        match tagged.flags & RESERVED {
            0 => source::release(&SystemSource, block, tagged),
            _ => source::release(&Reserve::empty(), block, tagged),
        }
    }
}

/// Resizes a live block as far as its owner can; returns null and leaves it as it was otherwise.
///
/// # Safety
/// As for [`release`]; `align` is the alignment that the block was made with, or less.
pub unsafe fn resize(block: *mut u8, tagged: &Tagged, size: usize, align: usize) -> *mut u8 {
    // SAFETY: the owner of a live block is alive; the block came from the source that owner and
    // flags name.
    unsafe {
        let Some(heap) = Heap::of_owner(tagged.owner) else {
            if tagged.flags & RESERVED != 0 {
                let new = source::place(&SystemSource, Owner::NONE, size, align, Fill::Any, 0);
                return moved(block, tagged, new, size);
            }
            return source::resize(&SystemSource, block, tagged, size, align);
        };
        if tagged.flags & (OVER_LIMIT | RESERVED) == OVER_LIMIT | RESERVED {
            let new = heap.alloc_block(size, align, Fill::Any, 0);
            return moved(block, tagged, new, size);
        }
        if heap.refuses_next() {
            return null_mut();
        }
        if let (Backend::Pool(pool), 0) = (&heap.backend, tagged.flags & OVER_LIMIT) {
            if pool.resize(&heap.ledger, block, tagged.size, size) {
                return block;
            }
            return replace(heap, pool, block, tagged, size, align);
        }
        let (old, new) = (tagged.size as u64, size as u64);
        if new > old && !heap.charge(new - old) {
            return null_mut();
        }
        let resized = match &heap.backend {
            Backend::User(user) if tagged.flags & OVER_LIMIT == 0 => {
                if user.has_realloc() {
                    source::resize(user, block, tagged, size, align)
                } else {
                    source::replace(user, block, tagged, size, align)
                }
            }
            _ => source::resize(&SystemSource, block, tagged, size, align),
        };
        let unused =
            if resized.is_null() { new.saturating_sub(old) } else { old.saturating_sub(new) };
        if unused > 0 {
            heap.discharge(unused);
        }
        resized
    }
}

/// Resizes a pool's block by moving it.
///
/// # Safety
/// As for [`resize`].
unsafe fn replace(
    heap: &Heap,
    pool: &Pool,
    block: *mut u8,
    tagged: &Tagged,
    size: usize,
    align: usize,
) -> *mut u8 {
    let new = heap.alloc_in(pool, size, align, Fill::Any, tagged.flags & LINEAR, tagged.size);
    // SAFETY: the caller's block is live and `tagged` is its header; `new` is null or a fresh block
    // of `size` bytes.
    unsafe { moved(block, tagged, new, size) }
}

/// Moves a block's bytes to `new`, which has room for `size` and is returned; nothing happens if it
/// is null.
///
/// # Safety
/// As for [`release`]; `new` is null or `size` bytes that nobody else has.
unsafe fn moved(block: *mut u8, tagged: &Tagged, new: *mut u8, size: usize) -> *mut u8 {
    if !new.is_null() {
        // SAFETY: both blocks are live, distinct and at least as long as the copy.
        unsafe {
            ptr::copy_nonoverlapping(block, new, size.min(tagged.size));
            release(block, tagged);
        }
    }
    new
}
