//! Imports, exports and types of modules as C reads them.

use super::described::Reflection;
use super::loaded::{self, LoadedModule};
use super::types::{
    wasm_export_t, wasm_func_type_t, wasm_global_type_t, wasm_import_t, wasm_memory_type_t,
    wasm_table_type_t,
};
use super::values::kind_of;
use crate::ffi::{context, guard};
use crate::shared::{wasm_module_t, wasm_valkind_t};
use isothread::{FuncType, GlobalType, Limits, MemoryType, SubType, TableType, ValType};

/// No value kind.
const NO_KIND: wasm_valkind_t = wasm_valkind_t::MAX;

/// The module's reflection; `None` when memory ran out.
fn reflect(module: &LoadedModule) -> Option<&Reflection> {
    context::within(module.module.context(), || module.reflection()).ok()?.ok()
}

/// How many imports the module has; -1 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_import_count(module: wasm_module_t) -> i32 {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { loaded::module(module) }.map_or(-1, |m| m.module.imports().len() as i32)
    })
}

/// Describes the module's import number `import_index`, in the binary's order, in `*import_type`;
/// all zero beyond the last. Its pointers belong to the module. A tag of exceptions is of kind 4.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_import_type(
    module: wasm_module_t,
    import_index: i32,
    import_type: *mut wasm_import_t,
) {
    guard(|| {
        if import_type.is_null() {
            return;
        }
        // SAFETY: not NULL, the caller gives room, and all zero is a valid value of the struct.
        unsafe { import_type.write(std::mem::zeroed()) };
        // SAFETY: the C contract of handles.
        let Some(module) = (unsafe { loaded::module(module) }) else { return };
        let Ok(index) = usize::try_from(import_index) else { return };
        let Some(entry) = reflect(module).and_then(|r| r.imports.get(index)) else { return };
        let (kind, u) = entry.ty.to_c();
        let import = wasm_import_t {
            module_name: entry.module.as_ptr(),
            name: entry.name.as_ptr(),
            kind,
            linked: module.module.import(index).is_some_and(|i| i.linked),
            u,
        };
        // SAFETY: not NULL, and the caller gives room.
        unsafe { import_type.write(import) };
    })
}

/// How many exports the module has; -1 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_export_count(module: wasm_module_t) -> i32 {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { loaded::module(module) }.map_or(-1, |m| m.module.exports().len() as i32)
    })
}

/// Describes the module's export number `export_index`, in the binary's order, in `*export_type`;
/// all zero beyond the last. Its pointers belong to the module. A tag of exceptions is of kind 4.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_export_type(
    module: wasm_module_t,
    export_index: i32,
    export_type: *mut wasm_export_t,
) {
    guard(|| {
        if export_type.is_null() {
            return;
        }
        // SAFETY: not NULL, the caller gives room, and all zero is a valid value of the struct.
        unsafe { export_type.write(std::mem::zeroed()) };
        // SAFETY: the C contract of handles.
        let Some(module) = (unsafe { loaded::module(module) }) else { return };
        let Ok(index) = usize::try_from(export_index) else { return };
        let Some(entry) = reflect(module).and_then(|r| r.exports.get(index)) else { return };
        let (kind, u) = entry.ty.to_c();
        let export = wasm_export_t { name: entry.name.as_ptr(), kind, u };
        // SAFETY: not NULL, and the caller gives room.
        unsafe { export_type.write(export) };
    })
}

/// How many parameters functions of this type have.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_type_get_param_count(func_type: wasm_func_type_t) -> u32 {
    // SAFETY: NULL or a type of a live module, from this file.
    guard(|| unsafe { func(func_type) }.map_or(0, |ty| ty.params().len() as u32))
}

/// The kind of parameter number `param_index`; (wasm_valkind_t)-1 beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_type_get_param_valkind(
    func_type: wasm_func_type_t,
    param_index: u32,
) -> wasm_valkind_t {
    // SAFETY: NULL or a type of a live module, from this file.
    guard(|| kind_at(unsafe { func(func_type) }.map(FuncType::params), param_index))
}

/// How many results functions of this type have.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_type_get_result_count(func_type: wasm_func_type_t) -> u32 {
    // SAFETY: NULL or a type of a live module, from this file.
    guard(|| unsafe { func(func_type) }.map_or(0, |ty| ty.results().len() as u32))
}

