//! Lanes of other widths, and lanes in other places.

use super::{helpers, registers};
use crate::abi::lanes::vector::V128;
use std::arch::x86_64::*;

// There is no instruction for these; with AVX there is.
pub use crate::abi::lanes::plain::i8x16_swizzle;
pub use crate::abi::lanes::plain::{v128_load32_zero, v128_load64_zero};

macro_rules! splats {
    ($($name:ident, $value:ty, |$a:ident| $register:expr;)*) => {$(
        /// The vector whose lanes are all the same.
        #[inline(always)]
        pub fn $name($a: $value) -> V128 {
            // SAFETY: every x86-64 has SSE2.
            V128(unsafe { $register })
        }
    )*};
}

splats! {
    i8x16_splat, u32, |a| _mm_set1_epi8(a as i8);
    i16x8_splat, u32, |a| _mm_set1_epi16(a as i16);
    i32x4_splat, u32, |a| _mm_set1_epi32(a as i32);
    i64x2_splat, u64, |a| _mm_set1_epi64x(a as i64);
    f32x4_splat, f32, |a| _mm_castps_si128(_mm_set1_ps(a));
    f64x2_splat, f64, |a| _mm_castpd_si128(_mm_set1_pd(a));
}

helpers! {
    zero() = _mm_setzero_si128();
    // A lane twice, the upper one of which is shifted down with its sign.
    low_i8(a) = _mm_srai_epi16::<8>(_mm_unpacklo_epi8(a, a));
    high_i8(a) = _mm_srai_epi16::<8>(_mm_unpackhi_epi8(a, a));
    low_u8(a) = _mm_unpacklo_epi8(a, zero());
    high_u8(a) = _mm_unpackhi_epi8(a, zero());
    // Lanes of 32 bits on even places, where the processor looks for factors.
    low_factors(a) = _mm_unpacklo_epi32(a, a);
    high_factors(a) = _mm_unpackhi_epi32(a, a);
    // A negative factor is 2^32 too large without its sign, and makes the product too large by as
    // many of the other.
    signed_products(a, b) = {
        let excess_b = _mm_and_si128(_mm_srai_epi32::<31>(a), b);
        let excess_a = _mm_and_si128(_mm_srai_epi32::<31>(b), a);
        let excess = _mm_slli_epi64::<32>(_mm_add_epi32(excess_a, excess_b));
        _mm_sub_epi64(_mm_mul_epu32(a, b), excess)
    };
}

registers! {
    i16x8_extend_low_i8x16_s(a) = low_i8(a);
    i16x8_extend_low_i8x16_u(a) = low_u8(a);
    i16x8_extend_high_i8x16_s(a) = high_i8(a);
    i16x8_extend_high_i8x16_u(a) = high_u8(a);
    i32x4_extend_low_i16x8_s(a) = _mm_srai_epi32::<16>(_mm_unpacklo_epi16(a, a));
    i32x4_extend_low_i16x8_u(a) = _mm_unpacklo_epi16(a, zero());
    i32x4_extend_high_i16x8_s(a) = _mm_srai_epi32::<16>(_mm_unpackhi_epi16(a, a));
    i32x4_extend_high_i16x8_u(a) = _mm_unpackhi_epi16(a, zero());
    i64x2_extend_low_i32x4_s(a) = _mm_unpacklo_epi32(a, _mm_srai_epi32::<31>(a));
    i64x2_extend_low_i32x4_u(a) = _mm_unpacklo_epi32(a, zero());
    i64x2_extend_high_i32x4_s(a) = _mm_unpackhi_epi32(a, _mm_srai_epi32::<31>(a));
    i64x2_extend_high_i32x4_u(a) = _mm_unpackhi_epi32(a, zero());

    i16x8_extmul_low_i8x16_s(a, b) = _mm_mullo_epi16(low_i8(a), low_i8(b));
    i16x8_extmul_low_i8x16_u(a, b) = _mm_mullo_epi16(low_u8(a), low_u8(b));
    i16x8_extmul_high_i8x16_s(a, b) = _mm_mullo_epi16(high_i8(a), high_i8(b));
    i16x8_extmul_high_i8x16_u(a, b) = _mm_mullo_epi16(high_u8(a), high_u8(b));
    i32x4_extmul_low_i16x8_s(a, b) =
        _mm_unpacklo_epi16(_mm_mullo_epi16(a, b), _mm_mulhi_epi16(a, b));
    i32x4_extmul_low_i16x8_u(a, b) =
        _mm_unpacklo_epi16(_mm_mullo_epi16(a, b), _mm_mulhi_epu16(a, b));
    i32x4_extmul_high_i16x8_s(a, b) =
        _mm_unpackhi_epi16(_mm_mullo_epi16(a, b), _mm_mulhi_epi16(a, b));
    i32x4_extmul_high_i16x8_u(a, b) =
        _mm_unpackhi_epi16(_mm_mullo_epi16(a, b), _mm_mulhi_epu16(a, b));
    i64x2_extmul_low_i32x4_s(a, b) = signed_products(low_factors(a), low_factors(b));
    i64x2_extmul_low_i32x4_u(a, b) = _mm_mul_epu32(low_factors(a), low_factors(b));
    i64x2_extmul_high_i32x4_s(a, b) = signed_products(high_factors(a), high_factors(b));
    i64x2_extmul_high_i32x4_u(a, b) = _mm_mul_epu32(high_factors(a), high_factors(b));

    i16x8_extadd_pairwise_i8x16_s(a) = {
        let even = _mm_srai_epi16::<8>(_mm_slli_epi16::<8>(a));
        _mm_add_epi16(even, _mm_srai_epi16::<8>(a))
    };
    i16x8_extadd_pairwise_i8x16_u(a) = {
        let even = _mm_and_si128(a, _mm_set1_epi16(0x00ff));
        _mm_add_epi16(even, _mm_srli_epi16::<8>(a))
    };
    i32x4_extadd_pairwise_i16x8_s(a) = _mm_madd_epi16(a, _mm_set1_epi16(1));
    i32x4_extadd_pairwise_i16x8_u(a) = {
        let even = _mm_and_si128(a, _mm_set1_epi32(0xffff));
        _mm_add_epi32(even, _mm_srli_epi32::<16>(a))
    };

    i8x16_narrow_i16x8_s(a, b) = _mm_packs_epi16(a, b);
    i8x16_narrow_i16x8_u(a, b) = _mm_packus_epi16(a, b);
    i16x8_narrow_i32x4_s(a, b) = _mm_packs_epi32(a, b);
    i16x8_narrow_i32x4_u(a, b) = {
        let narrow = _mm_packs_epi32(less_32768(a), less_32768(b));
        _mm_xor_si128(narrow, _mm_set1_epi16(i16::MIN))
    };
}

helpers! {
    // A negative number counts for zero.
    less_32768(a) = {
        let positive = _mm_andnot_si128(_mm_srai_epi32::<31>(a), a);
        _mm_sub_epi32(positive, _mm_set1_epi32(0x8000))
    };
}

crate::abi::lanes::plain::extending_loads!();
