//! The types that modules define, as the embedder sees them.

use super::{FuncType, Module, SubType, TypeIndex, ValType};
use crate::abi::definitions::{CompositeType, StorageType};
use crate::abi::heap_types::{HeapType, RefType};

/// Numbers of types in other types are indices among the types of their module.
impl Module {
    /// How many types the module defines, functions' included.
    pub fn type_count(&self) -> u32 {
        self.inner.parsed.types.len() as u32
    }

    /// The type with this index.
    ///
    /// ```
    /// use isothread::{CompositeType, Context, Module, StorageType};
    ///
    /// let context = Context::new()?;
    /// let wasm = wat::parse_str("(module (type (struct (field (mut i8)) (field i64))))").unwrap();
    /// let module = Module::new(&context, &wasm)?;
    /// let ty = module.defined_type(0).expect("the only one");
    /// let CompositeType::Struct(fields) = &ty.composite else { panic!("a struct") };
    /// assert_eq!(fields[0].storage, StorageType::I8);
    /// assert!(fields[0].mutable && !fields[1].mutable);
    /// # Ok::<(), isothread::Error>(())
    /// ```
    pub fn defined_type(&self, index: u32) -> Option<&SubType> {
        self.inner.parsed.types.get(index)
    }

    /// The index of a type that [`Module::defined_type`] returned; `None` for the types of other
    /// modules.
    pub fn index_of_type(&self, ty: *const SubType) -> Option<u32> {
        let first = std::ptr::from_ref(self.defined_type(0)?).addr();
        let offset = ty.addr().checked_sub(first)?;
        let index = u32::try_from(offset / size_of::<SubType>()).ok()?;
        let is_one = offset.is_multiple_of(size_of::<SubType>()) && index < self.type_count();
        is_one.then_some(index)
    }

    /// The defined type that a function type of this module's is, as [`Module::func_type`] and the
    /// types of imports and exports are.
    pub fn defined_func_type(&self, ty: &FuncType) -> Option<&SubType> {
        let first = std::ptr::from_ref(self.defined_type(0)?).addr();
        let offset = std::ptr::from_ref(ty).addr().checked_sub(first)?;
        let found = self.defined_type(u32::try_from(offset / size_of::<SubType>()).ok()?)?;
        found.func().is_some_and(|own| std::ptr::eq(own, ty)).then_some(found)
    }

    /// The index of the first of the module's types that is the same as a type of another module
    /// of the context, which is known by its canonical number.
    pub(super) fn index_of_id(&self, id: u32) -> Option<u32> {
        self.inner.type_ids.iter().position(|&other| other == id).map(|index| index as u32)
    }

    /// The canonical number of the type with this index.
    pub(super) fn type_id(&self, index: u32) -> Option<u32> {
        self.inner.type_ids.get(index as usize).copied()
    }

    /// A reference type, from the index of the type that its values lead to.
    pub fn reference_to(&self, index: u32, nullable: bool) -> Option<RefType> {
        let kind = self.defined_type(index)?.kind();
        Some(RefType::new(nullable, HeapType::Defined(kind, TypeIndex::new(index)?)))
    }

    /// Whether both types are the same, though their indices may differ.
    pub fn is_same_type(&self, a: ValType, b: ValType) -> bool {
        let types = self.inner.type_ids.view();
        types.value(a) == types.value(b)
    }

    /// Whether all values of type `sub` are of type `of`.
    pub fn is_subtype(&self, sub: ValType, of: ValType) -> bool {
        let types = self.inner.type_ids.view();
        // SAFETY: numbers of a loaded module's types are in use.
        unsafe { types.matches(types.value(sub), types.value(of)) }
    }

    /// Whether all references in a type are to types of the module's.
    pub fn has_type(&self, ty: ValType) -> bool {
        match ty {
            ValType::Ref(ty) => match ty.heap() {
                HeapType::Defined(kind, index) => {
                    self.defined_type(index.get()).is_some_and(|ty| ty.kind() == kind)
                }
                _ => true,
            },
            _ => true,
        }
    }
}

/// What a field or an element holds, as a value: packed ones are an i32.
pub(super) fn unpacked(storage: StorageType) -> ValType {
    match storage {
        StorageType::I8 | StorageType::I16 => ValType::I32,
        StorageType::Val(ty) => ty,
    }
}

/// The fields of a struct type.
impl SubType {
    /// The type as one of structs: its fields.
    pub fn fields(&self) -> Option<&[super::FieldType]> {
        match &self.composite {
            CompositeType::Struct(fields) => Some(fields),
            _ => None,
        }
    }

    /// The type as one of arrays: their elements.
    pub fn element(&self) -> Option<super::FieldType> {
        match self.composite {
            CompositeType::Array(element) => Some(element),
            _ => None,
        }
    }
}
