//! The blocks of a pool: splitting and merging them, and keeping the free ones in lists.
//!
//! The buffer is an unbroken row of blocks, measured in units of 16 bytes and named by the unit
//! where they start. A unit after the last block poses as a live block, so that nothing merges
//! beyond the end.
//!
//! ```text
//! live   header (owner word, tag word) | bytes ..                    see header.rs
//! free   FREE + length << 6, FREE_TAG  | next, previous in list | .. | length (last 8 bytes)
//! ```
//!
//! No two neighbouring blocks are both free. A live block's `PREV_FREE` flag says that the word
//! before its header holds the length of a free block. A live block's length follows from its
//! size, plus one unit if `EXTRA` is set, which happens where a rest of one unit, too short for
//! a free block, could not be split off.
//!
//! Every value read from the buffer is checked before it is followed. A block that overran into its
//! neighbour's header makes operations on that neighbour fail; it does not lead anywhere outside
//! the buffer.

use super::super::header::{self, EXTRA, FREE, HEADER_SIZE, Owner, PREV_FREE, Tagged};
pub use super::classes::UNITS_MAX;
use super::classes::{Class, Lists};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Bytes in a unit.
pub const UNIT: usize = 16;
/// Shortest block: a header and room for a free block's links and length.
const UNITS_MIN: u32 = 2;
/// Where a live block has its tag. Its mark bits are zero, so it never passes for a tag.
const FREE_TAG: u64 = 0x0000_f8ee_b10c_f8ee;
const FREE_SHIFT: u32 = 6;
/// End of a list.
const NIL: u32 = u32::MAX;
/// How many blocks of the class just below are tried before a request is refused.
const SCAN_MAX: usize = 32;

/// A pool's buffer. Owner: the pool.
pub struct Arena {
    /// First block; aligned to a unit.
    base: *mut u8,
    /// Units in all blocks; also the unit of the end mark.
    units: u32,
    free_units: u32,
    free_units_min: u32,
    live_blocks: u64,
    live_bytes: u64,
    lists: Lists,
}

// SAFETY: the buffer is the arena's alone (`PoolBuffer::new`), on any thread.
unsafe impl Send for Arena {}

/// Units of a live block of `size` bytes; `None` if it is too large for any pool.
pub fn units_for(size: usize) -> Option<u32> {
    let units = size.div_ceil(UNIT) + HEADER_SIZE / UNIT;
    u32::try_from(units).ok().map(|units| units.max(UNITS_MIN))
}

impl Arena {
    /// An arena of one free block of `units` units, between 2 and [`UNITS_MAX`].
    ///
    /// # Safety
    /// `base` is aligned to a unit, and `units + 1` units from there on are the arena's alone.
    pub unsafe fn new(base: *mut u8, units: u32) -> Self {
        let mut arena = Self {
            base,
            units,
            free_units: 0,
            free_units_min: 0,
            live_blocks: 0,
            live_bytes: 0,
            lists: Lists::new(),
        };
        arena.word(units, 0).store(0, Relaxed);
        arena.word(units, 1).store(0, Relaxed);
        arena.put(0, units);
        arena.free_units_min = units;
        arena
    }

    pub fn total_units(&self) -> u32 {
        self.units
    }

    pub fn free_units(&self) -> u32 {
        self.free_units
    }

    pub fn free_units_min(&self) -> u32 {
        self.free_units_min
    }

    /// First byte of the block at `unit`.
    fn block(&self, unit: u32) -> *mut u8 {
        self.base.wrapping_add(unit as usize * UNIT + HEADER_SIZE)
    }

    /// The unit of a live block; `None` if `block` is none of this arena.
    pub fn unit_of(&self, block: *mut u8) -> Option<u32> {
        let distance = (block as usize).checked_sub(self.base as usize + HEADER_SIZE)?;
        let unit = u32::try_from(distance / UNIT).ok()?;
        (distance.is_multiple_of(UNIT) && unit < self.units).then_some(unit)
    }

