//! Profiles that guide optimisation. Only compiled code collects them, so there are none yet.

use crate::ffi::guard;
use crate::shared::wasm_module_inst_t;
use std::ffi::c_char;

/// How many bytes the instance's profile takes. Only ahead-of-time compiled code that was
/// instrumented has one; the answer for any other is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_pgo_prof_data_size(
    module_inst: wasm_module_inst_t,
) -> u32 {
    let _ = module_inst;
    guard(|| 0)
}

/// Stores the instance's profile, if `len` bytes are enough for it. How many bytes were stored; 0
/// where `wasm_runtime_get_pgo_prof_data_size` says 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_dump_pgo_prof_data_to_buf(
    module_inst: wasm_module_inst_t,
    buf: *mut c_char,
    len: u32,
) -> u32 {
    let _ = (module_inst, buf, len);
    guard(|| 0)
}
