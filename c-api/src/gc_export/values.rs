//! Values of fields and elements.

use super::objects::{host_address, in_context, read, to_c};
use super::types::{V128, WASMValue, wasm_value_t};
use isothread::{AnyRef, ExternRef, Hierarchy, Instance, RawRef, StorageType, Val, ValType};

/// A value for a place of this type in an object of the instance's link set; `None` for references
/// to other things than that place may hold.
///
/// # Safety
/// The member of the value that the type asks for was written.
pub(super) unsafe fn from_c(
    value: &wasm_value_t,
    storage: StorageType,
    instance: &Instance,
) -> Option<Val> {
    let StorageType::Val(ty) = storage else {
        // SAFETY: packed values are in this member.
        return Some(Val::I32(unsafe { value.i32 }));
    };
    // SAFETY: each arm reads the member of its type.
    Some(unsafe {
        match ty {
            ValType::I32 => Val::I32(value.i32),
            ValType::I64 => Val::I64(value.i64),
            ValType::F32 => Val::F32(value.f32),
            ValType::F64 => Val::F64(value.f64),
            ValType::V128 => {
                let [low, high] = value.v128.i64x2;
                Val::V128(u128::from(low as u64) | u128::from(high as u64) << 64)
            }
            ValType::Ref(ty) => reference(read(value.gc_obj), ty.hierarchy(), instance)?,
        }
    })
}

fn reference(raw: RawRef, hierarchy: Hierarchy, instance: &Instance) -> Option<Val> {
    if raw.host_word().is_some() {
        host_address(raw)?;
    }
    Some(match (hierarchy, raw) {
        (Hierarchy::Func, RawRef::Null) => Val::FuncRef(None),
        (Hierarchy::Func, RawRef::Func(_)) => Val::FuncRef(Some(instance.linked_func(raw)?)),
        (Hierarchy::Extern, RawRef::Null) => Val::ExternRef(None),
        (Hierarchy::Extern, RawRef::Extern(reference)) => Val::ExternRef(Some(reference)),
        (Hierarchy::Extern, RawRef::Plain(u64::MAX)) => Val::ExternRef(None),
        (Hierarchy::Extern, RawRef::Plain(address)) => {
            Val::ExternRef(Some(host_object(instance, address as usize)?))
        }
        (Hierarchy::Any, RawRef::Null) => Val::AnyRef(None),
        (Hierarchy::Any, RawRef::Any(reference)) => Val::AnyRef(Some(reference)),
        _ => return None,
    })
}

/// An object of the host's, which becomes the instance's if it is not known there.
pub(super) fn host_object(instance: &Instance, address: usize) -> Option<ExternRef> {
    ExternRef::new(instance.extern_number(address)?.into())
}

/// The reference to an object of the host's that a call has given to C.
pub(super) fn known_host_object(address: usize) -> Option<AnyRef> {
    let number = in_context(|context| context.extern_objects()?.any_number(address))?;
    ExternRef::new(number.into()).map(AnyRef::from)
}

/// A value for C; all zero for none.
pub(super) fn to_value(value: Option<Val>) -> wasm_value_t {
    let mut out = WASMValue { v128: V128 { i64x2: [0; 2] } };
    match value {
        None => {}
        Some(Val::I32(v)) => out.i32 = v,
        Some(Val::I64(v)) => out.i64 = v,
        Some(Val::F32(v)) => out.f32 = v,
        Some(Val::F64(v)) => out.f64 = v,
        Some(Val::V128(v)) => out.v128 = V128 { i64x2: [v as i64, (v >> 64) as i64] },
        Some(Val::FuncRef(v)) => out.gc_obj = to_c(v),
        Some(Val::ExternRef(v)) => out.gc_obj = to_c(v),
        Some(Val::AnyRef(v)) => out.gc_obj = to_c(v),
        // Exceptions have no form as objects.
        Some(Val::ExnRef(_)) => {}
    }
    out
}
