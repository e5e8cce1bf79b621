//! Loads and stores of vectors and of their lanes. Control enters at `vector_memory_operator`,
//! from `vector`.

use super::{Refusal, Translator};
use cranelift_codegen::ir::types::{I8X16, I16X8, I32X4, I64X2};
use cranelift_codegen::ir::{InstBuilder, Type, Value};
use wasmparser::{MemArg, Operator};

/// Expands to the load of eight bytes that `$op` extends to a vector.
macro_rules! load_extended {
    ($this:ident, $memarg:ident, $op:ident) => {{
        let flags = $this.regions.memory();
        $this.load_vector($memarg, 8, |this, base, offset| {
            this.builder.ins().$op(flags, base, offset)
        })
    }};
}

impl Translator<'_, '_> {
    pub(super) fn vector_memory_operator(
        &mut self,
        operator: &Operator<'_>,
    ) -> Result<(), Refusal> {
        match *operator {
            Operator::V128Load { ref memarg } => self.load(memarg, I8X16, |_, value| value),
            Operator::V128Store { ref memarg } => self.store(memarg, I8X16),
            Operator::V128Load8x8S { ref memarg } => load_extended!(self, memarg, sload8x8),
            Operator::V128Load8x8U { ref memarg } => load_extended!(self, memarg, uload8x8),
            Operator::V128Load16x4S { ref memarg } => load_extended!(self, memarg, sload16x4),
            Operator::V128Load16x4U { ref memarg } => load_extended!(self, memarg, uload16x4),
            Operator::V128Load32x2S { ref memarg } => load_extended!(self, memarg, sload32x2),
            Operator::V128Load32x2U { ref memarg } => load_extended!(self, memarg, uload32x2),
            Operator::V128Load8Splat { ref memarg } => self.load_splat(memarg, I8X16),
            Operator::V128Load16Splat { ref memarg } => self.load_splat(memarg, I16X8),
            Operator::V128Load32Splat { ref memarg } => self.load_splat(memarg, I32X4),
            Operator::V128Load64Splat { ref memarg } => self.load_splat(memarg, I64X2),
            Operator::V128Load32Zero { ref memarg } => self.load_first(memarg, I32X4),
            Operator::V128Load64Zero { ref memarg } => self.load_first(memarg, I64X2),
            Operator::V128Load8Lane { ref memarg, lane } => self.load_lane(memarg, I8X16, lane),
            Operator::V128Load16Lane { ref memarg, lane } => self.load_lane(memarg, I16X8, lane),
            Operator::V128Load32Lane { ref memarg, lane } => self.load_lane(memarg, I32X4, lane),
            Operator::V128Load64Lane { ref memarg, lane } => self.load_lane(memarg, I64X2, lane),
            Operator::V128Store8Lane { ref memarg, lane } => self.store_lane(memarg, I8X16, lane),
            Operator::V128Store16Lane { ref memarg, lane } => self.store_lane(memarg, I16X8, lane),
            Operator::V128Store32Lane { ref memarg, lane } => self.store_lane(memarg, I32X4, lane),
            Operator::V128Store64Lane { ref memarg, lane } => self.store_lane(memarg, I64X2, lane),
            _ => self.object_operator(operator),
        }
    }

    /// A load of `bytes` bytes that `load` makes a vector of.
    fn load_vector(
        &mut self,
        memarg: &MemArg,
        bytes: u32,
        load: impl Fn(&mut Self, Value, i32) -> Value,
    ) -> Result<(), Refusal> {
        let address = self.pop()?;
        let (place, offset) = self.address_of(memarg, address, bytes)?;
        let vector = load(self, place, offset);
        let vector = self.with_lanes(I8X16, vector);
        self.push(vector);
        Ok(())
    }

    fn load_splat(&mut self, memarg: &MemArg, lanes: Type) -> Result<(), Refusal> {
        let flags = self.regions.memory();
        self.load_vector(memarg, lanes.lane_type().bytes(), |this, base, offset| {
            let lane = this.builder.ins().load(lanes.lane_type(), flags, base, offset);
            this.builder.ins().splat(lanes, lane)
        })
    }

    /// A load of the first lane; the others are zero.
    fn load_first(&mut self, memarg: &MemArg, lanes: Type) -> Result<(), Refusal> {
        let flags = self.regions.memory();
        self.load_vector(memarg, lanes.lane_type().bytes(), |this, base, offset| {
            let lane = this.builder.ins().load(lanes.lane_type(), flags, base, offset);
            this.builder.ins().scalar_to_vector(lanes, lane)
        })
    }

    fn load_lane(&mut self, memarg: &MemArg, lanes: Type, lane: u8) -> Result<(), Refusal> {
        let vector = self.pop_vector(lanes)?;
        let (flags, ty) = (self.regions.memory(), lanes.lane_type());
        self.load_vector(memarg, ty.bytes(), |this, base, offset| {
            let value = this.builder.ins().load(ty, flags, base, offset);
            this.builder.ins().insertlane(vector, value, lane)
        })
    }

    fn store_lane(&mut self, memarg: &MemArg, lanes: Type, lane: u8) -> Result<(), Refusal> {
        let vector = self.pop_vector(lanes)?;
        let value = self.builder.ins().extractlane(vector, lane);
        let address = self.pop()?;
        self.store_value(memarg, address, value)
    }
}
