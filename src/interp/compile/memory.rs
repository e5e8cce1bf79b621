//! Loads, stores, bulk memory, tables and globals.

use super::stack::{AccState, Operand, Place};
use super::{Translator, fits_32, mode};
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::interp::handlers::memory::SUM_IMM;
use crate::interp::instr::{Class, Instr};
use crate::interp::op::{LoadOp, StoreOp};
use crate::interp::operand::{A, B, DST, IMM, WIDE};
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
        Ok(Some((operand, memarg.offset as u32)))
    }

    pub(super) fn load(&mut self, op: LoadOp, ty: ValType, memarg: MemArg) -> Result<(), Trap> {
        if let Some((left, right)) = self.absorb_sum()? {
            let instr = Instr::LoadSum { op, left: mode(left), right: mode(right) };
            let at = self.produce(ty, instr)?;
            self.put_sum(at, left, right, &memarg);
            return Ok(());
        }
        let Some((address, offset)) = self.address(&memarg)? else {
            self.op(Instr::OutOfBounds);
            self.stack.push(ty, Place::Const(0));
            return Ok(());
        };
        let at = self.produce(ty, Instr::Load { op, address: mode(address) })?;
        self.put_operand(at, A, address);
        self.code.put_u32(at, IMM, offset);
        Ok(())
    }

    /// Writes the address of an access at the sum of two operands.
    fn put_sum(&mut self, at: usize, left: Operand, right: Operand, memarg: &MemArg) {
        self.put_operand(at, A, left);
        self.put_operand(at, B, right);
        if let Operand::Imm(value) = right {
            self.code.put_u32(at, SUM_IMM, value as u32);
        }
        self.code.put_u32(at, WIDE, memarg.offset as u32);
    }

    pub(super) fn store(&mut self, op: StoreOp, ty: ValType, memarg: MemArg) -> Result<(), Trap> {
        let entry = self.pop()?;
        if let Place::Local(_) | Place::Temp = entry.place
            && let Some((left, right)) = self.absorb_sum()?
        {
            let value = match self.stack.operand(&mut self.code, &entry, true) {
                // The integer accumulator may be an operand of the sum as well.
                Operand::Acc if Class::of(ty) == Some(Class::Int) => {
                    self.stack.operand(&mut self.code, &entry, false)
                }
                value => value,
            };
            let (l, r) = (mode(left), mode(right));
            let at = self.op(Instr::StoreSum { op, left: l, right: r, value: mode(value) });
            self.put_sum(at, left, right, &memarg);
            self.put_operand(at, DST, value);
            return Ok(());
        }
        let mut value = self.stack.operand(&mut self.code, &entry, true);
        if let Operand::Imm(constant) = value
            && (!fits_32(constant) || ty == ValType::F64)
        {
            self.stack.copy(&mut self.code, ty, entry.slot, value);
            value = Operand::Slot(entry.slot);
        }
        let Some((address, offset)) = self.address(&memarg)? else {
            self.op(Instr::OutOfBounds);
            return Ok(());
        };
        if let (Operand::Acc, Operand::Acc, Some(Class::Int)) = (address, value, Class::of(ty))
            && let AccState::Mirror(slot) = self.stack.acc(Class::Int)
        {
            value = Operand::Slot(slot);
        }
        let at = self.op(Instr::Store { op, address: mode(address), value: mode(value) });
        self.put_operand(at, A, address);
        self.put_operand(at, DST, value);
        self.code.put_u32(at, IMM, offset);
        if let Operand::Imm(constant) = value {
            self.code.put_u32(at, WIDE, constant as u32);
        }
        Ok(())
    }

    pub(super) fn memory_size(&mut self) -> Result<(), Trap> {
        if self.module.memories.first().is_some_and(|memory| memory.shared) {
            self.produce_in_slot(ValType::I32, Instr::SharedMemorySize);
        } else {
            self.produce(ValType::I32, Instr::MemorySize)?;
        }
        Ok(())
    }

    pub(super) fn memory_grow(&mut self) -> Result<(), Trap> {
        let delta = self.pop_slot()?;
        let at = self.produce_in_slot(ValType::I32, Instr::MemoryGrow);
        self.code.put_u16(at, A, delta);
        Ok(())
    }

    /// An instruction with three operands in slots and no result; `extra` goes to the wide
    /// fields if there are any.
    pub(super) fn bulk(&mut self, instr: Instr, extra: Option<(u32, u32)>) -> Result<(), Trap> {
        let count = self.pop_slot()?;
        let second = self.pop_slot()?;
        let first = self.pop_slot()?;
        let at = self.op(instr);
        self.code.put_u16(at, DST, first);
        self.code.put_u16(at, A, second);
        self.code.put_u16(at, B, count);
        if let Some((low, high)) = extra {
            self.code.put_u32(at, WIDE, low);
            self.code.put_u32(at, WIDE + 4, high);
        }
        Ok(())
    }

    /// An instruction without operands on the stack and one index.
    pub(super) fn indexed(&mut self, instr: Instr, index: u32) {
        let at = self.op(instr);
        self.code.put_u32(at, WIDE, index);
    }

    pub(super) fn ref_func(&mut self, func_index: u32) -> Result<(), Trap> {
        let place = self.module.func_refs.place.get(func_index as usize).copied();
        let place = place.ok_or(Trap::Internal)?;
        let at = self.produce_in_slot(ValType::FuncRef, Instr::RefFunc);
        self.code.put_u32(at, WIDE, place);
        Ok(())
    }

    pub(super) fn table_get(&mut self, index: u32) -> Result<(), Trap> {
        let elem = self.module.tables.get(index as usize).ok_or(Trap::Internal)?.ty.elem;
        let from = self.pop_slot()?;
        let at = self.produce_in_slot(elem, Instr::TableGet);
        self.code.put_u16(at, A, from);
        self.code.put_u32(at, WIDE, index);
        Ok(())
    }

    pub(super) fn table_set(&mut self, index: u32) -> Result<(), Trap> {
        let value = self.pop_slot()?;
        let to = self.pop_slot()?;
        let at = self.op(Instr::TableSet);
        self.code.put_u16(at, A, to);
        self.code.put_u16(at, B, value);
        self.code.put_u32(at, WIDE, index);
        Ok(())
    }

    pub(super) fn table_size(&mut self, index: u32) {
        let at = self.produce_in_slot(ValType::I32, Instr::TableSize);
        self.code.put_u32(at, WIDE, index);
    }

    pub(super) fn table_grow(&mut self, index: u32) -> Result<(), Trap> {
        let delta = self.pop_slot()?;
        let init = self.pop_slot()?;
        let at = self.produce_in_slot(ValType::I32, Instr::TableGrow);
        self.code.put_u16(at, A, init);
        self.code.put_u16(at, B, delta);
        self.code.put_u32(at, WIDE, index);
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
        let class = Class::of(ty).ok_or(Trap::UnsupportedOpcode)?;
        let at = self.produce(ty, Instr::GlobalGet { class, imported })?;
        self.code.put_u32(at, IMM, index);
        Ok(())
    }

    pub(super) fn global_set(&mut self, index: u32) -> Result<(), Trap> {
        let (ty, imported, index) = self.global(index)?;
        let class = Class::of(ty).ok_or(Trap::UnsupportedOpcode)?;
        let entry = self.pop()?;
        let mut value = self.stack.operand(&mut self.code, &entry, true);
        if let Operand::Imm(constant) = value
            && (!fits_32(constant) || class != Class::Int)
        {
            self.stack.copy(&mut self.code, ty, entry.slot, value);
            value = Operand::Slot(entry.slot);
        }
        let at = self.op(Instr::GlobalSet { class, imported, source: mode(value) });
        self.put_operand(at, A, value);
        self.code.put_u32(at, IMM, index);
        if let Operand::Imm(constant) = value {
            self.code.put_u32(at, WIDE, constant as u32);
        }
        Ok(())
    }
}
