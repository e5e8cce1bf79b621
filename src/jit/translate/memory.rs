//! Loads, stores and the other instructions on memories.
//!
//! Compiled code has memory 0 in two variables, its start and its length, which are read again
//! after whatever may change them. Those of other memories are read for each access. An access that
//! these do not reach is looked up by a function of the runtime, as in the interpreter: it may be
//! in a shared heap, or in what another thread has added.

use super::{Refusal, Translator};
use crate::abi::types::MemoryType;
use crate::exec::work;
use crate::jit::accesses::AccessKind;
use crate::jit::layout::{self as at, builtin};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, InstructionData, Opcode, Type, Value, types};
use wasmparser::{MemArg, MemArgTarget};

/// An access: `bytes` bytes of a memory, at an address that has 64 bits here.
#[derive(Clone, Copy)]
pub struct Access {
    pub memory: u32,
    ty: MemoryType,
    address: Value,
    offset: u64,
    bytes: u32,
}

/// Whether an access up to `last` bytes behind an address is within the memory's initial size:
/// memories never shrink.
fn is_at_start(address: u64, last: u64, ty: &MemoryType) -> bool {
    let initial = ty.limits.min.checked_shl(u32::from(ty.page_size_log2));
    let end = address.checked_add(last);
    initial.zip(end).is_some_and(|(initial, last)| last < initial)
}

impl Translator<'_, '_> {
    pub(super) fn begin_memory0(&mut self) {
        if self.module.memories.is_empty() {
            return;
        }
        let base = self.builder.declare_var(types::I64);
        let len = self.builder.declare_var(types::I64);
        self.memory0 = Some((base, len));
        self.read_memory0();
    }

    /// Has start and length read again, after something that may have changed them: before the next
    /// access or branch. Several calls in a row need them once.
    pub(super) fn reload_memory0(&mut self) {
        self.is_memory0_stale = true;
    }

    /// Reads start and length again if they may have changed.
    pub(super) fn refresh_memory0(&mut self) {
        if std::mem::take(&mut self.is_memory0_stale) {
            self.read_memory0();
        }
    }

    pub(super) fn read_memory0(&mut self) {
        let Some((base, len)) = self.memory0 else { return };
        let instance = self.instance;
        let memory = self.load_constant(types::I64, instance, at::INSTANCE_MEMORY0);
        let start = self.load_state(types::I64, memory, at::MEMORY_BASE);
        let bytes = self.load_state(types::I64, memory, at::MEMORY_LEN);
        for value in [start, bytes] {
            self.memory_loads.push(self.builder.func.dfg.value_def(value).unwrap_inst());
        }
        self.builder.def_var(base, start);
        self.builder.def_var(len, bytes);
    }

    /// Removes the loads that no access uses: in functions without any, Cranelift would keep them.
    pub(super) fn end_memory0(&mut self) {
        if !self.uses_memory0 {
            for load in self.memory_loads.drain(..) {
                self.builder.func.layout.remove_inst(load);
            }
        }
    }

