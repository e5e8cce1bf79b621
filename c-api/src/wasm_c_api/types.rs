//! The objects that describe types. They belong to no engine, and own their parts.

use super::vector_types::{wasm_name_t, wasm_valtype_vec_t};
use crate::shared::{MemAllocOption, wasm_valkind_t};

/// How an engine's context is made.
#[repr(C)]
pub struct wasm_config_t {
    pub mem_alloc_type: super::integers::mem_alloc_type_t,
    pub mem_alloc_option: MemAllocOption,
    /// Kept for source compatibility: this build compiles no code.
    pub segue_flags: u32,
    /// Kept for source compatibility.
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
