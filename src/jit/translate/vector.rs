//! Vectors: their arithmetic, comparisons, conversions and lanes.
//!
//! A vector is an `I8X16` wherever it may be carried along: on the stack, in locals, in blocks'
//! parameters. Instructions get it with the lanes that they work on. `abi::lanes` says what each of
//! them computes, relaxed ones included. Control enters at `vector_operator`, from `opcodes`.

use super::{Refusal, Translator};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F32X4, F64X2, I8, I8X16, I16, I16X8, I32, I32X4, I64X2};
use cranelift_codegen::ir::{Endianness, InstBuilder, MemFlagsData, Type, Value};
use wasmparser::Operator;

/// Expands the tables of operators into a function that handles those and passes on any other.
macro_rules! vector_opcodes {
    (
        binary { $($bin:ident $bin_lanes:ident $bin_op:ident,)* }
        unary { $($un:ident $un_lanes:ident $un_op:ident,)* }
        shift { $($shift:ident $shift_lanes:ident $shift_op:ident,)* }
        int_compare { $($int:ident $int_lanes:ident $int_cc:ident,)* }
        float_compare { $($float:ident $float_lanes:ident $float_cc:ident,)* }
        test { $($test:ident $test_lanes:ident $test_op:ident,)* }
        convert { $($conv:ident $conv_lanes:ident $conv_op:ident $conv_to:ident,)* }
        widen { $($wide:ident $wide_lanes:ident $wide_op:ident,)* }
        multiply { $($mul:ident $mul_lanes:ident $mul_op:ident,)* }
        add_pairs { $($add:ident $add_lanes:ident $add_low:ident $add_high:ident,)* }
        splat { $($splat:ident $splat_lanes:ident,)* }
        extract { $($ext:ident $ext_lanes:ident $ext_how:ident,)* }
        replace { $($rep:ident $rep_lanes:ident,)* }
        pseudo { $($pseudo:ident $pseudo_lanes:ident $is_max:literal,)* }
        multiply_add { $($madd:ident $madd_lanes:ident $is_negated:literal,)* }
    ) => {
        fn lane_operator(
            t: &mut Translator<'_, '_>,
            operator: &Operator<'_>,
        ) -> Option<Result<(), Refusal>> {
            Some(match *operator {
                $(Operator::$bin => {
                    t.vector_binary($bin_lanes, |t, a, b| t.builder.ins().$bin_op(a, b))
                })*
                $(Operator::$un => t.vector_unary($un_lanes, |t, a| t.builder.ins().$un_op(a)),)*
                $(Operator::$shift => {
                    t.vector_shift($shift_lanes, |t, a, by| t.builder.ins().$shift_op(a, by))
                })*
                $(Operator::$int => t.vector_binary($int_lanes, |t, a, b| {
                    t.builder.ins().icmp(IntCC::$int_cc, a, b)
                }),)*
                $(Operator::$float => t.vector_binary($float_lanes, |t, a, b| {
                    t.builder.ins().fcmp(FloatCC::$float_cc, a, b)
                }),)*
                $(Operator::$test => {
                    t.vector_test($test_lanes, |t, a| t.builder.ins().$test_op(a))
                })*
                $(Operator::$conv => {
                    t.vector_unary($conv_lanes, |t, a| t.builder.ins().$conv_op($conv_to, a))
                })*
                $(Operator::$wide => {
                    t.vector_unary($wide_lanes, |t, a| t.builder.ins().$wide_op(a))
                })*
                $(Operator::$mul => t.vector_binary($mul_lanes, |t, a, b| {
                    let a = t.builder.ins().$mul_op(a);
                    let b = t.builder.ins().$mul_op(b);
                    t.builder.ins().imul(a, b)
                }),)*
                $(Operator::$add => t.vector_unary($add_lanes, |t, a| {
                    let low = t.builder.ins().$add_low(a);
                    let high = t.builder.ins().$add_high(a);
                    t.builder.ins().iadd_pairwise(low, high)
                }),)*
                $(Operator::$splat => t.splat($splat_lanes),)*
                $(Operator::$ext { lane } => t.extract_lane($ext_lanes, lane, Lane::$ext_how),)*
                $(Operator::$rep { lane } => t.replace_lane($rep_lanes, lane),)*
                $(Operator::$pseudo => t.pseudo_extremum($pseudo_lanes, $is_max),)*
                $(Operator::$madd => t.multiply_add($madd_lanes, $is_negated),)*
                _ => return None,
            })
        }
    };
}

