//! A call in progress, and the common part of the table's functions.

use crate::abi::trap::Trap;
use crate::instance::Instance;
use crate::native::{Caller, GuestMemory};
use crate::wasi::Files;

/// A function's result, or the trap that ends the guest.
pub(super) type Answer<T = u64> = Result<T, Trap>;

/// The result of most functions when they fail: -1.
pub(super) const FAILED: u64 = u32::MAX as u64;

/// Longest path, and where it ends.
pub(super) const PATH_BYTES_MAX: usize = 4096;

/// Bytes that files are read or written in, with a look between two pieces whether to stop.
pub(super) const PIECE_BYTES: u32 = 1 << 20;

/// A call in progress.
pub(super) struct EmccCall<'a> {
    pub(super) caller: &'a Caller<'a>,
    pub(super) memory: GuestMemory<'a>,
}

impl<'a> EmccCall<'a> {
    pub(super) fn instance(&self) -> &Instance {
        // SAFETY: a caller's instance is live during the call.
        unsafe { Instance::of_vm(self.caller.instance()) }
    }

    /// The instance's files, if it was made with any.
    pub(super) fn files(&self) -> Option<Files<'a>> {
        Files::of(self.caller)
    }

    /// Traps unless `len` bytes at `address` are the guest's.
    pub(super) fn check(&self, address: u32, len: u64) -> Answer<()> {
        self.memory.range(address.into(), len).map(drop)
    }

    /// A copy of the path at `address`, since other threads of the guest may write to the original;
    /// `None` if it is too long.
    pub(super) fn path(&self, address: u32) -> Answer<Option<Vec<u8>>> {
        let path = self.caller.copy_text(address.into(), PATH_BYTES_MAX)?;
        Ok(path.filter(|path| path.len() < PATH_BYTES_MAX))
    }

    /// Ends the guest with an exception of this text.
    pub(super) fn raise(&self, text: &str) -> Trap {
        self.instance().set_exception(text.as_bytes());
        Trap::Host
    }
}
