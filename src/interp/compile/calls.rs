//! Calls and returns.
//!
//! A tail call is both: its arguments are as those of a call, and nothing of the function is left
//! behind it (`handlers::tail_call`). The tables of handlers and references have no entry for it,
//! since the function is at no call while the other one runs.

use super::stack::{AccState, Operand, Place};
use super::{Translator, fits_32, imm32, mode, slot};
use crate::abi::trap::Trap;
use crate::abi::types::{FuncType, ValType};
use crate::interp::instr::{Class, Instr};
use crate::interp::machine::Header;
use crate::interp::shape::{self, Site, SlotNo};

impl<'m> Translator<'m> {
    /// Settles the arguments of a call of type `ty`, which are the topmost entries, and takes them
    /// off the stack. Returns the first slot of the callee's frame and the number of slots of the
    /// arguments or of the results, whichever has more.
    pub(super) fn arguments(&mut self, ty: &FuncType) -> Result<(SlotNo, u16), Trap> {
        let count = ty.params().len();
        self.stack.settle_top(&mut self.code, count);
        self.stack.settle_references(&mut self.code);
        // The callee's accumulators are the same.
        self.stack.spill_all(&mut self.code);
        let len = self.stack.entries.len().checked_sub(count).ok_or(Trap::Internal)?;
        self.stack.truncate(len);
        let slots = ty.param_slots().max(ty.result_slots());
        // The callee's header is named by the caller too.
        self.stack.reserve(slots + Header::SLOTS);
        Ok((SlotNo(self.stack.top_slot() as u16), slots as u16))
    }

    /// Pushes the results of a call. They are in slots, and a single one is in its accumulator,
    /// too, unless the call is that of an import.
    pub(super) fn results(
        &mut self,
        ty: &FuncType,
        frame: SlotNo,
        in_acc: bool,
    ) -> Result<(), Trap> {
        self.stack.forget_accs();
        self.stack.push_settled(ty.results())?;
        if let (true, &[result]) = (in_acc, ty.results()) {
            self.stack.set_acc(Class::of(result), AccState::Mirror(frame.0));
        }
        Ok(())
    }

