//! Rust types that stand for guest types.

use crate::abi::types::ValType;

mod sealed {
    pub trait Sealed {}
}

/// A Rust type that stands for one guest type: `i32`, `u32`, `i64`, `u64`, `f32`, `f64`, `u128`.
pub trait GuestType: Copy + sealed::Sealed {
    const TYPE: ValType;

    #[doc(hidden)]
    fn to_slots(self) -> [u64; 2];

    #[doc(hidden)]
    fn from_slots(slots: [u64; 2]) -> Self;
}

macro_rules! guest_types {
    ($($rust:ty = $ty:ident, |$v:ident| $to:expr, |$s:ident| $from:expr;)*) => { $(
        impl sealed::Sealed for $rust {}
        impl GuestType for $rust {
            const TYPE: ValType = ValType::$ty;

            #[inline]
            fn to_slots(self) -> [u64; 2] {
                let $v = self;
                $to
            }

            #[inline]
            fn from_slots($s: [u64; 2]) -> Self {
                $from
            }
        }
    )* };
}

guest_types! {
    i32 = I32, |v| [v as u32 as u64, 0], |s| s[0] as i32;
    u32 = I32, |v| [v as u64, 0], |s| s[0] as u32;
    i64 = I64, |v| [v as u64, 0], |s| s[0] as i64;
    u64 = I64, |v| [v, 0], |s| s[0];
    f32 = F32, |v| [v.to_bits() as u64, 0], |s| f32::from_bits(s[0] as u32);
    f64 = F64, |v| [v.to_bits(), 0], |s| f64::from_bits(s[0]);
    u128 = V128, |v| [v as u64, (v >> 64) as u64], |s| s[0] as u128 | (s[1] as u128) << 64;
}

/// Parameters or results of a [`TypedFunc`](super::TypedFunc): one [`GuestType`], or a tuple of up
/// to eight.
pub trait GuestTypes: sealed::Sealed {
    const TYPES: &'static [ValType];

    /// # Safety
    /// `at` has room for the values.
    #[doc(hidden)]
    unsafe fn write(self, at: *mut u64);

    /// # Safety
    /// `at` holds values of these types.
    #[doc(hidden)]
    unsafe fn read(at: *const u64) -> Self;
}

impl<T: GuestType> GuestTypes for T {
    const TYPES: &'static [ValType] = &[T::TYPE];

    #[inline]
    unsafe fn write(self, at: *mut u64) {
        // SAFETY: the caller guarantees that `at` has room for the value.
        unsafe { write_one(at, self) };
    }

    #[inline]
    unsafe fn read(at: *const u64) -> Self {
        // SAFETY: the caller guarantees that `at` holds a value of this type.
        unsafe { read_one(at) }
    }
}

/// # Safety
/// `at` has room for the value.
#[inline]
unsafe fn write_one<T: GuestType>(at: *mut u64, value: T) -> *mut u64 {
    let [low, high] = value.to_slots();
    // SAFETY: the caller guarantees that `at` has room for the value.
    unsafe {
        *at = low;
        if T::TYPE.slots() == 2 {
            *at.add(1) = high;
        }
        at.add(T::TYPE.slots() as usize)
    }
}

/// # Safety
/// `at` holds a value of this type.
#[inline]
unsafe fn read_one<T: GuestType>(at: *const u64) -> T {
    // SAFETY: the caller guarantees that `at` holds a value of this type.
    unsafe { T::from_slots([*at, if T::TYPE.slots() == 2 { *at.add(1) } else { 0 }]) }
}

macro_rules! guest_tuples {
    ($(($($name:ident)*))*) => { $(
        impl<$($name: GuestType),*> sealed::Sealed for ($($name,)*) {}
        impl<$($name: GuestType),*> GuestTypes for ($($name,)*) {
            const TYPES: &'static [ValType] = &[$($name::TYPE),*];

            #[inline]
            #[allow(non_snake_case, unused_assignments, unused_mut, unused_variables)]
            unsafe fn write(self, mut at: *mut u64) {
                let ($($name,)*) = self;
                // SAFETY: the caller guarantees that `at` has room for the values, one after the
                // other.
                $( at = unsafe { write_one(at, $name) }; )*
            }

            #[inline]
            #[allow(unused_assignments, unused_mut, unused_variables, clippy::unused_unit)]
            unsafe fn read(mut at: *const u64) -> Self {
                ($({
                    // SAFETY: the caller guarantees that `at` holds values of these types, one
                    // after the other.
                    let value = unsafe { read_one::<$name>(at) };
                    at = at.wrapping_add($name::TYPE.slots() as usize);
                    value
                },)*)
            }
        }
    )* };
}

guest_tuples! {
    () (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H)
}
