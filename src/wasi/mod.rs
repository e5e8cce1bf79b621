//! WASI preview 1: the functions that programs compiled for `wasm32-wasi` import.
//!
//! The functions form one constant table, which a context's registry searches after everything
//! that embedders registered. Each works on the [`WasiCtx`] of the instance that called, so two
//! instances share nothing that the host does not share between them on purpose. It must not
//! know contexts, engines or modules.
//!
//! Control enters through the table (`table.rs`), when a guest calls. There is one file for each
//! group of functions; `abi.rs` and `errno.rs` define the guest's view of values, `call.rs` the
//! access to the caller's memory, `fd_table.rs` maps numbers to the descriptors of `descriptor.rs`.
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

use crate::native::BuiltinTable;

/// WASI preview 1, and its predecessor where that is not the same.
pub const WASI: BuiltinTable = BuiltinTable::new(&[unstable::UNSTABLE, table::PREVIEW1]);

#[cfg(test)]
pub(crate) mod tests;
