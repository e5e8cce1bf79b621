//! Objects of guests, and what references are.
//!
//! An instruction on objects finds its operands where they lie on the operand stack, all of them in
//! their slots, and leaves the result where the first one was. Operands are on the stack as long as
//! the instruction may collect, so that it finds them.

use super::stack::{Entry, Operand, Place};
use super::{Condition, Translator};
use crate::abi::definitions::{CompositeType, FieldType, StorageType};
use crate::abi::heap_types::RefType;
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::exec::objects::ObjectOp;
use crate::interp::instr::Instr;
use crate::interp::op::CompareOp;
use crate::interp::shape::{self, SlotNo};
use wasmparser::Operator;

/// The type of a field's value on the operand stack. Of references, the translator needs no more
/// than the hierarchy.
fn unpacked(field: FieldType) -> ValType {
    match field.storage {
        StorageType::I8 | StorageType::I16 => ValType::I32,
        StorageType::Val(ty) => ty.widest(),
    }
}

impl Translator<'_> {
    /// An instruction with so many operands, and a result if there is one.
    fn object(
        &mut self,
        op: ObjectOp,
        (ty, index): (u32, u32),
        operands: usize,
        result: Option<ValType>,
    ) -> Result<(), Trap> {
        self.stack.settle_top(&mut self.code, operands);
        self.stack.spill_all(&mut self.code);
        let len = self.stack.entries.len().checked_sub(operands).ok_or(Trap::Internal)?;
        let at = self.stack.entries.get(len).map_or(self.stack.top_slot() as u16, |e| e.slot);
        let (site, at) = (self.site(), SlotNo(at));
        let offset = self.op(Instr::Object, shape::Object { site, at, op, ty, index }).offset();
        self.note_references(offset);
        self.stack.truncate(len);
        if let Some(ty) = result {
            self.stack.push(ty, Place::Temp);
            self.stack.value_written(ty, at.0);
        }
        Ok(())
    }

    /// The fields of a struct.
    fn fields(&self, ty: u32) -> Result<&[FieldType], Trap> {
        match &self.module.types.get(ty).ok_or(Trap::Internal)?.composite {
            CompositeType::Struct(fields) => Ok(fields),
            _ => Err(Trap::Internal),
        }
    }

    /// The type of a field's value.
    fn field(&self, ty: u32, index: u32) -> Result<ValType, Trap> {
        let field = self.fields(ty)?.get(index as usize).ok_or(Trap::Internal)?;
        Ok(unpacked(*field))
    }

    /// The type of an element's value.
    fn element(&self, ty: u32) -> Result<ValType, Trap> {
        match &self.module.types.get(ty).ok_or(Trap::Internal)?.composite {
            CompositeType::Array(element) => Ok(unpacked(*element)),
            _ => Err(Trap::Internal),
        }
    }

    /// Structs, arrays, and conversions of what references are.
    pub(super) fn object_operator(&mut self, operator: &Operator<'_>) -> Option<Result<(), Trap>> {
        Some(match *operator {
            Operator::RefEq => self.compare(CompareOp::I64Eq, ValType::I64),
            Operator::RefI31 => self.of_one(Instr::RefI31, ValType::ANYREF),
            Operator::I31GetS => self.of_one(Instr::I31Get { signed: true }, ValType::I32),
            Operator::I31GetU => self.of_one(Instr::I31Get { signed: false }, ValType::I32),
            Operator::AnyConvertExtern => self.same_word(ValType::ANYREF),
            Operator::ExternConvertAny => self.same_word(ValType::EXTERNREF),
            Operator::RefTestNonNull { hty } => self.ref_test(RefTo { nullable: false, hty }),
            Operator::RefTestNullable { hty } => self.ref_test(RefTo { nullable: true, hty }),
            Operator::RefCastNonNull { hty } => self.ref_cast(RefTo { nullable: false, hty }),
            Operator::RefCastNullable { hty } => self.ref_cast(RefTo { nullable: true, hty }),
            Operator::BrOnCast { relative_depth, to_ref_type, .. } => {
                self.br_on_cast(relative_depth, to_ref_type, true)
            }
            Operator::BrOnCastFail { relative_depth, to_ref_type, .. } => {
                self.br_on_cast(relative_depth, to_ref_type, false)
            }
            _ => return self.struct_operator(operator),
        })
    }

    fn struct_operator(&mut self, operator: &Operator<'_>) -> Option<Result<(), Trap>> {
        let object = Some(ValType::ANYREF);
        let mut get = |op, ty, index| {
            let field = self.field(ty, index)?;
            self.object(op, (ty, index), 1, Some(field))
        };
        Some(match *operator {
            Operator::StructGet { struct_type_index: ty, field_index }
            | Operator::StructGetU { struct_type_index: ty, field_index } => {
                get(ObjectOp::StructGet, ty, field_index)
            }
            Operator::StructGetS { struct_type_index: ty, field_index } => {
                get(ObjectOp::StructGetS, ty, field_index)
            }
            Operator::StructNew { struct_type_index: ty } => {
                match self.fields(ty).map(<[_]>::len) {
                    Ok(count) => self.object(ObjectOp::StructNew, (ty, 0), count, object),
                    Err(trap) => Err(trap),
                }
            }
            Operator::StructNewDefault { struct_type_index: ty } => {
                self.object(ObjectOp::StructNewDefault, (ty, 0), 0, object)
            }
            Operator::StructSet { struct_type_index: ty, field_index } => {
                self.object(ObjectOp::StructSet, (ty, field_index), 2, None)
            }
            _ => return self.array_operator(operator),
        })
    }

    fn array_operator(&mut self, operator: &Operator<'_>) -> Option<Result<(), Trap>> {
        let object = Some(ValType::ANYREF);
        let mut get = |op, ty| {
            let element = self.element(ty)?;
            self.object(op, (ty, 0), 2, Some(element))
        };
        Some(match *operator {
            Operator::ArrayGet { array_type_index: ty }
            | Operator::ArrayGetU { array_type_index: ty } => get(ObjectOp::ArrayGet, ty),
            Operator::ArrayGetS { array_type_index: ty } => get(ObjectOp::ArrayGetS, ty),
            Operator::ArrayNew { array_type_index: ty } => {
                self.object(ObjectOp::ArrayNew, (ty, 0), 2, object)
            }
            Operator::ArrayNewDefault { array_type_index: ty } => {
                self.object(ObjectOp::ArrayNewDefault, (ty, 0), 1, object)
            }
            Operator::ArrayNewFixed { array_type_index: ty, array_size } => {
                let count = array_size as usize;
                self.object(ObjectOp::ArrayNewFixed, (ty, array_size), count, object)
            }
            Operator::ArrayNewData { array_type_index: ty, array_data_index } => {
                self.object(ObjectOp::ArrayNewData, (ty, array_data_index), 2, object)
            }
            Operator::ArrayNewElem { array_type_index: ty, array_elem_index } => {
                self.object(ObjectOp::ArrayNewElem, (ty, array_elem_index), 2, object)
            }
            Operator::ArraySet { array_type_index: ty } => {
                self.object(ObjectOp::ArraySet, (ty, 0), 3, None)
            }
            Operator::ArrayLen => self.object(ObjectOp::ArrayLen, (0, 0), 1, Some(ValType::I32)),
            Operator::ArrayFill { array_type_index: ty } => {
                self.object(ObjectOp::ArrayFill, (ty, 0), 4, None)
            }
            Operator::ArrayCopy { array_type_index_dst: to, array_type_index_src: from } => {
                self.object(ObjectOp::ArrayCopy, (to, from), 5, None)
            }
            Operator::ArrayInitData { array_type_index: ty, array_data_index } => {
                self.object(ObjectOp::ArrayInitData, (ty, array_data_index), 4, None)
            }
            Operator::ArrayInitElem { array_type_index: ty, array_elem_index } => {
                self.object(ObjectOp::ArrayInitElem, (ty, array_elem_index), 4, None)
            }
            _ => return None,
        })
    }

    /// An instruction with an operand in a slot and a result.
    fn of_one(&mut self, instr: Instr, ty: ValType) -> Result<(), Trap> {
        let a = self.pop_slot()?;
        self.produce_in_slot(ty, instr, |dst| shape::Unary { dst, a });
        Ok(())
    }

    /// Has the reference on top, which an instruction may have looked at, be of type `ty`.
    fn again(&mut self, entry: Entry, reference: SlotNo, ty: ValType) {
        let own = reference.0 == entry.slot;
        let place = if own { Place::Temp } else { Place::Local(reference.0) };
        self.stack.push(ty, place);
        self.settle_reference(ty);
    }

    /// References to the same thing are the same word.
    fn same_word(&mut self, ty: ValType) -> Result<(), Trap> {
        let entry = self.pop()?;
        let reference = SlotNo(self.stack.slot_operand(&mut self.code, &entry));
        self.again(entry, reference, ty);
        Ok(())
    }

    fn ref_test(&mut self, to: RefTo) -> Result<(), Trap> {
        let ty = self.ref_type(to)?;
        let a = self.pop_slot()?;
        self.produce_in_slot(ValType::I32, Instr::RefTest, |dst| shape::RefTest { dst, a, ty });
        Ok(())
    }

    fn ref_cast(&mut self, to: RefTo) -> Result<(), Trap> {
        let ty = self.ref_type(to)?;
        let entry = self.pop()?;
        let reference = SlotNo(self.stack.slot_operand(&mut self.code, &entry));
        self.op(Instr::RefCast, shape::RefCast { reference, ty });
        self.again(entry, reference, entry.ty);
        Ok(())
    }

    /// A branch where the reference on top is of a type, or where it is not.
    fn br_on_cast(&mut self, depth: u32, ty: wasmparser::RefType, if_is: bool) -> Result<(), Trap> {
        let label = self.label_index(depth)?;
        let ty = self.ref_type(RefTo { nullable: ty.is_nullable(), hty: ty.heap_type() })?;
        self.stack.settle_top(&mut self.code, 1);
        // Whatever accumulator it is in as well has to be free for what a branch moves.
        self.stack.spill_all(&mut self.code);
        let a = SlotNo(self.stack.entries.last().ok_or(Trap::Internal)?.slot);
        self.produce_in_slot(ValType::I32, Instr::RefTest, |dst| shape::RefTest { dst, a, ty });
        let Entry { slot, .. } = self.pop()?;
        let op = if if_is { CompareOp::I32Ne } else { CompareOp::I32Eq };
        let (left, right) = (Operand::Slot(slot), Operand::Imm(0));
        let is_so = Condition::Compare { op, left, right, left_slot: slot, right_slot: slot };
        self.branch_when(label, is_so)
    }

    fn ref_type(&self, RefTo { nullable, hty }: RefTo) -> Result<RefType, Trap> {
        let heap = self.module.heap_type(hty).ok_or(Trap::UnsupportedOpcode)?;
        Ok(RefType::new(nullable, heap))
    }
}

/// A reference type of the parser's.
#[derive(Clone, Copy)]
struct RefTo {
    nullable: bool,
    hty: wasmparser::HeapType,
}
