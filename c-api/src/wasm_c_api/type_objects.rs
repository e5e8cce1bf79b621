//! Making, copying and deleting objects that describe types, and from one kind of them to another.

use super::memory_block::{disown, end, own};
use super::types::*;
use super::vector::Vector;
use crate::ffi::guard;
use crate::shared::{wasm_valkind_enum as Kind, wasm_valkind_t};
use std::ptr::null_mut;

pub(super) const FUNC: wasm_externkind_t = 0;
pub(super) const GLOBAL: wasm_externkind_t = 1;
pub(super) const TABLE: wasm_externkind_t = 2;
pub(super) const MEMORY: wasm_externkind_t = 3;

const FUNCREF: wasm_valkind_t = Kind::WASM_FUNCREF as wasm_valkind_t;
const V128: wasm_valkind_t = Kind::WASM_V128 as wasm_valkind_t;
const EXTERNREF: wasm_valkind_t = Kind::WASM_EXTERNREF as wasm_valkind_t;

pub(super) fn is_kind(kind: wasm_valkind_t) -> bool {
    kind <= V128 || kind == EXTERNREF || kind == FUNCREF
}

pub(super) fn valtype(kind: wasm_valkind_t) -> *mut wasm_valtype_t {
    own(wasm_valtype_t { kind })
}

/// The functions of a family that the header declares by macros: copying and deleting.
macro_rules! copies {
    ($($target:ident $copy:ident $end:ident $c_copy:ident $c_delete:ident;)*) => { $(
        /// # Safety
        /// `from` is NULL or a live object; NULL gives NULL, as does a lack of memory.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $c_copy(from: *const $target) -> *mut $target {
            // SAFETY: NULL or a live object, as the header says.
            guard(|| unsafe { $copy(from) })
        }

        /// # Safety
        /// `object` is NULL, or the caller's and not used afterwards.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $c_delete(object: *mut $target) {
            // SAFETY: NULL or a live object, as the header says.
            guard(|| unsafe { $end(object) })
        }
    )* };
}

copies! {
    wasm_valtype_t copy_valtype end_valtype wasm_valtype_copy wasm_valtype_delete;
    wasm_functype_t copy_functype end_functype wasm_functype_copy wasm_functype_delete;
    wasm_globaltype_t copy_globaltype end_globaltype wasm_globaltype_copy wasm_globaltype_delete;
    wasm_tabletype_t copy_tabletype end_tabletype wasm_tabletype_copy wasm_tabletype_delete;
    wasm_memorytype_t copy_memorytype end_memorytype wasm_memorytype_copy wasm_memorytype_delete;
    wasm_externtype_t copy_externtype end_externtype wasm_externtype_copy wasm_externtype_delete;
    wasm_importtype_t copy_importtype end_importtype wasm_importtype_copy wasm_importtype_delete;
    wasm_exporttype_t copy_exporttype end_exporttype wasm_exporttype_copy wasm_exporttype_delete;
}

/// # Safety
/// `from` is NULL or live.
pub(super) unsafe fn copy_valtype(from: *const wasm_valtype_t) -> *mut wasm_valtype_t {
    // SAFETY: the caller guarantees that `from` is NULL or live.
    unsafe { from.as_ref() }.map_or(null_mut(), |from| valtype(from.kind))
}

/// # Safety
/// `object` is NULL or the caller's.
pub(super) unsafe fn end_valtype(object: *mut wasm_valtype_t) {
    // SAFETY: the caller gives up NULL or an object from `own`.
    unsafe { end(object) };
}

/// A function's type from its parts, which it takes over.
pub(super) fn functype(
    params: wasm_valtype_vec_t,
    results: wasm_valtype_vec_t,
) -> *mut wasm_functype_t {
    let head = wasm_externtype_t { kind: FUNC };
    let made = own(wasm_functype_t {
        head,
        params: wasm_valtype_vec_t { ..params },
        results: wasm_valtype_vec_t { ..results },
    });
    if made.is_null() {
        for mut part in [params, results] {
            // SAFETY: nobody else has it.
            unsafe { part.inner_mut().end() };
        }
    }
    made
}

/// # Safety
/// `from` is NULL or live.
pub(super) unsafe fn copy_functype(from: *const wasm_functype_t) -> *mut wasm_functype_t {
    // SAFETY: the caller guarantees that `from` is NULL or live.
    let Some(from) = (unsafe { from.as_ref() }) else { return null_mut() };
    // SAFETY: the vectors of a live type are valid.
    unsafe {
        let Some(params) = Vector::copy_of(from.params.inner().elements()) else {
            return null_mut();
        };
        let mut params = wasm_valtype_vec_t::from(params);
        match Vector::copy_of(from.results.inner().elements()) {
            Some(results) => functype(params, results.into()),
            None => {
                params.inner_mut().end();
                null_mut()
            }
        }
    }
}

