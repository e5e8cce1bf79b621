//! Loads, stores, bulk memory, tables and globals. Accesses to other memories than memory 0 with
//! addresses of 32 bits are in `any_memory`, and so are conversions of addresses and indices of 64
//! bits.

use super::any_memory::memory_of;
use super::stack::{AccState, Entry, Operand, Place};
use super::{Translator, fits_32, imm32, mode, slot};
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::interp::instr::{Class, Instr};
use crate::interp::op::{LoadOp, StoreOp};
use crate::interp::shape::{self, Bulk, Indices, SlotNo};
use wasmparser::MemArg;

impl Translator<'_> {
    /// The address operand of an access to `bytes` bytes, and the offset of the last one to encode
    /// with it; `None` if the access is outside any memory of 32-bit addresses.
    fn address(&mut self, memarg: &MemArg, bytes: u32) -> Result<Option<(Operand, u32)>, Trap> {
        let entry = self.pop()?;
        let Some(last) = last(memarg, bytes) else {
            self.stack.consumed(&entry);
            return Ok(None);
        };
        if let Place::Const(base) = entry.place {
            return Ok((base as u32).checked_add(last).map(|last| (Operand::Imm(0), last)));
        }
        Ok(Some((self.stack.operand(&mut self.code, &entry, true), last)))
    }

    /// Writes an access that is outside any memory of 32-bit addresses.
    fn out_of_bounds(&mut self) {
        self.op(Instr::OutOfBounds, ());
    }

    pub(super) fn load(&mut self, op: LoadOp, ty: ValType, memarg: MemArg) -> Result<(), Trap> {
        if let Some(memory) = self.memory_kind(memory_of(&memarg)?)? {
            return self.load_any(op, ty, memory, memarg);
        }
        if let Some(last) = last(&memarg, op.bytes())
            && let Some((left, right)) = self.take_sum()?
        {
            return self.load_sum(op, ty, (left, right), last);
        }
        let Some((address, last)) = self.address(&memarg, op.bytes())? else {
            self.out_of_bounds();
            self.stack.push(ty, Place::Const(0));
            return Ok(());
        };
        let instr = Instr::Load { op, address: mode(address) };
        let operands = shape::Load { dst: SlotNo::NONE, address: slot(address), last };
        self.produce(ty, instr, operands)?;
        Ok(())
    }

    fn load_sum(
        &mut self,
        op: LoadOp,
        ty: ValType,
        sum: (Operand, Operand),
        last: u32,
    ) -> Result<(), Trap> {
        let instr = Instr::LoadSum { op, left: mode(sum.0), right: mode(sum.1) };
        let (dst, first) = (SlotNo::NONE, slot(sum.0));
        match sum.1 {
            Operand::Imm(second) => {
                let second = imm32(second);
                self.produce(ty, instr, shape::LoadSum { dst, first, second, last })?;
            }
            second => {
                let second = slot(second);
                self.produce(ty, instr, shape::LoadSum { dst, first, second, last })?;
            }
        }
        Ok(())
    }

    /// Writes the store of the popped `entry` at a sum.
    fn store_sum(
        &mut self,
        op: StoreOp,
        entry: &Entry,
        sum: (Operand, Operand),
        last: u32,
    ) -> Result<(), Trap> {
        let mut value = self.store_value(entry);
        if (sum.0, value, Class::of(entry.ty)) == (Operand::Acc, Operand::Acc, Class::Int) {
            // The integer accumulator is an operand of the sum as well, and the value's mirror.
            value = self.stack.operand(&mut self.code, entry, false);
        }
        let (left, right) = (mode(sum.0), mode(sum.1));
        let instr = Instr::StoreSum { op, left, right, value: mode(value) };
        let first = slot(sum.0);
        match (value, sum.1) {
            (Operand::Imm(value), Operand::Imm(second)) => {
                let (value, second) = (imm32(value), imm32(second));
                self.op(instr, shape::StoreSum { value, first, second, last });
            }
            (Operand::Imm(value), second) => {
                let (value, second) = (imm32(value), slot(second));
                self.op(instr, shape::StoreSum { value, first, second, last });
            }
            (value, Operand::Imm(second)) => {
                let (value, second) = (slot(value), imm32(second));
                self.op(instr, shape::StoreSum { value, first, second, last });
            }
            (value, second) => {
                let (value, second) = (slot(value), slot(second));
                self.op(instr, shape::StoreSum { value, first, second, last });
            }
        }
        Ok(())
    }

    /// The operand for the popped `entry` as the value of a store, which has room for 32 bits.
    fn store_value(&mut self, entry: &Entry) -> Operand {
        match self.stack.operand(&mut self.code, entry, true) {
            Operand::Imm(constant) if !fits_32(constant) || entry.ty == ValType::F64 => {
                self.stack.copy(&mut self.code, entry.ty, entry.slot, Operand::Imm(constant));
                Operand::Slot(entry.slot)
            }
            value => value,
        }
    }

    pub(super) fn store(&mut self, op: StoreOp, ty: ValType, memarg: MemArg) -> Result<(), Trap> {
        let kind = self.memory_kind(memory_of(&memarg)?)?;
        self.unfold(0);
        let entry = self.pop()?;
        if kind.is_none()
            && let Some(last) = last(&memarg, op.bytes())
            && let Some(sum) = self.take_sum()?
        {
            return self.store_sum(op, &entry, sum, last);
        }
        let value = self.store_value(&entry);
        if let Some(memory) = kind {
            return self.store_any(op, ty, memory, memarg, value);
        }
        let Some((address, last)) = self.address(&memarg, op.bytes())? else {
            self.out_of_bounds();
            return Ok(());
        };
        let value = self.beside_address(ty, address, value);
        let instr = Instr::Store { op, address: mode(address), value: mode(value) };
        let address = slot(address);
        match value {
            Operand::Imm(value) => {
                self.op(instr, shape::Store { value: imm32(value), address, last });
            }
            value => {
                self.op(instr, shape::Store { value: slot(value), address, last });
            }
        }
        Ok(())
    }

    /// The operand of a store for its `value`, beside an address. If both are in the integer
    /// accumulator, they are the same value, and the store reads one from the slot that it mirrors.
    pub(super) fn beside_address(&self, ty: ValType, at: Operand, value: Operand) -> Operand {
        match (at, value, Class::of(ty), self.stack.acc(Class::Int)) {
            (Operand::Acc, Operand::Acc, Class::Int, AccState::Mirror(slot)) => Operand::Slot(slot),
            _ => value,
        }
    }

    pub(super) fn ref_func(&mut self, func_index: u32) -> Result<(), Trap> {
        let place = self.module.func_refs.place.get(func_index as usize).copied();
        let index = place.ok_or(Trap::Internal)?;
        self.produce_in_slot(ValType::FUNCREF, Instr::RefFunc, |dst| shape::Get { dst, index });
        Ok(())
    }

    pub(super) fn table_get(&mut self, table: u32) -> Result<(), Trap> {
        let elem = self.table_type(table)?.elem;
        let at = self.pop_index(table)?;
        self.produce_in_slot(elem, Instr::TableGet, |dst| shape::TableGet { dst, at, table });
        Ok(())
    }

    pub(super) fn table_set(&mut self, table: u32) -> Result<(), Trap> {
        let value = self.pop_slot()?;
        let at = self.pop_index(table)?;
        self.op(Instr::TableSet, shape::TableSet { at, value, table });
        Ok(())
    }

    pub(super) fn table_size(&mut self, index: u32) -> Result<(), Trap> {
        let ty = self.index_type(index)?;
        self.produce_in_slot(ty, Instr::TableSize, |dst| shape::Get { dst, index });
        Ok(())
    }

    pub(super) fn table_grow(&mut self, table: u32) -> Result<(), Trap> {
        let delta = self.pop_index(table)?;
        let init = self.pop_slot()?;
        let ty = self.index_type(table)?;
        self.produce_in_slot(ty, Instr::TableGrow, |dst| shape::TableGrow {
            dst,
            init,
            delta,
            table,
        });
        Ok(())
    }

    pub(super) fn table_fill(&mut self, of: u32) -> Result<(), Trap> {
        let count = self.pop_index(of)?;
        let from = self.pop_slot()?;
        let to = self.pop_index(of)?;
        self.op(Instr::TableFill, Bulk { to, from, count, of });
        Ok(())
    }

    pub(super) fn table_copy(&mut self, of: Indices) -> Result<(), Trap> {
        // The count is as wide as the narrower index; an i64 is cut, an i32 is as it is.
        let narrow = self.narrower_table(of)?;
        let count = self.pop_index(narrow)?;
        let from = self.pop_index(of.from)?;
        let to = self.pop_index(of.to)?;
        self.op(Instr::TableCopy, Bulk { to, from, count, of });
        Ok(())
    }

    /// `of.from` is the segment.
    pub(super) fn table_init(&mut self, of: Indices) -> Result<(), Trap> {
        let count = self.pop_slot()?;
        let from = self.pop_slot()?;
        let to = self.pop_index(of.to)?;
        self.op(Instr::TableInit, Bulk { to, from, count, of });
        Ok(())
    }

    /// The type of a global, whether it is imported, and its index among its kind.
    fn global(&self, index: u32) -> Result<(ValType, bool, u32), Trap> {
        let ty = self.module.globals.get(index as usize).ok_or(Trap::Internal)?.ty.val;
        let imported = self.module.imported.globals;
        Ok(match index.checked_sub(imported) {
            Some(own) => (ty, false, own),
            None => (ty, true, index),
        })
    }

    pub(super) fn global_get(&mut self, index: u32) -> Result<(), Trap> {
        let (ty, imported, index) = self.global(index)?;
        let class = Class::of(ty);
        let instr = Instr::GlobalGet { class, imported };
        self.produce(ty, instr, shape::Get { dst: SlotNo::NONE, index })?;
        Ok(())
    }

    pub(super) fn global_set(&mut self, index: u32) -> Result<(), Trap> {
        let (ty, imported, index) = self.global(index)?;
        let class = Class::of(ty);
        self.unfold(0);
        let entry = self.pop()?;
        let mut value = self.stack.operand(&mut self.code, &entry, true);
        if let Operand::Imm(constant) = value
            && (!fits_32(constant) || class != Class::Int)
        {
            self.stack.copy(&mut self.code, ty, entry.slot, value);
            value = Operand::Slot(entry.slot);
        }
        let instr = Instr::GlobalSet { class, imported, source: mode(value) };
        match value {
            Operand::Imm(value) => {
                self.op(instr, shape::GlobalSet { value: imm32(value), index });
            }
            value => {
                self.op(instr, shape::GlobalSet { value: slot(value), index });
            }
        }
        Ok(())
    }
}

/// The offset of the last byte of an access to a memory of 32-bit addresses; `None` if it is
/// outside of any.
fn last(memarg: &MemArg, bytes: u32) -> Option<u32> {
    u32::try_from(memarg.offset).ok()?.checked_add(bytes - 1)
}
