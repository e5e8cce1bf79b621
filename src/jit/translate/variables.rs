//! Locals and constants.

use super::{Refusal, Translator};
use crate::abi::heap_types::Hierarchy;
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::{InstBuilder, Type, types};
use cranelift_frontend::Variable;

impl Translator<'_, '_> {
    fn local(&self, index: u32) -> Result<Variable, Refusal> {
        self.locals.get(index as usize).copied().ok_or(Refusal::Malformed)
    }

    pub(super) fn local_get(&mut self, index: u32) -> Result<(), Refusal> {
        let variable = self.local(index)?;
        let value = self.builder.use_var(variable);
        self.push(value);
        Ok(())
    }

    pub(super) fn local_set(&mut self, index: u32) -> Result<(), Refusal> {
        let variable = self.local(index)?;
        let value = self.pop()?;
        self.builder.def_var(variable, value);
        Ok(())
    }

    pub(super) fn local_tee(&mut self, index: u32) -> Result<(), Refusal> {
        let variable = self.local(index)?;
        let value = *self.stack.last().ok_or(Refusal::Malformed)?;
        self.builder.def_var(variable, value);
        Ok(())
    }

    pub(super) fn push_int(&mut self, ty: Type, value: i64) -> Result<(), Refusal> {
        let value = match ty {
            // Constants of 32 bits are those bits.
            types::I32 => i64::from(value as u32),
            _ => value,
        };
        let value = self.int(ty, value);
        self.push(value);
        Ok(())
    }

    pub(super) fn push_f32(&mut self, bits: u32) -> Result<(), Refusal> {
        let value = self.builder.ins().f32const(Ieee32::with_bits(bits));
        self.push(value);
        Ok(())
    }

    pub(super) fn push_f64(&mut self, bits: u64) -> Result<(), Refusal> {
        let value = self.builder.ins().f64const(Ieee64::with_bits(bits));
        self.push(value);
        Ok(())
    }

    /// References to functions alone: null is zero.
    pub(super) fn ref_null(&mut self, ty: wasmparser::HeapType) -> Result<(), Refusal> {
        let ty = self.module.heap_type(ty).ok_or(Refusal::Unsupported)?;
        if ty.hierarchy() != Hierarchy::Func {
            return Err(Refusal::Unsupported);
        }
        self.push_int(types::I64, 0)
    }
}
