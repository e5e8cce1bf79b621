//! Memory barriers for two sides of which one is hot: the hot side pays nothing, and the other
//! has the system put a barrier into every thread of the process.

#[cfg(not(any(target_os = "linux", target_os = "android")))]
use std::sync::atomic::fence;
use std::sync::atomic::{Ordering, compiler_fence};

/// The hot side: what is before it is ordered with what is behind it, as [`heavy`] sees it.
#[inline(always)]
pub fn light() {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    compiler_fence(Ordering::SeqCst);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fence(Ordering::SeqCst);
}

/// Tells the system that [`heavy`] will come. Later that takes it some milliseconds, once.
pub fn prepare() {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

/// The cold side: every other thread passes a full barrier before this returns.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn heavy() {
    compiler_fence(Ordering::SeqCst);
    // A process that did not prepare does so now.
    let done = membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
        || membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
            && membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
        || membarrier(libc::MEMBARRIER_CMD_GLOBAL);
    if !done {
        // The call is forbidden here, or from before 2016. No processor keeps a store to itself
        // for anything like this long.
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    compiler_fence(Ordering::SeqCst);
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn membarrier(command: libc::c_int) -> bool {
    // SAFETY: the call takes numbers only and changes nothing that Rust knows of.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}

/// The cold side.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn heavy() {
    fence(Ordering::SeqCst);
}
