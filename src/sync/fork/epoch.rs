//! Epochs: which process a record of threads was made in.

use super::{current, survivor};
use crate::sync::atomic::{AtomicU32, Ordering};

/// The time between two forks on the line from the first process to this one: the child of a fork
/// begins a new epoch. The threads of an earlier one do not exist any more, except for the thread
/// that forked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(u32);

impl Epoch {
    /// The epoch of a record that is made now.
    #[inline]
    pub fn now() -> Self {
        Self(current())
    }

    /// Whether the record was made by a process that this one was forked from.
    #[inline]
    pub fn is_stale(self) -> bool {
        self != Self::now()
    }

    /// Makes it the current epoch; whether it was stale.
    pub fn renew(&mut self) -> bool {
        let was_stale = self.is_stale();
        *self = Self::now();
        was_stale
    }

    /// Whether `owner`, a thread that took a biased lock in this epoch, does not exist any more.
    pub fn has_lost(self, owner: usize) -> bool {
        self.is_stale() && survivor() != owner
    }

    /// A number for records that are words. It wraps around.
    pub fn number(self) -> u32 {
        self.0
    }
}

/// An epoch in a record without a lock.
pub struct AtomicEpoch(AtomicU32);

impl AtomicEpoch {
    pub fn now() -> Self {
        Self(AtomicU32::new(current()))
    }

    pub fn get(&self) -> Epoch {
        Epoch(self.0.load(Ordering::Relaxed))
    }

    /// Makes it the current epoch.
    pub fn renew(&self) {
        self.0.store(current(), Ordering::Relaxed);
    }

    /// As if the process had forked since.
    #[cfg(test)]
    pub fn make_stale(&self) {
        self.0.store(current().wrapping_sub(1), Ordering::Relaxed);
    }
}
