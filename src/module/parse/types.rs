//! From the validator's types to ours.
//!
//! What our vocabulary cannot say yet is refused with a load error, so that switching a proposal
//! on too early in `Features` costs a module and nothing else.

use super::{ReadError, ReadResult};
use crate::abi::error::Error;
use crate::abi::types::{FuncType, GlobalType, Limits, MemoryType, TableType, ValType};
use crate::alloc;
use wasmparser::{AbstractHeapType, CompositeInnerType, HeapType, RefType, SubType};

#[cold]
pub(in crate::module) fn unsupported(what: &str) -> ReadError {
    ReadError::Ours(Error::load(format!("unsupported {what}")))
}

pub(super) fn val_type(ty: wasmparser::ValType) -> ReadResult<ValType> {
    Ok(match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        wasmparser::ValType::V128 => ValType::V128,
        wasmparser::ValType::Ref(ty) => ref_type(ty)?,
    })
}

/// Slots of a value of type `ty`, known also for types that our vocabulary lacks.
pub(in crate::module) fn slots(ty: wasmparser::ValType) -> u32 {
    match ty {
        wasmparser::ValType::V128 => ValType::V128.slots(),
        _ => 1,
    }
}

fn ref_type(ty: RefType) -> ReadResult<ValType> {
    if !ty.is_nullable() {
        return Err(unsupported("reference type"));
    }
    heap_type(ty.heap_type())
}

pub(in crate::module) fn heap_type(ty: HeapType) -> ReadResult<ValType> {
    match ty {
        HeapType::Abstract { shared: false, ty: AbstractHeapType::Func } => Ok(ValType::FUNCREF),
        HeapType::Abstract { shared: false, ty: AbstractHeapType::Extern } => {
            Ok(ValType::EXTERNREF)
        }
        // The validator keeps them apart; where a value lies, null is like any other exception.
        HeapType::Abstract {
            shared: false,
            ty: AbstractHeapType::Exn | AbstractHeapType::NoExn,
        } => Ok(ValType::EXNREF),
        _ => Err(unsupported("reference type")),
    }
}

fn val_types(types: &[wasmparser::ValType]) -> ReadResult<Box<[ValType]>> {
    let mut list = alloc::try_vec(types.len())?;
    for &ty in types {
        list.push(val_type(ty)?);
    }
    Ok(list.into_boxed_slice())
}

pub(super) fn func_type(ty: &SubType) -> ReadResult<FuncType> {
    let plain = ty.is_final && ty.supertype_idxs.is_empty() && !ty.composite_type.shared;
    match &ty.composite_type.inner {
        CompositeInnerType::Func(func) if plain => {
            Ok(FuncType::new(val_types(func.params())?, val_types(func.results())?))
        }
        _ => Err(unsupported("type definition")),
    }
}

pub(super) fn table_type(ty: wasmparser::TableType) -> ReadResult<TableType> {
    if ty.shared {
        return Err(unsupported("table type"));
    }
    Ok(TableType {
        elem: ref_type(ty.element_type)?,
        limits: Limits { min: ty.initial, max: ty.maximum },
        table64: ty.table64,
    })
}

pub(super) fn memory_type(ty: wasmparser::MemoryType) -> ReadResult<MemoryType> {
    if ty.page_size_log2.is_some() {
        return Err(unsupported("memory page size"));
    }
    Ok(MemoryType {
        limits: Limits { min: ty.initial, max: ty.maximum },
        shared: ty.shared,
        memory64: ty.memory64,
    })
}

pub(super) fn global_type(ty: wasmparser::GlobalType) -> ReadResult<GlobalType> {
    if ty.shared {
        return Err(unsupported("global type"));
    }
    Ok(GlobalType { val: val_type(ty.content_type)?, mutable: ty.mutable })
}
