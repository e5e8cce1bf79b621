//! Fields of structs and elements of arrays. Unlike the rest of the instructions on objects, these
//! never collect, so that their operands may be anywhere.

use super::stack::Operand;
use super::{Translator, fits_32, imm32, mode, slot};
use crate::abi::definitions::{CompositeType, FieldType, StorageType};
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::gc::StorageKind;
use crate::interp::instr::Instr;
use crate::interp::op::FieldOp;
use crate::interp::shape::{self, SlotNo};

/// The type of a field's value on the operand stack. Of references, the translator needs no more
/// than the hierarchy.
fn unpacked(field: FieldType) -> ValType {
    match field.storage {
        StorageType::I8 | StorageType::I16 => ValType::I32,
        StorageType::Val(ty) => ty.widest(),
    }
}

impl Translator<'_> {
    pub(super) fn struct_get(&mut self, ty: u32, index: u32, signed: bool) -> Result<(), Trap> {
        let layout = self.module.layouts.of_struct(ty).ok_or(Trap::Internal)?;
        let field = *layout.fields().get(index as usize).ok_or(Trap::Internal)?;
        let value = self.field(ty, index)?;
        let object = self.pop_acc_or_slot()?;
        let op = FieldOp::of(field.kind(), signed);
        let instr = Instr::StructGet { op, object: mode(object) };
        let (dst, object) = (SlotNo::NONE, slot(object));
        self.produce(value, instr, shape::FieldGet { dst, object, at: field.at() })?;
        Ok(())
    }

    pub(super) fn struct_set(&mut self, ty: u32, index: u32) -> Result<(), Trap> {
        let layout = self.module.layouts.of_struct(ty).ok_or(Trap::Internal)?;
        let field = *layout.fields().get(index as usize).ok_or(Trap::Internal)?;
        let value = self.pop_stored(field.kind())?;
        let object = match value {
            Operand::Slot(_) => self.pop_acc_or_slot()?,
            _ => Operand::Slot(self.pop_slot()?.0),
        };
        let op = FieldOp::of(field.kind(), false);
        let instr = Instr::StructSet { op, object: mode(object), value: mode(value) };
        let (object, at) = (slot(object), field.at());
        match value {
            Operand::Imm(value) => {
                self.op(instr, shape::FieldSet { value: imm32(value), object, at });
            }
            value => {
                self.op(instr, shape::FieldSet { value: slot(value), object, at });
            }
        }
        Ok(())
    }

    /// Pops a value that is stored. A constant has 32 bits.
    fn pop_stored(&mut self, kind: StorageKind) -> Result<Operand, Trap> {
        let entry = self.pop()?;
        let value = self.stack.operand(&mut self.code, &entry, true);
        match value {
            Operand::Imm(constant) if !fits_32(constant) || kind == StorageKind::F64 => {
                self.stack.copy(&mut self.code, entry.ty, entry.slot, value);
                Ok(Operand::Slot(entry.slot))
            }
            value => Ok(value),
        }
    }

    pub(super) fn array_get(&mut self, ty: u32, signed: bool) -> Result<(), Trap> {
        let kind = self.module.layouts.of_array(ty).ok_or(Trap::Internal)?;
        let value = self.element(ty)?;
        let index = self.pop_acc_or_slot()?;
        let array = self.pop_slot()?;
        let instr = Instr::ArrayGet { op: FieldOp::of(kind, signed), index: mode(index) };
        let (dst, index) = (SlotNo::NONE, slot(index));
        self.produce(value, instr, shape::ElementGet { dst, array, index })?;
        Ok(())
    }

    pub(super) fn array_set(&mut self, ty: u32) -> Result<(), Trap> {
        let kind = self.module.layouts.of_array(ty).ok_or(Trap::Internal)?;
        let value = self.pop_stored(kind)?;
        let (index, array) = (self.pop_slot()?, self.pop_slot()?);
        let instr = Instr::ArraySet { op: FieldOp::of(kind, false), value: mode(value) };
        match value {
            Operand::Imm(value) => {
                self.op(instr, shape::ElementSet { value: imm32(value), array, index });
            }
            value => {
                self.op(instr, shape::ElementSet { value: slot(value), array, index });
            }
        }
        Ok(())
    }

    pub(super) fn array_len(&mut self) -> Result<(), Trap> {
        let array = self.pop_acc_or_slot()?;
        let (dst, a) = (SlotNo::NONE, slot(array));
        let instr = Instr::ArrayLen { array: mode(array) };
        self.produce(ValType::I32, instr, shape::Unary { dst, a })?;
        Ok(())
    }

    /// The type of a field's value.
    fn field(&self, ty: u32, index: u32) -> Result<ValType, Trap> {
        match &self.module.types.get(ty).ok_or(Trap::Internal)?.composite {
            CompositeType::Struct(fields) => {
                fields.get(index as usize).map(|field| unpacked(*field)).ok_or(Trap::Internal)
            }
            _ => Err(Trap::Internal),
        }
    }

    /// The type of an element's value.
    fn element(&self, ty: u32) -> Result<ValType, Trap> {
        match &self.module.types.get(ty).ok_or(Trap::Internal)?.composite {
            CompositeType::Array(element) => Ok(unpacked(*element)),
            _ => Err(Trap::Internal),
        }
    }
}
