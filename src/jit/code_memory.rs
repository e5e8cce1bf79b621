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
// SAFETY: as for `Send`: shared use only reads.
unsafe impl Sync for CodePages {}

/// Functions begin at multiples of this.
const ALIGN: usize = 32;

impl CodePages {
    /// Bytes of the pages that code of these lengths takes.
    pub fn bytes_for(lens: impl Iterator<Item = usize>) -> usize {
        let bytes: usize = lens.map(|len| len.next_multiple_of(ALIGN)).sum();
        bytes.next_multiple_of(pages::page_size())
    }

    /// Executable pages with the pieces of code one behind the other; their addresses are in the
    /// same order.
    pub fn publish<'a>(
        pieces: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> io::Result<(Self, Vec<NonNull<u8>>)> {
        let len = Self::bytes_for(pieces.clone().map(<[u8]>::len)).max(pages::page_size());
        let start = pages::reserve(len)?;
        let this = Self { start, len };
        // SAFETY: the reservation is this value's alone.
        unsafe { pages::commit(start.as_ptr(), len)? };
        let mut places = Vec::new();
        let mut offset = 0;
        for piece in pieces {
            // SAFETY: `bytes_for` has counted each piece with its padding, so it fits behind the
            // others in pages that nobody else has seen.
            unsafe {
                let place = start.add(offset);
                ptr::copy_nonoverlapping(piece.as_ptr(), place.as_ptr(), piece.len());
                places.push(place);
            }
            offset += piece.len().next_multiple_of(ALIGN);
        }
        // SAFETY: the pages are this value's, and nobody writes to them any more.
        unsafe { pages::make_executable(start.as_ptr(), len)? };
        Ok((this, places))
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
