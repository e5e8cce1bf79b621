//! Texts of failures, without allocating: the `error_buf, error_buf_size` pair.

use std::ffi::c_char;
use std::fmt::{self, Write as _};

/// Where a function puts its error message: cut to the buffer, always terminated; NULL is
/// accepted and takes nothing.
pub(crate) struct ErrorBuf {
    start: *mut c_char,
    size: usize,
}

impl ErrorBuf {
    /// # Safety
    /// `buf` is NULL or has room for `size` bytes for as long as the value is used.
    pub(crate) unsafe fn new(buf: *mut c_char, size: u32) -> Self {
        Self { start: buf, size: if buf.is_null() { 0 } else { size as usize } }
    }

    /// Writes a message. Nothing is allocated, because memory may have run out.
    #[cold]
    pub(crate) fn set(&mut self, message: fmt::Arguments<'_>) {
        if self.size == 0 {
            return;
        }
        let mut cursor = Cursor { buf: self, len: 0 };
        let _ = cursor.write_fmt(message);
        let len = cursor.len;
        // SAFETY: the cursor leaves `len < size`, and `new` promises `size` bytes.
        unsafe { self.start.add(len).write(0) };
    }
}

struct Cursor<'a> {
    buf: &'a mut ErrorBuf,
    len: usize,
}

impl fmt::Write for Cursor<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.buf.size - 1 - self.len;
        let count = text.len().min(room);
        // SAFETY: `len + count <= size - 1`, inside the bytes that `new` promises.
        unsafe {
            let to = self.buf.start.add(self.len).cast::<u8>();
            std::ptr::copy_nonoverlapping(text.as_ptr(), to, count);
        }
        self.len += count;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    fn written(size: u32, text: &str) -> String {
        let mut bytes = [b'#' as c_char; 16];
        // SAFETY: `size` is at most the array's length.
        let mut buf = unsafe { ErrorBuf::new(bytes.as_mut_ptr(), size) };
        buf.set(format_args!("{text}"));
        // SAFETY: `set` terminated the text within the array.
        unsafe { CStr::from_ptr(bytes.as_ptr()) }.to_string_lossy().into_owned()
    }

    #[test]
    fn messages_are_cut_and_terminated() {
        assert_eq!(written(16, "short"), "short");
        assert_eq!(written(4, "short"), "sho");
        assert_eq!(written(1, "short"), "");
    }

    #[test]
    fn no_buffer_takes_nothing() {
        // SAFETY: NULL is allowed.
        let mut null = unsafe { ErrorBuf::new(std::ptr::null_mut(), 99) };
        null.set(format_args!("text"));
        let mut byte = b'#' as c_char;
        // SAFETY: a size of zero promises nothing.
        unsafe { ErrorBuf::new(&mut byte, 0) }.set(format_args!("text"));
        assert_eq!(byte, b'#' as c_char);
    }
}
