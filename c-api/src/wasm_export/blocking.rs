//! Operations of native functions that may block for long.

use crate::ffi::{guard, handle};
use crate::shared::wasm_exec_env_t;

/// Announces that the native function is about to do something that may block, best a single
/// system call. While it does, a request to stop, or the end of the context's time, interrupts
/// the calling thread with a signal, again and again until `wasm_runtime_end_blocking_op`, so that
/// the call fails with EINTR. The function then ends the operation and returns to the guest, with
/// EINTR if it reports errors so; it need not look why.
///
/// False when the environment is asked to stop already: the function returns to the guest without
/// doing it. After true it calls `wasm_runtime_end_blocking_op` in any case, on the same thread.
/// Operations nest. False for NULL. `errno` stays as it is.
///
/// The signal is SIGUSR1 unless `wasm_runtime_ctx_set_blocking_op_signal` says otherwise. Nothing
/// is installed before an operation has to be interrupted, or has a time limit. Then there is a
/// handler until the operation ends, which passes signals of others on to the one that was there
/// before, and system calls that other signals of this number interrupt are not restarted. The
/// calling thread has the signal unblocked meanwhile. Systems other than Linux interrupt nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_begin_blocking_op(exec_env: wasm_exec_env_t) -> bool {
    // SAFETY: the C contract of handles.
    guard(|| unsafe { handle::exec_env(exec_env) }.is_some_and(|env| env.begin_blocking()))
}

/// Ends the operation that a successful `wasm_runtime_begin_blocking_op` began. The thread's signal
/// mask and `errno` are unchanged. Without an operation, or for NULL, this does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_end_blocking_op(exec_env: wasm_exec_env_t) {
    guard(|| {
        // SAFETY: the C contract of handles.
        if let Some(env) = unsafe { handle::exec_env(exec_env) } {
            env.end_blocking();
        }
    })
}
