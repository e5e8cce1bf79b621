//! Waiting for standard output.

use crate::platform::poll::{self, Interest, Poll};

/// What a write to standard output waits for.
#[derive(Clone, Copy, Debug)]
pub enum OutputWait {
    /// That this descriptor takes more.
    Descriptor(i32),
    /// That another thread is done with C's `stdout`.
    Writer,
}

/// Whether a write to the descriptor would wait now, as far as the system says.
pub(super) fn may_wait(descriptor: i32) -> bool {
    matches!(poll::poll(&mut [Poll::new(descriptor, Interest::Write)], 0), Ok(0))
}