    /// One of the 8-byte words from `unit` on; only for words within the arena and its end mark.
    fn word(&self, unit: u32, index: usize) -> &AtomicU64 {
        let at = unit as usize * UNIT + index * 8;
        debug_assert!(at < (self.units as usize + 1) * UNIT);
        // SAFETY: every caller passes a word of a block within the arena or of the end mark; the
        // buffer is ours (`new`), aligned, and lives while the arena does. Words of headers are
        // only accessed atomically; all other words only under the pool's lock.
        unsafe { &*self.base.wrapping_add(at).cast::<AtomicU64>() }
    }

    /// Length of the block at `unit` if it is free and its words agree with each other.
    fn free_len(&self, unit: u32) -> Option<u32> {
        if unit >= self.units {
            return None;
        }
        let head = self.word(unit, 0).load(Relaxed);
        if head & FREE == 0 || self.word(unit, 1).load(Relaxed) != FREE_TAG {
            return None;
        }
        let units = u32::try_from(head >> FREE_SHIFT).ok()?;
        let fits = units >= UNITS_MIN && units <= self.units - unit;
        (fits && self.len_before(unit + units) == u64::from(units)).then_some(units)
    }

    /// The word before `unit`, where a free block keeps its length.
    fn len_before(&self, unit: u32) -> u64 {
        self.word(unit - 1, 1).load(Relaxed)
    }

    /// The content of the header of the live block at `unit`, and the block's length.
    fn live(&self, unit: u32) -> Option<(Tagged, u32)> {
        if unit >= self.units {
            return None;
        }
        // SAFETY: the unit is within the arena, so its header is readable.
        let tagged = unsafe { header::read(self.block(unit)) }?;
        let extra = u32::from(tagged.flags & EXTRA != 0);
        let units = units_for(tagged.size)?.checked_add(extra)?;
        (units <= self.units - unit).then_some((tagged, units))
    }

    fn set_prev_free(&self, unit: u32, free: bool) {
        let word = self.word(unit, 0);
        let old = word.load(Relaxed);
        // Not a read-modify-write instruction: all writers hold the pool's lock.
        word.store(if free { old | PREV_FREE } else { old & !PREV_FREE }, Relaxed);
    }

    /// Makes a free block of units that belong to no block, between live neighbours.
    fn put(&mut self, unit: u32, units: u32) {
        self.word(unit, 0).store(FREE | u64::from(units) << FREE_SHIFT, Relaxed);
        self.word(unit, 1).store(FREE_TAG, Relaxed);
        self.word(unit + units - 1, 1).store(u64::from(units), Relaxed);
        self.set_prev_free(unit + units, true);
        let class = Class::holding(units);
        let next = self.lists.head(class);
        self.set_links(unit, next.unwrap_or(NIL), NIL);
        if let Some(next) = next {
            let (after, _) = self.links(next);
            self.set_links(next, after, unit);
        }
        self.lists.set_head(class, Some(unit));
        self.free_units += units;
    }

    /// Takes a free block of `units` units out of its list; its units then belong to no block.
    /// False, and nothing changes, if its links make no sense.
    fn unlink(&mut self, unit: u32, units: u32) -> bool {
        let (next, prev) = self.links(unit);
        let class = Class::holding(units);
        let points_back = next == NIL || (next < self.units && self.links(next).1 == unit);
        let points_here = match prev {
            NIL => self.lists.head(class) == Some(unit),
            prev => prev < self.units && self.links(prev).0 == unit,
        };
        if !points_back || !points_here {
            return false;
        }
        if next != NIL {
            let (after, _) = self.links(next);
            self.set_links(next, after, prev);
        }
        if prev == NIL {
            self.lists.set_head(class, (next != NIL).then_some(next));
        } else {
            let (_, before) = self.links(prev);
            self.set_links(prev, next, before);
        }
        self.free_units -= units;
        true
    }

