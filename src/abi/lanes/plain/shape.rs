//! Lanes of other widths, and lanes in other places.

use super::{Lane, join};
use crate::abi::lanes::vector::V128;

macro_rules! splats {
    ($($name:ident, $value:ty => $ty:ty;)*) => {$(
        /// The vector whose lanes are all the same.
        #[inline(always)]
        pub fn $name(value: $value) -> V128 {
            join!($ty, |at| value as $ty)
        }
    )*};
}

splats! {
    i8x16_splat, u32 => u8;
    i16x8_splat, u32 => u16;
    i32x4_splat, u32 => u32;
    i64x2_splat, u64 => u64;
    f32x4_splat, f32 => f32;
    f64x2_splat, f64 => f64;
}

/// The half is the number of its first lane.
macro_rules! extensions {
    ($($extend:ident, $extmul:ident, $ty:ty => $wide:ty, $half:expr;)*) => {$(
        /// One half's lanes, each twice as wide.
        #[inline(always)]
        pub fn $extend(a: V128) -> V128 {
            let a = <$ty>::split(a);
            join!($wide, |at| <$wide>::from(a[$half + at]))
        }

        /// The products of one half's lanes, for which the wider lanes have room.
        #[inline(always)]
        pub fn $extmul(a: V128, b: V128) -> V128 {
            let (a, b) = (<$ty>::split(a), <$ty>::split(b));
            join!($wide, |at| <$wide>::from(a[$half + at]) * <$wide>::from(b[$half + at]))
        }
    )*};
}

extensions! {
    i16x8_extend_low_i8x16_s, i16x8_extmul_low_i8x16_s, i8 => i16, 0;
    i16x8_extend_low_i8x16_u, i16x8_extmul_low_i8x16_u, u8 => u16, 0;
    i16x8_extend_high_i8x16_s, i16x8_extmul_high_i8x16_s, i8 => i16, 8;
    i16x8_extend_high_i8x16_u, i16x8_extmul_high_i8x16_u, u8 => u16, 8;
    i32x4_extend_low_i16x8_s, i32x4_extmul_low_i16x8_s, i16 => i32, 0;
    i32x4_extend_low_i16x8_u, i32x4_extmul_low_i16x8_u, u16 => u32, 0;
    i32x4_extend_high_i16x8_s, i32x4_extmul_high_i16x8_s, i16 => i32, 4;
    i32x4_extend_high_i16x8_u, i32x4_extmul_high_i16x8_u, u16 => u32, 4;
    i64x2_extend_low_i32x4_s, i64x2_extmul_low_i32x4_s, i32 => i64, 0;
    i64x2_extend_low_i32x4_u, i64x2_extmul_low_i32x4_u, u32 => u64, 0;
    i64x2_extend_high_i32x4_s, i64x2_extmul_high_i32x4_s, i32 => i64, 2;
    i64x2_extend_high_i32x4_u, i64x2_extmul_high_i32x4_u, u32 => u64, 2;
}

macro_rules! pairwise_sums {
    ($($name:ident, $ty:ty => $wide:ty;)*) => {$(
        /// The sums of two neighbours each, for which the wider lanes have room.
        #[inline(always)]
        pub fn $name(a: V128) -> V128 {
            let a = <$ty>::split(a);
            join!($wide, |at| <$wide>::from(a[2 * at]) + <$wide>::from(a[2 * at + 1]))
        }
    )*};
}

pairwise_sums! {
    i16x8_extadd_pairwise_i8x16_s, i8 => i16;
    i16x8_extadd_pairwise_i8x16_u, u8 => u16;
    i32x4_extadd_pairwise_i16x8_s, i16 => i32;
    i32x4_extadd_pairwise_i16x8_u, u16 => u32;
}

macro_rules! narrowings {
    ($($name:ident, $ty:ty => $narrow:ty;)*) => {$(
        /// The lanes of both, half as wide; each becomes the closest number there is.
        #[inline(always)]
        pub fn $name(a: V128, b: V128) -> V128 {
            let (a, b) = (<$ty>::split(a), <$ty>::split(b));
            let count = <$ty>::COUNT;
            join!($narrow, |at| {
                let wide = if at < count { a[at] } else { b[at - count] };
                wide.clamp(<$narrow>::MIN.into(), <$narrow>::MAX.into()) as $narrow
            })
        }
    )*};
}

narrowings! {
    i8x16_narrow_i16x8_s, i16 => i8;
    i8x16_narrow_i16x8_u, i16 => u8;
    i16x8_narrow_i32x4_s, i32 => i16;
    i16x8_narrow_i32x4_u, i32 => u16;
}

/// Bytes of `a` by their numbers in `indices`; zero where there is no such byte.
#[inline(always)]
pub fn i8x16_swizzle(a: V128, indices: V128) -> V128 {
    #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
    // SAFETY: every AArch64 that Rust's targets are for has NEON.
    return V128(unsafe { std::arch::aarch64::vqtbl1q_u8(a.0, indices.0) });
    #[cfg(not(all(target_arch = "aarch64", target_endian = "little")))]
    {
        let (a, indices) = (a.to_bytes(), indices.to_bytes());
        join!(u8, |at| {
            let index = indices[at];
            a[usize::from(index & 15)] & (u8::from(index >= 16).wrapping_sub(1))
        })
    }
}

/// Defines the extending loads by the functions of the module around it.
macro_rules! extending_loads {
    ($($name:ident, $extend:ident;)+) => {$(
        /// Eight bytes of memory, of which each lane becomes twice as wide.
        #[inline(always)]
        pub fn $name(bytes: u64) -> V128 {
            $extend(V128::from_u64x2([bytes, 0]))
        }
    )+};
    () => {
        $crate::abi::lanes::plain::extending_loads! {
            v128_load8x8_s, i16x8_extend_low_i8x16_s;
            v128_load8x8_u, i16x8_extend_low_i8x16_u;
            v128_load16x4_s, i32x4_extend_low_i16x8_s;
            v128_load16x4_u, i32x4_extend_low_i16x8_u;
            v128_load32x2_s, i64x2_extend_low_i32x4_s;
            v128_load32x2_u, i64x2_extend_low_i32x4_u;
        }
    };
}
pub(in crate::abi::lanes) use extending_loads;

extending_loads!();

/// The lowest lane of 32 bits; the others are zero.
#[inline(always)]
pub fn v128_load32_zero(bytes: u32) -> V128 {
    V128::from_u64x2([bytes.into(), 0])
}

/// The lower lane of 64 bits; the other is zero.
#[inline(always)]
pub fn v128_load64_zero(bytes: u64) -> V128 {
    V128::from_u64x2([bytes, 0])
}
