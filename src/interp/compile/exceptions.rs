//! Throwing, and the tables by which handlers are found.
//!
//! A `try_table` is a block that emits nothing: the code between its start and its end is a range
//! in the function's table, with the clauses that apply there. A clause leads straight to its
//! label, with the values that it carries in the slots right above the label's base, as with all
//! branches to the label. The stack's other entries and the locals are in their slots, too, since
//! all instructions that may throw are calls or treated like calls.

use super::labels::LabelKind;
use super::{Translator, make_room, no_room};
use crate::abi::trap::Trap;
use crate::alloc;
use crate::exec::throw::ReferencePlace;
use crate::interp::instr::Instr;
use crate::interp::machine::Offset;
use crate::interp::shape::{self, SlotNo};
use crate::interp::unwind::{Clause, Held, NO_TRY, Segment, Tables, Try};
use wasmparser::{Catch, TryTable};

/// The `try_table`s of the function being translated.
pub(super) struct Handlers {
    /// By number.
    pub(super) tries: Vec<Try>,
    /// The innermost one with clauses that is open, or `NO_TRY`.
    pub(super) innermost: u32,
    /// The value of `innermost` before each `try_table` that is open, the outermost first.
    pub(super) open: Vec<u32>,
    /// Which one the code is in, in the order of the code.
    segments: Vec<Segment>,
    /// In the order of the `try_table`s.
    pub(super) clauses: Vec<Clause>,
}

impl Default for Handlers {
    fn default() -> Self {
        Self {
            tries: Vec::new(),
            innermost: NO_TRY,
            open: Vec::new(),
            segments: Vec::new(),
            clauses: Vec::new(),
        }
    }
}

impl Handlers {
    /// From `at` on, the code is in the innermost one.
    pub(super) fn enter_segment(&mut self, at: Offset) -> Result<(), Trap> {
        let segment = Segment { start: at, innermost: self.innermost };
        match self.segments.last_mut() {
            Some(last) if last.start == segment.start => *last = segment,
            _ => {
                make_room(&mut self.segments, 1)?;
                self.segments.push(segment);
            }
        }
        Ok(())
    }
}

/// The references on the operand stack that may lead to what is collected, and the instructions
/// where collections may come by. Those are all that count of the code: a reference is held from
/// one of them to another.
#[derive(Default)]
pub struct References {
    /// In the order in which they were pushed.
    held: Vec<Held>,
    /// The topmost one that is on the stack.
    topmost: Option<u32>,
    /// Offsets of instructions at which there are any.
    sites: Vec<Offset>,
    /// Memory ran out.
    failed: bool,
}

impl References {
    /// Makes room for one more element of a list.
    fn has_room<T>(list: &mut Vec<T>) -> bool {
        list.len() < list.capacity() || alloc::fallible(|| list.try_reserve(1)).is_ok()
    }

    /// A reference is pushed.
    #[inline(never)]
    pub fn begin(&mut self, slot: u16) {
        if !Self::has_room(&mut self.held) {
            self.failed = true;
            return;
        }
        let below = self.topmost.unwrap_or(Held::NONE);
        self.topmost = Some(self.held.len() as u32);
        self.held.push(Held { slot, first: self.sites.len() as u32, end: Held::NONE, below });
    }

    /// The topmost one is popped.
    #[inline(never)]
    pub fn end(&mut self) {
        let Some(index) = self.topmost else { return };
        let Some(held) = self.held.get_mut(index as usize) else { return };
        held.end = self.sites.len() as u32;
        self.topmost = (held.below != Held::NONE).then_some(held.below);
        let (seen, is_last) = (held.end > held.first, index as usize + 1 == self.held.len());
        if is_last && !seen {
            self.held.pop();
        }
    }

    /// The function may be at the instruction at `at` while collections come by.
    fn site(&mut self, at: Offset) {
        if self.topmost.is_none() {
            return;
        }
        if !Self::has_room(&mut self.sites) {
            self.failed = true;
            return;
        }
        self.sites.push(at);
    }
}

/// What a clause of a `try_table` catches and carries, and the depth of its label.
pub fn clause_parts(catch: Catch) -> (Option<u32>, ReferencePlace, u32) {
    let (nowhere, above) = (ReferencePlace::Nowhere, ReferencePlace::Above);
    match catch {
        Catch::One { tag, label } => (Some(tag), nowhere, label),
        Catch::OneRef { tag, label } => (Some(tag), above, label),
        Catch::All { label } => (None, nowhere, label),
        Catch::AllRef { label } => (None, above, label),
    }
}

