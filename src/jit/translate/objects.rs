//! Objects of guests, and what references are: instructions that the runtime executes, and those
//! on the words of references.

use super::{Refusal, Translator};
use crate::abi::guest_word;
use crate::abi::heap_types::{HeapType, RefType, TypeKind};
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::exec::objects::{ObjectOp, is_direct_array, is_direct_struct, is_direct_test};
use crate::exec::work;
use crate::gc::direct::bits;
use crate::jit::layout::{self as at, builtin};
use crate::jit::objects::ObjectCode;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use wasmparser::Operator as O;

impl Translator<'_, '_> {
    /// Objects, then all others.
    pub(super) fn object_operator(&mut self, operator: &O<'_>) -> Result<(), Refusal> {
        match *operator {
            O::RefEq => self.int_compare(IntCC::Equal),
            O::RefI31 => self.ref_i31(),
            O::I31GetS => self.i31_get(true),
            O::I31GetU => self.i31_get(false),
            // References to the same thing are the same word.
            O::AnyConvertExtern | O::ExternConvertAny => Ok(()),
            O::RefTestNonNull { hty } => self.ref_test(false, hty),
            O::RefTestNullable { hty } => self.ref_test(true, hty),
            O::RefCastNonNull { hty } => self.ref_cast(false, hty),
            O::RefCastNullable { hty } => self.ref_cast(true, hty),
            O::BrOnCast { relative_depth, to_ref_type: ty, .. } => {
                self.br_on_cast(relative_depth, (ty.is_nullable(), ty.heap_type()), true)
            }
            O::BrOnCastFail { relative_depth, to_ref_type: ty, .. } => {
                self.br_on_cast(relative_depth, (ty.is_nullable(), ty.heap_type()), false)
            }
            O::StructGet { struct_type_index: ty, field_index }
            | O::StructGetU { struct_type_index: ty, field_index } => {
                self.struct_get(ty, field_index, false)
            }
            O::StructGetS { struct_type_index: ty, field_index } => {
                self.struct_get(ty, field_index, true)
            }
            O::StructNew { struct_type_index: ty } => self.struct_new(ty),
            O::StructNewDefault { struct_type_index: ty } => {
                let layout = self.module.layouts.of_struct(ty).ok_or(Refusal::Malformed)?;
                let op = ObjectOp::StructNewDefault;
                self.object((op, !is_direct_struct(op, layout)), (ty, 0), 0)
            }
            O::StructSet { struct_type_index: ty, field_index } => self.struct_set(ty, field_index),
            _ => self.array_operator(operator),
        }
    }

    fn array_operator(&mut self, operator: &O<'_>) -> Result<(), Refusal> {
        match *operator {
            O::ArrayGet { array_type_index: ty } | O::ArrayGetU { array_type_index: ty } => {
                self.array_get(ty, false)
            }
            O::ArrayGetS { array_type_index: ty } => self.array_get(ty, true),
            O::ArraySet { array_type_index: ty } => self.array_set(ty),
            O::ArrayLen => self.array_len(),
            O::ArrayNew { array_type_index: ty } => self.array_new(ObjectOp::ArrayNew, (ty, 0), 2),
            O::ArrayNewDefault { array_type_index: ty } => {
                self.array_new(ObjectOp::ArrayNewDefault, (ty, 0), 1)
            }
            O::ArrayNewFixed { array_type_index: ty, array_size } => {
                self.array_new(ObjectOp::ArrayNewFixed, (ty, array_size), array_size as usize)
            }
            O::ArrayNewData { array_type_index: ty, array_data_index } => {
                self.object((ObjectOp::ArrayNewData, true), (ty, array_data_index), 2)
            }
            O::ArrayNewElem { array_type_index: ty, array_elem_index } => {
                self.object((ObjectOp::ArrayNewElem, true), (ty, array_elem_index), 2)
            }
            O::ArrayFill { array_type_index: ty } => self.on_array(ObjectOp::ArrayFill, (ty, 0), 4),
            O::ArrayCopy { array_type_index_dst: to, array_type_index_src: from } => {
                self.on_array(ObjectOp::ArrayCopy, (to, from), 5)
            }
            O::ArrayInitData { array_type_index: ty, array_data_index } => {
                self.on_array(ObjectOp::ArrayInitData, (ty, array_data_index), 4)
            }
            O::ArrayInitElem { array_type_index: ty, array_elem_index } => {
                self.on_array(ObjectOp::ArrayInitElem, (ty, array_elem_index), 4)
            }
            _ => self.exception_operator(operator),
        }
    }

