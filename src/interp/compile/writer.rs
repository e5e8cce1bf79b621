//! The code being written: words, with operand fields at byte offsets.

use crate::interp::instr::{Instr, Target};
use crate::interp::operand::{A, B, C, DST};

/// A growing body of code. Positions are byte offsets from its start.
#[derive(Default)]
pub struct Writer {
    words: Vec<u64>,
    /// The last instruction if it is a copy that another may join.
    copy: Option<usize>,
    /// What was written, when somebody wants to read it.
    listing: Option<Vec<Line>>,
    /// Where in the module the operator stands that is being translated.
    position: u32,
}

/// An instruction of a listing.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    pub at: usize,
    pub instr: Instr,
    pub target: Target,
    /// Where in the module the operator stands that the instruction was made for.
    pub position: u32,
}

impl Writer {
    /// A label: where the next instruction will stand, which branches may lead to.
    pub fn label(&mut self) -> usize {
        self.copy = None;
        self.here()
    }

    /// What is written from here on is made for the operator that stands at `position`.
    pub fn at_position(&mut self, position: u32) {
        self.position = position;
    }

    fn here(&self) -> usize {
        self.words.len() * 8
    }

    /// Starts an instruction and returns its position. Its fields are zero until put.
    pub fn op(&mut self, instr: Instr, target: Target) -> usize {
        let at = self.here();
        self.copy = None;
        self.words.push(instr.handler(target) as usize as u64);
        self.words.resize(self.words.len() + instr.size() / 8 - 1, 0);
        if let Some(listing) = &mut self.listing {
            listing.push(Line { at, instr, target, position: self.position });
        }
        at
    }

    /// Copies slot `from` to slot `to`; two copies in a row are one instruction.
    pub fn copy(&mut self, to: u16, from: u16) {
        if let Some(at) = self.copy.take() {
            if let Some(word) = self.words.get_mut(at / 8) {
                *word = Instr::CopyTwo.handler(Target::Slot) as usize as u64;
            }
            if let Some(line) = self.listing.iter_mut().flatten().last() {
                line.instr = Instr::CopyTwo;
            }
            self.put_u16(at, B, to);
            self.put_u16(at, C, from);
            return;
        }
        let at = self.op(Instr::Copy, Target::Slot);
        self.put_u16(at, DST, to);
        self.put_u16(at, A, from);
        self.copy = Some(at);
    }

    /// Changes where the instruction `instr` at `at` leaves its result.
    pub fn set_target(&mut self, at: usize, instr: Instr, target: Target) {
        if let Some(word) = self.words.get_mut(at / 8) {
            *word = instr.handler(target) as usize as u64;
        }
        let line = self.listing.iter_mut().flatten().rev().find(|line| line.at == at);
        if let Some(line) = line {
            line.target = target;
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
        self.copy = None;
        self.words.truncate(at / 8);
        if let Some(listing) = &mut self.listing {
            listing.retain(|line| line.at < at);
        }
    }

    pub fn keep_listing(&mut self) {
        self.listing = Some(Vec::new());
    }

    pub fn finish(self) -> (Box<[u64]>, Vec<Line>) {
        (self.words.into_boxed_slice(), self.listing.unwrap_or_default())
    }

    /// Appends a plain word, an entry of the table of a `br_table`.
    pub fn word(&mut self) {
        self.words.push(0);
    }
}
