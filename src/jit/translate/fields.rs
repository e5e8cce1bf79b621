//! Fields of structs, elements of arrays, and new structs, where the heap's view leads to them.
//!
//! The checks are those of `gc::direct`: an object is found where a bit says that one begins, and
//! its head says how much of it there is. What these do not find, a function of the runtime looks
//! for in the heap as a whole.

use super::{Refusal, Translator};
use crate::abi::definitions::{CompositeType, StorageType};
use crate::abi::types::ValType;
use crate::exec::objects::{ObjectOp, is_direct_struct};
use crate::gc::direct::{self, bits};
use crate::gc::{StorageKind, StructField};
use crate::jit::layout::{self as at, builtin};
use crate::jit::objects::FieldCode;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Type, Value, types};

/// The type in memory of a field or an element.
fn raw_type(kind: StorageKind) -> Type {
    match kind {
        StorageKind::I8 => types::I8,
        StorageKind::I16 => types::I16,
        StorageKind::I32 => types::I32,
        StorageKind::F32 => types::F32,
        StorageKind::F64 => types::F64,
        StorageKind::V128 => types::I8X16,
        StorageKind::I64 | StorageKind::Ref | StorageKind::Opaque => types::I64,
    }
}

/// The type of a field's value on the operand stack.
fn value_type(kind: StorageKind) -> Type {
    match kind {
        StorageKind::I8 | StorageKind::I16 => types::I32,
        kind => raw_type(kind),
    }
}

fn unpacked(storage: StorageType) -> ValType {
    match storage {
        StorageType::I8 | StorageType::I16 => ValType::I32,
        StorageType::Val(ty) => ty,
    }
}

impl Translator<'_, '_> {
    fn load_object(&mut self, ty: Type, base: Value, offset: i32) -> Value {
        let flags = self.regions.objects();
        self.builder.ins().load(ty, flags, base, offset)
    }

    fn store_object(&mut self, value: Value, base: Value, offset: i32) {
        let flags = self.regions.objects();
        self.builder.ins().store(flags, value, base, offset);
    }

    /// Goes to `elsewhere` unless `a` is below `b`.
    fn go_on_below(&mut self, a: Value, b: Value, elsewhere: Block) {
        let is_not = self.compare(IntCC::UnsignedGreaterThanOrEqual, a, b);
        self.go_on_unless(is_not, elsewhere);
    }

    /// The address of the head of the object that a word refers to; goes to `unknown` if none is
    /// found here.
    pub(super) fn find_object(&mut self, word: Value, unknown: Block) -> Value {
        let instance = self.instance;
        let view = self.load_state(types::I64, instance, at::INSTANCE_OBJECTS);
        let first = self.load_state(types::I64, view, at::OBJECTS_FIRST);
        let distance = self.builder.ins().isub(word, first);
        // Words that are no multiples of 8 get one of the highest bits.
        let place = self.builder.ins().rotr_imm_u(distance, 3);
        let places = self.load_state(types::I64, view, at::OBJECTS_PLACES);
        self.go_on_below(place, places, unknown);
        let chunk = self.builder.ins().ushr_imm_u(place, i64::from(bits::CHUNK_LOG2));
        let chunk = self.builder.ins().imul_imm_u(chunk, at::CHUNK_BYTES);
        let chunks = self.load_state(types::I64, view, at::OBJECTS_CHUNKS);
        let chunk = self.builder.ins().iadd(chunks, chunk);
        let place = self.builder.ins().band_imm_u(place, (1 << bits::CHUNK_LOG2) - 1);
        let group = self.builder.ins().ushr_imm_u(place, 6);
        let groups = self.load_state(types::I64, chunk, at::CHUNK_GROUPS);
        self.go_on_below(group, groups, unknown);
        let heads = self.load_state(types::I64, chunk, at::CHUNK_HEADS);
        let group = self.builder.ins().ishl_imm_u(group, 3);
        let heads = self.builder.ins().iadd(heads, group);
        let heads = self.load_object(types::I64, heads, 0);
        let heads = self.builder.ins().ushr(heads, place);
        let is_head = self.builder.ins().band_imm_u(heads, 1);
        let zero = self.word(0);
        let is_none = self.compare(IntCC::Equal, is_head, zero);
        self.go_on_unless(is_none, unknown);
        let words = self.load_state(types::I64, chunk, at::CHUNK_WORDS);
        let place = self.builder.ins().ishl_imm_u(place, 3);
        self.builder.ins().iadd(words, place)
    }

