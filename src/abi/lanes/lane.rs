//! Vectors as arrays of lanes.

use super::V128;
use std::convert::identity;

/// A number that vectors have as lanes.
pub trait Lane: Copy {
    /// All lanes of a vector.
    type Lanes: Copy + std::ops::IndexMut<usize, Output = Self>;
    /// How many there are, a power of two.
    const COUNT: usize;

    fn split(vector: V128) -> Self::Lanes;

    /// The vector whose lanes `lane` gives, by their numbers.
    fn join(lane: impl FnMut(usize) -> Self) -> V128;
}

// Loops stand here instead of the methods of arrays, of which an optimisation for size may leave
// calls.
macro_rules! lane_types {
    ($($ty:ident as $bits:ident, $from_bits:path, $to_bits:path;)*) => {$(
        impl Lane for $ty {
            type Lanes = [$ty; 16 / size_of::<$ty>()];
            const COUNT: usize = 16 / size_of::<$ty>();

            #[inline(always)]
            fn split(vector: V128) -> Self::Lanes {
                // SAFETY: both are 16 bytes, and any bytes are integers.
                let stored = unsafe {
                    std::mem::transmute::<[u8; 16], [$bits; Self::COUNT]>(vector.to_bytes())
                };
                let mut lanes: Self::Lanes = Default::default();
                let mut at = 0;
                while at < Self::COUNT {
                    lanes[at] = $from_bits($bits::from_le(stored[at]));
                    at += 1;
                }
                lanes
            }

            #[inline(always)]
            fn join(mut lane: impl FnMut(usize) -> Self) -> V128 {
                let mut stored: [$bits; Self::COUNT] = Default::default();
                let mut at = 0;
                while at < Self::COUNT {
                    stored[at] = $to_bits(lane(at)).to_le();
                    at += 1;
                }
                // SAFETY: both are 16 bytes, and integers are nothing but bytes.
                V128::from_bytes(unsafe {
                    std::mem::transmute::<[$bits; Self::COUNT], [u8; 16]>(stored)
                })
            }
        }
    )*};
}

lane_types! {
    i8 as i8, identity, identity;
    u8 as u8, identity, identity;
    i16 as i16, identity, identity;
    u16 as u16, identity, identity;
    i32 as i32, identity, identity;
    u32 as u32, identity, identity;
    i64 as i64, identity, identity;
    u64 as u64, identity, identity;
    f32 as u32, f32::from_bits, f32::to_bits;
    f64 as u64, f64::from_bits, f64::to_bits;
}

/// The lane with this number, modulo how many there are.
#[inline(always)]
pub fn extract_lane<T: Lane>(vector: V128, lane: usize) -> T {
    T::split(vector)[lane & (T::COUNT - 1)]
}

/// The vector with another value in the lane with this number, modulo how many there are.
#[inline(always)]
pub fn replace_lane<T: Lane>(vector: V128, lane: usize, value: T) -> V128 {
    let mut lanes = T::split(vector);
    lanes[lane & (T::COUNT - 1)] = value;
    T::join(|at| lanes[at])
}

/// The vector of the results of `f` for each lane.
#[inline(always)]
pub fn map<T: Lane, R: Lane>(a: V128, f: impl Fn(T) -> R) -> V128 {
    const { assert!(T::COUNT == R::COUNT) };
    let a = T::split(a);
    R::join(|at| f(a[at]))
}

/// The vector of the results of `f` for each pair of lanes.
#[inline(always)]
pub fn zip<T: Lane, R: Lane>(a: V128, b: V128, f: impl Fn(T, T) -> R) -> V128 {
    const { assert!(T::COUNT == R::COUNT) };
    let (a, b) = (T::split(a), T::split(b));
    R::join(|at| f(a[at], b[at]))
}
