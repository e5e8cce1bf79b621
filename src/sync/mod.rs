//! Atomics and locks: the standard library's, or loom's when a model test is built.
//!
//! It knows nothing but `platform`. Whatever the crate shares between threads goes through here,
//! so that `--cfg loom` can explore its interleavings. Nothing enters here; it is only used.

pub mod alarm;
mod lock;
mod parking;
mod sleepers;

pub use alarm::{Alarm, Bell};
pub use lock::{Lock, LockGuard};
#[cfg(loom)]
pub use loom::sync::atomic;
pub use parking::{Parked, Parker, Parking, Patience};
pub use sleepers::Sleepers;
#[cfg(not(loom))]
pub use std::sync::atomic;

#[cfg(test)]
mod tests;
