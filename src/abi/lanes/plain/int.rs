//! Integers, and bits.

use super::{Lane, comparisons, join, lanewise};
use crate::abi::lanes::vector::V128;

comparisons! {
    i8x16_eq, i8 => i8, |a, b| a == b;
    i8x16_ne, i8 => i8, |a, b| a != b;
    i8x16_lt_s, i8 => i8, |a, b| a < b;
    i8x16_lt_u, u8 => i8, |a, b| a < b;
    i8x16_le_s, i8 => i8, |a, b| a <= b;
    i8x16_le_u, u8 => i8, |a, b| a <= b;
    i16x8_eq, i16 => i16, |a, b| a == b;
    i16x8_ne, i16 => i16, |a, b| a != b;
    i16x8_lt_s, i16 => i16, |a, b| a < b;
    i16x8_lt_u, u16 => i16, |a, b| a < b;
    i16x8_le_s, i16 => i16, |a, b| a <= b;
    i16x8_le_u, u16 => i16, |a, b| a <= b;
    i32x4_eq, i32 => i32, |a, b| a == b;
    i32x4_ne, i32 => i32, |a, b| a != b;
    i32x4_lt_s, i32 => i32, |a, b| a < b;
    i32x4_lt_u, u32 => i32, |a, b| a < b;
    i32x4_le_s, i32 => i32, |a, b| a <= b;
    i32x4_le_u, u32 => i32, |a, b| a <= b;
    i64x2_eq, i64 => i64, |a, b| a == b;
    i64x2_ne, i64 => i64, |a, b| a != b;
    i64x2_lt_s, i64 => i64, |a, b| a < b;
    i64x2_le_s, i64 => i64, |a, b| a <= b;
}

lanewise! {
    v128_and, u64 => u64, |a, b| a & b;
    v128_andnot, u64 => u64, |a, b| a & !b;
    v128_or, u64 => u64, |a, b| a | b;
    v128_xor, u64 => u64, |a, b| a ^ b;
    i8x16_add, u8 => u8, |a, b| a.wrapping_add(b);
    i8x16_sub, u8 => u8, |a, b| a.wrapping_sub(b);
    i8x16_add_sat_s, i8 => i8, |a, b| a.saturating_add(b);
    i8x16_sub_sat_s, i8 => i8, |a, b| a.saturating_sub(b);
    i8x16_add_sat_u, u8 => u8, |a, b| a.saturating_add(b);
    i8x16_sub_sat_u, u8 => u8, |a, b| a.saturating_sub(b);
    i8x16_avgr_u, u8 => u8, |a, b| ((u16::from(a) + u16::from(b) + 1) >> 1) as u8;
    i8x16_min_s, i8 => i8, |a, b| a.min(b);
    i8x16_max_s, i8 => i8, |a, b| a.max(b);
    i8x16_min_u, u8 => u8, |a, b| a.min(b);
    i8x16_max_u, u8 => u8, |a, b| a.max(b);
    i16x8_add, u16 => u16, |a, b| a.wrapping_add(b);
    i16x8_sub, u16 => u16, |a, b| a.wrapping_sub(b);
    i16x8_add_sat_s, i16 => i16, |a, b| a.saturating_add(b);
    i16x8_sub_sat_s, i16 => i16, |a, b| a.saturating_sub(b);
    i16x8_add_sat_u, u16 => u16, |a, b| a.saturating_add(b);
    i16x8_sub_sat_u, u16 => u16, |a, b| a.saturating_sub(b);
    i16x8_avgr_u, u16 => u16, |a, b| ((u32::from(a) + u32::from(b) + 1) >> 1) as u16;
    i16x8_mul, u16 => u16, |a, b| a.wrapping_mul(b);
    i16x8_min_s, i16 => i16, |a, b| a.min(b);
    i16x8_max_s, i16 => i16, |a, b| a.max(b);
    i16x8_min_u, u16 => u16, |a, b| a.min(b);
    i16x8_max_u, u16 => u16, |a, b| a.max(b);
    // Only -1 times -1 is out of range.
    i16x8_q15mulr_sat_s, i16 => i16, |a, b|
        ((i32::from(a) * i32::from(b) + 0x4000) >> 15).min(i16::MAX.into()) as i16;
    i32x4_add, u32 => u32, |a, b| a.wrapping_add(b);
    i32x4_sub, u32 => u32, |a, b| a.wrapping_sub(b);
    i32x4_mul, u32 => u32, |a, b| a.wrapping_mul(b);
    i32x4_min_s, i32 => i32, |a, b| a.min(b);
    i32x4_max_s, i32 => i32, |a, b| a.max(b);
    i32x4_min_u, u32 => u32, |a, b| a.min(b);
    i32x4_max_u, u32 => u32, |a, b| a.max(b);
    i64x2_add, u64 => u64, |a, b| a.wrapping_add(b);
    i64x2_sub, u64 => u64, |a, b| a.wrapping_sub(b);
    i64x2_mul, u64 => u64, |a, b| a.wrapping_mul(b);
}

