//! The functions of the types' objects that are no copies: constructors, parts, and conversions.

use super::type_objects::{
    self as objects, FUNC, GLOBAL, MEMORY, TABLE, end_externtype, end_valtype, is_kind,
};
use super::types::*;
use super::vector::Vector;
use crate::ffi::guard;
use crate::shared::{wasm_valkind_enum as Kind, wasm_valkind_t};
use std::ptr::{null, null_mut};

/// Makes the type of values of a kind. NULL for a number that is no kind.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_valtype_new(kind: wasm_valkind_t) -> *mut wasm_valtype_t {
    guard(|| if is_kind(kind) { objects::valtype(kind) } else { null_mut() })
}

/// The kind; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_valtype_kind(valtype: *const wasm_valtype_t) -> wasm_valkind_t {
    // SAFETY: NULL or live, by the C contract.
    unsafe { valtype.as_ref() }.map_or(0, |valtype| valtype.kind)
}

/// The elements of a vector that is given away, which is empty afterwards; none for NULL.
///
/// # Safety
/// `vector` is NULL or the caller's.
unsafe fn taken(vector: *mut wasm_valtype_vec_t) -> wasm_valtype_vec_t {
    // SAFETY: the caller guarantees NULL or a vector of its own, which it gives away.
    let vector = unsafe { vector.as_mut() };
    vector.map_or(Vector::EMPTY.into(), |vector| {
        std::mem::replace(vector.inner_mut(), Vector::EMPTY).into()
    })
}

/// Makes a function's type, and takes over the vectors' elements, which leaves the vectors empty; a
/// NULL vector stands for an empty one. NULL, with the elements of both deleted, if one of them is
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_functype_new(
    params: *mut wasm_valtype_vec_t,
    results: *mut wasm_valtype_vec_t,
) -> *mut wasm_functype_t {
    guard(|| {
        // SAFETY: the C contract: both are NULL or the caller's, who gives them away.
        let mut parts = unsafe { [taken(params), taken(results)] };
        for part in &mut parts {
            part.num_elems = part.inner().len();
        }
        // SAFETY: both were a caller's vectors.
        let complete = parts
            .iter()
            .all(|part| unsafe { part.inner().elements() }.iter().all(|e| !e.is_null()));
        let [mut params, mut results] = parts;
        if complete {
            return objects::functype(params, results);
        }
        // SAFETY: the elements were given away.
        unsafe {
            params.inner_mut().end();
            results.inner_mut().end();
        }
        null_mut()
    })
}

/// The types of the parameters; they belong to `functype`. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_functype_params(
    functype: *const wasm_functype_t,
) -> *const wasm_valtype_vec_t {
    // SAFETY: NULL or live, by the C contract.
    unsafe { functype.as_ref() }.map_or(null(), |ty| &raw const ty.params)
}

/// The types of the results; they belong to `functype`. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_functype_results(
    functype: *const wasm_functype_t,
) -> *const wasm_valtype_vec_t {
    // SAFETY: NULL or live, by the C contract.
    unsafe { functype.as_ref() }.map_or(null(), |ty| &raw const ty.results)
}

/// Makes a global's type, and takes over its content's. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_globaltype_new(
    content: *mut wasm_valtype_t,
    mutability: wasm_mutability_t,
) -> *mut wasm_globaltype_t {
    // SAFETY: NULL or the caller's, by the C contract.
    guard(|| unsafe { objects::globaltype(content, mutability) })
}

/// The type of the value; it belongs to `globaltype`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_globaltype_content(
    globaltype: *const wasm_globaltype_t,
) -> *const wasm_valtype_t {
    // SAFETY: NULL or live, by the C contract.
    unsafe { globaltype.as_ref() }.map_or(null(), |ty| ty.content.cast_const())
}

