//! Waiting for descriptors; the calls are the backends'.

pub use super::backend::poll::{CAN_POLL, INTERRUPTED, Poll, poll};

/// The process's standard output.
pub const STDOUT: i32 = 1;

/// Whether a write to the descriptor would wait now, as far as the system says.
pub fn would_wait(descriptor: i32) -> bool {
    CAN_POLL && matches!(poll(&mut [Poll::new(descriptor, Interest::Write)], 0), Ok(0))
}

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
