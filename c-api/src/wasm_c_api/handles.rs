//! The objects that C code only has pointers to. `object` knows the type behind most of them.

/// A trap: `object::RefObject`.
pub struct wasm_trap_t {
    _opaque: (),
}

/// An object of the host's: `object::RefObject`.
pub struct wasm_foreign_t {
    _opaque: (),
}

/// A function: `object::RefObject`.
pub struct wasm_func_t {
    _opaque: (),
}

/// A global: `object::RefObject`.
pub struct wasm_global_t {
    _opaque: (),
}

/// A table: `object::RefObject`.
pub struct wasm_table_t {
    _opaque: (),
}

/// A memory: `object::RefObject`.
pub struct wasm_memory_t {
    _opaque: (),
}

/// A function, global, table or memory: `object::RefObject`.
pub struct wasm_extern_t {
    _opaque: (),
}

/// An instance: `object::RefObject`.
pub struct wasm_instance_t {
    _opaque: (),
}

/// An engine: a counted `engine::Engine`.
pub struct wasm_engine_t {
    _opaque: (),
}

/// A store: a counted `store::ObjectStore`.
pub struct wasm_store_t {
    _opaque: (),
}
