//! Host functions: their registration, the binding of imports to them, and calls.
//!
//! A [`Registry`] belongs to a context and maps (module, name) to the embedder's C functions, to
//! Rust closures and to built-in tables, such as those of WASI. Imports are looked up once, when a
//! module is loaded; the result is a [`HostFunc`], which carries everything that a call needs,
//! computed beforehand. Nothing here knows contexts, engines or WASI.
//!
//! Control enters twice: the loader calls [`Registry::resolve`], and running code calls through
//! the `call` pointer of the `VmHostFunc` header that every [`HostFunc`] starts with.

#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_macros))]

mod caller;
mod convert;
mod functions;
mod guest;
mod host_func;
mod invoke;
mod registry;
mod shared_heap;
mod signature;

pub use caller::Caller;
pub use convert::ExternRefMap;
pub(crate) use functions::functions;
pub use guest::GuestMemory;
pub use host_func::{Builtin, BuiltinModule, BuiltinTable, HostFunc};
pub use registry::{Convention, NativeArray, NativeSymbol, Registry};
pub use shared_heap::SHARED_HEAP;
pub use signature::AddressWidth;

#[cfg(test)]
pub(crate) use guest::tests::over;
#[cfg(test)]
pub use host_func::BuiltinFn;
#[cfg(test)]
pub(crate) mod tests;
