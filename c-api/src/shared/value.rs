//! Values and their kinds.

/// A value's kind: one of `wasm_valkind_enum`.
pub type wasm_valkind_t = u8;

#[repr(C)]
pub enum wasm_valkind_enum {
    WASM_I32 = 0,
    WASM_I64 = 1,
    WASM_F32 = 2,
    WASM_F64 = 3,
    WASM_V128 = 4,
    WASM_EXTERNREF = 128,
    WASM_FUNCREF = 129,
}

/// The object behind a reference of `wasm_c_api.h`.
pub struct wasm_ref_t {
    _opaque: (),
}

/// A value with its kind.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wasm_val_t {
    pub kind: wasm_valkind_t,
    pub _paddings: [u8; 7],
    pub of: anon_val_of,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub union anon_val_of {
    /// An i32, or the index of a function.
    pub i32: i32,
    pub i64: i64,
    pub f32: f32,
    pub f64: f64,
    /// The host's word behind an externref.
    pub foreign: usize,
    pub r#ref: *mut wasm_ref_t,
}