    /// The address of a field; goes to `unknown` if the object is not found here, or has no such
    /// field.
    fn find_field(&mut self, word: Value, field: StructField, unknown: Block) -> (Value, i32) {
        let object = self.find_object(word, unknown);
        let head = self.load_object(types::I64, object, 0);
        let at = u64::from(field.at());
        if field.kind() == StorageKind::Ref {
            let refs = self.builder.ins().ushr_imm_u(head, i64::from(bits::REFS_SHIFT));
            let number = self.word(at);
            self.go_on_below(number, refs, unknown);
            return (object, -8 * (1 + field.at() as i32));
        }
        let words = self.builder.ins().ushr_imm_u(head, i64::from(bits::DATA_SHIFT));
        let words = self.builder.ins().band_imm_u(words, 0xffff);
        let last = self.word((at + field.kind().bytes() as u64 - 1) / 8);
        self.go_on_below(last, words, unknown);
        (object, 8 + field.at() as i32)
    }

    /// The address of an element; goes to `unknown` as [`find_field`](Self::find_field) does.
    fn find_element(
        &mut self,
        word: Value,
        index: Value,
        kind: StorageKind,
        unknown: Block,
    ) -> (Value, i32) {
        let object = self.find_object(word, unknown);
        let head = self.load_object(types::I64, object, 0);
        let size = self.builder.ins().ushr_imm_u(head, i64::from(bits::SIZE_SHIFT));
        let size = self.builder.ins().band_imm_u(size, 7);
        let wanted = self.word(bits::size_code(kind.bytes_log2()).into());
        let differs = self.compare(IntCC::NotEqual, size, wanted);
        self.go_on_unless(differs, unknown);
        let len = self.load_object(types::I32, object, 8);
        self.go_on_below(index, len, unknown);
        let index = self.builder.ins().uextend(types::I64, index);
        let offset = self.builder.ins().ishl_imm_u(index, i64::from(kind.bytes_log2()));
        (self.builder.ins().iadd(object, offset), 8 * bits::ARRAY_HEAD_WORDS as i32)
    }

    /// A value from memory as it is on the operand stack.
    fn widen(&mut self, kind: StorageKind, signed: bool, raw: Value) -> Value {
        match kind {
            StorageKind::I8 | StorageKind::I16 if signed => {
                self.builder.ins().sextend(types::I32, raw)
            }
            StorageKind::I8 | StorageKind::I16 => self.builder.ins().uextend(types::I32, raw),
            _ => raw,
        }
    }

    fn narrow(&mut self, kind: StorageKind, value: Value) -> Value {
        match kind {
            StorageKind::I8 | StorageKind::I16 => self.builder.ins().ireduce(raw_type(kind), value),
            _ => value,
        }
    }

    /// Two slots for a value that the runtime takes or leaves.
    fn exchange_slot(&mut self) -> Value {
        let env = self.env;
        self.builder.ins().iadd_imm_u(env, i64::from(at::ENV_SCRATCH))
    }

    /// Pushes what lies at the place that `find` finds, or what the runtime says by `look_up`,
    /// which is given a slot for it.
    fn get_at(
        &mut self,
        (kind, signed, ty): (StorageKind, bool, ValType),
        find: impl FnOnce(&mut Self, Block) -> (Value, i32),
        look_up: impl FnOnce(&mut Self, Value),
    ) {
        let (unknown, joined) = (self.cold_block(), self.builder.create_block());
        let value = self.builder.append_block_param(joined, value_type(kind));
        let (base, offset) = find(self, unknown);
        let raw = self.load_object(raw_type(kind), base, offset);
        let found = self.widen(kind, signed, raw);
        self.jump(joined, &[found]);

        self.builder.switch_to_block(unknown);
        let slot = self.exchange_slot();
        look_up(self, slot);
        let found = self.load_slot(value_type(kind), slot, 0);
        self.jump(joined, &[found]);

        self.builder.switch_to_block(joined);
        self.push_of(value, ty);
    }