/// Whether the value may change; `WASM_CONST` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_globaltype_mutability(
    globaltype: *const wasm_globaltype_t,
) -> wasm_mutability_t {
    // SAFETY: NULL or live, by the C contract.
    unsafe { globaltype.as_ref() }.map_or(0, |ty| ty.mutability)
}

/// Makes a table's type, and takes over its element's, which must be one of references. NULL, with
/// the element's type deleted, if it is not, or `limits` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_tabletype_new(
    element: *mut wasm_valtype_t,
    limits: *const wasm_limits_t,
) -> *mut wasm_tabletype_t {
    guard(|| {
        // SAFETY: NULL or the caller's, by the C contract.
        unsafe {
            let is_ref = element.as_ref().is_some_and(|e| e.kind >= Kind::WASM_EXTERNREF as u8);
            match limits.as_ref() {
                Some(limits) if is_ref => objects::tabletype(element, *limits),
                _ => {
                    end_valtype(element);
                    null_mut()
                }
            }
        }
    })
}

/// The type of the elements; it belongs to `tabletype`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_tabletype_element(
    tabletype: *const wasm_tabletype_t,
) -> *const wasm_valtype_t {
    // SAFETY: NULL or live, by the C contract.
    unsafe { tabletype.as_ref() }.map_or(null(), |ty| ty.element.cast_const())
}

/// The size in elements; it belongs to `tabletype`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_tabletype_limits(
    tabletype: *const wasm_tabletype_t,
) -> *const wasm_limits_t {
    // SAFETY: NULL or live, by the C contract.
    unsafe { tabletype.as_ref() }.map_or(null(), |ty| &raw const ty.limits)
}

/// Makes a memory's type. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memorytype_new(
    limits: *const wasm_limits_t,
) -> *mut wasm_memorytype_t {
    // SAFETY: NULL or a struct of the caller's.
    guard(|| unsafe { limits.as_ref() }.map_or(null_mut(), |limits| objects::memorytype(*limits)))
}

/// The size in pages of 64 KiB; it belongs to `memorytype`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memorytype_limits(
    memorytype: *const wasm_memorytype_t,
) -> *const wasm_limits_t {
    // SAFETY: NULL or live, by the C contract.
    unsafe { memorytype.as_ref() }.map_or(null(), |ty| &raw const ty.limits)
}

/// The kind of item that the type is of; `WASM_EXTERN_FUNC` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_externtype_kind(
    externtype: *const wasm_externtype_t,
) -> wasm_externkind_t {
    // SAFETY: NULL or live, by the C contract.
    unsafe { externtype.as_ref() }.map_or(0, |ty| ty.kind)
}

/// Takes a name that is given away, without any NUL: WAMR's names end with one that their size
/// counts, the standard's do not, and here both become WAMR's.
///
/// # Safety
/// `name` is NULL or the caller's.
unsafe fn taken_name(name: *mut wasm_name_t) -> Option<wasm_name_t> {
    // SAFETY: the caller guarantees NULL or a vector of its own, which it gives away.
    let name = unsafe { name.as_mut() }?;
    let mut given = std::mem::replace(name.inner_mut(), Vector::EMPTY);
    // SAFETY: a vector that was the caller's.
    let bytes = unsafe { given.elements() };
    if bytes.last() == Some(&0) {
        return Some(given.into());
    }
    let copy = Vector::with_room(bytes.len() + 1).map(|mut copy| {
        bytes.iter().chain(&[0]).for_each(|byte| copy.push(*byte));
        copy.into()
    });
    // SAFETY: it was given away.
    unsafe { given.end() };
    copy
}

/// Makes an import's type, and takes over its parts. NULL, with the parts deleted, if one of them
/// is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_importtype_new(
    module: *mut wasm_name_t,
    name: *mut wasm_name_t,
    externtype: *mut wasm_externtype_t,
) -> *mut wasm_importtype_t {
    guard(|| {
        // SAFETY: NULL or the caller's, by the C contract.
        unsafe {
            match (taken_name(module), taken_name(name)) {
                (Some(module), Some(name)) => objects::importtype(module, name, externtype, false),
                (one, other) => {
                    for mut name in [one, other].into_iter().flatten() {
                        name.inner_mut().end();
                    }
                    end_externtype(externtype);
                    null_mut()
                }
            }
        }
    })
}

