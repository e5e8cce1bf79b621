//! Contexts that are there already: the thread's, the process's, an object's.

use super::types::wasm_runtime_ctx_visitor_t;
use crate::ffi::{guard, guard_held, handle};
use crate::shared::{wasm_exec_env_t, wasm_module_inst_t, wasm_module_t, wasm_runtime_ctx_t};
use crate::wasm_export::loaded;
use isothread::Context;
use isothread::context::thread;
use std::ffi::c_void;
use std::ptr::null_mut;

/// The context that calls without a handle use on this thread: inside a native function that of the
/// guest that called it, else the one pushed last, else the thread's own, else that of its parent
/// if the runtime or a guest started it, else the primary. NULL if there is none, or only a primary
/// that refuses such threads. Borrowed: if another thread may end the context meanwhile, take a
/// count with `wasm_runtime_ctx_retain`.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_runtime_ctx_current() -> wasm_runtime_ctx_t {
    guard(|| thread::with_current(handle::lend_context).unwrap_or(null_mut()))
}

/// The primary context: the first one that was opened while no other was open. NULL once it is
/// closed; a new primary is chosen only after all contexts are closed. Borrowed: it stays valid
/// only as long as no other thread closes it.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_runtime_ctx_primary() -> wasm_runtime_ctx_t {
    guard(|| Context::primary().map_or(null_mut(), |context| handle::lend_context(&context)))
}

/// The context a module was loaded in. Borrowed from the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_of_module(module: wasm_module_t) -> wasm_runtime_ctx_t {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { loaded::module(module) }
            .map_or(null_mut(), |module| handle::lend_context(module.module.context()))
    })
}

/// The context an instance was made in. Borrowed from the instance.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_of_instance(
    module_inst: wasm_module_inst_t,
) -> wasm_runtime_ctx_t {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { handle::instance(module_inst) }
            .map_or(null_mut(), |instance| handle::lend_context(&instance.context()))
    })
}

/// The context of an execution environment. Borrowed from the environment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_of_exec_env(
    exec_env: wasm_exec_env_t,
) -> wasm_runtime_ctx_t {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { handle::exec_env(exec_env) }
            .map_or(null_mut(), |env| handle::lend_context(&env.instance().context()))
    })
}

/// Calls `visit` with every open context, oldest first, until it returns false. The contexts are
/// kept alive while it runs, and no lock is held: it may do anything, also open and close
/// contexts, of which those count that were open at the start. True if every call returned true;
/// false also when memory runs out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_foreach(
    visit: wasm_runtime_ctx_visitor_t,
    user_data: *mut c_void,
) -> bool {
    guard_held(|| {
        let (Some(visit), Ok(all)) = (visit, Context::all()) else { return false };
        // SAFETY: the embedder's function, called as it says.
        all.iter().all(|context| unsafe { visit(handle::lend_context(context), user_data) })
    })
}
