//! The C library that WAMR offers to freestanding guests: guests linked without a library of their
//! own import it from `env`.
//!
//! One constant table, searched after everything that embedders registered, like WASI's. The
//! functions work on the memory of the instance that called, byte by byte through checked addresses
//! (`guest_text.rs`), and keep nothing: allocation is the instance's, output the context's. It must
//! not know contexts, engines or modules; services from above come through the instance's `Host`.
//!
//! Control enters through the table (`table.rs`), when a guest calls.

mod alloc;
mod call;
mod chars;
mod control;
mod format;
mod guest_text;
mod memory;
mod numbers;
mod strings;
mod table;

use crate::native::BuiltinTable;

/// The functions of C's library that freestanding guests import.
pub const LIBC: BuiltinTable = BuiltinTable::new(&[table::ENV]);

#[cfg(test)]
mod tests;
