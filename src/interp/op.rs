//! The list of operations.
//!
//! An *operation* is a meaning (`I32Add`); an *instruction* is an operation in one combination
//! of operand modes, and has a handler of its own. Each list below is written once and expanded
//! twice: into the enum that the translator selects from and the listing prints, and into the types
//! that handlers are generic over.
//!
//! To add an operation of an existing kind, add a line here and its opcode in `compile`. A new
//! kind (SIMD lanes, GC accesses) gets a list here, a file in `handlers/` and one in `compile/`.
//!
//! Names are those of the specification in camel case: operand type, operation, and for loads
//! and stores the width and sign in memory.

use crate::abi::lanes::V128;
use crate::abi::types::ValType;
use crate::gc::StorageKind;

/// `$apply!` gets `Name, operands commute?, operand type => result type, |a, b| meaning;` with
/// the meaning a `Result`, so that trapping and total operations are one shape.
macro_rules! binary_ops {
    ($apply:ident) => {
        $apply! {
            I32Add, true, i32 => i32, |a, b| Ok(a.wrapping_add(b));
            I32Sub, false, i32 => i32, |a, b| Ok(a.wrapping_sub(b));
            I32Mul, true, i32 => i32, |a, b| Ok(a.wrapping_mul(b));
            I32DivS, false, i32 => i32, |a, b| wasm_ops::i32_div_s(a, b);
            I32DivU, false, u32 => u32, |a, b| wasm_ops::i32_div_u(a, b);
            I32RemS, false, i32 => i32, |a, b| wasm_ops::i32_rem_s(a, b);
            I32RemU, false, u32 => u32, |a, b| wasm_ops::i32_rem_u(a, b);
            I32And, true, i32 => i32, |a, b| Ok(a & b);
            I32Or, true, i32 => i32, |a, b| Ok(a | b);
            I32Xor, true, i32 => i32, |a, b| Ok(a ^ b);
            I32Shl, false, i32 => i32, |a, b| Ok(a.wrapping_shl(b as u32));
            I32ShrS, false, i32 => i32, |a, b| Ok(a.wrapping_shr(b as u32));
            I32ShrU, false, u32 => u32, |a, b| Ok(a.wrapping_shr(b));
            I32Rotl, false, u32 => u32, |a, b| Ok(a.rotate_left(b & 31));
            I32Rotr, false, u32 => u32, |a, b| Ok(a.rotate_right(b & 31));
            I64Add, true, i64 => i64, |a, b| Ok(a.wrapping_add(b));
            I64Sub, false, i64 => i64, |a, b| Ok(a.wrapping_sub(b));
            I64Mul, true, i64 => i64, |a, b| Ok(a.wrapping_mul(b));
            I64DivS, false, i64 => i64, |a, b| wasm_ops::i64_div_s(a, b);
            I64DivU, false, u64 => u64, |a, b| wasm_ops::i64_div_u(a, b);
            I64RemS, false, i64 => i64, |a, b| wasm_ops::i64_rem_s(a, b);
            I64RemU, false, u64 => u64, |a, b| wasm_ops::i64_rem_u(a, b);
            I64And, true, i64 => i64, |a, b| Ok(a & b);
            I64Or, true, i64 => i64, |a, b| Ok(a | b);
            I64Xor, true, i64 => i64, |a, b| Ok(a ^ b);
            I64Shl, false, i64 => i64, |a, b| Ok(a.wrapping_shl(b as u32));
            I64ShrS, false, i64 => i64, |a, b| Ok(a.wrapping_shr(b as u32));
            I64ShrU, false, u64 => u64, |a, b| Ok(a.wrapping_shr(b as u32));
            I64Rotl, false, u64 => u64, |a, b| Ok(a.rotate_left(b as u32 & 63));
            I64Rotr, false, u64 => u64, |a, b| Ok(a.rotate_right(b as u32 & 63));
            F32Add, true, f32 => f32, |a, b| Ok(a + b);
            F32Sub, false, f32 => f32, |a, b| Ok(a - b);
            F32Mul, true, f32 => f32, |a, b| Ok(a * b);
            F32Div, false, f32 => f32, |a, b| Ok(a / b);
            F32Min, true, f32 => f32, |a, b| Ok(wasm_ops::f32_min(a, b));
            F32Max, true, f32 => f32, |a, b| Ok(wasm_ops::f32_max(a, b));
            F32Copysign, false, f32 => f32, |a, b| Ok(wasm_ops::f32_copysign(a, b));
            F64Add, true, f64 => f64, |a, b| Ok(a + b);
            F64Sub, false, f64 => f64, |a, b| Ok(a - b);
            F64Mul, true, f64 => f64, |a, b| Ok(a * b);
            F64Div, false, f64 => f64, |a, b| Ok(a / b);
            F64Min, true, f64 => f64, |a, b| Ok(wasm_ops::f64_min(a, b));
            F64Max, true, f64 => f64, |a, b| Ok(wasm_ops::f64_max(a, b));
            F64Copysign, false, f64 => f64, |a, b| Ok(wasm_ops::f64_copysign(a, b));
        }
    };
}
pub(crate) use binary_ops;

