//! The objects that describe types, and the structs of vectors, one for each kind of element. They
//! belong to no engine, and own their parts. `vector` has the vectors' functions.

use super::handles::wasm_extern_t;
use crate::shared::{MemAllocOption, wasm_val_t, wasm_valkind_t};
use crate::wasm_export::types::wasm_frame_t;
use std::ffi::{c_char, c_void};

/// How an engine's context is made.
#[repr(C)]
pub struct wasm_config_t {
    pub mem_alloc_type: crate::wasm_export::integers::mem_alloc_type_t,
    pub mem_alloc_option: MemAllocOption,
    /// Accepted, without effect.
    pub segue_flags: u32,
    /// As in `RuntimeInitArgs` of `wasm_export.h`.
    pub enable_linux_perf: bool,
}

/// Sizes in elements or pages.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wasm_limits_t {
    pub min: u32,
    /// `wasm_limits_max_default` for no limit.
    pub max: u32,
}

/// One of `wasm_externkind_enum`.
pub type wasm_externkind_t = u8;

/// One of `wasm_mutability_enum`.
pub type wasm_mutability_t = u8;

pub type wasm_table_size_t = u32;

pub type wasm_memory_pages_t = u32;

#[repr(C)]
pub struct wasm_valtype_t {
    pub(super) kind: wasm_valkind_t,
}

/// Begins every type of an item that can be imported; its kind says which follows.
#[repr(C)]
pub struct wasm_externtype_t {
    pub(super) kind: wasm_externkind_t,
}

#[repr(C)]
pub struct wasm_functype_t {
    pub(super) head: wasm_externtype_t,
    pub(super) params: wasm_valtype_vec_t,
    pub(super) results: wasm_valtype_vec_t,
}

#[repr(C)]
pub struct wasm_globaltype_t {
    pub(super) head: wasm_externtype_t,
    pub(super) content: *mut wasm_valtype_t,
    pub(super) mutability: wasm_mutability_t,
}

#[repr(C)]
pub struct wasm_tabletype_t {
    pub(super) head: wasm_externtype_t,
    pub(super) element: *mut wasm_valtype_t,
    pub(super) limits: wasm_limits_t,
}

#[repr(C)]
pub struct wasm_memorytype_t {
    pub(super) head: wasm_externtype_t,
    pub(super) limits: wasm_limits_t,
}

#[repr(C)]
pub struct wasm_importtype_t {
    pub(super) module: wasm_name_t,
    pub(super) name: wasm_name_t,
    pub(super) ty: *mut wasm_externtype_t,
    pub(super) linked: bool,
}

#[repr(C)]
pub struct wasm_exporttype_t {
    pub(super) name: wasm_name_t,
    pub(super) ty: *mut wasm_externtype_t,
}

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