/// The name of the module to import from, with a NUL that its size counts; it belongs to
/// `importtype`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_importtype_module(
    importtype: *const wasm_importtype_t,
) -> *const wasm_name_t {
    // SAFETY: NULL or live, by the C contract.
    unsafe { importtype.as_ref() }.map_or(null(), |ty| &raw const ty.module)
}

/// The name of the item, with a NUL that its size counts; it belongs to `importtype`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_importtype_name(
    importtype: *const wasm_importtype_t,
) -> *const wasm_name_t {
    // SAFETY: NULL or live, by the C contract.
    unsafe { importtype.as_ref() }.map_or(null(), |ty| &raw const ty.name)
}

/// The type of the item; it belongs to `importtype`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_importtype_type(
    importtype: *const wasm_importtype_t,
) -> *const wasm_externtype_t {
    // SAFETY: NULL or live, by the C contract.
    unsafe { importtype.as_ref() }.map_or(null(), |ty| ty.ty.cast_const())
}

/// Whether the module's load found something for the import, such as WASI's functions and
/// registered natives. False for objects of `wasm_importtype_new`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_importtype_is_linked(importtype: *const wasm_importtype_t) -> bool {
    // SAFETY: NULL or live, by the C contract.
    unsafe { importtype.as_ref() }.is_some_and(|ty| ty.linked)
}

/// Makes an export's type, and takes over its parts. NULL, with the parts deleted, if one of them
/// is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_exporttype_new(
    name: *mut wasm_name_t,
    externtype: *mut wasm_externtype_t,
) -> *mut wasm_exporttype_t {
    guard(|| {
        // SAFETY: NULL or the caller's, by the C contract.
        unsafe {
            match taken_name(name) {
                Some(name) => objects::exporttype(name, externtype),
                None => {
                    end_externtype(externtype);
                    null_mut()
                }
            }
        }
    })
}

/// The name of the export, with a NUL that its size counts; it belongs to `exporttype`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_exporttype_name(
    exporttype: *const wasm_exporttype_t,
) -> *const wasm_name_t {
    // SAFETY: NULL or live, by the C contract.
    unsafe { exporttype.as_ref() }.map_or(null(), |ty| &raw const ty.name)
}

/// The type of the export; it belongs to `exporttype`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_exporttype_type(
    exporttype: *const wasm_exporttype_t,
) -> *const wasm_externtype_t {
    // SAFETY: NULL or live, by the C contract.
    unsafe { exporttype.as_ref() }.map_or(null(), |ty| ty.ty.cast_const())
}

/// The same object as an `externtype`; it stays its owner's.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_functype_as_externtype(
    functype: *mut wasm_functype_t,
) -> *mut wasm_externtype_t {
    functype.cast()
}

/// The same object as an `externtype`; it stays its owner's.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_globaltype_as_externtype(
    globaltype: *mut wasm_globaltype_t,
) -> *mut wasm_externtype_t {
    globaltype.cast()
}

/// The same object as an `externtype`; it stays its owner's.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tabletype_as_externtype(
    tabletype: *mut wasm_tabletype_t,
) -> *mut wasm_externtype_t {
    tabletype.cast()
}

/// The same object as an `externtype`; it stays its owner's.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memorytype_as_externtype(
    memorytype: *mut wasm_memorytype_t,
) -> *mut wasm_externtype_t {
    memorytype.cast()
}

/// The same object as a `functype`, if it is one, else NULL; it stays its owner's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_externtype_as_functype(
    externtype: *mut wasm_externtype_t,
) -> *mut wasm_functype_t {
    // SAFETY: NULL or live, by the C contract.
    match unsafe { externtype.as_ref() } {
        Some(ty) if ty.kind == FUNC => externtype.cast(),
        _ => null_mut(),
    }
}

