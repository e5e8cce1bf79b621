//! From the validator's types to ours.
//!
//! Types that `abi::types` does not have yet are refused with a load error, so that switching a
//! proposal on too early in `Features` costs a module and nothing else.

use super::{ReadError, ReadResult};
use crate::abi::definitions::{CompositeType, FieldType, StorageType, SubType};
use crate::abi::error::Error;
use crate::abi::heap_types::{HeapType, RefType, TypeIndex, TypeKind};
use crate::abi::types::{FuncType, GlobalType, Limits, MemoryType, TableType, ValType};
use crate::alloc;
use crate::module::TypeList;
use wasmparser::{AbstractHeapType, CompositeInnerType, UnpackedIndex};

#[cold]
pub(in crate::module) fn unsupported(what: &str) -> ReadError {
    ReadError::Ours(Error::load(format!("unsupported {what}")))
}

/// Slots of a value of type `ty`, known also for types that our vocabulary lacks.
pub(in crate::module) fn slots(ty: wasmparser::ValType) -> u32 {
    match ty {
        wasmparser::ValType::V128 => ValType::V128.slots(),
        _ => 1,
    }
}

/// The kind of type that a definition makes.
pub(super) fn kind(ty: &wasmparser::SubType) -> ReadResult<TypeKind> {
    Ok(match &ty.composite_type.inner {
        CompositeInnerType::Func(_) => TypeKind::Func,
        CompositeInnerType::Struct(_) => TypeKind::Struct,
        CompositeInnerType::Array(_) => TypeKind::Array,
        CompositeInnerType::Cont(_) => return Err(unsupported("type definition")),
    })
}

/// The types that others may name.
#[derive(Clone, Copy)]
pub(in crate::module) struct Named<'a> {
    /// Those that were read.
    pub(in crate::module) known: &'a TypeList,
    /// The kinds of those in the group that is being read, which comes next.
    pub(in crate::module) group: &'a [TypeKind],
    /// Whether constant expressions may have operations of GC.
    pub(in crate::module) executes_gc: bool,
}

