//! The memories of an instance.

use super::types::{wasm_memory_inst_t, wasm_module_inst_t};
use crate::ffi::{guard, handle};
use std::ffi::{c_char, c_void};

/// The instance's first memory, whatever `name` is, as WAMR has it for modules of one memory;
/// NULL when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_lookup_memory(
    module_inst: wasm_module_inst_t,
    name: *const c_char,
) -> wasm_memory_inst_t {
    let _ = name;
    // SAFETY: the same contract.
    unsafe { wasm_runtime_get_memory(module_inst, 0) }
}

/// The instance's first memory; NULL when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_default_memory(
    module_inst: wasm_module_inst_t,
) -> wasm_memory_inst_t {
    // SAFETY: the same contract.
    unsafe { wasm_runtime_get_memory(module_inst, 0) }
}

/// The instance's memory number `index`, counting imported ones first; NULL beyond the last. The
/// handle belongs to the instance.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_memory(
    module_inst: wasm_module_inst_t,
    index: u32,
) -> wasm_memory_inst_t {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(instance) = (unsafe { handle::instance(module_inst) }) else {
            return std::ptr::null_mut();
        };
        instance.memory(index).map_or(std::ptr::null_mut(), |m| m.as_raw().as_ptr().cast())
    })
}

/// The memory's size in pages; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memory_get_cur_page_count(memory_inst: wasm_memory_inst_t) -> u64 {
    // SAFETY: the C contract of handles.
    guard(|| unsafe { handle::memory(memory_inst) }.map_or(0, |memory| memory.pages()))
}

/// How many pages the memory may grow to; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memory_get_max_page_count(memory_inst: wasm_memory_inst_t) -> u64 {
    // SAFETY: the C contract of handles.
    guard(|| unsafe { handle::memory(memory_inst) }.map_or(0, |memory| memory.max_pages()))
}

/// The size of the memory's pages in bytes; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memory_get_bytes_per_page(memory_inst: wasm_memory_inst_t) -> u64 {
    // SAFETY: the C contract of handles.
    guard(|| unsafe { handle::memory(memory_inst) }.map_or(0, |memory| memory.page_bytes()))
}

/// Whether the memory is declared shared between threads; false for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memory_get_shared(memory_inst: wasm_memory_inst_t) -> bool {
    // SAFETY: the C contract of handles.
    guard(|| unsafe { handle::memory(memory_inst) }.is_some_and(|memory| memory.ty().shared))
}

/// The native address of the memory's first byte, valid until the memory grows; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memory_get_base_address(
    memory_inst: wasm_memory_inst_t,
) -> *mut c_void {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { handle::memory(memory_inst) }
            .map_or(std::ptr::null_mut(), |memory| memory.base_ptr().cast())
    })
}

/// Adds pages to the memory; false, with the memory as it was, when it may not or cannot grow so
/// far. The context's callback for failed growth is not called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memory_enlarge(
    memory_inst: wasm_memory_inst_t,
    inc_page_count: u64,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { handle::memory(memory_inst) }
            .is_some_and(|memory| memory.grow(inc_page_count).is_ok())
    })
}

/// Adds pages to the instance's first memory; false, with the memory as it was, when it may not
/// or cannot grow so far, after calling the context's callback for failed growth.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_enlarge_memory(
    module_inst: wasm_module_inst_t,
    inc_page_count: u64,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { handle::instance(module_inst) }
            .is_some_and(|instance| instance.enlarge_memory(inc_page_count))
    })
}
