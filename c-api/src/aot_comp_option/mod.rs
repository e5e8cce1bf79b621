//! `aot_comp_option.h`: the options of compiling ahead.
//!
//! It knows no other header and compiles nothing. Control enters from C.

use crate::ffi::guard;
use std::ffi::{c_char, c_uint};

/// What call stacks are to have. Accepted: they always have all of it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct AOTCallStackFeatures {
    pub bounds_checks: bool,
    pub ip: bool,
    pub func_idx: bool,
    pub trap_ip: bool,
    pub values: bool,
    pub frame_per_function: bool,
}

/// The frames that call stacks are made of. Accepted: call stacks need none.
#[repr(C)]
pub enum AOTStackFrameType {
    AOT_STACK_FRAME_OFF = 0,
    AOT_STACK_FRAME_TYPE_TINY = 1,
    AOT_STACK_FRAME_TYPE_STANDARD = 2,
}

/// How a module is compiled. The fields that matter are `target_arch`, `target_abi`, `target_cpu`,
/// `cpu_features`, `opt_level`, `size_level` and `output_format`. All others are accepted: their
/// features are always on, or have no counterpart here.
#[repr(C)]
pub struct AOTCompOption {
    pub is_jit_mode: bool,
    pub is_indirect_mode: bool,
    /// The kind of machine that the code is for: "x86_64", or NULL for this machine.
    pub target_arch: *mut c_char,
    /// "gnu", or NULL.
    pub target_abi: *mut c_char,
    /// "x86-64", "x86-64-v2", "x86-64-v3", or "native" for this processor. NULL is this processor
    /// if `target_arch` is NULL too, else "x86-64".
    pub target_cpu: *mut c_char,
    /// Changes to the processor's features, such as "+avx2,-fma"; or NULL.
    pub cpu_features: *mut c_char,
    pub is_sgx_platform: bool,
    pub enable_bulk_memory: bool,
    pub enable_bulk_memory_opt: bool,
    pub enable_thread_mgr: bool,
    pub enable_tail_call: bool,
    pub enable_simd: bool,
    pub enable_ref_types: bool,
    pub enable_call_indirect_overlong: bool,
    pub enable_gc: bool,
    pub enable_aux_stack_check: bool,
    pub enable_extended_const: bool,
    pub enable_lime1: bool,
    pub aux_stack_frame_type: c_uint,
    pub call_stack_features: AOTCallStackFeatures,
    pub enable_perf_profiling: bool,
    pub enable_memory_profiling: bool,
    pub disable_llvm_intrinsics: bool,
    pub disable_llvm_jump_tables: bool,
    pub disable_llvm_lto: bool,
    pub enable_llvm_pgo: bool,
    pub enable_stack_estimation: bool,
    pub quick_invoke_c_api_import: bool,
    pub enable_shared_heap: bool,
    pub enable_shared_chain: bool,
    pub use_prof_file: *mut c_char,
    /// 0 for code that is made quickly, 1 to 3 for fast code.
    pub opt_level: u32,
    /// 1 and 2 prefer small code to fast code.
    pub size_level: u32,
    /// `AOT_FORMAT_FILE`; there are no others here.
    pub output_format: u32,
    /// Accepted: accesses are always checked.
    pub bounds_checks: u32,
    /// Accepted: the native stack is always checked.
    pub stack_bounds_checks: u32,
    pub segue_flags: u32,
    /// Accepted: the file has all custom sections.
    pub custom_sections: *mut *mut c_char,
    pub custom_sections_count: u32,
    pub stack_usage_file: *const c_char,
    pub llvm_passes: *const c_char,
    pub builtin_intrinsics: *const c_char,
}
pub type aot_comp_option_t = *mut AOTCompOption;

/// Sets the features that call stacks have with WAMR unless chosen: all but `frame_per_function`.
/// Nothing happens for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aot_call_stack_features_init_default(features: *mut AOTCallStackFeatures) {
    guard(|| {
        if features.is_null() {
            return;
        }
        let all = AOTCallStackFeatures {
            bounds_checks: true,
            ip: true,
            func_idx: true,
            trap_ip: true,
            values: true,
            frame_per_function: false,
        };
        // SAFETY: not NULL; the caller gives room for the struct.
        unsafe { features.write(all) };
    })
}
