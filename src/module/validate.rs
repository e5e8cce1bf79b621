//! Validation of function bodies, in the same pass that reads them.

use super::parse::{ReadResult, types};
use crate::abi::error::Error;
use crate::abi::types::FuncType;
use wasmparser::{FuncToValidate, FuncValidatorAllocations, FunctionBody, ValidatorResources};

/// Most slots that parameters, locals and operands of one function may take together. Engines
/// number frame slots with 16 bits; what this leaves free is for a frame's own words and for
/// outgoing arguments, of which the validator allows 1,000.
pub const FRAME_SLOTS_MAX: u32 = 60_000;

/// Validates bodies one after another. Its allocations serve all of them.
#[derive(Default)]
pub(super) struct BodyValidator {
    allocations: FuncValidatorAllocations,
}

impl BodyValidator {
    /// Validates one body; `ty` is its function's type.
    pub(super) fn validate(
        &mut self,
        func: FuncToValidate<ValidatorResources>,
        ty: Option<&FuncType>,
        body: &FunctionBody<'_>,
    ) -> ReadResult<()> {
        let mut validator = func.into_validator(std::mem::take(&mut self.allocations));
        let mut reader = body.get_binary_reader();
        let mut slots = u64::from(ty.map_or(0, FuncType::param_slots));
        for _ in 0..reader.read_var_u32()? {
            let offset = reader.original_position();
            let count: u32 = reader.read()?;
            let local = reader.read()?;
            validator.define_locals(offset, count, local)?;
            slots += u64::from(count) * u64::from(types::slots(local));
        }
        if slots > u64::from(FRAME_SLOTS_MAX) {
            return Err(Error::load("local count too large").into());
        }
        let mut operands = 0;
        while !reader.eof() {
            let offset = reader.original_position();
            reader.visit_operator(&mut validator.visitor(offset))??;
            operands = operands.max(validator.operand_stack_height());
        }
        reader.finish_expression(&validator.visitor(reader.original_position()))?;
        // The height counts values; with SIMD on, each of them could be of two slots.
        let width = if validator.features().simd() { 2 } else { 1 };
        if slots + u64::from(operands) * width > u64::from(FRAME_SLOTS_MAX) {
            return Err(Error::load("operand stack depth limit exceeded").into());
        }
        self.allocations = validator.into_allocations();
        Ok(())
    }
}