    /// The number that a value is, if it is known, as 64 bits without a sign.
    fn constant(&self, value: Value) -> Option<u64> {
        match self.made_by(value)? {
            InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => Some(imm.bits() as u64),
            InstructionData::Unary { opcode: Opcode::Uextend, arg } => match self.made_by(arg)? {
                InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => {
                    Some(u64::from(imm.bits() as u32))
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn memory_type(&self, index: u32) -> Result<&MemoryType, Refusal> {
        self.module.memories.get(index as usize).ok_or(Refusal::Malformed)
    }

    /// Start and length of a memory, as far as running code knows it.
    fn memory(&mut self, index: u32) -> Result<(Value, Value), Refusal> {
        if index == 0 {
            let (base, len) = self.memory0.ok_or(Refusal::Malformed)?;
            self.uses_memory0 = true;
            self.refresh_memory0();
            return Ok((self.builder.use_var(base), self.builder.use_var(len)));
        }
        let place = i32::try_from(u64::from(index) * 8).map_err(|_| Refusal::TooLarge)?;
        let instance = self.instance;
        let list = self.load_constant(types::I64, instance, at::INSTANCE_MEMORIES);
        let memory = self.load_constant(types::I64, list, place);
        let base = self.load_state(types::I64, memory, at::MEMORY_BASE);
        Ok((base, self.load_state(types::I64, memory, at::MEMORY_LEN)))
    }

    pub(super) fn access_of(
        &mut self,
        memarg: &MemArg,
        address: Value,
        bytes: u32,
    ) -> Result<Access, Refusal> {
        let MemArgTarget::Memory(memory) = memarg.target else {
            return Err(Refusal::Unsupported);
        };
        let ty = *self.memory_type(memory)?;
        let address = self.extended(address);
        Ok(Access { memory, ty, address, offset: memarg.offset, bytes })
    }

    /// Whether an access is not within the `len` bytes that running code knows; `None` if it always
    /// is. A sum of address and offset that has more than 64 bits is outside.
    fn is_outside(&mut self, access: &Access, len: Value) -> Option<Value> {
        let &Access { ty, address, offset, bytes, .. } = access;
        let Some(last) = offset.checked_add(u64::from(bytes) - 1) else {
            return Some(self.int(types::I8, 1));
        };
        if self.constant(address).is_some_and(|address| is_at_start(address, last, &ty)) {
            return None;
        }
        if !ty.memory64 || last == 0 {
            // Both are below 2^32, so no sum wraps.
            let last = self.builder.ins().iadd_imm_u(address, last as i64);
            return Some(self.compare(IntCC::UnsignedGreaterThanOrEqual, last, len));
        }
        let last = self.word(last);
        let (last, wraps) = self.builder.ins().uadd_overflow(address, last);
        let is_outside = self.compare(IntCC::UnsignedGreaterThanOrEqual, last, len);
        Some(self.builder.ins().bor(wraps, is_outside))
    }

    /// The guest's address of an access, and the access in the form that functions of the runtime
    /// take.
    pub(super) fn place_of(&mut self, access: &Access, place: AccessKind) -> (Value, Value) {
        let &Access { memory, ty, address, offset, bytes } = access;
        let place = self.word(place.of(memory, bytes));
        if offset == 0 {
            return (address, place);
        }
        let offset = self.word(offset);
        let first = self.builder.ins().iadd(address, offset);
        if !ty.memory64 {
            return (first, place);
        }
        let wraps = self.compare(IntCC::UnsignedLessThan, first, offset);
        let wraps = self.builder.ins().uextend(types::I64, wraps);
        let wraps = self.builder.ins().ishl_imm_u(wraps, AccessKind::WRAPS_BIT);
        (first, self.builder.ins().bor(place, wraps))
    }

    /// Asks the runtime where an access is: how far its address, without the offset, is from the
    /// memory's start.
    fn look_up(&mut self, access: &Access, kind: AccessKind) -> Value {
        let place = self.word(kind.of(access.memory, access.bytes));
        let offset = self.word(access.offset);
        self.call_preserving(builtin!(slow_address), &[access.address, place, offset]);
        if access.ty.shared {
            // Running code's view of the memory is longer now, on this way alone.
            self.read_memory0();
        }
        self.load_scratch(types::I64)
    }

    /// The address of an access of `bytes` bytes, as a sum. The access follows where both ways have
    /// joined: Cranelift moves computations to their uses, and would repeat that of a stored value
    /// on each way and wherever else it is used.
    pub(super) fn address_of(
        &mut self,
        memarg: &MemArg,
        address: Value,
        bytes: u32,
    ) -> Result<(Value, i32), Refusal> {
        let of = self.access_of(memarg, address, bytes)?;
        let (base, len) = self.memory(of.memory)?;
        let Some(is_outside) = self.is_outside(&of, len) else {
            let sum = self.builder.ins().iadd(base, of.address);
            return Ok(self.with_offset(sum, of.offset));
        };
        let (cold, joined) = (self.cold_block(), self.following_block());
        // Of the first byte, without the offset.
        let distance = self.builder.append_block_param(joined, types::I64);
        self.builder.ins().brif(is_outside, cold, &[], joined, &[of.address.into()]);

        self.builder.switch_to_block(cold);
        let found = self.look_up(&of, AccessKind::Anywhere);
        self.jump(joined, &[found]);

        self.builder.switch_to_block(joined);
        let sum = self.builder.ins().iadd(base, distance);
        Ok(self.with_offset(sum, of.offset))
    }

    /// A sum of two values and an offset that instructions can have.
    fn with_offset(&mut self, sum: Value, offset: u64) -> (Value, i32) {
        match i32::try_from(offset) {
            Ok(offset) => (sum, offset),
            Err(_) => (self.builder.ins().iadd_imm_u(sum, offset as i64), 0),
        }
    }

    /// Stores a value with the bytes of its type.
    pub(super) fn store_value(
        &mut self,
        memarg: &MemArg,
        address: Value,
        value: Value,
    ) -> Result<(), Refusal> {
        let bytes = self.builder.func.dfg.value_type(value).bytes();
        let (place, offset) = self.address_of(memarg, address, bytes)?;
        let flags = self.regions.memory();
        self.builder.ins().store(flags, value, place, offset);
        Ok(())
    }

    /// The native address of an access that has to be aligned, as atomic ones have.
    pub(super) fn aligned_address(
        &mut self,
        memarg: &MemArg,
        address: Value,
        bytes: u32,
    ) -> Result<Value, Refusal> {
        let of = self.access_of(memarg, address, bytes)?;
        let (base, len) = self.memory(of.memory)?;
        let is_outside = self.is_outside(&of, len);
        let sum = self.builder.ins().iadd(base, of.address);
        let native = self.builder.ins().iadd_imm_u(sum, of.offset as i64);
        let misplaced = self.builder.ins().band_imm_u(native, i64::from(bytes) - 1);
        let zero = self.word(0);
        let is_misplaced = self.compare(IntCC::NotEqual, misplaced, zero);
        let is_other = match is_outside {
            Some(is_outside) => self.builder.ins().bor(is_outside, is_misplaced),
            None => is_misplaced,
        };
        let (cold, joined) = (self.cold_block(), self.builder.create_block());
        let distance = self.builder.append_block_param(joined, types::I64);
        self.builder.ins().brif(is_other, cold, &[], joined, &[of.address.into()]);

        self.builder.switch_to_block(cold);
        let found = self.look_up(&of, AccessKind::Aligned);
        self.jump(joined, &[found]);

        self.builder.switch_to_block(joined);
        let sum = self.builder.ins().iadd(base, distance);
        Ok(self.builder.ins().iadd_imm_u(sum, of.offset as i64))
    }

    /// A load of as many bytes as `from` has, extended by `extend`.
    pub(super) fn load(
        &mut self,
        memarg: &MemArg,
        from: Type,
        extend: impl Fn(&mut Self, Value) -> Value,
    ) -> Result<(), Refusal> {
        let address = self.pop()?;
        let flags = self.regions.memory();
        let (place, offset) = self.address_of(memarg, address, from.bytes())?;
        let loaded = self.builder.ins().load(from, flags, place, offset);
        let value = extend(self, loaded);
        self.push(value);
        Ok(())
    }

    pub(super) fn load_signed(
        &mut self,
        memarg: &MemArg,
        from: Type,
        to: Type,
    ) -> Result<(), Refusal> {
        self.load(memarg, from, |this, value| this.builder.ins().sextend(to, value))
    }

    pub(super) fn load_unsigned(
        &mut self,
        memarg: &MemArg,
        from: Type,
        to: Type,
    ) -> Result<(), Refusal> {
        self.load(memarg, from, |this, value| this.builder.ins().uextend(to, value))
    }

    /// A store of as many low bytes of the value as `to` has.
    pub(super) fn store(&mut self, memarg: &MemArg, to: Type) -> Result<(), Refusal> {
        let (address, value) = self.pop_pair()?;
        let value = match self.builder.func.dfg.value_type(value) {
            from if from == to => value,
            _ => self.builder.ins().ireduce(to, value),
        };
        self.store_value(memarg, address, value)
    }

    /// An address or a count of a memory with 64 bits.
    pub(super) fn extended(&mut self, value: Value) -> Value {
        match self.builder.func.dfg.value_type(value) {
            types::I64 => value,
            _ => self.builder.ins().uextend(types::I64, value),
        }
    }

    fn push_pages(&mut self, pages: Value, memory: u32) -> Result<(), Refusal> {
        let pages = match self.memory_type(memory)?.memory64 {
            true => pages,
            false => self.builder.ins().ireduce(types::I32, pages),
        };
        self.push(pages);
        Ok(())
    }

    pub(super) fn memory_size(&mut self, memory: u32) -> Result<(), Refusal> {
        let ty = *self.memory_type(memory)?;
        if ty.shared {
            let index = self.int(types::I32, memory.into());
            self.call_fallible(builtin!(memory_size), &[index]);
            self.reload_memory0();
            let pages = self.load_scratch(types::I64);
            return self.push_pages(pages, memory);
        }
        if memory > 0 || ty != (MemoryType { limits: ty.limits, ..MemoryType::default() }) {
            self.charge_units(work::SLOW);
        }
        // Memories that are not shared are as long as this code knows.
        let (_, len) = self.memory(memory)?;
        let pages = self.builder.ins().ushr_imm_u(len, i64::from(ty.page_size_log2));
        self.push_pages(pages, memory)
    }

    pub(super) fn memory_grow(&mut self, memory: u32) -> Result<(), Refusal> {
        let delta = self.pop()?;
        let delta = self.extended(delta);
        let index = self.int(types::I32, memory.into());
        // The embedder is asked if there is no room, and may look at the stack.
        self.show_references();
        self.leave_point(None);
        self.call_fallible(builtin!(memory_grow), &[index, delta]);
        self.resume_point();
        self.reload_memory0();
        let pages = self.load_scratch(types::I64);
        self.push_pages(pages, memory)
    }

    /// Two indices in one word.
    pub(super) fn indices(&mut self, to: u32, from: u32) -> Value {
        self.word(u64::from(to) << 32 | u64::from(from))
    }

    pub(super) fn memory_copy(&mut self, to: u32, from: u32) -> Result<(), Refusal> {
        let len = self.pop()?;
        let (to_at, from_at) = self.pop_pair()?;
        let (to_at, from_at) = (self.extended(to_at), self.extended(from_at));
        let (len, memories) = (self.extended(len), self.indices(to, from));
        self.call_fallible(builtin!(memory_copy), &[memories, to_at, from_at, len]);
        self.reload_memory0();
        Ok(())
    }

    pub(super) fn memory_fill(&mut self, memory: u32) -> Result<(), Refusal> {
        let len = self.pop()?;
        let (to, byte) = self.pop_pair()?;
        let (to, len) = (self.extended(to), self.extended(len));
        let memory = self.int(types::I32, memory.into());
        self.call_fallible(builtin!(memory_fill), &[memory, to, byte, len]);
        self.reload_memory0();
        Ok(())
    }

    pub(super) fn memory_init(&mut self, memory: u32, segment: u32) -> Result<(), Refusal> {
        let count = self.pop()?;
        let (to, from) = self.pop_pair()?;
        let (to, of) = (self.extended(to), self.indices(memory, segment));
        self.call_fallible(builtin!(memory_init), &[of, to, from, count]);
        self.reload_memory0();
        Ok(())
    }

    pub(super) fn data_drop(&mut self, segment: u32) {
        let segment = self.int(types::I32, segment.into());
        self.call_fallible(builtin!(data_drop), &[segment]);
    }
}
