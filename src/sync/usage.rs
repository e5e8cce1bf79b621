//! Who uses something that one user at a time may use, and finding out when two do.
//!
//! Users are numbers of the caller's. Almost everything is used by one user for all its life, so
//! the first one gets it for good: entering then costs no locked instruction, only a count that
//! nobody else writes. When another user comes, that is taken back, once, with a barrier in all
//! threads (`platform::barrier`), and from then on each use is paid for. Where the system has no
//! such barrier, nobody gets anything for good, and each use is paid for from the start.

use super::atomic::{AtomicU32, AtomicUsize, Ordering};
use super::gate;

#[cfg(not(loom))]
use crate::platform::barrier::light;

/// Whether something is in use, and whose it is. Owner: what is used.
pub struct Usage {
    /// `NOBODY` at first; then the user who has it for good; `CHANGING` while that is taken back;
    /// then `FREE`, or the user with `FREE` added while the use lasts. `FREE` at first where
    /// nothing can be taken back.
    user: AtomicUsize,
    /// Uses that the user who has it for good has begun and not ended. Only that user writes it.
    held: AtomicU32,
    /// The same, after that was taken back. Only whoever is in `user` writes it.
    depth: AtomicU32,
    /// The process in which `user` came ([`forks`](super::forks)).
    forks: AtomicU32,
}

const NOBODY: usize = 0;
const FREE: usize = 1;
const CHANGING: usize = 2;

/// Numbers of users are multiples of this, and not zero.
pub const USER_STEP: usize = 4;

impl Usage {
    pub fn new() -> Self {
        Self::with(gate::has_barrier())
    }

    /// One that somebody may have for good, or nobody.
    pub(super) fn with(has_barrier: bool) -> Self {
        Self {
            user: AtomicUsize::new(if has_barrier { NOBODY } else { FREE }),
            held: AtomicU32::new(0),
            depth: AtomicU32::new(0),
            forks: AtomicU32::new(gate::forks()),
        }
    }

    /// Begins a use, inside others of the same user or not; false if another user is in it.
    #[inline]
    pub fn enter(&self, user: usize) -> bool {
        if self.user.load(Ordering::Relaxed) == user && self.hold(user) {
            return true;
        }
        self.enter_slowly(user)
    }

    /// Begins a use of the user who has it for good; false if that was just taken back.
    #[inline]
    fn hold(&self, user: usize) -> bool {
        let held = self.held.load(Ordering::Relaxed);
        self.held.store(held + 1, Ordering::Relaxed);
        // Whoever takes it back changes `user` before looking at `held`.
        light();
        if self.user.load(Ordering::Acquire) == user {
            return true;
        }
        self.held.store(held, Ordering::Release);
        false
    }

    #[cold]
    fn enter_slowly(&self, user: usize) -> bool {
        loop {
            match self.user.load(Ordering::Acquire) {
                NOBODY => {
                    if self.exchange(NOBODY, user) {
                        self.forks.store(gate::forks(), Ordering::Relaxed);
                    }
                }
                FREE => {
                    if self.exchange(FREE, user | FREE) {
                        self.forks.store(gate::forks(), Ordering::Relaxed);
                        self.depth.store(1, Ordering::Relaxed);
                        return true;
                    }
                }
                CHANGING => pause(),
                other if other == user => {
                    if self.hold(user) {
                        return true;
                    }
                }
                other if other == user | FREE => {
                    let depth = self.depth.load(Ordering::Relaxed);
                    self.depth.store(depth + 1, Ordering::Relaxed);
                    return true;
                }
                other if self.is_lost(other) => self.forget(other),
                other if other & FREE != 0 => return false,
                other => {
                    if self.exchange(other, CHANGING) {
                        return self.take_back(other, user);
                    }
                }
            }
        }
    }

    /// Ends that `other` has it for good, unless it is in use; then `user` is in it.
    fn take_back(&self, other: usize, user: usize) -> bool {
        gate::heavy();
        let is_in_use = self.held.load(Ordering::Acquire) != 0;
        if !is_in_use {
            self.depth.store(1, Ordering::Relaxed);
        }
        self.user.store(if is_in_use { other } else { user | FREE }, Ordering::Release);
        !is_in_use
    }

    /// Whether a fork has left this user behind, with the uses that it had begun.
    fn is_lost(&self, other: usize) -> bool {
        let forks = gate::forks();
        self.forks.load(Ordering::Relaxed) != forks && gate::survivor() != other & !FREE
    }

    /// Ends the uses of a user that is lost, for whoever comes first.
    fn forget(&self, other: usize) {
        if self.exchange(other, CHANGING) {
            self.held.store(0, Ordering::Relaxed);
            self.depth.store(0, Ordering::Relaxed);
            self.forks.store(gate::forks(), Ordering::Relaxed);
            self.user.store(FREE, Ordering::Release);
        }
    }

    fn exchange(&self, old: usize, new: usize) -> bool {
        self.user.compare_exchange(old, new, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Ends a use, which must have begun.
    #[inline]
    pub fn leave(&self) {
        // A use keeps the way in which it began from being changed.
        if self.user.load(Ordering::Relaxed) & FREE == 0 {
            let held = self.held.load(Ordering::Relaxed);
            self.held.store(held.wrapping_sub(1), Ordering::Release);
            return;
        }
        let depth = self.depth.load(Ordering::Relaxed).wrapping_sub(1);
        self.depth.store(depth, Ordering::Relaxed);
        if depth == 0 {
            self.user.store(FREE, Ordering::Release);
        }
    }

    /// Begins so many uses more, inside one that has begun.
    pub fn add(&self, uses: u32) {
        let count = match self.user.load(Ordering::Relaxed) & FREE {
            0 => &self.held,
            _ => &self.depth,
        };
        count.store(count.load(Ordering::Relaxed).wrapping_add(uses), Ordering::Release);
    }

    /// How many uses have begun and not ended, inside one of the caller's.
    pub fn uses(&self) -> u32 {
        match self.user.load(Ordering::Relaxed) & FREE {
            0 => self.held.load(Ordering::Relaxed),
            _ => self.depth.load(Ordering::Relaxed),
        }
    }
}

#[cfg(loom)]
fn light() {
    loom::sync::atomic::fence(Ordering::SeqCst);
}

/// Taking back takes microseconds.
fn pause() {
    #[cfg(loom)]
    loom::thread::yield_now();
    #[cfg(not(loom))]
    std::thread::yield_now();
}
