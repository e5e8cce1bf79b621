//! Sleeping until a word changes.

use super::atomic::AtomicU32;

/// Threads that sleep on one word. Owner: the word's. The system keeps them, by the word's address.
#[cfg(not(loom))]
pub struct Sleepers;

#[cfg(not(loom))]
impl Sleepers {
    pub const fn new() -> Self {
        Self
    }

    /// Sleeps while `word` is `value`, or shorter.
    pub fn sleep_while(&self, word: &AtomicU32, value: u32) {
        crate::platform::futex::wait(word, value);
    }

    /// As [`Sleepers::sleep_while`], for at most `nanos`.
    pub fn sleep_while_for(&self, word: &AtomicU32, value: u32, nanos: Option<u64>) {
        crate::platform::futex::wait_for(word, value, nanos);
    }

    /// Wakes one thread that sleeps on `word`.
    pub fn wake_one(&self, word: &AtomicU32) {
        crate::platform::futex::wake(word, 1);
    }

    /// Wakes all threads that sleep on `word`.
    pub fn wake_all(&self, word: &AtomicU32) {
        crate::platform::futex::wake(word, i32::MAX);
    }
}

/// The same for model tests: looking at the word and falling asleep are one step, as in the
/// kernel, so that a lost wake-up is a deadlock that loom reports.
#[cfg(loom)]
pub struct Sleepers {
    step: loom::sync::Mutex<()>,
    woken: loom::sync::Condvar,
}

#[cfg(loom)]
impl Sleepers {
    pub fn new() -> Self {
        Self { step: loom::sync::Mutex::new(()), woken: loom::sync::Condvar::new() }
    }

    pub fn sleep_while(&self, word: &AtomicU32, value: u32) {
        if let Ok(step) = self.step.lock()
            && word.load(super::atomic::Ordering::Relaxed) == value
        {
            drop(self.woken.wait(step));
        }
    }

    /// Models have no clock: a wait with a time is ended by a wake.
    pub fn sleep_while_for(&self, word: &AtomicU32, value: u32, _nanos: Option<u64>) {
        self.sleep_while(word, value);
    }

    pub fn wake_one(&self, _word: &AtomicU32) {
        drop(self.step.lock());
        self.woken.notify_one();
    }

    pub fn wake_all(&self, _word: &AtomicU32) {
        drop(self.step.lock());
        self.woken.notify_all();
    }
}
