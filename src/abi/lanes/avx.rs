//! Operations that take fewer instructions on an x86-64 with AVX, which has everything up to
//! SSE4.2 as well.
//!
//! They are to be called by functions that are compiled for AVX, into which they are inlined;
//! elsewhere they would call each instruction as a function. It knows no other operations than
//! those of `sse2` with the same names and results. Control enters at each function.

use super::vector::V128;
use std::arch::x86_64::*;

macro_rules! registers {
    ($($(#[$doc:meta])* $name:ident($($a:ident),*) = $register:expr;)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// The processor has AVX.
        #[inline(always)]
        pub unsafe fn $name($($a: V128),*) -> V128 {
            $(let $a = $a.0;)*
            // SAFETY: the caller guarantees that the processor has AVX, and so all SSE.
            V128(unsafe { $register })
        }
    )*};
}

/// Functions of a vector with 1 for true, 0 for false.
macro_rules! tests {
    ($($name:ident, |$a:ident| $test:expr;)*) => {$(
        /// # Safety
        /// The processor has AVX.
        #[inline(always)]
        pub unsafe fn $name($a: V128) -> u32 {
            let $a = $a.0;
            // SAFETY: the caller guarantees that the processor has AVX, and so all SSE.
            (unsafe { $test }) as u32
        }
    )*};
}

macro_rules! helpers {
    ($($(#[$doc:meta])* $name:ident($($a:ident),*) = $register:expr;)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// The processor has AVX.
        #[inline(always)]
        unsafe fn $name($($a: __m128i),*) -> __m128i {
            // SAFETY: the caller guarantees that the processor has AVX, and so all SSE.
            unsafe { $register }
        }
    )*};
}

helpers! {
    not(a) = _mm_xor_si128(a, _mm_set1_epi32(-1));
    low_i8(a) = _mm_cvtepi8_epi16(a);
    low_u8(a) = _mm_cvtepu8_epi16(a);
    // Lanes of 32 bits on even places, where the processor looks for factors.
    low_factors(a) = _mm_shuffle_epi32::<0b01_01_00_00>(a);
    high_factors(a) = _mm_shuffle_epi32::<0b11_11_10_10>(a);
}

registers! {
    // Numbers from 16 on get their highest bit set, for which the instruction gives zero.
    i8x16_swizzle(a, indices) =
        _mm_shuffle_epi8(a, _mm_adds_epu8(indices, _mm_set1_epi8(0x70)));
    // As `i8x16_swizzle`, for indices whose numbers without a byte have that bit already.
    i8x16_permute(a, indices) = _mm_shuffle_epi8(a, indices);

    i8x16_le_s(a, b) = _mm_cmpeq_epi8(_mm_min_epi8(a, b), a);
    i16x8_le_u(a, b) = _mm_cmpeq_epi16(_mm_min_epu16(a, b), a);
    i32x4_le_s(a, b) = _mm_cmpeq_epi32(_mm_min_epi32(a, b), a);
    i32x4_le_u(a, b) = _mm_cmpeq_epi32(_mm_min_epu32(a, b), a);
    i64x2_eq(a, b) = _mm_cmpeq_epi64(a, b);
    i64x2_ne(a, b) = not(_mm_cmpeq_epi64(a, b));
    i64x2_lt_s(a, b) = _mm_cmpgt_epi64(b, a);
    i64x2_le_s(a, b) = not(_mm_cmpgt_epi64(a, b));
    i8x16_min_s(a, b) = _mm_min_epi8(a, b);
    i8x16_max_s(a, b) = _mm_max_epi8(a, b);
    i16x8_min_u(a, b) = _mm_min_epu16(a, b);
    i16x8_max_u(a, b) = _mm_max_epu16(a, b);
    i32x4_min_s(a, b) = _mm_min_epi32(a, b);
    i32x4_max_s(a, b) = _mm_max_epi32(a, b);
    i32x4_min_u(a, b) = _mm_min_epu32(a, b);
    i32x4_max_u(a, b) = _mm_max_epu32(a, b);

    i8x16_abs(a) = _mm_abs_epi8(a);
    i16x8_abs(a) = _mm_abs_epi16(a);
    i32x4_abs(a) = _mm_abs_epi32(a);
    i32x4_mul(a, b) = _mm_mullo_epi32(a, b);
    // The instruction does not saturate: -1 times -1 becomes -1.
    i16x8_q15mulr_sat_s(a, b) = {
        let products = _mm_mulhrs_epi16(a, b);
        _mm_xor_si128(products, _mm_cmpeq_epi16(products, _mm_set1_epi16(i16::MIN)))
    };
    // The counts of either half of a byte, out of a table of sixteen.
    i8x16_popcnt(a) = {
        let table = _mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
        let half = _mm_set1_epi8(0x0f);
        let low = _mm_and_si128(a, half);
        let high = _mm_and_si128(_mm_srli_epi16::<4>(a), half);
        _mm_add_epi8(_mm_shuffle_epi8(table, low), _mm_shuffle_epi8(table, high))
    };

    i16x8_extend_low_i8x16_s(a) = low_i8(a);
    i16x8_extend_low_i8x16_u(a) = low_u8(a);
    i32x4_extend_low_i16x8_s(a) = _mm_cvtepi16_epi32(a);
    i32x4_extend_low_i16x8_u(a) = _mm_cvtepu16_epi32(a);
    i64x2_extend_low_i32x4_s(a) = _mm_cvtepi32_epi64(a);
    i64x2_extend_low_i32x4_u(a) = _mm_cvtepu32_epi64(a);
    i16x8_extmul_low_i8x16_s(a, b) = _mm_mullo_epi16(low_i8(a), low_i8(b));
    i16x8_extmul_low_i8x16_u(a, b) = _mm_mullo_epi16(low_u8(a), low_u8(b));
    i64x2_extmul_low_i32x4_s(a, b) = _mm_mul_epi32(low_factors(a), low_factors(b));
    i64x2_extmul_high_i32x4_s(a, b) = _mm_mul_epi32(high_factors(a), high_factors(b));
    // The instruction multiplies bytes without a sign by bytes with one, and adds neighbours.
    i16x8_extadd_pairwise_i8x16_s(a) = _mm_maddubs_epi16(_mm_set1_epi8(1), a);
    i16x8_extadd_pairwise_i8x16_u(a) = _mm_maddubs_epi16(a, _mm_set1_epi8(1));
    i16x8_narrow_i32x4_u(a, b) = _mm_packus_epi32(a, b);

    // The instruction gives its second operand for zeros and NaNs: the sign of either zero is that
    // of both results.
    f32x4_min(a, b) = {
        let (a, b) = (_mm_castsi128_ps(a), _mm_castsi128_ps(b));
        nan_f32(a, b, _mm_or_ps(_mm_min_ps(a, b), _mm_min_ps(b, a)))
    };
    f32x4_max(a, b) = {
        let (a, b) = (_mm_castsi128_ps(a), _mm_castsi128_ps(b));
        nan_f32(a, b, _mm_and_ps(_mm_max_ps(a, b), _mm_max_ps(b, a)))
    };
    f64x2_min(a, b) = {
        let (a, b) = (_mm_castsi128_pd(a), _mm_castsi128_pd(b));
        nan_f64(a, b, _mm_or_pd(_mm_min_pd(a, b), _mm_min_pd(b, a)))
    };
    f64x2_max(a, b) = {
        let (a, b) = (_mm_castsi128_pd(a), _mm_castsi128_pd(b));
        nan_f64(a, b, _mm_and_pd(_mm_max_pd(a, b), _mm_max_pd(b, a)))
    };

    f32x4_ceil(a) = _mm_castps_si128(_mm_ceil_ps(_mm_castsi128_ps(a)));
    f32x4_floor(a) = _mm_castps_si128(_mm_floor_ps(_mm_castsi128_ps(a)));
    f32x4_trunc(a) = _mm_castps_si128(_mm_round_ps::<ROUND_TO_ZERO>(_mm_castsi128_ps(a)));
    f32x4_nearest(a) = _mm_castps_si128(_mm_round_ps::<ROUND_TO_NEAREST>(_mm_castsi128_ps(a)));
    f64x2_ceil(a) = _mm_castpd_si128(_mm_ceil_pd(_mm_castsi128_pd(a)));
    f64x2_floor(a) = _mm_castpd_si128(_mm_floor_pd(_mm_castsi128_pd(a)));
    f64x2_trunc(a) = _mm_castpd_si128(_mm_round_pd::<ROUND_TO_ZERO>(_mm_castsi128_pd(a)));
    f64x2_nearest(a) = _mm_castpd_si128(_mm_round_pd::<ROUND_TO_NEAREST>(_mm_castsi128_pd(a)));

    // As in `sse2`, whose processors lack one of these instructions.
    i32x4_trunc_sat_f32x4_u(a) = {
        let numbers = _mm_max_ps(_mm_castsi128_ps(a), _mm_setzero_ps());
        let distance = _mm_sub_ps(numbers, _mm_set1_ps(2147483648.0));
        let above = _mm_cmpge_ps(distance, _mm_set1_ps(2147483648.0));
        let upper = _mm_xor_si128(_mm_cvttps_epi32(distance), _mm_castps_si128(above));
        let upper = _mm_max_epi32(upper, _mm_setzero_si128());
        _mm_add_epi32(_mm_cvttps_epi32(numbers), upper)
    };
    i32x4_trunc_sat_f64x2_u_zero(a) = {
        let numbers = _mm_max_pd(_mm_castsi128_pd(a), _mm_setzero_pd());
        let numbers = _mm_min_pd(numbers, _mm_set1_pd(4294967295.0));
        let whole = _mm_round_pd::<ROUND_TO_ZERO>(numbers);
        // 2^52 leaves the number in the lowest bits.
        let whole = _mm_castpd_ps(_mm_add_pd(whole, _mm_set1_pd(4503599627370496.0)));
        _mm_castps_si128(_mm_shuffle_ps::<0b10_00_10_00>(whole, _mm_setzero_ps()))
    };
}

const ROUND_TO_ZERO: i32 = _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC;
const ROUND_TO_NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;

macro_rules! nan_or {
    ($($name:ident, $register:ty, $blend:ident, $add:ident, $unordered:ident, $cast:ident;)*) => {$(
        /// `numbers`, but quiet NaN where an operand is NaN.
        ///
        /// # Safety
        /// The processor has AVX.
        #[inline(always)]
        unsafe fn $name(a: $register, b: $register, numbers: $register) -> __m128i {
            // SAFETY: the caller guarantees that the processor has AVX, and so all SSE.
            unsafe { $cast($blend(numbers, $add(a, b), $unordered(a, b))) }
        }
    )*};
}

nan_or! {
    nan_f32, __m128, _mm_blendv_ps, _mm_add_ps, _mm_cmpunord_ps, _mm_castps_si128;
    nan_f64, __m128d, _mm_blendv_pd, _mm_add_pd, _mm_cmpunord_pd, _mm_castpd_si128;
}

tests! {
    v128_any_true, |a| i32::from(_mm_testz_si128(a, a) == 0);
    i8x16_all_true, |a| has_no(_mm_cmpeq_epi8(a, _mm_setzero_si128()));
    i16x8_all_true, |a| has_no(_mm_cmpeq_epi16(a, _mm_setzero_si128()));
    i32x4_all_true, |a| has_no(_mm_cmpeq_epi32(a, _mm_setzero_si128()));
    i64x2_all_true, |a| has_no(_mm_cmpeq_epi64(a, _mm_setzero_si128()));
}

/// 1 if no bit is set, else 0.
///
/// # Safety
/// The processor has AVX.
#[inline(always)]
unsafe fn has_no(mask: __m128i) -> i32 {
    // SAFETY: the caller guarantees that the processor has AVX, and so all SSE.
    unsafe { _mm_testz_si128(mask, mask) }
}
