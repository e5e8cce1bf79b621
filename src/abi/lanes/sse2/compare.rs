//! Comparisons of integers, and the smaller and the greater ones.

use super::{helpers, not, registers, select, signs64};
use crate::abi::lanes::vector::V128;
use std::arch::x86_64::*;

helpers! {
    // The processor compares signed numbers. Unsigned ones are in their order once the highest bit
    // is the other way round.
    flip8(a) = _mm_xor_si128(a, _mm_set1_epi8(i8::MIN));
    flip16(a) = _mm_xor_si128(a, _mm_set1_epi16(i16::MIN));
    flip32(a) = _mm_xor_si128(a, _mm_set1_epi32(i32::MIN));
    less_u8(a, b) = _mm_cmplt_epi8(flip8(a), flip8(b));
    less_u16(a, b) = _mm_cmplt_epi16(flip16(a), flip16(b));
    less_u32(a, b) = _mm_cmplt_epi32(flip32(a), flip32(b));
    equal64(a, b) = {
        let halves = _mm_cmpeq_epi32(a, b);
        _mm_and_si128(halves, _mm_shuffle_epi32::<0b10_11_00_01>(halves))
    };
    // The difference has the sign unless it overflows, which numbers of one sign do not.
    less64(a, b) = {
        let one_sign = _mm_andnot_si128(_mm_xor_si128(a, b), _mm_sub_epi64(a, b));
        signs64(_mm_or_si128(one_sign, _mm_andnot_si128(b, a)))
    };
}

registers! {
    i8x16_eq(a, b) = _mm_cmpeq_epi8(a, b);
    i8x16_ne(a, b) = not(_mm_cmpeq_epi8(a, b));
    i8x16_lt_s(a, b) = _mm_cmplt_epi8(a, b);
    i8x16_lt_u(a, b) = less_u8(a, b);
    i8x16_le_s(a, b) = not(_mm_cmpgt_epi8(a, b));
    i8x16_le_u(a, b) = _mm_cmpeq_epi8(_mm_min_epu8(a, b), a);
    i16x8_eq(a, b) = _mm_cmpeq_epi16(a, b);
    i16x8_ne(a, b) = not(_mm_cmpeq_epi16(a, b));
    i16x8_lt_s(a, b) = _mm_cmplt_epi16(a, b);
    i16x8_lt_u(a, b) = less_u16(a, b);
    i16x8_le_s(a, b) = _mm_cmpeq_epi16(_mm_min_epi16(a, b), a);
    i16x8_le_u(a, b) = _mm_cmpeq_epi16(_mm_subs_epu16(a, b), _mm_setzero_si128());
    i32x4_eq(a, b) = _mm_cmpeq_epi32(a, b);
    i32x4_ne(a, b) = not(_mm_cmpeq_epi32(a, b));
    i32x4_lt_s(a, b) = _mm_cmplt_epi32(a, b);
    i32x4_lt_u(a, b) = less_u32(a, b);
    i32x4_le_s(a, b) = not(_mm_cmpgt_epi32(a, b));
    i32x4_le_u(a, b) = not(less_u32(b, a));
    i64x2_eq(a, b) = equal64(a, b);
    i64x2_ne(a, b) = not(equal64(a, b));
    i64x2_lt_s(a, b) = less64(a, b);
    i64x2_le_s(a, b) = not(less64(b, a));
    i8x16_min_s(a, b) = select(_mm_cmplt_epi8(a, b), a, b);
    i8x16_max_s(a, b) = select(_mm_cmpgt_epi8(a, b), a, b);
    i8x16_min_u(a, b) = _mm_min_epu8(a, b);
    i8x16_max_u(a, b) = _mm_max_epu8(a, b);
    i16x8_min_s(a, b) = _mm_min_epi16(a, b);
    i16x8_max_s(a, b) = _mm_max_epi16(a, b);
    i16x8_min_u(a, b) = _mm_sub_epi16(a, _mm_subs_epu16(a, b));
    i16x8_max_u(a, b) = _mm_add_epi16(b, _mm_subs_epu16(a, b));
    i32x4_min_s(a, b) = select(_mm_cmplt_epi32(a, b), a, b);
    i32x4_max_s(a, b) = select(_mm_cmpgt_epi32(a, b), a, b);
    i32x4_min_u(a, b) = select(less_u32(a, b), a, b);
    i32x4_max_u(a, b) = select(less_u32(b, a), a, b);
}

macro_rules! all_true {
    ($($name:ident, $equal:ident;)*) => {$(
        /// 1 if no lane is zero, else 0.
        #[inline(always)]
        pub fn $name(a: V128) -> u32 {
            // SAFETY: every x86-64 has SSE2.
            unsafe { u32::from(_mm_movemask_epi8($equal(a.0, _mm_setzero_si128())) == 0) }
        }
    )*};
}

all_true! {
    i8x16_all_true, _mm_cmpeq_epi8;
    i16x8_all_true, _mm_cmpeq_epi16;
    i32x4_all_true, _mm_cmpeq_epi32;
    i64x2_all_true, equal64;
}

/// 1 if any bit is set, else 0.
#[inline(always)]
pub fn v128_any_true(a: V128) -> u32 {
    // SAFETY: every x86-64 has SSE2.
    unsafe { u32::from(_mm_movemask_epi8(_mm_cmpeq_epi8(a.0, _mm_setzero_si128())) != 0xffff) }
}

macro_rules! bitmasks {
    ($($name:ident, |$a:ident| $mask:expr;)*) => {$(
        /// The lanes' signs, that of lane 0 lowest.
        #[inline(always)]
        pub fn $name(a: V128) -> u32 {
            let $a = a.0;
            // SAFETY: every x86-64 has SSE2.
            (unsafe { $mask }) as u32
        }
    )*};
}

bitmasks! {
    i8x16_bitmask, |a| _mm_movemask_epi8(a);
    i16x8_bitmask, |a| _mm_movemask_epi8(_mm_packs_epi16(a, _mm_setzero_si128()));
    i32x4_bitmask, |a| _mm_movemask_ps(_mm_castsi128_ps(a));
    i64x2_bitmask, |a| _mm_movemask_pd(_mm_castsi128_pd(a));
}
