//! Typed references: calls of functions by them, and tests whether they are null.

use super::stack::{Entry, Operand, Place};
use super::{Condition, Translator};
use crate::abi::trap::Trap;
use crate::interp::instr::Instr;
use crate::interp::op::CompareOp;
use crate::interp::shape::{self, SlotNo};

impl Translator<'_> {
    pub(super) fn call_ref(&mut self, type_index: u32) -> Result<(), Trap> {
        let ty = self.module.types.func(type_index).ok_or(Trap::Internal)?;
        let callee = self.pop_slot()?;
        let (frame, slots) = self.arguments(ty)?;
        let site = self.site();
        let at = self.op(Instr::CallRef, shape::CallRef { site, frame, slots, callee }).offset();
        self.note_references(at);
        self.results(ty, frame, true)
    }

    pub(super) fn ref_as_non_null(&mut self) -> Result<(), Trap> {
        let entry = self.pop()?;
        let reference = SlotNo(self.stack.slot_operand(&mut self.code, &entry));
        self.op(Instr::AssertNonNull, shape::AssertNonNull { reference });
        let own = reference.0 == entry.slot;
        let place = if own { Place::Temp } else { Place::Local(reference.0) };
        self.stack.push(entry.ty, place);
        Ok(())
    }

    /// Pops the reference on top, which lies in its slot then.
    fn pop_settled(&mut self) -> Result<Entry, Trap> {
        self.stack.settle_top(&mut self.code, 1);
        // An accumulator that has it as well must be free for the values that the branch moves.
        self.stack.spill_all(&mut self.code);
        self.pop()
    }

    pub(super) fn br_on_null(&mut self, depth: u32) -> Result<(), Trap> {
        let label = self.label_index(depth)?;
        let entry = self.pop_settled()?;
        self.branch_when(label, compares(CompareOp::I64Eq, entry))?;
        self.stack.push(entry.ty, Place::Temp);
        Ok(())
    }

    pub(super) fn br_on_non_null(&mut self, depth: u32) -> Result<(), Trap> {
        let label = self.label_index(depth)?;
        let entry = self.pop_settled()?;
        // The branch takes the reference along, the other way leaves it.
        self.stack.push(entry.ty, Place::Temp);
        self.branch_when(label, compares(CompareOp::I64Ne, entry))?;
        self.pop()?;
        Ok(())
    }
}

/// The reference of `entry`, which lies in its slot, against null.
fn compares(op: CompareOp, Entry { slot, .. }: Entry) -> Condition {
    let (left, right) = (Operand::Slot(slot), Operand::Imm(0));
    Condition::Compare { op, left, right, left_slot: slot, right_slot: slot }
}
