//! An instance's pending exception: its text as C reads it.

use super::Instance;
use crate::sync::Lock;
use std::ffi::c_char;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

/// Bytes of the text, its NUL included. WAMR's size, which embedders see texts cut to.
pub const EXCEPTION_BYTES: usize = 128;

const PREFIX: &[u8] = b"Exception: ";

/// The text of the pending exception. Owner: the instance.
///
/// The bytes are atomic because `terminate` may set them from another thread while C code reads
/// them; the last byte is always NUL.
pub struct Exception {
    text: [AtomicU8; EXCEPTION_BYTES],
    writer: Lock<()>,
}

impl Exception {
    pub fn new() -> Self {
        Self { text: [const { AtomicU8::new(0) }; EXCEPTION_BYTES], writer: Lock::new(()) }
    }

    /// Sets the text to "Exception: " and `text`, cut to fit. `is_set` is the flag that running
    /// code checks. Unless `replace`, a pending exception stays. Returns whether it was set.
    pub fn set(&self, is_set: &AtomicU32, text: &[u8], replace: bool) -> bool {
        let _writer = self.writer.lock();
        if !replace && is_set.load(Ordering::Acquire) != 0 {
            return false;
        }
        let bytes = PREFIX.iter().chain(text.iter().take_while(|&&byte| byte != 0));
        let mut len = 0;
        for (place, &byte) in self.text[..EXCEPTION_BYTES - 1].iter().zip(bytes) {
            place.store(byte, Ordering::Relaxed);
            len += 1;
        }
        self.text[len].store(0, Ordering::Relaxed);
        is_set.store(1, Ordering::Release);
        true
    }

    pub fn clear(&self, is_set: &AtomicU32) {
        let _writer = self.writer.lock();
        is_set.store(0, Ordering::Release);
        self.text[0].store(0, Ordering::Relaxed);
    }

    /// The text's address; it stays for the instance's life.
    pub fn as_ptr(&self) -> *const c_char {
        self.text.as_ptr().cast()
    }

    /// A copy of the text, and its length.
    pub fn read(&self) -> ([u8; EXCEPTION_BYTES], usize) {
        let mut copy = [0; EXCEPTION_BYTES];
        let _writer = self.writer.lock();
        for (to, from) in copy.iter_mut().zip(&self.text) {
            *to = from.load(Ordering::Relaxed);
        }
        let len = copy.iter().position(|&byte| byte == 0).unwrap_or(EXCEPTION_BYTES - 1);
        (copy, len)
    }
}

impl Instance {
    /// Clears the exception only: a request to stop remains.
    pub fn forget_exception(&self) {
        self.exception.clear(&self.vm.exception_set);
        if let Some(cluster) = self.cluster.get() {
            cluster.cleared(self.ptr());
        }
    }

    /// Runs `act` as if no exception were pending. Afterwards a previously pending one is restored,
    /// in place of any that `act` has raised.
    pub fn without_exception<R>(&self, act: impl FnOnce() -> R) -> R {
        let pending = self.exception();
        if pending.is_some() {
            self.exception.clear(&self.vm.exception_set);
        }
        let result = act();
        if let Some((text, len)) = pending {
            let text = text[..len].strip_prefix(PREFIX).unwrap_or(&text[..len]);
            self.exception.set(&self.vm.exception_set, text, true);
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(exception: &Exception) -> String {
        let (bytes, len) = exception.read();
        String::from_utf8_lossy(&bytes[..len]).into_owned()
    }

    #[test]
    fn texts_are_prefixed_and_cut() {
        let (exception, is_set) = (Exception::new(), AtomicU32::new(0));
        exception.set(&is_set, b"unreachable", true);
        assert_eq!(text(&exception), "Exception: unreachable");
        assert_eq!(is_set.load(Ordering::Relaxed), 1);
        exception.set(&is_set, &[b'x'; 300], true);
        assert_eq!(text(&exception).len(), EXCEPTION_BYTES - 1);
        exception.set(&is_set, b"short", true);
        assert_eq!(text(&exception), "Exception: short");
        exception.clear(&is_set);
        assert_eq!((text(&exception).as_str(), is_set.load(Ordering::Relaxed)), ("", 0));
    }

    #[test]
    fn a_pending_text_stays_unless_replaced() {
        let (exception, is_set) = (Exception::new(), AtomicU32::new(0));
        exception.set(&is_set, b"first", false);
        exception.set(&is_set, b"second", false);
        assert_eq!(text(&exception), "Exception: first");
        exception.set(&is_set, b"third", true);
        assert_eq!(text(&exception), "Exception: third");
    }
}