impl Translator<'_> {
    pub(super) fn try_table(&mut self, try_table: &TryTable) -> Result<(), Trap> {
        let first = self.handlers.clauses.len() as u32;
        make_room(&mut self.handlers.clauses, try_table.catches.len())?;
        make_room(&mut self.handlers.open, 1)?;
        make_room(&mut self.handlers.tries, 1)?;
        // The block's parameters stay on the stack, above the bases of all labels around it.
        for catch in &try_table.catches {
            self.spend(1)?;
            self.clause(*catch)?;
        }
        self.block_of_kind(LabelKind::Try, try_table.ty)?;
        let here = self.code.label();
        let handlers = &mut self.handlers;
        handlers.open.push(handlers.innermost);
        let clauses = first..handlers.clauses.len() as u32;
        if !clauses.is_empty() {
            let outer = handlers.innermost;
            handlers.innermost = handlers.tries.len() as u32;
            handlers.tries.push(Try { outer, clauses });
            handlers.enter_segment(here)?;
        }
        if let Some(label) = self.labels.last_mut() {
            label.around = self.handlers.innermost;
        }
        Ok(())
    }

    fn clause(&mut self, catch: Catch) -> Result<(), Trap> {
        let (tag, reference, depth) = clause_parts(catch);
        let label = self.label_index(depth)?;
        let base = self.base_slot(label);
        let carried = self.carried_slots(label);
        let frame_slots = &mut self.stack.frame_slots;
        *frame_slots = (*frame_slots).max(u32::from(base) + carried);
        let index = self.handlers.clauses.len();
        self.handlers.clauses.push(Clause { tag, reference, base, target: Offset::START, cost: 0 });
        self.catch_to(label, index);
        Ok(())
    }

    /// The innermost `try_table` ends before the instruction at `here`.
    pub(super) fn end_try(&mut self, here: Offset) -> Result<(), Trap> {
        let outer = self.handlers.open.pop().unwrap_or(NO_TRY);
        if outer != self.handlers.innermost {
            self.handlers.innermost = outer;
            self.handlers.enter_segment(here)?;
        }
        Ok(())
    }

    pub(super) fn throw(&mut self, tag: u32) -> Result<(), Trap> {
        let module = self.module;
        let type_index = *module.tags.get(tag as usize).ok_or(Trap::Internal)?;
        let count = module.types.func(type_index).ok_or(Trap::Internal)?.params().len();
        self.stack.settle_top(&mut self.code, count);
        self.stack.settle_references(&mut self.code);
        self.stack.spill_all(&mut self.code);
        let len = self.stack.entries.len().checked_sub(count).ok_or(Trap::Internal)?;
        let frame = self.stack.entries.get(len).map_or(self.stack.top_slot() as u16, |e| e.slot);
        let (site, frame) = (self.site(), SlotNo(frame));
        let at = self.op(Instr::Throw, shape::Throw { site, frame, tag }).offset();
        // The references in the payload count, too: a collection may come before the exception is
        // an object, to find room for it.
        self.note_references(at);
        self.unreachable_from_here();
        Ok(())
    }

    pub(super) fn throw_ref(&mut self) -> Result<(), Trap> {
        let reference = self.pop_slot()?;
        self.stack.settle_references(&mut self.code);
        self.stack.spill_all(&mut self.code);
        let site = self.site();
        let at = self.op(Instr::ThrowRef, shape::ThrowRef { site, reference }).offset();
        self.note_references(at);
        self.unreachable_from_here();
        Ok(())
    }

    /// Notes that the operand stack may be looked through for references to what is collected
    /// while the instruction at `at` is where the function is. What a call takes has been popped:
    /// it is the callee's. The others are in their slots: accumulators have been spilled, what is
    /// in locals was settled by `Stack::settle_references`, and null when it was pushed.
    pub(super) fn note_references(&mut self, at: Offset) {
        self.stack.references.site(at);
    }

    /// The tables; `None` if all of them are empty.
    pub(super) fn tables(&mut self) -> Result<Option<Box<Tables>>, Trap> {
        let mut locals = Vec::new();
        for slot in self.locals.collected() {
            make_room(&mut locals, 1)?;
            locals.push(slot);
        }
        let Handlers { tries, clauses, segments, .. } = std::mem::take(&mut self.handlers);
        let references = std::mem::take(&mut self.stack.references);
        if references.failed {
            return Err(no_room());
        }
        let loops = self.loops.take().unwrap_or_default();
        let is_bare = tries.is_empty() && references.sites.is_empty() && locals.is_empty();
        if is_bare && loops.is_empty() {
            return Ok(None);
        }
        Ok(Some(Box::new(Tables {
            tries: tries.into_boxed_slice(),
            segments: segments.into_boxed_slice(),
            clauses: clauses.into_boxed_slice(),
            locals: locals.into_boxed_slice(),
            held: references.held.into_boxed_slice(),
            sites: references.sites.into_boxed_slice(),
            loops: loops.into_boxed_slice(),
        })))
    }
}