impl Named<'_> {
    fn index(self, index: UnpackedIndex) -> ReadResult<TypeIndex> {
        let index = index.as_module_index().and_then(TypeIndex::new);
        index.ok_or_else(|| unsupported("type index"))
    }

    fn defined(self, index: UnpackedIndex) -> ReadResult<HeapType> {
        let index = self.index(index)?;
        let kind = match self.known.get(index.get()) {
            Some(ty) => Some(ty.kind()),
            None => self.group.get(index.get() as usize - self.known.len()).copied(),
        };
        let kind = kind.ok_or_else(|| unsupported("type index"))?;
        Ok(HeapType::Defined(kind, index))
    }

    pub(in crate::module) fn heap_type(self, ty: wasmparser::HeapType) -> ReadResult<HeapType> {
        let ty = match ty {
            wasmparser::HeapType::Abstract { shared: false, ty } => ty,
            wasmparser::HeapType::Concrete(index) => return self.defined(index),
            _ => return Err(unsupported("reference type")),
        };
        Ok(match ty {
            AbstractHeapType::Func => HeapType::Func,
            AbstractHeapType::NoFunc => HeapType::NoFunc,
            AbstractHeapType::Extern => HeapType::Extern,
            AbstractHeapType::NoExtern => HeapType::NoExtern,
            AbstractHeapType::Exn => HeapType::Exn,
            AbstractHeapType::NoExn => HeapType::NoExn,
            AbstractHeapType::Any => HeapType::Any,
            AbstractHeapType::None => HeapType::None,
            AbstractHeapType::Eq => HeapType::Eq,
            AbstractHeapType::I31 => HeapType::I31,
            AbstractHeapType::Struct => HeapType::Struct,
            AbstractHeapType::Array => HeapType::Array,
            AbstractHeapType::Cont | AbstractHeapType::NoCont => {
                return Err(unsupported("reference type"));
            }
        })
    }

    fn ref_type(self, ty: wasmparser::RefType) -> ReadResult<ValType> {
        Ok(ValType::Ref(RefType::new(ty.is_nullable(), self.heap_type(ty.heap_type())?)))
    }

    pub fn val_type(self, ty: wasmparser::ValType) -> ReadResult<ValType> {
        Ok(match ty {
            wasmparser::ValType::I32 => ValType::I32,
            wasmparser::ValType::I64 => ValType::I64,
            wasmparser::ValType::F32 => ValType::F32,
            wasmparser::ValType::F64 => ValType::F64,
            wasmparser::ValType::V128 => ValType::V128,
            wasmparser::ValType::Ref(ty) => self.ref_type(ty)?,
        })
    }

    fn val_types(self, types: &[wasmparser::ValType]) -> ReadResult<Box<[ValType]>> {
        let mut list = alloc::try_vec(types.len())?;
        for &ty in types {
            list.push(self.val_type(ty)?);
        }
        Ok(list.into_boxed_slice())
    }

    fn field(self, ty: wasmparser::FieldType) -> ReadResult<FieldType> {
        let storage = match ty.element_type {
            wasmparser::StorageType::I8 => StorageType::I8,
            wasmparser::StorageType::I16 => StorageType::I16,
            wasmparser::StorageType::Val(ty) => StorageType::Val(self.val_type(ty)?),
        };
        Ok(FieldType { storage, mutable: ty.mutable })
    }

    pub(super) fn sub_type(self, ty: &wasmparser::SubType) -> ReadResult<SubType> {
        if ty.composite_type.shared || ty.supertype_idxs.len() > 1 {
            return Err(unsupported("type definition"));
        }
        let composite = match &ty.composite_type.inner {
            CompositeInnerType::Func(func) => {
                let (params, results) = (func.params(), func.results());
                let ty = FuncType::new(self.val_types(params)?, self.val_types(results)?);
                CompositeType::Func(ty)
            }
            CompositeInnerType::Struct(ty) => {
                let mut fields = alloc::try_vec(ty.fields.len())?;
                for &field in &*ty.fields {
                    fields.push(self.field(field)?);
                }
                CompositeType::Struct(fields.into_boxed_slice())
            }
            CompositeInnerType::Array(ty) => CompositeType::Array(self.field(ty.0)?),
            CompositeInnerType::Cont(_) => return Err(unsupported("type definition")),
        };
        let supertype = ty.supertype_idxs.first().map(|index| self.index(index.unpack()));
        Ok(SubType { is_final: ty.is_final, supertype: supertype.transpose()?, composite })
    }

    pub(super) fn table_type(self, ty: wasmparser::TableType) -> ReadResult<TableType> {
        if ty.shared {
            return Err(unsupported("table type"));
        }
        Ok(TableType {
            elem: self.ref_type(ty.element_type)?,
            limits: Limits { min: ty.initial, max: ty.maximum },
            table64: ty.table64,
        })
    }

    pub(super) fn global_type(self, ty: wasmparser::GlobalType) -> ReadResult<GlobalType> {
        if ty.shared {
            return Err(unsupported("global type"));
        }
        Ok(GlobalType { val: self.val_type(ty.content_type)?, mutable: ty.mutable })
    }
}

pub(super) fn memory_type(ty: wasmparser::MemoryType) -> ReadResult<MemoryType> {
    let page_size_log2 = match ty.page_size_log2 {
        None => MemoryType::PAGE_SIZE_LOG2,
        Some(0) => 0,
        Some(16) => MemoryType::PAGE_SIZE_LOG2,
        Some(_) => return Err(unsupported("memory page size")),
    };
    Ok(MemoryType {
        limits: Limits { min: ty.initial, max: ty.maximum },
        shared: ty.shared,
        memory64: ty.memory64,
        page_size_log2,
    })
}
