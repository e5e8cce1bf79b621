//! A group of types as words, such that equal groups have equal words.
//!
//! ```text
//! type       kind | FINAL | HAS_SUPER, the supertype if there is one, then
//!   function   count of parameters, count of results, all of them
//!   struct     count of fields, all of them
//!   array      its element
//! value      code in the low byte; of a defined type, its number above and IN_GROUP
//! ```

use crate::abi::definitions::{CompositeType, FieldType, StorageType, SubType};
use crate::abi::heap_types::{HeapType, RefType, TypeIndex, TypeKind};
use crate::abi::types::ValType;
use crate::alloc;
use std::collections::TryReserveError;

const FINAL: u32 = 1 << 2;
const HAS_SUPER: u32 = 1 << 3;

/// Added to the code of a reference whose values include null.
const NULLABLE: u32 = 1 << 5;
/// Added to the code of a mutable field.
const MUTABLE: u32 = 1 << 6;
/// Added to the code of a defined type that is given by its place in the group.
const IN_GROUP: u32 = 1 << 7;

/// The meaning of a group's type indices.
pub(super) struct Numbers<'a> {
    /// Canonical numbers of the module's types before the group, by index.
    pub(super) known: &'a [u32],
}

impl Numbers<'_> {
    /// A defined type as the upper bits of a word.
    fn word(&self, index: TypeIndex) -> u32 {
        let index = index.get();
        match self.known.get(index as usize) {
            Some(canonical) => canonical << 8,
            None => (index - self.known.len() as u32) << 8 | IN_GROUP,
        }
    }

    fn reference(&self, ty: RefType) -> u32 {
        let nullable = if ty.is_nullable() { NULLABLE } else { 0 };
        let code = match ty.heap() {
            HeapType::Func => 7,
            HeapType::NoFunc => 8,
            HeapType::Extern => 9,
            HeapType::NoExtern => 10,
            HeapType::Exn => 11,
            HeapType::NoExn => 12,
            HeapType::Any => 13,
            HeapType::None => 14,
            HeapType::Eq => 15,
            HeapType::I31 => 16,
            HeapType::Struct => 17,
            HeapType::Array => 18,
            // The kind follows from the definition, and so from the number.
            HeapType::Defined(_, index) => 19 | self.word(index),
        };
        nullable | code
    }

    fn value(&self, ty: ValType) -> u32 {
        match ty {
            ValType::I32 => 0,
            ValType::I64 => 1,
            ValType::F32 => 2,
            ValType::F64 => 3,
            ValType::V128 => 4,
            ValType::Ref(ty) => self.reference(ty),
        }
    }

    fn field(&self, ty: FieldType) -> u32 {
        let mutable = if ty.mutable { MUTABLE } else { 0 };
        let storage = match ty.storage {
            StorageType::I8 => 5,
            StorageType::I16 => 6,
            StorageType::Val(ty) => self.value(ty),
        };
        mutable | storage
    }

    /// Appends a type to `key`.
    fn append(&self, ty: &SubType, key: &mut Vec<u32>) -> Result<(), TryReserveError> {
        let values = match &ty.composite {
            CompositeType::Func(func) => func.params().len() + func.results().len(),
            CompositeType::Struct(fields) => fields.len(),
            CompositeType::Array(_) => 1,
        };
        alloc::fallible(|| key.try_reserve(values + 4))?;
        let kind = match ty.kind() {
            TypeKind::Func => 0,
            TypeKind::Struct => 1,
            TypeKind::Array => 2,
        };
        let is_final = if ty.is_final { FINAL } else { 0 };
        let has_super = if ty.supertype.is_some() { HAS_SUPER } else { 0 };
        key.push(kind | is_final | has_super);
        key.extend(ty.supertype.map(|index| self.word(index)));
        match &ty.composite {
            CompositeType::Func(func) => {
                key.extend([func.params().len() as u32, func.results().len() as u32]);
                let values = func.params().iter().chain(func.results());
                key.extend(values.map(|&ty| self.value(ty)));
            }
            CompositeType::Struct(fields) => {
                key.push(fields.len() as u32);
                key.extend(fields.iter().map(|&ty| self.field(ty)));
            }
            CompositeType::Array(element) => key.push(self.field(*element)),
        }
        Ok(())
    }

    /// Makes `key` the words of a group.
    pub(super) fn write(
        &self,
        group: &[SubType],
        key: &mut Vec<u32>,
    ) -> Result<(), TryReserveError> {
        key.clear();
        group.iter().try_for_each(|ty| self.append(ty, key))
    }
}
