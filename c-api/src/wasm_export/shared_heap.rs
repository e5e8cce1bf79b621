//! Shared heaps: memory at the end of the address space of several instances.
//!
//! A heap belongs to the context it was made in. Its handle is looked up before it is used, so a
//! handle that is none, or whose context is gone, is refused.

use super::types::{SharedHeapInitArgs, wasm_shared_heap_t};
use crate::ffi::{context, guard, handle, log};
use crate::shared::wasm_module_inst_t;
use isothread::{Context, Error, Result, SharedHeap};
use std::ffi::c_void;
use std::ptr::{NonNull, null_mut};

/// The heap behind a handle; the handle is not followed.
fn heap(handle: wasm_shared_heap_t) -> Option<SharedHeap> {
    SharedHeap::find(handle.cast_const().cast())
}

/// The handle of a heap, or NULL and a warning in the context.
fn answer(context: &Context, heap: Result<SharedHeap>) -> wasm_shared_heap_t {
    match heap {
        Ok(heap) => heap.as_raw().as_ptr().cast(),
        Err(error) => {
            warn(context, &error);
            null_mut()
        }
    }
}

fn warn(context: &Context, error: &Error) {
    context.run(|| log::warning(format_args!("{error}")));
}

/// Makes a shared heap in the calling thread's context: of `size` bytes of the runtime's own, or
/// over a buffer of the caller's at `pre_allocated_addr`, which must outlive the context and
/// everything in it. The size is rounded up to whole pages; a buffer must have whole pages. NULL
/// for NULL and a size of zero, and with a warning for a size over 1 GiB and without memory.
///
/// The heap is freed with its context, or when the last instance lets go of it after that. It
/// can be used from any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_create_shared_heap(
    init_args: *mut SharedHeapInitArgs,
) -> wasm_shared_heap_t {
    guard(|| {
        // SAFETY: NULL or the caller's arguments.
        let Some(args) = (unsafe { init_args.as_ref() }) else { return null_mut() };
        let Some(context) = context::current().filter(|_| args.size > 0) else {
            return null_mut();
        };
        let heap = match NonNull::new(args.pre_allocated_addr.cast()) {
            // SAFETY: the caller promises `size` bytes for as long as the context has objects.
            Some(buffer) => unsafe { context.create_shared_heap_over(buffer, args.size) },
            None => context.create_shared_heap(args.size),
        };
        answer(&context, heap)
    })
}

/// Puts `head` in front of the chain that starts with `body`: attaching `head` then attaches all of
/// them, and the guest sees one after the other, the last one at the end of its address space.
/// Returns `head`; NULL with a warning if either is NULL or not a heap, if they are of two
/// contexts, if one is attached or stands behind another already, if `head` has heaps behind it, or
/// if two of them would have memory of the runtime's.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_runtime_chain_shared_heaps(
    head: wasm_shared_heap_t,
    body: wasm_shared_heap_t,
) -> wasm_shared_heap_t {
    guard(|| {
        let (Some(head), Some(body)) = (heap(head), heap(body)) else {
            log::warning(format_args!("Invalid shared heap to chain."));
            return null_mut();
        };
        let chained = head.chain(&body);
        answer(head.context(), chained.map(|()| head.clone()))
    })
}

/// Takes `head` off its chain, or the whole chain apart if `entire_chain`. Returns the next heap,
/// or the last one of the entire chain; NULL with a warning if `head` is NULL or not a heap, has
/// no heap behind it, or is attached.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_runtime_unchain_shared_heaps(
    head: wasm_shared_heap_t,
    entire_chain: bool,
) -> wasm_shared_heap_t {
    guard(|| {
        let Some(head) = heap(head) else {
            log::warning(format_args!("Invalid shared heap chain to disconnect the head from."));
            return null_mut();
        };
        let rest = if entire_chain { head.unchain_all() } else { head.unchain_head() };
        answer(head.context(), rest)
    })
}

/// Zeroes the heap and those chained behind it, and frees everything that was allocated from
/// them. False if it is NULL, not a heap, or attached.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_runtime_reset_shared_heap_chain(shared_heap: wasm_shared_heap_t) -> bool {
    guard(|| heap(shared_heap).is_some_and(|heap| heap.reset_chain().is_ok()))
}

/// Makes the heap and those chained behind it reachable for the instance. One chain can be
/// attached to many instances, on several threads; an instance has one at a time, until
/// `wasm_runtime_detach_shared_heap` or its end. False for NULL and an instance without memory,
/// and with a warning if the memory reaches into the heaps, if the instance has a heap already,
/// or if heap and instance are of two contexts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_attach_shared_heap(
    module_inst: wasm_module_inst_t,
    shared_heap: wasm_shared_heap_t,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(instance) = (unsafe { handle::instance(module_inst) }) else { return false };
        if shared_heap.is_null() || instance.memory(0).is_none() {
            return false;
        }
        let attached = match heap(shared_heap) {
            Some(heap) => instance.attach_shared_heap(&heap),
            None => Err(Error::misuse("Invalid shared heap to attach")),
        };
        if let Err(error) = &attached {
            warn(&instance.context(), error);
        }
        attached.is_ok()
    })
}

/// Takes the shared heap away from the instance; nothing happens if it has none, or for NULL. No
/// native may go on using addresses of it, and no other thread run the instance meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_detach_shared_heap(module_inst: wasm_module_inst_t) {
    guard(|| {
        // SAFETY: the C contract of handles.
        if let Some(instance) = unsafe { handle::instance(module_inst) } {
            instance.detach_shared_heap();
        }
    })
}

/// Allocates `size` bytes from the heap that is attached to the instance, or the one of its chain
/// with memory of the runtime's. Returns the guest address, which is the same in every instance
/// that the chain is attached to, and stores the native one in `*p_native_addr` unless that is
/// NULL. 0 without room or a heap, and with a warning if all are over buffers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_shared_heap_malloc(
    module_inst: wasm_module_inst_t,
    size: u64,
    p_native_addr: *mut *mut c_void,
) -> u64 {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(instance) = (unsafe { handle::instance(module_inst) }) else { return 0 };
        let Some((address, native)) = instance.shared_heap_malloc(size) else { return 0 };
        if !p_native_addr.is_null() {
            // SAFETY: not NULL; the caller gives room for a pointer.
            unsafe { p_native_addr.write(native.as_ptr().cast()) };
        }
        address
    })
}

/// Frees a block of `wasm_runtime_shared_heap_malloc`, of any instance. An address elsewhere gives
/// a warning; one that is no block's is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_shared_heap_free(module_inst: wasm_module_inst_t, ptr: u64) {
    guard(|| {
        // SAFETY: the C contract of handles.
        if let Some(instance) = unsafe { handle::instance(module_inst) } {
            instance.shared_heap_free(ptr);
        }
    })
}