    fn func_type(&self, type_index: u32) -> Result<&'m FuncType, Trap> {
        self.module.types.func(type_index).ok_or(Trap::Internal)
    }

    /// The position in the module of the operator that is being translated.
    pub(super) fn site(&self) -> Site {
        Site { position: self.position }
    }

    pub(super) fn call(&mut self, func_index: u32) -> Result<(), Trap> {
        let module = self.module;
        let type_index = *module.funcs.get(func_index as usize).ok_or(Trap::Internal)?;
        let ty = module.types.func(type_index).ok_or(Trap::Internal)?;
        let (frame, slots) = self.arguments(ty)?;
        let imported = module.imported.funcs;
        let site = self.site();
        let at = if let Some(defined) = func_index.checked_sub(imported) {
            let header = SlotNo(frame.0.wrapping_add(ty.param_slots() as u16));
            // The code table has an entry for every defined function.
            let code = self.codes.wrapping_add(defined as usize);
            self.op(Instr::Call, shape::Call { site, frame, header, code }).offset()
        } else {
            let (import, caller) = (func_index, self.func_index);
            let operands = shape::CallImport { site, frame, slots, import, caller };
            self.op(Instr::CallImport { profiled: self.profiled }, operands).offset()
        };
        self.note_references(at);
        self.results(ty, frame, func_index >= imported)
    }

    /// Pops the index of the element to call in `table`.
    fn table_index(&mut self, table: u32) -> Result<Operand, Trap> {
        match self.index_type(table)? {
            ValType::I64 => self.pop_index(table).map(|slot| Operand::Slot(slot.0)),
            _ => self.pop_acc_or_slot(),
        }
    }

    pub(super) fn call_indirect(&mut self, type_index: u32, table: u32) -> Result<(), Trap> {
        let ty = self.func_type(type_index)?;
        let index = self.table_index(table)?;
        // Moving arguments must not disturb an index in the accumulator; copies do not.
        let (frame, slots) = self.arguments(ty)?;
        // Validation allows a hundred tables.
        let table = u16::try_from(table).map_err(|_| Trap::Internal)?;
        let (instr, site) = (Instr::CallIndirect { index: mode(index) }, self.site());
        let index = slot(index);
        let operands = shape::CallIndirect { site, frame, slots, table, index, ty: type_index };
        let at = self.op(instr, operands).offset();
        self.note_references(at);
        self.results(ty, frame, true)
    }

    /// Settles the arguments of a tail call of type `ty`, which are the topmost entries, and takes
    /// them off the stack. Returns their first slot and the first slot of this function's header.
    fn tail_arguments(&mut self, ty: &FuncType) -> Result<(SlotNo, SlotNo), Trap> {
        let count = ty.params().len();
        self.stack.settle_top(&mut self.code, count);
        let len = self.stack.entries.len().checked_sub(count).ok_or(Trap::Internal)?;
        self.stack.truncate(len);
        self.profile_end();
        Ok((SlotNo(self.stack.top_slot() as u16), SlotNo(self.header_slot)))
    }

    pub(super) fn return_call(&mut self, func_index: u32) -> Result<(), Trap> {
        let module = self.module;
        let type_index = *module.funcs.get(func_index as usize).ok_or(Trap::Internal)?;
        let ty = self.func_type(type_index)?;
        let (from, header) = self.tail_arguments(ty)?;
        if let Some(defined) = func_index.checked_sub(module.imported.funcs) {
            let code = self.codes.wrapping_add(defined as usize);
            let instr = Instr::TailCall { slots: ty.param_slots() };
            self.op(instr, shape::TailCall { from, header, code });
        } else {
            let import = func_index;
            self.op(Instr::TailCallImport, shape::TailCallImport { from, header, import });
        }
        self.unreachable_from_here();
        Ok(())
    }

    pub(super) fn return_call_indirect(&mut self, ty: u32, table: u32) -> Result<(), Trap> {
        let func_type = self.func_type(ty)?;
        let index = self.table_index(table)?;
        // As for an ordinary call, moving arguments does not disturb an index in the accumulator.
        let (from, header) = self.tail_arguments(func_type)?;
        let table = u16::try_from(table).map_err(|_| Trap::Internal)?;
        let slots = func_type.param_slots();
        let instr = Instr::TailCallIndirect { index: mode(index), slots };
        let index = slot(index);
        self.op(instr, shape::TailCallIndirect { from, header, table, index, ty });
        self.unreachable_from_here();
        Ok(())
    }

    pub(super) fn return_call_ref(&mut self, type_index: u32) -> Result<(), Trap> {
        let ty = self.func_type(type_index)?;
        let callee = self.pop_slot()?;
        let (from, header) = self.tail_arguments(ty)?;
        let instr = Instr::TailCallRef { slots: ty.param_slots() };
        self.op(instr, shape::TailCallRef { from, header, callee });
        self.unreachable_from_here();
        Ok(())
    }

    /// Writes the end of the measurement if the function measures its cost.
    fn profile_end(&mut self) {
        if self.profiled {
            let (start, header) = (SlotNo(self.start_slot()), SlotNo(self.header_slot));
            let function = self.func_index;
            self.op(Instr::ProfileEnd, shape::ProfileEnd { start, header, function });
        }
    }

    /// Returns the topmost values; the stack is left as it is.
    pub(super) fn return_(&mut self) -> Result<(), Trap> {
        let ty = self.ty;
        let header = SlotNo(self.header_slot);
        self.profile_end();
        match *ty.results() {
            [] => {
                self.op(Instr::ReturnNone { header: header.0 }, shape::Return { header });
            }
            [result] => {
                self.unfold(0);
                let class = Class::of(result);
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
                let instr = Instr::ReturnOne { class, source: mode(value), header: header.0 };
                if let Operand::Imm(value) = value {
                    self.op(instr, shape::ReturnOne { header, value: imm32(value) });
                } else {
                    self.op(instr, shape::ReturnOne { header, value: slot(value) });
                }
            }
            _ => {
                let count = ty.results().len();
                self.stack.settle_top(&mut self.code, count);
                let first = self.stack.entries.len().checked_sub(count).ok_or(Trap::Internal)?;
                let from = self.stack.entries[first].slot;
                let count = ty.result_slots() as u16;
                let from = SlotNo(from);
                self.op(Instr::ReturnMany, shape::ReturnMany { header, from, count });
            }
        }
        Ok(())
    }
}
