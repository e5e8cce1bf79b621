//! `wasm_export.h`: the runtime's API.
//!
//! One file for each section of the header. Files without C functions are shared by several of
//! them: `types`, `integers` and `values`, `loaded` with `described`, `keys` and `wasi_settings`,
//! `make`, `setup`, `trust`, and `remembered`, from which `early` sets a new context up. It knows
//! neither engines nor heaps, only the public Rust API. Control enters at each exported function,
//! which runs inside `guard` and returns its error value for any failure.
//!
//! Sections still to come, each a file of its own: profiling.

pub mod address;
pub mod application;
pub mod arguments;
pub mod blocking;
pub mod call;
pub mod call_stack;
pub mod debug;
mod described;
pub(crate) mod early;
pub mod exception;
pub mod exec_env;
pub mod exports;
pub mod externref;
pub mod heap;
pub mod inst_context;
pub mod instance;
pub mod integers;
mod keys;
pub(crate) mod loaded;
pub(crate) mod make;
pub mod memory;
pub mod module;
pub mod multi_module;
pub mod native;
pub mod package;
pub mod pgo;
pub mod profiling;
pub mod reflection;
mod remembered;
pub mod runtime;
pub(crate) mod setup;
pub mod shared_heap;
pub mod thread;
pub(crate) mod trust;
pub mod types;
pub(crate) mod values;
pub mod wasi;
mod wasi_settings;
