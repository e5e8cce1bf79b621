//! Helpers of this module's tests.

use crate::alloc::PoolBuffer;
use std::alloc::{GlobalAlloc, Layout, System};

/// A buffer that is no allocation of any heap's.
pub struct Buffer {
    start: *mut u8,
    len: usize,
}

impl Buffer {
    /// The initial value of every byte.
    pub const FRESH: u8 = 0xa5;

    fn layout(len: usize) -> Layout {
        Layout::from_size_align(len, 16).unwrap()
    }

    pub fn new(len: usize) -> Self {
        // SAFETY: tests ask for more than zero bytes.
        let start = unsafe { System.alloc(Self::layout(len)) };
        assert!(!start.is_null());
        // SAFETY: `len` fresh bytes.
        unsafe { start.write_bytes(Self::FRESH, len) };
        Self { start, len }
    }

    pub fn start(&self) -> *mut u8 {
        self.start
    }

    pub fn lend(&mut self) -> PoolBuffer {
        // SAFETY: the tests drop or retire the heap before the buffer.
        unsafe { PoolBuffer::new(self.start, self.len) }.unwrap()
    }

    pub fn contains(&self, block: *mut u8, len: usize) -> bool {
        let (start, block) = (self.start as usize, block as usize);
        block >= start && block + len <= start + self.len
    }

    pub fn bytes(&self) -> &[u8] {
        // SAFETY: initialised in `new`; the tests do not write meanwhile.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout.
        unsafe { System.dealloc(self.start, Self::layout(self.len)) };
    }
}

/// A small generator, so that failures can be repeated.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Mostly small, sometimes up to `max`.
    pub fn size(&mut self, max: usize) -> usize {
        let bits = self.below(max.ilog2() as usize + 1);
        1 + self.below(1 << bits)
    }
}

/// Writes a pattern that depends on the length.
///
/// # Safety
/// `len` bytes at `block` are the caller's.
pub unsafe fn fill(block: *mut u8, len: usize) {
    for at in 0..len {
        // SAFETY: within the block.
        unsafe { block.add(at).write(at as u8 ^ (len as u8)) };
    }
}

/// Whether the first `len` bytes are as some [`fill`] left them.
///
/// # Safety
/// As for [`fill`].
pub unsafe fn intact(block: *mut u8, len: usize) -> bool {
    // SAFETY: within the block.
    unsafe {
        let key = block.read();
        (0..len).all(|at| block.add(at).read() == at as u8 ^ key)
    }
}
