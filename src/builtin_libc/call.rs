//! A call in progress, and how functions of the table do their work in it.

use crate::abi::trap::Trap;
use crate::instance::{Instance, OutputWait};
use crate::native::{Caller, GuestMemory};
use std::time::Duration;

/// A function's result, or the trap that ends the guest.
pub(super) type Answer<T = u64> = Result<T, Trap>;

/// Bytes that are handled between two looks whether to stop.
pub(super) const PIECE_BYTES: u32 = 1 << 16;

/// A call in progress.
pub(super) struct LibcCall<'a> {
    pub(super) caller: &'a Caller<'a>,
    pub(super) memory: GuestMemory<'a>,
}

impl LibcCall<'_> {
    pub(super) fn instance(&self) -> &Instance {
        // SAFETY: a caller's instance is live during the call.
        unsafe { Instance::of_vm(self.caller.instance()) }
    }

    /// Calls `act` with each index below `len` until it answers.
    pub(super) fn search<T>(
        &self,
        len: u32,
        mut act: impl FnMut(u32) -> Option<T>,
    ) -> Answer<Option<T>> {
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
    pub(super) fn each(&self, len: u32, mut act: impl FnMut(u32)) -> Answer<()> {
        let all = self.search(len, |index| {
            act(index);
            None::<()>
        });
        all.map(drop)
    }

    /// Counts the handling of `bytes`; fails when there is a reason to stop.
    pub(super) fn work(&self, bytes: u32) -> Answer<()> {
        self.caller.work(bytes.into())
    }

    /// Writes to the standard output of the guest's context; fails when there is a reason to stop
    /// while it takes nothing.
    pub(super) fn print(&self, bytes: &[u8]) -> Answer<()> {
        let mut waited = Ok(());
        self.instance().host().print(bytes, &mut |for_what| {
            waited = match for_what {
                OutputWait::Descriptor(descriptor) => self.caller.wait_to_write(descriptor),
                OutputWait::Writer => self.caller.sleep(Duration::from_millis(1)),
            };
            waited.is_ok()
        });
        waited
    }

    /// Ends the guest with an exception of this text.
    pub(super) fn raise(&self, text: &str) -> Trap {
        self.instance().set_exception(text.as_bytes());
        Trap::Host
    }
}
