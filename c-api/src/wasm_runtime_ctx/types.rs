//! The handle and the structs of `wasm_runtime_ctx.h`.

/// A runtime context, behind its handles.
pub struct WASMRuntimeCtx {
    _opaque: (),
}

/// A handle of a runtime context.
pub type wasm_runtime_ctx_t = *mut WASMRuntimeCtx;
