//! Sleeping on a word: a futex on Linux, a yield elsewhere.

use std::sync::atomic::AtomicU32;

/// Sleeps while `word` is `value`, or shorter.
pub fn wait(word: &AtomicU32, value: u32) {
    wait_for(word, value, None);
}

/// As [`wait`], for at most `nanos`; `None` for no limit.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn wait_for(word: &AtomicU32, value: u32, nanos: Option<u64>) {
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    let time = nanos.map(|nanos| libc::timespec {
        tv_sec: (nanos / NANOS_PER_SECOND) as libc::time_t,
        tv_nsec: (nanos % NANOS_PER_SECOND) as libc::c_long,
    });
    let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the kernel reads the word, which the reference keeps valid, and compares it, and
    // it reads the time; none means no limit. Interruptions and mismatches just return.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, value, time) };
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// Wakes up to `count` threads that sleep on `word`.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn wake(word: &AtomicU32, count: i32) {
    let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the kernel uses the address as a key and does not access it.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, count) };
}

/// As [`wait`], for at most `nanos`; `None` for no limit.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn wait_for(_word: &AtomicU32, _value: u32, _nanos: Option<u64>) {
    // Most sleepers here wait for tens of nanoseconds of another thread's work.
    std::thread::yield_now();
}

/// Wakes up to `count` threads that sleep on `word`.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn wake(_word: &AtomicU32, _count: i32) {}