    /// Has the runtime make an array, which is not charged for where the interpreter may make it by
    /// itself.
    fn array_new(
        &mut self,
        op: ObjectOp,
        (ty, index): (u32, u32),
        operands: usize,
    ) -> Result<(), Refusal> {
        let elements = self.module.layouts.of_array(ty).ok_or(Refusal::Malformed)?;
        self.object((op, !is_direct_array(op, elements, index)), (ty, index), operands)
    }

    /// Has the runtime make an object of so many operands.
    pub(super) fn object(
        &mut self,
        op: (ObjectOp, bool),
        of: (u32, u32),
        operands: usize,
    ) -> Result<(), Refusal> {
        let made = self.call_object(op, of, operands)?;
        self.pop_many(operands)?;
        self.push_of(made, ValType::ANYREF);
        Ok(())
    }

    /// Has the runtime work on an array.
    fn on_array(&mut self, op: ObjectOp, of: (u32, u32), operands: usize) -> Result<(), Refusal> {
        self.call_object((op, true), of, operands)?;
        self.pop_many(operands)?;
        Ok(())
    }

    /// Has the runtime execute an instruction, with the operands on top of the stack, which stay
    /// there; returns the first slot afterwards. They are in their slots meanwhile.
    pub(super) fn call_object(
        &mut self,
        (op, is_charged): (ObjectOp, bool),
        (ty, index): (u32, u32),
        operands: usize,
    ) -> Result<Value, Refusal> {
        self.show_references();
        let first = self.stack.len().checked_sub(operands).ok_or(Refusal::Malformed)?;
        let values = self.stack[first..].to_vec();
        let slots: u32 = values.iter().map(|&value| self.slots(value)).sum();
        self.reserve(u32::from(slots == 0));
        let slots = self.slot_address(self.height - slots);
        self.store_values(&values, slots);
        let code = self.word(ObjectCode { op, is_charged, ty }.bits());
        let index = self.int(types::I32, index.into());
        let native_frame = self.builder.ins().get_frame_pointer(types::I64);
        let mark = self.word(self.point_mark());
        let args = [code, index, slots, native_frame, mark];
        self.call_fallible(builtin!(object), &args);
        // A finalizer may have grown the memory.
        self.reload_memory0();
        Ok(self.load_slot(types::I64, slots, 0))
    }

    fn ref_i31(&mut self) -> Result<(), Refusal> {
        let value = self.pop()?;
        let value = self.builder.ins().uextend(types::I64, value);
        // The highest of the 32 bits goes.
        let value = self.builder.ins().ishl_imm_u(value, 33);
        let value = self.builder.ins().ushr_imm_u(value, 32);
        let bits = self.word(guest_word::small_integer(0));
        let word = self.builder.ins().bor(value, bits);
        self.push_of(word, ValType::ANYREF);
        Ok(())
    }

    fn i31_get(&mut self, signed: bool) -> Result<(), Refusal> {
        let word = self.pop()?;
        // The bits that all small integers have and those that none has.
        let fixed = self.word(FIXED_BITS);
        let fixed = self.builder.ins().band(word, fixed);
        let wanted = self.word(guest_word::small_integer(0));
        let is_none = self.compare(IntCC::NotEqual, fixed, wanted);
        self.trap_if(is_none, Trap::NullI31);
        let low = self.builder.ins().ireduce(types::I32, word);
        let value = match signed {
            true => self.builder.ins().sshr_imm_u(low, 1),
            false => self.builder.ins().ushr_imm_u(low, 1),
        };
        self.push(value);
        Ok(())
    }

