//! Vectors of 128 bits, and the meanings of the instructions on their lanes.
//!
//! Each operation is a function of values with the specification's name (WebAssembly 3.0, section
//! 4.3.8): `i8x16.add` is [`i8x16_add`]. It calls nothing and cannot fail, so that the
//! interpreter's leaves can be made of it. The interpreter's `vector_op` lists them all.
//!
//! There are up to three versions of an operation:
//!
//! - `plain` has all of them, lane by lane in ordinary Rust, for any processor.
//! - `sse2` has them in the instructions of every x86-64. A compiler finds most of these in the
//!   plain version as well, but not when it optimises for size.
//! - [`avx`] has those that take fewer instructions on an x86-64 with AVX. They are unsafe
//!   functions, for functions that are compiled for such processors.
//!
//! The functions of this module are those of `sse2` on x86-64 and those of `plain` elsewhere. All
//! versions give the same results, but for the payloads and signs of NaNs, where the
//! specification leaves the choice. NaN results of arithmetic are quiet.
//!
//! The specification lets a processor choose among results of the relaxed operations. Here they
//! have one meaning on all processors:
//!
//! | relaxed operation | meaning |
//! |---|---|
//! | `i8x16.relaxed_swizzle` | `i8x16.swizzle`: zero for every index from 16 on |
//! | `i32x4.relaxed_trunc_f32x4_{s,u}` | `i32x4.trunc_sat_f32x4_{s,u}` |
//! | `i32x4.relaxed_trunc_f64x2_{s,u}_zero` | `i32x4.trunc_sat_f64x2_{s,u}_zero` |
//! | `f32x4.relaxed_{min,max}`, `f64x2.relaxed_{min,max}` | `f32x4.{min,max}`, `f64x2.{min,max}` |
//! | `f32x4.relaxed_madd`, `f64x2.relaxed_madd` | `a * b` rounded, then `+ c` rounded |
//! | `f32x4.relaxed_nmadd`, `f64x2.relaxed_nmadd` | `-(a * b)` rounded, then `+ c` rounded |
//! | `i8x16.relaxed_laneselect` and the wider ones | `v128.bitselect`: bit by bit |
//! | `i16x8.relaxed_q15mulr_s` | `i16x8.q15mulr_sat_s`: -1 times -1 is the greatest number |
//! | `i16x8.relaxed_dot_i8x16_i7x16_s` | both operands signed; a sum of 32768 wraps around |
//! | `i32x4.relaxed_dot_i8x16_i7x16_add_s` | pairs of the latter's lanes, sign-extended, with `c` |
//!
//! It knows no instructions' operands and no frames. Control enters from the interpreter's
//! handlers, and from any other code that computes with vectors.

mod lane;
#[cfg_attr(
    all(target_arch = "x86_64", not(test)),
    allow(dead_code, unused_imports, reason = "tests compare the other versions with it")
)]
pub mod plain;

#[cfg(target_arch = "x86_64")]
pub mod avx;
#[cfg(target_arch = "x86_64")]
mod sse2;
mod vector;

pub use lane::{Lane, extract_lane, replace_lane};
#[cfg(not(target_arch = "x86_64"))]
pub use plain::*;
#[cfg(target_arch = "x86_64")]
pub use sse2::*;
pub use vector::V128;

/// Whether the interpreter uses vectors' accumulator, and on x86-64 the instructions of processors
/// with AVX. It is the same for a whole process. A build with ISOTHREAD_VECTORS=base never does,
/// so that tests run the other way on any processor.
#[inline]
pub fn is_fast() -> bool {
    #[cfg(all(target_arch = "x86_64", not(isothread_base_vectors)))]
    return std::arch::is_x86_feature_detected!("avx");
    #[cfg(not(all(target_arch = "x86_64", not(isothread_base_vectors))))]
    !cfg!(isothread_base_vectors)
}
