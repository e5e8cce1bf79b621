//! Integers, and bits.

use super::{registers, select, signs64};
use crate::abi::lanes::vector::V128;
use std::arch::x86_64::*;

registers! {
    v128_not(a) = super::not(a);
    v128_and(a, b) = _mm_and_si128(a, b);
    v128_andnot(a, b) = _mm_andnot_si128(b, a);
    v128_or(a, b) = _mm_or_si128(a, b);
    v128_xor(a, b) = _mm_xor_si128(a, b);
    /// Bits of `a` where the mask has ones, those of `b` elsewhere.
    v128_bitselect(a, b, mask) = select(mask, a, b);

    i8x16_add(a, b) = _mm_add_epi8(a, b);
    i8x16_sub(a, b) = _mm_sub_epi8(a, b);
    i8x16_add_sat_s(a, b) = _mm_adds_epi8(a, b);
    i8x16_sub_sat_s(a, b) = _mm_subs_epi8(a, b);
    i8x16_add_sat_u(a, b) = _mm_adds_epu8(a, b);
    i8x16_sub_sat_u(a, b) = _mm_subs_epu8(a, b);
    i8x16_avgr_u(a, b) = _mm_avg_epu8(a, b);
    i16x8_add(a, b) = _mm_add_epi16(a, b);
    i16x8_sub(a, b) = _mm_sub_epi16(a, b);
    i16x8_add_sat_s(a, b) = _mm_adds_epi16(a, b);
    i16x8_sub_sat_s(a, b) = _mm_subs_epi16(a, b);
    i16x8_add_sat_u(a, b) = _mm_adds_epu16(a, b);
    i16x8_sub_sat_u(a, b) = _mm_subs_epu16(a, b);
    i16x8_avgr_u(a, b) = _mm_avg_epu16(a, b);
    i16x8_mul(a, b) = _mm_mullo_epi16(a, b);
    i32x4_add(a, b) = _mm_add_epi32(a, b);
    i32x4_sub(a, b) = _mm_sub_epi32(a, b);
    i64x2_add(a, b) = _mm_add_epi64(a, b);
    i64x2_sub(a, b) = _mm_sub_epi64(a, b);

    i8x16_neg(a) = _mm_sub_epi8(_mm_setzero_si128(), a);
    i16x8_neg(a) = _mm_sub_epi16(_mm_setzero_si128(), a);
    i32x4_neg(a) = _mm_sub_epi32(_mm_setzero_si128(), a);
    i64x2_neg(a) = _mm_sub_epi64(_mm_setzero_si128(), a);
    // Of a number and its negative, the positive one is the smaller without signs.
    i8x16_abs(a) = _mm_min_epu8(a, _mm_sub_epi8(_mm_setzero_si128(), a));
    i16x8_abs(a) = _mm_max_epi16(a, _mm_sub_epi16(_mm_setzero_si128(), a));
    i32x4_abs(a) = {
        let sign = _mm_srai_epi32::<31>(a);
        _mm_sub_epi32(_mm_xor_si128(a, sign), sign)
    };
    i64x2_abs(a) = {
        let sign = signs64(a);
        _mm_sub_epi64(_mm_xor_si128(a, sign), sign)
    };
    // Counts of 2 bits each, then of 4, then of 8.
    i8x16_popcnt(a) = {
        let odd = _mm_and_si128(_mm_srli_epi16::<1>(a), _mm_set1_epi8(0x55));
        let pairs = _mm_sub_epi8(a, odd);
        let mask = _mm_set1_epi8(0x33);
        let odd = _mm_and_si128(_mm_srli_epi16::<2>(pairs), mask);
        let fours = _mm_add_epi8(_mm_and_si128(pairs, mask), odd);
        let bytes = _mm_add_epi8(fours, _mm_srli_epi16::<4>(fours));
        _mm_and_si128(bytes, _mm_set1_epi8(0x0f))
    };

    // Products of 64 bits, made of those lanes that stand on even places, and on odd ones.
    i32x4_mul(a, b) = {
        let even = _mm_mul_epu32(a, b);
        let odd = _mm_mul_epu32(_mm_srli_epi64::<32>(a), _mm_srli_epi64::<32>(b));
        let even = _mm_shuffle_epi32::<0b00_00_10_00>(even);
        let odd = _mm_shuffle_epi32::<0b00_00_10_00>(odd);
        _mm_unpacklo_epi32(even, odd)
    };
    // The product of the upper halves lies beyond 64 bits.
    i64x2_mul(a, b) = {
        let upper_a = _mm_mul_epu32(_mm_srli_epi64::<32>(a), b);
        let upper_b = _mm_mul_epu32(a, _mm_srli_epi64::<32>(b));
        let upper = _mm_slli_epi64::<32>(_mm_add_epi64(upper_a, upper_b));
        _mm_add_epi64(_mm_mul_epu32(a, b), upper)
    };
    // Only -1 times -1 is out of range, which the last step saturates.
    i16x8_q15mulr_sat_s(a, b) = {
        let (low, high) = (_mm_mullo_epi16(a, b), _mm_mulhi_epi16(a, b));
        let half = _mm_set1_epi32(0x4000);
        let first = _mm_add_epi32(_mm_unpacklo_epi16(low, high), half);
        let second = _mm_add_epi32(_mm_unpackhi_epi16(low, high), half);
        _mm_packs_epi32(_mm_srai_epi32::<15>(first), _mm_srai_epi32::<15>(second))
    };
    /// Sums of the products of two neighbours each.
    i32x4_dot_i16x8_s(a, b) = _mm_madd_epi16(a, b);
    /// Sums of the products of two neighbours each.
    i16x8_relaxed_dot_i8x16_i7x16_s(a, b) = dot_i8(a, b);
    /// `c` and the sums of the products of four neighbours each, which are made in pairs.
    i32x4_relaxed_dot_i8x16_i7x16_add_s(a, b, c) =
        _mm_add_epi32(c, _mm_madd_epi16(dot_i8(a, b), _mm_set1_epi16(1)));
}

