//! The functions that programs of Emscripten import from `env` beside C's library: calls through
//! the table, jumps, files, and a few of the system's functions, as in WAMR.
//!
//! One constant table, searched after everything that embedders registered. Files are WASI's, with
//! its directories and nothing else of the host's; WAMR opens any path of the host's. Queries about
//! the host's system (its name, the current directory) have the same answer everywhere. It keeps
//! nothing and knows no contexts, engines or modules; services from above come through the
//! instance's `Host`.
//!
//! Control enters through the table (`table.rs`), when a guest calls.

mod call;
mod control;
mod files;
mod memory;
mod streams;
mod system;
mod table;

use crate::native::BuiltinTable;

/// The functions that programs of Emscripten import beside C's library.
pub const EMSCRIPTEN: BuiltinTable = BuiltinTable::new(&[table::ENV]);

#[cfg(test)]
mod tests;
