//! Chunks: pieces of memory that objects lie in, with a bit for each word where one may begin.

use super::object::extent;
use crate::alloc::{try_filled, try_zeros};
use std::collections::TryReserveError;
use std::ops::Range;

/// Words of the largest chunk that several objects share; 64 groups of bits, so that a word says
/// which groups have work.
pub(super) const CHUNK_WORDS: usize = 4096;

/// Which chunk of which part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChunkNo {
    pub(super) part: u32,
    pub(super) chunk: u32,
}

/// Bits of 64 words.
#[derive(Clone, Copy, Default)]
pub(super) struct Bits {
    /// An object's head is here.
    pub(super) heads: u64,
    /// A collection has found the object.
    pub(super) marks: u64,
    /// A collection has found it and has not looked at its references.
    pub(super) gray: u64,
}

#[derive(Default)]
pub(super) struct Chunk {
    /// They never move. Empty if the chunk's number is free.
    pub(super) words: Vec<u64>,
    /// One for each 64 words, or a single one, with a single bit, if one object is all there is.
    pub(super) bits: Vec<Bits>,
    /// The word that place 0 is: of a large struct, behind its references.
    pub(super) base: usize,
    /// Words of objects, since the last sweep or the chunk was made; those of `FreeRun`s are
    /// counted when an object gets them.
    pub(super) used: usize,
    /// During a collection: words of the objects that it has looked at.
    pub(super) found: usize,
    /// Groups of bits with gray ones. The chunk is then listed.
    pub(super) gray_groups: u64,
    /// The chunk is in the list of those that a collection has to look at.
    pub(super) listed: bool,
    /// The next one in that list, or of a free number, in the list of those.
    pub(super) next: Option<ChunkNo>,
}

impl Chunk {
    /// A chunk of zeros for many objects.
    pub(super) fn shared(words: usize) -> Result<Self, TryReserveError> {
        let bits = try_filled(words.div_ceil(64), Bits::default())?;
        Ok(Self { words: try_filled(words, 0)?, bits, ..Self::default() })
    }

    /// A chunk of zeros for one object, whose head is at `base`.
    /// Large ones are the system's, which clears them page by page when they are used.
    pub(super) fn of_one(words: usize, base: usize) -> Option<Self> {
        let bits = try_filled(1, Bits::default()).ok()?;
        Some(Self { words: try_zeros(words)?, bits, base, used: words, ..Self::default() })
    }

    pub(super) fn is_shared(&self) -> bool {
        self.bits.len() * 64 >= self.words.len()
    }

    /// The word of an object's head, if there is an object at this place.
    #[inline]
    pub(super) fn head(&self, place: usize) -> Option<usize> {
        let live = self.bits.get(place / 64)?.heads >> (place % 64) & 1 != 0;
        live.then_some(self.base + place)
    }

    pub(super) fn set_head(&mut self, place: usize) {
        if let Some(bits) = self.bits.get_mut(place / 64) {
            bits.heads |= 1 << (place % 64);
        }
    }

    /// Notes that an object was found; whether it was new and the chunk has to be listed.
    #[inline]
    pub(super) fn mark(&mut self, place: usize) -> bool {
        let (group, bit) = (place / 64, 1 << (place % 64));
        let Some(bits) = self.bits.get_mut(group) else { return false };
        if bits.heads & bit == 0 || bits.marks & bit != 0 {
            return false;
        }
        bits.marks |= bit;
        bits.gray |= bit;
        self.gray_groups |= 1 << group;
        !std::mem::replace(&mut self.listed, true)
    }

    pub(super) fn is_marked(&self, place: usize) -> bool {
        self.bits.get(place / 64).is_some_and(|bits| bits.marks >> (place % 64) & 1 != 0)
    }

    /// A place whose object was not looked at; it is gray no longer.
    pub(super) fn take_gray(&mut self) -> Option<usize> {
        while self.gray_groups != 0 {
            let group = self.gray_groups.trailing_zeros() as usize;
            let bits = self.bits.get_mut(group)?;
            if bits.gray != 0 {
                let bit = bits.gray.trailing_zeros() as usize;
                bits.gray &= bits.gray - 1;
                return Some(group * 64 + bit);
            }
            self.gray_groups &= self.gray_groups - 1;
        }
        None
    }

    /// Takes back what a collection has noted.
    pub(super) fn forget_marks(&mut self) {
        for bits in &mut self.bits {
            (bits.marks, bits.gray) = (0, 0);
        }
        (self.gray_groups, self.listed, self.found) = (0, false, 0);
    }

    /// Lets go of the objects that were not marked; whether any are left.
    pub(super) fn sweep(&mut self) -> bool {
        let mut left = false;
        for bits in &mut self.bits {
            bits.heads &= std::mem::take(&mut bits.marks);
            left |= bits.heads != 0;
        }
        self.used = std::mem::take(&mut self.found);
        left
    }

    /// The first free words at or behind `from`, which is no object's inside. Empty at the end.
    pub(super) fn gap(&self, mut from: usize) -> Range<usize> {
        let mut group = from / 64;
        let mut heads = match self.bits.get(group) {
            Some(bits) => bits.heads & u64::MAX << (from % 64),
            None => return from..from,
        };
        loop {
            while heads == 0 {
                group += 1;
                match self.bits.get(group) {
                    Some(bits) => heads = bits.heads,
                    None => return from..self.words.len().max(from),
                }
            }
            let head = group * 64 + heads.trailing_zeros() as usize;
            let Some(object) = extent(&self.words, head) else { return from..from };
            if object.start > from {
                return from..object.start;
            }
            from = object.end;
            if from / 64 != group {
                group = from / 64;
                heads = self.bits.get(group).map_or(0, |bits| bits.heads);
            }
            heads &= u64::MAX << (from % 64);
        }
    }
}
