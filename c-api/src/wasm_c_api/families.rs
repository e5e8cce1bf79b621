//! The functions that references of all kinds have, which the header declares by macros.

use super::handles::*;
use super::object::{Finalizer, cast, copy, delete, host_info, same, set_host_info};
use crate::ffi::guard;
use crate::shared::wasm_ref_t;
use std::ffi::c_void;

/// The functions of a family that the header declares by `WASM_DECLARE_REF_BASE`.
macro_rules! bases {
    ($($handle:ident: $copy:ident $delete:ident $same:ident
        $get:ident $set:ident $set_with:ident;)*) => { $(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $copy(object: *const $handle) -> *mut $handle {
            // SAFETY: NULL or a live object, as the header says.
            guard(|| unsafe { copy(object) })
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $delete(object: *mut $handle) {
            // SAFETY: NULL or a live object, of which the caller gives a pointer up.
            guard(|| unsafe { delete(object) })
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $same(one: *const $handle, other: *const $handle) -> bool {
            // SAFETY: NULL or a live object, as the header says.
            guard(|| unsafe { same(one, other) })
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $get(object: *const $handle) -> *mut c_void {
            // SAFETY: NULL or a live object, as the header says.
            guard(|| unsafe { host_info(object) })
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $set(object: *mut $handle, info: *mut c_void) {
            // SAFETY: NULL or a live object, as the header says.
            guard(|| unsafe { set_host_info(object, info, None) })
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $set_with(
            object: *mut $handle,
            info: *mut c_void,
            finalizer: Finalizer,
        ) {
            // SAFETY: NULL or a live object; the finalizer may be called with the pointer.
            guard(|| unsafe { set_host_info(object, info, finalizer) })
        }
    )* };
}

/// The functions of a family that `WASM_DECLARE_REF` declares beyond those.
macro_rules! references {
    ($($handle:ident: $as_ref:ident $ref_as:ident
        $as_ref_const:ident $ref_as_const:ident;)*) => { $(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $as_ref(object: *mut $handle) -> *mut wasm_ref_t {
            // SAFETY: NULL or a live object, as the header says.
            guard(|| unsafe { cast(object) })
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $ref_as(object: *mut wasm_ref_t) -> *mut $handle {
            // SAFETY: NULL or a live object, as the header says.
            guard(|| unsafe { cast(object) })
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $as_ref_const(object: *const $handle) -> *const wasm_ref_t {
            // SAFETY: NULL or a live object, as the header says.
            guard(|| unsafe { cast::<_, wasm_ref_t>(object.cast_mut()).cast_const() })
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $ref_as_const(object: *const wasm_ref_t) -> *const $handle {
            // SAFETY: NULL or a live object, as the header says.
            guard(|| unsafe { cast::<_, $handle>(object.cast_mut()).cast_const() })
        }
    )* };
}

bases! {
    wasm_ref_t: wasm_ref_copy wasm_ref_delete wasm_ref_same
        wasm_ref_get_host_info wasm_ref_set_host_info
        wasm_ref_set_host_info_with_finalizer;
    wasm_trap_t: wasm_trap_copy wasm_trap_delete wasm_trap_same
        wasm_trap_get_host_info wasm_trap_set_host_info
        wasm_trap_set_host_info_with_finalizer;
    wasm_foreign_t: wasm_foreign_copy wasm_foreign_delete wasm_foreign_same
        wasm_foreign_get_host_info wasm_foreign_set_host_info
        wasm_foreign_set_host_info_with_finalizer;
    wasm_func_t: wasm_func_copy wasm_func_delete wasm_func_same
        wasm_func_get_host_info wasm_func_set_host_info
        wasm_func_set_host_info_with_finalizer;
    wasm_global_t: wasm_global_copy wasm_global_delete wasm_global_same
        wasm_global_get_host_info wasm_global_set_host_info
        wasm_global_set_host_info_with_finalizer;
    wasm_table_t: wasm_table_copy wasm_table_delete wasm_table_same
        wasm_table_get_host_info wasm_table_set_host_info
        wasm_table_set_host_info_with_finalizer;
    wasm_memory_t: wasm_memory_copy wasm_memory_delete wasm_memory_same
        wasm_memory_get_host_info wasm_memory_set_host_info
        wasm_memory_set_host_info_with_finalizer;
    wasm_extern_t: wasm_extern_copy wasm_extern_delete wasm_extern_same
        wasm_extern_get_host_info wasm_extern_set_host_info
        wasm_extern_set_host_info_with_finalizer;
    wasm_instance_t: wasm_instance_copy wasm_instance_delete wasm_instance_same
        wasm_instance_get_host_info wasm_instance_set_host_info
        wasm_instance_set_host_info_with_finalizer;
}

references! {
    wasm_trap_t: wasm_trap_as_ref wasm_ref_as_trap
        wasm_trap_as_ref_const wasm_ref_as_trap_const;
    wasm_foreign_t: wasm_foreign_as_ref wasm_ref_as_foreign
        wasm_foreign_as_ref_const wasm_ref_as_foreign_const;
    wasm_func_t: wasm_func_as_ref wasm_ref_as_func
        wasm_func_as_ref_const wasm_ref_as_func_const;
    wasm_global_t: wasm_global_as_ref wasm_ref_as_global
        wasm_global_as_ref_const wasm_ref_as_global_const;
    wasm_table_t: wasm_table_as_ref wasm_ref_as_table
        wasm_table_as_ref_const wasm_ref_as_table_const;
    wasm_memory_t: wasm_memory_as_ref wasm_ref_as_memory
        wasm_memory_as_ref_const wasm_ref_as_memory_const;
    wasm_extern_t: wasm_extern_as_ref wasm_ref_as_extern
        wasm_extern_as_ref_const wasm_ref_as_extern_const;
    wasm_instance_t: wasm_instance_as_ref wasm_ref_as_instance
        wasm_instance_as_ref_const wasm_ref_as_instance_const;
}
