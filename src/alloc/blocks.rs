//! Freeing and resizing live blocks, whoever owns them.

use super::header::{LINEAR, OVERDRAFT, Tagged};
use super::heap::{Backend, Heap};
use super::pool::{Freed, Pool};
use super::source::{self, Fill, SystemSource};
use std::ptr::{self, null_mut};

/// Frees a live block; false, and nothing happens, if its owner refuses it.
///
/// # Safety
/// `block` is live, `tagged` is what its header says, and nobody uses it any more.
pub unsafe fn release(block: *mut u8, tagged: &Tagged) -> bool {
    // SAFETY: the owner of a live block is alive; the block came from the source that owner and
    // flags name, because `alloc_block` and `overdraw` tag what they place. The heap is not used
    // after its ledger has been told, unless this was its last block.
    unsafe {
        let Some(heap) = tagged.owner.as_ref() else {
            source::release(&SystemSource, block, tagged);
            return true;
        };
        let was_last = if tagged.flags & OVERDRAFT != 0 {
            source::release(&SystemSource, block, tagged);
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

/// Resizes a live block within its owner's means; null leaves it as it was.
///
/// # Safety
/// As for [`release`]; `align` is the alignment that the block was made with, or less.
pub unsafe fn resize(block: *mut u8, tagged: &Tagged, size: usize, align: usize) -> *mut u8 {
    // SAFETY: as in `release`.
    unsafe {
        let Some(heap) = tagged.owner.as_ref() else {
            return source::resize(&SystemSource, block, tagged, size, align);
        };
        if heap.strikes() {
            return null_mut();
        }
        if let (Backend::Pool(pool), 0) = (&heap.backend, tagged.flags & OVERDRAFT) {
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
            Backend::User(user) if tagged.flags & OVERDRAFT == 0 => {
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
    if !new.is_null() {
        // SAFETY: both blocks are live, distinct and at least as long as what is copied.
        unsafe {
            ptr::copy_nonoverlapping(block, new, size.min(tagged.size));
            release(block, tagged);
        }
    }
    new
}
