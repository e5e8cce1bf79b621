//! The list of operations on vectors, as `op` has those on numbers.
//!
//! Names are the specification's in camel case; `abi::lanes` has the meanings. A meaning behind
//! `fast` is an unsafe one for x86-64 with AVX. "Greater" is "less" with its operands exchanged,
//! and a relaxed operation with the same meaning as another one is that one: `compile::vector` maps
//! its opcode to the other.

/// `$apply!` gets `Name, operands commute?, |a, b| meaning [, fast meaning];`, each of two vectors
/// with a vector.
macro_rules! vector_binary_ops {
    ($apply:ident) => {
        $apply! {
            I8x16Swizzle, false, |a, b| lanes::i8x16_swizzle(a, b),
                fast lanes::avx::i8x16_swizzle(a, b);
            I8x16Eq, true, |a, b| lanes::i8x16_eq(a, b);
            I8x16Ne, true, |a, b| lanes::i8x16_ne(a, b);
            I8x16LtS, false, |a, b| lanes::i8x16_lt_s(a, b);
            I8x16LtU, false, |a, b| lanes::i8x16_lt_u(a, b);
            I8x16LeS, false, |a, b| lanes::i8x16_le_s(a, b), fast lanes::avx::i8x16_le_s(a, b);
            I8x16LeU, false, |a, b| lanes::i8x16_le_u(a, b);
            I16x8Eq, true, |a, b| lanes::i16x8_eq(a, b);
            I16x8Ne, true, |a, b| lanes::i16x8_ne(a, b);
            I16x8LtS, false, |a, b| lanes::i16x8_lt_s(a, b);
            I16x8LtU, false, |a, b| lanes::i16x8_lt_u(a, b);
            I16x8LeS, false, |a, b| lanes::i16x8_le_s(a, b);
            I16x8LeU, false, |a, b| lanes::i16x8_le_u(a, b), fast lanes::avx::i16x8_le_u(a, b);
            I32x4Eq, true, |a, b| lanes::i32x4_eq(a, b);
            I32x4Ne, true, |a, b| lanes::i32x4_ne(a, b);
            I32x4LtS, false, |a, b| lanes::i32x4_lt_s(a, b);
            I32x4LtU, false, |a, b| lanes::i32x4_lt_u(a, b);
            I32x4LeS, false, |a, b| lanes::i32x4_le_s(a, b), fast lanes::avx::i32x4_le_s(a, b);
            I32x4LeU, false, |a, b| lanes::i32x4_le_u(a, b), fast lanes::avx::i32x4_le_u(a, b);
            I64x2Eq, true, |a, b| lanes::i64x2_eq(a, b), fast lanes::avx::i64x2_eq(a, b);
            I64x2Ne, true, |a, b| lanes::i64x2_ne(a, b), fast lanes::avx::i64x2_ne(a, b);
            I64x2LtS, false, |a, b| lanes::i64x2_lt_s(a, b), fast lanes::avx::i64x2_lt_s(a, b);
            I64x2LeS, false, |a, b| lanes::i64x2_le_s(a, b), fast lanes::avx::i64x2_le_s(a, b);
            F32x4Eq, true, |a, b| lanes::f32x4_eq(a, b);
            F32x4Ne, true, |a, b| lanes::f32x4_ne(a, b);
            F32x4Lt, false, |a, b| lanes::f32x4_lt(a, b);
            F32x4Le, false, |a, b| lanes::f32x4_le(a, b);
            F64x2Eq, true, |a, b| lanes::f64x2_eq(a, b);
            F64x2Ne, true, |a, b| lanes::f64x2_ne(a, b);
            F64x2Lt, false, |a, b| lanes::f64x2_lt(a, b);
            F64x2Le, false, |a, b| lanes::f64x2_le(a, b);
            V128And, true, |a, b| lanes::v128_and(a, b);
            V128AndNot, false, |a, b| lanes::v128_andnot(a, b);
            V128Or, true, |a, b| lanes::v128_or(a, b);
            V128Xor, true, |a, b| lanes::v128_xor(a, b);
            I8x16NarrowI16x8S, false, |a, b| lanes::i8x16_narrow_i16x8_s(a, b);
            I8x16NarrowI16x8U, false, |a, b| lanes::i8x16_narrow_i16x8_u(a, b);
            I16x8NarrowI32x4S, false, |a, b| lanes::i16x8_narrow_i32x4_s(a, b);
            I16x8NarrowI32x4U, false, |a, b| lanes::i16x8_narrow_i32x4_u(a, b),
                fast lanes::avx::i16x8_narrow_i32x4_u(a, b);
            I8x16Add, true, |a, b| lanes::i8x16_add(a, b);
            I8x16Sub, false, |a, b| lanes::i8x16_sub(a, b);
            I8x16AddSatS, true, |a, b| lanes::i8x16_add_sat_s(a, b);
            I8x16SubSatS, false, |a, b| lanes::i8x16_sub_sat_s(a, b);
            I8x16AddSatU, true, |a, b| lanes::i8x16_add_sat_u(a, b);
            I8x16SubSatU, false, |a, b| lanes::i8x16_sub_sat_u(a, b);
            I8x16AvgrU, true, |a, b| lanes::i8x16_avgr_u(a, b);
            I8x16MinS, true, |a, b| lanes::i8x16_min_s(a, b), fast lanes::avx::i8x16_min_s(a, b);
            I8x16MaxS, true, |a, b| lanes::i8x16_max_s(a, b), fast lanes::avx::i8x16_max_s(a, b);
            I8x16MinU, true, |a, b| lanes::i8x16_min_u(a, b);
            I8x16MaxU, true, |a, b| lanes::i8x16_max_u(a, b);
            I16x8Add, true, |a, b| lanes::i16x8_add(a, b);
            I16x8Sub, false, |a, b| lanes::i16x8_sub(a, b);
            I16x8AddSatS, true, |a, b| lanes::i16x8_add_sat_s(a, b);
            I16x8SubSatS, false, |a, b| lanes::i16x8_sub_sat_s(a, b);
            I16x8AddSatU, true, |a, b| lanes::i16x8_add_sat_u(a, b);
            I16x8SubSatU, false, |a, b| lanes::i16x8_sub_sat_u(a, b);
            I16x8AvgrU, true, |a, b| lanes::i16x8_avgr_u(a, b);
            I16x8Mul, true, |a, b| lanes::i16x8_mul(a, b);
            I16x8MinS, true, |a, b| lanes::i16x8_min_s(a, b);
            I16x8MaxS, true, |a, b| lanes::i16x8_max_s(a, b);
            I16x8MinU, true, |a, b| lanes::i16x8_min_u(a, b), fast lanes::avx::i16x8_min_u(a, b);
            I16x8MaxU, true, |a, b| lanes::i16x8_max_u(a, b), fast lanes::avx::i16x8_max_u(a, b);
            I32x4Add, true, |a, b| lanes::i32x4_add(a, b);
            I32x4Sub, false, |a, b| lanes::i32x4_sub(a, b);
            I32x4Mul, true, |a, b| lanes::i32x4_mul(a, b), fast lanes::avx::i32x4_mul(a, b);
            I32x4MinS, true, |a, b| lanes::i32x4_min_s(a, b), fast lanes::avx::i32x4_min_s(a, b);
            I32x4MaxS, true, |a, b| lanes::i32x4_max_s(a, b), fast lanes::avx::i32x4_max_s(a, b);
            I32x4MinU, true, |a, b| lanes::i32x4_min_u(a, b), fast lanes::avx::i32x4_min_u(a, b);
            I32x4MaxU, true, |a, b| lanes::i32x4_max_u(a, b), fast lanes::avx::i32x4_max_u(a, b);
            I64x2Add, true, |a, b| lanes::i64x2_add(a, b);
            I64x2Sub, false, |a, b| lanes::i64x2_sub(a, b);
            I64x2Mul, true, |a, b| lanes::i64x2_mul(a, b);
            I16x8Q15MulrSatS, true, |a, b| lanes::i16x8_q15mulr_sat_s(a, b),
                fast lanes::avx::i16x8_q15mulr_sat_s(a, b);
            I32x4DotI16x8S, true, |a, b| lanes::i32x4_dot_i16x8_s(a, b);
            I16x8ExtMulLowI8x16S, true, |a, b| lanes::i16x8_extmul_low_i8x16_s(a, b),
                fast lanes::avx::i16x8_extmul_low_i8x16_s(a, b);
            I16x8ExtMulLowI8x16U, true, |a, b| lanes::i16x8_extmul_low_i8x16_u(a, b),
                fast lanes::avx::i16x8_extmul_low_i8x16_u(a, b);
            I16x8ExtMulHighI8x16S, true, |a, b| lanes::i16x8_extmul_high_i8x16_s(a, b);
            I16x8ExtMulHighI8x16U, true, |a, b| lanes::i16x8_extmul_high_i8x16_u(a, b);
            I32x4ExtMulLowI16x8S, true, |a, b| lanes::i32x4_extmul_low_i16x8_s(a, b);
            I32x4ExtMulLowI16x8U, true, |a, b| lanes::i32x4_extmul_low_i16x8_u(a, b);
            I32x4ExtMulHighI16x8S, true, |a, b| lanes::i32x4_extmul_high_i16x8_s(a, b);
            I32x4ExtMulHighI16x8U, true, |a, b| lanes::i32x4_extmul_high_i16x8_u(a, b);
            I64x2ExtMulLowI32x4S, true, |a, b| lanes::i64x2_extmul_low_i32x4_s(a, b),
                fast lanes::avx::i64x2_extmul_low_i32x4_s(a, b);
            I64x2ExtMulLowI32x4U, true, |a, b| lanes::i64x2_extmul_low_i32x4_u(a, b);
            I64x2ExtMulHighI32x4S, true, |a, b| lanes::i64x2_extmul_high_i32x4_s(a, b),
                fast lanes::avx::i64x2_extmul_high_i32x4_s(a, b);
            I64x2ExtMulHighI32x4U, true, |a, b| lanes::i64x2_extmul_high_i32x4_u(a, b);
            F32x4Add, true, |a, b| lanes::f32x4_add(a, b);
            F32x4Sub, false, |a, b| lanes::f32x4_sub(a, b);
            F32x4Mul, true, |a, b| lanes::f32x4_mul(a, b);
            F32x4Div, false, |a, b| lanes::f32x4_div(a, b);
            F32x4Min, true, |a, b| lanes::f32x4_min(a, b), fast lanes::avx::f32x4_min(a, b);
            F32x4Max, true, |a, b| lanes::f32x4_max(a, b), fast lanes::avx::f32x4_max(a, b);
            F32x4PMin, false, |a, b| lanes::f32x4_pmin(a, b);
            F32x4PMax, false, |a, b| lanes::f32x4_pmax(a, b);
            F64x2Add, true, |a, b| lanes::f64x2_add(a, b);
            F64x2Sub, false, |a, b| lanes::f64x2_sub(a, b);
            F64x2Mul, true, |a, b| lanes::f64x2_mul(a, b);
            F64x2Div, false, |a, b| lanes::f64x2_div(a, b);
            F64x2Min, true, |a, b| lanes::f64x2_min(a, b), fast lanes::avx::f64x2_min(a, b);
            F64x2Max, true, |a, b| lanes::f64x2_max(a, b), fast lanes::avx::f64x2_max(a, b);
            F64x2PMin, false, |a, b| lanes::f64x2_pmin(a, b);
            F64x2PMax, false, |a, b| lanes::f64x2_pmax(a, b);
            I16x8RelaxedDotI8x16I7x16S, false, |a, b| lanes::i16x8_relaxed_dot_i8x16_i7x16_s(a, b);
        }
    };
}
pub(crate) use vector_binary_ops;

