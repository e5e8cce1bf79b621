//! The code being written: instructions, one behind the other.
//!
//! An instruction is written as a whole, with the handler that reads operands of its shape. What
//! is filled in later is found again by a [`Position`], which says what the instruction begins
//! with, or through a [`Chain`].

use super::{make_room, no_room};
use crate::abi::trap::Trap;
use crate::interp::instr::{Instr, Target};
use crate::interp::machine::Offset;
use crate::interp::shape::{Back, Begins, Code, CopyTwo, Dst, Forward, Shape, SlotNo, Unary, Word};
use std::any::TypeId;
use std::marker::PhantomData;

/// A growing body of code.
#[derive(Default)]
pub struct Writer {
    words: Vec<Word>,
    /// The last instruction if it is a copy that another may join.
    copy: Option<Position<Unary>>,
    /// What was written, when somebody wants to read it.
    listing: Option<Vec<Line>>,
    /// Where in the module the operator stands that is being translated.
    position: u32,
    /// Memory ran out. What is written since then is lost.
    failed: bool,
}

/// More code than this is not written for one function: distances have 31 bits.
const WORDS_MAX: usize = (1 << 30) / size_of::<Word>();

/// Where an instruction was written that begins with the fields of `P`. Only the writer makes any.
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
    /// The same instruction, of which only what it begins with matters.
    pub fn begin<P>(self) -> Position<P>
    where
        S: Begins<P>,
    {
        let () = S::CHECK;
        Position(self.0, PhantomData)
    }
}

/// Instructions that wait for the same: the last one, each of which has the one before it in the
/// very field that will be filled in.
pub struct Chain<P>(Offset, PhantomData<P>);

impl<P> Chain<P> {
    pub const EMPTY: Self = Self(Offset::NONE, PhantomData);

    pub fn is_empty(&self) -> bool {
        self.0 == Offset::NONE
    }
}

/// What has a field that is filled in later.
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

/// An entry of the table of a `br_table`: a distance. As a link it has the place of its
/// instruction, too.
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
    /// Where in the module the operator stands that the instruction was made for.
    pub position: u32,
    shape: TypeId,
}

impl Line {
    /// The instruction's operands in the code that it is a line of, if `S` is what they are.
    pub fn operands<S: Shape>(&self, code: &[Word]) -> Option<S> {
        let end = self.at.word() + Code::<S>::WORDS;
        let words = code.get(self.at.word()..end).filter(|_| self.shape == TypeId::of::<S>())?;
        // SAFETY: whole words, in which `push` has written a `Code<S>`.
        Some(unsafe { *(*words.as_ptr().cast::<Code<S>>()).operands() })
    }
}

impl Writer {
    /// A label: where the next instruction will stand, which branches may lead to.
    pub fn label(&mut self) -> Offset {
        self.copy = None;
        self.here()
    }

    /// What is written from here on is made for the operator that stands at `position`.
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
            // SAFETY: there is room behind the words for all of a `Code`, which is as aligned as
            // they are, and they need not be initialised.
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
        // SAFETY: whole words, in which an instruction was written that begins with this.
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

    /// Has the instruction `instr` at `at` leave its result in a slot, too.
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

    /// Has the branch at `at` lead to `target`.
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

    /// Has an entry of the `br_table` at `start` lead to `target`.
    pub fn set_entry(&mut self, entry: TableEntry, start: Offset, target: Offset) {
        self.write_entry(entry, i64::from(start.distance(target)) as u64);
    }

    /// Adds an entry of the `br_table` at `start` to a chain.
    pub fn chain_entry(&mut self, entry: TableEntry, start: Offset, chain: &mut Chain<TableEntry>) {
        let before = std::mem::replace(&mut chain.0, entry.0);
        self.write_entry(entry, u64::from(start.bytes()) << 32 | u64::from(before.bytes()));
    }

    /// Takes the last entry from a chain, and the place of its `br_table`.
    pub fn unchain_entry(&mut self, chain: &mut Chain<TableEntry>) -> Option<(TableEntry, Offset)> {
        let entry = TableEntry(chain.0);
        let word = self.words.get(chain.0.word())?;
        // SAFETY: `chain_entry` has written all of the word.
        let link = unsafe { word.assume_init() };
        chain.0 = Offset::from_bytes(link as u32);
        Some((entry, Offset::from_bytes((link >> 32) as u32)))
    }

    /// Takes back everything from `at` on.
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

    /// Nothing is kept any more, so that every write from here on comes to nothing.
    fn fail(&mut self) {
        self.failed = true;
        self.words = Vec::new();
    }
}