    fn ref_type(
        &self,
        (is_nullable, heap): (bool, wasmparser::HeapType),
    ) -> Result<RefType, Refusal> {
        let heap = self.module.heap_type(heap).ok_or(Refusal::Unsupported)?;
        Ok(RefType::new(is_nullable, heap))
    }

    fn ref_test(&mut self, is_nullable: bool, heap: wasmparser::HeapType) -> Result<(), Refusal> {
        let ty = self.ref_type((is_nullable, heap))?;
        let word = self.pop()?;
        let is_of = self.is_of(word, ty)?;
        self.push(is_of);
        Ok(())
    }

    fn ref_cast(&mut self, is_nullable: bool, heap: wasmparser::HeapType) -> Result<(), Refusal> {
        let ty = self.ref_type((is_nullable, heap))?;
        let word = *self.stack.last().ok_or(Refusal::Malformed)?;
        let is_of = self.is_of(word, ty)?;
        let zero = self.int(types::I32, 0);
        let is_not = self.compare(IntCC::Equal, is_of, zero);
        self.trap_if(is_not, Trap::CastFailure);
        Ok(())
    }

    fn br_on_cast(
        &mut self,
        depth: u32,
        ty: (bool, wasmparser::HeapType),
        if_is: bool,
    ) -> Result<(), Refusal> {
        let ty = self.ref_type(ty)?;
        let word = *self.stack.last().ok_or(Refusal::Malformed)?;
        let is_of = self.is_of(word, ty)?;
        // The interpreter has a slot for that above the reference.
        self.reserve(1);
        let zero = self.int(types::I32, 0);
        let condition = if if_is { IntCC::NotEqual } else { IntCC::Equal };
        let is_so = self.compare(condition, is_of, zero);
        self.branch_when(is_so, depth)
    }

    /// Whether the reference in a word is of a type, as 32 bits.
    fn is_of(&mut self, word: Value, ty: RefType) -> Result<Value, Refusal> {
        if !is_direct_test(ty.heap()) {
            self.charge_units(work::SLOW);
        }
        let HeapType::Defined(TypeKind::Struct | TypeKind::Array, index) = ty.heap() else {
            return Ok(self.ask_is_of(word, ty));
        };
        let (unknown, joined) = (self.cold_block(), self.builder.create_block());
        let is_of = self.builder.append_block_param(joined, types::I32);
        let if_null = self.int(types::I32, ty.is_nullable().into());
        let zero = self.word(0);
        let is_null = self.compare(IntCC::Equal, word, zero);
        let next = self.builder.create_block();
        self.builder.ins().brif(is_null, joined, &[if_null.into()], next, &[]);
        self.builder.switch_to_block(next);
        let object = self.find_object(word, unknown);
        let flags = self.regions.objects();
        let head = self.builder.ins().load(types::I32, flags, object, 0);
        let id = self.builder.ins().band_imm_u(head, (1 << bits::TYPE_BITS) - 1);
        let instance = self.instance;
        let ids = self.load_constant(types::I64, instance, at::INSTANCE_TYPE_IDS);
        let offset = i32::try_from(u64::from(index.get()) * 4).map_err(|_| Refusal::TooLarge)?;
        let wanted = self.load_constant(types::I32, ids, offset);
        let differs = self.compare(IntCC::NotEqual, id, wanted);
        // It may be of a subtype.
        self.go_on_unless(differs, unknown);
        let one = self.int(types::I32, 1);
        self.jump(joined, &[one]);

        self.builder.switch_to_block(unknown);
        let found = self.ask_is_of(word, ty);
        self.jump(joined, &[found]);
        self.builder.switch_to_block(joined);
        Ok(is_of)
    }

    fn ask_is_of(&mut self, word: Value, ty: RefType) -> Value {
        let ty = self.int(types::I32, ty.to_bits().into());
        self.call_builtin(builtin!(is_of), &[ty, word], types::I32)
    }
}

/// Bits of a small integer's word that say what it is.
const FIXED_BITS: u64 = 0x1ff << 55 | 1;
