//! The host's access to objects of guests: the object says what its type is, and every value is
//! checked before it becomes part of one.

use super::{Instance, Slots, link_set};
use crate::abi::definitions::{CompositeType, FieldType, Packed, StorageType, SubType};
use crate::abi::guest_word;
use crate::abi::heap_types::{HeapType, Hierarchy, RefType};
use crate::abi::types::ValType;
use crate::abi::vm_layout::VmFuncRef;
use crate::gc::{GcHeap, GcRef, StorageKind, StructField};
use std::ptr::NonNull;

/// A type of a link set's: the member whose module defines it, and its index there.
#[derive(Clone, Copy)]
struct Definition {
    member: NonNull<Instance>,
    index: u32,
}

impl Instance {
    /// The definition of the type with this canonical number.
    fn definition(&self, id: u32) -> Option<Definition> {
        let at = |member: &Self| {
            let index = member.types().ids().iter().position(|&other| other == id)?;
            Some(Definition { member: member.ptr(), index: index as u32 })
        };
        // SAFETY: the link set is alive as long as this instance is borrowed.
        at(self).or_else(|| unsafe { link_set::find(self.ptr(), |member| at(member.as_ref())) })
    }

    /// The type of an object, as the module of some member of the link set defines it, and its
    /// index there.
    pub fn type_of_object(&self, object: GcRef) -> Option<(&SubType, u32)> {
        let Definition { member, index } = self.definition_of(object)?;
        // SAFETY: members live as long as the link set, which the borrow of this one keeps.
        Some((unsafe { member.as_ref() }.module().types.get(index)?, index))
    }

    /// The canonical number of an object's type.
    pub fn type_id_of_object(&self, object: GcRef) -> Option<u32> {
        self.with_live_objects(|heap| heap.type_of(object)).flatten()
    }

    fn definition_of(&self, object: GcRef) -> Option<Definition> {
        self.definition(self.type_id_of_object(object)?)
    }

    /// Whether the host may hand the reference in `word` to guests as one of type `ty`, in which
    /// numbers are canonical. Any word may be asked about.
    pub fn admits(&self, ty: RefType, word: u64) -> bool {
        let is_known = word == 0
            || match ty.hierarchy() {
                Hierarchy::Any => true,
                Hierarchy::Extern => {
                    !guest_word::is_guests(word) || self.is_object(HeapType::Any, word)
                }
                Hierarchy::Func => self.is_linked_func(word as usize),
                Hierarchy::Exn => self.exception_of(word).is_some(),
            };
        // SAFETY: a function was found to be the link set's.
        is_known && unsafe { self.accepts(ty, word) }
    }

    /// Whether there is a function reference of the link set at the address.
    pub fn is_linked_func(&self, address: usize) -> bool {
        let func = address as *const VmFuncRef;
        let owns = |member: NonNull<Self>| {
            // SAFETY: members live as long as the link set, which the borrow of this one keeps.
            unsafe { member.as_ref() }.owns_func(func).then_some(())
        };
        // SAFETY: the link set is alive as long as this instance is borrowed.
        unsafe { link_set::find(self.ptr(), owns) }.is_some()
    }

    /// The number of a struct's fields.
    pub fn field_count(&self, object: GcRef) -> Option<u32> {
        match self.type_of_object(object)?.0.composite {
            CompositeType::Struct(ref fields) => Some(fields.len() as u32),
            _ => None,
        }
    }

    fn field(&self, object: GcRef, index: u32) -> Option<(Definition, FieldType, StructField)> {
        let found = self.definition_of(object)?;
        // SAFETY: members live as long as the link set, which the borrow of this one keeps.
        let module = unsafe { found.member.as_ref() }.module();
        let CompositeType::Struct(fields) = &module.types.get(found.index)?.composite else {
            return None;
        };
        let ty = *fields.get(index as usize)?;
        let place = *module.layouts.of_struct(found.index)?.fields().get(index as usize)?;
        Some((found, ty, place))
    }

    fn element(&self, array: GcRef) -> Option<(Definition, FieldType)> {
        let found = self.definition_of(array)?;
        // SAFETY: members live as long as the link set, which the borrow of this one keeps.
        let module = unsafe { found.member.as_ref() }.module();
        match module.types.get(found.index)?.composite {
            CompositeType::Array(ty) => Some((found, ty)),
            _ => None,
        }
    }

