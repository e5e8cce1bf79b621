//! Numeric semantics of the specification that Rust's operators do not give as they stand.
//!
//! Shared by the interpreter, constant folding and helpers of compiled code, so that there is
//! one meaning of each instruction (WebAssembly 2.0, section 4.3).

use super::trap::Trap;

macro_rules! int_division {
    ($signed:ty, $unsigned:ty, $div_s:ident, $div_u:ident, $rem_s:ident, $rem_u:ident) => {
        #[inline(always)]
        pub fn $div_s(a: $signed, b: $signed) -> Result<$signed, Trap> {
            if b == 0 {
                return Err(Trap::IntegerDivideByZero);
            }
            a.checked_div(b).ok_or(Trap::IntegerOverflow)
        }

        #[inline(always)]
        pub fn $div_u(a: $unsigned, b: $unsigned) -> Result<$unsigned, Trap> {
            a.checked_div(b).ok_or(Trap::IntegerDivideByZero)
        }

        #[inline(always)]
        pub fn $rem_s(a: $signed, b: $signed) -> Result<$signed, Trap> {
            if b == 0 {
                return Err(Trap::IntegerDivideByZero);
            }
            Ok(a.wrapping_rem(b))
        }

        #[inline(always)]
        pub fn $rem_u(a: $unsigned, b: $unsigned) -> Result<$unsigned, Trap> {
            a.checked_rem(b).ok_or(Trap::IntegerDivideByZero)
        }
    };
}

int_division!(i32, u32, i32_div_s, i32_div_u, i32_rem_s, i32_rem_u);
int_division!(i64, u64, i64_div_s, i64_div_u, i64_rem_s, i64_rem_u);

/// A 128-bit number as two of 64 bits, the low half first.
pub type Halves = [u64; 2];

#[inline(always)]
fn whole([low, high]: Halves) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

#[inline(always)]
fn halves(whole: u128) -> Halves {
    [whole as u64, (whole >> 64) as u64]
}

#[inline(always)]
pub fn i64_add128(a: Halves, b: Halves) -> Halves {
    halves(whole(a).wrapping_add(whole(b)))
}

#[inline(always)]
pub fn i64_sub128(a: Halves, b: Halves) -> Halves {
    halves(whole(a).wrapping_sub(whole(b)))
}

#[inline(always)]
pub fn i64_mul_wide_s(a: i64, b: i64) -> Halves {
    // Never overflows: the product of two numbers of 64 bits has at most 127 and a sign.
    halves(i128::from(a).wrapping_mul(i128::from(b)) as u128)
}

#[inline(always)]
pub fn i64_mul_wide_u(a: u64, b: u64) -> Halves {
    halves(u128::from(a).wrapping_mul(u128::from(b)))
}

macro_rules! float_ops {
    ($float:ty, $bits:ty, $min:ident, $max:ident, $copysign:ident) => {
        /// NaN if either operand is; -0 is smaller than +0.
        #[inline(always)]
        pub fn $min(a: $float, b: $float) -> $float {
            if a < b {
                a
            } else if b < a {
                b
            } else if a == b {
                <$float>::from_bits(a.to_bits() | b.to_bits())
            } else {
                a + b
            }
        }

        /// NaN if either operand is; +0 is greater than -0.
        #[inline(always)]
        pub fn $max(a: $float, b: $float) -> $float {
            if a > b {
                a
            } else if b > a {
                b
            } else if a == b {
                <$float>::from_bits(a.to_bits() & b.to_bits())
            } else {
                a + b
            }
        }

        #[inline(always)]
        pub fn $copysign(a: $float, b: $float) -> $float {
            let sign = 1 << (<$bits>::BITS - 1);
            <$float>::from_bits((a.to_bits() & !sign) | (b.to_bits() & sign))
        }
    };
}

/// A NaN operand comes back as a quiet NaN.
macro_rules! quiet {
    ($float:ty, $bits:ty, $a:ident, $result:expr) => {
        if $a.is_nan() {
            <$float>::from_bits($a.to_bits() | 1 << (<$float>::MANTISSA_DIGITS - 2))
        } else {
            $result
        }
    };
}

float_ops!(f32, u32, f32_min, f32_max, f32_copysign);
float_ops!(f64, u64, f64_min, f64_max, f64_copysign);

/// Rounding without the C library: the interpreter's leaves call nothing. From `$whole` on every
/// number is whole. Below it numbers fit into `$int`, and adding `$whole` leaves no bits for a
/// fraction, so that the processor rounds half to even. A result has its operand's sign, zeros
/// included.
macro_rules! rounding {
    ($float:ty, $bits:ty, $int:ty, $whole:expr, $copysign:ident;
     $($name:ident, |$a:ident, $truncated:ident| $rounded:expr;)*) => {$(
        #[inline(always)]
        pub fn $name($a: $float) -> $float {
            if $a.abs() < $whole {
                // SAFETY: such a number fits.
                let $truncated = unsafe { $a.to_int_unchecked::<$int>() } as $float;
                $copysign($rounded, $a)
            } else {
                quiet!($float, $bits, $a, $a)
            }
        }
    )*};
}

