//! Loads and stores of running state, the frame and guests' memories.

use super::signatures::{clif_type, slots_of};
use super::{Refusal, Translator};
use crate::abi::types::ValType;
use crate::jit::layout as at;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Type, Value, types};

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
        let value = self.as_slot(value);
        let flags = self.regions.slots_for(self.builder.func.dfg.value_type(value));
        self.builder.ins().store(flags, value, base, slot_offset(slot));
    }

    pub(super) fn load_slot(&mut self, ty: Type, base: Value, slot: u32) -> Value {
        let flags = self.regions.slots_for(ty);
        self.builder.ins().load(ty, flags, base, slot_offset(slot))
    }

    /// Stores values one behind the other, from a frame's first slot on.
    pub(super) fn store_values(&mut self, values: &[Value], frame: Value) {
        let mut slot = 0;
        for &value in values {
            self.store_slot(value, frame, slot);
            slot += slots_of(self.builder.func.dfg.value_type(value));
        }
    }

    pub(super) fn load_values(
        &mut self,
        tys: &[ValType],
        frame: Value,
    ) -> Result<Vec<Value>, Refusal> {
        let mut slot = 0;
        let mut values = Vec::with_capacity(tys.len());
        for &ty in tys {
            let ty = clif_type(ty).ok_or(Refusal::Unsupported)?;
            values.push(self.load_slot(ty, frame, slot));
            slot += slots_of(ty);
        }
        Ok(values)
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
