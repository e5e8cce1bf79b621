//! Chunks: pieces of memory that objects lie in, with a bit for each word where one may begin.

use super::look::GcLook;
use super::object::extent;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::VmChunk;
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
pub(super) struct Marks {
    /// A collection has found the object that has its head here.
    marks: u64,
    /// A collection has found it and has not looked at its references.
    gray: u64,
}

#[derive(Default)]
pub(super) struct Chunk {
    /// They never move. Empty if the chunk's number is free.
    pub(super) words: Vec<u64>,
    /// A bit for each word, whether an object's head is there; a single one if one object is all
    /// there is.
    pub(super) heads: Vec<u64>,
    /// One for each of `heads`.
    pub(super) marks: Vec<Marks>,
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
        Self::of_words(try_filled(words, 0)?, words.div_ceil(64))
    }

    /// A chunk of zeros for one object, whose head is at `base`; `None` if memory ran out. It may
    /// be large, so `look` is called while it is cleared.
    pub(super) fn of_one(
        words: usize,
        base: usize,
        look: &mut GcLook<'_>,
    ) -> Result<Option<Self>, Trap> {
        let words = try_zeros(words, look)?;
        let chunk = words.and_then(|words| Self::of_words(words, 1).ok());
        Ok(chunk.map(|chunk| Self { base, used: chunk.words.len(), ..chunk }))
    }

    fn of_words(words: Vec<u64>, groups: usize) -> Result<Self, TryReserveError> {
        let (heads, marks) = (try_filled(groups, 0)?, try_filled(groups, Marks::default())?);
        Ok(Self { words, heads, marks, ..Self::default() })
    }

    /// The chunk as running code sees it.
    pub(super) fn view(&mut self) -> VmChunk {
        VmChunk {
            words: self.words.as_mut_ptr().wrapping_add(self.base),
            heads: self.heads.as_mut_ptr(),
            groups: self.heads.len(),
            reserved: 0,
        }
    }

    pub(super) fn is_shared(&self) -> bool {
        self.heads.len() * 64 >= self.words.len()
    }

    /// The word of an object's head, if there is an object at this place.
    #[inline]
    pub(super) fn head(&self, place: usize) -> Option<usize> {
        let live = self.heads.get(place / 64)? >> (place % 64) & 1 != 0;
        live.then_some(self.base + place)
    }

    pub(super) fn set_head(&mut self, place: usize) {
        if let Some(heads) = self.heads.get_mut(place / 64) {
            *heads |= 1 << (place % 64);
        }
    }

    /// Notes that an object was found; whether it was new and the chunk has to be listed.
    #[inline]
    pub(super) fn mark(&mut self, place: usize) -> bool {
        let (group, bit) = (place / 64, 1 << (place % 64));
        let Some(bits) = self.marks.get_mut(group) else { return false };
        if self.heads.get(group).is_none_or(|heads| heads & bit == 0) || bits.marks & bit != 0 {
            return false;
        }
        bits.marks |= bit;
        bits.gray |= bit;
        self.gray_groups |= 1 << group;
        !std::mem::replace(&mut self.listed, true)
    }

    pub(super) fn is_marked(&self, place: usize) -> bool {
        self.marks.get(place / 64).is_some_and(|bits| bits.marks >> (place % 64) & 1 != 0)
    }

    /// A place whose object was not looked at; it is gray no longer.
    pub(super) fn take_gray(&mut self) -> Option<usize> {
        while self.gray_groups != 0 {
            let group = self.gray_groups.trailing_zeros() as usize;
            let bits = self.marks.get_mut(group)?;
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
        self.marks.fill(Marks::default());
        (self.gray_groups, self.listed, self.found) = (0, false, 0);
    }

    /// Lets go of the objects that were not marked; whether any are left.
    pub(super) fn sweep(&mut self) -> bool {
        let mut left = false;
        for (heads, bits) in self.heads.iter_mut().zip(&mut self.marks) {
            *heads &= std::mem::take(&mut bits.marks);
            left |= *heads != 0;
        }
        self.used = std::mem::take(&mut self.found);
        left
    }

    /// The first free words at or behind `from`, which is no object's inside. Empty at the end.
    pub(super) fn gap(&self, mut from: usize) -> Range<usize> {
        let mut group = from / 64;
        let mut heads = match self.heads.get(group) {
            Some(heads) => heads & u64::MAX << (from % 64),
            None => return from..from,
        };
        loop {
            while heads == 0 {
                group += 1;
                match self.heads.get(group) {
                    Some(bits) => heads = *bits,
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
                heads = self.heads.get(group).copied().unwrap_or(0);
            }
            heads &= u64::MAX << (from % 64);
        }
    }
}
