//! New structs and arrays that running code may make by itself.

use super::Translator;
use super::stack::{AccState, Place};
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::exec::objects::{ObjectOp, is_direct_array, is_direct_struct};
use crate::gc::{StructLayout, direct};
use crate::interp::instr::{Class, Instr};
use crate::interp::shape::{self, Begins, Object};

impl Translator<'_> {
    /// `struct.new` with values.
    pub(super) fn struct_new(&mut self, ty: u32) -> Result<(), Trap> {
        let layout = self.module.layouts.of_struct(ty).ok_or(Trap::Internal)?;
        self.new_struct(ObjectOp::StructNew, ty, layout, layout.fields().len())
    }

    pub(super) fn struct_new_default(&mut self, ty: u32) -> Result<(), Trap> {
        let layout = self.module.layouts.of_struct(ty).ok_or(Trap::Internal)?;
        self.new_struct(ObjectOp::StructNewDefault, ty, layout, 0)
    }

    /// A struct of `count` operands, the values of all fields or none.
    fn new_struct(
        &mut self,
        op: ObjectOp,
        ty: u32,
        layout: &StructLayout,
        count: usize,
    ) -> Result<(), Trap> {
        if !is_direct_struct(op, layout) {
            return self.object(op, (ty, 0), count, Some(ValType::ANYREF));
        }
        let (refs, words) = direct::parts_of(layout);
        let head = direct::head_of(layout, 0);
        let fields = layout.fields().as_ptr();
        self.new_object(Instr::StructNew, count, |mut object| {
            (object.op, object.ty) = (op, ty);
            shape::StructNew { object, refs: refs as u16, words: words as u16, head, fields, count }
        })
    }

    /// An array of the type at the first index; the second one is the instruction's, if it has one.
    pub(super) fn array_new(
        &mut self,
        op: ObjectOp,
        (ty, index): (u32, u32),
        operands: usize,
    ) -> Result<(), Trap> {
        let elements = self.module.layouts.of_array(ty).ok_or(Trap::Internal)?;
        if !is_direct_array(op, elements, index) {
            return self.object(op, (ty, index), operands, Some(ValType::ANYREF));
        }
        let head = direct::array_head_of(elements, 0);
        self.new_object(Instr::ArrayNew { op, elements }, operands, |object| shape::ArrayNew {
            object: Object { op, ty, index, ..object },
            head,
        })
    }

    /// Writes an instruction that makes an object of so many operands, with the place of these.
    fn new_object<S: Begins<Object>>(
        &mut self,
        instr: Instr,
        count: usize,
        operands: impl FnOnce(Object) -> S,
    ) -> Result<(), Trap> {
        let (at, len) = self.object_operands(count)?;
        let object = Object { site: self.site(), at, op: ObjectOp::StructNew, ty: 0, index: 0 };
        let offset = self.op(instr, operands(object)).offset();
        self.note_references(offset);
        self.stack.truncate(len);
        self.stack.push(ValType::ANYREF, Place::Temp);
        self.stack.value_written(ValType::ANYREF, at.0);
        self.stack.set_acc(Class::Int, AccState::Mirror(at.0));
        Ok(())
    }
}
