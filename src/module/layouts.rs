//! How objects of a module's types lie in the heap.

use super::TypeList;
use crate::abi::definitions::{CompositeType, FieldType, StorageType};
use crate::abi::error::{Error, Result};
use crate::abi::heap_types::Hierarchy;
use crate::abi::types::ValType;
use crate::alloc::try_vec;
use crate::gc::{StorageKind, StructLayout};

/// How objects of one type lie.
enum Layout {
    /// There are no objects of it.
    Nothing,
    Struct(StructLayout),
    Array(StorageKind),
}

/// See the module. Owner: the `Module`. Layouts depend on what types are stored as alone, which is
/// the same in all contexts.
#[derive(Default)]
pub struct ObjectLayouts(Vec<Layout>);

impl ObjectLayouts {
    /// The layouts of all structs and arrays.
    pub(super) fn new(types: &TypeList) -> Result<Self> {
        let is_object = |composite: &CompositeType| !matches!(composite, CompositeType::Func(_));
        if !types.iter().any(|ty| is_object(&ty.composite)) {
            return Ok(Self::default());
        }
        let mut layouts = try_vec(types.len()).map_err(|_| Error::out_of_memory())?;
        for ty in types.iter() {
            layouts.push(match &ty.composite {
                CompositeType::Func(_) => Layout::Nothing,
                CompositeType::Array(element) => Layout::Array(kind(*element)),
                CompositeType::Struct(fields) => {
                    let layout = StructLayout::new(fields.iter().map(|&field| kind(field)));
                    Layout::Struct(layout.ok_or_else(Error::out_of_memory)?)
                }
            });
        }
        Ok(Self(layouts))
    }

    /// The layout of a struct, by its type's index.
    pub fn of_struct(&self, ty: u32) -> Option<&StructLayout> {
        match self.0.get(ty as usize) {
            Some(Layout::Struct(layout)) => Some(layout),
            _ => None,
        }
    }

    /// What an array's elements are, by its type's index.
    pub fn of_array(&self, ty: u32) -> Option<StorageKind> {
        match self.0.get(ty as usize) {
            Some(Layout::Array(kind)) => Some(*kind),
            _ => None,
        }
    }
}

/// The storage of a field. References to functions lead to nothing that is collected.
fn kind(ty: FieldType) -> StorageKind {
    match ty.storage {
        StorageType::I8 => StorageKind::I8,
        StorageType::I16 => StorageKind::I16,
        StorageType::Val(ValType::I32) => StorageKind::I32,
        StorageType::Val(ValType::I64) => StorageKind::I64,
        StorageType::Val(ValType::F32) => StorageKind::F32,
        StorageType::Val(ValType::F64) => StorageKind::F64,
        StorageType::Val(ValType::V128) => StorageKind::V128,
        StorageType::Val(ValType::Ref(ty)) => match ty.hierarchy() {
            Hierarchy::Func => StorageKind::Opaque,
            Hierarchy::Extern | Hierarchy::Exn | Hierarchy::Any => StorageKind::Ref,
        },
    }
}
