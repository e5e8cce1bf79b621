//! The objects that C code only has pointers to. `object` knows the type behind most of them.

/// A trap: `object::Object`.
pub struct wasm_trap_t {
    _opaque: (),
}

/// An object of the host's: `object::Object`.
pub struct wasm_foreign_t {
    _opaque: (),
}

/// A function: `object::Object`.
pub struct wasm_func_t {
    _opaque: (),
}

/// A global: `object::Object`.
pub struct wasm_global_t {
    _opaque: (),
}

/// A table: `object::Object`.
pub struct wasm_table_t {
    _opaque: (),
}

/// A memory: `object::Object`.
pub struct wasm_memory_t {
    _opaque: (),
}

/// A function, global, table or memory: `object::Object`.
pub struct wasm_extern_t {
    _opaque: (),
}

/// An instance: `object::Object`.
pub struct wasm_instance_t {
    _opaque: (),
}

/// An engine: a counted `engine::Engine`.
pub struct wasm_engine_t {
    _opaque: (),
}

/// A store: a counted `store::Store`.
pub struct wasm_store_t {
    _opaque: (),
}
