//! Arguments of loading and instantiating.

use std::ffi::c_char;

/// Options for loading a module. `wasm_runtime_load` uses all zeros.
#[repr(C)]
pub struct LoadArgs {
    /// The module's name, copied; NULL counts as empty.
    pub name: *mut c_char,
    /// For the functions of `wasm_c_api.h`.
    pub clone_wasm_binary: bool,
    /// Whether the embedder means to free the binary after loading. It may do so in any case: the
    /// runtime keeps its own copy.
    pub wasm_binary_freeable: bool,
    /// Leave imports unresolved until `wasm_runtime_resolve_symbols`.
    pub no_resolve: bool,
}

/// How to instantiate a module. All zero takes the defaults.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct InstantiationArgs {
    /// Bytes of guest stack for the execution environments the runtime makes itself; 0 is 16 KiB.
    pub default_stack_size: u32,
    /// Bytes of the heap inside linear memory that `wasm_runtime_module_malloc` serves from; 0
    /// for none.
    pub host_managed_heap_size: u32,
    /// Upper limit of each memory in pages of 64 KiB; 0 leaves the module's own.
    pub max_memory_pages: u32,
}
