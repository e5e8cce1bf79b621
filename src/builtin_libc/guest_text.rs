//! Bytes of a guest's memory as the functions look at them.
//!
//! Threads of the guest may write to a shared memory at any time. So nothing here relies on an
//! earlier read: a text keeps the length that it had when it was found, each byte is read once, and
//! no Rust reference covers any.

use super::call::{Answer, LibcCall, PIECE_BYTES};
use std::ops::Range;
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

impl LibcCall<'_> {
    /// The string at `address`; traps unless its NUL is the guest's too.
    pub(super) fn text(&self, address: u32) -> Answer<Text> {
        let (start, len) = self.caller.text(address.into())?;
        // Guests of this library have 32-bit addresses, and a string ends before its memory does.
        Ok(Text { address, start, len: len as u32 })
    }

    /// `len` bytes at `address`; traps unless all of them are the guest's.
    pub(super) fn bytes(&self, address: u32, len: u32) -> Answer<Bytes> {
        let start = self.memory.range(address.into(), len.into())?;
        Ok(Bytes { address, start, len })
    }

    pub(super) fn fill(&self, bytes: Bytes, byte: u8) -> Answer<()> {
        for piece in pieces(bytes.len) {
            bytes.part(piece.clone()).fill(byte);
            self.work(piece.end - piece.start)?;
        }
        Ok(())
    }

    /// Copies as many bytes as both have; they may overlap.
    pub(super) fn copy(&self, to: Bytes, from: Bytes) -> Answer<()> {
        let len = to.len.min(from.len);
        let copy = |piece: Range<u32>| {
            to.part(piece.clone()).copy_from(from.part(piece.clone()));
            self.work(piece.end - piece.start)
        };
        // The piece that is written next must have been read.
        if to.start.addr() <= from.start.addr() {
            pieces(len).try_for_each(copy)
        } else {
            pieces(len).rev().try_for_each(copy)
        }
    }
}

/// The indices below `len`, in pieces.
fn pieces(len: u32) -> impl DoubleEndedIterator<Item = Range<u32>> {
    (0..len.div_ceil(PIECE_BYTES)).map(move |number| {
        let start = number * PIECE_BYTES;
        start..len.min(start.saturating_add(PIECE_BYTES))
    })
}

fn read(start: *const u8, index: u32) -> u8 {
    // SAFETY: both types give out indices within the bytes that were found accessible, and a
    // guest's memory neither shrinks nor moves while a host function runs. Volatile, because other
    // threads may write there.
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

    /// Index of the first byte that `fits`, else the length.
    pub(super) fn find(self, call: &LibcCall<'_>, fits: impl Fn(u8) -> bool) -> Answer<u32> {
        let found = call.search(self.len, |index| fits(self.at(index)).then_some(index))?;
        Ok(found.unwrap_or(self.len))
    }

    /// The guest's address of the byte at `index`.
    pub(super) fn address_of(self, index: u32) -> u64 {
        self.address.wrapping_add(index) as u64
    }

    /// Adds the bytes at these indices to `copy`, which has room for them.
    pub(super) fn copy_to(self, copy: &mut Vec<u8>, indices: Range<u32>) {
        copy.extend(indices.map(|index| self.at(index)));
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
            // SAFETY: the type gives out indices within the bytes that were found writable, and a
            // guest's memory neither shrinks nor moves while a host function runs.
            unsafe { ptr::write_volatile(self.start.add(index as usize), byte) }
        }
    }

    /// Those at these indices, which are indices of these bytes.
    fn part(self, indices: Range<u32>) -> Self {
        let (first, end) = (indices.start.min(self.len), indices.end.min(self.len));
        Self {
            address: self.address.wrapping_add(first),
            start: self.start.wrapping_add(first as usize),
            len: end.saturating_sub(first),
        }
    }

    fn fill(self, byte: u8) {
        // SAFETY: all of these bytes were found writable.
        unsafe { ptr::write_bytes(self.start, byte, self.len as usize) }
    }

    /// Copies as many bytes as both have; they may overlap.
    fn copy_from(self, source: Self) {
        let len = self.len.min(source.len) as usize;
        // SAFETY: that many bytes were found accessible at both.
        unsafe { ptr::copy(source.start, self.start, len) }
    }
}