vector_opcodes! {
    binary {
        I8x16Swizzle I8X16 swizzle, I8x16RelaxedSwizzle I8X16 swizzle,
        V128And I8X16 band, V128Or I8X16 bor, V128Xor I8X16 bxor,
        I8x16NarrowI16x8S I16X8 snarrow, I8x16NarrowI16x8U I16X8 unarrow,
        I16x8NarrowI32x4S I32X4 snarrow, I16x8NarrowI32x4U I32X4 unarrow,
        I8x16Add I8X16 iadd, I8x16Sub I8X16 isub, I8x16AddSatS I8X16 sadd_sat,
        I8x16SubSatS I8X16 ssub_sat, I8x16AddSatU I8X16 uadd_sat, I8x16SubSatU I8X16 usub_sat,
        I8x16AvgrU I8X16 avg_round, I8x16MinS I8X16 smin, I8x16MaxS I8X16 smax,
        I8x16MinU I8X16 umin, I8x16MaxU I8X16 umax,
        I16x8Add I16X8 iadd, I16x8Sub I16X8 isub, I16x8Mul I16X8 imul,
        I16x8AddSatS I16X8 sadd_sat, I16x8SubSatS I16X8 ssub_sat, I16x8AddSatU I16X8 uadd_sat,
        I16x8SubSatU I16X8 usub_sat, I16x8AvgrU I16X8 avg_round, I16x8MinS I16X8 smin,
        I16x8MaxS I16X8 smax, I16x8MinU I16X8 umin, I16x8MaxU I16X8 umax,
        I16x8Q15MulrSatS I16X8 sqmul_round_sat, I16x8RelaxedQ15mulrS I16X8 sqmul_round_sat,
        I32x4Add I32X4 iadd, I32x4Sub I32X4 isub, I32x4Mul I32X4 imul, I32x4MinS I32X4 smin,
        I32x4MaxS I32X4 smax, I32x4MinU I32X4 umin, I32x4MaxU I32X4 umax,
        I64x2Add I64X2 iadd, I64x2Sub I64X2 isub, I64x2Mul I64X2 imul,
        F32x4Add F32X4 fadd, F32x4Sub F32X4 fsub, F32x4Mul F32X4 fmul, F32x4Div F32X4 fdiv,
        F32x4Min F32X4 fmin, F32x4Max F32X4 fmax, F32x4RelaxedMin F32X4 fmin,
        F32x4RelaxedMax F32X4 fmax,
        F64x2Add F64X2 fadd, F64x2Sub F64X2 fsub, F64x2Mul F64X2 fmul, F64x2Div F64X2 fdiv,
        F64x2Min F64X2 fmin, F64x2Max F64X2 fmax, F64x2RelaxedMin F64X2 fmin,
        F64x2RelaxedMax F64X2 fmax,
    }
    unary {
        V128Not I8X16 bnot, I8x16Abs I8X16 iabs, I8x16Neg I8X16 ineg, I8x16Popcnt I8X16 popcnt,
        I16x8Abs I16X8 iabs, I16x8Neg I16X8 ineg, I32x4Abs I32X4 iabs, I32x4Neg I32X4 ineg,
        I64x2Abs I64X2 iabs, I64x2Neg I64X2 ineg,
        F32x4Ceil F32X4 ceil, F32x4Floor F32X4 floor, F32x4Trunc F32X4 trunc,
        F32x4Nearest F32X4 nearest, F32x4Abs F32X4 fabs, F32x4Neg F32X4 fneg,
        F32x4Sqrt F32X4 sqrt, F64x2Ceil F64X2 ceil, F64x2Floor F64X2 floor,
        F64x2Trunc F64X2 trunc, F64x2Nearest F64X2 nearest, F64x2Abs F64X2 fabs,
        F64x2Neg F64X2 fneg, F64x2Sqrt F64X2 sqrt,
        F32x4DemoteF64x2Zero F64X2 fvdemote, F64x2PromoteLowF32x4 F32X4 fvpromote_low,
    }
    shift {
        I8x16Shl I8X16 ishl, I8x16ShrS I8X16 sshr, I8x16ShrU I8X16 ushr,
        I16x8Shl I16X8 ishl, I16x8ShrS I16X8 sshr, I16x8ShrU I16X8 ushr,
        I32x4Shl I32X4 ishl, I32x4ShrS I32X4 sshr, I32x4ShrU I32X4 ushr,
        I64x2Shl I64X2 ishl, I64x2ShrS I64X2 sshr, I64x2ShrU I64X2 ushr,
    }
    int_compare {
        I8x16Eq I8X16 Equal, I8x16Ne I8X16 NotEqual,
        I8x16LtS I8X16 SignedLessThan, I8x16LtU I8X16 UnsignedLessThan,
        I8x16GtS I8X16 SignedGreaterThan, I8x16GtU I8X16 UnsignedGreaterThan,
        I8x16LeS I8X16 SignedLessThanOrEqual, I8x16LeU I8X16 UnsignedLessThanOrEqual,
        I8x16GeS I8X16 SignedGreaterThanOrEqual, I8x16GeU I8X16 UnsignedGreaterThanOrEqual,
        I16x8Eq I16X8 Equal, I16x8Ne I16X8 NotEqual,
        I16x8LtS I16X8 SignedLessThan, I16x8LtU I16X8 UnsignedLessThan,
        I16x8GtS I16X8 SignedGreaterThan, I16x8GtU I16X8 UnsignedGreaterThan,
        I16x8LeS I16X8 SignedLessThanOrEqual, I16x8LeU I16X8 UnsignedLessThanOrEqual,
        I16x8GeS I16X8 SignedGreaterThanOrEqual, I16x8GeU I16X8 UnsignedGreaterThanOrEqual,
        I32x4Eq I32X4 Equal, I32x4Ne I32X4 NotEqual,
        I32x4LtS I32X4 SignedLessThan, I32x4LtU I32X4 UnsignedLessThan,
        I32x4GtS I32X4 SignedGreaterThan, I32x4GtU I32X4 UnsignedGreaterThan,
        I32x4LeS I32X4 SignedLessThanOrEqual, I32x4LeU I32X4 UnsignedLessThanOrEqual,
        I32x4GeS I32X4 SignedGreaterThanOrEqual, I32x4GeU I32X4 UnsignedGreaterThanOrEqual,
        I64x2Eq I64X2 Equal, I64x2Ne I64X2 NotEqual,
        I64x2LtS I64X2 SignedLessThan, I64x2GtS I64X2 SignedGreaterThan,
        I64x2LeS I64X2 SignedLessThanOrEqual, I64x2GeS I64X2 SignedGreaterThanOrEqual,
    }
    float_compare {
        F32x4Eq F32X4 Equal, F32x4Ne F32X4 NotEqual, F32x4Lt F32X4 LessThan,
        F32x4Gt F32X4 GreaterThan, F32x4Le F32X4 LessThanOrEqual,
        F32x4Ge F32X4 GreaterThanOrEqual,
        F64x2Eq F64X2 Equal, F64x2Ne F64X2 NotEqual, F64x2Lt F64X2 LessThan,
        F64x2Gt F64X2 GreaterThan, F64x2Le F64X2 LessThanOrEqual,
        F64x2Ge F64X2 GreaterThanOrEqual,
    }
    test {
        V128AnyTrue I8X16 vany_true, I8x16AllTrue I8X16 vall_true, I16x8AllTrue I16X8 vall_true,
        I32x4AllTrue I32X4 vall_true, I64x2AllTrue I64X2 vall_true,
    }
    convert {
        I32x4TruncSatF32x4S F32X4 fcvt_to_sint_sat I32X4,
        I32x4TruncSatF32x4U F32X4 fcvt_to_uint_sat I32X4,
        I32x4RelaxedTruncF32x4S F32X4 fcvt_to_sint_sat I32X4,
        I32x4RelaxedTruncF32x4U F32X4 fcvt_to_uint_sat I32X4,
        F32x4ConvertI32x4S I32X4 fcvt_from_sint F32X4,
        F32x4ConvertI32x4U I32X4 fcvt_from_uint F32X4,
    }
    widen {
        I16x8ExtendLowI8x16S I8X16 swiden_low, I16x8ExtendLowI8x16U I8X16 uwiden_low,
        I16x8ExtendHighI8x16S I8X16 swiden_high, I16x8ExtendHighI8x16U I8X16 uwiden_high,
        I32x4ExtendLowI16x8S I16X8 swiden_low, I32x4ExtendLowI16x8U I16X8 uwiden_low,
        I32x4ExtendHighI16x8S I16X8 swiden_high, I32x4ExtendHighI16x8U I16X8 uwiden_high,
        I64x2ExtendLowI32x4S I32X4 swiden_low, I64x2ExtendLowI32x4U I32X4 uwiden_low,
        I64x2ExtendHighI32x4S I32X4 swiden_high, I64x2ExtendHighI32x4U I32X4 uwiden_high,
    }
    multiply {
        I16x8ExtMulLowI8x16S I8X16 swiden_low, I16x8ExtMulLowI8x16U I8X16 uwiden_low,
        I16x8ExtMulHighI8x16S I8X16 swiden_high, I16x8ExtMulHighI8x16U I8X16 uwiden_high,
        I32x4ExtMulLowI16x8S I16X8 swiden_low, I32x4ExtMulLowI16x8U I16X8 uwiden_low,
        I32x4ExtMulHighI16x8S I16X8 swiden_high, I32x4ExtMulHighI16x8U I16X8 uwiden_high,
        I64x2ExtMulLowI32x4S I32X4 swiden_low, I64x2ExtMulLowI32x4U I32X4 uwiden_low,
        I64x2ExtMulHighI32x4S I32X4 swiden_high, I64x2ExtMulHighI32x4U I32X4 uwiden_high,
    }
    add_pairs {
        I16x8ExtAddPairwiseI8x16S I8X16 swiden_low swiden_high,
        I16x8ExtAddPairwiseI8x16U I8X16 uwiden_low uwiden_high,
        I32x4ExtAddPairwiseI16x8S I16X8 swiden_low swiden_high,
        I32x4ExtAddPairwiseI16x8U I16X8 uwiden_low uwiden_high,
    }
    splat {
        I8x16Splat I8X16, I16x8Splat I16X8, I32x4Splat I32X4, I64x2Splat I64X2,
        F32x4Splat F32X4, F64x2Splat F64X2,
    }
    extract {
        I8x16ExtractLaneS I8X16 Signed, I8x16ExtractLaneU I8X16 Unsigned,
        I16x8ExtractLaneS I16X8 Signed, I16x8ExtractLaneU I16X8 Unsigned,
        I32x4ExtractLane I32X4 Whole, I64x2ExtractLane I64X2 Whole, F32x4ExtractLane F32X4 Whole,
        F64x2ExtractLane F64X2 Whole,
    }
    replace {
        I8x16ReplaceLane I8X16, I16x8ReplaceLane I16X8, I32x4ReplaceLane I32X4,
        I64x2ReplaceLane I64X2, F32x4ReplaceLane F32X4, F64x2ReplaceLane F64X2,
    }
    pseudo {
        F32x4PMin F32X4 false, F32x4PMax F32X4 true, F64x2PMin F64X2 false, F64x2PMax F64X2 true,
    }
    multiply_add {
        F32x4RelaxedMadd F32X4 false, F32x4RelaxedNmadd F32X4 true,
        F64x2RelaxedMadd F64X2 false, F64x2RelaxedNmadd F64X2 true,
    }
}