/// `$apply!` gets `Name, operands commute?, operand type, |a, b| meaning;`. "Greater" is "less"
/// with its operands exchanged. `And` is a comparison of the bits in common with zero.
macro_rules! compare_ops {
    ($apply:ident) => {
        $apply! {
            I32Eq, true, i32, |a, b| a == b;
            I32Ne, true, i32, |a, b| a != b;
            I32LtS, false, i32, |a, b| a < b;
            I32LtU, false, u32, |a, b| a < b;
            I32LeS, false, i32, |a, b| a <= b;
            I32LeU, false, u32, |a, b| a <= b;
            I32AndNz, true, i32, |a, b| a & b != 0;
            I32AndZ, true, i32, |a, b| a & b == 0;
            I64Eq, true, i64, |a, b| a == b;
            I64Ne, true, i64, |a, b| a != b;
            I64LtS, false, i64, |a, b| a < b;
            I64LtU, false, u64, |a, b| a < b;
            I64LeS, false, i64, |a, b| a <= b;
            I64LeU, false, u64, |a, b| a <= b;
            F32Eq, true, f32, |a, b| a == b;
            F32Ne, true, f32, |a, b| a != b;
            F32Lt, false, f32, |a, b| a < b;
            F32Le, false, f32, |a, b| a <= b;
            F32NotLt, false, f32, |a, b| !(a < b);
            F32NotLe, false, f32, |a, b| !(a <= b);
            F64Eq, true, f64, |a, b| a == b;
            F64Ne, true, f64, |a, b| a != b;
            F64Lt, false, f64, |a, b| a < b;
            F64Le, false, f64, |a, b| a <= b;
            F64NotLt, false, f64, |a, b| !(a < b);
            F64NotLe, false, f64, |a, b| !(a <= b);
        }
    };
}
pub(crate) use compare_ops;

