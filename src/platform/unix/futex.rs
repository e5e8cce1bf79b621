//! Sleeping on a word: a futex on Linux, a yield elsewhere.

use std::sync::atomic::AtomicU32;

/// Sleeps while `word` is `value`, or shorter.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn wait(word: &AtomicU32, value: u32) {
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the kernel reads the word, which the reference keeps valid, and compares it; the
    // null timeout means none. Interruptions and mismatches just return.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            operation,
            value,
            std::ptr::null::<libc::timespec>(),
        );
    }
}

/// Wakes one thread that sleeps on `word`.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn wake_one(word: &AtomicU32) {
    let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the kernel uses the address as a key and does not access it.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, 1) };
}

/// Sleeps while `word` is `value`, or shorter.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn wait(_word: &AtomicU32, _value: u32) {
    // What sleeps here waits for tens of nanoseconds of somebody else's work.
    std::thread::yield_now();
}

/// Wakes one thread that sleeps on `word`.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn wake_one(_word: &AtomicU32) {}
