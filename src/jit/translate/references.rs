//! References to functions, and tests of all references.

use super::{Refusal, Translator};
use crate::abi::trap::Trap;
use crate::jit::layout as at;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};

impl Translator<'_, '_> {
    /// Null is zero in all hierarchies.
    pub(super) fn ref_null(&mut self) -> Result<(), Refusal> {
        self.push_int(types::I64, 0)
    }

    pub(super) fn ref_func(&mut self, index: u32) -> Result<(), Refusal> {
        let place = self.module.func_refs.place_of(index).ok_or(Refusal::Malformed)?;
        let instance = self.instance;
        let refs = self.load_constant(types::I64, instance, at::INSTANCE_FUNC_REFS);
        let func = self.builder.ins().iadd_imm_s(refs, i64::from(place) * at::FUNC_BYTES);
        self.push(func);
        Ok(())
    }

    fn is_null(&mut self, reference: Value) -> Value {
        let zero = self.word(0);
        self.compare(IntCC::Equal, reference, zero)
    }

    pub(super) fn trap_if_null(&mut self, reference: Value, trap: Trap) {
        let is_null = self.is_null(reference);
        self.trap_if(is_null, trap);
    }

    pub(super) fn ref_as_non_null(&mut self) -> Result<(), Refusal> {
        let reference = self.pop()?;
        self.trap_if_null(reference, Trap::NullReference);
        self.push(reference);
        Ok(())
    }

    pub(super) fn br_on_null(&mut self, depth: u32) -> Result<(), Refusal> {
        let reference = self.pop()?;
        let is_null = self.is_null(reference);
        self.branch_when(is_null, depth)?;
        self.push(reference);
        Ok(())
    }

    /// The branch takes the reference along, the other way leaves it.
    pub(super) fn br_on_non_null(&mut self, depth: u32) -> Result<(), Refusal> {
        let reference = *self.stack.last().ok_or(Refusal::Malformed)?;
        self.branch_when(reference, depth)?;
        self.pop().map(|_| ())
    }
}
