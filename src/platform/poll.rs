//! Waiting for descriptors; the calls are the backends'.

pub use super::backend::poll::{INTERRUPTED, Poll, poll, would_wait};

/// The process's standard output.
pub const STDOUT: i32 = 1;

/// What a wait is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    Read,
    Write,
}

/// What a wait found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    NotYet,
    Ready,
    HangUp,
    Failed,
    NotOpen,
}