/// `$apply!` gets `Name, operand type => result type, |a| meaning [, fast meaning];`, with a vector
/// as one or both.
macro_rules! vector_unary_ops {
    ($apply:ident) => {
        $apply! {
            I8x16Splat, u32 => V128, |a| lanes::i8x16_splat(a);
            I16x8Splat, u32 => V128, |a| lanes::i16x8_splat(a);
            I32x4Splat, u32 => V128, |a| lanes::i32x4_splat(a);
            I64x2Splat, u64 => V128, |a| lanes::i64x2_splat(a);
            F32x4Splat, f32 => V128, |a| lanes::f32x4_splat(a);
            F64x2Splat, f64 => V128, |a| lanes::f64x2_splat(a);
            V128Not, V128 => V128, |a| lanes::v128_not(a);
            V128AnyTrue, V128 => u32, |a| lanes::v128_any_true(a),
                fast lanes::avx::v128_any_true(a);
            I8x16Abs, V128 => V128, |a| lanes::i8x16_abs(a), fast lanes::avx::i8x16_abs(a);
            I8x16Neg, V128 => V128, |a| lanes::i8x16_neg(a);
            I8x16AllTrue, V128 => u32, |a| lanes::i8x16_all_true(a),
                fast lanes::avx::i8x16_all_true(a);
            I8x16Bitmask, V128 => u32, |a| lanes::i8x16_bitmask(a);
            I16x8Abs, V128 => V128, |a| lanes::i16x8_abs(a), fast lanes::avx::i16x8_abs(a);
            I16x8Neg, V128 => V128, |a| lanes::i16x8_neg(a);
            I16x8AllTrue, V128 => u32, |a| lanes::i16x8_all_true(a),
                fast lanes::avx::i16x8_all_true(a);
            I16x8Bitmask, V128 => u32, |a| lanes::i16x8_bitmask(a);
            I32x4Abs, V128 => V128, |a| lanes::i32x4_abs(a), fast lanes::avx::i32x4_abs(a);
            I32x4Neg, V128 => V128, |a| lanes::i32x4_neg(a);
            I32x4AllTrue, V128 => u32, |a| lanes::i32x4_all_true(a),
                fast lanes::avx::i32x4_all_true(a);
            I32x4Bitmask, V128 => u32, |a| lanes::i32x4_bitmask(a);
            I64x2Abs, V128 => V128, |a| lanes::i64x2_abs(a);
            I64x2Neg, V128 => V128, |a| lanes::i64x2_neg(a);
            I64x2AllTrue, V128 => u32, |a| lanes::i64x2_all_true(a),
                fast lanes::avx::i64x2_all_true(a);
            I64x2Bitmask, V128 => u32, |a| lanes::i64x2_bitmask(a);
            I8x16Popcnt, V128 => V128, |a| lanes::i8x16_popcnt(a), fast lanes::avx::i8x16_popcnt(a);
            I16x8ExtendLowI8x16S, V128 => V128, |a| lanes::i16x8_extend_low_i8x16_s(a),
                fast lanes::avx::i16x8_extend_low_i8x16_s(a);
            I16x8ExtendLowI8x16U, V128 => V128, |a| lanes::i16x8_extend_low_i8x16_u(a),
                fast lanes::avx::i16x8_extend_low_i8x16_u(a);
            I16x8ExtendHighI8x16S, V128 => V128, |a| lanes::i16x8_extend_high_i8x16_s(a);
            I16x8ExtendHighI8x16U, V128 => V128, |a| lanes::i16x8_extend_high_i8x16_u(a);
            I16x8ExtAddPairwiseI8x16S, V128 => V128, |a| lanes::i16x8_extadd_pairwise_i8x16_s(a),
                fast lanes::avx::i16x8_extadd_pairwise_i8x16_s(a);
            I16x8ExtAddPairwiseI8x16U, V128 => V128, |a| lanes::i16x8_extadd_pairwise_i8x16_u(a),
                fast lanes::avx::i16x8_extadd_pairwise_i8x16_u(a);
            I32x4ExtendLowI16x8S, V128 => V128, |a| lanes::i32x4_extend_low_i16x8_s(a),
                fast lanes::avx::i32x4_extend_low_i16x8_s(a);
            I32x4ExtendLowI16x8U, V128 => V128, |a| lanes::i32x4_extend_low_i16x8_u(a),
                fast lanes::avx::i32x4_extend_low_i16x8_u(a);
            I32x4ExtendHighI16x8S, V128 => V128, |a| lanes::i32x4_extend_high_i16x8_s(a);
            I32x4ExtendHighI16x8U, V128 => V128, |a| lanes::i32x4_extend_high_i16x8_u(a);
            I32x4ExtAddPairwiseI16x8S, V128 => V128, |a| lanes::i32x4_extadd_pairwise_i16x8_s(a);
            I32x4ExtAddPairwiseI16x8U, V128 => V128, |a| lanes::i32x4_extadd_pairwise_i16x8_u(a);
            I64x2ExtendLowI32x4S, V128 => V128, |a| lanes::i64x2_extend_low_i32x4_s(a),
                fast lanes::avx::i64x2_extend_low_i32x4_s(a);
            I64x2ExtendLowI32x4U, V128 => V128, |a| lanes::i64x2_extend_low_i32x4_u(a),
                fast lanes::avx::i64x2_extend_low_i32x4_u(a);
            I64x2ExtendHighI32x4S, V128 => V128, |a| lanes::i64x2_extend_high_i32x4_s(a);
            I64x2ExtendHighI32x4U, V128 => V128, |a| lanes::i64x2_extend_high_i32x4_u(a);
            F32x4Ceil, V128 => V128, |a| lanes::f32x4_ceil(a), fast lanes::avx::f32x4_ceil(a);
            F32x4Floor, V128 => V128, |a| lanes::f32x4_floor(a), fast lanes::avx::f32x4_floor(a);
            F32x4Trunc, V128 => V128, |a| lanes::f32x4_trunc(a), fast lanes::avx::f32x4_trunc(a);
            F32x4Nearest, V128 => V128, |a| lanes::f32x4_nearest(a),
                fast lanes::avx::f32x4_nearest(a);
            F32x4Abs, V128 => V128, |a| lanes::f32x4_abs(a);
            F32x4Neg, V128 => V128, |a| lanes::f32x4_neg(a);
            F32x4Sqrt, V128 => V128, |a| lanes::f32x4_sqrt(a);
            F64x2Ceil, V128 => V128, |a| lanes::f64x2_ceil(a), fast lanes::avx::f64x2_ceil(a);
            F64x2Floor, V128 => V128, |a| lanes::f64x2_floor(a), fast lanes::avx::f64x2_floor(a);
            F64x2Trunc, V128 => V128, |a| lanes::f64x2_trunc(a), fast lanes::avx::f64x2_trunc(a);
            F64x2Nearest, V128 => V128, |a| lanes::f64x2_nearest(a),
                fast lanes::avx::f64x2_nearest(a);
            F64x2Abs, V128 => V128, |a| lanes::f64x2_abs(a);
            F64x2Neg, V128 => V128, |a| lanes::f64x2_neg(a);
            F64x2Sqrt, V128 => V128, |a| lanes::f64x2_sqrt(a);
            I32x4TruncSatF32x4S, V128 => V128, |a| lanes::i32x4_trunc_sat_f32x4_s(a);
            I32x4TruncSatF32x4U, V128 => V128, |a| lanes::i32x4_trunc_sat_f32x4_u(a),
                fast lanes::avx::i32x4_trunc_sat_f32x4_u(a);
            I32x4TruncSatF64x2SZero, V128 => V128, |a| lanes::i32x4_trunc_sat_f64x2_s_zero(a);
            I32x4TruncSatF64x2UZero, V128 => V128, |a| lanes::i32x4_trunc_sat_f64x2_u_zero(a),
                fast lanes::avx::i32x4_trunc_sat_f64x2_u_zero(a);
            F32x4ConvertI32x4S, V128 => V128, |a| lanes::f32x4_convert_i32x4_s(a);
            F32x4ConvertI32x4U, V128 => V128, |a| lanes::f32x4_convert_i32x4_u(a);
            F64x2ConvertLowI32x4S, V128 => V128, |a| lanes::f64x2_convert_low_i32x4_s(a);
            F64x2ConvertLowI32x4U, V128 => V128, |a| lanes::f64x2_convert_low_i32x4_u(a);
            F32x4DemoteF64x2Zero, V128 => V128, |a| lanes::f32x4_demote_f64x2_zero(a);
            F64x2PromoteLowF32x4, V128 => V128, |a| lanes::f64x2_promote_low_f32x4(a);
        }
    };
}
pub(crate) use vector_unary_ops;

