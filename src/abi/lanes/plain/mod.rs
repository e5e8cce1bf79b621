//! All operations in ordinary Rust, lane by lane.
//!
//! It knows no processor, but for the two operations on AArch64 that no loop is compiled to.
//! Processors other than x86-64 compute with these functions, and tests compare the other versions
//! with them. Control enters at each function.

mod convert;
mod float;
mod int;
mod shape;

pub use convert::*;
pub use float::*;
pub use int::*;
pub use shape::*;

use super::lane::{Lane, join};

/// Functions of one vector or two, lane by lane: `name, lane => lane of the result, |a, b| value;`.
macro_rules! lanewise {
    ($($name:ident, $ty:ty => $result:ty, |$a:ident| $value:expr;)*) => {$(
        #[inline(always)]
        pub fn $name(a: V128) -> V128 {
            let a = <$ty>::split(a);
            join!($result, |at| {
                let $a = a[at];
                $value
            })
        }
    )*};
    ($($name:ident, $ty:ty => $result:ty, |$a:ident, $b:ident| $value:expr;)*) => {$(
        #[inline(always)]
        pub fn $name(a: V128, b: V128) -> V128 {
            let (a, b) = (<$ty>::split(a), <$ty>::split(b));
            join!($result, |at| {
                let ($a, $b) = (a[at], b[at]);
                $value
            })
        }
    )*};
}
use lanewise;

/// Comparisons, which give all bits for true and none for false.
macro_rules! comparisons {
    ($($name:ident, $ty:ty => $mask:ty, |$a:ident, $b:ident| $test:expr;)*) => {$(
        #[inline(always)]
        pub fn $name(a: V128, b: V128) -> V128 {
            let (a, b) = (<$ty>::split(a), <$ty>::split(b));
            join!($mask, |at| {
                let ($a, $b) = (a[at], b[at]);
                -<$mask>::from($test)
            })
        }
    )*};
}
use comparisons;
