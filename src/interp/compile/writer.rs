//! The code being written: words, with operand fields at byte offsets.

use super::{make_room, no_room};
use crate::abi::trap::Trap;
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
    /// Memory ran out. What is written since then is lost.
    failed: bool,
}

/// An instruction has two words, or as many as this.
const WORDS_MAX: usize = 3;

/// More code than this is not written for one function: distances have 31 bits.
const BYTES_MAX: usize = 1 << 30;

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
        if !self.has_room(WORDS_MAX) {
            return at;
        }
        self.words.push(instr.handler(target) as usize as u64);
        self.words.push(0);
        if instr.size() == WORDS_MAX * 8 {
            self.words.push(0);
        }
        self.list(Line { at, instr, target, position: self.position });
        at
    }

    #[inline(always)]
    fn list(&mut self, line: Line) {
        if let Some(listing) = &mut self.listing {
            if make_room(listing, 1).is_ok() {
                listing.push(line);
            } else {
                self.fail();
            }
        }
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
        if let Some(listing) = &mut self.listing
            && let Ok(index) = listing.binary_search_by_key(&at, |line| line.at)
        {
            listing[index].target = target;
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
            while listing.last().is_some_and(|line| line.at >= at) {
                listing.pop();
            }
        }
    }

    pub fn keep_listing(&mut self) {
        self.listing = Some(Vec::new());
    }

    /// Fails if memory has run out.
    #[inline(always)]
    pub fn check(&self) -> Result<(), Trap> {
        if self.failed { Err(no_room()) } else { Ok(()) }
    }

    pub fn finish(self) -> (Box<[u64]>, Vec<Line>) {
        (self.words.into_boxed_slice(), self.listing.unwrap_or_default())
    }

    /// Appends plain words, the table of a `br_table`.
    pub fn words(&mut self, count: usize) {
        if self.has_room(count) {
            self.words.resize(self.words.len() + count, 0);
        }
    }

    /// Makes room for `count` more words.
    #[inline(always)]
    fn has_room(&mut self, count: usize) -> bool {
        count <= self.words.capacity() - self.words.len() || self.grow(count)
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, count: usize) -> bool {
        let is_short = self.here().saturating_add(count.saturating_mul(8)) <= BYTES_MAX;
        let has_room = !self.failed && is_short && make_room(&mut self.words, count).is_ok();
        if !has_room {
            self.fail();
        }
        has_room
    }

    /// Nothing is kept any more, so that every write from here on comes to nothing.
    fn fail(&mut self) {
        self.failed = true;
        self.words = Vec::new();
    }

    /// The field of 32 bits at `field` of the instruction at `at`.
    pub fn field_u32(&self, at: usize, field: usize) -> u32 {
        let word = self.field_u64(at, field & !7).to_ne_bytes();
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&word[field % 8..field % 8 + 4]);
        u32::from_ne_bytes(bytes)
    }

    pub fn field_u64(&self, at: usize, field: usize) -> u64 {
        self.words.get((at + field) / 8).copied().unwrap_or(u64::MAX)
    }
}
