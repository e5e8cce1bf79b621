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
mod chars;
mod control;
mod format;
mod guest_text;
mod memory;
mod numbers;
mod strings;
mod table;

use crate::abi::trap::Trap;
use crate::instance::Instance;
use crate::native::{BuiltinTable, Caller, GuestMemory};
use std::time::Duration;

/// What freestanding guests import of C's library.
pub const LIBC: BuiltinTable = BuiltinTable::new(&[table::ENV]);

/// What a function answers, or why the guest does not go on.
type Answer<T = u64> = Result<T, Trap>;

/// Bytes that are handled between two looks whether to stop.
const PIECE_BYTES: u32 = 1 << 16;

/// A call in progress.
struct Call<'a> {
    caller: &'a Caller<'a>,
    memory: GuestMemory<'a>,
}

impl Call<'_> {
    fn instance(&self) -> &Instance {
        // SAFETY: a caller's instance is live during the call.
        unsafe { Instance::of_vm(self.caller.instance()) }
    }

    /// Calls `act` with each index below `len` until it answers.
    fn search<T>(&self, len: u32, mut act: impl FnMut(u32) -> Option<T>) -> Answer<Option<T>> {
        let mut start = 0;
        while start < len {
            let end = len.min(start.saturating_add(PIECE_BYTES));
            for index in start..end {
                if let Some(found) = act(index) {
                    self.work(index - start + 1)?;
                    return Ok(Some(found));
                }
            }
            self.work(end - start)?;
            start = end;
        }
        Ok(None)
    }

    /// Calls `act` with each index below `len`.
    fn each(&self, len: u32, mut act: impl FnMut(u32)) -> Answer<()> {
        let all = self.search(len, |index| {
            act(index);
            None::<()>
        });
        all.map(drop)
    }

    /// Counts the handling of so many bytes; fails when there is a reason to stop.
    fn work(&self, bytes: u32) -> Answer<()> {
        self.caller.work(bytes.into())
    }

    /// Writes to the standard output of the guest's context; fails when there is a reason to stop
    /// while it takes nothing.
    fn print(&self, bytes: &[u8]) -> Answer<()> {
        let mut waited = Ok(());
        self.instance().host().print(bytes, &mut |descriptor| {
            waited = match descriptor {
                Some(descriptor) => self.caller.wait_to_write(descriptor),
                None => self.caller.sleep(Duration::from_millis(1)),
            };
            waited.is_ok()
        });
        waited
    }

    /// Ends the guest with an exception of this text.
    fn raise(&self, text: &str) -> Trap {
        self.instance().set_exception(text.as_bytes());
        Trap::Host
    }
}

#[cfg(test)]
mod tests;
