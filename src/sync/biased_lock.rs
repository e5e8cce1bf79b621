//! A biased lock: reentrant, never waited for, and free of locked instructions for its first owner.
//!
//! Owners are numbers of the caller's. Almost every such lock has one owner for all its life, so it
//! is *biased* towards the first one: locking and unlocking then only change a count that no other
//! owner writes. When another owner comes, the bias is *revoked*, once, with a barrier in all
//! threads (`platform::barrier`), and from then on each lock takes a locked instruction. Without
//! such a barrier in the system no lock is biased, and each takes one from the start.

use super::atomic::{AtomicU32, AtomicUsize, Ordering};
use super::fork::{self, AtomicEpoch, section};

#[cfg(not(loom))]
use crate::platform::barrier::light;

/// See the module. Owner: the locked object.
pub struct BiasedLock {
    /// `UNBIASED` at first; then the owner that has the bias; `CHANGING` while that is revoked;
    /// then `FREE`, or the owner with `FREE` added while it holds the lock. `FREE` at first where
    /// no bias could be revoked.
    owner: AtomicUsize,
    /// How often the owner that has the bias holds the lock. Only that owner writes it.
    biased_depth: AtomicU32,
    /// The same after the bias was revoked. Only the owner in `owner` writes it.
    depth: AtomicU32,
    /// The epoch in which the owner came, or an earlier one of the thread that forked.
    epoch: AtomicEpoch,
}

const UNBIASED: usize = 0;
const FREE: usize = 1;
const CHANGING: usize = 2;

/// Owners are multiples of this, and not zero.
pub const OWNER_STEP: usize = 4;

impl BiasedLock {
    pub fn new() -> Self {
        Self::with(fork::has_barrier())
    }

    /// A lock whose bias could be revoked, or not.
    pub(super) fn with(has_barrier: bool) -> Self {
        Self {
            owner: AtomicUsize::new(if has_barrier { UNBIASED } else { FREE }),
            biased_depth: AtomicU32::new(0),
            depth: AtomicU32::new(0),
            epoch: AtomicEpoch::now(),
        }
    }

    /// Takes the lock, once more if `owner` holds it; false if another owner does.
    #[inline]
    pub fn try_lock(&self, owner: usize) -> bool {
        if self.owner.load(Ordering::Relaxed) == owner && self.lock_biased(owner) {
            return true;
        }
        self.try_lock_slowly(owner)
    }

    /// Takes the lock by the bias of `owner`; false if that was just revoked.
    #[inline]
    fn lock_biased(&self, owner: usize) -> bool {
        let depth = self.biased_depth.load(Ordering::Relaxed);
        self.biased_depth.store(depth + 1, Ordering::Relaxed);
        // The revoking thread changes `owner` before it looks at the depth.
        light();
        if self.owner.load(Ordering::Acquire) == owner {
            return true;
        }
        self.biased_depth.store(depth, Ordering::Release);
        false
    }

    #[cold]
    fn try_lock_slowly(&self, owner: usize) -> bool {
        loop {
            match self.owner.load(Ordering::Acquire) {
                CHANGING => pause(),
                seen if seen == owner => {
                    if self.lock_biased(owner) {
                        return true;
                    }
                }
                seen if seen == owner | FREE => {
                    let depth = self.depth.load(Ordering::Relaxed);
                    self.depth.store(depth + 1, Ordering::Relaxed);
                    return true;
                }
                // Before another thread becomes the owner, as its epoch would be wrong.
                seen if self.is_stale(seen) => self.renew(seen),
                UNBIASED => {
                    self.exchange(UNBIASED, owner);
                }
                FREE => {
                    if self.exchange(FREE, owner | FREE) {
                        self.depth.store(1, Ordering::Relaxed);
                        return true;
                    }
                }
                seen if seen & FREE != 0 => return false,
                seen => {
                    if let Some(taken) = self.revoke(seen, owner) {
                        return taken;
                    }
                }
            }
        }
    }

    /// Revokes the bias of `other` and takes the lock for `owner`, unless `other` holds it: then
    /// this is false. `None` if the bias has changed meanwhile.
    fn revoke(&self, other: usize, owner: usize) -> Option<bool> {
        // The child of a fork would wait for the end of the change for ever.
        let _section = section();
        if !self.exchange(other, CHANGING) {
            return None;
        }
        fork::heavy();
        let is_held = self.biased_depth.load(Ordering::Acquire) != 0;
        if !is_held {
            self.depth.store(1, Ordering::Relaxed);
            self.epoch.renew();
        }
        self.owner.store(if is_held { other } else { owner | FREE }, Ordering::Release);
        Some(!is_held)
    }

    /// Whether the lock has lost its owner in a fork, or has none and was made before one.
    fn is_stale(&self, seen: usize) -> bool {
        let epoch = self.epoch.get();
        match seen {
            UNBIASED | FREE => epoch.is_stale(),
            owner => epoch.has_lost(owner & !FREE),
        }
    }

    /// Makes the lock one of this epoch, without an owner.
    fn renew(&self, seen: usize) {
        let _section = section();
        if self.exchange(seen, CHANGING) {
            self.biased_depth.store(0, Ordering::Relaxed);
            self.depth.store(0, Ordering::Relaxed);
            self.epoch.renew();
            let fresh = if seen == UNBIASED { UNBIASED } else { FREE };
            self.owner.store(fresh, Ordering::Release);
        }
    }

    fn exchange(&self, old: usize, new: usize) -> bool {
        self.owner.compare_exchange(old, new, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Gives the lock back once. The caller's owner holds it.
    #[inline]
    pub fn unlock(&self) {
        // While the lock is held, its bias is not revoked.
        if self.owner.load(Ordering::Relaxed) & FREE == 0 {
            let depth = self.biased_depth.load(Ordering::Relaxed);
            self.biased_depth.store(depth.wrapping_sub(1), Ordering::Release);
            return;
        }
        let depth = self.depth.load(Ordering::Relaxed).wrapping_sub(1);
        self.depth.store(depth, Ordering::Relaxed);
        if depth == 0 {
            self.owner.store(FREE, Ordering::Release);
        }
    }

    /// Takes the lock `times` more. The caller's owner holds it.
    pub fn relock(&self, times: u32) {
        let depth = match self.owner.load(Ordering::Relaxed) & FREE {
            0 => &self.biased_depth,
            _ => &self.depth,
        };
        depth.store(depth.load(Ordering::Relaxed).wrapping_add(times), Ordering::Release);
    }

    /// How often the caller's owner holds the lock, which it does.
    pub fn depth(&self) -> u32 {
        match self.owner.load(Ordering::Relaxed) & FREE {
            0 => self.biased_depth.load(Ordering::Relaxed),
            _ => self.depth.load(Ordering::Relaxed),
        }
    }

    /// As if the process had forked since the lock was made.
    #[cfg(test)]
    pub(super) fn make_stale(&self) {
        self.epoch.make_stale();
    }
}

#[cfg(loom)]
fn light() {
    loom::sync::atomic::fence(Ordering::SeqCst);
}

/// Revoking a bias takes microseconds.
fn pause() {
    #[cfg(loom)]
    loom::thread::yield_now();
    #[cfg(not(loom))]
    std::thread::yield_now();
}
