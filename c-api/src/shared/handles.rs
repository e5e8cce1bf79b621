//! The handle types that `wasm_export.h` and `wasm_c_api.h` both declare.

pub use crate::wasm_export::module::WASMModuleCommon;

/// A loaded module. It belongs to the context it was loaded in and keeps that context alive.
pub type wasm_module_t = *mut WASMModuleCommon;

/// A memory type as a module declares it; lives as long as its module.
pub struct WASMMemory {
    _opaque: (),
}

pub type WASMMemoryType = WASMMemory;
