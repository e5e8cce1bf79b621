//! Asserts that the structs and constants here have the sizes, offsets and numbers of
//! the tables in `facts/`, by which the tests measure the headers too. The build script writes the
//! assertions.

use crate::aot_comp_option::AOTStackFrameType::*;
use crate::aot_comp_option::*;
use crate::aot_export::types::aot_output_format::*;
use crate::aot_export::types::*;
use crate::gc_export::types::wasm_heap_type_enum::*;
use crate::gc_export::types::wasm_value_type_enum::*;
use crate::gc_export::types::*;
use crate::lib_export::NativeSymbol;
use crate::shared::*;
use crate::wasm_c_api::module::wasm_shared_module_t;
use crate::wasm_c_api::types::*;
use crate::wasm_export::types::*;
use crate::wasm_runtime_ctx::types::wasm_runtime_ctx_limit_t::*;
use crate::wasm_runtime_ctx::types::*;
// Structs and functions use the integers behind these; the assertions are about the constants.
use crate::shared::mem_alloc_type_t::*;
use crate::shared::mem_alloc_usage_t::*;
use crate::shared::wasm_valkind_enum::*;
use crate::wasm_export::types::RunningMode::*;
use crate::wasm_export::types::enlarge_memory_error_reason_t::*;
use crate::wasm_export::types::log_level_t::*;
use crate::wasm_export::types::package_type_t::*;
use crate::wasm_export::types::wasm_import_export_kind_t::*;

include!(concat!(env!("OUT_DIR"), "/layout.rs"));

/// An integer stands in for an enumeration only if it is as wide.
const _: () = {
    use crate::wasm_export::integers;
    assert!(size_of::<integers::RunningMode>() == size_of::<RunningMode>());
    assert!(size_of::<integers::log_level_t>() == size_of::<log_level_t>());
};