/// `$apply!` gets `Name, |a, bits| meaning;`, of a vector and an i32 with a vector.
macro_rules! vector_shift_ops {
    ($apply:ident) => {
        $apply! {
            I8x16Shl, |a, bits| lanes::i8x16_shl(a, bits);
            I8x16ShrS, |a, bits| lanes::i8x16_shr_s(a, bits);
            I8x16ShrU, |a, bits| lanes::i8x16_shr_u(a, bits);
            I16x8Shl, |a, bits| lanes::i16x8_shl(a, bits);
            I16x8ShrS, |a, bits| lanes::i16x8_shr_s(a, bits);
            I16x8ShrU, |a, bits| lanes::i16x8_shr_u(a, bits);
            I32x4Shl, |a, bits| lanes::i32x4_shl(a, bits);
            I32x4ShrS, |a, bits| lanes::i32x4_shr_s(a, bits);
            I32x4ShrU, |a, bits| lanes::i32x4_shr_u(a, bits);
            I64x2Shl, |a, bits| lanes::i64x2_shl(a, bits);
            I64x2ShrS, |a, bits| lanes::i64x2_shr_s(a, bits);
            I64x2ShrU, |a, bits| lanes::i64x2_shr_u(a, bits);
        }
    };
}
pub(crate) use vector_shift_ops;

