//! Integers from and to floating-point numbers.

use super::registers;
use crate::abi::lanes::vector::V128;
use std::arch::x86_64::*;

/// 2^52: added to a whole number below, it leaves that number in the lowest bits.
const WHOLE: f64 = 4503599627370496.0;

registers! {
    // The instruction gives 0x8000_0000 for numbers out of range. NaN becomes zero before. Above
    // the range, the bits of the result are inverted.
    i32x4_trunc_sat_f32x4_s(a) = {
        let a = _mm_castsi128_ps(a);
        let above = _mm_cmpge_ps(a, _mm_set1_ps(2147483648.0));
        let numbers = _mm_and_ps(a, _mm_cmpord_ps(a, a));
        _mm_xor_si128(_mm_cvttps_epi32(numbers), _mm_castps_si128(above))
    };
    // Numbers from 2^31 on become 0x8000_0000, to which the distance from there is added; it
    // becomes 0x7fff_ffff above the range.
    i32x4_trunc_sat_f32x4_u(a) = {
        let numbers = _mm_max_ps(_mm_castsi128_ps(a), _mm_setzero_ps());
        let distance = _mm_sub_ps(numbers, _mm_set1_ps(2147483648.0));
        let above = _mm_cmpge_ps(distance, _mm_set1_ps(2147483648.0));
        let upper = _mm_xor_si128(_mm_cvttps_epi32(distance), _mm_castps_si128(above));
        let upper = _mm_andnot_si128(_mm_srai_epi32::<31>(upper), upper);
        _mm_add_epi32(_mm_cvttps_epi32(numbers), upper)
    };
    // NaN becomes zero. The instruction gives the smallest number for numbers below the range.
    i32x4_trunc_sat_f64x2_s_zero(a) = {
        let a = _mm_castsi128_pd(a);
        let greatest = _mm_and_pd(_mm_cmpord_pd(a, a), _mm_set1_pd(2147483647.0));
        _mm_cvttpd_epi32(_mm_min_pd(a, greatest))
    };
    i32x4_trunc_sat_f64x2_u_zero(a) = {
        let numbers = _mm_max_pd(_mm_castsi128_pd(a), _mm_setzero_pd());
        let numbers = _mm_min_pd(numbers, _mm_set1_pd(4294967295.0));
        let nearest = _mm_sub_pd(_mm_add_pd(numbers, _mm_set1_pd(WHOLE)), _mm_set1_pd(WHOLE));
        let above = _mm_and_pd(_mm_cmpgt_pd(nearest, numbers), _mm_set1_pd(1.0));
        let whole = _mm_add_pd(_mm_sub_pd(nearest, above), _mm_set1_pd(WHOLE));
        let whole = _mm_castpd_ps(whole);
        _mm_castps_si128(_mm_shuffle_ps::<0b10_00_10_00>(whole, _mm_setzero_ps()))
    };
    f32x4_convert_i32x4_s(a) = _mm_castps_si128(_mm_cvtepi32_ps(a));
    // Both halves are exact, so that only the sum is rounded.
    f32x4_convert_i32x4_u(a) = {
        let low = _mm_cvtepi32_ps(_mm_and_si128(a, _mm_set1_epi32(0xffff)));
        let high = _mm_cvtepi32_ps(_mm_srli_epi32::<16>(a));
        _mm_castps_si128(_mm_add_ps(_mm_mul_ps(high, _mm_set1_ps(65536.0)), low))
    };
    f64x2_convert_low_i32x4_s(a) = _mm_castpd_si128(_mm_cvtepi32_pd(a));
    // The number stands where 2^52 has the bits of whole numbers.
    f64x2_convert_low_i32x4_u(a) = {
        let exponent = _mm_set1_epi32((WHOLE.to_bits() >> 32) as i32);
        let numbers = _mm_castsi128_pd(_mm_unpacklo_epi32(a, exponent));
        _mm_castpd_si128(_mm_sub_pd(numbers, _mm_set1_pd(WHOLE)))
    };
    f32x4_demote_f64x2_zero(a) = _mm_castps_si128(_mm_cvtpd_ps(_mm_castsi128_pd(a)));
    f64x2_promote_low_f32x4(a) = _mm_castpd_si128(_mm_cvtps_pd(_mm_castsi128_ps(a)));
}
