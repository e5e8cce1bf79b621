//! The memories of an instance.

use super::integers::enlarge_memory_error_reason_t;
use super::remembered;
use super::types::{enlarge_memory_error_callback_t, enlarge_memory_error_reason_t as Reason};
use crate::ffi::{context, guard, handle, opt_str};
use crate::shared::{wasm_memory_inst_t, wasm_module_inst_t};
use isothread::context::thread;
use isothread::{Context, Instance, Memory, MemoryGrowCallback, MemoryGrowFailed};
use std::ffi::{c_char, c_void};
use std::ptr::{null_mut, with_exposed_provenance_mut};
use std::sync::Arc;

/// The memory that the instance exports as `name`; NULL when there is none. An instance with a
/// single memory has that one under every name, and under NULL, as WAMR has it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_lookup_memory(
    module_inst: wasm_module_inst_t,
    name: *const c_char,
) -> wasm_memory_inst_t {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(instance) = (unsafe { handle::instance(module_inst) }) else {
            return null_mut();
        };
        if instance.memory(1).is_none() {
            return raw(instance.memory(0));
        }
        // SAFETY: NULL or a C string, says the C contract.
        let name = unsafe { opt_str(name) };
        raw(name.and_then(|name| instance.get_memory(name)))
    })
}

/// What C knows a memory as; the instance keeps it alive.
fn raw(memory: Option<Memory>) -> wasm_memory_inst_t {
    memory.map_or(null_mut(), |memory| memory.as_raw().as_ptr().cast())
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
            return null_mut();
        };
        raw(instance.memory(index))
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

/// Adds pages to the instance's first memory; false, with the memory as it was, when it may not or
/// cannot grow so far, after calling the context's callback for failed growth. The callback gets no
/// more pages than fit a `uint32_t`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_enlarge_memory(
    module_inst: wasm_module_inst_t,
    inc_page_count: u64,
) -> bool {
    guard(|| {
        if u32::try_from(inc_page_count).is_err() {
            return false;
        }
        // SAFETY: the C contract of handles.
        unsafe { handle::instance(module_inst) }
            .is_some_and(|instance| instance.enlarge_memory(inc_page_count))
    })
}

/// Sets a callback for memories that fail to grow, in the calling thread's context; on a thread
/// without a context, in the contexts that it makes later. NULL takes the callback away.
///
/// The callback runs when `memory.grow` fails in guest code, which itself gets -1, and when
/// `wasm_runtime_enlarge_memory` fails. Its `exec_env` is the guest's, or NULL if the host asked
/// for the pages. `inc_page_count` is at most UINT32_MAX, even if more pages were asked for. The
/// callback may run on any thread that runs guests of the context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_set_enlarge_mem_error_callback(
    callback: enlarge_memory_error_callback_t,
    user_data: *mut c_void,
) {
    guard(|| {
        let function = callback.map_or(0, |callback| {
            let callback: unsafe extern "C" fn(_, _, _, _, _, _, _) = callback;
            (callback as *const c_void).expose_provenance()
        });
        let words = [function, user_data.expose_provenance()];
        remembered::remember(|early| early.enlarge = words);
        if let Some(context) = context::current() {
            set_callback(&context, callback, words[1]);
        }
    })
}

/// Sets the callback that a thread remembers, if there is one.
pub(super) fn apply(context: &Context, [function, user_data]: [usize; 2]) {
    if function == 0 {
        return;
    }
    let function = with_exposed_provenance_mut::<c_void>(function);
    // SAFETY: a word that is kept here comes from a function of this type.
    let callback =
        unsafe { std::mem::transmute::<*mut c_void, enlarge_memory_error_callback_t>(function) };
    set_callback(context, callback, user_data);
}

fn set_callback(context: &Context, callback: enlarge_memory_error_callback_t, user_data: usize) {
    let told = callback.map(|callback| {
        let tell = move |instance: &Instance, failed: &MemoryGrowFailed| {
            let reason = match failed.max_size_reached {
                true => Reason::MAX_SIZE_REACHED,
                false => Reason::INTERNAL_ERROR,
            };
            let exec_env = failed.exec_env.map_or(null_mut(), |env| env.as_ptr().cast());
            let pages = u32::try_from(failed.pages).unwrap_or(u32::MAX);
            let instance = instance.as_raw().as_ptr().cast();
            let user_data = with_exposed_provenance_mut(user_data);
            let reason = reason as enlarge_memory_error_reason_t;
            let (bytes, index) = (failed.current_bytes, failed.memory_index);
            // SAFETY: the embedder's function, which it keeps as long as it is set.
            thread::without_cancellation(|| unsafe {
                callback(pages, bytes, index, reason, instance, exec_env, user_data);
            });
        };
        Arc::new(tell) as Arc<MemoryGrowCallback>
    });
    // Without memory there is no callback, and no way to say so.
    let _ = context.set_memory_grow_failed_callback(told);
}
