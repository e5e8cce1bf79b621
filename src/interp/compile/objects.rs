//! Objects of guests, and what references are.
//!
//! An instruction on objects finds its operands where they lie on the operand stack, all of them in
//! their slots, and leaves the result where the first one was. Operands are on the stack as long as
//! the instruction may collect, so that it finds them.

use super::stack::{AccState, Entry, Operand, Place};
use super::{Condition, Translator, mode, slot};
use crate::abi::heap_types::{HeapType, RefType, TypeKind};
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::exec::objects::ObjectOp;
use crate::gc::{StorageKind, direct};
use crate::interp::instr::{Class, Instr, Mode};
use crate::interp::op::CompareOp;
use crate::interp::shape::{self, SlotNo};
use wasmparser::Operator;

/// Structs with more fields are made by the heap, which is charged for.
const DIRECT_FIELDS: usize = 16;

impl Translator<'_> {
    /// An instruction with so many operands, and a result if there is one.
    fn object(
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
    fn object_operands(&mut self, operands: usize) -> Result<(SlotNo, usize), Trap> {
        self.stack.settle_top(&mut self.code, operands);
        self.stack.settle_references(&mut self.code);
        self.stack.spill_all(&mut self.code);
        let len = self.stack.entries.len().checked_sub(operands).ok_or(Trap::Internal)?;
        let at = self.stack.entries.get(len).map_or(self.stack.top_slot() as u16, |e| e.slot);
        Ok((SlotNo(at), len))
    }

    /// `struct.new` with values: directly, if the struct is small and has no vectors.
    fn struct_new(&mut self, ty: u32) -> Result<(), Trap> {
        let layout = self.module.layouts.of_struct(ty).ok_or(Trap::Internal)?;
        let fields = layout.fields();
        let count = fields.len();
        let ty_of = Some(ValType::ANYREF);
        if count > DIRECT_FIELDS || fields.iter().any(|f| f.kind() == StorageKind::V128) {
            return self.object(ObjectOp::StructNew, (ty, 0), count, ty_of);
        }
        let (at, len) = self.object_operands(count)?;
        let (site, op) = (self.site(), ObjectOp::StructNew);
        let (refs, words) = direct::parts_of(layout);
        let operands = shape::StructNew {
            object: shape::Object { site, at, op, ty, index: 0 },
            refs: refs as u16,
            words: words as u16,
            head: direct::head_of(layout, 0),
            fields: fields.as_ptr(),
            count,
        };
        let offset = self.op(Instr::StructNew, operands).offset();
        self.note_references(offset);
        self.stack.truncate(len);
        self.stack.push(ValType::ANYREF, Place::Temp);
        self.stack.value_written(ValType::ANYREF, at.0);
        self.stack.set_acc(Class::Int, AccState::Mirror(at.0));
        Ok(())
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
        Some(match *operator {
            Operator::StructGet { struct_type_index: ty, field_index }
            | Operator::StructGetU { struct_type_index: ty, field_index } => {
                self.struct_get(ty, field_index, false)
            }
            Operator::StructGetS { struct_type_index: ty, field_index } => {
                self.struct_get(ty, field_index, true)
            }
            Operator::StructNew { struct_type_index: ty } => self.struct_new(ty),
            Operator::StructNewDefault { struct_type_index: ty } => {
                self.object(ObjectOp::StructNewDefault, (ty, 0), 0, object)
            }
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
    fn again(&mut self, entry: Entry, reference: SlotNo, ty: ValType) {
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

    fn ref_test(&mut self, to: RefTo) -> Result<(), Trap> {
        let ty = self.ref_type(to)?;
        if let Some((index, depth)) = self.defined(ty) {
            let a = self.pop_acc_or_slot()?;
            let instr = Instr::TypeTest { source: mode(a) };
            let (dst, a) = (SlotNo::NONE, slot(a));
            let operands = shape::TypeTest { dst, a, ty, index, depth };
            return self.produce(ValType::I32, instr, operands).map(|_| ());
        }
        let a = self.pop_slot()?;
        self.produce_in_slot(ValType::I32, Instr::RefTest, |dst| shape::RefTest { dst, a, ty });
        Ok(())
    }

    fn ref_cast(&mut self, to: RefTo) -> Result<(), Trap> {
        let ty = self.ref_type(to)?;
        let entry = self.pop()?;
        let reference = SlotNo(self.stack.slot_operand(&mut self.code, &entry));
        match self.defined(ty) {
            Some((index, depth)) => {
                self.op(Instr::TypeCast, shape::TypeCast { reference, ty, index, depth });
            }
            None => {
                self.op(Instr::RefCast, shape::RefCast { reference, ty });
            }
        }
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
        match self.defined(ty) {
            Some((index, depth)) => {
                let instr = Instr::TypeTest { source: Mode::Slot };
                let operands = |dst| shape::TypeTest { dst, a, ty, index, depth };
                self.produce_in_slot(ValType::I32, instr, operands);
            }
            None => {
                let operands = |dst| shape::RefTest { dst, a, ty };
                self.produce_in_slot(ValType::I32, Instr::RefTest, operands);
            }
        }
        let Entry { slot, .. } = self.pop()?;
        let op = if if_is { CompareOp::I32Ne } else { CompareOp::I32Eq };
        let (left, right) = (Operand::Slot(slot), Operand::Imm(0));
        let is_so = Condition::Compare { op, left, right, left_slot: slot, right_slot: slot };
        self.branch_when(label, is_so)
    }

    /// The index of a type that the module defines, not of functions, and how many supertypes it
    /// has.
    fn defined(&self, ty: RefType) -> Option<(u32, u32)> {
        let HeapType::Defined(TypeKind::Struct | TypeKind::Array, index) = ty.heap() else {
            return None;
        };
        let mut depth = 0;
        let mut above = self.module.types.get(index.get())?.supertype;
        while let Some(index) = above {
            depth += 1;
            above = self.module.types.get(index.get())?.supertype;
        }
        Some((index.get(), depth))
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
