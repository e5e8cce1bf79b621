//! Integers from and to floating-point numbers.

use super::{Lane, join, lanewise};
use crate::abi::lanes::vector::V128;

lanewise! {
    i32x4_trunc_sat_f32x4_s, f32 => i32, |a| a as i32;
    i32x4_trunc_sat_f32x4_u, f32 => u32, |a| a as u32;
    f32x4_convert_i32x4_s, i32 => f32, |a| a as f32;
    f32x4_convert_i32x4_u, u32 => f32, |a| a as f32;
}

macro_rules! halving {
    ($($name:ident, $result:ty;)*) => {$(
        /// From both lanes of 64 bits; the upper two of 32 are zero.
        #[inline(always)]
        pub fn $name(a: V128) -> V128 {
            let a = f64::split(a);
            join!($result, |at| if at < 2 { a[at] as $result } else { <$result>::default() })
        }
    )*};
}

halving! {
    i32x4_trunc_sat_f64x2_s_zero, i32;
    i32x4_trunc_sat_f64x2_u_zero, u32;
    f32x4_demote_f64x2_zero, f32;
}

macro_rules! widening {
    ($($name:ident, $ty:ty;)*) => {$(
        /// From the lower two lanes of 32 bits.
        #[inline(always)]
        pub fn $name(a: V128) -> V128 {
            let a = <$ty>::split(a);
            join!(f64, |at| f64::from(a[at]))
        }
    )*};
}

widening! {
    f64x2_convert_low_i32x4_s, i32;
    f64x2_convert_low_i32x4_u, u32;
    f64x2_promote_low_f32x4, f32;
}
