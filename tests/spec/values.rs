//! Values of the scripts: arguments, and patterns that results must match.

use crate::engine::{Object, Value};
use wast::core::{AbstractHeapType, HeapType, NanPattern, V128Const, V128Pattern};
use wast::core::{WastArgCore, WastRetCore};
use wast::token::{F32, F64};
use wast::{WastArg, WastRet};

pub(crate) fn arguments(args: &[WastArg<'_>]) -> Result<Vec<Value>, String> {
    args.iter().map(argument).collect()
}

fn argument(arg: &WastArg<'_>) -> Result<Value, String> {
    let WastArg::Core(arg) = arg else { return Err(format!("not a core value: {arg:?}")) };
    Ok(match arg {
        WastArgCore::I32(value) => Value::I32(*value as u32),
        WastArgCore::I64(value) => Value::I64(*value as u64),
        WastArgCore::F32(value) => Value::F32(value.bits),
        WastArgCore::F64(value) => Value::F64(value.bits),
        WastArgCore::V128(value) => Value::V128(v128(value)),
        WastArgCore::RefExtern(value) => Value::ExternRef(Some(u64::from(*value))),
        WastArgCore::RefHost(value) => Value::AnyRef(Object::Host(u64::from(*value))),
        WastArgCore::RefNull(ty) if is_extern(ty) => Value::ExternRef(None),
        WastArgCore::RefNull(ty) if is_exn(ty) => Value::ExnRef(false),
        WastArgCore::RefNull(ty) if is_any(ty) => Value::AnyRef(Object::Null),
        WastArgCore::RefNull(_) => Value::FuncRef(false),
    })
}

fn v128(value: &V128Const) -> u128 {
    u128::from_le_bytes(value.to_le_bytes())
}

fn is_extern(ty: &HeapType<'_>) -> bool {
    let HeapType::Abstract { ty, .. } = ty else { return false };
    matches!(ty, AbstractHeapType::Extern | AbstractHeapType::NoExtern)
}

fn is_exn(ty: &HeapType<'_>) -> bool {
    let HeapType::Abstract { ty, .. } = ty else { return false };
    matches!(ty, AbstractHeapType::Exn | AbstractHeapType::NoExn)
}

fn is_any(ty: &HeapType<'_>) -> bool {
    use AbstractHeapType::{Any, Array, Eq, I31, None, Struct};
    let HeapType::Abstract { ty, .. } = ty else { return false };
    matches!(ty, Any | Eq | I31 | Struct | Array | None)
}

/// Whether results match the expected ones, in number and one by one.
pub(crate) fn matches(expected: &[WastRet<'_>], results: &[Value]) -> bool {
    expected.len() == results.len()
        && expected.iter().zip(results).all(|(expected, &result)| match expected {
            WastRet::Core(expected) => matches_one(expected, result),
            _ => false,
        })
}

fn matches_one(expected: &WastRetCore<'_>, result: Value) -> bool {
    match (expected, result) {
        (WastRetCore::I32(expected), Value::I32(result)) => *expected as u32 == result,
        (WastRetCore::I64(expected), Value::I64(result)) => *expected as u64 == result,
        (WastRetCore::F32(expected), Value::F32(result)) => f32_matches(expected, result),
        (WastRetCore::F64(expected), Value::F64(result)) => f64_matches(expected, result),
        (WastRetCore::V128(expected), Value::V128(result)) => v128_matches(expected, result),
        (WastRetCore::RefNull(None), Value::FuncRef(some)) => !some,
        (WastRetCore::RefNull(None), Value::ExternRef(word)) => word.is_none(),
        (WastRetCore::RefNull(None), Value::ExnRef(some)) => !some,
        (WastRetCore::RefNull(None), Value::AnyRef(object)) => object == Object::Null,
        (WastRetCore::RefNull(Some(ty)), Value::AnyRef(object)) => {
            is_any(ty) && object == Object::Null
        }
        (WastRetCore::RefAny, Value::AnyRef(object)) => object != Object::Null,
        (WastRetCore::RefEq, Value::AnyRef(object)) => {
            matches!(object, Object::I31(_) | Object::Guest)
        }
        (WastRetCore::RefI31, Value::AnyRef(object)) => matches!(object, Object::I31(_)),
        (WastRetCore::RefStruct | WastRetCore::RefArray, Value::AnyRef(object)) => {
            object == Object::Guest
        }
        (WastRetCore::RefHost(expected), Value::AnyRef(object)) => {
            object == Object::Host(u64::from(*expected))
        }
        (WastRetCore::RefNull(Some(ty)), Value::ExternRef(word)) => is_extern(ty) && word.is_none(),
        (WastRetCore::RefNull(Some(ty)), Value::ExnRef(some)) => is_exn(ty) && !some,
        (WastRetCore::RefNull(Some(ty)), Value::FuncRef(some)) => {
            !is_extern(ty) && !is_exn(ty) && !is_any(ty) && !some
        }
        (WastRetCore::RefExtern(None), Value::ExternRef(word)) => word.is_some(),
        (WastRetCore::RefExtern(Some(expected)), Value::ExternRef(word)) => {
            word == Some(u64::from(*expected))
        }
        // Some scripts give an index, which embedders cannot get from a reference.
        (WastRetCore::RefFunc(_), Value::FuncRef(some)) => some,
        (WastRetCore::Either(any), result) => any.iter().any(|one| matches_one(one, result)),
        _ => false,
    }
}

const F32_QUIET: u32 = 0x7fc0_0000;
const F64_QUIET: u64 = 0x7ff8_0000_0000_0000;

fn f32_matches(expected: &NanPattern<F32>, result: u32) -> bool {
    match expected {
        NanPattern::CanonicalNan => result & 0x7fff_ffff == F32_QUIET,
        NanPattern::ArithmeticNan => result & F32_QUIET == F32_QUIET,
        NanPattern::Value(value) => value.bits == result,
    }
}

fn f64_matches(expected: &NanPattern<F64>, result: u64) -> bool {
    match expected {
        NanPattern::CanonicalNan => result & 0x7fff_ffff_ffff_ffff == F64_QUIET,
        NanPattern::ArithmeticNan => result & F64_QUIET == F64_QUIET,
        NanPattern::Value(value) => value.bits == result,
    }
}

fn v128_matches(expected: &V128Pattern, result: u128) -> bool {
    let bytes = result.to_le_bytes();
    let lane = |i: usize, size: usize| {
        let mut lane = [0; 8];
        lane[..size].copy_from_slice(&bytes[i * size..(i + 1) * size]);
        u64::from_le_bytes(lane)
    };
    match expected {
        V128Pattern::I8x16(lanes) => {
            lanes.iter().enumerate().all(|(i, &v)| v as u8 as u64 == lane(i, 1))
        }
        V128Pattern::I16x8(lanes) => {
            lanes.iter().enumerate().all(|(i, &v)| v as u16 as u64 == lane(i, 2))
        }
        V128Pattern::I32x4(lanes) => {
            lanes.iter().enumerate().all(|(i, &v)| v as u32 as u64 == lane(i, 4))
        }
        V128Pattern::I64x2(lanes) => lanes.iter().enumerate().all(|(i, &v)| v as u64 == lane(i, 8)),
        V128Pattern::F32x4(lanes) => {
            lanes.iter().enumerate().all(|(i, v)| f32_matches(v, lane(i, 4) as u32))
        }
        V128Pattern::F64x2(lanes) => {
            lanes.iter().enumerate().all(|(i, v)| f64_matches(v, lane(i, 8)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_patterns() {
        let canonical = NanPattern::<F32>::CanonicalNan;
        assert!(f32_matches(&canonical, 0x7fc0_0000) && f32_matches(&canonical, 0xffc0_0000));
        assert!(!f32_matches(&canonical, 0x7fc0_0001) && !f32_matches(&canonical, 0x7fa0_0000));
        let arithmetic = NanPattern::<F64>::ArithmeticNan;
        assert!(f64_matches(&arithmetic, 0xfff8_0000_0000_0001));
        assert!(!f64_matches(&arithmetic, 0x7ff0_0000_0000_0001));
        assert!(!f64_matches(&arithmetic, 0x3ff0_0000_0000_0000));
    }

    #[test]
    fn types_and_numbers_of_results_count() {
        let one = [WastRet::Core(WastRetCore::I32(1))];
        assert!(matches(&one, &[Value::I32(1)]));
        assert!(!matches(&one, &[Value::I64(1)]));
        assert!(!matches(&one, &[]));
        assert!(!matches(&one, &[Value::I32(1), Value::I32(1)]));
        let null = [WastRet::Core(WastRetCore::RefNull(None))];
        assert!(matches(&null, &[Value::ExternRef(None)]));
        assert!(!matches(&null, &[Value::FuncRef(true)]));
    }
}
