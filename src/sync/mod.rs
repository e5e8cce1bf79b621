//! Atomics and locks: the standard library's, or loom's when a model test is built.
//!
//! It knows nothing but `platform`. Whatever the crate shares between threads goes through here,
//! so that `--cfg loom` can explore its interleavings. Nothing enters here; it is only used.

mod lock;

pub use lock::{Lock, LockGuard};
#[cfg(loom)]
pub use loom::sync::atomic;
#[cfg(not(loom))]
pub use std::sync::atomic;

use atomic::AtomicU32;

/// Tells the processor that this is a short wait.
fn spin_loop() {
    #[cfg(loom)]
    loom::thread::yield_now();
    #[cfg(not(loom))]
    std::hint::spin_loop();
}

/// Sleeps while `word` is `value`, or shorter.
fn sleep_while(word: &AtomicU32, value: u32) {
    #[cfg(loom)]
    {
        let _ = (word, value);
        loom::thread::yield_now();
    }
    #[cfg(not(loom))]
    crate::platform::futex::wait(word, value);
}

/// Wakes one thread that sleeps on `word`.
fn wake_one(word: &AtomicU32) {
    #[cfg(loom)]
    let _ = word;
    #[cfg(not(loom))]
    crate::platform::futex::wake_one(word);
}

#[cfg(test)]
mod tests;
