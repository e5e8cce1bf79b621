//! Arithmetic, comparisons, conversions and `select`.

use super::{Refusal, Translator};
use crate::abi::trap::Trap;
use cranelift_codegen::ir::condcodes::{CondCode, FloatCC, IntCC};
use cranelift_codegen::ir::{
    Block, InstBuilder, InstructionData, MemFlagsData, Opcode, Type, Value, types,
};
use cranelift_frontend::FuncInstBuilder as Builder;

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
        op: impl FnOnce(Builder<'_, '_>, Value) -> Value,
    ) -> Result<(), Refusal> {
        let a = self.pop()?;
        let result = op(self.builder.ins(), a);
        self.push(result);
        Ok(())
    }

    pub(super) fn binary(
        &mut self,
        op: impl FnOnce(Builder<'_, '_>, Value, Value) -> Value,
    ) -> Result<(), Refusal> {
        let (a, b) = self.pop_pair()?;
        let result = op(self.builder.ins(), a, b);
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
        let result = match self.float_comparison(a) {
            // Cranelift turns integers' comparisons round itself.
            Some((condition, [x, y])) => self.builder.ins().fcmp(condition.complement(), x, y),
            None => {
                let zero = self.zero(self.builder.func.dfg.value_type(a));
                self.compare(IntCC::Equal, a, zero)
            }
        };
        self.push_condition(result);
        Ok(())
    }

    /// The comparison of floats that a value is the result of.
    fn float_comparison(&self, value: Value) -> Option<(FloatCC, [Value; 2])> {
        let InstructionData::Unary { opcode: Opcode::Uextend, arg } = self.made_by(value)? else {
            return None;
        };
        match self.made_by(arg)? {
            InstructionData::FloatCompare { cond, args, .. } => Some((cond, args)),
            _ => None,
        }
    }

    /// Sign-extends the lowest bits, as many as `from` has.
    pub(super) fn extend(&mut self, from: Type) -> Result<(), Refusal> {
        let a = self.pop()?;
        let ty = self.builder.func.dfg.value_type(a);
        let low = self.builder.ins().ireduce(from, a);
        let result = self.builder.ins().sextend(ty, low);
        self.push(result);
        Ok(())
    }

    pub(super) fn bitcast(&mut self, to: Type) -> Result<(), Refusal> {
        self.unary(|b, x| b.bitcast(to, MemFlagsData::new(), x))
    }

    fn trap_if_zero(&mut self, divisor: Value) {
        let zero = self.zero(self.builder.func.dfg.value_type(divisor));
        let is_zero = self.compare(IntCC::Equal, divisor, zero);
        self.trap_if(is_zero, Trap::IntegerDivideByZero);
    }

    pub(super) fn divide_signed(&mut self) -> Result<(), Refusal> {
        let (a, b) = self.pop_pair()?;
        self.trap_if_zero(b);
        let ty = self.builder.func.dfg.value_type(a);
        let (least, ones) = match ty {
            types::I32 => (i64::from(i32::MIN as u32), i64::from(u32::MAX)),
            _ => (i64::MIN, -1),
        };
        let (least, ones) = (self.int(ty, least), self.int(ty, ones));
        let is_least = self.compare(IntCC::Equal, a, least);
        let is_minus_one = self.compare(IntCC::Equal, b, ones);
        let is_over = self.builder.ins().band(is_least, is_minus_one);
        self.trap_if(is_over, Trap::IntegerOverflow);
        let result = self.builder.ins().sdiv(a, b);
        self.push(result);
        Ok(())
    }

    pub(super) fn divide(
        &mut self,
        op: impl FnOnce(Builder<'_, '_>, Value, Value) -> Value,
    ) -> Result<(), Refusal> {
        let (a, b) = self.pop_pair()?;
        self.trap_if_zero(b);
        let result = op(self.builder.ins(), a, b);
        self.push(result);
        Ok(())
    }

    /// Converts a float to an integer, or traps if that has no such value.
    pub(super) fn truncate(&mut self, to: Type, signed: bool) -> Result<(), Refusal> {
        let a = self.pop()?;
        let from = self.builder.func.dfg.value_type(a);
        let next = signed.then(|| self.skip_checks(a, to));
        let is_nan = self.builder.ins().fcmp(FloatCC::Unordered, a, a);
        self.trap_if(is_nan, Trap::InvalidConversion);
        let range = truncation_range(from, to, signed);
        let (low, high) = (self.float(from, range.from), self.float(from, range.to));
        let under = match range.from_included {
            true => FloatCC::LessThan,
            false => FloatCC::LessThanOrEqual,
        };
        let is_under = self.builder.ins().fcmp(under, a, low);
        let is_over = self.builder.ins().fcmp(FloatCC::GreaterThanOrEqual, a, high);
        let is_outside = self.builder.ins().bor(is_under, is_over);
        self.trap_if(is_outside, Trap::IntegerOverflow);
        if let Some(next) = next {
            self.jump(next, &[]);
            self.builder.switch_to_block(next);
        }
        self.push_saturated(a, to, signed)
    }

    /// Goes to the block that is returned if the absolute value is one that a signed integer has,
    /// which compilers often have compared already; else on in a cold block.
    fn skip_checks(&mut self, a: Value, to: Type) -> Block {
        let from = self.builder.func.dfg.value_type(a);
        let end =
            self.float(from, if to == types::I32 { 2147483648.0 } else { 9223372036854775808.0 });
        let size = self.builder.ins().fabs(a);
        let is_inside = self.builder.ins().fcmp(FloatCC::LessThan, size, end);
        let (next, cold) = (self.following_block(), self.cold_block());
        self.builder.ins().brif(is_inside, next, &[], cold, &[]);
        self.builder.switch_to_block(cold);
        next
    }

    fn float(&mut self, ty: Type, value: f64) -> Value {
        match ty {
            types::F32 => self.builder.ins().f32const(value as f32),
            _ => self.builder.ins().f64const(value),
        }
    }

    fn push_saturated(&mut self, a: Value, to: Type, signed: bool) -> Result<(), Refusal> {
        let result = match signed {
            true => self.builder.ins().fcvt_to_sint_sat(to, a),
            false => self.builder.ins().fcvt_to_uint_sat(to, a),
        };
        self.push(result);
        Ok(())
    }

    /// Converts a float to the nearest value that an integer has; NaN to zero.
    pub(super) fn saturating(&mut self, to: Type, signed: bool) -> Result<(), Refusal> {
        let a = self.pop()?;
        self.push_saturated(a, to, signed)
    }

    /// Converts an integer to a float.
    pub(super) fn convert(&mut self, to: Type, signed: bool) -> Result<(), Refusal> {
        self.unary(|b, x| match signed {
            true => b.fcvt_from_sint(to, x),
            false => b.fcvt_from_uint(to, x),
        })
    }

    pub(super) fn select(&mut self) -> Result<(), Refusal> {
        let condition = self.pop()?;
        let (a, b) = self.pop_pair()?;
        let result = self.builder.ins().select(condition, a, b);
        if self.collected.contains(a) || self.collected.contains(b) {
            self.collected.insert(result);
        }
        self.push(result);
        Ok(())
    }
}
