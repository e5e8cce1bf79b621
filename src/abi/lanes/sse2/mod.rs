//! All operations in the instructions of every x86-64.
//!
//! It knows no newer instructions; `avx` has those. Control enters at each function.

mod compare;
mod convert;
mod float;
mod int;
mod shape;

pub use compare::*;
pub use convert::*;
pub use float::*;
pub use int::*;
pub use shape::*;

use std::arch::x86_64::*;

/// Functions of vectors that are functions of registers: `name(operands) = register;`.
macro_rules! registers {
    ($($(#[$doc:meta])* $name:ident($($a:ident),*) = $register:expr;)*) => {$(
        $(#[$doc])*
        #[inline(always)]
        pub fn $name($($a: V128),*) -> V128 {
            $(let $a = $a.0;)*
            // SAFETY: every x86-64 has SSE2.
            V128(unsafe { $register })
        }
    )*};
}
use registers;

/// As `registers`, for functions of registers that the processor takes for numbers of `f32`.
macro_rules! registers_f32 {
    ($($(#[$doc:meta])* $name:ident($($a:ident),*) = $register:expr;)*) => {$(
        $(#[$doc])*
        #[inline(always)]
        pub fn $name($($a: V128),*) -> V128 {
            // SAFETY: every x86-64 has SSE2.
            V128(unsafe {
                $(let $a = _mm_castsi128_ps($a.0);)*
                _mm_castps_si128($register)
            })
        }
    )*};
}
use registers_f32;

/// As `registers`, for functions of registers that the processor takes for numbers of `f64`.
macro_rules! registers_f64 {
    ($($(#[$doc:meta])* $name:ident($($a:ident),*) = $register:expr;)*) => {$(
        $(#[$doc])*
        #[inline(always)]
        pub fn $name($($a: V128),*) -> V128 {
            // SAFETY: every x86-64 has SSE2.
            V128(unsafe {
                $(let $a = _mm_castsi128_pd($a.0);)*
                _mm_castpd_si128($register)
            })
        }
    )*};
}
use registers_f64;

/// Helpers, functions of registers.
macro_rules! helpers {
    ($($(#[$doc:meta])* $name:ident($($a:ident),*) = $register:expr;)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// The processor has SSE2.
        #[inline(always)]
        unsafe fn $name($($a: __m128i),*) -> __m128i {
            // SAFETY: the caller guarantees that the processor has SSE2.
            unsafe { $register }
        }
    )*};
}
use helpers;

helpers! {
    not(a) = _mm_xor_si128(a, _mm_set1_epi32(-1));
    /// Bits of `a` where the mask has ones, those of `b` elsewhere.
    select(mask, a, b) = _mm_or_si128(_mm_and_si128(mask, a), _mm_andnot_si128(mask, b));
    /// All bits of a lane of 64 if its highest is set, else none.
    signs64(a) = _mm_shuffle_epi32::<0b11_11_01_01>(_mm_srai_epi32::<31>(a));
}
