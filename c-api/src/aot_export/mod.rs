//! `aot_export.h`: compiling modules ahead.
//!
//! One file for each step: `data` takes a module, `compile` its options and the compiler, `emit`
//! writes files. `error` has the thread's last error. It uses the public Rust API. Control enters
//! from C.

pub mod compile;
pub mod data;
pub mod emit;
pub mod error;
pub mod types;
