//! Waiting for descriptors; the calls are the backends'.

pub use super::backend::poll::{INTERRUPTED, Poll, poll, would_wait};

/// The process's standard output.
pub const STDOUT: i32 = 1;

/// The event that a wait is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    Read,
    Write,
}

/// The outcome of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    NotYet,
    Ready,
    HangUp,
    Failed,
    NotOpen,
}
