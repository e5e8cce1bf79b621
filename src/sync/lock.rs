//! A lock that allocates nothing, keeps no process-wide state and cannot be poisoned.
//!
//! The standard library's mutex allocates on first use on some systems, which a lock inside an
//! allocator must not do. This one is a word: 0 free, 1 held, 2 held and others may sleep. A
//! short spin comes first, because sections take tens of nanoseconds.
//!
//! A thread that holds it is in a section (`fork`), so that it is free in the child of a fork.
//!
//! A panic while it is held just releases it: values are kept consistent by code that does not
//! panic.

use super::atomic::{AtomicU32, Ordering};
use super::fork::{Section, section};
use super::sleepers::Sleepers;
use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};

const FREE: u32 = 0;
const HELD: u32 = 1;
const CONTENDED: u32 = 2;
/// Looks at the word before sleeping.
const SPINS: usize = if cfg!(loom) { 0 } else { 100 };

/// A value behind a lock. A thread that forks waits until all locks of other threads are free, so
/// that in the child none is held and no value is half changed; hold one briefly.
pub struct Lock<T: ?Sized> {
    state: AtomicU32,
    sleepers: Sleepers,
    value: UnsafeCell<T>,
}

// SAFETY: the lock hands the value from thread to thread, one at a time.
unsafe impl<T: ?Sized + Send> Send for Lock<T> {}
// SAFETY: shared access to the lock gives exclusive access to the value only.
unsafe impl<T: ?Sized + Send> Sync for Lock<T> {}

// The value is consistent whenever a panic can happen (see the module).
impl<T: ?Sized> UnwindSafe for Lock<T> {}
impl<T: ?Sized> RefUnwindSafe for Lock<T> {}

impl<T> Lock<T> {
    #[cfg(not(loom))]
    pub const fn new(value: T) -> Self {
        let state = AtomicU32::new(FREE);
        Self { state, sleepers: Sleepers::new(), value: UnsafeCell::new(value) }
    }

    #[cfg(loom)]
    pub fn new(value: T) -> Self {
        let state = AtomicU32::new(FREE);
        Self { state, sleepers: Sleepers::new(), value: UnsafeCell::new(value) }
    }
}

impl<T: Default> Default for Lock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized> Lock<T> {
    /// Waits until the lock is free, and takes it. Taking it twice on one thread never ends.
    #[inline]
    pub fn lock(&self) -> LockGuard<'_, T> {
        let section = section();
        let taken = self.state.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed);
        if taken.is_err() {
            self.wait();
        }
        LockGuard { lock: self, _section: section, value: PhantomData }
    }

    #[cold]
    fn wait(&self) {
        for _ in 0..SPINS {
            match self.state.load(Ordering::Relaxed) {
                FREE => {
                    let taken = self.state.compare_exchange(
                        FREE,
                        HELD,
                        Ordering::Acquire,
                        Ordering::Relaxed,
                    );
                    if taken.is_ok() {
                        return;
                    }
                }
                HELD => std::hint::spin_loop(),
                // Others sleep already.
                _ => break,
            }
        }
        // After sleeping, the lock is taken as contended: others may still be asleep.
        while self.state.swap(CONTENDED, Ordering::Acquire) != FREE {
            self.sleepers.sleep_while(&self.state, CONTENDED);
        }
    }

    fn unlock(&self) {
        if self.state.swap(FREE, Ordering::Release) == CONTENDED {
            // The lock may be gone by now, if the next holder ended it; waking a stale address
            // wakes no thread, or one that checks again.
            self.sleepers.wake_one(&self.state);
        }
    }
}

/// Access to a locked value.
pub struct LockGuard<'a, T: ?Sized> {
    lock: &'a Lock<T>,
    /// Ends after the lock is free: fields are dropped behind `drop`.
    _section: Section,
    /// A guard may be shared between threads only if the value may.
    value: PhantomData<&'a mut T>,
}

impl<T: ?Sized> Deref for LockGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this guard holds the lock, so nobody else has the value.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for LockGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this guard holds the lock; `&mut self` excludes other borrows through it.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: ?Sized> Drop for LockGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.unlock();
    }
}
