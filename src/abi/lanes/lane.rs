//! Vectors as arrays of lanes.

use super::vector::V128;

/// A number that vectors have as lanes.
pub trait Lane: Copy {
    /// All lanes of a vector.
    type Lanes: Copy;
    /// The number of lanes, a power of two.
    const COUNT: usize;

    fn split(vector: V128) -> Self::Lanes;

    fn join(lanes: Self::Lanes) -> V128;

    /// As [`extract_lane`].
    fn extract(vector: V128, lane: usize) -> Self;

    /// As [`replace_lane`].
    fn replace(vector: V128, lane: usize, value: Self) -> V128;
}

/// The vector of the values of an expression, for the number of each lane.
///
/// A macro and a loop, here and below, because an optimisation for size leaves calls of closures,
/// and of the methods of arrays.
macro_rules! join {
    ($ty:ty, |$at:ident| $value:expr) => {{
        let mut lanes = [<$ty>::default(); <$ty as Lane>::COUNT];
        let mut $at = 0;
        while $at < <$ty as Lane>::COUNT {
            lanes[$at] = $value;
            $at += 1;
        }
        <$ty as Lane>::join(lanes)
    }};
}
pub(super) use join;

macro_rules! lane_types {
    ($($ty:ident)*) => {$(
        impl Lane for $ty {
            type Lanes = [$ty; 16 / size_of::<$ty>()];
            const COUNT: usize = 16 / size_of::<$ty>();

            #[inline(always)]
            fn split(vector: V128) -> Self::Lanes {
                // SAFETY: both are 16 bytes, and any bytes are numbers.
                let mut lanes = unsafe { std::mem::transmute::<V128, Self::Lanes>(vector) };
                if cfg!(target_endian = "big") {
                    let mut at = 0;
                    while at < Self::COUNT {
                        lanes[at] = <$ty>::from_le_bytes(lanes[at].to_ne_bytes());
                        at += 1;
                    }
                }
                lanes
            }

            #[inline(always)]
            fn join(mut lanes: Self::Lanes) -> V128 {
                if cfg!(target_endian = "big") {
                    let mut at = 0;
                    while at < Self::COUNT {
                        lanes[at] = <$ty>::from_ne_bytes(lanes[at].to_le_bytes());
                        at += 1;
                    }
                }
                // SAFETY: both are 16 bytes, and numbers are nothing but bytes.
                unsafe { std::mem::transmute::<Self::Lanes, V128>(lanes) }
            }

            #[inline(always)]
            fn extract(vector: V128, lane: usize) -> Self {
                Self::split(vector)[lane % Self::COUNT]
            }

            #[inline(always)]
            fn replace(vector: V128, lane: usize, value: Self) -> V128 {
                let mut lanes = Self::split(vector);
                lanes[lane % Self::COUNT] = value;
                Self::join(lanes)
            }
        }
    )*};
}

lane_types! { i8 u8 i16 u16 i32 u32 i64 u64 f32 f64 }

/// The lane with this number, modulo how many there are.
#[inline(always)]
pub fn extract_lane<T: Lane>(vector: V128, lane: usize) -> T {
    T::extract(vector, lane)
}

/// The vector with another value in the lane with this number, modulo how many there are.
#[inline(always)]
pub fn replace_lane<T: Lane>(vector: V128, lane: usize, value: T) -> V128 {
    T::replace(vector, lane, value)
}
