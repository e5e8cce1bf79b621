//! The one error type: a single word, its text without the prefixes that the C API adds.

use super::trap::Trap;
use std::borrow::Cow;
use std::collections::TryReserveError;
use std::fmt;
use std::ptr::NonNull;

/// Which kind of failure an [`Error`] is, for callers that go on differently after each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No module: the bytes are malformed or invalid, need an unsupported feature or exceed a
    /// limit, or a module that they import cannot be found.
    Load,
    /// No instance: an import does not fit, a segment lies outside of its memory or table, or the
    /// app heap or WASI's environment cannot be set up.
    Instantiate,
    /// A call into a guest did not return: the code trapped, a host function failed, an exception
    /// was not caught, or the call was stopped, maybe before its first instruction. A guest's call
    /// that runs out of memory ends with [`Trap::OutOfMemory`].
    Trap(Trap),
    /// Memory or a quota ran out, outside of calls into guests.
    OutOfMemory,
    /// The operation was refused: an argument is wrong (a count, a type, a place, a name), or the
    /// object or the process is not in a state for it (in use by another thread, at its maximum,
    /// destroyed, not initialized).
    Misuse,
}

/// A failure with its text. It owns a box, but for [`Error::out_of_memory`], which is always there:
/// saying that there is no memory must not take any.
pub struct Error(NonNull<Inner>);

// SAFETY: an error points to a kind and a text that it owns, or to constants.
unsafe impl Send for Error {}
// SAFETY: an error's kind and text never change.
unsafe impl Sync for Error {}

struct Inner {
    is_constant: bool,
    kind: ErrorKind,
    text: Cow<'static, str>,
}

/// WAMR's text for exhausted memory.
const OUT_OF_MEMORY: &Inner = &Inner {
    is_constant: true,
    kind: ErrorKind::OutOfMemory,
    text: Cow::Borrowed("allocate memory failed"),
};

pub type Result<T, E = Error> = std::result::Result<T, E>;

const _: () = assert!(size_of::<Result<()>>() == size_of::<usize>());

/// Most bytes of a text that is made for an error.
const TEXT_BYTES_MAX: usize = 400;

/// A text for an error, cut where it gets long: it may contain names of any length, and C's
/// embedders see no more than their buffer takes. When memory runs out, the rest is left out.
#[cold]
pub fn bounded(text: fmt::Arguments<'_>) -> String {
    struct Bounded(String);
    impl fmt::Write for Bounded {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let room = TEXT_BYTES_MAX - self.0.len();
            let end = (0..=room.min(text.len())).rev().find(|&at| text.is_char_boundary(at));
            let part = end.and_then(|end| text.get(..end)).unwrap_or_default();
            self.0.try_reserve(part.len()).map_err(|_| fmt::Error)?;
            self.0.push_str(part);
            if part.len() < text.len() { Err(fmt::Error) } else { Ok(()) }
        }
    }
    let mut bounded = Bounded(String::new());
    // An error means the end of the room; the text up to there is kept.
    let _ = fmt::Write::write_fmt(&mut bounded, text);
    bounded.0
}

/// Bytes as text; invalid UTF-8 is shown as such.
pub struct Shown<'a>(pub &'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            f.write_str(chunk.valid())?;
            if !chunk.invalid().is_empty() {
                f.write_str("\u{fffd}")?;
            }
        }
        Ok(())
    }
}

/// Bytes as a text for an error ([`bounded`]).
pub fn shown(bytes: &[u8]) -> String {
    bounded(format_args!("{}", Shown(bytes)))
}

impl Error {
    #[cold]
    pub fn new(kind: ErrorKind, text: impl Into<Cow<'static, str>>) -> Self {
        let inner = Inner { is_constant: false, kind, text: text.into() };
        Self(NonNull::from(Box::leak(Box::new(inner))))
    }

    #[cold]
    pub fn load(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Load, text)
    }

    #[cold]
    pub fn instantiate(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Instantiate, text)
    }

    #[cold]
    pub fn misuse(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Misuse, text)
    }

    /// Takes no memory.
    #[cold]
    pub fn out_of_memory() -> Self {
        Self(NonNull::from(OUT_OF_MEMORY))
    }

    fn inner(&self) -> &Inner {
        // SAFETY: a box that this owns, or a constant.
        unsafe { self.0.as_ref() }
    }

    pub fn kind(&self) -> ErrorKind {
        self.inner().kind
    }

    /// The text, without any prefix.
    pub fn message(&self) -> &str {
        &self.inner().text
    }

    /// The trap behind this error, if it is that of a call into a guest.
    pub fn trap(&self) -> Option<Trap> {
        match self.kind() {
            ErrorKind::Trap(trap) => Some(trap),
            _ => None,
        }
    }
}

impl Drop for Error {
    #[cold]
    fn drop(&mut self) {
        if !self.inner().is_constant {
            // SAFETY: `new` has leaked the box, and this error alone owns it.
            drop(unsafe { Box::from_raw(self.0.as_ptr()) });
        }
    }
}

impl From<Trap> for Error {
    #[cold]
    fn from(trap: Trap) -> Self {
        Self::new(ErrorKind::Trap(trap), trap.text())
    }
}

/// The fallible helpers of `alloc` return this.
impl From<TryReserveError> for Error {
    #[cold]
    fn from(_: TryReserveError) -> Self {
        Self::out_of_memory()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind(), self.message())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(bounded(format_args!("{} and {}", 1, "two")), "1 and two");
        let long = "\u{e9}".repeat(1000);
        let text = bounded(format_args!("x{long}{long}"));
        assert_eq!(text.len(), TEXT_BYTES_MAX - 1);
        assert!(text.chars().skip(1).all(|c| c == '\u{e9}'));
    }

    #[test]
    fn the_lack_of_memory_has_its_text() {
        let error = Error::out_of_memory();
        assert_eq!(
            (error.kind(), error.message()),
            (ErrorKind::OutOfMemory, "allocate memory failed")
        );
        let other = Error::new(ErrorKind::OutOfMemory, "allocate linear memory failed");
        assert_eq!(other.message(), "allocate linear memory failed");
    }
}
