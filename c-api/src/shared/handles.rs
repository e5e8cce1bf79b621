//! The handles of the headers. The modules that make an object know the type behind its handle.

use std::ffi::c_void;

/// The target of a `wasm_module_t`. Owner: the embedder's handle and every instance of it, each
/// with a count.
pub struct WASMModuleCommon {
    _opaque: (),
}

/// A loaded module. It belongs to the context it was loaded in and keeps that context alive.
pub type wasm_module_t = *mut WASMModuleCommon;

/// A memory type as a module declares it; lives as long as its module.
pub struct WASMMemory {
    _opaque: (),
}

pub type WASMMemoryType = WASMMemory;

/// The target of a `wasm_module_inst_t`: the runtime's own instance, with the embedder's module in
/// the slot below.
pub struct WASMModuleInstanceCommon {
    _opaque: (),
}

/// An instance. It keeps its module and its context alive.
pub type wasm_module_inst_t = *mut WASMModuleInstanceCommon;

pub type WASMFunctionInstanceCommon = c_void;

/// A function of an instance; valid until the instance is gone.
pub type wasm_function_inst_t = *mut WASMFunctionInstanceCommon;

pub struct WASMMemoryInstance {
    _opaque: (),
}

/// A memory of an instance; valid until the instance is gone.
pub type wasm_memory_inst_t = *mut WASMMemoryInstance;

pub struct WASMExecEnv {
    _opaque: (),
}

/// An execution environment: a guest stack. One thread uses it at a time.
pub type wasm_exec_env_t = *mut WASMExecEnv;

/// A runtime context, behind its handles.
pub struct WASMRuntimeCtx {
    _opaque: (),
}

/// A handle of a runtime context.
pub type wasm_runtime_ctx_t = *mut WASMRuntimeCtx;