/// The same object as a `globaltype`, if it is one, else NULL; it stays its owner's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_externtype_as_globaltype(
    externtype: *mut wasm_externtype_t,
) -> *mut wasm_globaltype_t {
    // SAFETY: NULL or live, by the C contract.
    match unsafe { externtype.as_ref() } {
        Some(ty) if ty.kind == GLOBAL => externtype.cast(),
        _ => null_mut(),
    }
}

/// The same object as a `tabletype`, if it is one, else NULL; it stays its owner's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_externtype_as_tabletype(
    externtype: *mut wasm_externtype_t,
) -> *mut wasm_tabletype_t {
    // SAFETY: NULL or live, by the C contract.
    match unsafe { externtype.as_ref() } {
        Some(ty) if ty.kind == TABLE => externtype.cast(),
        _ => null_mut(),
    }
}

/// The same object as a `memorytype`, if it is one, else NULL; it stays its owner's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_externtype_as_memorytype(
    externtype: *mut wasm_externtype_t,
) -> *mut wasm_memorytype_t {
    // SAFETY: NULL or live, by the C contract.
    match unsafe { externtype.as_ref() } {
        Some(ty) if ty.kind == MEMORY => externtype.cast(),
        _ => null_mut(),
    }
}

/// The same object as an `externtype`; it stays its owner's.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_functype_as_externtype_const(
    functype: *const wasm_functype_t,
) -> *const wasm_externtype_t {
    functype.cast()
}

/// The same object as an `externtype`; it stays its owner's.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_globaltype_as_externtype_const(
    globaltype: *const wasm_globaltype_t,
) -> *const wasm_externtype_t {
    globaltype.cast()
}

/// The same object as an `externtype`; it stays its owner's.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tabletype_as_externtype_const(
    tabletype: *const wasm_tabletype_t,
) -> *const wasm_externtype_t {
    tabletype.cast()
}

/// The same object as an `externtype`; it stays its owner's.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memorytype_as_externtype_const(
    memorytype: *const wasm_memorytype_t,
) -> *const wasm_externtype_t {
    memorytype.cast()
}

/// The same object as a `functype`, if it is one, else NULL; it stays its owner's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_externtype_as_functype_const(
    externtype: *const wasm_externtype_t,
) -> *const wasm_functype_t {
    // SAFETY: NULL or live, by the C contract.
    match unsafe { externtype.as_ref() } {
        Some(ty) if ty.kind == FUNC => externtype.cast(),
        _ => null(),
    }
}

/// The same object as a `globaltype`, if it is one, else NULL; it stays its owner's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_externtype_as_globaltype_const(
    externtype: *const wasm_externtype_t,
) -> *const wasm_globaltype_t {
    // SAFETY: NULL or live, by the C contract.
    match unsafe { externtype.as_ref() } {
        Some(ty) if ty.kind == GLOBAL => externtype.cast(),
        _ => null(),
    }
}

/// The same object as a `tabletype`, if it is one, else NULL; it stays its owner's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_externtype_as_tabletype_const(
    externtype: *const wasm_externtype_t,
) -> *const wasm_tabletype_t {
    // SAFETY: NULL or live, by the C contract.
    match unsafe { externtype.as_ref() } {
        Some(ty) if ty.kind == TABLE => externtype.cast(),
        _ => null(),
    }
}

/// The same object as a `memorytype`, if it is one, else NULL; it stays its owner's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_externtype_as_memorytype_const(
    externtype: *const wasm_externtype_t,
) -> *const wasm_memorytype_t {
    // SAFETY: NULL or live, by the C contract.
    match unsafe { externtype.as_ref() } {
        Some(ty) if ty.kind == MEMORY => externtype.cast(),
        _ => null(),
    }
}
