//! Objects of guests, and what references are.
//!
//! An instruction on objects finds its operands where they lie on the operand stack, all of them in
//! their slots, and leaves the result where the first one was. Operands are on the stack as long as
//! the instruction may collect, so that it finds them.

use super::Translator;
use super::casts::RefTo;
use super::stack::{Entry, Place};
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::exec::objects::ObjectOp;
use crate::interp::instr::Instr;
use crate::interp::op::CompareOp;
use crate::interp::shape::{self, SlotNo};
use wasmparser::Operator;

impl Translator<'_> {
    /// An instruction with so many operands, and a result if there is one.
    pub(super) fn object(
        &mut self,
        op: ObjectOp,
        (ty, index): (u32, u32),
        operands: usize,
        result: Option<ValType>,
    ) -> Result<(), Trap> {
        let (at, len) = self.object_operands(operands)?;
        let site = self.site();
        let offset = self.op(Instr::Object, shape::Object { site, at, op, ty, index }).offset();
        self.note_references(offset);
        self.stack.truncate(len);
        if let Some(ty) = result {
            self.stack.push(ty, Place::Temp);
            self.stack.value_written(ty, at.0);
        }
        Ok(())
    }

    /// Moves so many operands of an instruction that may collect to their slots. Returns the first
    /// one, and how many entries there are below.
    pub(super) fn object_operands(&mut self, operands: usize) -> Result<(SlotNo, usize), Trap> {
        self.stack.settle_top(&mut self.code, operands);
        self.stack.settle_references(&mut self.code);
        self.stack.spill_all(&mut self.code);
        let len = self.stack.entries.len().checked_sub(operands).ok_or(Trap::Internal)?;
        let at = self.stack.entries.get(len).map_or(self.stack.top_slot() as u16, |e| e.slot);
        Ok((SlotNo(at), len))
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
        Some(match *operator {
            Operator::StructGet { struct_type_index: ty, field_index }
            | Operator::StructGetU { struct_type_index: ty, field_index } => {
                self.struct_get(ty, field_index, false)
            }
            Operator::StructGetS { struct_type_index: ty, field_index } => {
                self.struct_get(ty, field_index, true)
            }
            Operator::StructNew { struct_type_index: ty } => self.struct_new(ty),
            Operator::StructNewDefault { struct_type_index: ty } => self.struct_new_default(ty),
            Operator::StructSet { struct_type_index: ty, field_index } => {
                self.struct_set(ty, field_index)
            }
            _ => return self.array_operator(operator),
        })
    }

    fn array_operator(&mut self, operator: &Operator<'_>) -> Option<Result<(), Trap>> {
        let object = Some(ValType::ANYREF);
        Some(match *operator {
            Operator::ArrayGet { array_type_index: ty }
            | Operator::ArrayGetU { array_type_index: ty } => self.array_get(ty, false),
            Operator::ArrayGetS { array_type_index: ty } => self.array_get(ty, true),
            Operator::ArrayNew { array_type_index: ty } => {
                self.array_new(ObjectOp::ArrayNew, (ty, 0), 2)
            }
            Operator::ArrayNewDefault { array_type_index: ty } => {
                self.array_new(ObjectOp::ArrayNewDefault, (ty, 0), 1)
            }
            Operator::ArrayNewFixed { array_type_index: ty, array_size } => {
                self.array_new(ObjectOp::ArrayNewFixed, (ty, array_size), array_size as usize)
            }
            Operator::ArrayNewData { array_type_index: ty, array_data_index } => {
                self.object(ObjectOp::ArrayNewData, (ty, array_data_index), 2, object)
            }
            Operator::ArrayNewElem { array_type_index: ty, array_elem_index } => {
                self.object(ObjectOp::ArrayNewElem, (ty, array_elem_index), 2, object)
            }
            Operator::ArraySet { array_type_index: ty } => self.array_set(ty),
            Operator::ArrayLen => self.array_len(),
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
    pub(super) fn again(&mut self, entry: Entry, reference: SlotNo, ty: ValType) {
        let own = reference.0 == entry.slot;
        let place = if own { Place::Temp } else { Place::Local(reference.0) };
        self.stack.push(ty, place);
    }

    /// References to the same thing are the same word.
    fn same_word(&mut self, ty: ValType) -> Result<(), Trap> {
        let entry = self.pop()?;
        let reference = SlotNo(self.stack.slot_operand(&mut self.code, &entry));
        self.again(entry, reference, ty);
        Ok(())
    }
}
