//! Descriptors without any information.

use super::super::poll::{Interest, Readiness};

/// No error of this [`poll`].
pub const INTERRUPTED: i32 = -1;

/// One descriptor to wait for.
pub struct Poll;

impl Poll {
    pub fn new(_fd: i32, _interest: Interest) -> Self {
        Self
    }

    pub fn none() -> Self {
        Self
    }

    pub fn readiness(&self) -> Readiness {
        Readiness::NotYet
    }
}

/// Waits as long as it may.
pub fn poll(_polls: &mut [Poll], timeout_ms: i32) -> Result<usize, i32> {
    let timeout_ms = u64::try_from(timeout_ms).unwrap_or(0);
    std::thread::sleep(std::time::Duration::from_millis(timeout_ms));
    Ok(0)
}

/// Whether a write to the descriptor would block now; unknown here, so it is tried.
pub fn would_wait(_descriptor: i32) -> bool {
    false
}
