//! The structs of the vectors, one for each kind of element; `vector` has the functions.

use super::handles::wasm_extern_t;
use super::types::{
    wasm_exporttype_t, wasm_externtype_t, wasm_functype_t, wasm_globaltype_t, wasm_importtype_t,
    wasm_memorytype_t, wasm_tabletype_t, wasm_valtype_t,
};
use crate::shared::wasm_val_t;
use crate::wasm_export::types::wasm_frame_t;
use std::ffi::{c_char, c_void};

#[repr(C)]
pub struct wasm_byte_vec_t {
    pub size: usize,
    pub data: *mut c_char,
    pub num_elems: usize,
    pub size_of_elem: usize,
    pub lock: *mut c_void,
}

#[repr(C)]
pub struct wasm_valtype_vec_t {
    pub size: usize,
    pub data: *mut *mut wasm_valtype_t,
    pub num_elems: usize,
    pub size_of_elem: usize,
    pub lock: *mut c_void,
}

#[repr(C)]
pub struct wasm_functype_vec_t {
    pub size: usize,
    pub data: *mut *mut wasm_functype_t,
    pub num_elems: usize,
    pub size_of_elem: usize,
    pub lock: *mut c_void,
}

#[repr(C)]
pub struct wasm_globaltype_vec_t {
    pub size: usize,
    pub data: *mut *mut wasm_globaltype_t,
    pub num_elems: usize,
    pub size_of_elem: usize,
    pub lock: *mut c_void,
}

#[repr(C)]
pub struct wasm_tabletype_vec_t {
    pub size: usize,
    pub data: *mut *mut wasm_tabletype_t,
    pub num_elems: usize,
    pub size_of_elem: usize,
    pub lock: *mut c_void,
}

#[repr(C)]
pub struct wasm_memorytype_vec_t {
    pub size: usize,
    pub data: *mut *mut wasm_memorytype_t,
    pub num_elems: usize,
    pub size_of_elem: usize,
    pub lock: *mut c_void,
}

#[repr(C)]
pub struct wasm_externtype_vec_t {
    pub size: usize,
    pub data: *mut *mut wasm_externtype_t,
    pub num_elems: usize,
    pub size_of_elem: usize,
    pub lock: *mut c_void,
}

#[repr(C)]
pub struct wasm_importtype_vec_t {
    pub size: usize,
    pub data: *mut *mut wasm_importtype_t,
    pub num_elems: usize,
    pub size_of_elem: usize,
    pub lock: *mut c_void,
}

#[repr(C)]
pub struct wasm_exporttype_vec_t {
    pub size: usize,
    pub data: *mut *mut wasm_exporttype_t,
    pub num_elems: usize,
    pub size_of_elem: usize,
    pub lock: *mut c_void,
}

#[repr(C)]
pub struct wasm_val_vec_t {
    pub size: usize,
    pub data: *mut wasm_val_t,
    pub num_elems: usize,
    pub size_of_elem: usize,
    pub lock: *mut c_void,
}

#[repr(C)]
pub struct wasm_frame_vec_t {
    pub size: usize,
    pub data: *mut *mut wasm_frame_t,
    pub num_elems: usize,
    pub size_of_elem: usize,
    pub lock: *mut c_void,
}

#[repr(C)]
pub struct wasm_extern_vec_t {
    pub size: usize,
    pub data: *mut *mut wasm_extern_t,
    pub num_elems: usize,
    pub size_of_elem: usize,
    pub lock: *mut c_void,
}

pub type wasm_name_t = wasm_byte_vec_t;
pub type wasm_message_t = wasm_byte_vec_t;
