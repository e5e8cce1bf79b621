//! One isolated WebAssembly runtime per thread.

#![forbid(unsafe_op_in_unsafe_fn)]

mod abi;
mod api;
mod context;
mod module;

pub use api::*;
