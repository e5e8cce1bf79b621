//! Calls and returns.

use super::stack::{AccState, Operand, Place};
use super::{Translator, fits_32, mode};
use crate::abi::trap::Trap;
use crate::abi::types::FuncType;
use crate::interp::handlers::control::{FRAME, HEADER_SLOTS, POSITION, SLOTS};
use crate::interp::handlers::host::INDEX;
use crate::interp::handlers::profile::CALLER;
use crate::interp::instr::{Class, Instr};
use crate::interp::operand::{A, B, DST, IMM, WIDE};

impl Translator<'_> {
    /// Makes the arguments of a call of type `ty` be the topmost slots and takes them off the
    /// stack. Returns the slot of the callee's frame and the slots that arguments or results
    /// take.
    fn arguments(&mut self, ty: &FuncType) -> Result<(u16, u16), Trap> {
        let count = ty.params().len();
        self.stack.settle_top(&mut self.code, count);
        // The callee's accumulators are the same.
        self.stack.spill_all(&mut self.code);
        let len = self.stack.entries.len().checked_sub(count).ok_or(Trap::Internal)?;
        self.stack.truncate(len);
        let slots = ty.param_slots().max(ty.result_slots());
        // The callee's header is named by the caller too.
        self.stack.reserve(slots + HEADER_SLOTS);
        Ok((self.stack.top_slot() as u16, slots as u16))
    }

    /// Pushes what a call leaves: results in slots, a single one in its accumulator too if
    /// guest code returned it.
    fn results(&mut self, ty: &FuncType, frame: u16, by_guest: bool) -> Result<(), Trap> {
        self.stack.forget_accs();
        self.stack.push_settled(ty.results())?;
        if let (true, &[result]) = (by_guest, ty.results())
            && let Some(class) = Class::of(result)
        {
            self.stack.set_acc(class, AccState::Mirror(frame));
        }
        Ok(())
    }

    fn func_type(&self, type_index: u32) -> Result<&'_ FuncType, Trap> {
        self.module.types.get(type_index as usize).ok_or(Trap::Internal)
    }

    pub(super) fn call(&mut self, func_index: u32) -> Result<(), Trap> {
        let module = self.module;
        let type_index = *module.funcs.get(func_index as usize).ok_or(Trap::Internal)?;
        let ty = &module.types[type_index as usize];
        let (frame, slots) = self.arguments(ty)?;
        let imported = module.imported.funcs;
        if let Some(defined) = func_index.checked_sub(imported) {
            let at = self.op(Instr::Call);
            self.code.put_u32(at, POSITION, self.position);
            self.code.put_u16(at, FRAME, frame);
            self.code.put_u16(at, SLOTS, frame.wrapping_add(ty.param_slots() as u16));
            // The code table has an entry for every defined function.
            let code = self.codes.wrapping_add(defined as usize);
            self.code.put_u64(at, WIDE, code as usize as u64);
            self.note_references(at);
        } else {
            let at = self.op(Instr::CallImport { profiled: self.profiled });
            self.code.put_u32(at, POSITION, self.position);
            self.code.put_u16(at, FRAME, frame);
            self.code.put_u16(at, SLOTS, slots);
            self.code.put_u32(at, WIDE, func_index);
            if self.profiled {
                self.code.put_u32(at, CALLER, self.func_index);
            }
            self.note_references(at);
        }
        self.results(ty, frame, func_index >= imported)
    }

    pub(super) fn call_indirect(&mut self, type_index: u32, table: u32) -> Result<(), Trap> {
        let module = self.module;
        self.func_type(type_index)?;
        let ty = &module.types[type_index as usize];
        let index = self.pop_acc_or_slot()?;
        // Moving arguments must not disturb an index in the accumulator; copies do not.
        let (frame, slots) = self.arguments(ty)?;
        let at = self.op(Instr::CallIndirect { index: mode(index) });
        self.put_operand(at, INDEX, index);
        self.code.put_u32(at, POSITION, self.position);
        self.code.put_u16(at, FRAME, frame);
        self.code.put_u16(at, SLOTS, slots);
        // Validation allows a hundred tables.
        self.code.put_u16(at, WIDE, u16::try_from(table).map_err(|_| Trap::Internal)?);
        self.code.put_u32(at, WIDE + 4, type_index);
        self.note_references(at);
        self.results(ty, frame, false)
    }

    /// Returns the topmost values; the stack is left as it is.
    pub(super) fn return_(&mut self) -> Result<(), Trap> {
        let ty = self.ty;
        if self.profiled {
            let at = self.op(Instr::ProfileEnd);
            self.code.put_u16(at, DST, self.start_slot());
            self.code.put_u16(at, A, self.header_slot);
            self.code.put_u32(at, IMM, self.func_index);
        }
        match *ty.results() {
            [] => {
                let at = self.op(Instr::ReturnNone);
                self.code.put_u16(at, DST, self.header_slot);
            }
            [result] if Class::of(result).is_some() => {
                let class = Class::of(result).ok_or(Trap::Internal)?;
                let entry = *self.stack.entries.last().ok_or(Trap::Internal)?;
                let mut value = match entry.place {
                    Place::Acc => Operand::Acc,
                    _ => self.stack.operand(&mut self.code, &entry, true),
                };
                if let Operand::Imm(constant) = value
                    && (!fits_32(constant) || class != Class::Int)
                {
                    self.stack.copy(&mut self.code, result, entry.slot, value);
                    value = Operand::Slot(entry.slot);
                }
                let at = self.op(Instr::ReturnOne { class, source: mode(value) });
                self.code.put_u16(at, DST, self.header_slot);
                self.put_operand(at, A, value);
                if let Operand::Imm(constant) = value {
                    self.code.put_u32(at, IMM, constant as u32);
                }
            }
            _ => {
                let count = ty.results().len();
                self.stack.settle_top(&mut self.code, count);
                let first = self.stack.entries.len().checked_sub(count).ok_or(Trap::Internal)?;
                let from = self.stack.entries[first].slot;
                let at = self.op(Instr::ReturnMany);
                self.code.put_u16(at, DST, self.header_slot);
                self.code.put_u16(at, A, from);
                self.code.put_u16(at, B, ty.result_slots() as u16);
            }
        }
        Ok(())
    }
}
