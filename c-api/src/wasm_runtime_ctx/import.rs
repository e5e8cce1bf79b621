//! Modules of one context in another.

use crate::ffi::{ErrorBuf, context, guard_held, handle};
use crate::shared::{wasm_module_t, wasm_runtime_ctx_t};
use crate::wasm_export::loaded::{self, LoadedModule};
use std::ffi::c_char;
use std::sync::Arc;

/// Makes a module that was loaded in any context known in `ctx`: the same code, linked afresh
/// with the native functions registered in `ctx`, its instances under the limits of `ctx`.
///
/// The caller unloads the new module with `wasm_runtime_unload`, apart from the one it was made of.
/// The two contexts do not depend on each other, and either may end first. The modules share the
/// binary and its translated code. This shared part is made by the first import of a module and
/// freed with the last module that uses it. It lies in the system's memory, for any allocators of
/// the contexts, and counts in neither of them.
///
/// NULL on failure, with "WASM module load failed: ..." in `error_buf`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_import_module(
    ctx: wasm_runtime_ctx_t,
    module: wasm_module_t,
    error_buf: *mut c_char,
    error_buf_size: u32,
) -> wasm_module_t {
    guard_held(|| {
        // SAFETY: the C contracts of handles and `error_buf`.
        let (target, module, mut error) = unsafe {
            let error = ErrorBuf::new(error_buf, error_buf_size);
            (handle::context(ctx), loaded::module(module), error)
        };
        let (Some(target), Some(module)) = (target, module) else {
            error.set(format_args!("WASM module load failed: invalid module or runtime"));
            return std::ptr::null_mut();
        };
        let imported = context::within(&target, || {
            let imported = module.module.import_into(&target)?;
            Ok(Arc::new(LoadedModule::new(imported, true)?))
        });
        match imported.and_then(|result| result) {
            Ok(module) => module.into_handle(),
            Err(e) => {
                let e: isothread::Error = e;
                error.set(format_args!("WASM module load failed: {}", e.message()));
                std::ptr::null_mut()
            }
        }
    })
}
