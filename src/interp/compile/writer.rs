//! The code being written: instructions, one behind the other.
//!
//! An instruction is written as a whole, with the handler that reads operands of its shape. The
//! translator's methods call [`Writer::push`] for it, most of them through `Translator::op` and
//! `Translator::produce`. Fields that are filled in later stand at an instruction's beginning; a
//! [`Position`] has the type of the beginning, and a [`Chain`] leads to many such fields.

use super::{make_room, no_room};
use crate::abi::trap::Trap;
use crate::interp::instr::{Instr, Target};
use crate::interp::machine::Offset;
use crate::interp::shape::{Back, Begins, Code, CopyTwo, Dst, Entry, Forward, Shape, SlotNo};
use crate::interp::shape::{Unary, Word};
use std::any::TypeId;
use std::marker::PhantomData;

/// A growing body of code.
#[derive(Default)]
pub struct Writer {
    words: Vec<Word>,
    /// The place of the last label: no instruction before it may be changed together with a later
    /// one.
    last_label: Offset,
    /// The last instruction if it is a copy that another may join.
    copy: Option<Position<Unary>>,
    /// The instructions written so far, if a listing is kept.
    listing: Option<Vec<Line>>,
    /// The position in the module of the operator that is being translated, in bytes.
    position: u32,
    /// Memory ran out. All instructions are lost, and [`Writer::check`] fails.
    failed: bool,
}

/// The most words of one function: distances have 31 bits.
const WORDS_MAX: usize = (1 << 30) / size_of::<Word>();

/// The offset of an instruction whose operands begin with the fields of `P`. Only the writer makes
/// such positions.
pub struct Position<P>(Offset, PhantomData<P>);

impl<P> Clone for Position<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Position<P> {}

impl<P> Position<P> {
    pub fn offset(self) -> Offset {
        self.0
    }
}

impl<S: Shape> Position<S> {
    /// The same instruction, of which only the first fields matter.
    pub fn begin<P>(self) -> Position<P>
    where
        S: Begins<P>,
    {
        let () = S::CHECK;
        Position(self.0, PhantomData)
    }
}

/// Instructions that wait for the same value. The chain is the offset of the last one; each of them
/// has the offset of the one before in the field that will be filled in.
pub struct Chain<P>(Offset, PhantomData<P>);

impl<P> Chain<P> {
    pub const EMPTY: Self = Self(Offset::NONE, PhantomData);

    pub fn is_empty(&self) -> bool {
        self.0 == Offset::NONE
    }
}

/// Operands with a field that is filled in later, and until then is a link of a chain.
pub trait Link {
    fn link(&self) -> Offset;
    fn set_link(&mut self, before: Offset);
}

impl Link for Forward {
    fn link(&self) -> Offset {
        Offset::from_bytes(self.distance as u32)
    }

    fn set_link(&mut self, before: Offset) {
        self.distance = before.bytes() as i32;
    }
}

impl Link for Back {
    fn link(&self) -> Offset {
        Offset::from_bytes(self.cost)
    }

    fn set_link(&mut self, before: Offset) {
        self.cost = before.bytes();
    }
}

/// The offset of an entry of the table of a `br_table`, which is a distance. As a link the entry
/// has the offset of the `br_table`, too.
#[derive(Clone, Copy)]
pub struct TableEntry(Offset);

impl TableEntry {
    /// The entry behind this one.
    pub fn next(self) -> Self {
        Self(Offset::of_word(self.0.word() + 1))
    }
}

/// An instruction of a listing.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    pub at: Offset,
    pub instr: Instr,
    pub target: Target,
    /// The position in the module of the operator that the instruction was made for, in bytes.
    pub position: u32,
    shape: TypeId,
}

impl Line {
    /// The instruction's operands in `code`, which has been listed, if their shape is `S`.
    pub fn operands<S: Shape>(&self, code: &[Word]) -> Option<S> {
        let end = self.at.word() + Code::<S>::WORDS;
        let words = code.get(self.at.word()..end).filter(|_| self.shape == TypeId::of::<S>())?;
        // SAFETY: `get` has checked that the words are there; `push`, the only maker of lines, has
        // written a `Code` of this shape to them.
        Some(unsafe { *(*words.as_ptr().cast::<Code<S>>()).operands() })
    }
}

