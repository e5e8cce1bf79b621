//! Bytes of a guest's memory as the functions look at them.
//!
//! Threads of the guest may write to a shared memory at any time. So nothing here relies on what
//! was there a moment ago: a text has the length that it had when it was found, each byte is read
//! once, and no Rust reference covers any.

use super::{Answer, Call};
use std::ptr;

/// A string without its NUL.
#[derive(Clone, Copy)]
pub(super) struct Text {
    /// The guest's address of the first byte.
    pub(super) address: u32,
    start: *const u8,
    len: u32,
}

/// Some bytes.
#[derive(Clone, Copy)]
pub(super) struct Bytes {
    pub(super) address: u32,
    start: *mut u8,
    pub(super) len: u32,
}

impl Call<'_> {
    /// The string at `address`; traps unless its NUL is the guest's too.
    pub(super) fn text(&self, address: u32) -> Answer<Text> {
        let (start, len) = self.memory.text(address.into())?;
        // Guests of this library have 32-bit addresses, and a string ends before its memory does.
        Ok(Text { address, start, len: len as u32 })
    }

    /// `len` bytes at `address`; traps unless all of them are the guest's.
    pub(super) fn bytes(&self, address: u32, len: u32) -> Answer<Bytes> {
        let start = self.memory.range(address.into(), len.into())?;
        Ok(Bytes { address, start, len })
    }
}

fn read(start: *const u8, index: u32) -> u8 {
    // SAFETY: both types give out indices within what was found accessible, and a guest's memory
    // neither shrinks nor moves while a host function runs. Volatile, because other threads may
    // write there.
    unsafe { ptr::read_volatile(start.add(index as usize)) }
}

impl Text {
    pub(super) fn len(self) -> u32 {
        self.len
    }

    /// The byte at `index`; 0 from the end on.
    pub(super) fn at(self, index: u32) -> u8 {
        if index < self.len { read(self.start, index) } else { 0 }
    }

    pub(super) fn iter(self) -> impl Iterator<Item = u8> {
        (0..self.len).map(move |index| self.at(index))
    }

    /// Index of the first byte that `fits`, else the length.
    pub(super) fn find(self, fits: impl Fn(u8) -> bool) -> u32 {
        self.iter().position(fits).map_or(self.len, |index| index as u32)
    }

    /// The guest's address of the byte at `index`.
    pub(super) fn address_of(self, index: u32) -> u64 {
        self.address.wrapping_add(index) as u64
    }

    /// A copy in the host's memory, `None` without room.
    pub(super) fn copy(self) -> Option<Vec<u8>> {
        let mut copy = crate::alloc::try_vec(self.len as usize).ok()?;
        copy.extend(self.iter());
        Some(copy)
    }
}

impl Bytes {
    /// The byte at `index`; 0 from the end on.
    pub(super) fn at(self, index: u32) -> u8 {
        if index < self.len { read(self.start, index) } else { 0 }
    }

    /// Sets the byte at `index`, if it is one of these.
    pub(super) fn set(self, index: u32, byte: u8) {
        if index < self.len {
            // SAFETY: as in `read`; all of these bytes were found writable.
            unsafe { ptr::write_volatile(self.start.add(index as usize), byte) }
        }
    }

    pub(super) fn fill(self, byte: u8) {
        // SAFETY: all of these bytes were found writable.
        unsafe { ptr::write_bytes(self.start, byte, self.len as usize) }
    }

    /// Copies as many bytes as both have; they may overlap.
    pub(super) fn copy_from(self, source: Self) {
        let len = self.len.min(source.len) as usize;
        // SAFETY: that many bytes were found accessible at both.
        unsafe { ptr::copy(source.start, self.start, len) }
    }
}