/// How a lane becomes a value of the guest's.
#[derive(Clone, Copy)]
enum Lane {
    Signed,
    Unsigned,
    /// It is one.
    Whole,
}

impl Translator<'_, '_> {
    pub(super) fn vector_operator(&mut self, operator: &Operator<'_>) -> Result<(), Refusal> {
        if let Some(done) = lane_operator(self, operator) {
            return done;
        }
        match *operator {
            Operator::V128Const { value } => {
                let vector = self.vector_constant(*value.bytes());
                self.push(vector);
                Ok(())
            }
            Operator::V128AndNot => self.vector_binary(I8X16, |this, a, b| {
                let not = this.builder.ins().bnot(b);
                this.builder.ins().band(a, not)
            }),
            Operator::V128Bitselect
            | Operator::I8x16RelaxedLaneselect
            | Operator::I16x8RelaxedLaneselect
            | Operator::I32x4RelaxedLaneselect
            | Operator::I64x2RelaxedLaneselect => self.bitselect(),
            Operator::I8x16Shuffle { lanes } => self.shuffle(lanes),
            Operator::I8x16Bitmask => self.bitmask(I8X16),
            Operator::I16x8Bitmask => self.bitmask(I16X8),
            Operator::I32x4Bitmask => self.bitmask(I32X4),
            Operator::I64x2Bitmask => self.bitmask(I64X2),
            Operator::I32x4TruncSatF64x2SZero | Operator::I32x4RelaxedTruncF64x2SZero => self
                .vector_unary(F64X2, |this, a| {
                    let wide = this.builder.ins().fcvt_to_sint_sat(I64X2, a);
                    let zero = this.vector_zero();
                    this.builder.ins().snarrow(wide, zero)
                }),
            Operator::I32x4TruncSatF64x2UZero | Operator::I32x4RelaxedTruncF64x2UZero => self
                .vector_unary(F64X2, |this, a| {
                    let wide = this.builder.ins().fcvt_to_uint_sat(I64X2, a);
                    let zero = this.vector_zero();
                    this.builder.ins().uunarrow(wide, zero)
                }),
            Operator::F64x2ConvertLowI32x4S => self.vector_unary(I32X4, |this, a| {
                let wide = this.builder.ins().swiden_low(a);
                this.builder.ins().fcvt_from_sint(F64X2, wide)
            }),
            Operator::F64x2ConvertLowI32x4U => self.vector_unary(I32X4, |this, a| {
                let wide = this.builder.ins().uwiden_low(a);
                this.builder.ins().fcvt_from_uint(F64X2, wide)
            }),
            Operator::I32x4DotI16x8S => self.vector_binary(I16X8, Self::dot),
            Operator::I16x8RelaxedDotI8x16I7x16S => self.vector_binary(I8X16, Self::dot),
            Operator::I32x4RelaxedDotI8x16I7x16AddS => self.dot_add(),
            _ => self.vector_memory_operator(operator),
        }
    }