impl Writer {
    /// Leaves room for the function's entry. The first thing to be written.
    pub fn begin(&mut self) {
        if self.has_room(1) {
            self.words.push(Word::new(0));
        }
    }

    /// Fills the function's entry in, unless memory has run out.
    pub fn set_function_entry(&mut self, entry: Entry) {
        if let Some(first) = self.words.first_mut() {
            // SAFETY: the word is there, and an entry has its size and no more alignment; `shape`
            // asserts that.
            unsafe { first.as_mut_ptr().cast::<Entry>().write(entry) };
        }
    }

    /// The offset of the next instruction, as a target of branches.
    pub fn label(&mut self) -> Offset {
        self.copy = None;
        self.last_label = self.here();
        self.last_label
    }

    /// Whether the instruction at `at` is the last one and of the shape `S`, and no branch leads
    /// between it and the next.
    pub fn is_last<S: Shape>(&self, at: Offset) -> bool {
        at.word() + Code::<S>::WORDS == self.words.len() && at >= self.last_label
    }

    /// The instructions from here on are made for the operator at `position` in the module.
    pub fn at_position(&mut self, position: u32) {
        self.position = position;
    }

    fn here(&self) -> Offset {
        Offset::of_word(self.words.len())
    }

    /// Writes an instruction.
    pub fn push<S: Shape>(&mut self, instr: Instr, target: Target, operands: S) -> Position<S> {
        let at = self.here();
        self.copy = None;
        let picked = instr.handler(target);
        debug_assert!(picked.is_for::<S>(), "{instr:?} has other operands");
        if self.has_room(Code::<S>::WORDS) {
            let len = self.words.len();
            // SAFETY: `has_room` has made room behind the words for all of a `Code`, which is as
            // aligned as they are (`Code::WORDS` asserts it); words need not be initialised.
            unsafe {
                let end = self.words.as_mut_ptr().add(len).cast::<Code<S>>();
                end.write(Code::new(picked.handler, operands));
                self.words.set_len(len + Code::<S>::WORDS);
            }
            let position = self.position;
            self.list(Line { at, instr, target, position, shape: TypeId::of::<S>() });
        }
        Position(at, PhantomData)
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

    /// The instruction at `at`, unless memory has run out.
    fn code<P: Shape>(&mut self, at: Position<P>) -> Option<&mut Code<P>> {
        let first = at.0.word();
        let words = self.words.get_mut(first..first + Code::<P>::WORDS)?;
        // SAFETY: `get_mut` has checked that the words are there; a `Position<P>` comes from
        // `push`, which has written an instruction to them that begins with a `Code<P>`.
        Some(unsafe { &mut *words.as_mut_ptr().cast() })
    }

    /// The operands of the instruction at `at`, to be changed, unless memory has run out.
    pub fn operands<P: Shape>(&mut self, at: Position<P>) -> Option<&mut P> {
        self.code(at).map(Code::operands_mut)
    }

    /// Copies slot `from` to slot `to`; two copies in a row are one instruction.
    pub fn copy(&mut self, to: u16, from: u16) {
        let second = Unary { dst: SlotNo(to), a: SlotNo(from) };
        if let Some(at) = self.copy.take() {
            if let Some(&mut first) = self.operands(at) {
                self.words.truncate(at.0.word());
                let line = self.listing.as_mut().and_then(Vec::pop);
                self.push(Instr::CopyTwo, Target::Slot, CopyTwo { first, second });
                let last = self.listing.as_mut().and_then(|listing| listing.last_mut());
                if let (Some(line), Some(last)) = (line, last) {
                    last.position = line.position;
                }
            }
            return;
        }
        self.copy = Some(self.push(Instr::Copy, Target::Slot, second));
    }

    /// Makes the instruction `instr` at `at` write its result to `slot`, too.
    pub fn set_slot(&mut self, at: Position<Dst>, instr: Instr, slot: u16) {
        if let Some(code) = self.code(at) {
            code.set_handler(instr.handler(Target::Slot).handler);
            code.operands_mut().dst = SlotNo(slot);
        }
        if let Some(listing) = &mut self.listing
            && let Ok(index) = listing.binary_search_by_key(&at.0, |line| line.at)
        {
            listing[index].target = Target::Slot;
        }
    }

    /// Makes the branch at `at` lead to `target`.
    pub fn set_distance(&mut self, at: Position<Forward>, target: Offset) {
        if let Some(branch) = self.operands(at) {
            branch.distance = at.0.distance(target);
        }
    }

    /// Adds the instruction at `at` to a chain.
    pub fn chain<P: Shape + Link>(&mut self, at: Position<P>, chain: &mut Chain<P>) {
        let before = std::mem::replace(&mut chain.0, at.0);
        if let Some(operands) = self.operands(at) {
            operands.set_link(before);
        }
    }

    /// Takes the last instruction from a chain.
    pub fn unchain<P: Shape + Link>(&mut self, chain: &mut Chain<P>) -> Option<Position<P>> {
        let at = Position::<P>(chain.0, PhantomData);
        chain.0 = self.operands(at)?.link();
        Some(at)
    }

    /// Appends `count` entries for the table of a `br_table`, and returns the first.
    pub fn table(&mut self, count: usize) -> TableEntry {
        let first = TableEntry(self.here());
        if self.has_room(count) {
            self.words.resize(self.words.len() + count, Word::new(0));
        }
        first
    }

    fn write_entry(&mut self, entry: TableEntry, word: u64) {
        if let Some(place) = self.words.get_mut(entry.0.word()) {
            *place = Word::new(word);
        }
    }

    /// Makes an entry of the `br_table` at `start` lead to `target`.
    pub fn set_entry(&mut self, entry: TableEntry, start: Offset, target: Offset) {
        self.write_entry(entry, i64::from(start.distance(target)) as u64);
    }

    /// Adds an entry of the `br_table` at `start` to a chain.
    pub fn chain_entry(&mut self, entry: TableEntry, start: Offset, chain: &mut Chain<TableEntry>) {
        let before = std::mem::replace(&mut chain.0, entry.0);
        self.write_entry(entry, u64::from(start.bytes()) << 32 | u64::from(before.bytes()));
    }

    /// Takes the last entry from a chain. Returns it and the offset of its `br_table`.
    pub fn unchain_entry(&mut self, chain: &mut Chain<TableEntry>) -> Option<(TableEntry, Offset)> {
        let entry = TableEntry(chain.0);
        let word = self.words.get(chain.0.word())?;
        // SAFETY: only `chain_entry` adds entries to such a chain, and it has written all of the
        // word.
        let link = unsafe { word.assume_init() };
        chain.0 = Offset::from_bytes(link as u32);
        Some((entry, Offset::from_bytes((link >> 32) as u32)))
    }

    /// Removes all instructions from `at` on.
    pub fn truncate(&mut self, at: Offset) {
        self.copy = None;
        self.words.truncate(at.word());
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

    pub fn finish(self) -> (Box<[Word]>, Vec<Line>) {
        (self.words.into_boxed_slice(), self.listing.unwrap_or_default())
    }

    /// Makes room for `count` more words.
    #[inline(always)]
    fn has_room(&mut self, count: usize) -> bool {
        count <= self.words.capacity() - self.words.len() || self.grow(count)
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, count: usize) -> bool {
        let is_short = self.words.len().saturating_add(count) <= WORDS_MAX;
        let has_room = !self.failed && is_short && make_room(&mut self.words, count).is_ok();
        if !has_room {
            self.fail();
        }
        has_room
    }

    /// Drops all code. All later writes have no effect.
    fn fail(&mut self) {
        self.failed = true;
        self.words = Vec::new();
    }
}
