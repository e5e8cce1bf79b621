//! Floating-point numbers.

use super::{Lane, comparisons, join, lanewise};
use crate::abi::lanes::vector::V128;
use crate::abi::wasm_ops;

comparisons! {
    f32x4_eq, f32 => i32, |a, b| a == b;
    f32x4_ne, f32 => i32, |a, b| a != b;
    f32x4_lt, f32 => i32, |a, b| a < b;
    f32x4_le, f32 => i32, |a, b| a <= b;
    f64x2_eq, f64 => i64, |a, b| a == b;
    f64x2_ne, f64 => i64, |a, b| a != b;
    f64x2_lt, f64 => i64, |a, b| a < b;
    f64x2_le, f64 => i64, |a, b| a <= b;
}

lanewise! {
    f32x4_add, f32 => f32, |a, b| a + b;
    f32x4_sub, f32 => f32, |a, b| a - b;
    f32x4_mul, f32 => f32, |a, b| a * b;
    f32x4_div, f32 => f32, |a, b| a / b;
    f32x4_min, f32 => f32, |a, b| wasm_ops::f32_min(a, b);
    f32x4_max, f32 => f32, |a, b| wasm_ops::f32_max(a, b);
    f64x2_add, f64 => f64, |a, b| a + b;
    f64x2_sub, f64 => f64, |a, b| a - b;
    f64x2_mul, f64 => f64, |a, b| a * b;
    f64x2_div, f64 => f64, |a, b| a / b;
    f64x2_min, f64 => f64, |a, b| wasm_ops::f64_min(a, b);
    f64x2_max, f64 => f64, |a, b| wasm_ops::f64_max(a, b);
}

/// One of two numbers with all its bits, NaNs included.
macro_rules! selections {
    ($($name:ident, $float:ty, $bits:ty, |$a:ident, $b:ident| $takes_b:expr;)*) => {$(
        #[inline(always)]
        pub fn $name(a: V128, b: V128) -> V128 {
            let (a, b) = (<$bits>::split(a), <$bits>::split(b));
            join!($bits, |at| {
                let ($a, $b) = (<$float>::from_bits(a[at]), <$float>::from_bits(b[at]));
                if $takes_b { b[at] } else { a[at] }
            })
        }
    )*};
}

selections! {
    f32x4_pmin, f32, u32, |a, b| b < a;
    f32x4_pmax, f32, u32, |a, b| a < b;
    f64x2_pmin, f64, u64, |a, b| b < a;
    f64x2_pmax, f64, u64, |a, b| a < b;
}

lanewise! {
    f32x4_abs, u32 => u32, |a| a & !(1 << 31);
    f32x4_neg, u32 => u32, |a| a ^ (1 << 31);
    f32x4_sqrt, f32 => f32, |a| wasm_ops::f32_sqrt(a);
    f32x4_ceil, f32 => f32, |a| wasm_ops::f32_ceil(a);
    f32x4_floor, f32 => f32, |a| wasm_ops::f32_floor(a);
    f32x4_trunc, f32 => f32, |a| wasm_ops::f32_trunc(a);
    f32x4_nearest, f32 => f32, |a| wasm_ops::f32_nearest(a);
    f64x2_abs, u64 => u64, |a| a & !(1 << 63);
    f64x2_neg, u64 => u64, |a| a ^ (1 << 63);
    f64x2_sqrt, f64 => f64, |a| wasm_ops::f64_sqrt(a);
    f64x2_ceil, f64 => f64, |a| wasm_ops::f64_ceil(a);
    f64x2_floor, f64 => f64, |a| wasm_ops::f64_floor(a);
    f64x2_trunc, f64 => f64, |a| wasm_ops::f64_trunc(a);
    f64x2_nearest, f64 => f64, |a| wasm_ops::f64_nearest(a);
}

/// A product and a sum, each of which is rounded.
macro_rules! multiply_add {
    ($($name:ident, $float:ty, |$product:ident, $c:ident| $value:expr;)*) => {$(
        #[inline(always)]
        pub fn $name(a: V128, b: V128, c: V128) -> V128 {
            let (a, b, c) = (<$float>::split(a), <$float>::split(b), <$float>::split(c));
            join!($float, |at| {
                let ($product, $c) = (a[at] * b[at], c[at]);
                $value
            })
        }
    )*};
}

multiply_add! {
    f32x4_relaxed_madd, f32, |product, c| product + c;
    f32x4_relaxed_nmadd, f32, |product, c| -product + c;
    f64x2_relaxed_madd, f64, |product, c| product + c;
    f64x2_relaxed_nmadd, f64, |product, c| -product + c;
}
