//! WASI preview 1: what programs compiled for `wasm32-wasi` import.
//!
//! The functions form one constant table, which a context's registry searches after everything
//! that embedders registered. Each works on the [`WasiCtx`] of the instance that called, so two
//! instances share nothing that the host does not share between them on purpose. It must not
//! know contexts, engines or modules.
//!
//! Control enters through the table (`table.rs`), when a guest calls. There is one file for
//! each group of functions; `abi.rs` and `errno.rs` say how values look to the guest, `call.rs`
//! how a function reaches its caller's memory, `fd_table.rs` what numbers stand for, and
//! `descriptor.rs` what descriptors are.
//!
//! Files are reached through directories that the embedder gives (`preopen.rs`); `dir/` keeps every
//! path inside them. `files.rs` and `streams.rs` are another way to them, for libraries that offer
//! C's functions to guests.

mod abi;
mod args;
mod attempt;
mod call;
mod clock;
mod ctx;
mod descriptor;
mod dir;
mod errno;
mod fd_table;
mod files;
mod path;
mod pieces;
mod poll;
mod preopen;
mod proc;
mod random;
mod sock;
mod stdio;
mod streams;
mod strings;
mod table;
mod times;
mod unstable;

pub use abi::{FileStat, FileType};
pub use args::WasiArgs;
pub use ctx::WasiCtx;
pub use files::{Done, Files, OpenHow};

use crate::native::Registry;

/// Offers the functions to the modules of `registry`'s context; false if it has no room.
pub fn register(registry: &Registry) -> bool {
    registry.add_builtins(table::WASI) && registry.add_builtins(unstable::UNSTABLE)
}

#[cfg(test)]
pub(crate) mod tests;