/// `$apply!` gets `Name, operand type => result type, |a| meaning;`.
macro_rules! unary_ops {
    ($apply:ident) => {
        $apply! {
            I32Clz, u32 => u32, |a| Ok(a.leading_zeros());
            I32Ctz, u32 => u32, |a| Ok(a.trailing_zeros());
            I32Popcnt, u32 => u32, |a| Ok(a.count_ones());
            I32Extend8S, i32 => i32, |a| Ok(a as i8 as i32);
            I32Extend16S, i32 => i32, |a| Ok(a as i16 as i32);
            I64Clz, u64 => u64, |a| Ok(a.leading_zeros() as u64);
            I64Ctz, u64 => u64, |a| Ok(a.trailing_zeros() as u64);
            I64Popcnt, u64 => u64, |a| Ok(a.count_ones() as u64);
            I64Extend8S, i64 => i64, |a| Ok(a as i8 as i64);
            I64Extend16S, i64 => i64, |a| Ok(a as i16 as i64);
            I64Extend32S, i64 => i64, |a| Ok(a as i32 as i64);
            I64ExtendI32S, i32 => i64, |a| Ok(a as i64);
            I64ExtendI32U, u32 => u64, |a| Ok(a as u64);
            I32SaturateI64U, u64 => u32, |a| Ok(u32::try_from(a).unwrap_or(u32::MAX));
            F32Abs, f32 => f32, |a| Ok(a.abs());
            F32Neg, f32 => f32, |a| Ok(-a);
            F32Ceil, f32 => f32, |a| Ok(wasm_ops::f32_ceil(a));
            F32Floor, f32 => f32, |a| Ok(wasm_ops::f32_floor(a));
            F32Trunc, f32 => f32, |a| Ok(wasm_ops::f32_trunc(a));
            F32Nearest, f32 => f32, |a| Ok(wasm_ops::f32_nearest(a));
            F32Sqrt, f32 => f32, |a| Ok(wasm_ops::f32_sqrt(a));
            F64Abs, f64 => f64, |a| Ok(a.abs());
            F64Neg, f64 => f64, |a| Ok(-a);
            F64Ceil, f64 => f64, |a| Ok(wasm_ops::f64_ceil(a));
            F64Floor, f64 => f64, |a| Ok(wasm_ops::f64_floor(a));
            F64Trunc, f64 => f64, |a| Ok(wasm_ops::f64_trunc(a));
            F64Nearest, f64 => f64, |a| Ok(wasm_ops::f64_nearest(a));
            F64Sqrt, f64 => f64, |a| Ok(wasm_ops::f64_sqrt(a));
            I32TruncF32S, f32 => i32, |a| wasm_ops::i32_trunc_f32_s(a);
            I32TruncF32U, f32 => u32, |a| wasm_ops::i32_trunc_f32_u(a);
            I32TruncF64S, f64 => i32, |a| wasm_ops::i32_trunc_f64_s(a);
            I32TruncF64U, f64 => u32, |a| wasm_ops::i32_trunc_f64_u(a);
            I64TruncF32S, f32 => i64, |a| wasm_ops::i64_trunc_f32_s(a);
            I64TruncF32U, f32 => u64, |a| wasm_ops::i64_trunc_f32_u(a);
            I64TruncF64S, f64 => i64, |a| wasm_ops::i64_trunc_f64_s(a);
            I64TruncF64U, f64 => u64, |a| wasm_ops::i64_trunc_f64_u(a);
            I32TruncSatF32S, f32 => i32, |a| Ok(a as i32);
            I32TruncSatF32U, f32 => u32, |a| Ok(a as u32);
            I32TruncSatF64S, f64 => i32, |a| Ok(a as i32);
            I32TruncSatF64U, f64 => u32, |a| Ok(a as u32);
            I64TruncSatF32S, f32 => i64, |a| Ok(a as i64);
            I64TruncSatF32U, f32 => u64, |a| Ok(a as u64);
            I64TruncSatF64S, f64 => i64, |a| Ok(a as i64);
            I64TruncSatF64U, f64 => u64, |a| Ok(a as u64);
            F32ConvertI32S, i32 => f32, |a| Ok(a as f32);
            F32ConvertI32U, u32 => f32, |a| Ok(a as f32);
            F32ConvertI64S, i64 => f32, |a| Ok(a as f32);
            F32ConvertI64U, u64 => f32, |a| Ok(a as f32);
            F64ConvertI32S, i32 => f64, |a| Ok(a as f64);
            F64ConvertI32U, u32 => f64, |a| Ok(a as f64);
            F64ConvertI64S, i64 => f64, |a| Ok(a as f64);
            F64ConvertI64U, u64 => f64, |a| Ok(a as f64);
            F32DemoteF64, f64 => f32, |a| Ok(a as f32);
            F64PromoteF32, f32 => f64, |a| Ok(a as f64);
            I32ReinterpretF32, f32 => u32, |a| Ok(a.to_bits());
            I64ReinterpretF64, f64 => u64, |a| Ok(a.to_bits());
            F32ReinterpretI32, u32 => f32, |a| Ok(f32::from_bits(a));
            F64ReinterpretI64, u64 => f64, |a| Ok(f64::from_bits(a));
        }
    };
}
pub(crate) use unary_ops;

