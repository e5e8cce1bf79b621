//! The exception instructions that came before `try_table`: `try` with `catch`, `catch_all` and
//! `delegate`, and `rethrow`.
//!
//! They become the same tables, so entering a `try` executes nothing either. Each `catch` is a
//! [`Try`] with one clause, which leads to its body; those of one `try` are chained as if each were
//! around the one before, because clauses of blocks inside may come between them. A `delegate` is a
//! `Try` without clauses; the `Try` around its label is around it, too.
//!
//! While a `catch` runs, the stack has an entry that validation does not know, below the payload:
//! the exception's reference, for `rethrow`. Branches leave it behind, as they do with all values
//! between the base and those that they carry. The entry's value is zero unless a `rethrow` needs
//! the reference, so that other `catch` clauses make no objects.

use super::exceptions::Handlers;
use super::labels::{From, LabelKind};
use super::{Translator, make_room};
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::exec::throw::ReferencePlace;
use crate::interp::instr::Instr;
use crate::interp::machine::Offset;
use crate::interp::shape::{self, Forward, Jump, SlotNo};
use crate::interp::unwind::{Clause, Try};
use wasmparser::BlockType;

impl Handlers {
    /// Adds an entry to the tables, for which there is room.
    fn add_try(&mut self, entry: Try) -> u32 {
        self.tries.push(entry);
        self.tries.len() as u32 - 1
    }
}

impl Translator<'_> {
    pub(super) fn try_(&mut self, ty: BlockType) -> Result<(), Trap> {
        make_room(&mut self.handlers.open, 1)?;
        make_room(&mut self.handlers.tries, 1)?;
        self.block_of_kind(LabelKind::LegacyTry, ty)?;
        let here = self.code.label();
        let handlers = &mut self.handlers;
        handlers.open.push(handlers.innermost);
        handlers.innermost = handlers.add_try(Try { outer: handlers.innermost, clauses: 0..0 });
        handlers.enter_segment(here)?;
        let label = self.labels.last_mut().ok_or(Trap::Internal)?;
        label.around = self.handlers.innermost;
        label.last_try = self.handlers.innermost;
        Ok(())
    }

    /// A `catch`, or a `catch_all` without a tag.
    pub(super) fn catch(&mut self, tag: Option<u32>) -> Result<(), Trap> {
        let index = self.labels.len().checked_sub(1).ok_or(Trap::Internal)?;
        if self.labels[index].reachable {
            self.move_to_end(index);
            let at = self.op(Instr::Branch, Forward::OPEN);
            self.lead_to(index, From::Forward(at));
        }
        let here = self.code.label();
        self.add_clause(index, tag, here)?;
        let label = &mut self.labels[index];
        label.reachable = true;
        let height = label.height;
        self.reset_stack(height, &[ValType::EXNREF])?;
        if let Some(tag) = tag {
            let module = self.module;
            let ty = *module.tags.get(tag as usize).ok_or(Trap::Internal)?;
            let ty = module.types.func(ty).ok_or(Trap::Internal)?;
            self.stack.push_settled(ty.params())?;
        }
        Ok(())
    }

    /// Adds the clause of the `try` with this label whose body begins at `here`.
    fn add_clause(&mut self, index: usize, tag: Option<u32>, here: Offset) -> Result<(), Trap> {
        let base = self.base_slot(index);
        let (label, handlers) = (&mut self.labels[index], &mut self.handlers);
        make_room(&mut handlers.clauses, 1)?;
        make_room(&mut handlers.tries, 1)?;
        let clause = handlers.clauses.len() as u32;
        let reference = ReferencePlace::Unused;
        handlers.clauses.push(Clause { tag, reference, base, target: here, cost: 0 });
        let clauses = clause..clause + 1;
        if label.kind == LabelKind::LegacyTry {
            label.kind = LabelKind::LegacyCatch;
            let outer = handlers.open.last().copied().ok_or(Trap::Internal)?;
            (handlers.innermost, label.around) = (outer, outer);
            handlers.tries.get_mut(label.last_try as usize).ok_or(Trap::Internal)?.clauses =
                clauses;
        } else {
            let added = handlers.add_try(Try { outer: label.around, clauses });
            handlers.tries.get_mut(label.last_try as usize).ok_or(Trap::Internal)?.outer = added;
            label.last_try = added;
        }
        label.clause = clause;
        handlers.enter_segment(here)
    }

    /// Moves the results of the innermost block to their slots at its end.
    pub(super) fn move_to_end(&mut self, index: usize) {
        if self.in_place(index) {
            let count = self.labels[index].results.len();
            self.stack.settle_top(&mut self.code, count);
        } else {
            self.move_values(index);
        }
    }

    pub(super) fn delegate(&mut self, depth: u32) -> Result<(), Trap> {
        // The `try` itself is the innermost label here, and is not counted by `depth`.
        let around = self.labels[self.label_index(depth.saturating_add(1))?].around;
        let id = self.labels.last().ok_or(Trap::Internal)?.last_try;
        self.handlers.tries.get_mut(id as usize).ok_or(Trap::Internal)?.outer = around;
        self.end()
    }

    pub(super) fn rethrow(&mut self, depth: u32) -> Result<(), Trap> {
        let index = self.label_index(depth)?;
        let clause = self.labels[index].clause as usize;
        self.handlers.clauses.get_mut(clause).ok_or(Trap::Internal)?.reference =
            ReferencePlace::Below;
        let reference = SlotNo(self.base_slot(index));
        self.stack.settle_references(&mut self.code);
        self.stack.spill_all(&mut self.code);
        let site = self.site();
        let at = self.op(Instr::ThrowRef, shape::ThrowRef { site, reference }).offset();
        self.note_references(at);
        self.unreachable_from_here();
        Ok(())
    }
}
