//! What programs of Emscripten import from `env` beside C's library: calls through the table,
//! jumps, files, and a few of the system's functions, as WAMR offers them.
//!
//! One constant table, searched after everything that embedders registered. Files are WASI's, with
//! its directories and nothing else of the host's; WAMR opens any path of the host's. What has no
//! answer that is the guest's business (the system's name, the current directory) has the same one
//! everywhere. It keeps nothing and knows no contexts, engines or modules; what it needs from above
//! it asks of the instance's `Host`.
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

/// What programs of Emscripten import beside C's library.
pub const EMSCRIPTEN: BuiltinTable = BuiltinTable::new(&[table::ENV]);

#[cfg(test)]
mod tests;
