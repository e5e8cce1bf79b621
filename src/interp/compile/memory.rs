//! Loads, stores, bulk memory, tables and globals. Accesses to other memories than memory 0 with
//! addresses of 32 bits are in `any_memory`, and so are conversions of addresses and indices of 64
//! bits.

use super::any_memory::memory_of;
use super::stack::{AccState, Operand, Place};
use super::{Translator, fits_32, imm32, mode, slot};
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::interp::instr::{Class, Instr};
use crate::interp::op::{LoadOp, StoreOp};
use crate::interp::shape::{self, Bulk, Indices, SlotNo};
use wasmparser::MemArg;

impl Translator<'_> {
    /// The address operand and the offset to encode with it; `None` if the access is outside
    /// any memory of 32-bit addresses.
    fn address(&mut self, memarg: &MemArg) -> Result<Option<(Operand, u32)>, Trap> {
        let entry = self.pop()?;
        if let Place::Const(base) = entry.place {
            let at = base as u32 as u64 + memarg.offset;
            return Ok(u32::try_from(at).ok().map(|at| (Operand::Imm(0), at)));
        }
        let operand = self.stack.operand(&mut self.code, &entry, true);
        Ok(Some((operand, offset(memarg))))
    }

    pub(super) fn load(&mut self, op: LoadOp, ty: ValType, memarg: MemArg) -> Result<(), Trap> {
        if let Some(memory) = self.memory_kind(memory_of(&memarg)?)? {
            return self.load_any(op, ty, memory, memarg);
        }
        if let Some((left, right)) = self.absorb_sum()? {
            return self.load_sum(op, ty, (left, right), offset(&memarg));
        }
        let Some((address, offset)) = self.address(&memarg)? else {
            self.op(Instr::OutOfBounds, ());
            self.stack.push(ty, Place::Const(0));
            return Ok(());
        };
        let instr = Instr::Load { op, address: mode(address) };
        let operands = shape::Load { dst: SlotNo::NONE, address: slot(address), offset };
        self.produce(ty, instr, operands)?;
        Ok(())
    }

    fn load_sum(
        &mut self,
        op: LoadOp,
        ty: ValType,
        sum: (Operand, Operand),
        offset: u32,
    ) -> Result<(), Trap> {
        let instr = Instr::LoadSum { op, left: mode(sum.0), right: mode(sum.1) };
        let (dst, first) = (SlotNo::NONE, slot(sum.0));
        match sum.1 {
            Operand::Imm(second) => {
                let second = imm32(second);
                self.produce(ty, instr, shape::LoadSum { dst, first, second, offset })?;
            }
            second => {
                let second = slot(second);
                self.produce(ty, instr, shape::LoadSum { dst, first, second, offset })?;
            }
        }
        Ok(())
    }

    fn store_sum(&mut self, op: StoreOp, value: Operand, sum: (Operand, Operand), offset: u32) {
        let (left, right) = (mode(sum.0), mode(sum.1));
        let instr = Instr::StoreSum { op, left, right, value: mode(value) };
        let (value, first) = (slot(value), slot(sum.0));
        match sum.1 {
            Operand::Imm(second) => {
                let second = imm32(second);
                self.op(instr, shape::StoreSum { value, first, second, offset });
            }
            second => {
                let second = slot(second);
                self.op(instr, shape::StoreSum { value, first, second, offset });
            }
        }
    }

    pub(super) fn store(&mut self, op: StoreOp, ty: ValType, memarg: MemArg) -> Result<(), Trap> {
        let kind = self.memory_kind(memory_of(&memarg)?)?;
        let entry = self.pop()?;
        if let Place::Local(_) | Place::Temp = entry.place
            && kind.is_none()
            && let Some((left, right)) = self.absorb_sum()?
        {
            let value = match self.stack.operand(&mut self.code, &entry, true) {
                // The integer accumulator may be an operand of the sum as well.
                Operand::Acc if Class::of(ty) == Class::Int => {
                    self.stack.operand(&mut self.code, &entry, false)
                }
                value => value,
            };
            self.store_sum(op, value, (left, right), offset(&memarg));
            return Ok(());
        }
        let mut value = self.stack.operand(&mut self.code, &entry, true);
        if let Operand::Imm(constant) = value
            && (!fits_32(constant) || ty == ValType::F64)
        {
            self.stack.copy(&mut self.code, ty, entry.slot, value);
            value = Operand::Slot(entry.slot);
        }
        if let Some(memory) = kind {
            return self.store_any(op, ty, memory, memarg, value);
        }
        let Some((address, offset)) = self.address(&memarg)? else {
            self.op(Instr::OutOfBounds, ());
            return Ok(());
        };
        let value = self.beside_address(ty, address, value);
        let instr = Instr::Store { op, address: mode(address), value: mode(value) };
        let address = slot(address);
        match value {
            Operand::Imm(value) => {
                self.op(instr, shape::Store { value: imm32(value), address, offset });
            }
            value => {
                self.op(instr, shape::Store { value: slot(value), address, offset });
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

/// The offset of an access to a memory of 32-bit addresses.
fn offset(memarg: &MemArg) -> u32 {
    debug_assert!(u32::try_from(memarg.offset).is_ok(), "validation allows no more");
    memarg.offset as u32
}
