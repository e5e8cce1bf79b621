//! Memories beside memory 0 with addresses of 32 bits: other indices and addresses of 64 bits.
//!
//! Loads and stores have instructions for each kind of memory. Instructions that cost more than
//! finding their operands have one form only, for any memory, with addresses and counts of 64 bits:
//! those of 32 bits are extended first. Tables are the other way round: none has more elements than
//! 32 bits count, so wider indices are saturated first. Control enters from `memory`, `atomic` and
//! `opcodes`.

use super::stack::{AccState, Entry, Operand, Place};
use super::{Translator, imm32, mode, slot};
use crate::abi::trap::Trap;
use crate::abi::types::{MemoryType, TableType, ValType};
use crate::interp::instr::{Class, Instr, MemoryKind, Mode, Target};
use crate::interp::op::{LoadOp, StoreOp, UnaryOp};
use crate::interp::shape::{self, Bulk, Dst, Indices, LoadAny, SlotNo, StoreAny, Unary};
use wasmparser::{MemArg, MemArgTarget};

impl Translator<'_> {
    fn memory_type(&self, memory: u32) -> Result<MemoryType, Trap> {
        self.module.memories.get(memory as usize).copied().ok_or(Trap::Internal)
    }

    pub(super) fn table_type(&self, table: u32) -> Result<TableType, Trap> {
        Ok(self.module.tables.get(table as usize).ok_or(Trap::Internal)?.ty)
    }

    /// The kind of a memory; `None` for memory 0 with addresses of 32 bits.
    #[inline(always)]
    pub(super) fn memory_kind(&self, memory: u32) -> Result<Option<MemoryKind>, Trap> {
        Ok(match (memory, self.memory_type(memory)?.memory64) {
            (0, false) => None,
            (0, true) => Some(MemoryKind::First64),
            (_, false) => Some(MemoryKind::Other32),
            (_, true) => Some(MemoryKind::Other64),
        })
    }

    /// The type of addresses and sizes of a memory.
    fn address_type(&self, memory: u32) -> Result<ValType, Trap> {
        let wide = self.memory_type(memory)?.memory64;
        Ok(if wide { ValType::I64 } else { ValType::I32 })
    }

    /// The type of indices and sizes of a table.
    pub(super) fn index_type(&self, table: u32) -> Result<ValType, Trap> {
        let wide = self.table_type(table)?.table64;
        Ok(if wide { ValType::I64 } else { ValType::I32 })
    }

    /// The one of two tables whose indices have 32 bits, if one has.
    pub(super) fn narrower_table(&self, of: Indices) -> Result<u32, Trap> {
        Ok(if self.table_type(of.to)?.table64 { of.from } else { of.to })
    }

    /// Pops an integer as 64 bits in a slot.
    fn pop_extended(&mut self) -> Result<SlotNo, Trap> {
        let entry = self.pop()?;
        if entry.ty == ValType::I64 {
            return Ok(SlotNo(self.stack.slot_operand(&mut self.code, &entry)));
        }
        self.converted(&entry, UnaryOp::I64ExtendI32U, |value| value as u32 as u64)
    }

    /// Pops an index of a table as 32 bits in a slot.
    pub(super) fn pop_index(&mut self, table: u32) -> Result<SlotNo, Trap> {
        let entry = self.pop()?;
        if self.index_type(table)? == ValType::I32 {
            return Ok(SlotNo(self.stack.slot_operand(&mut self.code, &entry)));
        }
        self.converted(&entry, UnaryOp::I32SaturateI64U, |value| value.min(u32::MAX.into()))
    }

    /// Writes the result of `op` on a popped entry to the entry's slot; `apply` computes the result
    /// for a constant.
    fn converted(
        &mut self,
        entry: &Entry,
        op: UnaryOp,
        apply: impl Fn(u64) -> u64,
    ) -> Result<SlotNo, Trap> {
        let dst = SlotNo(entry.slot);
        if let Place::Const(value) = entry.place {
            self.stack.copy(&mut self.code, ValType::I64, entry.slot, Operand::Imm(apply(value)));
            return Ok(dst);
        }
        let a = SlotNo(self.stack.slot_operand(&mut self.code, entry));
        // The conversion leaves its result in the accumulator as well.
        self.stack.spill(&mut self.code, Class::Int);
        let instr = Instr::Unary { op, source: Mode::Slot };
        self.code.push(instr, Target::Slot, Unary { dst, a });
        self.last = None;
        self.stack.value_written(ValType::I64, entry.slot);
        self.stack.set_acc(Class::Int, AccState::Mirror(entry.slot));
        Ok(dst)
    }

    /// The address operand and the offset to encode with it; `None` if the address has more than
    /// 64 bits.
    fn address_any(
        &mut self,
        memory: MemoryKind,
        memarg: &MemArg,
    ) -> Result<Option<(Operand, u64)>, Trap> {
        let entry = self.pop()?;
        let Place::Const(value) = entry.place else {
            let operand = self.stack.operand(&mut self.code, &entry, true);
            return Ok(Some((operand, memarg.offset)));
        };
        if memory == MemoryKind::First64 {
            let at = value.checked_add(memarg.offset);
            return Ok(at.map(|at| (Operand::Imm(0), at)));
        }
        self.stack.copy(&mut self.code, entry.ty, entry.slot, Operand::Imm(value));
        Ok(Some((Operand::Slot(entry.slot), memarg.offset)))
    }

    pub(super) fn load_any(
        &mut self,
        op: LoadOp,
        ty: ValType,
        memory: MemoryKind,
        memarg: MemArg,
    ) -> Result<(), Trap> {
        let Some((address, offset)) = self.address_any(memory, &memarg)? else {
            self.op(Instr::OutOfBounds, ());
            self.stack.push(ty, Place::Const(0));
            return Ok(());
        };
        let instr = Instr::LoadAny { op, memory, address: mode(address) };
        let (dst, address) = (SlotNo::NONE, slot(address));
        let memory = memory_16(&memarg)?;
        self.produce(ty, instr, LoadAny { dst, address, memory, offset })?;
        Ok(())
    }

    /// A store of a value that was popped.
    pub(super) fn store_any(
        &mut self,
        op: StoreOp,
        ty: ValType,
        memory: MemoryKind,
        memarg: MemArg,
        value: Operand,
    ) -> Result<(), Trap> {
        let Some((address, offset)) = self.address_any(memory, &memarg)? else {
            self.op(Instr::OutOfBounds, ());
            return Ok(());
        };
        let value = self.beside_address(ty, address, value);
        let instr = Instr::StoreAny { op, memory, address: mode(address), value: mode(value) };
        let (address, memory) = (slot(address), memory_16(&memarg)?);
        match value {
            Operand::Imm(value) => {
                let value = imm32(value);
                self.op(instr, StoreAny { value, address, memory, offset });
            }
            value => {
                let value = slot(value);
                self.op(instr, StoreAny { value, address, memory, offset });
            }
        }
        Ok(())
    }

    pub(super) fn memory_size(&mut self, memory: u32) -> Result<(), Trap> {
        let ty = self.memory_type(memory)?;
        if memory == 0 && ty == (MemoryType { limits: ty.limits, ..MemoryType::default() }) {
            self.produce(ValType::I32, Instr::MemorySize, Dst { dst: SlotNo::NONE })?;
            return Ok(());
        }
        let (ty, index) = (self.address_type(memory)?, memory);
        self.produce_in_slot(ty, Instr::MemorySizeAny, |dst| shape::Get { dst, index });
        Ok(())
    }

    pub(super) fn memory_grow(&mut self, memory: u32) -> Result<(), Trap> {
        if self.memory_kind(memory)?.is_none() {
            let a = self.pop_slot()?;
            self.produce_in_slot(ValType::I32, Instr::MemoryGrow, |dst| shape::Unary { dst, a });
            return Ok(());
        }
        let delta = self.pop_extended()?;
        let ty = self.address_type(memory)?;
        self.produce_in_slot(ty, Instr::MemoryGrowAny, |dst| shape::MemoryGrowAny {
            dst,
            delta,
            memory,
        });
        Ok(())
    }

    pub(super) fn memory_fill(&mut self, memory: u32) -> Result<(), Trap> {
        if self.memory_kind(memory)?.is_none() {
            return self.bulk(Instr::MemoryFill, ());
        }
        let count = self.pop_extended()?;
        let from = self.pop_slot()?;
        let to = self.pop_extended()?;
        self.op(Instr::MemoryFillAny, Bulk { to, from, count, of: memory });
        Ok(())
    }

    pub(super) fn memory_copy(&mut self, of: Indices) -> Result<(), Trap> {
        if self.memory_kind(of.to)?.is_none() && self.memory_kind(of.from)?.is_none() {
            return self.bulk(Instr::MemoryCopy, ());
        }
        let count = self.pop_extended()?;
        let from = self.pop_extended()?;
        let to = self.pop_extended()?;
        self.op(Instr::MemoryCopyAny, Bulk { to, from, count, of });
        Ok(())
    }

    /// `of.from` is the segment.
    pub(super) fn memory_init(&mut self, of: Indices) -> Result<(), Trap> {
        if self.memory_kind(of.to)?.is_none() {
            return self.bulk(Instr::MemoryInit, of.from);
        }
        let count = self.pop_slot()?;
        let from = self.pop_slot()?;
        let to = self.pop_extended()?;
        self.op(Instr::MemoryInitAny, Bulk { to, from, count, of });
        Ok(())
    }

    /// An instruction of memory 0 with three operands in slots and no result. `of` is the index of
    /// a segment, or `()`.
    fn bulk<I: Copy + 'static>(&mut self, instr: Instr, of: I) -> Result<(), Trap> {
        let count = self.pop_slot()?;
        let from = self.pop_slot()?;
        let to = self.pop_slot()?;
        self.op(instr, Bulk { to, from, count, of });
        Ok(())
    }

    /// An atomic instruction with an address and up to two more operands, all in slots: `plain`
    /// in memory 0 with addresses of 32 bits, else `any`.
    pub(super) fn atomic_access(
        &mut self,
        (plain, any): (Instr, Instr),
        inputs: usize,
        result: Option<ValType>,
        memarg: MemArg,
    ) -> Result<(), Trap> {
        let (memory, offset) = (memory_of(&memarg)?, memarg.offset);
        let is_plain = self.memory_kind(memory)?.is_none();
        let mut slots = [SlotNo::NONE; 3];
        for slot in slots.iter_mut().take(inputs).skip(1).rev() {
            *slot = self.pop_slot()?;
        }
        slots[0] = if is_plain { self.pop_slot()? } else { self.pop_extended()? };
        let [a, b, c] = slots;
        let narrow = |dst| shape::Atomic { dst, a, b, c, offset };
        let wide = |dst| shape::AtomicAny { dst, a, b, c, memory, offset };
        match (result, is_plain) {
            (Some(ty), true) => self.produce_in_slot(ty, plain, narrow),
            (Some(ty), false) => self.produce_in_slot(ty, any, wide),
            (None, true) => {
                self.op(plain, narrow(SlotNo::NONE));
            }
            (None, false) => {
                self.op(any, wide(SlotNo::NONE));
            }
        }
        Ok(())
    }
}

/// The index of the memory that is accessed.
#[inline(always)]
pub(super) fn memory_of(memarg: &MemArg) -> Result<u32, Trap> {
    match memarg.target {
        MemArgTarget::Memory(memory) => Ok(memory),
        MemArgTarget::Array(_) => Err(Trap::UnsupportedOpcode),
    }
}

/// The same in 16 bits: validation allows a hundred memories.
fn memory_16(memarg: &MemArg) -> Result<u16, Trap> {
    u16::try_from(memory_of(memarg)?).map_err(|_| Trap::Internal)
}
