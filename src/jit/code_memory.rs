//! Memory for machine code. Pages are written first, then executed, and never both.

use crate::platform::pages;
use std::io;
use std::ptr::{self, NonNull};

/// Pages with machine code. Owner: a module's code, which frees it when nothing runs it any more.
pub struct CodePages {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the pages do not change while the value exists, and it alone frees them.
unsafe impl Send for CodePages {}
// SAFETY: as for sending: shared use only reads.
unsafe impl Sync for CodePages {}

impl CodePages {
    /// Bytes of the pages that so much code takes.
    pub fn bytes_for(len: usize) -> usize {
        len.max(1).next_multiple_of(pages::page_size())
    }

    /// Executable pages with `code`, at their start.
    pub fn publish(code: &[u8]) -> io::Result<Self> {
        let len = Self::bytes_for(code.len());
        let this = Self { start: pages::reserve(len)?, len };
        let start = this.start.as_ptr();
        // SAFETY: the reservation is this value's alone, and as long as the code at least; nobody
        // writes to it once it is executable.
        unsafe {
            pages::commit(start, len)?;
            ptr::copy_nonoverlapping(code.as_ptr(), start, code.len());
            pages::make_executable(start, len)?;
        }
        Ok(this)
    }

    pub fn start(&self) -> NonNull<u8> {
        self.start
    }

    pub fn len(&self) -> usize {
        self.len
    }
}

impl Drop for CodePages {
    fn drop(&mut self) {
        // SAFETY: the owner of the code drops it when nothing runs it; failing to unmap loses
        // addresses, and nothing else.
        let _ = unsafe { pages::release(self.start.as_ptr(), self.len) };
    }
}
