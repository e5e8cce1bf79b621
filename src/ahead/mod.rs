//! Files compiled ahead: their format.
//!
//! A file has a header, the original module, and machine code of its functions with the tables that
//! an engine needs to run it. Everything here is about bytes: nothing is executed, and no engine,
//! instance or context is known. Control enters at [`File::read`], which checks all that can be
//! checked without the code's engine, and at [`write`].
//!
//! All numbers are little-endian. Behind the header come the sections, in the order of
//! [`FileSection`], each at a multiple of 16 bytes, the text at a page, so that a mapping of the
//! file can be executed. Offsets of code are relative to the text.
//!
//! The header begins with the magic and the version that the C API's headers have, so that hosts
//! see a file compiled ahead; the *mark* behind them tells it from files of other compilers.

mod checksum;
mod header;
mod processor;
mod read;
mod section;
mod write;

pub use header::{CodeTarget, Host, damaged, is_ahead};
pub use processor::Processor;
pub use read::{Calls, File, FileLayout, Offsets};
pub use section::{CODE_ALIGN, FileSection, NONE};
pub use write::write;

#[cfg(test)]
mod tests;
