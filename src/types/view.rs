//! The types of an instance's module, with their canonical numbers.

use super::slab;
use crate::abi::heap_types::{HeapType, RefType, TypeIndex, TypeKind};
use crate::abi::types::{GlobalType, TableType, ValType};
use crate::abi::vm_layout::{VmType, VmTypes};

/// No types at all, for tests that have no registry. A number is a subtype of itself alone then.
#[cfg(test)]
pub static NO_TYPES: VmTypes = VmTypes {
    chunks: [const { std::sync::atomic::AtomicPtr::new(std::ptr::null_mut()) }; VmTypes::CHUNKS],
};

/// Whether the type with number `sub` is the one with number `wanted`, or a subtype of it.
///
/// # Safety
/// Both numbers are in use in the registry of `types`.
#[inline]
pub unsafe fn is_subtype(types: &VmTypes, sub: u32, wanted: u32) -> bool {
    if sub == wanted {
        return true;
    }
    let at = |number| slab::find(&types.chunks, number);
    let (Some(sub), Some(above)) = (at(sub), at(wanted)) else { return false };
    // SAFETY: the caller guarantees that both numbers are in use, so that their types are there. A
    // type's list of supertypes has `depth` numbers.
    unsafe {
        let (VmType { supers, depth, .. }, above) = (sub.as_ref(), above.as_ref());
        above.depth < *depth && *supers.add(above.depth as usize) == wanted
    }
}

/// Whether the type with number `sub` has the supertype `wanted`, a number that itself has so many
/// supertypes.
///
/// # Safety
/// `sub` is in use in the registry of `types`.
#[inline(always)]
pub unsafe fn has_supertype(types: &VmTypes, sub: u32, (depth, wanted): (u32, u32)) -> bool {
    let Some(sub) = slab::find(&types.chunks, sub) else { return false };
    // SAFETY: the caller guarantees that the number is in use, so that its type is there. A type's
    // list of supertypes has as many numbers as it says.
    unsafe {
        let VmType { supers, depth: count, .. } = *sub.as_ptr();
        depth < count && *supers.add(depth as usize) == wanted
    }
}

/// The types of an instance's module in the instance's context.
#[derive(Clone, Copy)]
pub struct TypeView<'a> {
    ids: &'a [u32],
    all: &'a VmTypes,
}

impl<'a> TypeView<'a> {
    /// # Safety
    /// `ids` are numbers of the registry of `all`, in use during `'a`.
    pub unsafe fn new(ids: &'a [u32], all: &'a VmTypes) -> Self {
        Self { ids, all }
    }

    /// Canonical numbers by index.
    pub fn ids(self) -> &'a [u32] {
        self.ids
    }

    /// All types of the context.
    pub fn all(self) -> &'a VmTypes {
        self.all
    }

    fn heap(self, heap: HeapType) -> HeapType {
        let HeapType::Defined(kind, index) = heap else { return heap };
        let canonical = self.ids.get(index.get() as usize).copied().and_then(TypeIndex::new);
        // All numbers of the registry fit into an index.
        canonical.map_or(heap, |canonical| HeapType::Defined(kind, canonical))
    }

    pub fn reference(self, ty: RefType) -> RefType {
        RefType::new(ty.is_nullable(), self.heap(ty.heap()))
    }

    /// A type of the module's with canonical numbers in it.
    pub fn value(self, ty: ValType) -> ValType {
        match ty {
            ValType::Ref(ty) => ValType::Ref(self.reference(ty)),
            number => number,
        }
    }

    /// As [`TypeView::value`], of a global.
    pub fn global(self, ty: GlobalType) -> GlobalType {
        GlobalType { val: self.value(ty.val), ..ty }
    }

    /// As [`TypeView::value`], of a table.
    pub fn table(self, ty: TableType) -> TableType {
        TableType { elem: self.value(ty.elem), ..ty }
    }

    /// Whether a global of type `offered` may be imported as one of type `wanted`. Numbers are
    /// canonical.
    ///
    /// # Safety
    /// Numbers in either are in use in this context.
    pub unsafe fn imports(self, offered: GlobalType, wanted: GlobalType) -> bool {
        let fits = match wanted.mutable {
            true => offered.val == wanted.val,
            // SAFETY: the caller guarantees that the numbers in both types are in use.
            false => unsafe { self.matches(offered.val, wanted.val) },
        };
        fits && offered.mutable == wanted.mutable
    }

    /// Whether all values of type `sub` are of type `wanted`. Numbers are canonical.
    ///
    /// # Safety
    /// Numbers in either are in use in this context.
    pub unsafe fn matches(self, sub: ValType, wanted: ValType) -> bool {
        match (sub, wanted) {
            // SAFETY: the caller guarantees that the numbers in both types are in use in this
            // context, whose types are `all`.
            (ValType::Ref(sub), ValType::Ref(wanted)) => unsafe {
                (wanted.is_nullable() || !sub.is_nullable())
                    && heap_matches(self.all, sub.heap(), wanted.heap())
            },
            (sub, wanted) => sub == wanted,
        }
    }
}

/// Whether all of `sub` is of type `wanted` as well.
///
/// # Safety
/// Numbers in either are in use in the registry of `types`.
unsafe fn heap_matches(types: &VmTypes, sub: HeapType, wanted: HeapType) -> bool {
    if sub.hierarchy() != wanted.hierarchy() {
        return false;
    }
    if sub == wanted || wanted.is_top() || sub.is_bottom() {
        return true;
    }
    match (sub, wanted) {
        (HeapType::Defined(_, sub), HeapType::Defined(_, wanted)) => {
            // SAFETY: the caller guarantees that numbers in both are in use in the registry of
            // `types`.
            unsafe { is_subtype(types, sub.get(), wanted.get()) }
        }
        (HeapType::I31 | HeapType::Struct | HeapType::Array, HeapType::Eq) => true,
        (HeapType::Defined(TypeKind::Struct | TypeKind::Array, _), HeapType::Eq) => true,
        (HeapType::Defined(TypeKind::Struct, _), HeapType::Struct) => true,
        (HeapType::Defined(TypeKind::Array, _), HeapType::Array) => true,
        _ => false,
    }
}