    /// The vector with these lanes.
    pub(super) fn with_lanes(&mut self, lanes: Type, vector: Value) -> Value {
        if self.builder.func.dfg.value_type(vector) == lanes {
            return vector;
        }
        let flags = MemFlagsData::new().with_endianness(Endianness::Little);
        self.builder.ins().bitcast(lanes, flags, vector)
    }

    pub(super) fn push_vector(&mut self, vector: Value) {
        let vector = self.with_lanes(I8X16, vector);
        self.push(vector);
    }

    pub(super) fn pop_vector(&mut self, lanes: Type) -> Result<Value, Refusal> {
        let vector = self.pop()?;
        Ok(self.with_lanes(lanes, vector))
    }

    fn vector_zero(&mut self) -> Value {
        let constant = self.builder.func.dfg.constants.insert(vec![0; 16].into());
        self.builder.ins().vconst(I64X2, constant)
    }

    fn vector_unary(
        &mut self,
        lanes: Type,
        op: impl FnOnce(&mut Self, Value) -> Value,
    ) -> Result<(), Refusal> {
        let a = self.pop_vector(lanes)?;
        let result = op(self, a);
        self.push_vector(result);
        Ok(())
    }

    fn vector_binary(
        &mut self,
        lanes: Type,
        op: impl FnOnce(&mut Self, Value, Value) -> Value,
    ) -> Result<(), Refusal> {
        let b = self.pop_vector(lanes)?;
        self.vector_unary(lanes, |this, a| op(this, a, b))
    }