    /// Next and previous block in the list of a free block.
    fn links(&self, unit: u32) -> (u32, u32) {
        let links = self.word(unit, 2).load(Relaxed);
        (links as u32, (links >> 32) as u32)
    }

    fn set_links(&self, unit: u32, next: u32, prev: u32) {
        self.word(unit, 2).store(u64::from(next) | u64::from(prev) << 32, Relaxed);
    }

    /// A free block of at least `units` units, still in its list, and its length.
    fn search(&self, units: u32) -> Option<(u32, u32)> {
        if units > self.free_units {
            return None;
        }
        let class = Class::at_least(units);
        if let Some(unit) = self.lists.first_from(class) {
            return self.free_len(unit).filter(|&len| len >= units).map(|len| (unit, len));
        }
        // The class below may have longer and shorter ones.
        let below = Class::holding(units);
        let mut candidate = if below == class { None } else { self.lists.head(below) };
        for _ in 0..SCAN_MAX {
            let unit = candidate?;
            let len = self.free_len(unit)?;
            if len >= units {
                return Some((unit, len));
            }
            candidate = Some(self.links(unit).0).filter(|&next| next != NIL);
        }
        None
    }

    /// Takes a block for `size` bytes, its first byte aligned to `align`, and writes its header.
    pub fn take(&mut self, owner: Owner, size: usize, align: usize, flags: u64) -> Option<*mut u8> {
        let need = units_for(size)?;
        let (mut unit, mut have) = if align <= UNIT {
            self.search(need)?
        } else {
            // A gap before the block becomes a free block of its own.
            let room = u32::try_from(align / UNIT).ok()? + UNITS_MIN - 1;
            self.search(need.checked_add(room)?)?
        };
        let gap = self.gap(unit, align);
        if !self.unlink(unit, have) {
            return None;
        }
        let mut flags = flags;
        if gap > 0 {
            // The block after is live and keeps its `PREV_FREE` until `settle` decides.
            self.put(unit, gap);
            (unit, have) = (unit + gap, have - gap);
            flags |= PREV_FREE;
        }
        self.live_blocks += 1;
        self.live_bytes += size as u64;
        Some(self.settle(unit, have, need, owner, size, flags))
    }

    /// How many units after `unit` a block must start for `align`: none, or a whole block.
    fn gap(&self, unit: u32, align: usize) -> u32 {
        let at = self.block(unit) as usize;
        let mut gap = (at.next_multiple_of(align.max(UNIT)) - at) / UNIT;
        if gap > 0 && gap < UNITS_MIN as usize {
            gap += align / UNIT;
        }
        gap as u32
    }

    /// Turns `have` units, which belong to no block and are followed by a live one, into a live
    /// block of `need` units and a free rest.
    fn settle(
        &mut self,
        unit: u32,
        have: u32,
        need: u32,
        owner: Owner,
        size: usize,
        flags: u64,
    ) -> *mut u8 {
        let rest = have - need;
        let mut flags = flags & !EXTRA;
        if rest >= UNITS_MIN {
            self.put(unit + need, rest);
        } else {
            self.set_prev_free(unit + have, false);
            if rest > 0 {
                flags |= EXTRA;
            }
        }
        let block = self.block(unit);
        // SAFETY: the units from `unit` on are this block's, its header the first of them.
        unsafe { header::write(block, owner, size, flags) };
        self.free_units_min = self.free_units_min.min(self.free_units);
        block
    }

    /// Resizes the live block at `unit` without moving it, and returns the size it had; `None`,
    /// and nothing changes, if there is no room.
    pub fn resize(&mut self, unit: u32, size: usize) -> Option<usize> {
        let (tagged, mut have) = self.live(unit)?;
        let need = units_for(size)?;
        let next = self.free_len(unit + have).unwrap_or(0);
        if need > have.checked_add(next)? || (next > 0 && !self.unlink(unit + have, next)) {
            return None;
        }
        have += next;
        self.live_bytes = self.live_bytes - tagged.size as u64 + size as u64;
        self.settle(unit, have, need, tagged.owner, size, tagged.flags);
        Some(tagged.size)
    }

