//! Throwing, and the tables by which handlers are found.
//!
//! A `try_table` is a block that emits nothing: the code between its start and its end is a range
//! in the function's table, with the clauses that apply there. A clause leads straight to its
//! label, with what it carries in the slots right above the label's base, where all branches to
//! the label have it. So do the stack's other entries and the locals, since whatever may throw is
//! a call or an instruction like one.

use super::Translator;
use super::control::{Fixup, LabelKind};
use super::stack::Place;
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::interp::handlers::control::{FRAME, POSITION};
use crate::interp::instr::Instr;
use crate::interp::operand::WIDE;
use crate::interp::unwind::{Clause, Tables, Try};
use std::ops::Range;
use wasmparser::{Catch, TryTable};

/// The tables of the function being translated.
#[derive(Default)]
pub(super) struct Handlers {
    tries: Vec<Try>,
    /// The clauses of those that are open, the outermost first.
    open: Vec<Range<u32>>,
    /// In the order of the `try_table`s.
    pub(super) clauses: Vec<Clause>,
    /// Instructions and the slots of references there.
    sites: Vec<(u32, u16)>,
}

impl Translator<'_> {
    pub(super) fn try_table(&mut self, try_table: &TryTable) -> Result<(), Trap> {
        let first = self.handlers.clauses.len();
        let clauses = &mut self.handlers.clauses;
        clauses.try_reserve(try_table.catches.len()).map_err(|_| Trap::OutOfMemory)?;
        // The block's parameters stay on the stack, above the bases of all labels around it.
        for catch in &try_table.catches {
            self.clause(*catch)?;
        }
        let end = self.handlers.clauses.len();
        self.handlers.open.push(first as u32..end as u32);
        self.block_of_kind(LabelKind::Try, try_table.ty)
    }

    fn clause(&mut self, catch: Catch) -> Result<(), Trap> {
        let (tag, reference, depth) = match catch {
            Catch::One { tag, label } => (Some(tag), false, label),
            Catch::OneRef { tag, label } => (Some(tag), true, label),
            Catch::All { label } => (None, false, label),
            Catch::AllRef { label } => (None, true, label),
        };
        let label = self.label_index(depth)?;
        let base = self.base_slot(label);
        let carried: u32 = self.branch_types(label).iter().map(|ty| ty.slots()).sum();
        let frame_slots = &mut self.stack.frame_slots;
        *frame_slots = (*frame_slots).max(u32::from(base) + carried);
        let index = self.handlers.clauses.len();
        self.handlers.clauses.push(Clause { tag, reference, base, target: 0, cost: 0 });
        self.branch_to(label, Fixup::Catch { index });
        Ok(())
    }

    /// Notes the range of a `try_table` that ends here. Inner ones end before outer ones, which
    /// is the order in which they are asked.
    pub(super) fn end_try(&mut self, code: Range<usize>) {
        let clauses = self.handlers.open.pop().unwrap_or_default();
        if !code.is_empty() && !clauses.is_empty() {
            let code = code.start as u32..code.end as u32;
            self.handlers.tries.push(Try { code, clauses });
        }
    }

    pub(super) fn throw(&mut self, tag: u32) -> Result<(), Trap> {
        let module = self.module;
        let type_index = *module.tags.get(tag as usize).ok_or(Trap::Internal)?;
        let count = module.types.get(type_index as usize).ok_or(Trap::Internal)?.params().len();
        self.stack.settle_top(&mut self.code, count);
        self.stack.spill_all(&mut self.code);
        let len = self.stack.entries.len().checked_sub(count).ok_or(Trap::Internal)?;
        let frame = self.stack.entries.get(len).map_or(self.stack.top_slot() as u16, |e| e.slot);
        let at = self.op(Instr::Throw);
        self.code.put_u32(at, POSITION, self.position);
        self.code.put_u16(at, FRAME, frame);
        self.code.put_u32(at, WIDE, tag);
        // The payload's too: memory may be looked for before there is an exception.
        self.note_references(at);
        self.unreachable_from_here();
        Ok(())
    }

    pub(super) fn throw_ref(&mut self) -> Result<(), Trap> {
        let slot = self.pop_slot()?;
        self.stack.spill_all(&mut self.code);
        let at = self.op(Instr::ThrowRef);
        self.code.put_u32(at, POSITION, self.position);
        self.code.put_u16(at, FRAME, slot);
        self.note_references(at);
        self.unreachable_from_here();
        Ok(())
    }

    /// Notes which slots of the operand stack hold references to exceptions while the
    /// instruction at `at` is where the function is. What a call takes has been popped: it is
    /// the callee's.
    pub(super) fn note_references(&mut self, at: usize) {
        if !self.stack.has_references {
            return;
        }
        for entry in &self.stack.entries {
            if entry.ty == ValType::ExnRef && entry.place == Place::Temp {
                self.handlers.sites.push((at as u32, entry.slot));
            }
        }
    }

    pub(super) fn tables(&mut self) -> Option<Box<Tables>> {
        let locals = self.locals.iter().filter(|(ty, _)| *ty == ValType::ExnRef);
        let locals: Box<[u16]> = locals.map(|(_, slot)| *slot).collect();
        let Handlers { tries, clauses, sites, .. } = std::mem::take(&mut self.handlers);
        let empty = tries.is_empty() && sites.is_empty() && locals.is_empty();
        (!empty).then(|| Box::new(Tables::new(tries, clauses, locals, sites)))
    }
}
