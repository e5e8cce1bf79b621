//! A heap within an embedder's buffer.
//!
//! It must not know the owners of its blocks. It changes the heap's ledger, because that is cheap
//! under its lock. Control enters from `heap.rs`, on any thread.
//!
//! The allocator is a two-level segregated fit: constant time for allocating and freeing, and
//! neighbouring free blocks are always one block. `classes.rs` has the lists, `arena.rs` the
//! blocks. Its own state lies outside the buffer, so making a pool writes a few words of the
//! buffer, whatever the buffer's size.

mod arena;
mod classes;

use super::config::{HeapError, Leak, PoolBuffer, PoolInfo};
use super::header::Owner;
use super::ledger::Ledger;
use crate::sync::Lock;
use arena::{Arena, UNIT, UNITS_MAX};

/// Owner: the heap.
pub struct Pool {
    arena: Lock<Arena>,
}

/// The outcome of freeing a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freed {
    /// No live block of this pool, or its surroundings are damaged.
    Refused,
    Yes,
    /// It was the heap's last block.
    Last,
}

impl Pool {
    pub fn new(buffer: PoolBuffer) -> Result<Self, HeapError> {
        let start = buffer.start.as_ptr();
        let skip = (start as usize).next_multiple_of(UNIT) - start as usize;
        // One unit is the end mark.
        let units = (buffer.len.saturating_sub(skip) / UNIT).saturating_sub(1);
        let units = u32::try_from(units).unwrap_or(UNITS_MAX).min(UNITS_MAX);
        if units < 2 {
            return Err(HeapError::PoolTooSmall { start: start.addr(), len: buffer.len });
        }
        // SAFETY: aligned by `skip`; `PoolBuffer::new` was promised that the buffer is nobody
        // else's, and `units + 1` units fit it.
        let arena = unsafe { Arena::new(start.wrapping_add(skip), units) };
        Ok(Self { arena: Lock::new(arena) })
    }

    /// A block and whether it is the heap's only one; `None` when there is no room or no quota.
    /// `credit` bytes need no quota, because they are about to be freed.
    pub fn alloc(
        &self,
        owner: Owner,
        ledger: &Ledger,
        size: usize,
        align: usize,
        flags: u64,
        credit: usize,
    ) -> Option<(*mut u8, bool)> {
        let mut arena = self.arena.lock();
        if !ledger.admits(size.saturating_sub(credit) as u64) {
            return None;
        }
        let block = arena.take(owner, size, align, flags)?;
        ledger.charge_exclusive(size as u64);
        Some((block, ledger.open_block_exclusive()))
    }

    /// Frees a block whose header looked live.
    pub fn free(&self, ledger: &Ledger, block: *mut u8) -> Freed {
        let mut arena = self.arena.lock();
        let Some(size) = arena.unit_of(block).and_then(|unit| arena.free(unit)) else {
            return Freed::Refused;
        };
        ledger.discharge_exclusive(size as u64);
        if ledger.close_block_exclusive() { Freed::Last } else { Freed::Yes }
    }

    /// Resizes a live block of `old` bytes where it is; false, and nothing changes, if that is
    /// not possible.
    pub fn resize(&self, ledger: &Ledger, block: *mut u8, old: usize, size: usize) -> bool {
        let mut arena = self.arena.lock();
        if size > old && !ledger.admits((size - old) as u64) {
            return false;
        }
        let Some(old) = arena.unit_of(block).and_then(|unit| arena.resize(unit, size)) else {
            return false;
        };
        // Old first: a peak in between has never been.
        ledger.discharge_exclusive(old as u64);
        ledger.charge_exclusive(size as u64);
        true
    }

    /// Runs `f` while no block of this pool is allocated or freed.
    pub fn exclusively<R>(&self, f: impl FnOnce() -> R) -> R {
        let _arena = self.arena.lock();
        f()
    }

    #[cfg(test)]
    pub fn check(&self) {
        self.arena.lock().check();
    }

    pub fn info(&self) -> PoolInfo {
        let arena = self.arena.lock();
        let bytes = |units: u32| units as usize * UNIT;
        PoolInfo {
            total: bytes(arena.total_units()),
            free: bytes(arena.free_units()),
            highmark: bytes(arena.total_units() - arena.free_units_min()),
        }
    }

    /// Forgets the buffer. Returns the blocks that were live in it, and whether no block of the
    /// heap is left now.
    pub fn retire(&self, ledger: &Ledger) -> (Leak, bool) {
        let mut arena = self.arena.lock();
        let (live_blocks, live_bytes) = arena.abandon();
        ledger.discharge_exclusive(live_bytes);
        let was_last = live_blocks > 0 && ledger.close_blocks_exclusive(live_blocks);
        (Leak { live_bytes, live_blocks }, was_last)
    }
}

#[cfg(test)]
mod tests;
