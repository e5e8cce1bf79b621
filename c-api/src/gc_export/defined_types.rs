//! The types that modules define.

use super::objects::{in_context, on_object, read};
use super::ref_types::to_c;
use super::types::{
    wasm_array_type_t, wasm_defined_type_t, wasm_obj_t, wasm_ref_type_t, wasm_struct_type_t,
};
use crate::ffi::guard;
use crate::shared::wasm_module_t;
use crate::wasm_export::loaded;
use crate::wasm_export::types::wasm_func_type_t;
use isothread::{FieldType, FuncType, RawRef, StorageType, SubType, TypeKind, ValType};
use std::ptr::{from_ref, null_mut};

/// # Safety
/// `ty` is NULL or a type that was given out, whose module lives.
pub(super) unsafe fn defined<'a, T>(ty: *mut T) -> Option<&'a SubType> {
    // SAFETY: the caller guarantees that it is NULL or a type that was given out, whose module
    // lives; all of those are defined types.
    unsafe { ty.cast::<SubType>().as_ref() }
}

/// The pointer for C, of any of the types' kinds.
pub(super) fn handle<T>(ty: &SubType) -> *mut T {
    from_ref(ty).cast_mut().cast()
}

/// How many types the module defines, types of functions included.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_get_defined_type_count(module: wasm_module_t) -> u32 {
    // SAFETY: the C contract of handles.
    guard(|| unsafe { loaded::module(module) }.map_or(0, |loaded| loaded.module.type_count()))
}

/// The type with this index among those of the module; NULL beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_get_defined_type(
    module: wasm_module_t,
    index: u32,
) -> wasm_defined_type_t {
    guard(|| {
        // SAFETY: the C contract of handles.
        let loaded = unsafe { loaded::module(module) };
        loaded.and_then(|loaded| loaded.module.defined_type(index)).map_or(null_mut(), handle)
    })
}

/// The type of a struct, an array or a function, as the module defines it that has made the object,
/// or one that is linked to that. NULL for other objects and without one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_obj_get_defined_type(obj: wasm_obj_t) -> wasm_defined_type_t {
    guard(|| {
        let found = match read(obj) {
            RawRef::Func(address) => {
                in_context(|context| context.with_func_at(address, |_, ty| handle(ty)))
            }
            _ => on_object(obj, |instance, object| instance.with_object_type(object, handle)),
        };
        found.unwrap_or(null_mut())
    })
}

/// The index of the type of a struct, an array or a function in a module of its context that
/// defines the same type, the lowest if it does so twice; -1 if the module does not, for other
/// objects and without one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_obj_get_defined_type_idx(
    module: wasm_module_t,
    obj: wasm_obj_t,
) -> i32 {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(module) = (unsafe { loaded::module(module) }) else { return -1 };
        let index = match read(obj) {
            RawRef::Func(address) => {
                in_context(|context| context.func_type_in(address, &module.module))
            }
            _ => on_object(obj, |instance, object| instance.object_type_in(object, &module.module)),
        };
        index.map_or(-1, |index| index as i32)
    })
}

/// Whether it is a type of functions, which is a `wasm_func_type_t`, too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_defined_type_is_func_type(def_type: wasm_defined_type_t) -> bool {
    // SAFETY: the C contract of types.
    guard(|| unsafe { defined(def_type) }.is_some_and(|ty| ty.kind() == TypeKind::Func))
}

/// Whether it is a type of structs, which is a `wasm_struct_type_t`, too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_defined_type_is_struct_type(def_type: wasm_defined_type_t) -> bool {
    // SAFETY: the C contract of types.
    guard(|| unsafe { defined(def_type) }.is_some_and(|ty| ty.kind() == TypeKind::Struct))
}

/// Whether it is a type of arrays, which is a `wasm_array_type_t`, too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_defined_type_is_array_type(def_type: wasm_defined_type_t) -> bool {
    // SAFETY: the C contract of types.
    guard(|| unsafe { defined(def_type) }.is_some_and(|ty| ty.kind() == TypeKind::Array))
}

/// The type of a parameter; all zero beyond the last. Indices of types in it are the module's that
/// the function type is of.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_type_get_param_type(
    func_type: wasm_func_type_t,
    param_idx: u32,
) -> wasm_ref_type_t {
    guard(|| {
        // SAFETY: the C contract of types.
        let ty = unsafe { defined(func_type) };
        value_at(ty.and_then(SubType::func), FuncType::params, param_idx)
    })
}