/// The kind of result number `result_index`; (wasm_valkind_t)-1 beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_type_get_result_valkind(
    func_type: wasm_func_type_t,
    result_index: u32,
) -> wasm_valkind_t {
    // SAFETY: NULL or a type of a live module, from this file.
    guard(|| kind_at(unsafe { func(func_type) }.map(FuncType::results), result_index))
}

/// # Safety
/// `ty` is NULL or a function type that was given out, whose module lives.
unsafe fn func<'a>(ty: wasm_func_type_t) -> Option<&'a FuncType> {
    // SAFETY: the caller guarantees that `ty` is NULL or a function type that was given out, whose
    // module lives; those are defined types.
    unsafe { ty.cast::<SubType>().as_ref() }.and_then(SubType::func)
}

fn kind_at(types: Option<&[ValType]>, index: u32) -> wasm_valkind_t {
    types.and_then(|types| types.get(index as usize)).map_or(NO_KIND, |ty| kind_of(*ty))
}

/// The kind of the global's value; (wasm_valkind_t)-1 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_global_type_get_valkind(
    global_type: wasm_global_type_t,
) -> wasm_valkind_t {
    // SAFETY: NULL or a type of a live module, from this file.
    let ty = unsafe { global_type.cast::<GlobalType>().as_ref() };
    guard(|| ty.map_or(NO_KIND, |ty| kind_of(ty.val)))
}

/// Whether the global can be set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_global_type_get_mutable(global_type: wasm_global_type_t) -> bool {
    // SAFETY: NULL or a type of a live module, from this file.
    let ty = unsafe { global_type.cast::<GlobalType>().as_ref() };
    guard(|| ty.is_some_and(|ty| ty.mutable))
}

/// Whether the memory is shared between threads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memory_type_get_shared(memory_type: wasm_memory_type_t) -> bool {
    // SAFETY: NULL or a type of a live module, from this file.
    let ty = unsafe { memory_type.cast::<MemoryType>().as_ref() };
    guard(|| ty.is_some_and(|ty| ty.shared))
}

/// How many pages the memory begins with, at most UINT32_MAX.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memory_type_get_init_page_count(
    memory_type: wasm_memory_type_t,
) -> u32 {
    // SAFETY: NULL or a type of a live module, from this file.
    let ty = unsafe { memory_type.cast::<MemoryType>().as_ref() };
    guard(|| ty.map_or(0, |ty| saturate(ty.limits.min)))
}

/// How many pages the memory may grow to; when the module does not say, as many as its addresses
/// reach: 65536 of 64 KiB with 32 bits. No more than UINT32_MAX is said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memory_type_get_max_page_count(
    memory_type: wasm_memory_type_t,
) -> u32 {
    // SAFETY: NULL or a type of a live module, from this file.
    let ty = unsafe { memory_type.cast::<MemoryType>().as_ref() };
    guard(|| ty.map_or(0, |ty| saturate(ty.limits.max.unwrap_or(ty.pages_max()))))
}

/// The kind of the table's elements; (wasm_valkind_t)-1 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_table_type_get_elem_kind(
    table_type: wasm_table_type_t,
) -> wasm_valkind_t {
    // SAFETY: NULL or a type of a live module, from this file.
    let ty = unsafe { table_type.cast::<TableType>().as_ref() };
    guard(|| ty.map_or(NO_KIND, |ty| kind_of(ty.elem)))
}

/// Whether the table is shared between threads, which no table is yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_table_type_get_shared(table_type: wasm_table_type_t) -> bool {
    let _ = table_type;
    false
}

/// How many elements the table begins with.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_table_type_get_init_size(table_type: wasm_table_type_t) -> u32 {
    // SAFETY: NULL or a type of a live module, from this file.
    let ty = unsafe { table_type.cast::<TableType>().as_ref() };
    guard(|| ty.map_or(0, |ty| saturate(ty.limits.min)))
}

/// How many elements the table may grow to; for a table without a limit, twice its initial size,
/// and at least 1024, as in WAMR.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_table_type_get_max_size(table_type: wasm_table_type_t) -> u32 {
    // SAFETY: NULL or a type of a live module, from this file.
    let ty = unsafe { table_type.cast::<TableType>().as_ref() };
    guard(|| ty.map_or(0, |ty| table_max(&ty.limits)))
}

/// The most elements a table type of these limits reports.
fn table_max(limits: &Limits) -> u32 {
    saturate(limits.max.unwrap_or(limits.min.saturating_mul(2).max(1024)))
}

fn saturate(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
