//! Debugging guests.

use crate::ffi::{guard, handle, log};
use crate::shared::wasm_exec_env_t;

/// Starts a server that a debugger connects to, for the environment's guest, at the instance port
/// of `RuntimeInitArgs`. The port, or 0 on failure. This build has no debugger's server: the
/// answer is 0, with a log line.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_start_debug_instance(exec_env: wasm_exec_env_t) -> u32 {
    // SAFETY: the same contract.
    unsafe { wasm_runtime_start_debug_instance_with_port(exec_env, -1) }
}

/// Starts a server like `wasm_runtime_start_debug_instance`, at this port; 0 is any that is free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_start_debug_instance_with_port(
    exec_env: wasm_exec_env_t,
    port: i32,
) -> u32 {
    let _ = port;
    guard(|| {
        // SAFETY: the C contract of handles.
        if let Some(env) = unsafe { handle::exec_env(exec_env) } {
            env.instance().context().run(|| {
                log::warning(format_args!(
                    "warning: this build has no debug server, so guests cannot be debugged"
                ));
            });
        }
        0
    })
}
