//! Validation of function bodies, in the same pass that reads them.
//!
//! The validator decides about every body; `pending` spares it the plain arithmetic between
//! control instructions. Control enters at [`BodyValidator::validate`], body by body.

mod pending;
mod rows;

use super::parse::{ReadResult, types};
use crate::abi::error::Error;
use crate::abi::types::FuncType;
use pending::Pending;
use wasmparser::{
    BinaryReader, FuncToValidate, FuncValidator, FuncValidatorAllocations, FunctionBody,
    ValidatorResources,
};

pub(super) use pending::Surroundings;

/// Most slots that parameters, locals and operands of one function may take together. Engines
/// number frame slots with 16 bits; what this leaves free is for a frame's own words and for
/// outgoing arguments, of which the validator allows 1,000.
pub const FRAME_SLOTS_MAX: u32 = 60_000;

/// Validates bodies one after another. Its allocations serve all of them.
#[derive(Default)]
pub(super) struct BodyValidator {
    allocations: FuncValidatorAllocations,
    pending: Pending,
}

impl BodyValidator {
    /// Validates one body; `ty` is its function's type.
    pub(super) fn validate(
        &mut self,
        func: FuncToValidate<ValidatorResources>,
        ty: Option<&FuncType>,
        around: &Surroundings<'_>,
        body: &FunctionBody<'_>,
    ) -> ReadResult<()> {
        let mut validator = func.into_validator(std::mem::take(&mut self.allocations));
        let mut reader = body.get_binary_reader();
        let mut slots = u64::from(ty.map_or(0, FuncType::param_slots));
        self.pending.enter(ty.map_or(&[], FuncType::params));
        for _ in 0..reader.read_var_u32()? {
            let offset = reader.original_position();
            let count: u32 = reader.read()?;
            let local = reader.read()?;
            validator.define_locals(offset, count, local)?;
            self.pending.define_locals(count, types::numeric(local));
            slots += u64::from(count) * u64::from(types::slots(local));
        }
        if slots > u64::from(FRAME_SLOTS_MAX) {
            return Err(Error::load("local count too large").into());
        }
        let operands = self.operators(&mut validator, &mut reader, around)?;
        // The height counts values; with SIMD on, each of them could be of two slots.
        let width = if validator.features().simd() { 2 } else { 1 };
        if slots + operands * width > u64::from(FRAME_SLOTS_MAX) {
            return Err(Error::load("operand stack depth limit exceeded").into());
        }
        self.allocations = validator.into_allocations();
        Ok(())
    }

    /// Validates the instructions of a body, `reader` being after its locals. Answers the
    /// greatest height of the operand stack.
    fn operators(
        &mut self,
        validator: &mut FuncValidator<ValidatorResources>,
        reader: &mut BinaryReader<'_>,
        around: &Surroundings<'_>,
    ) -> ReadResult<u64> {
        let end = reader.range().end as usize;
        let (mut height, mut peak) = (0, 0);
        // The validator closes frames, and says so when code follows the outermost `end`.
        while !reader.eof() {
            let mut at = reader.original_position() as usize;
            if validator.control_stack_height() > 0 {
                let (next, pending) = self.pending.run(around, at, end);
                peak = peak.max(height + u64::from(pending));
                reader.read_bytes(next - at)?;
                at = next;
                if reader.eof() {
                    break;
                }
            }
            let mut visitor = validator.visitor(at as u64);
            self.pending.flush(&mut visitor)?;
            reader.visit_operator(&mut visitor)??;
            drop(visitor);
            height = u64::from(validator.operand_stack_height());
            peak = peak.max(height);
        }
        reader.finish_expression(&validator.visitor(reader.original_position()))?;
        Ok(peak)
    }
}
