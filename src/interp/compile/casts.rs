//! Tests and casts: whether references are of a type.

use super::stack::{AccState, Operand};
use super::{Condition, Translator, mode, slot};
use crate::abi::heap_types::{HeapType, RefType, TypeKind};
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::exec::objects::is_direct_test;
use crate::interp::instr::{Class, Instr};
use crate::interp::op::{CompareOp, RefKind};
use crate::interp::shape::{self, SlotNo};

impl Translator<'_> {
    /// Writes whether the reference that `a` returns is of a type, in the accumulator.
    fn test(
        &mut self,
        ty: RefType,
        a: impl FnOnce(&mut Self) -> Result<Operand, Trap>,
    ) -> Result<(), Trap> {
        if let Some((index, depth)) = self.defined(ty) {
            let a = a(self)?;
            let instr = Instr::TypeTest { source: mode(a) };
            let (dst, a) = (SlotNo::NONE, slot(a));
            let operands = shape::TypeTest { dst, a, ty, index, depth };
            self.produce(ValType::I32, instr, operands)?;
        } else if let Some(kind) = kind_of(ty) {
            let a = a(self)?;
            let instr = Instr::KindTest { kind, source: mode(a) };
            let (dst, a) = (SlotNo::NONE, slot(a));
            self.produce(ValType::I32, instr, shape::RefTest { dst, a, ty })?;
        } else {
            let a = match a(self)? {
                Operand::Slot(slot) => SlotNo(slot),
                _ => return Err(Trap::Internal),
            };
            let operands = |dst| shape::RefTest { dst, a, ty };
            self.produce_in_slot(ValType::I32, Instr::RefTest, operands);
        }
        Ok(())
    }

    pub(super) fn ref_test(&mut self, to: RefTo) -> Result<(), Trap> {
        let ty = self.ref_type(to)?;
        self.test(ty, |translator| match is_direct_test(ty.heap()) {
            true => translator.pop_acc_or_slot(),
            false => translator.pop_slot().map(|slot| Operand::Slot(slot.0)),
        })
    }

    pub(super) fn ref_cast(&mut self, to: RefTo) -> Result<(), Trap> {
        let ty = self.ref_type(to)?;
        let entry = self.pop()?;
        let reference = SlotNo(self.stack.slot_operand(&mut self.code, &entry));
        if let Some((index, depth)) = self.defined(ty) {
            self.stack.spill(&mut self.code, Class::Int);
            self.op(Instr::TypeCast, shape::TypeCast { reference, ty, index, depth });
            self.stack.set_acc(Class::Int, AccState::Mirror(reference.0));
        } else {
            let instr = match kind_of(ty) {
                Some(kind) => Instr::KindCast { kind },
                None => Instr::RefCast,
            };
            self.op(instr, shape::RefCast { reference, ty });
        }
        self.again(entry, reference, entry.ty);
        Ok(())
    }

    /// A branch where the reference on top is of a type, or where it is not.
    pub(super) fn br_on_cast(
        &mut self,
        depth: u32,
        ty: wasmparser::RefType,
        if_is: bool,
    ) -> Result<(), Trap> {
        let label = self.label_index(depth)?;
        let ty = self.ref_type(RefTo { nullable: ty.is_nullable(), hty: ty.heap_type() })?;
        self.stack.settle_top(&mut self.code, 1);
        // Whatever accumulator it is in as well has to be free for the values that a branch moves.
        self.stack.spill_all(&mut self.code);
        let a = Operand::Slot(self.stack.entries.last().ok_or(Trap::Internal)?.slot);
        self.test(ty, |_| Ok(a))?;
        let is_so = self.pop_acc_or_slot()?;
        let op = if if_is { CompareOp::I32Ne } else { CompareOp::I32Eq };
        let right_slot = self.stack.top_slot() as u16;
        let left_slot = right_slot;
        let is_so =
            Condition::Compare { op, left: is_so, right: Operand::Imm(0), left_slot, right_slot };
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
pub(super) struct RefTo {
    pub nullable: bool,
    pub hty: wasmparser::HeapType,
}

/// The kind that a type is, if it is one.
fn kind_of(ty: RefType) -> Option<RefKind> {
    Some(match ty.heap() {
        HeapType::Any => RefKind::Any,
        HeapType::Eq => RefKind::Eq,
        HeapType::I31 => RefKind::I31,
        HeapType::Struct => RefKind::Struct,
        HeapType::Array => RefKind::Array,
        _ => return None,
    })
}
