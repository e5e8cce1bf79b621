//! What guests of a context may have of the process's at once, beside memory: descriptors, and
//! threads that work for them.
//!
//! Code that takes something for a guest takes a [`QuotaSlot`] first and keeps it as long as the
//! thing. Descriptors that the embedder handed in, and directories that it opened before the guest
//! runs, are not counted: the guest did not choose them. Threads are counted that make calls of
//! the system's which cannot be stopped; such a thread goes on when the guest that it works for is
//! gone, so the number of a guest's own threads does not limit it.

use crate::platform::rlimit;
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::Arc;

/// Guests of one context get this part of the process's limit.
const SHARE: u64 = 4;
/// Bounds of that part, for any limit of the process.
const LEAST: u64 = 64;
const MOST: u64 = 4096;
/// Where the system does not report the process's limit.
const UNKNOWN: u64 = 1024;

/// The most threads that work for a context's guests at once.
const ERRANDS: u32 = 16;

/// How many there are of something, and may be. Owner: the context's limits, and every slot.
pub struct Quota {
    live: AtomicU32,
    peak: AtomicU32,
    /// [`UNSET`] until it is set or read first.
    most: AtomicU64,
}

/// No limit: limits are numbers of 32 bits.
const UNSET: u64 = u64::MAX;

/// Room for one of what a quota counts, which goes back when the slot is dropped.
pub struct QuotaSlot(Option<Arc<Quota>>);

/// A limit on descriptors where nobody sets one: a quarter of the process's, within bounds.
fn default_most() -> u32 {
    let all = rlimit::descriptors().unwrap_or(UNKNOWN);
    (all / SHARE).clamp(LEAST, MOST) as u32
}

impl Quota {
    /// Of descriptors.
    pub fn of_descriptors(most: Option<u32>) -> Self {
        let zero = || AtomicU32::new(0);
        Self { live: zero(), peak: zero(), most: AtomicU64::new(most.map_or(UNSET, u64::from)) }
    }

    /// Of threads that work for guests.
    pub fn of_errands() -> Self {
        Self::of_descriptors(Some(ERRANDS))
    }

    pub fn most(&self) -> u32 {
        match self.most.load(Ordering::Relaxed) {
            UNSET => self.ask_most(),
            most => most as u32,
        }
    }

    /// Contexts without a guest that opens anything never ask the system.
    #[cold]
    fn ask_most(&self) -> u32 {
        let asked = u64::from(default_most());
        // A limit that was set meanwhile counts.
        let kept = self.most.compare_exchange(UNSET, asked, Ordering::Relaxed, Ordering::Relaxed);
        kept.map_or_else(|set| set, |_| asked) as u32
    }

    /// What is there already stays, even beyond the limit.
    pub fn set_most(&self, most: u32) {
        self.most.store(most.into(), Ordering::Relaxed);
    }

    /// How many there are.
    pub fn live(&self) -> u32 {
        self.live.load(Ordering::Relaxed)
    }

    /// The most that there ever were at once.
    pub fn peak(&self) -> u32 {
        self.peak.load(Ordering::Relaxed).max(self.live())
    }

    /// Room for one more, if there is any.
    pub fn slot(self: &Arc<Self>) -> Option<QuotaSlot> {
        let next = |live: u32| (live < self.most()).then(|| live + 1);
        let before = self.live.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
        self.peak.fetch_max(before + 1, Ordering::Relaxed);
        Some(QuotaSlot(Some(self.clone())))
    }
}

impl QuotaSlot {
    /// For what is not counted.
    pub fn uncounted() -> Self {
        Self(None)
    }
}

impl Drop for QuotaSlot {
    fn drop(&mut self) {
        if let Some(quota) = &self.0 {
            quota.live.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
