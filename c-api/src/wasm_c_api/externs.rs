//! Items as one type: functions, globals, tables and memories.

use super::handles::*;
use super::object::{self, Handle, RefBody};
use super::store::ObjectStore;
use super::type_objects as objects;
use super::types::*;
use super::{func, global, memory, memory_block, table};
use crate::ffi::guard;
use std::ptr::{null, null_mut};

/// The kind of an item; `WASM_EXTERN_FUNC` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_extern_kind(item: *const wasm_extern_t) -> wasm_externkind_t {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| unsafe { object::get(item) }.and_then(|item| item.kind()).unwrap_or(objects::FUNC))
}

/// Makes the type of an item. NULL for placeholders, whose type is nobody's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_extern_type(item: *const wasm_extern_t) -> *mut wasm_externtype_t {
    guard(|| {
        // SAFETY: NULL or a live object, as the header says.
        match unsafe { object::get(item) }.map(|item| &item.body) {
            Some(RefBody::Func(body)) => func::type_of(body.func.ty()).cast(),
            Some(RefBody::Global(global, _)) => global::type_of(global.ty()).cast(),
            Some(RefBody::Table(table, _)) => table::type_of(table.ty()).cast(),
            Some(RefBody::Memory(memory, _)) => memory::type_of(memory.ty()).cast(),
            _ => null_mut(),
        }
    })
}

/// Makes a placeholder for an import that the module's load has bound already, such as WASI's
/// functions and registered natives, or that is left out. NULL for a NULL store or no kind.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_extern_new_empty(
    store: *mut wasm_store_t,
    kind: wasm_externkind_t,
) -> *mut wasm_extern_t {
    guard(|| {
        // SAFETY: NULL or a live store, as the header says.
        let store = unsafe { memory_block::value::<ObjectStore>(store.cast_const().cast()) };
        match store {
            Some(_) if kind <= objects::MEMORY => object::give(object::new(RefBody::Empty(kind))),
            _ => null_mut(),
        }
    })
}

/// # Safety
/// `item` is NULL or a live object.
unsafe fn is<From: Handle, To: Handle>(item: *const From) -> bool {
    // SAFETY: the caller guarantees that `item` is NULL or a live object.
    unsafe { object::get(item) }.is_some_and(|object| To::holds(&object.body))
}

/// The same object as an item; it stays its owner's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_as_extern(func: *mut wasm_func_t) -> *mut wasm_extern_t {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| match unsafe { is::<wasm_func_t, wasm_extern_t>(func) } {
        true => func.cast(),
        false => null_mut(),
    })
}

/// The same object as an item; it stays its owner's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_global_as_extern(global: *mut wasm_global_t) -> *mut wasm_extern_t {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| match unsafe { is::<wasm_global_t, wasm_extern_t>(global) } {
        true => global.cast(),
        false => null_mut(),
    })
}

/// The same object as an item; it stays its owner's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_table_as_extern(table: *mut wasm_table_t) -> *mut wasm_extern_t {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| match unsafe { is::<wasm_table_t, wasm_extern_t>(table) } {
        true => table.cast(),
        false => null_mut(),
    })
}

/// The same object as an item; it stays its owner's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memory_as_extern(memory: *mut wasm_memory_t) -> *mut wasm_extern_t {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| match unsafe { is::<wasm_memory_t, wasm_extern_t>(memory) } {
        true => memory.cast(),
        false => null_mut(),
    })
}

/// The same object as a function, if it is one, else NULL; it stays its owner's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_extern_as_func(item: *mut wasm_extern_t) -> *mut wasm_func_t {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| match unsafe { is::<wasm_extern_t, wasm_func_t>(item) } {
        true => item.cast(),
        false => null_mut(),
    })
}

/// The same object as a global, if it is one, else NULL; it stays its owner's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_extern_as_global(item: *mut wasm_extern_t) -> *mut wasm_global_t {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| match unsafe { is::<wasm_extern_t, wasm_global_t>(item) } {
        true => item.cast(),
        false => null_mut(),
    })
}

/// The same object as a table, if it is one, else NULL; it stays its owner's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_extern_as_table(item: *mut wasm_extern_t) -> *mut wasm_table_t {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| match unsafe { is::<wasm_extern_t, wasm_table_t>(item) } {
        true => item.cast(),
        false => null_mut(),
    })
}

/// The same object as a memory, if it is one, else NULL; it stays its owner's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_extern_as_memory(item: *mut wasm_extern_t) -> *mut wasm_memory_t {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| match unsafe { is::<wasm_extern_t, wasm_memory_t>(item) } {
        true => item.cast(),
        false => null_mut(),
    })
}

/// The same object as an item; it stays its owner's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_as_extern_const(
    func: *const wasm_func_t,
) -> *const wasm_extern_t {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| match unsafe { is::<wasm_func_t, wasm_extern_t>(func) } {
        true => func.cast(),
        false => null(),
    })
}

/// The same object as an item; it stays its owner's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_global_as_extern_const(
    global: *const wasm_global_t,
) -> *const wasm_extern_t {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| match unsafe { is::<wasm_global_t, wasm_extern_t>(global) } {
        true => global.cast(),
        false => null(),
    })
}

/// The same object as an item; it stays its owner's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_table_as_extern_const(
    table: *const wasm_table_t,
) -> *const wasm_extern_t {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| match unsafe { is::<wasm_table_t, wasm_extern_t>(table) } {
        true => table.cast(),
        false => null(),
    })
}

/// The same object as an item; it stays its owner's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memory_as_extern_const(
    memory: *const wasm_memory_t,
) -> *const wasm_extern_t {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| match unsafe { is::<wasm_memory_t, wasm_extern_t>(memory) } {
        true => memory.cast(),
        false => null(),
    })
}

/// The same object as a function, if it is one, else NULL; it stays its owner's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_extern_as_func_const(
    item: *const wasm_extern_t,
) -> *const wasm_func_t {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| match unsafe { is::<wasm_extern_t, wasm_func_t>(item) } {
        true => item.cast(),
        false => null(),
    })
}

/// The same object as a global, if it is one, else NULL; it stays its owner's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_extern_as_global_const(
    item: *const wasm_extern_t,
) -> *const wasm_global_t {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| match unsafe { is::<wasm_extern_t, wasm_global_t>(item) } {
        true => item.cast(),
        false => null(),
    })
}

/// The same object as a table, if it is one, else NULL; it stays its owner's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_extern_as_table_const(
    item: *const wasm_extern_t,
) -> *const wasm_table_t {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| match unsafe { is::<wasm_extern_t, wasm_table_t>(item) } {
        true => item.cast(),
        false => null(),
    })
}

/// The same object as a memory, if it is one, else NULL; it stays its owner's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_extern_as_memory_const(
    item: *const wasm_extern_t,
) -> *const wasm_memory_t {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| match unsafe { is::<wasm_extern_t, wasm_memory_t>(item) } {
        true => item.cast(),
        false => null(),
    })
}
