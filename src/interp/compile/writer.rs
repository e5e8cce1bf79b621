//! The code being written: words, with operand fields at byte offsets.

use crate::interp::dispatch::Handler;

/// A growing body of code. Positions are byte offsets from its start.
#[derive(Default)]
pub struct Writer {
    words: Vec<u64>,
}

impl Writer {
    /// Where the next instruction will stand.
    pub fn here(&self) -> usize {
        self.words.len() * 8
    }

    /// Starts an instruction of `size` bytes (a multiple of 8) and returns its position. Fields
    /// are zero until put.
    pub fn op(&mut self, handler: Handler, size: usize) -> usize {
        let at = self.here();
        self.words.push(handler as usize as u64);
        self.words.resize(self.words.len() + size / 8 - 1, 0);
        at
    }

    /// Replaces the handler of the instruction at `at`.
    pub fn set_handler(&mut self, at: usize, handler: Handler) {
        if let Some(word) = self.words.get_mut(at / 8) {
            *word = handler as usize as u64;
        }
    }

    /// Writes a field of the instruction at `at`, in the byte order that handlers read.
    fn put<const N: usize>(&mut self, at: usize, field: usize, bytes: [u8; N]) {
        let start = at + field;
        if let Some(word) = self.words.get_mut(start / 8) {
            let mut whole = word.to_ne_bytes();
            whole[start % 8..start % 8 + N].copy_from_slice(&bytes);
            *word = u64::from_ne_bytes(whole);
        }
    }

    pub fn put_u16(&mut self, at: usize, field: usize, value: u16) {
        self.put(at, field, value.to_ne_bytes());
    }

    pub fn put_u32(&mut self, at: usize, field: usize, value: u32) {
        self.put(at, field, value.to_ne_bytes());
    }

    pub fn put_u64(&mut self, at: usize, field: usize, value: u64) {
        self.put(at, field, value.to_ne_bytes());
    }

    /// Takes back everything from `at` on.
    pub fn truncate(&mut self, at: usize) {
        self.words.truncate(at / 8);
    }

    pub fn finish(self) -> Box<[u64]> {
        self.words.into_boxed_slice()
    }

    /// Appends a plain word, an entry of the table of a `br_table`.
    pub fn word(&mut self) {
        self.words.push(0);
    }
}
