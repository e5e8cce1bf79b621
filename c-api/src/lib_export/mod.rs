//! `lib_export.h`: the table in which an embedder lists its native functions.
//!
//! It declares one struct and macros; the header's only function is the embedder's to define.

use std::ffi::{c_char, c_void};

/// One native function as the embedder offers it.
///
/// The runtime reads such arrays where they lie and never writes to them; they must stay valid
/// until they are unregistered or the context is gone.
#[repr(C)]
pub struct NativeSymbol {
    /// The import's name.
    pub symbol: *const c_char,
    /// The C function: `ret f(wasm_exec_env_t, args...)`, or
    /// `void f(wasm_exec_env_t, uint64_t *args)` when registered as raw.
    pub func_ptr: *mut c_void,
    /// Parameter and result letters such as `"(i*~)i"`; NULL or empty is unchecked.
    pub signature: *const c_char,
    /// The result of `wasm_runtime_get_function_attachment` inside the function.
    pub attachment: *mut c_void,
}
