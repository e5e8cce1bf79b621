//! Floating-point numbers.

use super::{registers_f32, registers_f64};
use crate::abi::lanes::vector::V128;
use std::arch::x86_64::*;

registers_f32! {
    f32x4_eq(a, b) = _mm_cmpeq_ps(a, b);
    f32x4_ne(a, b) = _mm_cmpneq_ps(a, b);
    f32x4_lt(a, b) = _mm_cmplt_ps(a, b);
    f32x4_le(a, b) = _mm_cmple_ps(a, b);
    f32x4_add(a, b) = _mm_add_ps(a, b);
    f32x4_sub(a, b) = _mm_sub_ps(a, b);
    f32x4_mul(a, b) = _mm_mul_ps(a, b);
    f32x4_div(a, b) = _mm_div_ps(a, b);
    // The instruction gives its second operand unless the first is smaller.
    f32x4_pmin(a, b) = _mm_min_ps(b, a);
    f32x4_pmax(a, b) = _mm_max_ps(b, a);
    f32x4_abs(a) = _mm_andnot_ps(_mm_set1_ps(-0.0), a);
    f32x4_neg(a) = _mm_xor_ps(_mm_set1_ps(-0.0), a);
    f32x4_sqrt(a) = _mm_sqrt_ps(a);
    f32x4_relaxed_madd(a, b, c) = _mm_add_ps(_mm_mul_ps(a, b), c);
    f32x4_relaxed_nmadd(a, b, c) = _mm_sub_ps(c, _mm_mul_ps(a, b));
}

registers_f64! {
    f64x2_eq(a, b) = _mm_cmpeq_pd(a, b);
    f64x2_ne(a, b) = _mm_cmpneq_pd(a, b);
    f64x2_lt(a, b) = _mm_cmplt_pd(a, b);
    f64x2_le(a, b) = _mm_cmple_pd(a, b);
    f64x2_add(a, b) = _mm_add_pd(a, b);
    f64x2_sub(a, b) = _mm_sub_pd(a, b);
    f64x2_mul(a, b) = _mm_mul_pd(a, b);
    f64x2_div(a, b) = _mm_div_pd(a, b);
    f64x2_pmin(a, b) = _mm_min_pd(b, a);
    f64x2_pmax(a, b) = _mm_max_pd(b, a);
    f64x2_abs(a) = _mm_andnot_pd(_mm_set1_pd(-0.0), a);
    f64x2_neg(a) = _mm_xor_pd(_mm_set1_pd(-0.0), a);
    f64x2_sqrt(a) = _mm_sqrt_pd(a);
    f64x2_relaxed_madd(a, b, c) = _mm_add_pd(_mm_mul_pd(a, b), c);
    f64x2_relaxed_nmadd(a, b, c) = _mm_sub_pd(c, _mm_mul_pd(a, b));
}

/// The operations that take several instructions. The modules below import those of their type
/// under the same names.
macro_rules! composed {
    ($registers:ident, $whole:literal;
     $min:ident, $max:ident, $nearest:ident, $floor:ident, $ceil:ident, $trunc:ident) => {
        $registers! {
            /// NaN if either is; -0 is smaller than +0.
            $min(a, b) = {
                // The instruction gives its second operand for zeros and NaNs: the sign of either
                // zero is that of both results.
                let numbers = or(min(a, b), min(b, a));
                let nan = unordered(a, b);
                or(and(nan, add(a, b)), and_not(nan, numbers))
            };
            /// NaN if either is; +0 is greater than -0.
            $max(a, b) = {
                let numbers = and(max(a, b), max(b, a));
                let nan = unordered(a, b);
                or(and(nan, add(a, b)), and_not(nan, numbers))
            };
            $nearest(a) = {
                let sign = and(a, set1(-0.0));
                or(sign, nearest_whole!($whole, xor(a, sign)))
            };
            $trunc(a) = {
                let sign = and(a, set1(-0.0));
                let size = xor(a, sign);
                let nearest = nearest_whole!($whole, size);
                or(sign, sub(nearest, and(greater(nearest, size), set1(1.0))))
            };
            $floor(a) = {
                let sign = and(a, set1(-0.0));
                let nearest = or(sign, nearest_whole!($whole, xor(a, sign)));
                sub(nearest, and(greater(nearest, a), set1(1.0)))
            };
            $ceil(a) = {
                let sign = and(a, set1(-0.0));
                let nearest = or(sign, nearest_whole!($whole, xor(a, sign)));
                // A zero that results from a negative number is negative.
                or(sign, add(nearest, and(less(nearest, a), set1(1.0))))
            };
        }
    };
}

/// The nearest whole number, half to even, of a number without a sign. From `$whole` on every
/// number is whole. Below, adding it leaves no bits for a fraction. A NaN becomes quiet.
macro_rules! nearest_whole {
    ($whole:literal, $size:expr) => {{
        let size = $size;
        let whole = and(less(size, set1($whole)), set1($whole));
        sub(add(size, whole), whole)
    }};
}

pub use f32x4::*;
mod f32x4 {
    use super::{V128, registers_f32};
    use std::arch::x86_64::{
        _mm_add_ps as add, _mm_and_ps as and, _mm_andnot_ps as and_not, _mm_castps_si128,
        _mm_castsi128_ps, _mm_cmpgt_ps as greater, _mm_cmplt_ps as less,
        _mm_cmpunord_ps as unordered, _mm_max_ps as max, _mm_min_ps as min, _mm_or_ps as or,
        _mm_set1_ps as set1, _mm_sub_ps as sub, _mm_xor_ps as xor,
    };

    composed! {
        registers_f32, 8388608.0;
        f32x4_min, f32x4_max, f32x4_nearest, f32x4_floor, f32x4_ceil, f32x4_trunc
    }
}

pub use f64x2::*;
mod f64x2 {
    use super::{V128, registers_f64};
    use std::arch::x86_64::{
        _mm_add_pd as add, _mm_and_pd as and, _mm_andnot_pd as and_not, _mm_castpd_si128,
        _mm_castsi128_pd, _mm_cmpgt_pd as greater, _mm_cmplt_pd as less,
        _mm_cmpunord_pd as unordered, _mm_max_pd as max, _mm_min_pd as min, _mm_or_pd as or,
        _mm_set1_pd as set1, _mm_sub_pd as sub, _mm_xor_pd as xor,
    };

    composed! {
        registers_f64, 4503599627370496.0;
        f64x2_min, f64x2_max, f64x2_nearest, f64x2_floor, f64x2_ceil, f64x2_trunc
    }
}
