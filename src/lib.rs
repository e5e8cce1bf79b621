//! One isolated WebAssembly runtime per thread.
//!
//! A [`Context`] is one runtime: its memory, its host functions, its log and its limits are its
//! own, and a process may have as many contexts as it likes. This one is for a guest that is not
//! trusted:
//!
//! ```
//! use isothread::{Context, ContextConfig, ExecEnv, Instance, InstanceArgs, Module, Trap};
//! use std::time::Duration;
//!
//! // 4 MiB of memory, a million instructions, one second.
//! let config = ContextConfig { quota_bytes: Some(4 << 20), ..ContextConfig::default() };
//! let context = Context::with(config)?;
//! context.set_fuel(Some(1_000_000));
//! context.set_time_left(Some(Duration::from_secs(1)));
//!
//! let wasm = wat::parse_str(
//!     "(module
//!        (func (export \"add\") (param i32 i32) (result i32)
//!          (i32.add (local.get 0) (local.get 1)))
//!        (func (export \"hang\") (loop (br 0))))",
//! )
//! .unwrap();
//! let module = Module::new(&context, &wasm)?;
//! let instance = Instance::new(&module, InstanceArgs::default())?;
//! let mut env = ExecEnv::new(&instance, 0)?;
//! let add = instance.typed_func::<(i32, i32), i32>("add")?;
//! assert_eq!(add.call(&mut env, (20, 22))?, 42);
//!
//! // A guest that does not end by itself is ended.
//! let hang = instance.typed_func::<(), ()>("hang")?;
//! let error = hang.call(&mut env, ()).unwrap_err();
//! assert!(matches!(error.trap(), Some(Trap::FuelExhausted | Trap::DeadlineExceeded)));
//! # Ok::<(), isothread::Error>(())
//! ```
//!
//! `examples/plugin_host.rs` is a host with two tenants that share a plugin.
//!
//! # The types by purpose
//!
//! - **Loading and calling.** A [`Module`] is loaded code, an [`Instance`] its state, an
//!   [`ExecEnv`] a stack to run on. A [`Func`] takes [`Val`]s, a [`TypedFunc`] Rust's own types.
//!   [`Memory`], [`Table`] and [`Global`] are the instance's other exports.
//! - **Host functions.** A [`Native`] is a closure with a [`FuncType`], which [`Context::define`]
//!   offers to modules; it gets a [`Caller`].
//! - **Programs.** [`Instance::run_main`] runs one; [`WasiArgs`] and [`WasiCtx`] give it
//!   arguments, variables, directories and networks.
//! - **Objects of guests.** [`Module::defined_type`] describes types, [`ExecEnv::new_struct`] and
//!   [`Instance::struct_get`] make structs and look into them; a [`Rooted`] keeps one.
//! - **Failures.** An [`Error`] has an [`ErrorKind`], a text, and the [`Trap`] if guest code
//!   stopped; [`Backtrace`] says where.
//! - **Limits and counters.** [`Context::set_quota_bytes`], [`Context::set_fuel`],
//!   [`Context::set_time_left`], [`Context::set_max_descriptors`]; [`Terminator`] stops an instance
//!   from another thread; [`ContextStats`] has a context's counters, [`FuncProfile`] a function's
//!   cost.
//! - **The runtime's own memory.** [`HeapConfig`] chooses the source of a context's memory: the
//!   system, a [`PoolBuffer`], a [`UserAllocator`]. With [`ContextAlloc`] as the global allocator,
//!   allocations of Rust code while a context is current are counted and limited as well.
//! - **Threads.** Handles stay on their thread; [`Detached`] moves an instance to another one, a
//!   [`SharedMemory`] belongs to several instances, and [`context::thread`] says which context a
//!   thread is in.
//! - **Modules that import modules.** [`Context::set_module_reader`],
//!   [`Context::register_module`]; [`Module::import_into`] shares code between contexts.
//!
//! Types named `Raw...` are for the C library.

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
mod ahead;
mod alloc;
mod api;
#[cfg(feature = "builtin-libc")]
mod builtin_libc;
pub mod context;
mod exec;
mod gc;
mod instance;
mod interp;
#[cfg(isothread_jit)]
mod jit;
#[cfg(feature = "libc-emcc")]
mod libc_emcc;
mod module;
mod native;
mod platform;
mod sync;
mod thread;
mod types;
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
pub use alloc::{outside, try_c_string, try_collect, try_copy, try_filled, try_string, try_vec};
pub use api::*;
pub use context::{
    ContextConfig, ContextData, ContextError, ContextHold, ContextStats, Entered, ExternObjects,
    GC_HEAP_SIZE_DEFAULT, JitOptions, LogCallback, LogLevel, MAX_THREAD_NUM_DEFAULT, ObjectCleanup,
    ObjectKind, RawContext, RunningMode, ThreadContexts, ThreadInfo, WeakContext,
};
pub use exec::{CompiledCode, DescriptorCounts};
pub use module::package::{PackageType, file_version};
pub use native::{BuiltinTable, Convention, NativeArray, NativeSymbol};
pub use sync::{Lock, LockGuard, once};
#[cfg(feature = "wasi")]
pub use wasi::{WasiArgs, WasiCtx};
