//! The one error type: a single word, its text without the prefixes that the C API adds.

use super::trap::Trap;
use std::borrow::Cow;
use std::collections::TryReserveError;
use std::fmt;

/// What kind of failure an [`Error`] is; it decides the prefix and the place of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The module is malformed or invalid, or cannot be compiled.
    Load,
    /// An import does not fit, or an instance's parts cannot be made.
    Instantiate,
    /// Guest code trapped.
    Trap(Trap),
    /// Memory or a quota ran out.
    OutOfMemory,
    /// An argument is wrong: a count, a type, a state.
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

    /// The trap behind this error, if guest code trapped.
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