/// `$apply!` gets `Name, type in memory => type of the result, |raw| meaning;`.
macro_rules! load_ops {
    ($apply:ident) => {
        $apply! {
            I32Load, u32 => u32, |raw| raw;
            I32Load8S, i8 => i32, |raw| raw as i32;
            I32Load8U, u8 => u32, |raw| raw as u32;
            I32Load16S, i16 => i32, |raw| raw as i32;
            I32Load16U, u16 => u32, |raw| raw as u32;
            I64Load, u64 => u64, |raw| raw;
            I64Load8S, i8 => i64, |raw| raw as i64;
            I64Load8U, u8 => u64, |raw| raw as u64;
            I64Load16S, i16 => i64, |raw| raw as i64;
            I64Load16U, u16 => u64, |raw| raw as u64;
            I64Load32S, i32 => i64, |raw| raw as i64;
            I64Load32U, u32 => u64, |raw| raw as u64;
            F32Load, f32 => f32, |raw| raw;
            F64Load, f64 => f64, |raw| raw;
            V128Load, V128 => V128, |raw| raw;
            V128Load8x8S, u64 => V128, |raw| lanes::v128_load8x8_s(raw);
            V128Load8x8U, u64 => V128, |raw| lanes::v128_load8x8_u(raw);
            V128Load16x4S, u64 => V128, |raw| lanes::v128_load16x4_s(raw);
            V128Load16x4U, u64 => V128, |raw| lanes::v128_load16x4_u(raw);
            V128Load32x2S, u64 => V128, |raw| lanes::v128_load32x2_s(raw);
            V128Load32x2U, u64 => V128, |raw| lanes::v128_load32x2_u(raw);
            V128Load8Splat, u8 => V128, |raw| lanes::i8x16_splat(raw.into());
            V128Load16Splat, u16 => V128, |raw| lanes::i16x8_splat(raw.into());
            V128Load32Splat, u32 => V128, |raw| lanes::i32x4_splat(raw);
            V128Load64Splat, u64 => V128, |raw| lanes::i64x2_splat(raw);
            V128Load32Zero, u32 => V128, |raw| lanes::v128_load32_zero(raw);
            V128Load64Zero, u64 => V128, |raw| lanes::v128_load64_zero(raw);
        }
    };
}
pub(crate) use load_ops;

/// `$apply!` gets `Name, type of the value => type in memory, |value| meaning;`.
macro_rules! store_ops {
    ($apply:ident) => {
        $apply! {
            I32Store, u32 => u32, |value| value;
            I32Store8, u32 => u8, |value| value as u8;
            I32Store16, u32 => u16, |value| value as u16;
            I64Store, u64 => u64, |value| value;
            I64Store8, u64 => u8, |value| value as u8;
            I64Store16, u64 => u16, |value| value as u16;
            I64Store32, u64 => u32, |value| value as u32;
            F32Store, f32 => f32, |value| value;
            F64Store, f64 => f64, |value| value;
            V128Store, V128 => V128, |value| value;
        }
    };
}
pub(crate) use store_ops;

