//! The structs of `wasm_runtime_ctx.h`.

use crate::shared::wasm_runtime_ctx_t;
use std::ffi::{c_char, c_void};

/// The limits that `wasm_runtime_ctx_limits_t.set` names, to be combined.
#[repr(C)]
pub enum wasm_runtime_ctx_limit_t {
    WASM_RUNTIME_CTX_LIMIT_MEMORY = 1,
    WASM_RUNTIME_CTX_LIMIT_FUEL = 2,
    WASM_RUNTIME_CTX_LIMIT_TIME = 4,
    WASM_RUNTIME_CTX_LIMIT_THREADS = 8,
    WASM_RUNTIME_CTX_LIMIT_DESCRIPTORS = 16,
}

/// The limits of a context. In each field of 64 bits UINT64_MAX stands for no limit; a context
/// always has a cap on threads and on descriptors.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wasm_runtime_ctx_limits_t {
    /// sizeof the struct, as the caller knows it.
    pub struct_size: u32,
    /// Which of the limits below are meant: a sum of `wasm_runtime_ctx_limit_t`. Those that are
    /// not stay as they are.
    pub set: u32,
    /// Bytes of live blocks and mapped pages. Live blocks and pages stay, even beyond it.
    pub memory_bytes: u64,
    /// Instructions that guest code may execute from now on, on all execution environments
    /// together; then it traps with "instruction limit exceeded". Translating a function at its
    /// first call costs none of them, because it depends on the module's other users whether a call
    /// has to translate.
    pub fuel: u64,
    /// A deadline, this many milliseconds from now. Guest code that still runs then, or is called
    /// later, traps with "deadline exceeded": in calls, loops and waits, and while a function is
    /// translated at its first call. 0 is a deadline that has passed.
    pub time_ms: u64,
    /// Threads that a guest may start; 0 is taken for no change.
    pub max_threads: u32,
    pub reserved: u32,
    /// Descriptors of the process's that guests may have open together: files, directories,
    /// sockets, one for each thread that waits in WASI, and two for each name that is looked up.
    /// One more fails in the guest with WASI's error 33 (EMFILE); open descriptors stay. Standard
    /// streams and preopened directories are the embedder's and do not count. A new context has a
    /// quarter of the process's soft limit (RLIMIT_NOFILE), at least 64, at most 4096. Each of
    /// several contexts has its own limit: the embedder chooses how many they leave to the host.
    pub max_descriptors: u32,
    pub reserved2: u32,
}

/// The counters of a context.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wasm_runtime_ctx_stats_t {
    /// sizeof the struct, as the caller knows it.
    pub struct_size: u32,
    pub reserved: u32,
    /// Bytes and number of the live blocks, pages mapped for linear memories included in the
    /// bytes; the most bytes there ever were.
    pub live_bytes: u64,
    pub peak_bytes: u64,
    pub live_blocks: u64,
    /// Live objects.
    pub modules: u64,
    pub instances: u64,
    pub exec_envs: u64,
    /// Threads that the runtime or a guest started in the context and that have not ended.
    pub threads: u64,
    /// Calls of guest functions by the host, and how many of them ended in an exception. Leaving
    /// through WASI's `proc_exit` is no exception here.
    pub calls: u64,
    pub traps: u64,
    /// Descriptors that guests have open, counted as `max_descriptors` says, and the most that
    /// there ever were at once.
    pub descriptors: u64,
    pub peak_descriptors: u64,
}

/// Options of the compilers, as `RuntimeInitArgs` has them.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wasm_runtime_ctx_jit_options_t {
    /// sizeof the struct, as the caller knows it.
    pub struct_size: u32,
    pub fast_jit_code_cache_size: u32,
    pub llvm_jit_opt_level: u32,
    pub llvm_jit_size_level: u32,
    pub segue_flags: u32,
    /// 0 or 1: as `enable_linux_perf` there.
    pub linux_perf: u32,
}

/// Called with each context; false ends the listing.
pub type wasm_runtime_ctx_visitor_t =
    Option<unsafe extern "C" fn(ctx: wasm_runtime_ctx_t, user_data: *mut c_void) -> bool>;

/// Called with the output of a context's guests through the built-in C library, in pieces of any
/// length without a NUL at their end. It runs on the guest's thread, inside the guest's call.
pub type wasm_runtime_ctx_stdout_callback_t =
    Option<unsafe extern "C" fn(bytes: *const c_char, len: u32, user_data: *mut c_void)>;

/// Called with each message of a context: its `log_level_t` and its text, without time and line
/// end. It runs on the thread that logs, which may be any, and may call the runtime; its own
/// messages go to standard output.
pub type wasm_runtime_ctx_log_callback_t =
    Option<unsafe extern "C" fn(level: u32, text: *const c_char, user_data: *mut c_void)>;