/// # Safety
/// `object` is NULL or the caller's.
pub(super) unsafe fn end_functype(object: *mut wasm_functype_t) {
    // SAFETY: the caller gives up NULL or an object from `own`, which owns its vectors.
    unsafe {
        if let Some(mut ty) = disown(object) {
            ty.params.inner_mut().end();
            ty.results.inner_mut().end();
        }
    }
}

/// A global's type from its content's, which it takes over.
///
/// # Safety
/// `content` is the caller's.
pub(super) unsafe fn globaltype(
    content: *mut wasm_valtype_t,
    mutability: wasm_mutability_t,
) -> *mut wasm_globaltype_t {
    if content.is_null() {
        return null_mut();
    }
    let made =
        own(wasm_globaltype_t { head: wasm_externtype_t { kind: GLOBAL }, content, mutability });
    if made.is_null() {
        // SAFETY: the caller's, who gave it away.
        unsafe { end_valtype(content) };
    }
    made
}

/// # Safety
/// `from` is NULL or live.
pub(super) unsafe fn copy_globaltype(from: *const wasm_globaltype_t) -> *mut wasm_globaltype_t {
    // SAFETY: the caller guarantees that `from` is NULL or live, and so is its content.
    unsafe {
        from.as_ref()
            .map_or(null_mut(), |from| globaltype(copy_valtype(from.content), from.mutability))
    }
}

/// # Safety
/// `object` is NULL or the caller's.
pub(super) unsafe fn end_globaltype(object: *mut wasm_globaltype_t) {
    // SAFETY: the caller gives up NULL or an object from `own`, which owns its parts.
    unsafe {
        if let Some(ty) = disown(object) {
            end_valtype(ty.content);
        }
    }
}

/// A table's type from its element's, which it takes over.
///
/// # Safety
/// `element` is the caller's.
pub(super) unsafe fn tabletype(
    element: *mut wasm_valtype_t,
    limits: wasm_limits_t,
) -> *mut wasm_tabletype_t {
    if element.is_null() {
        return null_mut();
    }
    let made = own(wasm_tabletype_t { head: wasm_externtype_t { kind: TABLE }, element, limits });
    if made.is_null() {
        // SAFETY: the caller's, who gave it away.
        unsafe { end_valtype(element) };
    }
    made
}

/// # Safety
/// `from` is NULL or live.
pub(super) unsafe fn copy_tabletype(from: *const wasm_tabletype_t) -> *mut wasm_tabletype_t {
    // SAFETY: the caller guarantees that `from` is NULL or live, and so is its element.
    unsafe {
        from.as_ref().map_or(null_mut(), |from| tabletype(copy_valtype(from.element), from.limits))
    }
}

/// # Safety
/// `object` is NULL or the caller's.
pub(super) unsafe fn end_tabletype(object: *mut wasm_tabletype_t) {
    // SAFETY: the caller gives up NULL or an object from `own`, which owns its parts.
    unsafe {
        if let Some(ty) = disown(object) {
            end_valtype(ty.element);
        }
    }
}

pub(super) fn memorytype(limits: wasm_limits_t) -> *mut wasm_memorytype_t {
    own(wasm_memorytype_t { head: wasm_externtype_t { kind: MEMORY }, limits })
}

/// # Safety
/// `from` is NULL or live.
pub(super) unsafe fn copy_memorytype(from: *const wasm_memorytype_t) -> *mut wasm_memorytype_t {
    // SAFETY: the caller guarantees that `from` is NULL or live.
    unsafe { from.as_ref() }.map_or(null_mut(), |from| memorytype(from.limits))
}

/// # Safety
/// `object` is NULL or the caller's.
pub(super) unsafe fn end_memorytype(object: *mut wasm_memorytype_t) {
    // SAFETY: the caller gives up NULL or an object from `own`.
    unsafe { end(object) };
}

