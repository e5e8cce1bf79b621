//! How many of the process's descriptors the guests of a context may hold.
//!
//! Code that opens a descriptor for a guest takes a [`DescriptorSlot`] first and keeps it as long
//! as the descriptor. Descriptors that the embedder handed in, and directories that it opened
//! before the guest runs, are not counted: the guest did not choose them.

use super::limits::limits_of;
use crate::abi::vm_layout::VmEnv;
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

/// A context's count of descriptors. Owner: the context's limits, and every slot.
pub struct Descriptors {
    live: AtomicU32,
    peak: AtomicU32,
    /// [`UNSET`] until it is set or read first.
    most: AtomicU64,
}

/// No limit: limits are numbers of 32 bits.
const UNSET: u64 = u64::MAX;

/// The descriptors that guests of a context hold now, and the most that they ever held at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DescriptorCounts {
    pub live: u32,
    pub peak: u32,
}

/// Room for one descriptor, which goes back when the slot is dropped.
pub struct DescriptorSlot(Option<Arc<Descriptors>>);

/// A context's default limit: a quarter of the process's, within bounds.
fn default_most() -> u32 {
    let all = rlimit::descriptors().unwrap_or(UNKNOWN);
    (all / SHARE).clamp(LEAST, MOST) as u32
}

impl Descriptors {
    pub fn new(most: Option<u32>) -> Self {
        let zero = || AtomicU32::new(0);
        Self { live: zero(), peak: zero(), most: AtomicU64::new(most.map_or(UNSET, u64::from)) }
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

    /// Open descriptors stay, even beyond the limit.
    pub fn set_most(&self, most: u32) {
        self.most.store(most.into(), Ordering::Relaxed);
    }

    pub fn counts(&self) -> DescriptorCounts {
        let live = self.live.load(Ordering::Relaxed);
        DescriptorCounts { live, peak: self.peak.load(Ordering::Relaxed).max(live) }
    }

    /// Room for one more, if there is any.
    pub fn slot(self: &Arc<Self>) -> Option<DescriptorSlot> {
        let next = |live: u32| (live < self.most()).then(|| live + 1);
        let before = self.live.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
        self.peak.fetch_max(before + 1, Ordering::Relaxed);
        Some(DescriptorSlot(Some(self.clone())))
    }
}

impl DescriptorSlot {
    /// A slot for a descriptor that is not counted.
    pub fn uncounted() -> Self {
        Self(None)
    }
}

impl Drop for DescriptorSlot {
    fn drop(&mut self) {
        if let Some(descriptors) = &self.0 {
            descriptors.live.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Room for one more descriptor of running code's; `None` if its context has no more.
///
/// # Safety
/// `env` is live.
pub unsafe fn descriptor_slot(env: *const VmEnv) -> Option<DescriptorSlot> {
    // SAFETY: the caller's environment is live, and it names no limits but those that outlive it.
    match unsafe { limits_of(env) } {
        Some(limits) => limits.descriptors().slot(),
        None => Some(DescriptorSlot::uncounted()),
    }
}
