//! Waiting for a notification, as `memory.atomic.wait` does.
//!
//! A [`WaitQueue`] is the list of threads that wait at the addresses of one memory, or at other
//! keys; each sleeps on a [`Parker`]. The two are apart because a request to stop also wakes a
//! waiter: it reaches the parker, without knowing the queue.
//!
//! Whether a waiter was notified is decided under the queue's lock, and so is whether it may fall
//! asleep: no notification is lost or counted for a waiter that has left.

use super::atomic::{AtomicU32, Ordering};
use super::sleepers::Sleepers;
use super::{Epoch, Lock, LockGuard};
use std::ptr;

/// One thread's sleep. Owner: the exec_env.
pub struct Parker {
    /// 1 if it was woken since it last slept.
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

    /// Wakes the thread, or keeps it from falling asleep the next time.
    pub fn wake(&self) {
        if self.woken.swap(1, Ordering::Release) == 0 {
            self.sleepers.wake_one(&self.woken);
        }
    }
}

/// How a wait has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitOutcome {
    /// The condition for waiting did not hold.
    Refused,
    Notified,
    TimedOut,
    /// There was a request to stop.
    Stopped,
}

/// When a wait ends without a notification.
pub trait WaitLimit {
    /// Whether to stop waiting. After this becomes true, the waiter's parker must be woken.
    fn should_stop(&self) -> bool;

    /// Nanoseconds until the wait times out; `None` for never.
    fn left(&self) -> Option<u64>;
}

/// Waiting threads. Owner: the memory, or other object, that they wait at.
pub struct WaitQueue {
    waiters: Lock<Waiters>,
}

/// Waiters in the order they came.
struct Waiters {
    first: *mut Waiter,
    last: *mut Waiter,
    /// Waiters of an earlier epoch are gone, and their frames with them.
    epoch: Epoch,
}

/// A waiting thread. It lies in the frame of [`WaitQueue::wait`], which returns only when it is
/// off the list.
struct Waiter {
    key: u64,
    parker: *const Parker,
    notified: bool,
    previous: *mut Waiter,
    next: *mut Waiter,
}

// SAFETY: the list is only followed under the lock that it lies behind, and its waiters are
// alive: they take themselves off, or are taken off, under that lock.
unsafe impl Send for Waiters {}

impl WaitQueue {
    pub fn new() -> Self {
        Self { waiters: Lock::new(Waiters::none()) }
    }

    /// The waiters, without stale ones.
    fn waiters(&self) -> LockGuard<'_, Waiters> {
        let mut waiters = self.waiters.lock();
        if waiters.epoch.is_stale() {
            *waiters = Waiters::none();
        }
        waiters
    }

    /// Waits at `key`, unless `is_time` is false, which is asked under the lock that `notify`
    /// takes.
    pub fn wait(
        &self,
        key: u64,
        parker: &Parker,
        limit: &impl WaitLimit,
        is_time: impl FnOnce() -> bool,
    ) -> WaitOutcome {
        let mut waiter = Waiter {
            key,
            parker,
            notified: false,
            previous: ptr::null_mut(),
            next: ptr::null_mut(),
        };
        let waiter = &raw mut waiter;
        let mut waiters = self.waiters();
        if !is_time() {
            return WaitOutcome::Refused;
        }
        // SAFETY: the waiter is alive until this function returns, and not listed yet.
        unsafe { waiters.add(waiter) };
        drop(waiters);
        loop {
            let left = limit.left();
            let given_up = match limit.should_stop() {
                true => Some(WaitOutcome::Stopped),
                false => (left == Some(0)).then_some(WaitOutcome::TimedOut),
            };
            if given_up.is_none() {
                parker.sleep(left);
            }
            let mut waiters = self.waiters();
            // SAFETY: the waiter is this frame's; others only touch it under the lock.
            unsafe {
                if (*waiter).notified {
                    return WaitOutcome::Notified;
                }
                if let Some(why) = given_up {
                    waiters.remove(waiter);
                    return why;
                }
            }
        }
    }

    /// Wakes up to `count` threads that wait at `key`, in the order they came; returns how many.
    pub fn notify(&self, key: u64, count: u32) -> u32 {
        let mut woken = 0;
        let mut waiters = self.waiters();
        let mut at = waiters.first;
        // SAFETY: waiters on the list are alive while the lock is held. So is the parker of one
        // that was just taken off: it looks at `notified` under the lock before it returns.
        unsafe {
            while !at.is_null() && woken < count {
                let next = (*at).next;
                if (*at).key == key {
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

    /// Whether no thread waits.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.waiters().first.is_null()
    }
}

impl Waiters {
    fn none() -> Self {
        Self { first: ptr::null_mut(), last: ptr::null_mut(), epoch: Epoch::now() }
    }

    /// # Safety
    /// The waiter is alive and not listed.
    unsafe fn add(&mut self, waiter: *mut Waiter) {
        // SAFETY: the caller's waiter is alive, and so are the waiters on the list.
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
        // SAFETY: the caller's waiter is on the list, and waiters on the list are alive.
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
