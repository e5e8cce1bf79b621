//! Numbers of 128 bits, of which the stack has the lower half below the upper one.

use super::{Refusal, Translator};
use cranelift_codegen::ir::{InstBuilder, Value};
use cranelift_frontend::FuncInstBuilder;
use wasmparser::Operator;

impl Translator<'_, '_> {
    /// Wide arithmetic, then all others.
    pub(super) fn wide_operator(&mut self, operator: &Operator<'_>) -> Result<(), Refusal> {
        match *operator {
            Operator::I64Add128 => self.wide_binary(|b, x, y| b.iadd(x, y)),
            Operator::I64Sub128 => self.wide_binary(|b, x, y| b.isub(x, y)),
            Operator::I64MulWideS => self.mul_wide(|b, x, y| b.smulhi(x, y)),
            Operator::I64MulWideU => self.mul_wide(|b, x, y| b.umulhi(x, y)),
            _ => self.atomic_operator(operator),
        }
    }

    /// Pops a number of 128 bits.
    fn pop_wide(&mut self) -> Result<Value, Refusal> {
        let (low, high) = self.pop_pair()?;
        Ok(self.builder.ins().iconcat(low, high))
    }

    fn wide_binary(
        &mut self,
        op: impl FnOnce(FuncInstBuilder<'_, '_>, Value, Value) -> Value,
    ) -> Result<(), Refusal> {
        let b = self.pop_wide()?;
        let a = self.pop_wide()?;
        let result = op(self.builder.ins(), a, b);
        let (low, high) = self.builder.ins().isplit(result);
        self.push_all(&[low, high]);
        Ok(())
    }

    /// A multiplication whose upper half `upper` computes.
    fn mul_wide(
        &mut self,
        upper: impl FnOnce(FuncInstBuilder<'_, '_>, Value, Value) -> Value,
    ) -> Result<(), Refusal> {
        let (a, b) = self.pop_pair()?;
        let low = self.builder.ins().imul(a, b);
        let high = upper(self.builder.ins(), a, b);
        self.push_all(&[low, high]);
        Ok(())
    }
}
