//! Atomics and locks: the standard library's, or loom's when a model test is built.
//!
//! It knows nothing but `platform`. Threads of the crate share nothing but through here, so that
//! `--cfg loom` can explore their interleavings. Nothing enters here; it is only used.

mod biased_lock;
pub mod fork;
pub mod interrupt;
mod lock;
mod making;
mod sleepers;
mod wait_queue;
mod wake_descriptor;

pub use biased_lock::{BiasedLock, OWNER_STEP};
pub use fork::{Epoch, has_barrier, has_fibres, section, set_fibres};
pub use interrupt::Interrupt;
pub use lock::{Lock, LockGuard};
#[cfg(loom)]
pub use loom::sync::atomic;
pub use making::{Found, Making, Turn};
pub use sleepers::Sleepers;
#[cfg(not(loom))]
pub use std::sync::atomic;
pub use wait_queue::{Parker, WaitLimit, WaitOutcome, WaitQueue};
pub use wake_descriptor::WakeDescriptor;

use std::sync::OnceLock;

/// The value of `cell`, made now if it has none; a thread that forks waits until that is done, as
/// for a [`Lock`].
pub fn once<T>(cell: &OnceLock<T>, make: impl FnOnce() -> T) -> &T {
    match cell.get() {
        Some(value) => value,
        None => {
            let _section = section();
            cell.get_or_init(make)
        }
    }
}

#[cfg(test)]
mod tests;