    /// A shift by a number that counts modulo the bits of a lane.
    fn vector_shift(
        &mut self,
        lanes: Type,
        op: impl FnOnce(&mut Self, Value, Value) -> Value,
    ) -> Result<(), Refusal> {
        let by = self.pop()?;
        self.vector_unary(lanes, |this, a| {
            let by = this.builder.ins().band_imm_u(by, i64::from(lanes.lane_bits()) - 1);
            op(this, a, by)
        })
    }

    fn vector_test(
        &mut self,
        lanes: Type,
        op: impl FnOnce(&mut Self, Value) -> Value,
    ) -> Result<(), Refusal> {
        let a = self.pop_vector(lanes)?;
        let is_true = op(self, a);
        let word = self.builder.ins().uextend(I32, is_true);
        self.push(word);
        Ok(())
    }

    fn bitmask(&mut self, lanes: Type) -> Result<(), Refusal> {
        let a = self.pop_vector(lanes)?;
        let bits = self.builder.ins().vhigh_bits(I32, a);
        self.push(bits);
        Ok(())
    }

    /// The bits of the first vector where the third has ones, those of the second elsewhere.
    fn bitselect(&mut self) -> Result<(), Refusal> {
        let mask = self.pop()?;
        let (a, b) = self.pop_pair()?;
        let vector = self.builder.ins().bitselect(mask, a, b);
        self.push(vector);
        Ok(())
    }