rounding! {
    f32, u32, i32, 8388608.0, f32_copysign;
    f32_ceil, |a, truncated| truncated + f32::from((truncated < a) as u8);
    f32_floor, |a, truncated| truncated - f32::from((truncated > a) as u8);
    f32_trunc, |a, truncated| truncated;
    f32_nearest, |a, _truncated| (a.abs() + 8388608.0) - 8388608.0;
}

rounding! {
    f64, u64, i64, 4503599627370496.0, f64_copysign;
    f64_ceil, |a, truncated| truncated + f64::from((truncated < a) as u8);
    f64_floor, |a, truncated| truncated - f64::from((truncated > a) as u8);
    f64_trunc, |a, truncated| truncated;
    f64_nearest, |a, _truncated| (a.abs() + 4503599627370496.0) - 4503599627370496.0;
}

#[inline(always)]
pub fn f32_sqrt(a: f32) -> f32 {
    quiet!(f32, u32, a, a.sqrt())
}

#[inline(always)]
pub fn f64_sqrt(a: f64) -> f64 {
    quiet!(f64, u64, a, a.sqrt())
}

macro_rules! truncations {
    ($($name:ident, $float:ty => $int:ty, $above:expr, $below:expr;)*) => {$(
        /// Traps for NaN and for values outside the target's range.
        #[inline(always)]
        pub fn $name(a: $float) -> Result<$int, Trap> {
            // Both bounds are exact in the float type, so the comparison decides exactly.
            if a > $above && a < $below {
                Ok(a as $int)
            } else if a.is_nan() {
                Err(Trap::InvalidConversion)
            } else {
                Err(Trap::IntegerOverflow)
            }
        }
    )*};
}

truncations! {
    i32_trunc_f32_s, f32 => i32, -2147483904.0, 2147483648.0;
    i32_trunc_f32_u, f32 => u32, -1.0, 4294967296.0;
    i32_trunc_f64_s, f64 => i32, -2147483649.0, 2147483648.0;
    i32_trunc_f64_u, f64 => u32, -1.0, 4294967296.0;
    i64_trunc_f32_s, f32 => i64, -9223373136366403584.0, 9223372036854775808.0;
    i64_trunc_f32_u, f32 => u64, -1.0, 18446744073709551616.0;
    i64_trunc_f64_s, f64 => i64, -9223372036854777856.0, 9223372036854775808.0;
    i64_trunc_f64_u, f64 => u64, -1.0, 18446744073709551616.0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_edges() {
        assert_eq!(i32_div_s(i32::MIN, -1), Err(Trap::IntegerOverflow));
        assert_eq!(i32_rem_s(i32::MIN, -1), Ok(0));
        assert_eq!(i64_div_u(1, 0), Err(Trap::IntegerDivideByZero));
    }

    #[test]
    fn halves_carry_and_borrow() {
        assert_eq!(i64_add128([u64::MAX, 1], [1, 2]), [0, 4]);
        assert_eq!(i64_add128([u64::MAX, u64::MAX], [1, 0]), [0, 0]);
        assert_eq!(i64_sub128([0, 5], [1, 2]), [u64::MAX, 2]);
        assert_eq!(i64_sub128([0, 0], [1, 0]), [u64::MAX, u64::MAX]);
        assert_eq!(i64_mul_wide_s(-1, 1), [u64::MAX, u64::MAX]);
        assert_eq!(i64_mul_wide_s(i64::MIN, i64::MIN), [0, 1 << 62]);
        assert_eq!(i64_mul_wide_u(u64::MAX, u64::MAX), [1, u64::MAX - 1]);
    }

    #[test]
    fn zeros_and_nans() {
        assert_eq!(f32_min(0.0, -0.0).to_bits(), (-0.0f32).to_bits());
        assert_eq!(f64_max(-0.0, 0.0).to_bits(), 0);
        assert!(f32_min(f32::NAN, 1.0).is_nan());
        assert_eq!(f32_nearest(2.5), 2.0);
    }

    #[test]
    fn truncation_edges() {
        assert_eq!(i32_trunc_f32_s(-2147483648.0), Ok(i32::MIN));
        assert_eq!(i32_trunc_f32_s(2147483648.0), Err(Trap::IntegerOverflow));
        assert_eq!(i32_trunc_f64_s(-2147483648.9), Ok(i32::MIN));
        assert_eq!(i32_trunc_f64_u(-0.9), Ok(0));
        assert_eq!(i64_trunc_f64_s(-9223372036854775808.0), Ok(i64::MIN));
        assert_eq!(i64_trunc_f32_u(f32::NAN), Err(Trap::InvalidConversion));
    }
}
