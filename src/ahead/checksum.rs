//! The checksum of files: against accidents, not against forgery.

/// Odd, so that multiplying by it loses nothing.
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// Independent sums, so that the processor has several multiplications under way.
const LANES: usize = 4;
const BLOCK_BYTES: usize = LANES * 8;

/// Takes one word into a sum. For a given word this is a permutation of all sums, and for a given
/// sum one of all words: a change within one word always changes the result.
fn step(sum: u64, word: u64) -> u64 {
    (sum ^ word).wrapping_mul(FACTOR).rotate_left(29)
}

/// The checksum of `bytes`. Any change within one aligned word of eight bytes changes it; larger
/// damage does, too, but for one case in 2⁶⁴.
pub fn checksum(bytes: &[u8]) -> u64 {
    let mut lanes = [1, 2, 3, 4_u64];
    let (blocks, rest) = bytes.as_chunks::<BLOCK_BYTES>();
    for block in blocks {
        for (lane, word) in lanes.iter_mut().zip(block.as_chunks::<8>().0) {
            *lane = step(*lane, u64::from_le_bytes(*word));
        }
    }
    for (lane, piece) in lanes.iter_mut().zip(rest.chunks(8)) {
        let mut word = [0; 8];
        word[..piece.len()].copy_from_slice(piece);
        *lane = step(*lane, u64::from_le_bytes(word));
    }
    let sum = lanes.into_iter().fold(bytes.len() as u64, step);
    // The last multiplications reach the upper bits; this takes them to the lower ones.
    step(sum ^ sum >> 32, 0)
}