    /// Frees the live block at `unit` and returns the size it had; `None`, and nothing changes,
    /// if there is none or its surroundings make no sense.
    pub fn free(&mut self, unit: u32) -> Option<usize> {
        let (tagged, units) = self.live(unit)?;
        let before = self.free_before(unit)?;
        let end = unit + units;
        let after = match self.free_len(end) {
            Some(after) if self.unlink(end, after) => after,
            None if self.word(end, 0).load(Relaxed) & FREE == 0 => 0,
            _ => return None,
        };
        if before > 0 && !self.unlink(unit - before, before) {
            if after > 0 {
                self.put(end, after);
            }
            return None;
        }
        // SAFETY: the block is live until here.
        unsafe { header::erase(self.block(unit)) };
        self.put(unit - before, before + units + after);
        self.live_blocks -= 1;
        self.live_bytes -= tagged.size as u64;
        Some(tagged.size)
    }

    /// Units of the free block before the live one at `unit`, which may be none; `None` if the
    /// words contradict each other.
    fn free_before(&self, unit: u32) -> Option<u32> {
        if self.word(unit, 0).load(Relaxed) & PREV_FREE == 0 {
            return Some(0);
        }
        if unit == 0 {
            return None;
        }
        let len = u32::try_from(self.len_before(unit)).ok()?;
        let start = unit.checked_sub(len)?;
        (self.free_len(start) == Some(len)).then_some(len)
    }

    /// Makes the headers of all live blocks invalid and forgets the buffer. Returns how many
    /// there were and their sizes' sum.
    pub fn abandon(&mut self) -> (u64, u64) {
        let mut unit = 0;
        while unit < self.units {
            unit += match (self.free_len(unit), self.live(unit)) {
                (Some(units), _) => units,
                (None, Some((_, units))) => {
                    // SAFETY: live until here; the caller abandons it.
                    unsafe { header::erase(self.block(unit)) };
                    units
                }
                // A header that was overrun: look for the next one that was not.
                (None, None) => 1,
            };
        }
        let leaked = (self.live_blocks, self.live_bytes);
        self.lists = Lists::new();
        (self.units, self.free_units, self.free_units_min) = (0, 0, 0);
        (self.live_blocks, self.live_bytes) = (0, 0);
        leaked
    }
}

#[cfg(test)]
impl Arena {
    /// Walks all blocks and lists and compares them.
    pub fn check(&self) {
        let (mut unit, mut free, mut before_free, mut frees) = (0, 0, false, 0);
        while unit < self.units {
            let flagged = self.word(unit, 0).load(Relaxed) & PREV_FREE != 0;
            assert_eq!(flagged, before_free, "PREV_FREE at {unit}");
            let (units, is_free) = match self.free_len(unit) {
                Some(units) => (units, true),
                None => (self.live(unit).expect("a live block").1, false),
            };
            assert!(!(is_free && before_free), "two free blocks at {unit}");
            if is_free {
                free += units;
                frees += 1;
            }
            before_free = is_free;
            unit += units;
        }
        assert_eq!(unit, self.units);
        assert_eq!(self.word(unit, 0).load(Relaxed) & PREV_FREE != 0, before_free);
        assert_eq!(free, self.free_units);
        let mut listed = 0;
        for class in Class::all() {
            let (mut at, mut before) = (self.lists.head(class), NIL);
            while let Some(unit) = at {
                let units = self.free_len(unit).expect("a free block");
                assert_eq!(Class::holding(units), class);
                let (next, prev) = self.links(unit);
                assert_eq!(prev, before);
                listed += 1;
                before = unit;
                at = (next != NIL).then_some(next);
            }
        }
        assert_eq!(listed, frees);
    }
}