/// `$apply!` gets the atomic accesses by shape: `Name width type` each, the width as the type in
/// memory, and for read-modify-write the operation.
macro_rules! atomic_ops {
    ($apply:ident) => {
        $apply! {
            load {
                I32AtomicLoad u32 I32, I32AtomicLoad8U u8 I32, I32AtomicLoad16U u16 I32,
                I64AtomicLoad u64 I64, I64AtomicLoad8U u8 I64, I64AtomicLoad16U u16 I64,
                I64AtomicLoad32U u32 I64,
            }
            store {
                I32AtomicStore u32 I32, I32AtomicStore8 u8 I32, I32AtomicStore16 u16 I32,
                I64AtomicStore u64 I64, I64AtomicStore8 u8 I64, I64AtomicStore16 u16 I64,
                I64AtomicStore32 u32 I64,
            }
            rmw {
                I32AtomicRmwAdd u32 I32 Add, I32AtomicRmw8AddU u8 I32 Add,
                I32AtomicRmw16AddU u16 I32 Add, I64AtomicRmwAdd u64 I64 Add,
                I64AtomicRmw8AddU u8 I64 Add, I64AtomicRmw16AddU u16 I64 Add,
                I64AtomicRmw32AddU u32 I64 Add, I32AtomicRmwSub u32 I32 Sub,
                I32AtomicRmw8SubU u8 I32 Sub, I32AtomicRmw16SubU u16 I32 Sub,
                I64AtomicRmwSub u64 I64 Sub, I64AtomicRmw8SubU u8 I64 Sub,
                I64AtomicRmw16SubU u16 I64 Sub, I64AtomicRmw32SubU u32 I64 Sub,
                I32AtomicRmwAnd u32 I32 And, I32AtomicRmw8AndU u8 I32 And,
                I32AtomicRmw16AndU u16 I32 And, I64AtomicRmwAnd u64 I64 And,
                I64AtomicRmw8AndU u8 I64 And, I64AtomicRmw16AndU u16 I64 And,
                I64AtomicRmw32AndU u32 I64 And, I32AtomicRmwOr u32 I32 Or,
                I32AtomicRmw8OrU u8 I32 Or, I32AtomicRmw16OrU u16 I32 Or,
                I64AtomicRmwOr u64 I64 Or, I64AtomicRmw8OrU u8 I64 Or,
                I64AtomicRmw16OrU u16 I64 Or, I64AtomicRmw32OrU u32 I64 Or,
                I32AtomicRmwXor u32 I32 Xor, I32AtomicRmw8XorU u8 I32 Xor,
                I32AtomicRmw16XorU u16 I32 Xor, I64AtomicRmwXor u64 I64 Xor,
                I64AtomicRmw8XorU u8 I64 Xor, I64AtomicRmw16XorU u16 I64 Xor,
                I64AtomicRmw32XorU u32 I64 Xor, I32AtomicRmwXchg u32 I32 Xchg,
                I32AtomicRmw8XchgU u8 I32 Xchg, I32AtomicRmw16XchgU u16 I32 Xchg,
                I64AtomicRmwXchg u64 I64 Xchg, I64AtomicRmw8XchgU u8 I64 Xchg,
                I64AtomicRmw16XchgU u16 I64 Xchg, I64AtomicRmw32XchgU u32 I64 Xchg,
            }
            cmpxchg {
                I32AtomicRmwCmpxchg u32 I32, I32AtomicRmw8CmpxchgU u8 I32,
                I32AtomicRmw16CmpxchgU u16 I32, I64AtomicRmwCmpxchg u64 I64,
                I64AtomicRmw8CmpxchgU u8 I64, I64AtomicRmw16CmpxchgU u16 I64,
                I64AtomicRmw32CmpxchgU u32 I64,
            }
        }
    };
}
pub(crate) use atomic_ops;

macro_rules! enum_of_names {
    ($(#[$meta:meta])* $enum:ident: $($name:ident)*) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $enum { $($name,)* }
    };
}

macro_rules! binary_enum {
    ($($name:ident, $comm:literal, $in:ty => $out:ty, |$a:ident, $b:ident| $e:expr;)*) => {
        enum_of_names!(/// Operations of two values with a value.
            BinaryOp: $($name)*);

        impl BinaryOp {
            /// Whether the operands may be exchanged.
            pub fn commutes(self) -> bool {
                match self { $(Self::$name => $comm,)* }
            }
        }
    };
}
binary_ops!(binary_enum);

macro_rules! compare_enum {
    ($($name:ident, $comm:literal, $in:ty, |$a:ident, $b:ident| $e:expr;)*) => {
        enum_of_names!(/// Comparisons, as values and as conditions of branches.
            CompareOp: $($name)*);

        impl CompareOp {
            /// Whether the operands may be exchanged.
            pub fn commutes(self) -> bool {
                match self { $(Self::$name => $comm,)* }
            }
        }
    };
}
compare_ops!(compare_enum);

macro_rules! unary_enum {
    ($($name:ident, $in:ty => $out:ty, |$a:ident| $e:expr;)*) => {
        enum_of_names!(/// Operations of one value with a value.
            UnaryOp: $($name)*);
    };
}
unary_ops!(unary_enum);

macro_rules! load_enum {
    ($($name:ident, $in:ty => $out:ty, |$raw:ident| $e:expr;)*) => {
        enum_of_names!(/// Loads from a memory.
            LoadOp: $($name)*);

        impl LoadOp {
            /// Bytes in memory.
            pub fn bytes(self) -> u32 {
                match self { $(Self::$name => size_of::<$in>() as u32,)* }
            }
        }
    };
}
load_ops!(load_enum);

macro_rules! store_enum {
    ($($name:ident, $in:ty => $out:ty, |$value:ident| $e:expr;)*) => {
        enum_of_names!(/// Stores to a memory.
            StoreOp: $($name)*);

        impl StoreOp {
            /// Bytes in memory.
            pub fn bytes(self) -> u32 {
                match self { $(Self::$name => size_of::<$out>() as u32,)* }
            }
        }
    };
}
store_ops!(store_enum);

macro_rules! atomic_enum {
    ($($shape:ident { $($name:ident $raw:ident $ty:ident $($how:ident)?,)* })*) => {
        enum_of_names!(/// Atomic accesses to a memory.
            AtomicOp: $($($name)*)*);
    };
}
atomic_ops!(atomic_enum);

enum_of_names!(/// Kinds of fields and elements, and what reading them does to the value.
    FieldOp: I8S I8U I16S I16U I32 I64 F32 F64 V128 Ref);

/// Kinds of references that code asks for without naming a type of its module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefKind {
    Any,
    Eq,
    I31,
    Struct,
    Array,
}

