//! The count of a heap's live blocks and bytes, and its quota.
//!
//! The counters are relaxed: they are sums, and say nothing about the state of other memory. Only
//! closing a block orders, because the last one may end the heap. A pool changes its ledger only
//! under its lock and uses the `exclusive` forms, which need no read-modify-write instruction.

use crate::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Relaxed},
};

/// A heap's counters. Owner: the heap.
pub struct Ledger {
    live_bytes: AtomicU64,
    peak_bytes: AtomicU64,
    live_blocks: AtomicU64,
    /// `u64::MAX` means none.
    quota_bytes: AtomicU64,
}

impl Ledger {
    pub fn new(quota_bytes: Option<u64>) -> Self {
        Self {
            live_bytes: AtomicU64::new(0),
            peak_bytes: AtomicU64::new(0),
            live_blocks: AtomicU64::new(0),
            quota_bytes: AtomicU64::new(quota_bytes.unwrap_or(u64::MAX)),
        }
    }

    pub fn live_bytes(&self) -> u64 {
        self.live_bytes.load(Relaxed)
    }

    pub fn peak_bytes(&self) -> u64 {
        self.peak_bytes.load(Relaxed)
    }

    pub fn live_blocks(&self) -> u64 {
        self.live_blocks.load(Relaxed)
    }

    pub fn quota_bytes(&self) -> Option<u64> {
        Some(self.quota_bytes.load(Relaxed)).filter(|&quota| quota != u64::MAX)
    }

    /// Live blocks stay, even beyond the new quota.
    pub fn set_quota_bytes(&self, quota_bytes: Option<u64>) {
        self.quota_bytes.store(quota_bytes.unwrap_or(u64::MAX), Relaxed);
    }

    /// Takes `bytes` out of the quota. Returns false and changes nothing if fewer are left.
    pub fn charge(&self, bytes: u64) -> bool {
        let quota_bytes = self.quota_bytes.load(Relaxed);
        if quota_bytes == u64::MAX {
            self.charge_beyond(bytes);
            return true;
        }
        // Not add-then-check: a request that is too large must not make others fail meanwhile.
        let charged = self.live_bytes.fetch_update(Relaxed, Relaxed, |live| {
            live.checked_add(bytes).filter(|&sum| sum <= quota_bytes)
        });
        match charged {
            Ok(before) => {
                self.raise_peak(before + bytes);
                true
            }
            Err(_) => false,
        }
    }

    /// Counts `bytes` without regard to the quota.
    pub fn charge_beyond(&self, bytes: u64) {
        let before = self.live_bytes.fetch_add(bytes, Relaxed);
        self.raise_peak(before.wrapping_add(bytes));
    }

    pub fn discharge(&self, bytes: u64) {
        self.live_bytes.fetch_sub(bytes, Relaxed);
    }

    fn raise_peak(&self, live: u64) {
        if live > self.peak_bytes.load(Relaxed) {
            self.peak_bytes.fetch_max(live, Relaxed);
        }
    }

    /// True if this is the heap's only block now.
    pub fn open_block(&self) -> bool {
        self.live_blocks.fetch_add(1, Relaxed) == 0
    }

    /// True if that was the heap's last block; then everything that other threads did before
    /// they closed theirs has happened.
    pub fn close_block(&self) -> bool {
        self.live_blocks.fetch_sub(1, AcqRel) == 1
    }

    /// Whether `bytes` more would fit the quota.
    pub fn admits(&self, bytes: u64) -> bool {
        self.live_bytes()
            .checked_add(bytes)
            .is_some_and(|sum| sum <= self.quota_bytes.load(Relaxed))
    }

    /// Adds to the live bytes; the caller excludes all other changes of them.
    pub fn charge_exclusive(&self, bytes: u64) {
        let live = self.live_bytes.load(Relaxed) + bytes;
        self.live_bytes.store(live, Relaxed);
        if live > self.peak_bytes.load(Relaxed) {
            self.peak_bytes.store(live, Relaxed);
        }
    }

    /// The counterpart of [`Ledger::charge_exclusive`].
    pub fn discharge_exclusive(&self, bytes: u64) {
        self.live_bytes.store(self.live_bytes.load(Relaxed).wrapping_sub(bytes), Relaxed);
    }

    /// [`Ledger::open_block`] while the caller excludes all other changes.
    pub fn open_block_exclusive(&self) -> bool {
        let blocks = self.live_blocks.load(Relaxed);
        self.live_blocks.store(blocks + 1, Relaxed);
        blocks == 0
    }

    /// [`Ledger::close_block`] while the caller excludes all other changes.
    pub fn close_block_exclusive(&self) -> bool {
        self.close_blocks_exclusive(1)
    }

    /// Several [`Ledger::close_block_exclusive`]s at once.
    pub fn close_blocks_exclusive(&self, count: u64) -> bool {
        let blocks = self.live_blocks.load(Relaxed) - count;
        self.live_blocks.store(blocks, Relaxed);
        blocks == 0
    }
}
