//! The structs, enumerations and handles that only `wasm_export.h` declares.

use crate::lib_export::NativeSymbol;
use crate::shared::*;
use std::ffi::{c_char, c_int, c_void};

/// The kind of an import or export.
#[repr(C)]
pub enum wasm_import_export_kind_t {
    WASM_IMPORT_EXPORT_KIND_FUNC = 0,
    WASM_IMPORT_EXPORT_KIND_TABLE = 1,
    WASM_IMPORT_EXPORT_KIND_MEMORY = 2,
    WASM_IMPORT_EXPORT_KIND_GLOBAL = 3,
}

/// A function's type; lives as long as its module.
pub struct WASMFuncType {
    _opaque: (),
}
pub type wasm_func_type_t = *mut WASMFuncType;

/// A table's type; lives as long as its module.
pub struct WASMTableType {
    _opaque: (),
}
pub type wasm_table_type_t = *mut WASMTableType;

/// A global's type; lives as long as its module.
pub struct WASMGlobalType {
    _opaque: (),
}
pub type wasm_global_type_t = *mut WASMGlobalType;

pub type wasm_memory_type_t = *mut WASMMemoryType;

/// The type that `kind` selects.
#[repr(C)]
#[derive(Clone, Copy)]
pub union anon_extern_type {
    pub func_type: wasm_func_type_t,
    pub table_type: wasm_table_type_t,
    pub global_type: wasm_global_type_t,
    pub memory_type: wasm_memory_type_t,
}

/// An import of a module. All pointers belong to the module.
#[repr(C)]
pub struct wasm_import_t {
    pub module_name: *const c_char,
    pub name: *const c_char,
    pub kind: super::integers::wasm_import_export_kind_t,
    /// Whether something was found for it when the module was loaded.
    pub linked: bool,
    pub u: anon_extern_type,
}

/// An export of a module. All pointers belong to the module.
#[repr(C)]
pub struct wasm_export_t {
    pub name: *const c_char,
    pub kind: super::integers::wasm_import_export_kind_t,
    pub u: anon_extern_type,
}

/// A frame of a guest call stack.
#[repr(C)]
pub struct wasm_frame_t {
    /// A `wasm_instance_t`.
    pub instance: *mut c_void,
    pub module_offset: u32,
    pub func_index: u32,
    pub func_offset: u32,
    pub func_name_wp: *const c_char,
    pub sp: *mut u32,
    pub frame_ref: *mut u8,
    pub lp: *mut u32,
}
pub type WASMCApiFrame = wasm_frame_t;

/// A section of a module, as an embedder hands modules over in pieces.
#[repr(C)]
pub struct wasm_section_t {
    pub next: *mut wasm_section_t,
    pub section_type: c_int,
    /// The content, after the section's type and size.
    pub section_body: *mut u8,
    pub section_body_size: u32,
}
pub type aot_section_t = wasm_section_t;
pub type wasm_section_list_t = *mut wasm_section_t;
pub type aot_section_list_t = *mut aot_section_t;

pub struct WASMSharedHeap {
    _opaque: (),
}
pub type wasm_shared_heap_t = *mut WASMSharedHeap;

/// The kind of a binary.
#[repr(C)]
pub enum package_type_t {
    Wasm_Module_Bytecode = 0,
    Wasm_Module_AoT = 1,
    Package_Type_Unknown = 0xFFFF,
}

/// The state of a pool, in bytes.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct mem_alloc_info_t {
    pub total_size: u32,
    pub total_free_size: u32,
    /// The most that was ever in use.
    pub highmark_size: u32,
}

/// How guest code is executed. 0 asks for the default.
#[repr(C)]
pub enum RunningMode {
    Mode_Interp = 1,
    Mode_Fast_JIT = 2,
    Mode_LLVM_JIT = 3,
    Mode_Multi_Tier_JIT = 4,
}