lanewise! {
    v128_not, u64 => u64, |a| !a;
    i8x16_abs, i8 => i8, |a| a.wrapping_abs();
    i8x16_neg, i8 => i8, |a| a.wrapping_neg();
    i8x16_popcnt, u8 => u8, |a| a.count_ones() as u8;
    i16x8_abs, i16 => i16, |a| a.wrapping_abs();
    i16x8_neg, i16 => i16, |a| a.wrapping_neg();
    i32x4_abs, i32 => i32, |a| a.wrapping_abs();
    i32x4_neg, i32 => i32, |a| a.wrapping_neg();
    i64x2_abs, i64 => i64, |a| a.wrapping_abs();
    i64x2_neg, i64 => i64, |a| a.wrapping_neg();
}

/// Shifts by a number of bits that is taken modulo the lane's width.
macro_rules! shifts {
    ($($name:ident, $ty:ty, $method:ident;)*) => {$(
        #[inline(always)]
        pub fn $name(a: V128, bits: u32) -> V128 {
            let a = <$ty>::split(a);
            join!($ty, |at| a[at].$method(bits))
        }
    )*};
}

shifts! {
    i8x16_shl, u8, wrapping_shl;
    i8x16_shr_s, i8, wrapping_shr;
    i8x16_shr_u, u8, wrapping_shr;
    i16x8_shl, u16, wrapping_shl;
    i16x8_shr_s, i16, wrapping_shr;
    i16x8_shr_u, u16, wrapping_shr;
    i32x4_shl, u32, wrapping_shl;
    i32x4_shr_s, i32, wrapping_shr;
    i32x4_shr_u, u32, wrapping_shr;
    i64x2_shl, u64, wrapping_shl;
    i64x2_shr_s, i64, wrapping_shr;
    i64x2_shr_u, u64, wrapping_shr;
}

/// Bits of `a` where the mask has ones, those of `b` elsewhere.
#[inline(always)]
pub fn v128_bitselect(a: V128, b: V128, mask: V128) -> V128 {
    let (a, b, mask) = (u64::split(a), u64::split(b), u64::split(mask));
    join!(u64, |at| (a[at] & mask[at]) | (b[at] & !mask[at]))
}

/// Sums of the products of two neighbours each.
#[inline(always)]
pub fn i32x4_dot_i16x8_s(a: V128, b: V128) -> V128 {
    let (a, b) = (i16::split(a), i16::split(b));
    join!(i32, |at| {
        let even = i32::from(a[2 * at]) * i32::from(b[2 * at]);
        let odd = i32::from(a[2 * at + 1]) * i32::from(b[2 * at + 1]);
        even.wrapping_add(odd)
    })
}

/// Sums of the products of two neighbours each.
#[inline(always)]
pub fn i16x8_relaxed_dot_i8x16_i7x16_s(a: V128, b: V128) -> V128 {
    let (a, b) = (i8::split(a), i8::split(b));
    join!(i16, |at| {
        let even = i16::from(a[2 * at]) * i16::from(b[2 * at]);
        let odd = i16::from(a[2 * at + 1]) * i16::from(b[2 * at + 1]);
        even.wrapping_add(odd)
    })
}

/// `c` and the sums of the products of four neighbours each, which are made in pairs.
#[inline(always)]
pub fn i32x4_relaxed_dot_i8x16_i7x16_add_s(a: V128, b: V128, c: V128) -> V128 {
    let (sums, c) = (i16::split(i16x8_relaxed_dot_i8x16_i7x16_s(a, b)), i32::split(c));
    join!(i32, |at| {
        let pair = i32::from(sums[2 * at]) + i32::from(sums[2 * at + 1]);
        pair.wrapping_add(c[at])
    })
}

/// 1 if any bit is set, else 0.
#[inline(always)]
pub fn v128_any_true(a: V128) -> u32 {
    let a = u64::split(a);
    u32::from(a[0] | a[1] != 0)
}

macro_rules! all_true {
    ($($name:ident, $ty:ty;)*) => {$(
        /// 1 if no lane is zero, else 0.
        #[inline(always)]
        pub fn $name(a: V128) -> u32 {
            let a = <$ty>::split(a);
            let (mut all, mut at) = (true, 0);
            while at < <$ty>::COUNT {
                all &= a[at] != 0;
                at += 1;
            }
            u32::from(all)
        }
    )*};
}

all_true! { i8x16_all_true, u8; i16x8_all_true, u16; i32x4_all_true, u32; i64x2_all_true, u64; }

/// The lanes' signs, that of lane 0 lowest.
#[inline(always)]
pub fn i8x16_bitmask(a: V128) -> u32 {
    // The product gathers the signs of eight bytes in the highest byte.
    let (mut mask, halves) = (0, u64::split(a));
    let mut at = 0;
    while at < 2 {
        let signs = halves[at] & 0x8080_8080_8080_8080;
        mask |= (signs.wrapping_mul(0x0002_0408_1020_4081) >> 56) << (8 * at);
        at += 1;
    }
    mask as u32
}

macro_rules! bitmask {
    ($($name:ident, $ty:ty;)*) => {$(
        /// The lanes' signs, that of lane 0 lowest.
        #[inline(always)]
        pub fn $name(a: V128) -> u32 {
            let a = <$ty>::split(a);
            let (mut mask, mut at) = (0, 0);
            while at < <$ty>::COUNT {
                mask |= u32::from(a[at] < 0) << at;
                at += 1;
            }
            mask
        }
    )*};
}

bitmask! { i16x8_bitmask, i16; i32x4_bitmask, i32; i64x2_bitmask, i64; }
