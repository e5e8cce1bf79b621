//! One isolated WebAssembly runtime per thread.

#![forbid(unsafe_op_in_unsafe_fn)]
#![cfg_attr(
    not(all(feature = "wasi", feature = "builtin-libc", feature = "libc-emcc")),
    allow(
        dead_code,
        unused_imports,
        unused_macros,
        reason = "a few lower parts serve these alone"
    )
)]

mod abi;
mod alloc;
mod api;
#[cfg(feature = "builtin-libc")]
mod builtin_libc;
pub mod context;
mod exec;
mod instance;
mod interp;
#[cfg(feature = "libc-emcc")]
mod libc_emcc;
mod module;
mod native;
mod platform;
mod sync;
mod thread;
#[cfg(feature = "wasi")]
mod wasi;

pub use alloc::{
    ContextAlloc, FailRule, Heap, HeapConfig, HeapError, HeapIdentity, HeapRef, HeapStats,
    PlainFunctions, PoolBuffer, PoolInfo, Usage, UsageFunctions, UsageUserDataFunctions,
    UserAllocator, UserDataFunctions, UserFunctions,
};
/// Collections for the C library, of sizes that its embedder chooses: they fail where the current
/// context is out of memory, and take nothing beyond its limit.
#[doc(hidden)]
pub use alloc::{try_c_string, try_collect, try_copy, try_filled, try_string, try_vec};
pub use api::*;
pub use context::{
    ContextConfig, ContextData, ContextError, ContextHold, ContextStats, Entered, ExternObjects,
    GC_HEAP_SIZE_DEFAULT, JitOptions, LogCallback, LogLevel, MAX_THREAD_NUM_DEFAULT, ObjectCleanup,
    ObjectKind, RawContext, RunningMode, ThreadContexts, ThreadInfo, TypeIds, WeakContext,
};
pub use exec::DescriptorCounts;
pub use module::package::{PackageType, file_version};
pub use native::{BuiltinTable, Convention, NativeArray, NativeSymbol};
pub use sync::{Lock, LockGuard, once};
#[cfg(feature = "wasi")]
pub use wasi::{WasiArgs, WasiCtx};