/// The configuration of a context. `wasm_runtime_init` uses all zeros, with `mem_alloc_type` set to
/// `Alloc_With_System_Allocator`.
#[repr(C)]
pub struct RuntimeInitArgs {
    pub mem_alloc_type: super::integers::mem_alloc_type_t,
    pub mem_alloc_option: MemAllocOption,
    /// Native functions to register: their module, the array, its length.
    pub native_module_name: *const c_char,
    pub native_symbols: *mut NativeSymbol,
    pub n_native_symbols: u32,
    /// Threads a cluster may have; 0 keeps the default.
    pub max_thread_num: u32,
    /// Address the debugger's server binds to; empty for none.
    pub ip_addr: [c_char; 128],
    pub unused: c_int,
    pub instance_port: c_int,
    /// Bytes of machine code that the context may have, in any mode; 0 for 64 MiB.
    pub fast_jit_code_cache_size: u32,
    /// Bytes of an instance's garbage-collected heap, which has exceptions that the guest refers to
    /// as well; 0 keeps the default.
    pub gc_heap_size: u32,
    /// The default mode of instances; 0 for tiers, where code can be compiled and `mem_alloc_type`
    /// is no pool, else the interpreter.
    pub running_mode: super::integers::RunningMode,
    /// Accepted, without effect.
    pub llvm_jit_opt_level: u32,
    /// 1 and 2 prefer small code to fast code.
    pub llvm_jit_size_level: u32,
    /// Accepted, without effect.
    pub segue_flags: u32,
    /// Compiled functions are noted for Linux's perf: in the process's map, `/tmp/perf-PID.map`,
    /// and with their code in a dump of the context's, `/tmp/isothread-PID-N/jit-PID.dump`. The
    /// files stay. Without effect where the build compiles nothing.
    pub enable_linux_perf: bool,
}

/// A global of an instance.
#[repr(C)]
pub struct wasm_global_inst_t {
    pub kind: wasm_valkind_t,
    pub is_mutable: bool,
    /// Where its value lies; valid until the instance is gone.
    pub global_data: *mut c_void,
}

/// A table of an instance.
#[repr(C)]
pub struct wasm_table_inst_t {
    pub elem_kind: wasm_valkind_t,
    pub cur_size: u32,
    pub max_size: u32,
    /// For the runtime only.
    pub elems: *mut c_void,
}

/// How much is logged: messages up to this level.
#[repr(C)]
pub enum log_level_t {
    WASM_LOG_LEVEL_FATAL = 0,
    WASM_LOG_LEVEL_ERROR = 1,
    WASM_LOG_LEVEL_WARNING = 2,
    WASM_LOG_LEVEL_DEBUG = 3,
    WASM_LOG_LEVEL_VERBOSE = 4,
}

/// How to make a shared heap.
#[repr(C)]
pub struct SharedHeapInitArgs {
    pub size: u32,
    pub pre_allocated_addr: *mut c_void,
}

/// A thread of the runtime's.
pub type wasm_thread_t = usize;

/// Gives the binary of an imported module; called while a module that names it is loaded.
pub type module_reader = Option<
    unsafe extern "C" fn(
        module_type: super::integers::package_type_t,
        module_name: *const c_char,
        p_buffer: *mut *mut u8,
        p_size: *mut u32,
    ) -> bool,
>;

/// Takes back a buffer that a `module_reader` gave.
pub type module_destroyer = Option<unsafe extern "C" fn(buffer: *mut u8, size: u32)>;

/// The function of a thread that the runtime starts.
pub type wasm_thread_callback_t =
    Option<unsafe extern "C" fn(exec_env: wasm_exec_env_t, arg: *mut c_void) -> *mut c_void>;

/// Why a memory could not grow.
#[repr(C)]
pub enum enlarge_memory_error_reason_t {
    INTERNAL_ERROR = 0,
    MAX_SIZE_REACHED = 1,
}

/// Called when a memory could not grow.
pub type enlarge_memory_error_callback_t = Option<
    unsafe extern "C" fn(
        inc_page_count: u32,
        current_memory_size: u64,
        memory_index: u32,
        failure_reason: super::integers::enlarge_memory_error_reason_t,
        instance: wasm_module_inst_t,
        exec_env: wasm_exec_env_t,
        user_data: *mut c_void,
    ),
>;
