//! Reads and writes of locals.

use super::Translator;
use super::stack::{AccState, Entry, Operand, Place};
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::interp::instr::Class;

impl Translator<'_> {
    pub(super) fn local_get(&mut self, index: u32) -> Result<(), Trap> {
        let (ty, slot) = self.local(index)?;
        self.stack.push(ty, Place::Local(slot));
        Ok(())
    }

    /// Writes the popped `entry` to the local in `slot`.
    fn write_local(&mut self, entry: Entry, ty: ValType, slot: u16) {
        let preserved = self.stack.preserve(&mut self.code, slot);
        let class = Class::of(ty);
        if let Place::Sum(base, addend) = entry.place {
            self.write_sum(slot, base, addend);
        } else if entry.place == Place::Acc {
            let state = self.stack.acc(class);
            let last = self.last.map(|last| last.at);
            if let AccState::Pending { at, instr, .. } = state
                && !preserved
                && last == Some(at.offset())
            {
                // The producer itself can write the local: nothing has come after it.
                self.code.set_slot(at, instr, slot);
                self.stack.value_written(ty, slot);
            } else {
                self.stack.copy(&mut self.code, ty, slot, Operand::Acc);
            }
            self.stack.set_acc(class, AccState::Mirror(slot));
        } else {
            let from = self.stack.operand(&mut self.code, &entry, true);
            let mirrored = from == Operand::Acc;
            self.stack.copy(&mut self.code, ty, slot, from);
            if mirrored {
                self.stack.set_acc(class, AccState::Mirror(slot));
            }
        }
        self.last = None;
    }

    pub(super) fn local_set(&mut self, index: u32) -> Result<(), Trap> {
        let (ty, slot) = self.local(index)?;
        let entry = self.pop()?;
        self.write_local(entry, ty, slot);
        Ok(())
    }

    pub(super) fn local_tee(&mut self, index: u32) -> Result<(), Trap> {
        let (ty, slot) = self.local(index)?;
        let entry = self.pop()?;
        self.write_local(entry, ty, slot);
        // A constant stays one; anything else is now the local.
        match entry.place {
            Place::Const(value) => self.constant(ty, value),
            _ => self.stack.push(ty, Place::Local(slot)),
        }
        Ok(())
    }
}