super::helpers! {
    // The upper half of a product of two numbers that are 256 times too large is the product.
    dot_i8(a, b) = {
        let even = _mm_mulhi_epi16(_mm_slli_epi16::<8>(a), _mm_slli_epi16::<8>(b));
        let odd = _mm_mullo_epi16(_mm_srai_epi16::<8>(a), _mm_srai_epi16::<8>(b));
        _mm_add_epi16(even, odd)
    };
    // There are no shifts of bytes: those on even and odd places of wider lanes are shifted apart.
    odd_bytes(a) = _mm_and_si128(a, _mm_set1_epi16(0xff00_u16 as i16));
    even_bytes(a) = _mm_and_si128(a, _mm_set1_epi16(0x00ff));
}

/// Shifts by a number of bits that is taken modulo the lane's width.
macro_rules! shifts {
    ($($name:ident, $width:literal, |$a:ident, $bits:ident| $register:expr;)*) => {$(
        #[inline(always)]
        pub fn $name(a: V128, bits: u32) -> V128 {
            let $a = a.0;
            // SAFETY: every x86-64 has SSE2.
            V128(unsafe {
                let $bits = _mm_cvtsi32_si128((bits % $width) as i32);
                $register
            })
        }
    )*};
}

shifts! {
    i8x16_shl, 8, |a, bits|
        _mm_or_si128(even_bytes(_mm_sll_epi16(a, bits)), _mm_sll_epi16(odd_bytes(a), bits));
    i8x16_shr_s, 8, |a, bits| {
        let even = _mm_sra_epi16(_mm_slli_epi16::<8>(a), bits);
        _mm_or_si128(_mm_srli_epi16::<8>(even), odd_bytes(_mm_sra_epi16(a, bits)))
    };
    i8x16_shr_u, 8, |a, bits|
        _mm_or_si128(_mm_srl_epi16(even_bytes(a), bits), odd_bytes(_mm_srl_epi16(a, bits)));
    i16x8_shl, 16, |a, bits| _mm_sll_epi16(a, bits);
    i16x8_shr_s, 16, |a, bits| _mm_sra_epi16(a, bits);
    i16x8_shr_u, 16, |a, bits| _mm_srl_epi16(a, bits);
    i32x4_shl, 32, |a, bits| _mm_sll_epi32(a, bits);
    i32x4_shr_s, 32, |a, bits| _mm_sra_epi32(a, bits);
    i32x4_shr_u, 32, |a, bits| _mm_srl_epi32(a, bits);
    i64x2_shl, 64, |a, bits| _mm_sll_epi64(a, bits);
    // Zeros are shifted in: of a negative number, the bits are the other way round meanwhile.
    i64x2_shr_s, 64, |a, bits| {
        let sign = signs64(a);
        _mm_xor_si128(_mm_srl_epi64(_mm_xor_si128(a, sign), bits), sign)
    };
    i64x2_shr_u, 64, |a, bits| _mm_srl_epi64(a, bits);
}
