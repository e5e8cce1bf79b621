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

mod control;
mod files;
mod memory;
mod streams;
mod system;
mod table;

use crate::abi::trap::Trap;
use crate::instance::Instance;
use crate::native::{BuiltinTable, Caller, GuestMemory};
use crate::wasi::Files;

/// What programs of Emscripten import beside C's library.
pub const EMSCRIPTEN: BuiltinTable = BuiltinTable::new(&[table::ENV]);

/// What a function answers, or why the guest does not go on.
type Answer<T = u64> = Result<T, Trap>;

/// What most functions return when they fail: -1.
const FAILED: u64 = u32::MAX as u64;

/// Longest path, and where it ends.
const PATH_BYTES_MAX: usize = 4096;

/// Bytes that files are read or written in, with a look between two pieces whether to stop.
const PIECE_BYTES: u32 = 1 << 20;

/// A call in progress.
struct Call<'a> {
    caller: &'a Caller<'a>,
    memory: GuestMemory<'a>,
}

impl<'a> Call<'a> {
    fn instance(&self) -> &Instance {
        // SAFETY: a caller's instance is live during the call.
        unsafe { Instance::of_vm(self.caller.instance()) }
    }

    /// The instance's files, if it was made with any.
    fn files(&self) -> Option<Files<'a>> {
        Files::of(self.caller)
    }

    /// Traps unless `len` bytes at `address` are the guest's.
    fn check(&self, address: u32, len: u64) -> Answer<()> {
        self.memory.range(address.into(), len).map(drop)
    }

    /// A copy of the path at `address`, since other threads of the guest may write to the original;
    /// `None` if it is too long.
    fn path(&self, address: u32) -> Answer<Option<Vec<u8>>> {
        let path = self.caller.copy_text(address.into(), PATH_BYTES_MAX)?;
        Ok(path.filter(|path| path.len() < PATH_BYTES_MAX))
    }

    /// Ends the guest with an exception of this text.
    fn raise(&self, text: &str) -> Trap {
        self.instance().set_exception(text.as_bytes());
        Trap::Host
    }
}

#[cfg(test)]
mod tests;
