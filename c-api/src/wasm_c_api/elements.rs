//! The elements of vectors, and the vectors' functions.

use super::handles::wasm_extern_t;
use super::types::*;
use super::vector::{self, Element, Vector, write};
use super::{frame, object, type_objects, value};
use crate::ffi::guard;
use crate::shared::wasm_val_t;
use crate::wasm_export::types::wasm_frame_t;
use std::ffi::c_char;

impl Element for c_char {
    unsafe fn copied(self) -> Option<Self> {
        Some(self)
    }

    unsafe fn end(self) {}
}

impl Element for wasm_val_t {
    unsafe fn copied(self) -> Option<Self> {
        // SAFETY: the caller's value.
        Some(unsafe { value::copied(&self) })
    }

    unsafe fn end(self) {
        // SAFETY: the caller's value.
        unsafe { value::end(&self) };
    }
}

/// Elements that are pointers to objects of their own; NULL among them stays NULL.
macro_rules! pointers {
    ($($target:ty: $copy:path, $end:path;)*) => { $(
        impl Element for *mut $target {
            unsafe fn copied(self) -> Option<Self> {
                if self.is_null() {
                    return Some(self);
                }
                // SAFETY: not NULL, and the caller's object.
                let copy = unsafe { $copy(self) };
                (!copy.is_null()).then_some(copy)
            }

            unsafe fn end(self) {
                // SAFETY: the caller's object, or NULL.
                unsafe { $end(self) };
            }
        }
    )* };
}

pointers! {
    wasm_valtype_t: type_objects::copy_valtype, type_objects::end_valtype;
    wasm_functype_t: type_objects::copy_functype, type_objects::end_functype;
    wasm_globaltype_t: type_objects::copy_globaltype, type_objects::end_globaltype;
    wasm_tabletype_t: type_objects::copy_tabletype, type_objects::end_tabletype;
    wasm_memorytype_t: type_objects::copy_memorytype, type_objects::end_memorytype;
    wasm_externtype_t: type_objects::copy_externtype, type_objects::end_externtype;
    wasm_importtype_t: type_objects::copy_importtype, type_objects::end_importtype;
    wasm_exporttype_t: type_objects::copy_exporttype, type_objects::end_exporttype;
    wasm_extern_t: object::copy, object::delete;
    wasm_frame_t: frame::copy, frame::end;
}

macro_rules! vectors {
    ($($vector:ident of $element:ty:
        $new_empty:ident $new_uninitialized:ident $new:ident $copy:ident $delete:ident;)*) => { $(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $new_empty(out: *mut $vector) {
            // SAFETY: `out` is NULL or has room, as the header says.
            guard(|| unsafe { write::<$element>(out.cast(), Vector::EMPTY) })
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $new_uninitialized(out: *mut $vector, size: usize) {
            let made = || Vector::<$element>::with_room(size).unwrap_or(Vector::EMPTY);
            // SAFETY: `out` is NULL or has room, as the header says.
            guard(|| if !out.is_null() { unsafe { write(out.cast(), made()) } })
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $new(out: *mut $vector, size: usize, data: *const $element) {
            // SAFETY: `out` is NULL or has room, and `data` NULL or `size` elements.
            guard(|| unsafe { vector::new::<$element>(out.cast(), size, data) })
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $copy(out: *mut $vector, from: *const $vector) {
            // SAFETY: `from` is NULL or a vector, and `out` NULL or has room.
            guard(|| unsafe { vector::copy::<$element>(out.cast(), from.cast()) })
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $delete(vector: *mut $vector) {
            // SAFETY: the C contract of vectors: NULL, or one of the caller's.
            guard(|| unsafe { vector.as_mut() }.into_iter().for_each(|vector| unsafe {
                vector.inner_mut().end();
            }))
        }
    )* };
}

vectors! {
    wasm_byte_vec_t of c_char:
        wasm_byte_vec_new_empty wasm_byte_vec_new_uninitialized
        wasm_byte_vec_new wasm_byte_vec_copy wasm_byte_vec_delete;
    wasm_valtype_vec_t of *mut wasm_valtype_t:
        wasm_valtype_vec_new_empty wasm_valtype_vec_new_uninitialized
        wasm_valtype_vec_new wasm_valtype_vec_copy wasm_valtype_vec_delete;
    wasm_functype_vec_t of *mut wasm_functype_t:
        wasm_functype_vec_new_empty wasm_functype_vec_new_uninitialized
        wasm_functype_vec_new wasm_functype_vec_copy wasm_functype_vec_delete;
    wasm_globaltype_vec_t of *mut wasm_globaltype_t:
        wasm_globaltype_vec_new_empty wasm_globaltype_vec_new_uninitialized
        wasm_globaltype_vec_new wasm_globaltype_vec_copy wasm_globaltype_vec_delete;
    wasm_tabletype_vec_t of *mut wasm_tabletype_t:
        wasm_tabletype_vec_new_empty wasm_tabletype_vec_new_uninitialized
        wasm_tabletype_vec_new wasm_tabletype_vec_copy wasm_tabletype_vec_delete;
    wasm_memorytype_vec_t of *mut wasm_memorytype_t:
        wasm_memorytype_vec_new_empty wasm_memorytype_vec_new_uninitialized
        wasm_memorytype_vec_new wasm_memorytype_vec_copy wasm_memorytype_vec_delete;
    wasm_externtype_vec_t of *mut wasm_externtype_t:
        wasm_externtype_vec_new_empty wasm_externtype_vec_new_uninitialized
        wasm_externtype_vec_new wasm_externtype_vec_copy wasm_externtype_vec_delete;
    wasm_importtype_vec_t of *mut wasm_importtype_t:
        wasm_importtype_vec_new_empty wasm_importtype_vec_new_uninitialized
        wasm_importtype_vec_new wasm_importtype_vec_copy wasm_importtype_vec_delete;
    wasm_exporttype_vec_t of *mut wasm_exporttype_t:
        wasm_exporttype_vec_new_empty wasm_exporttype_vec_new_uninitialized
        wasm_exporttype_vec_new wasm_exporttype_vec_copy wasm_exporttype_vec_delete;
    wasm_val_vec_t of wasm_val_t:
        wasm_val_vec_new_empty wasm_val_vec_new_uninitialized
        wasm_val_vec_new wasm_val_vec_copy wasm_val_vec_delete;
    wasm_frame_vec_t of *mut wasm_frame_t:
        wasm_frame_vec_new_empty wasm_frame_vec_new_uninitialized
        wasm_frame_vec_new wasm_frame_vec_copy wasm_frame_vec_delete;
    wasm_extern_vec_t of *mut wasm_extern_t:
        wasm_extern_vec_new_empty wasm_extern_vec_new_uninitialized
        wasm_extern_vec_new wasm_extern_vec_copy wasm_extern_vec_delete;
}
