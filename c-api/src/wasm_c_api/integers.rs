//! The integers behind enumerations, as for `wasm_export.h`. The header generator skips this file.

/// cbindgen:ignore
pub type mem_alloc_type_t = std::ffi::c_uint;
