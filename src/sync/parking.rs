//! Waiting until somebody notifies, as `memory.atomic.wait` does.
//!
//! A [`Parking`] is the list of those who wait at places of one memory; a [`Parker`] is what one
//! waiter sleeps on. The two are apart because a waiter is also woken by whoever wants it to
//! stop, and who knows the waiter but not where it waits.
//!
//! Whether a waiter was notified is decided under the list's lock, and so is whether it may fall
//! asleep: no notification is lost or counted for a waiter that has left.

use super::atomic::{AtomicU32, Ordering};
use super::sleepers::Sleepers;
use super::{Lock, LockGuard, forks};
use std::ptr;

/// What one thread sleeps on. Owner: the exec_env.
pub struct Parker {
    /// 1 if somebody woke it since it last slept.
    woken: AtomicU32,
    sleepers: Sleepers,
}

impl Parker {
    pub fn new() -> Self {
        Self { woken: AtomicU32::new(0), sleepers: Sleepers::new() }
    }

    /// Sleeps until [`Parker::wake`], or shorter. A wake that came before counts.
    pub fn sleep(&self, nanos: Option<u64>) {
        if self.woken.swap(0, Ordering::Acquire) == 0 {
            self.sleepers.sleep_while_for(&self.woken, 0, nanos);
            self.woken.swap(0, Ordering::Acquire);
        }
    }

    /// Wakes the sleeper, or keeps it from falling asleep the next time.
    pub fn wake(&self) {
        if self.woken.swap(1, Ordering::Release) == 0 {
            self.sleepers.wake_one(&self.woken);
        }
    }
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parked {
    /// It was not the moment to wait.
    Refused,
    Notified,
    TimedOut,
    /// The waiter was told to stop.
    Stopped,
}

/// What a waiter is asked while it waits.
pub trait Patience {
    /// Whether to stop waiting. Whoever makes this true wakes the waiter's parker afterwards.
    fn should_stop(&self) -> bool;

    /// Nanoseconds until the wait times out; `None` for never.
    fn left(&self) -> Option<u64>;
}

/// Those who wait at places of one memory. Owner: the memory.
pub struct Parking {
    waiters: Lock<Waiters>,
}

/// Waiters in the order they came.
struct Waiters {
    first: *mut Waiter,
    last: *mut Waiter,
    /// The process that they wait in.
    forks: u32,
}

/// One of them. It lies in the frame of [`Parking::wait`], which leaves only when it is off the
/// list.
struct Waiter {
    place: u64,
    parker: *const Parker,
    notified: bool,
    previous: *mut Waiter,
    next: *mut Waiter,
}

// SAFETY: the list is only followed under the lock that it lies behind, and those on it are
// alive: they take themselves off, or are taken off, under that lock.
unsafe impl Send for Waiters {}

impl Parking {
    pub fn new() -> Self {
        let none = Waiters { first: ptr::null_mut(), last: ptr::null_mut(), forks: forks() };
        Self { waiters: Lock::new(none) }
    }

    /// The waiters. A fork leaves them behind, and their frames with them.
    fn waiters(&self) -> LockGuard<'_, Waiters> {
        let mut waiters = self.waiters.lock();
        if waiters.forks != forks() {
            *waiters = Waiters { first: ptr::null_mut(), last: ptr::null_mut(), forks: forks() };
        }
        waiters
    }

    /// Waits at `place`. `is_time` is asked under the lock that `notify` takes; if it says no,
    /// nothing happens.
    pub fn wait(
        &self,
        place: u64,
        parker: &Parker,
        patience: &impl Patience,
        is_time: impl FnOnce() -> bool,
    ) -> Parked {
        let mut waiter = Waiter {
            place,
            parker,
            notified: false,
            previous: ptr::null_mut(),
            next: ptr::null_mut(),
        };
        let waiter = &raw mut waiter;
        let mut waiters = self.waiters();
        if !is_time() {
            return Parked::Refused;
        }
        // SAFETY: the waiter is alive until this function returns, and not listed yet.
        unsafe { waiters.add(waiter) };
        drop(waiters);
        loop {
            let left = patience.left();
            let given_up = match patience.should_stop() {
                true => Some(Parked::Stopped),
                false => (left == Some(0)).then_some(Parked::TimedOut),
            };
            if given_up.is_none() {
                parker.sleep(left);
            }
            let mut waiters = self.waiters();
            // SAFETY: the waiter is this frame's; others only touch it under the lock.
            unsafe {
                if (*waiter).notified {
                    return Parked::Notified;
                }
                if let Some(why) = given_up {
                    waiters.remove(waiter);
                    return why;
                }
            }
        }
    }

    /// Wakes up to `count` of those who wait at `place`, who came first first; returns how many.
    pub fn notify(&self, place: u64, count: u32) -> u32 {
        let mut woken = 0;
        let mut waiters = self.waiters();
        let mut at = waiters.first;
        // SAFETY: those on the list are alive while the lock is held. So is the parker of one
        // that was just taken off: it looks at `notified` under the lock before it leaves.
        unsafe {
            while !at.is_null() && woken < count {
                let next = (*at).next;
                if (*at).place == place {
                    waiters.remove(at);
                    (*at).notified = true;
                    (*(*at).parker).wake();
                    woken += 1;
                }
                at = next;
            }
        }
        woken
    }

    /// Whether nobody waits.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.waiters().first.is_null()
    }
}

impl Waiters {
    /// # Safety
    /// The waiter is alive and not listed.
    unsafe fn add(&mut self, waiter: *mut Waiter) {
        // SAFETY: passed on to the caller; those on the list are alive.
        unsafe {
            (*waiter).previous = self.last;
            match self.last.as_mut() {
                Some(last) => last.next = waiter,
                None => self.first = waiter,
            }
        }
        self.last = waiter;
    }

    /// # Safety
    /// The waiter is on this list.
    unsafe fn remove(&mut self, waiter: *mut Waiter) {
        // SAFETY: passed on to the caller; those on the list are alive.
        unsafe {
            let (previous, next) = ((*waiter).previous, (*waiter).next);
            match previous.as_mut() {
                Some(previous) => previous.next = next,
                None => self.first = next,
            }
            match next.as_mut() {
                Some(next) => next.previous = previous,
                None => self.last = previous,
            }
        }
    }
}
