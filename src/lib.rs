//! One isolated WebAssembly runtime per thread.

#![forbid(unsafe_op_in_unsafe_fn)]

mod abi;
mod alloc;
mod api;
mod context;
mod exec;
mod instance;
mod interp;
mod module;
mod native;
mod platform;
mod sync;
#[cfg(feature = "wasi")]
mod wasi;

pub use api::*;
