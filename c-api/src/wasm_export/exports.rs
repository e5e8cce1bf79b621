//! Globals and tables that an instance exports.

use super::types::{wasm_global_inst_t, wasm_table_inst_t};
use super::values::kind_of;
use crate::ffi::{guard, handle, opt_str};
use crate::shared::{wasm_function_inst_t, wasm_module_inst_t};
use isothread::ValType;
use std::ffi::c_char;
use std::ptr::null_mut;

/// Describes the global that the instance exports under `name` in `*global_inst`: its kind,
/// whether it can be set, and where its value lies. False, with nothing stored, when there is
/// none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_export_global_inst(
    module_inst: wasm_module_inst_t,
    name: *const c_char,
    global_inst: *mut wasm_global_inst_t,
) -> bool {
    guard(|| {
        // SAFETY: the C contracts of handles and strings.
        let parts = unsafe { (handle::instance(module_inst), opt_str(name)) };
        let (Some(instance), Some(name)) = parts else { return false };
        let Some(global) = instance.get_global(name) else { return false };
        if global_inst.is_null() {
            return false;
        }
        let ty = global.ty();
        let described = wasm_global_inst_t {
            kind: kind_of(ty.val),
            is_mutable: ty.mutable,
            global_data: global.data_ptr().cast(),
        };
        // SAFETY: not NULL; the caller gives room for the struct.
        unsafe { global_inst.write(described) };
        true
    })
}

/// Describes the table that the instance exports under `name` in `*table_inst`: the kind of its
/// elements, how many there are and how many there may be (as many as there are, when the module
/// does not say). It describes the table as it is now. False, with nothing stored, when there is
/// none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_export_table_inst(
    module_inst: wasm_module_inst_t,
    name: *const c_char,
    table_inst: *mut wasm_table_inst_t,
) -> bool {
    guard(|| {
        // SAFETY: the C contracts of handles and strings.
        let parts = unsafe { (handle::instance(module_inst), opt_str(name)) };
        let (Some(instance), Some(name)) = parts else { return false };
        let Some(table) = instance.get_table(name) else { return false };
        if table_inst.is_null() {
            return false;
        }
        let count = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let described = wasm_table_inst_t {
            elem_kind: kind_of(table.ty().elem),
            cur_size: count(table.size()),
            max_size: count(table.ty().limits.max.unwrap_or(table.size())),
            elems: table.elems_ptr().cast(),
        };
        // SAFETY: not NULL; the caller gives room for the struct.
        unsafe { table_inst.write(described) };
        true
    })
}

/// The function at `idx` of a table that `wasm_runtime_get_export_table_inst` described, and that
/// did not change since; NULL for a null element, beyond the end, and for a table of anything
/// but functions.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_table_get_func_inst(
    module_inst: wasm_module_inst_t,
    table_inst: *const wasm_table_inst_t,
    idx: u32,
) -> wasm_function_inst_t {
    guard(|| {
        // SAFETY: NULL or a struct of the caller's.
        let Some(table) = (unsafe { table_inst.as_ref() }) else { return null_mut() };
        let is_funcref = table.elem_kind == kind_of(ValType::FUNCREF);
        if module_inst.is_null() || !is_funcref || idx >= table.cur_size || table.elems.is_null() {
            return null_mut();
        }
        // SAFETY: the table described itself with this many elements, each a word that is null
        // or the address of a function, and by the C contract it has not changed.
        unsafe { *table.elems.cast::<wasm_function_inst_t>().add(idx as usize) }
    })
}