/// The type of a result; all zero beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_type_get_result_type(
    func_type: wasm_func_type_t,
    result_idx: u32,
) -> wasm_ref_type_t {
    guard(|| {
        // SAFETY: the C contract of types.
        let ty = unsafe { defined(func_type) };
        value_at(ty.and_then(SubType::func), FuncType::results, result_idx)
    })
}

fn value_at(
    ty: Option<&FuncType>,
    list: fn(&FuncType) -> &[ValType],
    index: u32,
) -> wasm_ref_type_t {
    let value = ty.and_then(|ty| list(ty).get(index as usize).copied());
    value.map_or(wasm_ref_type_t::default(), |ty| to_c(StorageType::Val(ty)))
}

/// How many fields structs of the type have, those of its supertype included.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_struct_type_get_field_count(struct_type: wasm_struct_type_t) -> u32 {
    guard(|| {
        // SAFETY: the C contract of types.
        let ty = unsafe { defined(struct_type) };
        ty.and_then(SubType::fields).map_or(0, |fields| fields.len() as u32)
    })
}

/// The type of a field, and in `*p_is_mutable`, which may be NULL, whether guests may set it. All
/// zero and false beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_struct_type_get_field_type(
    struct_type: wasm_struct_type_t,
    field_idx: u32,
    p_is_mutable: *mut bool,
) -> wasm_ref_type_t {
    guard(|| {
        // SAFETY: the C contract of types.
        let fields = unsafe { defined(struct_type) }.and_then(SubType::fields);
        let field = fields.and_then(|fields| fields.get(field_idx as usize).copied());
        // SAFETY: NULL, or the caller gives room.
        unsafe { field_to_c(field, p_is_mutable) }
    })
}

/// The type of the elements of arrays of the type, and in `*p_is_mutable`, which may be NULL,
/// whether guests may set them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_array_type_get_elem_type(
    array_type: wasm_array_type_t,
    p_is_mutable: *mut bool,
) -> wasm_ref_type_t {
    guard(|| {
        // SAFETY: the C contract of types.
        let element = unsafe { defined(array_type) }.and_then(SubType::element);
        // SAFETY: NULL, or the caller gives room.
        unsafe { field_to_c(element, p_is_mutable) }
    })
}

/// # Safety
/// `p_is_mutable` is NULL or has room.
unsafe fn field_to_c(field: Option<FieldType>, p_is_mutable: *mut bool) -> wasm_ref_type_t {
    if !p_is_mutable.is_null() {
        // SAFETY: not NULL; the caller guarantees room.
        unsafe { p_is_mutable.write(field.is_some_and(|field| field.mutable)) };
    }
    field.map_or(wasm_ref_type_t::default(), |field| to_c(field.storage))
}

/// Whether both are the same type: defined in groups of the same structure, at the same places.
/// Both are types of `module`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_defined_type_equal(
    def_type1: wasm_defined_type_t,
    def_type2: wasm_defined_type_t,
    module: wasm_module_t,
) -> bool {
    // SAFETY: the C contract of handles.
    guard(|| unsafe { compare(def_type1, def_type2, module, isothread::Module::is_same_type) })
}

/// Whether the first is the second or is declared a subtype of it, directly or through others. Both
/// are types of `module`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_defined_type_is_subtype_of(
    def_type1: wasm_defined_type_t,
    def_type2: wasm_defined_type_t,
    module: wasm_module_t,
) -> bool {
    // SAFETY: the C contract of handles.
    guard(|| unsafe { compare(def_type1, def_type2, module, isothread::Module::is_subtype) })
}

/// # Safety
/// `module` is NULL or a live module.
unsafe fn compare(
    first: wasm_defined_type_t,
    second: wasm_defined_type_t,
    module: wasm_module_t,
    how: fn(&isothread::Module, ValType, ValType) -> bool,
) -> bool {
    // SAFETY: the caller guarantees that it is NULL or live.
    let Some(loaded) = (unsafe { loaded::module(module) }) else { return false };
    let reference = |ty: wasm_defined_type_t| {
        let index = loaded.module.index_of_type(ty.cast())?;
        loaded.module.reference_to(index, false).map(ValType::Ref)
    };
    match (reference(first), reference(second)) {
        (Some(first), Some(second)) => how(&loaded.module, first, second),
        _ => false,
    }
}