impl FieldOp {
    /// Of a field or element that is stored like this; a packed one is read with its sign or not.
    pub fn of(kind: StorageKind, signed: bool) -> Self {
        match kind {
            StorageKind::I8 if signed => Self::I8S,
            StorageKind::I8 => Self::I8U,
            StorageKind::I16 if signed => Self::I16S,
            StorageKind::I16 => Self::I16U,
            StorageKind::I32 => Self::I32,
            StorageKind::I64 | StorageKind::Opaque => Self::I64,
            StorageKind::F32 => Self::F32,
            StorageKind::F64 => Self::F64,
            StorageKind::V128 => Self::V128,
            StorageKind::Ref => Self::Ref,
        }
    }
}

impl CompareOp {
    /// The comparison that is true when this one is false, and whether it needs the operands
    /// exchanged.
    pub fn negate(self) -> (Self, bool) {
        use CompareOp::*;
        match self {
            I32Eq => (I32Ne, false),
            I32Ne => (I32Eq, false),
            I32LtS => (I32LeS, true),
            I32LtU => (I32LeU, true),
            I32LeS => (I32LtS, true),
            I32LeU => (I32LtU, true),
            I32AndNz => (I32AndZ, false),
            I32AndZ => (I32AndNz, false),
            I64Eq => (I64Ne, false),
            I64Ne => (I64Eq, false),
            I64LtS => (I64LeS, true),
            I64LtU => (I64LeU, true),
            I64LeS => (I64LtS, true),
            I64LeU => (I64LtU, true),
            F32Eq => (F32Ne, false),
            F32Ne => (F32Eq, false),
            F32Lt => (F32NotLt, false),
            F32Le => (F32NotLe, false),
            F32NotLt => (F32Lt, false),
            F32NotLe => (F32Le, false),
            F64Eq => (F64Ne, false),
            F64Ne => (F64Eq, false),
            F64Lt => (F64NotLt, false),
            F64Le => (F64NotLe, false),
            F64NotLt => (F64Lt, false),
            F64NotLe => (F64Le, false),
        }
    }
}

impl CompareOp {
    /// The type of the operands.
    pub fn operand_type(self) -> ValType {
        use CompareOp::*;
        match self {
            I32Eq | I32Ne | I32LtS | I32LtU | I32LeS | I32LeU | I32AndNz | I32AndZ => ValType::I32,
            I64Eq | I64Ne | I64LtS | I64LtU | I64LeS | I64LeU => ValType::I64,
            F32Eq | F32Ne | F32Lt | F32Le | F32NotLt | F32NotLe => ValType::F32,
            F64Eq | F64Ne | F64Lt | F64Le | F64NotLt | F64NotLe => ValType::F64,
        }
    }
}