    fn shuffle(&mut self, lanes: [u8; 16]) -> Result<(), Refusal> {
        let (a, b) = self.pop_pair()?;
        let mask = self.builder.func.dfg.immediates.push(lanes.to_vec().into());
        let vector = self.builder.ins().shuffle(a, b, mask);
        self.push(vector);
        Ok(())
    }

    fn splat(&mut self, lanes: Type) -> Result<(), Refusal> {
        let value = self.pop()?;
        let lane = self.lane_of(lanes, value);
        let vector = self.builder.ins().splat(lanes, lane);
        self.push_vector(vector);
        Ok(())
    }

    /// A value of the guest's as a lane, which may have fewer bits.
    fn lane_of(&mut self, lanes: Type, value: Value) -> Value {
        match lanes.lane_type() {
            narrow @ (I8 | I16) => self.builder.ins().ireduce(narrow, value),
            _ => value,
        }
    }

    fn extract_lane(&mut self, lanes: Type, lane: u8, how: Lane) -> Result<(), Refusal> {
        let vector = self.pop_vector(lanes)?;
        let value = self.builder.ins().extractlane(vector, lane);
        let value = match how {
            Lane::Signed => self.builder.ins().sextend(I32, value),
            Lane::Unsigned => self.builder.ins().uextend(I32, value),
            Lane::Whole => value,
        };
        self.push(value);
        Ok(())
    }

    fn replace_lane(&mut self, lanes: Type, lane: u8) -> Result<(), Refusal> {
        let value = self.pop()?;
        let vector = self.pop_vector(lanes)?;
        let value = self.lane_of(lanes, value);
        let vector = self.builder.ins().insertlane(vector, value, lane);
        self.push_vector(vector);
        Ok(())
    }

    /// The second operand where it is less, or greater, than the first, which is the result for
    /// zeros and NaNs.
    fn pseudo_extremum(&mut self, lanes: Type, is_max: bool) -> Result<(), Refusal> {
        self.vector_binary(lanes, |this, a, b| {
            let (less, more) = if is_max { (a, b) } else { (b, a) };
            let is_second = this.builder.ins().fcmp(FloatCC::LessThan, less, more);
            let is_second = this.with_lanes(lanes, is_second);
            this.builder.ins().bitselect(is_second, b, a)
        })
    }

    /// The product, rounded, and the third operand; the product is negated if that is asked for.
    fn multiply_add(&mut self, lanes: Type, is_negated: bool) -> Result<(), Refusal> {
        let addend = self.pop_vector(lanes)?;
        self.vector_binary(lanes, |this, a, b| {
            let product = this.builder.ins().fmul(a, b);
            let product = match is_negated {
                true => this.builder.ins().fneg(product),
                false => product,
            };
            this.builder.ins().fadd(product, addend)
        })
    }

    /// The sums of the products of neighbours, in lanes that are twice as wide.
    fn dot(&mut self, a: Value, b: Value) -> Value {
        let (a_low, b_low) = (self.builder.ins().swiden_low(a), self.builder.ins().swiden_low(b));
        let low = self.builder.ins().imul(a_low, b_low);
        let (a_high, b_high) =
            (self.builder.ins().swiden_high(a), self.builder.ins().swiden_high(b));
        let high = self.builder.ins().imul(a_high, b_high);
        self.builder.ins().iadd_pairwise(low, high)
    }

    /// The sums of neighbours in the products of `dot`, and the third operand.
    fn dot_add(&mut self) -> Result<(), Refusal> {
        let addend = self.pop_vector(I32X4)?;
        self.vector_binary(I8X16, |this, a, b| {
            let sums = this.dot(a, b);
            let low = this.builder.ins().swiden_low(sums);
            let high = this.builder.ins().swiden_high(sums);
            let sums = this.builder.ins().iadd_pairwise(low, high);
            this.builder.ins().iadd(sums, addend)
        })
    }
}