    /// A struct's field, and what the field holds.
    pub fn get_field(
        &self,
        object: GcRef,
        index: u32,
        packed: Packed,
    ) -> Option<(StorageType, Slots)> {
        let (_, ty, place) = self.field(object, index)?;
        let get = match packed {
            Packed::Signed => GcHeap::get_signed,
            Packed::Unsigned => GcHeap::get,
        };
        let value = self.with_live_objects(|heap| get(heap, object, place))??;
        Some((ty.storage, value))
    }

    /// Sets a struct's field, mutable or not, to what `value` makes of the type of the field.
    /// `None`, and nothing happens, if there is no such field or if it cannot hold that.
    pub fn set_field(
        &self,
        object: GcRef,
        index: u32,
        value: impl FnOnce(StorageType) -> Option<Slots>,
    ) -> Option<()> {
        let (found, ty, place) = self.field(object, index)?;
        let value = self.checked(found, ty, value)?;
        self.with_objects(|heap| heap.set(object, place, value))
    }

    /// A value for a place of this type, which the definition's module has.
    fn checked(
        &self,
        found: Definition,
        ty: FieldType,
        value: impl FnOnce(StorageType) -> Option<Slots>,
    ) -> Option<Slots> {
        let value = value(ty.storage)?;
        if let StorageType::Val(ValType::Ref(ty)) = ty.storage {
            // SAFETY: members live as long as the link set, which the borrow of this one keeps.
            let ty = unsafe { found.member.as_ref() }.types().reference(ty);
            return self.admits(ty, value[0]).then_some(value);
        }
        Some(value)
    }

    /// As [`Instance::get_field`], of an array's element.
    pub fn get_element(
        &self,
        array: GcRef,
        at: u32,
        packed: Packed,
    ) -> Option<(StorageType, Slots)> {
        let (_, ty) = self.element(array)?;
        let get = match packed {
            Packed::Signed => GcHeap::array_get_signed,
            Packed::Unsigned => GcHeap::array_get,
        };
        let value = self.with_live_objects(|heap| get(heap, array, at))??;
        Some((ty.storage, value))
    }

    /// As [`Instance::set_field`], of `count` elements of an array from number `at` on.
    pub fn set_elements(
        &self,
        array: GcRef,
        at: u32,
        count: u32,
        value: impl FnOnce(StorageType) -> Option<Slots>,
    ) -> Option<()> {
        let (found, ty) = self.element(array)?;
        let value = self.checked(found, ty, value)?;
        self.with_objects(|heap| heap.array_fill(array, at, value, count))
    }

    /// Copies elements of arrays. `None`, and nothing happens, if they are not all there, or not
    /// all of the target's type.
    pub fn copy_elements(
        &self,
        (to, to_at): (GcRef, u32),
        (from, from_at): (GcRef, u32),
        count: u32,
    ) -> Option<()> {
        let ((target, wanted), (source, offered)) = (self.element(to)?, self.element(from)?);
        let fits = match (offered.storage, wanted.storage) {
            (StorageType::Val(offered), StorageType::Val(wanted)) => {
                // SAFETY: members and their types live as long as the link set, which the borrow
                // of this one keeps.
                unsafe {
                    let (source, target) = (source.member.as_ref(), target.member.as_ref());
                    let (offered, wanted) =
                        (source.types().value(offered), target.types().value(wanted));
                    self.types().matches(offered, wanted)
                }
            }
            (offered, wanted) => offered == wanted,
        };
        if !fits {
            return None;
        }
        self.with_objects(|heap| heap.array_copy(to, to_at, from, from_at, count))
    }

    /// The address of an array's elements from number `at` on, which stays while the array lives.
    /// `None` for arrays of functions, which are trusted to be functions.
    pub fn element_address(&self, array: GcRef, at: u32) -> Option<NonNull<u8>> {
        let rest = self.with_live_objects(|heap| {
            let kind = heap.element_kind(array)?;
            if kind == StorageKind::Opaque { None } else { heap.len(array)?.checked_sub(at) }
        })??;
        self.with_objects(|heap| {
            Some(NonNull::from(heap.element_bytes(array, at, rest)?).cast::<u8>())
        })
    }
}
