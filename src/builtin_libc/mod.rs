//! The C library that WAMR offers to freestanding guests: what they import from `env` when they
//! were linked without a library of their own.
//!
//! One constant table, searched after everything that embedders registered, like WASI's. The
//! functions work on the memory of the instance that called, byte by byte through checked
//! addresses (`guest_text.rs`), and keep nothing: allocation is the instance's, output the
//! context's. It must not know contexts, engines or modules; what it needs from above it asks of
//! the instance's `Host`.
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

/// What freestanding guests import of C's library.
pub const LIBC: BuiltinTable = BuiltinTable::new(&[table::ENV]);

#[cfg(test)]
mod tests;
