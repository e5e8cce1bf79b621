//! All versions of the operations on vectors against a reference that goes by their names.

mod reference;
mod samples;

use crate::abi::lanes::{self, V128};
use crate::interp::vector_op::*;
use reference::Want;

/// An operation's name, and its versions with the names of those.
type Versions<F> = (&'static str, [(&'static str, F); 3]);

type Unary<A, R> = unsafe fn(A) -> R;
type Binary = unsafe fn(V128, V128) -> V128;
type Shift = unsafe fn(V128, u32) -> V128;
type Ternary = unsafe fn(V128, V128, V128) -> V128;

/// Those versions that this processor has.
fn versions<'a, F>(all: &'a [(&'static str, F); 3]) -> &'a [(&'static str, F)] {
    #[cfg(target_arch = "x86_64")]
    if !std::arch::is_x86_feature_detected!("avx") {
        return &all[..2];
    }
    all
}

/// One of an operation's meanings: `fast_or_plain!([plain] fast)` is the fast one on x86-64, in a
/// function that is compiled for AVX, and `fast_or_plain!([plain])` the plain one.
macro_rules! fast_or_plain {
    ([$plain:expr]) => {
        $plain
    };
    ([$plain:expr] $fast:expr) => {{
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the function around this is compiled for AVX, so the processor has it.
        let result = unsafe { $fast };
        #[cfg(not(target_arch = "x86_64"))]
        let result = $plain;
        result
    }};
}

macro_rules! versions {
    ($name:ident, ($($a:ident: $ty:ty),*) -> $result:ty, [$plain:expr] $($fast:expr)?) => {{
        unsafe fn plain($($a: $ty),*) -> $result {
            use crate::abi::lanes::plain as lanes;
            $plain
        }
        unsafe fn native($($a: $ty),*) -> $result {
            $plain
        }
        #[cfg_attr(target_arch = "x86_64", target_feature(enable = "avx"))]
        unsafe fn fast($($a: $ty),*) -> $result {
            fast_or_plain!([$plain] $($fast)?)
        }
        let plain: unsafe fn($($ty),*) -> $result = plain;
        (stringify!($name), [("plain", plain), ("native", native), ("fast", fast)])
    }};
}

macro_rules! binaries {
    (
        $($name:ident, $commutes:literal,
            |$a:ident, $b:ident| $plain:expr $(, fast $fast:expr)?;)*
    ) => {
        [$((versions!($name, ($a: V128, $b: V128) -> V128, [$plain] $($fast)?), $commutes)),*]
    };
}

#[test]
fn operations_on_two_vectors() {
    let samples = samples::vectors();
    let operations: &[(Versions<Binary>, bool)] = &vector_binary_ops!(binaries);
    for ((name, all), commutes) in operations {
        for &a in &samples {
            for &b in &samples {
                let want = reference::binary(name, a, b);
                if *commutes {
                    assert_eq!(want, reference::binary(name, b, a), "{name}");
                }
                for (version, f) in versions(all) {
                    // SAFETY: `versions` leaves out those that the processor cannot run.
                    let got = unsafe { f(V128::from_bytes(a), V128::from_bytes(b)) };
                    want.check(got, || format!("{version} {name} {a:02x?} {b:02x?}"));
                }
            }
        }
    }
}

/// A type of operands and results of operations on one operand.
trait Operand: Copy {
    fn samples() -> Vec<Self>;
    fn bytes(self) -> [u8; 16];
    fn check(self, want: &Want, context: impl Fn() -> String);
}

impl Operand for V128 {
    fn samples() -> Vec<Self> {
        samples::vectors().into_iter().map(Self::from_bytes).collect()
    }
    fn bytes(self) -> [u8; 16] {
        self.to_bytes()
    }
    fn check(self, want: &Want, context: impl Fn() -> String) {
        want.check(self, context);
    }
}

macro_rules! scalar_operands {
    ($($ty:ident)*) => {$(
        impl Operand for $ty {
            fn samples() -> Vec<Self> {
                let low = |bytes: [u8; 16]| bytes[..size_of::<$ty>()].try_into().unwrap();
                samples::vectors().into_iter().map(|v| $ty::from_le_bytes(low(v))).collect()
            }
            fn bytes(self) -> [u8; 16] {
                let mut bytes = [0; 16];
                bytes[..size_of::<$ty>()].copy_from_slice(&self.to_le_bytes());
                bytes
            }
            fn check(self, want: &Want, context: impl Fn() -> String) {
                want.check(V128::from_bytes(self.bytes()), context);
            }
        }
    )*};
}

scalar_operands! { u8 u16 u32 u64 f32 f64 }

fn check_one<A: Operand, R: Operand>(
    (name, all): Versions<Unary<A, R>>,
    want: fn(&str, [u8; 16]) -> Want,
) {
    for a in A::samples() {
        let bytes = a.bytes();
        let want = want(name, bytes);
        for (version, f) in versions(&all) {
            // SAFETY: `versions` leaves out those that the processor cannot run.
            let got = unsafe { f(a) };
            got.check(&want, || format!("{version} {name} {bytes:02x?}"));
        }
    }
}

macro_rules! check_unaries {
    ($($name:ident, $ty:ty => $result:ty, |$a:ident| $plain:expr $(, fast $fast:expr)?;)*) => {
        $(check_one(
            versions!($name, ($a: $ty) -> $result, [$plain] $($fast)?),
            reference::unary,
        );)*
    };
}

#[test]
fn operations_on_one_operand() {
    vector_unary_ops!(check_unaries);
}

macro_rules! check_loads {
    ($($name:ident, $ty:ty, |$a:ident| $plain:expr $(, fast $fast:expr)?;)*) => {
        $(check_one(
            versions!($name, ($a: $ty) -> V128, [$plain] $($fast)?),
            reference::load,
        );)*
    };
}

#[test]
fn loads() {
    check_loads! {
        V128Load8x8S, u64, |bytes| lanes::v128_load8x8_s(bytes);
        V128Load8x8U, u64, |bytes| lanes::v128_load8x8_u(bytes);
        V128Load16x4S, u64, |bytes| lanes::v128_load16x4_s(bytes);
        V128Load16x4U, u64, |bytes| lanes::v128_load16x4_u(bytes);
        V128Load32x2S, u64, |bytes| lanes::v128_load32x2_s(bytes);
        V128Load32x2U, u64, |bytes| lanes::v128_load32x2_u(bytes);
        V128Load8Splat, u8, |bytes| lanes::i8x16_splat(bytes.into());
        V128Load16Splat, u16, |bytes| lanes::i16x8_splat(bytes.into());
        V128Load32Splat, u32, |bytes| lanes::i32x4_splat(bytes);
        V128Load64Splat, u64, |bytes| lanes::i64x2_splat(bytes);
        V128Load32Zero, u32, |bytes| lanes::v128_load32_zero(bytes);
        V128Load64Zero, u64, |bytes| lanes::v128_load64_zero(bytes);
    }
}

macro_rules! shifts {
    ($($name:ident, |$a:ident, $bits:ident| $plain:expr;)*) => {
        [$(versions!($name, ($a: V128, $bits: u32) -> V128, [$plain])),*]
    };
}

#[test]
fn shifts() {
    let operations: &[Versions<Shift>] = &vector_shift_ops!(shifts);
    for (name, all) in operations {
        for a in samples::vectors() {
            for bits in (0..130).chain([u32::MAX, 1 << 31, 0x1_0000]) {
                let want = reference::shift(name, a, bits);
                for (version, f) in versions(all) {
                    // SAFETY: `versions` leaves out those that the processor cannot run.
                    let got = unsafe { f(V128::from_bytes(a), bits) };
                    want.check(got, || format!("{version} {name} {a:02x?} {bits}"));
                }
            }
        }
    }
}

macro_rules! ternaries {
    ($($name:ident, |$a:ident, $b:ident, $c:ident| $plain:expr;)*) => {
        [$(versions!($name, ($a: V128, $b: V128, $c: V128) -> V128, [$plain])),*]
    };
}

#[test]
fn operations_on_three_vectors() {
    let samples = samples::vectors();
    let operations: &[Versions<Ternary>] = &vector_ternary_ops!(ternaries);
    for (name, all) in operations {
        for (i, &a) in samples.iter().enumerate() {
            for (j, &b) in samples.iter().enumerate() {
                // A few of the third: one after another, and so that it comes with all others.
                for k in 0..4 {
                    let c = samples[(i * 7 + j + k * 29) % samples.len()];
                    let want = reference::ternary(name, a, b, c);
                    for (version, f) in versions(all) {
                        let operands = [a, b, c].map(V128::from_bytes);
                        // SAFETY: `versions` leaves out those that the processor cannot run.
                        let got = unsafe { f(operands[0], operands[1], operands[2]) };
                        want.check(got, || format!("{version} {name} {a:02x?} {b:02x?} {c:02x?}"));
                    }
                }
            }
        }
    }
}

#[test]
fn permutations() {
    let (_, all) = versions!(
        Permute,
        (a: V128, indices: V128) -> V128,
        [lanes::i8x16_swizzle(a, indices)] lanes::avx::i8x16_permute(a, indices)
    );
    for bytes in samples::vectors() {
        let a: [u8; 16] = std::array::from_fn(|at| 100 + at as u8);
        let indices = bytes.map(|byte| if byte % 3 == 0 { byte | 0x80 } else { byte % 16 });
        let want = indices.map(|i| if i < 16 { 100 + i } else { 0 });
        for (version, f) in versions(&all) {
            // SAFETY: `versions` leaves out those that the processor cannot run.
            let got = unsafe { f(V128::from_bytes(a), V128::from_bytes(indices)) };
            assert_eq!(got.to_bytes(), want, "{version} {indices:?}");
        }
    }
}

macro_rules! check_extracts {
    ($($name:ident, $ty:ident => $result:ty;)*) => {$(
        for bytes in samples::vectors() {
            for (at, lane) in bytes.chunks(size_of::<$ty>()).enumerate() {
                let want = $ty::from_le_bytes(lane.try_into().unwrap()).to_le_bytes();
                let vector = V128::from_bytes(bytes);
                assert_eq!(lanes::extract_lane::<$ty>(vector, at).to_le_bytes(), want);
                let past = at + <$ty as lanes::Lane>::COUNT;
                assert_eq!(lanes::extract_lane::<$ty>(vector, past).to_le_bytes(), want);
            }
        }
    )*};
}

macro_rules! check_replaces {
    ($($name:ident, $value:ty => $ty:ident;)*) => {$(
        for bytes in samples::vectors() {
            for at in 0..16 / size_of::<$ty>() {
                let value = $ty::from_le_bytes(bytes[..size_of::<$ty>()].try_into().unwrap());
                let mut want = [0x5a; 16];
                want[at * size_of::<$ty>()..][..size_of::<$ty>()]
                    .copy_from_slice(&bytes[..size_of::<$ty>()]);
                let got = lanes::replace_lane(V128::from_bytes([0x5a; 16]), at, value);
                assert_eq!(got.to_bytes(), want, "{} {at}", stringify!($name));
            }
        }
    )*};
}

#[test]
fn single_lanes() {
    vector_extract_ops!(check_extracts);
    vector_replace_ops!(check_replaces);
}

#[test]
fn halves_and_bytes() {
    for bytes in samples::vectors() {
        let vector = V128::from_bytes(bytes);
        let halves = vector.to_u64x2();
        assert_eq!(u128::from(halves[0]) | u128::from(halves[1]) << 64, u128::from_le_bytes(bytes));
        assert_eq!(V128::from_u64x2(halves), vector);
        for bit in 0..128 {
            let other = u128::from_le_bytes(bytes) ^ (1 << bit);
            assert_ne!(V128::from_bytes(other.to_le_bytes()), vector, "{bit}");
        }
    }
}