    /// The other way around.
    fn set_at(
        &mut self,
        (kind, value): (StorageKind, Value),
        find: impl FnOnce(&mut Self, Block) -> (Value, i32),
        look_up: impl FnOnce(&mut Self, Value),
    ) {
        let (unknown, joined) = (self.cold_block(), self.builder.create_block());
        let (base, offset) = find(self, unknown);
        let raw = self.narrow(kind, value);
        self.store_object(raw, base, offset);
        self.jump(joined, &[]);

        self.builder.switch_to_block(unknown);
        let slot = self.exchange_slot();
        self.store_slot(value, slot, 0);
        look_up(self, slot);
        self.jump(joined, &[]);
        self.builder.switch_to_block(joined);
    }

    fn field(&self, ty: u32, index: u32) -> Result<(StructField, ValType), Refusal> {
        let layout = self.module.layouts.of_struct(ty).ok_or(Refusal::Malformed)?;
        let field = *layout.fields().get(index as usize).ok_or(Refusal::Malformed)?;
        match &self.module.types.get(ty).ok_or(Refusal::Malformed)?.composite {
            CompositeType::Struct(fields) => {
                let storage = fields.get(index as usize).ok_or(Refusal::Malformed)?.storage;
                Ok((field, unpacked(storage)))
            }
            _ => Err(Refusal::Malformed),
        }
    }

    fn elements(&self, ty: u32) -> Result<(StorageKind, ValType), Refusal> {
        let kind = self.module.layouts.of_array(ty).ok_or(Refusal::Malformed)?;
        match &self.module.types.get(ty).ok_or(Refusal::Malformed)?.composite {
            CompositeType::Array(element) => Ok((kind, unpacked(element.storage))),
            _ => Err(Refusal::Malformed),
        }
    }

    pub(super) fn struct_get(&mut self, ty: u32, index: u32, signed: bool) -> Result<(), Refusal> {
        let (field, ty) = self.field(ty, index)?;
        let word = self.pop()?;
        let code = FieldCode { kind: field.kind(), signed, at: field.at() }.bits();
        self.get_at(
            (field.kind(), signed, ty),
            |this, unknown| this.find_field(word, field, unknown),
            |this, slot| {
                let code = this.word(code);
                this.call_fallible(builtin!(get_field), &[word, code, slot]);
            },
        );
        Ok(())
    }

    pub(super) fn struct_set(&mut self, ty: u32, index: u32) -> Result<(), Refusal> {
        let (field, _) = self.field(ty, index)?;
        let (word, value) = self.pop_pair()?;
        let code = FieldCode { kind: field.kind(), signed: false, at: field.at() }.bits();
        self.set_at(
            (field.kind(), value),
            |this, unknown| this.find_field(word, field, unknown),
            |this, slot| {
                let code = this.word(code);
                this.call_fallible(builtin!(set_field), &[word, code, slot]);
            },
        );
        Ok(())
    }

    pub(super) fn array_get(&mut self, ty: u32, signed: bool) -> Result<(), Refusal> {
        let (kind, ty) = self.elements(ty)?;
        let (word, index) = self.pop_pair()?;
        self.get_at(
            (kind, signed, ty),
            |this, unknown| this.find_element(word, index, kind, unknown),
            |this, slot| {
                let signed = this.int(types::I32, signed.into());
                this.call_fallible(builtin!(get_element), &[word, index, signed, slot]);
            },
        );
        Ok(())
    }

    pub(super) fn array_set(&mut self, ty: u32) -> Result<(), Refusal> {
        let (kind, _) = self.elements(ty)?;
        let value = self.pop()?;
        let (word, index) = self.pop_pair()?;
        self.set_at(
            (kind, value),
            |this, unknown| this.find_element(word, index, kind, unknown),
            |this, slot| this.call_fallible(builtin!(set_element), &[word, index, slot]),
        );
        Ok(())
    }

    pub(super) fn array_len(&mut self) -> Result<(), Refusal> {
        let word = self.pop()?;
        let (unknown, joined) = (self.cold_block(), self.builder.create_block());
        let len = self.builder.append_block_param(joined, types::I32);
        let object = self.find_object(word, unknown);
        let head = self.load_object(types::I64, object, 0);
        let size = self.builder.ins().band_imm_u(head, 7 << bits::SIZE_SHIFT);
        let zero = self.word(0);
        let is_none = self.compare(IntCC::Equal, size, zero);
        self.go_on_unless(is_none, unknown);
        let found = self.load_object(types::I32, object, 8);
        self.jump(joined, &[found]);

        self.builder.switch_to_block(unknown);
        self.call_fallible(builtin!(array_len), &[word]);
        let found = self.load_scratch(types::I32);
        self.jump(joined, &[found]);
        self.builder.switch_to_block(joined);
        self.push(len);
        Ok(())
    }

