//! Arithmetic, comparisons, conversions and `select`.

use super::{Refusal, Translator};
use crate::abi::trap::Trap;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Type, Value, types};

/// A conversion to an integer that traps: the values between which a float has to be, and whether
/// the lower one is allowed itself.
struct Range {
    from: f64,
    from_included: bool,
    to: f64,
}

const fn range(from: f64, from_included: bool, to: f64) -> Range {
    Range { from, from_included, to }
}

const TWO_31: f64 = 2_147_483_648.0;
const TWO_32: f64 = 4_294_967_296.0;
const TWO_63: f64 = 9_223_372_036_854_775_808.0;
const TWO_64: f64 = 18_446_744_073_709_551_616.0;

/// The floats that an integer type has after truncation.
fn truncation_range(from: Type, to: Type, signed: bool) -> Range {
    match (from, to, signed) {
        (types::F64, types::I32, true) => range(-TWO_31 - 1.0, false, TWO_31),
        (_, types::I32, true) => range(-TWO_31, true, TWO_31),
        (_, types::I32, false) => range(-1.0, false, TWO_32),
        (_, _, true) => range(-TWO_63, true, TWO_63),
        (_, _, false) => range(-1.0, false, TWO_64),
    }
}

impl Translator<'_, '_> {
    pub(super) fn unary(
        &mut self,
        op: impl FnOnce(&mut Self, Value) -> Value,
    ) -> Result<(), Refusal> {
        let a = self.pop()?;
        let result = op(self, a);
        self.push(result);
        Ok(())
    }

    pub(super) fn binary(
        &mut self,
        op: impl FnOnce(&mut Self, Value, Value) -> Value,
    ) -> Result<(), Refusal> {
        let (a, b) = self.pop_pair()?;
        let result = op(self, a, b);
        self.push(result);
        Ok(())
    }

    fn push_condition(&mut self, condition: Value) {
        let word = self.builder.ins().uextend(types::I32, condition);
        self.push(word);
    }

    pub(super) fn int_compare(&mut self, condition: IntCC) -> Result<(), Refusal> {
        let (a, b) = self.pop_pair()?;
        let result = self.compare(condition, a, b);
        self.push_condition(result);
        Ok(())
    }

    pub(super) fn float_compare(&mut self, condition: FloatCC) -> Result<(), Refusal> {
        let (a, b) = self.pop_pair()?;
        let result = self.builder.ins().fcmp(condition, a, b);
        self.push_condition(result);
        Ok(())
    }

    pub(super) fn eqz(&mut self) -> Result<(), Refusal> {
        let a = self.pop()?;
        let zero = self.zero(self.builder.func.dfg.value_type(a));
        let result = self.compare(IntCC::Equal, a, zero);
        self.push_condition(result);
        Ok(())
    }

    /// Sign-extends the lowest bits, as many as `from` has.
    pub(super) fn extend(&mut self, from: Type) -> Result<(), Refusal> {
        self.unary(|this, a| {
            let ty = this.builder.func.dfg.value_type(a);
            let low = this.builder.ins().ireduce(from, a);
            this.builder.ins().sextend(ty, low)
        })
    }

    pub(super) fn bitcast(&mut self, to: Type) -> Result<(), Refusal> {
        self.unary(|this, a| this.builder.ins().bitcast(to, MemFlagsData::new(), a))
    }

    fn trap_if_zero(&mut self, divisor: Value) {
        let zero = self.zero(self.builder.func.dfg.value_type(divisor));
        let is_zero = self.compare(IntCC::Equal, divisor, zero);
        self.trap_if(is_zero, Trap::IntegerDivideByZero);
    }

    pub(super) fn divide_signed(&mut self) -> Result<(), Refusal> {
        self.binary(|this, a, b| {
            this.trap_if_zero(b);
            let ty = this.builder.func.dfg.value_type(a);
            let least = if ty == types::I32 { i64::from(i32::MIN as u32) } else { i64::MIN };
            let ones = if ty == types::I32 { i64::from(u32::MAX) } else { -1 };
            let (least, ones) = (this.int(ty, least), this.int(ty, ones));
            let is_least = this.compare(IntCC::Equal, a, least);
            let is_minus_one = this.compare(IntCC::Equal, b, ones);
            let is_over = this.builder.ins().band(is_least, is_minus_one);
            this.trap_if(is_over, Trap::IntegerOverflow);
            this.builder.ins().sdiv(a, b)
        })
    }

    pub(super) fn divide(
        &mut self,
        op: impl FnOnce(&mut Self, Value, Value) -> Value,
    ) -> Result<(), Refusal> {
        self.binary(|this, a, b| {
            this.trap_if_zero(b);
            op(this, a, b)
        })
    }

    /// Converts a float to an integer, or traps if that has no such value.
    pub(super) fn truncate(&mut self, to: Type, signed: bool) -> Result<(), Refusal> {
        self.unary(|this, a| {
            let from = this.builder.func.dfg.value_type(a);
            let is_nan = this.builder.ins().fcmp(FloatCC::Unordered, a, a);
            this.trap_if(is_nan, Trap::InvalidConversion);
            let range = truncation_range(from, to, signed);
            let (low, high) = (this.float(from, range.from), this.float(from, range.to));
            let under = match range.from_included {
                true => FloatCC::LessThan,
                false => FloatCC::LessThanOrEqual,
            };
            let is_under = this.builder.ins().fcmp(under, a, low);
            let is_over = this.builder.ins().fcmp(FloatCC::GreaterThanOrEqual, a, high);
            let is_outside = this.builder.ins().bor(is_under, is_over);
            this.trap_if(is_outside, Trap::IntegerOverflow);
            this.saturate(a, to, signed)
        })
    }

    fn float(&mut self, ty: Type, value: f64) -> Value {
        match ty {
            types::F32 => self.builder.ins().f32const(value as f32),
            _ => self.builder.ins().f64const(value),
        }
    }

    fn saturate(&mut self, a: Value, to: Type, signed: bool) -> Value {
        match signed {
            true => self.builder.ins().fcvt_to_sint_sat(to, a),
            false => self.builder.ins().fcvt_to_uint_sat(to, a),
        }
    }

    pub(super) fn truncate_saturating(&mut self, to: Type, signed: bool) -> Result<(), Refusal> {
        self.unary(|this, a| this.saturate(a, to, signed))
    }

    pub(super) fn select(&mut self) -> Result<(), Refusal> {
        let condition = self.pop()?;
        let (a, b) = self.pop_pair()?;
        let result = self.builder.ins().select(condition, a, b);
        self.push(result);
        Ok(())
    }
}
