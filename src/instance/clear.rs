//! Zeroing memory that was mostly not written to.
//!
//! An instance that lives shortly touches a few pages of its memory. Finding those takes half the
//! time of writing to all, leaves the others' cache lines clean, and does not make the system
//! provide pages that were never touched.

use std::ptr;

/// Bytes that are looked at together.
const CHUNK: usize = 4096;

/// Zeroes `len` bytes, a multiple of 4 KiB.
///
/// # Safety
/// The bytes at `start` are readable and writable, aligned to 8, and nobody else uses them.
pub unsafe fn clear(start: *mut u8, len: usize) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has the feature; the rest is passed on to the caller.
        unsafe { clear_avx2(start, len) };
        return;
    }
    // SAFETY: the caller guarantees that the bytes at `start` are readable and writable, aligned to
    // 8, and nobody else uses them.
    unsafe { clear_chunks(start, len) }
}

/// [`clear_chunks`] with wider registers.
///
/// # Safety
/// As for [`clear`]; the processor has AVX2.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[target_feature(enable = "avx2")]
unsafe fn clear_avx2(start: *mut u8, len: usize) {
    // SAFETY: the caller guarantees that the bytes are readable and writable, aligned to 8, and
    // nobody else uses them.
    unsafe { clear_chunks(start, len) }
}

/// # Safety
/// As for [`clear`].
#[inline(always)]
unsafe fn clear_chunks(start: *mut u8, len: usize) {
    for at in (0..len).step_by(CHUNK) {
        let chunk = start.wrapping_add(at);
        let bytes = CHUNK.min(len - at);
        // SAFETY: the chunk lies in the caller's bytes.
        unsafe {
            if bytes < CHUNK || !is_zero(chunk) {
                ptr::write_bytes(chunk, 0, bytes);
            }
        }
    }
}

/// Whether a chunk holds zeros only.
///
/// # Safety
/// The chunk is readable and aligned to 8.
#[inline(always)]
unsafe fn is_zero(chunk: *const u8) -> bool {
    // As many words side by side as fill a few registers; the compiler makes vectors of them.
    const LANES: usize = 16;
    let mut seen = [0_u64; LANES];
    for row in 0..CHUNK / size_of::<[u64; LANES]>() {
        // SAFETY: the row lies in the chunk.
        let words = unsafe { *chunk.cast::<[u64; LANES]>().add(row) };
        for (seen, word) in seen.iter_mut().zip(words) {
            *seen |= word;
        }
    }
    seen.iter().all(|&word| word == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_found() {
        let mut words = vec![0_u64; 3 * CHUNK / 8];
        let start = words.as_mut_ptr().cast::<u8>();
        for at in (0..3 * CHUNK).step_by(61).chain([0, CHUNK - 1, 3 * CHUNK - 1]) {
            for clear in [clear, clear_chunks as unsafe fn(*mut u8, usize)] {
                // SAFETY: all of it is the vector's.
                unsafe {
                    *start.add(at) = 1;
                    clear(start, 3 * CHUNK);
                    assert_eq!(*start.add(at), 0, "at {at}");
                }
            }
        }
        // SAFETY: all of it is the vector's.
        unsafe {
            ptr::write_bytes(start, 0xff, 3 * CHUNK);
            clear(start, 2 * CHUNK + 8);
        }
        assert!(words[..(2 * CHUNK + 8) / 8].iter().all(|&word| word == 0));
        assert!(words[(2 * CHUNK + 8) / 8..].iter().all(|&word| word == u64::MAX));
    }
}