/// # Safety
/// `from` is NULL or live.
pub(super) unsafe fn copy_externtype(from: *const wasm_externtype_t) -> *mut wasm_externtype_t {
    // SAFETY: the caller guarantees NULL or a live type, whose kind says which struct it is.
    unsafe {
        match from.as_ref().map(|from| from.kind) {
            Some(FUNC) => copy_functype(from.cast()).cast(),
            Some(GLOBAL) => copy_globaltype(from.cast()).cast(),
            Some(TABLE) => copy_tabletype(from.cast()).cast(),
            Some(MEMORY) => copy_memorytype(from.cast()).cast(),
            _ => null_mut(),
        }
    }
}

/// # Safety
/// `object` is NULL or the caller's.
pub(super) unsafe fn end_externtype(object: *mut wasm_externtype_t) {
    // SAFETY: the caller guarantees NULL or a live type, whose kind says which struct it is.
    unsafe {
        match object.as_ref().map(|object| object.kind) {
            Some(FUNC) => end_functype(object.cast()),
            Some(GLOBAL) => end_globaltype(object.cast()),
            Some(TABLE) => end_tabletype(object.cast()),
            Some(MEMORY) => end_memorytype(object.cast()),
            _ => {}
        }
    }
}

/// An import or export from its parts, which it takes over; NULL, with the parts deleted, if one of
/// them is missing or memory is.
///
/// # Safety
/// The parts are the caller's.
pub(super) unsafe fn importtype(
    module: wasm_name_t,
    name: wasm_name_t,
    ty: *mut wasm_externtype_t,
    linked: bool,
) -> *mut wasm_importtype_t {
    let made = match ty.is_null() {
        true => null_mut(),
        false => own(wasm_importtype_t {
            module: wasm_name_t { ..module },
            name: wasm_name_t { ..name },
            ty,
            linked,
        }),
    };
    if made.is_null() {
        for mut part in [module, name] {
            // SAFETY: the caller's, who gave it away.
            unsafe { part.inner_mut().end() };
        }
        // SAFETY: the caller's, who gave it away.
        unsafe { end_externtype(ty) };
    }
    made
}

/// # Safety
/// `from` is NULL or live.
pub(super) unsafe fn copy_importtype(from: *const wasm_importtype_t) -> *mut wasm_importtype_t {
    // SAFETY: the caller guarantees that `from` is NULL or live, and so are its parts.
    unsafe {
        let Some(from) = from.as_ref() else { return null_mut() };
        let Some(module) = Vector::copy_of(from.module.inner().elements()) else {
            return null_mut();
        };
        let mut module = wasm_name_t::from(module);
        let Some(name) = Vector::copy_of(from.name.inner().elements()) else {
            module.inner_mut().end();
            return null_mut();
        };
        importtype(module, name.into(), copy_externtype(from.ty), from.linked)
    }
}

/// # Safety
/// `object` is NULL or the caller's.
pub(super) unsafe fn end_importtype(object: *mut wasm_importtype_t) {
    // SAFETY: the caller gives up NULL or an object from `own`, which owns its parts.
    unsafe {
        if let Some(mut import) = disown(object) {
            import.module.inner_mut().end();
            import.name.inner_mut().end();
            end_externtype(import.ty);
        }
    }
}

/// As [`importtype`].
///
/// # Safety
/// The parts are the caller's.
pub(super) unsafe fn exporttype(
    name: wasm_name_t,
    ty: *mut wasm_externtype_t,
) -> *mut wasm_exporttype_t {
    let made = match ty.is_null() {
        true => null_mut(),
        false => own(wasm_exporttype_t { name: wasm_name_t { ..name }, ty }),
    };
    if made.is_null() {
        let mut name = name;
        // SAFETY: the caller's, who gave them away.
        unsafe {
            name.inner_mut().end();
            end_externtype(ty);
        }
    }
    made
}

/// # Safety
/// `from` is NULL or live.
pub(super) unsafe fn copy_exporttype(from: *const wasm_exporttype_t) -> *mut wasm_exporttype_t {
    // SAFETY: the caller guarantees that `from` is NULL or live, and so are its parts.
    unsafe {
        let Some(from) = from.as_ref() else { return null_mut() };
        match Vector::copy_of(from.name.inner().elements()) {
            Some(name) => exporttype(name.into(), copy_externtype(from.ty)),
            None => null_mut(),
        }
    }
}

/// # Safety
/// `object` is NULL or the caller's.
pub(super) unsafe fn end_exporttype(object: *mut wasm_exporttype_t) {
    // SAFETY: the caller gives up NULL or an object from `own`, which owns its parts.
    unsafe {
        if let Some(mut export) = disown(object) {
            export.name.inner_mut().end();
            end_externtype(export.ty);
        }
    }
}
