//! Memory for machine code. Pages are written first, then executed, and never both; those of files
//! are never written.

use crate::platform::pages;
use std::fs::File;
use std::io;
use std::ops::Range;
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

/// A file, mapped for reading. Owner: a module's code, which frees it when nothing runs it any
/// more.
pub struct MappedFile {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping belongs to no thread, and this value alone ends it.
unsafe impl Send for MappedFile {}
// SAFETY: as for sending: shared use only reads.
unsafe impl Sync for MappedFile {}

impl MappedFile {
    /// Maps the first `len` bytes of a file, which are not none.
    ///
    /// # Safety
    /// The file does not change, nor get shorter, while the value exists.
    pub unsafe fn new(file: &File, len: usize) -> io::Result<Self> {
        Ok(Self { start: pages::map_file(file, len)?, len })
    }

    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the mapping lasts as long as this value. The caller of `new` guarantees that the
        // file does not change.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    /// Makes a part of the file executable, which begins at a page; returns its start. `None` if it
    /// does not lie in the file, or the system does not allow it.
    pub fn make_executable(&mut self, part: Range<usize>) -> Option<NonNull<u8>> {
        let len = self.bytes().get(part.clone())?.len().next_multiple_of(pages::page_size());
        // SAFETY: the part lies in the mapping, and so does the rest of its last page.
        let start = unsafe { self.start.add(part.start) };
        if !part.start.is_multiple_of(pages::page_size()) {
            return None;
        }
        // SAFETY: whole pages of the mapping, which nothing writes to.
        (len == 0 || unsafe { pages::make_executable(start.as_ptr(), len) }.is_ok())
            .then_some(start)
    }
}

impl Drop for MappedFile {
    fn drop(&mut self) {
        // SAFETY: the owner of the code drops it when nothing runs it; failing to unmap loses
        // addresses, and nothing else.
        let _ = unsafe { pages::release(self.start.as_ptr(), self.len) };
    }
}
