//! Memory barriers for two sides of which one is hot: the hot side pays nothing, and the other
//! has the system put a barrier into every thread of the process.

#[cfg(not(any(target_os = "linux", target_os = "android")))]
use std::sync::atomic::fence;
use std::sync::atomic::{Ordering, compiler_fence};

/// The hot side: orders accesses before it with those behind it, for a thread that calls [`heavy`].
#[inline(always)]
pub fn light() {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    compiler_fence(Ordering::SeqCst);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fence(Ordering::SeqCst);
}

/// Prepares the process for [`heavy`], which takes some milliseconds once there are several
/// threads. False if the system has no such barrier, or forbids it to the process: then [`light`]
/// orders nothing, and both sides need fences.
pub fn prepare() -> bool {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let has = membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
        // Slow, and all that there was before 2017.
        || membarrier(libc::MEMBARRIER_CMD_GLOBAL);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let has = true;
    has
}

/// The cold side: every other thread passes a full barrier before this returns. False if that was
/// possible when the process prepared and no longer is, because a filter of system calls came
/// later: then other threads' earlier writes become visible with time, but without a guarantee.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn heavy() -> bool {
    compiler_fence(Ordering::SeqCst);
    // A fork's child may have to prepare again.
    let done = membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
        || membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
            && membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
        || membarrier(libc::MEMBARRIER_CMD_GLOBAL);
    if !done {
        // No processor keeps a store to itself for anything like this long.
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    compiler_fence(Ordering::SeqCst);
    done
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn membarrier(command: libc::c_int) -> bool {
    // SAFETY: the call takes numbers only and changes nothing that Rust knows of.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}

/// The cold side.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn heavy() -> bool {
    fence(Ordering::SeqCst);
    true
}
