//! The words of references that guests make themselves, among all that an anyref or an externref
//! may be.
//!
//! An anyref and an externref of the same thing are the same word, so that converting one to the
//! other is nothing. A word of the guest's own has the highest nine bits of [`GUEST`]; all others
//! but zero, which is null, are the host's: an object's word plus one. Of the guest's own, those
//! with the lowest bit are small integers, with their value in the bits above, and the others are
//! objects, which only the heap can find. No address of a process has the highest bits of these, so
//! that hosts can use addresses for their objects.
//!
//! An exnref is zero or the word of an object, too. The word does not tell an exception from a
//! struct or an array: the head of the object does.

/// The highest nine bits of the guest's own words.
pub const GUEST: u64 = GUEST_BITS << GUEST_SHIFT;

/// The same nine bits, as the highest of the numbers that heaps may have.
pub const GUEST_BITS: u64 = 0xdb;
const GUEST_SHIFT: u32 = 55;

/// Whether a word is a guest's own: a small integer, or the claim that there is an object.
pub const fn is_guests(word: u64) -> bool {
    word >> GUEST_SHIFT == GUEST_BITS
}

/// The reference to the small integer that a number's lowest 31 bits are.
pub const fn small_integer(value: u32) -> u64 {
    GUEST | ((value & 0x7fff_ffff) as u64) << 1 | 1
}

/// The 31 bits of a small integer, if a word is one.
pub const fn as_small_integer(word: u64) -> Option<u32> {
    if is_guests(word) && word & 1 != 0 { Some((word >> 1) as u32 & 0x7fff_ffff) } else { None }
}

#[cfg(test)]
mod tests {
    use super::{GUEST, as_small_integer, is_guests, small_integer};

    #[test]
    fn small_integers_have_31_bits() {
        for value in [0, 1, 0x4000_0000, 0x7fff_ffff] {
            assert_eq!(as_small_integer(small_integer(value)), Some(value));
            assert_eq!(small_integer(value), small_integer(value | 1 << 31));
        }
    }

    #[test]
    fn words_of_the_host_are_none_of_the_guests() {
        for word in [0, 1, 0x7fff_ffff_fff1, u64::MAX, GUEST - 1, GUEST + (1 << 55)] {
            assert!(!is_guests(word) && as_small_integer(word).is_none(), "{word:#x}");
        }
        assert_eq!(as_small_integer(GUEST | 8), None);
    }
}
