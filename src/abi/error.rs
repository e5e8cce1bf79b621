//! The one error type: a single word, its text without the prefixes that the C API adds.

use super::trap::Trap;
use std::borrow::Cow;
use std::collections::TryReserveError;
use std::fmt;

/// Which kind of failure an [`Error`] is, for callers that go on differently after each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No module: the bytes are malformed or invalid, use what is not supported or more than may
    /// be, or a module that they import is not to be had.
    Load,
    /// No instance: an import does not fit, a segment lies outside of its memory or table, or the
    /// app heap or WASI's environment cannot be set up.
    Instantiate,
    /// A call into a guest did not return: the code trapped, a host function failed, an exception
    /// was not caught, or the call was stopped, maybe before its first instruction. What a guest's
    /// call lacks memory for is [`Trap::OutOfMemory`].
    Trap(Trap),
    /// Memory or a quota ran out, outside of calls into guests.
    OutOfMemory,
    /// The operation was refused: an argument is wrong (a count, a type, a place, a name), or the
    /// object or the process is not in a state for it (in use by another thread, at its maximum,
    /// destroyed, not initialized).
    Misuse,
}

/// A failure with its text.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    text: Cow<'static, str>,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

const _: () = assert!(size_of::<Result<()>>() == size_of::<usize>());

impl Error {
    #[cold]
    pub fn new(kind: ErrorKind, text: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner { kind, text: text.into() }))
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

    /// WAMR's text for exhausted memory.
    #[cold]
    pub fn out_of_memory() -> Self {
        Self::new(ErrorKind::OutOfMemory, "allocate memory failed")
    }

    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The text, without any prefix.
    pub fn message(&self) -> &str {
        &self.0.text
    }

    /// The trap behind this error, if it is that of a call into a guest.
    pub fn trap(&self) -> Option<Trap> {
        match self.0.kind {
            ErrorKind::Trap(trap) => Some(trap),
            _ => None,
        }
    }
}

impl From<Trap> for Error {
    #[cold]
    fn from(trap: Trap) -> Self {
        Self::new(ErrorKind::Trap(trap), trap.text())
    }
}

/// What the fallible helpers of `alloc` answer.
impl From<TryReserveError> for Error {
    #[cold]
    fn from(_: TryReserveError) -> Self {
        Self::out_of_memory()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.0.kind, self.0.text)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl std::error::Error for Error {}
