//! Waits for other threads of a program, until the thread has to stop.

use crate::abi::trap::Trap;
use crate::exec::{atomics, stop_reason};
use crate::native::Caller;
use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::{WaitOutcome, WaitQueue};

/// A program's waiters for mutexes, conditions and semaphores, by handle. Owner: the program.
pub struct Waits {
    locks: WaitQueue,
    conditions: WaitQueue,
    ends: WaitQueue,
}

impl Default for Waits {
    fn default() -> Self {
        Self { locks: WaitQueue::new(), conditions: WaitQueue::new(), ends: WaitQueue::new() }
    }
}

impl Waits {
    fn wait(
        caller: &Caller<'_>,
        queue: &WaitQueue,
        handle: u32,
        nanos: Option<u64>,
        is_time: impl FnOnce() -> bool,
    ) -> Result<WaitOutcome, Trap> {
        // SAFETY: a caller's environment is live, and its thread is this one.
        let outcome =
            unsafe { atomics::wait_for(caller.env(), queue, handle.into(), nanos, is_time) };
        if outcome == WaitOutcome::Stopped {
            // SAFETY: a caller's environment is live, and its thread is this one.
            return Err(unsafe { stop_reason(caller.env()) }.unwrap_or(Trap::Terminated));
        }
        Ok(outcome)
    }

    /// Takes one from `count`, which is not zero for long.
    pub fn take(
        &self,
        caller: &Caller<'_>,
        handle: u32,
        try_take: impl Fn() -> bool,
    ) -> Result<(), Trap> {
        loop {
            let mut taken = false;
            let waits = || {
                taken = try_take();
                !taken
            };
            Self::wait(caller, &self.locks, handle, None, waits)?;
            if taken {
                return Ok(());
            }
        }
    }

    /// Locks a mutex: `state` is 1 while it is locked.
    pub fn lock(&self, caller: &Caller<'_>, handle: u32, state: &AtomicU32) -> Result<(), Trap> {
        self.take(caller, handle, || {
            state.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_ok()
        })
    }

    pub fn unlock(&self, handle: u32, state: &AtomicU32) {
        state.store(0, Ordering::Release);
        self.locks.notify(handle.into(), 1);
    }

    /// Adds one to a semaphore.
    pub fn post(&self, handle: u32, state: &AtomicU32) {
        state.fetch_add(1, Ordering::Release);
        self.locks.notify(handle.into(), 1);
    }

    /// Waits for a condition with the mutex unlocked; false if the time was over first.
    pub fn wait_condition(
        &self,
        caller: &Caller<'_>,
        condition: u32,
        (mutex, state): (u32, &AtomicU32),
        nanos: Option<u64>,
    ) -> Result<bool, Trap> {
        let outcome = Self::wait(caller, &self.conditions, condition, nanos, || {
            self.unlock(mutex, state);
            true
        })?;
        self.lock(caller, mutex, state)?;
        Ok(outcome != WaitOutcome::TimedOut)
    }

    /// Waits for a thread's end.
    pub fn until(
        &self,
        caller: &Caller<'_>,
        thread: u32,
        ended: impl Fn() -> bool,
    ) -> Result<(), Trap> {
        while !ended() {
            Self::wait(caller, &self.ends, thread, None, || !ended())?;
        }
        Ok(())
    }

    /// Notifies waiters of a thread's end.
    pub fn signal_end(&self, thread: u32) {
        self.ends.notify(thread.into(), u32::MAX);
    }

    pub fn signal(&self, condition: u32, count: u32) {
        self.conditions.notify(condition.into(), count);
    }
}
