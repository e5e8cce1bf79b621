//! Loads and stores of running state, the frame and guests' memories.

use super::Translator;
use crate::jit::layout as at;
use cranelift_codegen::ir::{
    AliasRegion, AliasRegionData, Endianness, Function, InstBuilder, MemFlagsData, Type, Value,
    types,
};

/// Parts of memory that do not overlap, for Cranelift's alias analysis.
#[derive(Clone, Copy)]
pub struct Regions {
    /// Structs of `abi::vm_layout`, and globals.
    state: AliasRegion,
    /// Slots of the guest's stack.
    slots: AliasRegion,
    /// Guests' memories.
    memory: AliasRegion,
    /// Elements of tables, and function references.
    tables: AliasRegion,
}

impl Regions {
    pub fn new(function: &mut Function) -> Self {
        let mut region = |user_id, description: &'static str| {
            let description = description.into();
            function.dfg.alias_regions.insert(AliasRegionData { user_id, description })
        };
        Self {
            state: region(0, "state"),
            slots: region(1, "slots"),
            memory: region(2, "memory"),
            tables: region(3, "tables"),
        }
    }

    pub fn state(&self) -> MemFlagsData {
        MemFlagsData::trusted().with_alias_region(Some(self.state))
    }

    pub fn slots(&self) -> MemFlagsData {
        MemFlagsData::trusted().with_alias_region(Some(self.slots))
    }

    pub fn tables(&self) -> MemFlagsData {
        MemFlagsData::trusted().with_alias_region(Some(self.tables))
    }

    /// Bounds have been checked; nothing is known of alignment.
    pub fn memory(&self) -> MemFlagsData {
        MemFlagsData::new()
            .with_notrap()
            .with_endianness(Endianness::Little)
            .with_alias_region(Some(self.memory))
    }
}

impl Translator<'_, '_> {
    /// Reads a field of running state.
    pub(super) fn load_state(&mut self, ty: Type, base: Value, offset: i32) -> Value {
        let flags = self.regions.state();
        self.builder.ins().load(ty, flags, base, offset)
    }

    /// Reads a field that does not change while the function runs.
    pub(super) fn load_constant(&mut self, ty: Type, base: Value, offset: i32) -> Value {
        let flags = self.regions.state().with_readonly().with_can_move();
        self.builder.ins().load(ty, flags, base, offset)
    }

    pub(super) fn store_state(&mut self, value: Value, base: Value, offset: i32) {
        let flags = self.regions.state();
        self.builder.ins().store(flags, value, base, offset);
    }

    /// A value as it lies in a slot: 32 bits are extended by zeros, as in the interpreter.
    pub(super) fn as_slot(&mut self, value: Value) -> Value {
        match self.builder.func.dfg.value_type(value) {
            types::I32 => self.builder.ins().uextend(types::I64, value),
            types::F32 => {
                let bits = self.builder.ins().bitcast(types::I32, MemFlagsData::new(), value);
                self.builder.ins().uextend(types::I64, bits)
            }
            _ => value,
        }
    }

    pub(super) fn store_slot(&mut self, value: Value, base: Value, slot: u32) {
        let flags = self.regions.slots();
        let value = self.as_slot(value);
        self.builder.ins().store(flags, value, base, slot_offset(slot));
    }

    pub(super) fn load_slot(&mut self, ty: Type, base: Value, slot: u32) -> Value {
        let flags = self.regions.slots();
        self.builder.ins().load(ty, flags, base, slot_offset(slot))
    }

    /// The address of a slot of the frame.
    pub(super) fn slot_address(&mut self, slot: u32) -> Value {
        let frame = self.frame;
        self.builder.ins().iadd_imm_s(frame, i64::from(slot_offset(slot)))
    }

    /// Stores the budget where functions of the runtime find it.
    pub(super) fn store_budget(&mut self) {
        let (budget, env) = (self.builder.ins().get_pinned_reg(types::I64), self.env);
        self.store_state(budget, env, at::ENV_BUDGET);
    }

    /// Reads the budget again.
    pub(super) fn load_budget(&mut self) {
        let env = self.env;
        let budget = self.load_state(types::I64, env, at::ENV_BUDGET);
        self.builder.ins().set_pinned_reg(budget);
    }
}

/// Frames have fewer slots than 16 bits can count.
fn slot_offset(slot: u32) -> i32 {
    (slot * 8) as i32
}