/// `$apply!` gets `Name, |a, b, c| meaning;`, each of three vectors with a vector.
macro_rules! vector_ternary_ops {
    ($apply:ident) => {
        $apply! {
            V128Bitselect, |a, b, c| lanes::v128_bitselect(a, b, c);
            F32x4RelaxedMadd, |a, b, c| lanes::f32x4_relaxed_madd(a, b, c);
            F32x4RelaxedNmadd, |a, b, c| lanes::f32x4_relaxed_nmadd(a, b, c);
            F64x2RelaxedMadd, |a, b, c| lanes::f64x2_relaxed_madd(a, b, c);
            F64x2RelaxedNmadd, |a, b, c| lanes::f64x2_relaxed_nmadd(a, b, c);
            I32x4RelaxedDotI8x16I7x16AddS, |a, b, c|
                lanes::i32x4_relaxed_dot_i8x16_i7x16_add_s(a, b, c);
        }
    };
}
pub(crate) use vector_ternary_ops;

/// `$apply!` gets `Name, type of the lane => type of the result;`, of `lanes::extract_lane`.
macro_rules! vector_extract_ops {
    ($apply:ident) => {
        $apply! {
            I8x16ExtractLaneS, i8 => i32;
            I8x16ExtractLaneU, u8 => u32;
            I16x8ExtractLaneS, i16 => i32;
            I16x8ExtractLaneU, u16 => u32;
            I32x4ExtractLane, u32 => u32;
            I64x2ExtractLane, u64 => u64;
            F32x4ExtractLane, f32 => f32;
            F64x2ExtractLane, f64 => f64;
        }
    };
}
pub(crate) use vector_extract_ops;

