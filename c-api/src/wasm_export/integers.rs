//! The integers behind the enumerations.
//!
//! C passes any number where it declares an enumeration, and a Rust enumeration with an unknown
//! number is undefined behaviour. So functions and structs use these aliases, under the names the
//! header has; the enumerations of the same names give it the constants. The header generator
//! skips this file.

use std::ffi::c_uint;

/// cbindgen:ignore
pub type mem_alloc_type_t = c_uint;
/// cbindgen:ignore
pub type package_type_t = c_uint;
/// cbindgen:ignore
pub type RunningMode = c_uint;
/// cbindgen:ignore
pub type log_level_t = c_uint;
/// cbindgen:ignore
pub type wasm_import_export_kind_t = c_uint;
/// cbindgen:ignore
pub type enlarge_memory_error_reason_t = c_uint;
