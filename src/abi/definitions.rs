//! What modules define types as.

use super::heap_types::{TypeIndex, TypeKind};
use super::types::{FuncType, ValType};

/// What a field or an array's element holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StorageType {
    I8,
    I16,
    Val(ValType),
}

/// How a packed value becomes an i32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packed {
    Signed,
    Unsigned,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FieldType {
    pub storage: StorageType,
    pub mutable: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CompositeType {
    Func(FuncType),
    Struct(Box<[FieldType]>),
    Array(FieldType),
}

/// One defined type. Numbers in it are its module's. Equality is that of the text; which types are
/// the same is the registry's business (`types`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SubType {
    /// Whether it has no subtypes.
    pub is_final: bool,
    /// The type that it is declared a subtype of.
    pub supertype: Option<TypeIndex>,
    pub composite: CompositeType,
}

impl SubType {
    /// Most supertypes that a type has, directly and through others.
    pub const DEPTH_MAX: u32 = 63;

    pub fn kind(&self) -> TypeKind {
        match self.composite {
            CompositeType::Func(_) => TypeKind::Func,
            CompositeType::Struct(_) => TypeKind::Struct,
            CompositeType::Array(_) => TypeKind::Array,
        }
    }

    /// The type as one of functions.
    pub fn func(&self) -> Option<&FuncType> {
        match &self.composite {
            CompositeType::Func(ty) => Some(ty),
            _ => None,
        }
    }
}

impl From<FuncType> for SubType {
    /// The type that a module means which defines nothing but functions.
    fn from(ty: FuncType) -> Self {
        Self { is_final: true, supertype: None, composite: CompositeType::Func(ty) }
    }
}
