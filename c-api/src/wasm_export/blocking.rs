//! Operations of native functions that may block for long.

use super::types::wasm_exec_env_t;
use crate::ffi::{guard, handle};

/// Announces that the native function is about to do something that may block, best a single
/// system call. False when the environment is asked to stop: the function then returns to the
/// guest without doing it, with EINTR if it reports errors so. After true it calls
/// `wasm_runtime_end_blocking_op` in any case. False for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_begin_blocking_op(exec_env: wasm_exec_env_t) -> bool {
    // SAFETY: the C contract of handles.
    guard(|| unsafe { handle::exec_env(exec_env) }.is_some_and(|env| !env.is_terminated()))
}

/// Ends what a successful `wasm_runtime_begin_blocking_op` began. `errno` stays as it is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_end_blocking_op(exec_env: wasm_exec_env_t) {
    let _ = exec_env;
}
