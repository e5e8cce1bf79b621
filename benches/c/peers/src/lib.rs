//! The C functions of another runtime, as a library to link C programs with.

#[cfg(feature = "wasmi")]
pub use wasmi_c_api::*;
#[cfg(feature = "wasmtime")]
pub use wasmtime_c_api::*;
