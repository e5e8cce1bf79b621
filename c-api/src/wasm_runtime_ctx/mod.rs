//! `wasm_runtime_ctx.h`: contexts as handles, beneath the API that finds them by itself.
//!
//! One file for each section of the header. It has no counterpart upstream, so its names and
//! layouts are pinned by tables of their own in `facts/`. It knows only the public Rust API and
//! `wasm_export`'s reading of `RuntimeInitArgs`. Control enters at each exported function, which
//! runs inside `guard`.

pub mod context;
pub mod find;
pub mod import;
pub mod limits;
pub mod settings;
mod sized;
pub mod thread;
pub mod types;