    /// `struct.new` with values: from the words that the heap lends, if the struct is small and has
    /// no vectors.
    pub(super) fn struct_new(&mut self, ty: u32) -> Result<(), Refusal> {
        let layout = self.module.layouts.of_struct(ty).ok_or(Refusal::Malformed)?;
        let fields = layout.fields();
        if !is_direct_struct(ObjectOp::StructNew, layout) {
            return self.object((ObjectOp::StructNew, true), (ty, 0), fields.len());
        }
        let (refs, words) = direct::parts_of(layout);
        let (no_room, joined) = (self.cold_block(), self.builder.create_block());
        let reference = self.builder.append_block_param(joined, types::I64);
        let first = self.stack.len().checked_sub(fields.len()).ok_or(Refusal::Malformed)?;
        let values = self.stack[first..].to_vec();

        let (object, word) = self.allocate((refs, words), no_room);
        let instance = self.instance;
        let ids = self.load_constant(types::I64, instance, at::INSTANCE_TYPE_IDS);
        let offset = i32::try_from(u64::from(ty) * 4).map_err(|_| Refusal::TooLarge)?;
        let id = self.load_constant(types::I32, ids, offset);
        let id = self.builder.ins().uextend(types::I64, id);
        let head = self.word(direct::head_of(layout, 0));
        let head = self.builder.ins().bor(head, id);
        self.store_object(head, object, 0);
        for (field, &value) in fields.iter().zip(&values) {
            let raw = self.narrow(field.kind(), value);
            let offset = match field.kind() {
                StorageKind::Ref => -8 * (1 + field.at() as i32),
                _ => 8 + field.at() as i32,
            };
            self.store_object(raw, object, offset);
        }
        self.jump(joined, &[word]);

        self.builder.switch_to_block(no_room);
        let op = (ObjectOp::StructNew, false);
        let made = self.call_object(op, (ty, 0), fields.len())?;
        self.jump(joined, &[made]);
        self.builder.switch_to_block(joined);
        self.pop_many(fields.len())?;
        self.push_of(reference, ValType::ANYREF);
        Ok(())
    }

    /// Takes words for a struct from the run that the heap lends; goes to `no_room` if they are not
    /// there. Returns the address of its head and its reference.
    fn allocate(&mut self, (refs, words): (u32, u32), no_room: Block) -> (Value, Value) {
        let instance = self.instance;
        let view = self.load_state(types::I64, instance, at::INSTANCE_OBJECTS);
        let start = self.load_state(types::I64, view, at::OBJECTS_CURSOR);
        let limit = self.load_state(types::I64, view, at::OBJECTS_LIMIT);
        let room = self.builder.ins().isub(limit, start);
        let bytes = self.word(u64::from(words) * 8);
        let is_over = self.compare(IntCC::UnsignedLessThan, room, bytes);
        self.go_on_unless(is_over, no_room);
        let end = self.builder.ins().iadd(start, bytes);
        self.store_state(end, view, at::OBJECTS_CURSOR);
        let object = self.builder.ins().iadd_imm_u(start, i64::from(refs) * 8);
        let run = self.load_state(types::I64, view, at::OBJECTS_RUN_WORDS);
        let offset = self.builder.ins().isub(object, run);
        let group = self.builder.ins().ushr_imm_u(offset, 9);
        let group = self.builder.ins().ishl_imm_u(group, 3);
        let heads = self.load_state(types::I64, view, at::OBJECTS_RUN_HEADS);
        let heads = self.builder.ins().iadd(heads, group);
        let place = self.builder.ins().ushr_imm_u(offset, 3);
        let one = self.word(1);
        let bit = self.builder.ins().ishl(one, place);
        let before = self.load_object(types::I64, heads, 0);
        let after = self.builder.ins().bor(before, bit);
        self.store_object(after, heads, 0);
        let first = self.load_state(types::I64, view, at::OBJECTS_RUN_FIRST);
        (object, self.builder.ins().iadd(first, offset))
    }
}
