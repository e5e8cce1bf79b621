//! WAMR's C API on isothread: the library `libiwasm`.
//!
//! A thin layer: each C function checks its arguments, finds the context, and calls the Rust API.
//! `ffi/` has the common part of all functions, `shared/` the types that several headers declare,
//! and each other folder one header. `facts/` lists the names and layouts that must be WAMR's,
//! `gen/` makes the headers from the declarations here.
//!
//! # The allocator
//!
//! The shared and the static library bring isothread's allocator as Rust's global one: allocations
//! of Rust code while a context is current, the validator and the standard library included, come
//! from that context's pool or functions, and are counted there. C code is not affected.
//!
//! A Rust program that links this crate as an rlib gets it too, and then may not declare another.
//! Rust programs have no use for this crate, though: they take `isothread`, which leaves the choice
//! to them.

#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_macros))]
#![forbid(unsafe_op_in_unsafe_fn)]
#![allow(non_camel_case_types, reason = "types carry their C names")]
#![allow(non_upper_case_globals, reason = "so do constants")]
#![allow(clippy::missing_safety_doc, reason = "the contracts are the header's, in its words")]

pub mod aot_comp_option;
pub mod aot_export;
mod ffi;
pub mod gc_export;
mod layout;
pub mod lib_export;
pub mod shared;
pub mod wasm_c_api;
pub mod wasm_export;
pub mod wasm_runtime_ctx;

/// cbindgen:ignore
///
/// Owner: the process; it keeps no state and sends each allocation to the heap that is current.
#[global_allocator]
static ALLOC: isothread::ContextAlloc = isothread::ContextAlloc;