/// `$apply!` gets `Name, type of the operand => type of the lane;`, of `lanes::replace_lane`.
macro_rules! vector_replace_ops {
    ($apply:ident) => {
        $apply! {
            I8x16ReplaceLane, u32 => u8;
            I16x8ReplaceLane, u32 => u16;
            I32x4ReplaceLane, u32 => u32;
            I64x2ReplaceLane, u64 => u64;
            F32x4ReplaceLane, f32 => f32;
            F64x2ReplaceLane, f64 => f64;
        }
    };
}
pub(crate) use vector_replace_ops;

macro_rules! names {
    ($(#[$meta:meta])* $enum:ident: $($name:ident)*) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(clippy::enum_variant_names, reason = "the names are the specification's")]
        pub enum $enum { $($name,)* }
    };
}

macro_rules! binary_enum {
    ($($name:ident, $comm:tt, |$a:ident, $b:ident| $plain:expr $(, fast $fast:expr)?;)*) => {
        names!(/// Operations of two vectors with a vector.
            VectorBinaryOp: $($name)*);

        impl VectorBinaryOp {
            /// Whether the operands may be exchanged.
            pub fn commutes(self) -> bool {
                match self { $(Self::$name => $comm,)* }
            }
        }
    };
}
vector_binary_ops!(binary_enum);

macro_rules! unary_enum {
    ($($name:ident, $in:ty => $out:ty, |$a:ident| $plain:expr $(, fast $fast:expr)?;)*) => {
        names!(/// Operations of one value with a value, one of them a vector.
            VectorUnaryOp: $($name)*);
    };
}
vector_unary_ops!(unary_enum);

macro_rules! shift_enum {
    ($($name:ident, |$a:ident, $bits:ident| $plain:expr $(, fast $fast:expr)?;)*) => {
        names!(/// Operations of a vector and a number of bits with a vector.
            ShiftOp: $($name)*);
    };
}
vector_shift_ops!(shift_enum);

macro_rules! ternary_enum {
    ($($name:ident, |$a:ident, $b:ident, $c:ident| $plain:expr $(, fast $fast:expr)?;)*) => {
        names!(/// Operations of three vectors with a vector.
            VectorTernaryOp: $($name)*);
    };
}
vector_ternary_ops!(ternary_enum);

macro_rules! extract_enum {
    ($($name:ident, $lane:ty => $out:ty;)*) => {
        names!(/// Reads of a lane.
            ExtractOp: $($name)*);
    };
}
vector_extract_ops!(extract_enum);

macro_rules! replace_enum {
    ($($name:ident, $val:ty => $lane:ty;)*) => {
        names!(/// Writes of a lane.
            ReplaceOp: $($name)*);
    };
}
vector_replace_ops!(replace_enum);
