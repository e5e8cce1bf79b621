//! References: words that name an object by the heap part, the chunk and the place in it.

use super::chunk::CHUNK_WORDS;
use std::num::NonZeroU64;

/// A reference to an object, as it stands in a slot. It is a claim: every function that takes one
/// asks the heap whether a live object begins there.
///
/// From the highest bit on: the number of the heap part (25 bits, never 0), the chunk's number (24
/// bits), the word in the chunk (12 bits), three bits of 0. So it is neither 0, which is null, nor
/// odd, which is an i31.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct GcRef(NonZeroU64);

/// Numbers of parts are below this.
pub(super) const PARTS_MAX: u32 = 1 << 25;
/// Numbers of chunks are below this.
pub(super) const CHUNKS_MAX: usize = 1 << 24;

const WORD_SHIFT: u32 = 3;
const CHUNK_SHIFT: u32 = WORD_SHIFT + CHUNK_WORDS.trailing_zeros();
const PART_SHIFT: u32 = CHUNK_SHIFT + CHUNKS_MAX.trailing_zeros();

impl GcRef {
    /// The reference in a slot; `None` for null, i31s and other words that no object has.
    pub fn from_word(word: u64) -> Option<Self> {
        if word & ((1 << WORD_SHIFT) - 1) != 0 {
            return None;
        }
        NonZeroU64::new(word).map(Self)
    }

    /// The word for a slot.
    pub fn word(self) -> u64 {
        self.0.get()
    }

    /// `part` is no 0, and all are below their limits.
    pub(super) fn new(part: u32, chunk: u32, word: usize) -> Self {
        let place = (word as u64) << WORD_SHIFT | u64::from(chunk) << CHUNK_SHIFT;
        Self(NonZeroU64::MIN.saturating_add((place | u64::from(part) << PART_SHIFT) - 1))
    }

    /// The number of its heap part.
    pub fn part(self) -> u32 {
        (self.word() >> PART_SHIFT) as u32
    }

    pub(super) fn chunk(self) -> usize {
        (self.word() >> CHUNK_SHIFT) as usize & (CHUNKS_MAX - 1)
    }

    pub(super) fn place(self) -> usize {
        (self.word() >> WORD_SHIFT) as usize & (CHUNK_WORDS - 1)
    }
}
