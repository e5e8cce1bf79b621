//! Atomics and locks: the standard library's, or loom's when a model test is built.
//!
//! It knows nothing but `platform`. Whatever the crate shares between threads goes through here,
//! so that `--cfg loom` can explore its interleavings. Nothing enters here; it is only used.

pub mod alarm;
pub mod gate;
mod lock;
mod making;
mod parking;
mod sleepers;
mod usage;

pub use alarm::{Alarm, Bell};
pub use gate::{forks, has_barrier, section};
pub use lock::{Lock, LockGuard};
#[cfg(loom)]
pub use loom::sync::atomic;
pub use making::{Found, Making, Turn};
pub use parking::{Parked, Parker, Parking, Patience};
pub use sleepers::Sleepers;
#[cfg(not(loom))]
pub use std::sync::atomic;
pub use usage::{USER_STEP, Usage};

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
