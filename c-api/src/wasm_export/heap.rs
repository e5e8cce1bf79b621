//! Memory of a context for the embedder's own use.

use super::types::mem_alloc_info_t;
use crate::ffi::{context, guard, log};
use isothread::Heap;
use std::ffi::{c_uint, c_void};
use std::ptr::null_mut;

/// Blocks are aligned for any C type.
const ALIGN: usize = 16;

/// Allocates from the calling thread's context. NULL when nothing is free, and with a log line when
/// there is no context. A size of zero gives one byte, with a log line. The block is freed with
/// `wasm_runtime_free`, on any thread, in any context; not with C's `free`.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_runtime_malloc(size: c_uint) -> *mut c_void {
    guard(|| {
        if size == 0 && context::exists() {
            log::warning(format_args!("warning: wasm_runtime_malloc with size zero\n"));
        }
        let block = context::with_current(|c| c.heap().alloc(size.max(1) as usize, ALIGN).cast());
        block.unwrap_or_else(|_| {
            log::warning(format_args!(
                "wasm_runtime_malloc failed: memory hasn't been initialized.\n"
            ));
            null_mut()
        })
    })
}

/// Allocates with an alignment: a power of two of which `size` is a multiple. Only for contexts
/// with a pool; elsewhere NULL with a log line. The block cannot be resized; it is given back with
/// `wasm_runtime_free`.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_runtime_aligned_alloc(size: c_uint, alignment: c_uint) -> *mut c_void {
    guard(|| {
        let block = context::with_current(|context| {
            if context.heap().pool_info().is_none() {
                log::error(format_args!(
                    "wasm_runtime_aligned_alloc failed: only supported in POOL memory mode.\n"
                ));
                return null_mut();
            }
            if size == 0 || !alignment.is_power_of_two() || !size.is_multiple_of(alignment) {
                return null_mut();
            }
            context.heap().alloc(size as usize, alignment as usize).cast()
        });
        block.unwrap_or_else(|_| {
            log::error(format_args!(
                "wasm_runtime_aligned_alloc failed: memory hasn't been initialized.\n"
            ));
            null_mut()
        })
    })
}

/// Resizes a block of `wasm_runtime_malloc`, which may move, in the context it came from. NULL
/// allocates. NULL is returned, and the block stays as it was, when nothing is free or the
/// context's allocator cannot resize.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_realloc(ptr: *mut c_void, size: c_uint) -> *mut c_void {
    guard(|| {
        if !context::exists() {
            log::warning(format_args!(
                "wasm_runtime_realloc failed: memory hasn't been initialized.\n"
            ));
            return null_mut();
        }
        if ptr.is_null() {
            return wasm_runtime_malloc(size);
        }
        // SAFETY: a block that `wasm_runtime_malloc` gave, by the C contract.
        unsafe { Heap::realloc(ptr.cast(), size as usize).cast() }
    })
}

/// Frees a block of `wasm_runtime_malloc`, in the context that it came from, on any thread. NULL
/// does nothing but log a line, as does a call when no context is left.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_free(ptr: *mut c_void) {
    guard(|| {
        if !context::exists() {
            log::warning(format_args!(
                "warning: wasm_runtime_free failed: memory hasn't been initialize.\n"
            ));
        } else if ptr.is_null() {
            log::warning(format_args!("warning: wasm_runtime_free with NULL pointer\n"));
        } else {
            // SAFETY: a block that `wasm_runtime_malloc` gave, by the C contract.
            unsafe { Heap::free(ptr.cast()) };
        }
    })
}

/// The state of the calling thread's context's pool. False, with nothing stored, when it has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_mem_alloc_info(
    mem_alloc_info: *mut mem_alloc_info_t,
) -> bool {
    guard(|| {
        let Ok(Some(pool)) = context::with_current(|context| context.heap().pool_info()) else {
            return false;
        };
        if mem_alloc_info.is_null() {
            return false;
        }
        let bytes = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let info = mem_alloc_info_t {
            total_size: bytes(pool.total),
            total_free_size: bytes(pool.free),
            highmark_size: bytes(pool.highmark),
        };
        // SAFETY: not NULL; the caller gives room for the struct.
        unsafe { mem_alloc_info.write(info) };
        true
    })
}
