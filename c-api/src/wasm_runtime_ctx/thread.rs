//! Entering and leaving contexts, and the state of a thread as a whole.

use crate::ffi::{guard, handle};
use crate::shared::wasm_runtime_ctx_t;
use isothread::context::thread;
use std::ffi::c_void;

/// Enters a context: calls without a handle that this thread makes use it, until it is popped.
/// Pushes nest, and one context may be pushed several times. While it is pushed it lives. A context
/// pushed inside a native function and not popped is popped when that returns. False when memory
/// runs out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_push(ctx: wasm_runtime_ctx_t) -> bool {
    // SAFETY: the C contract of handles.
    guard(|| unsafe { handle::context(ctx) }.is_some_and(|context| context.push().is_ok()))
}

/// Leaves a context. False, and nothing changes, if `ctx` is not the one that this thread pushed
/// last and has not popped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_pop(ctx: wasm_runtime_ctx_t) -> bool {
    // SAFETY: the C contract of handles.
    guard(|| unsafe { handle::context(ctx) }.is_some_and(|context| context.pop().is_ok()))
}

/// Makes a context the calling thread's own, with one reference that `wasm_runtime_destroy` on this
/// thread takes back, as if `wasm_runtime_full_init` had made it here: for threads that share a
/// context on purpose. The thread's previous own context is let go of as by the thread's end. NULL
/// only lets go. False for a context that was closed, and when memory runs out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_set_current(ctx: wasm_runtime_ctx_t) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        match unsafe { handle::context(ctx) } {
            Some(context) => thread::adopt(&context).is_ok(),
            None => {
                thread::release_own();
                true
            }
        }
    })
}

/// Replaces the calling thread's state (its own context, the contexts that it has entered, its
/// preparation, its last error) by `state`, and returns the old one: for programs that run several
/// stacks on a thread, or move a stack between threads. A scheduler gives each stack a state of its
/// own, and swaps when it switches. NULL stands for a thread without state; a new one is made when
/// it is needed.
///
/// `state` is NULL or was returned by this function, and is in place on no thread. A state is
/// taken out of place only while the stack that it belongs to does not run. The state that is in
/// place when a thread ends goes with the thread; one that is swapped out stays until it is
/// swapped in again or given to `wasm_runtime_ctx_thread_state_destroy`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_thread_state_swap(state: *mut c_void) -> *mut c_void {
    // SAFETY: the C contract above.
    guard(|| unsafe { thread::state_swap(state) })
}

/// Ends a state that `wasm_runtime_thread_state_swap` returned, as its thread's end would. NULL
/// does nothing. False, and nothing happens, if a guest or a native function is still running on
/// it. It is in place on no thread, and not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_thread_state_destroy(state: *mut c_void) -> bool {
    // SAFETY: the C contract above.
    guard(|| unsafe { thread::state_destroy(state) })
}
