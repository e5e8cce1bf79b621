//! Waiting for other threads of a guest, the same for every engine.

use super::env::ExecEnv;
use super::limits::{stop_reason, time_left};
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmEnv, VmInstance};
use crate::instance::{Instance, SharedMemory};
use crate::platform::time::{Clock, now};
use crate::sync::{WaitLimit, WaitOutcome, WaitQueue};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The value that memory must hold for a wait to begin.
pub struct Expected {
    /// Aligned, and inside the memory.
    pub place: *mut u8,
    pub value: u64,
    /// 4 or 8.
    pub bytes: usize,
}

impl Expected {
    /// # Safety
    /// `place` is accessible.
    unsafe fn is_there(&self) -> bool {
        // SAFETY: the caller guarantees that the place is accessible; it is aligned for its width.
        unsafe {
            if self.bytes == size_of::<u32>() {
                AtomicU32::from_ptr(self.place.cast()).load(Ordering::SeqCst) == self.value as u32
            } else {
                AtomicU64::from_ptr(self.place.cast()).load(Ordering::SeqCst) == self.value
            }
        }
    }
}

/// The limits of a wait on behalf of running code.
struct Waiting {
    env: *const VmEnv,
    /// When to give up, on the monotonic clock.
    until: Option<u64>,
}

impl WaitLimit for Waiting {
    fn should_stop(&self) -> bool {
        // SAFETY: the environment is that of the running code, which waits here.
        unsafe { stop_reason(self.env) }.is_some()
    }

    fn left(&self) -> Option<u64> {
        let until = self.until.map(|until| until.saturating_sub(clock()));
        // SAFETY: the environment is that of the running code, which waits here.
        let limit = unsafe { time_left(self.env) };
        let limit = limit.map(|left| u64::try_from(left.as_nanos()).unwrap_or(u64::MAX));
        // When the limit comes first, there is a reason to stop at its end.
        until.into_iter().chain(limit).min()
    }
}

fn clock() -> u64 {
    now(Clock::Monotonic).unwrap_or(0)
}

/// `memory.atomic.wait32` and `wait64`: 0 after a notification, 1 if something else is there, 2
/// after `timeout` nanoseconds, which are endless if negative. Ends with a trap when the code has
/// to stop.
///
/// # Safety
/// `env` is the live environment of the running code, and `expected` a place in its memory.
pub unsafe fn wait(
    env: *mut VmEnv,
    memory: u32,
    address: u64,
    expected: Expected,
    timeout: i64,
) -> Result<u32, Trap> {
    // SAFETY: the caller guarantees a live environment of running code, so its instance is live and
    // its owner an exec_env; the place is in the memory.
    unsafe {
        let shared = shared_memory((*env).instance, memory).ok_or(Trap::ExpectedSharedMemory)?;
        let timeout = u64::try_from(timeout).ok();
        match wait_for(env, &shared.wait_queue, address, timeout, || expected.is_there()) {
            WaitOutcome::Notified => Ok(0),
            WaitOutcome::Refused => Ok(1),
            WaitOutcome::TimedOut => Ok(2),
            WaitOutcome::Stopped => Err(stop_reason(env).unwrap_or(Trap::Terminated)),
        }
    }
}

/// Waits in `queue` on behalf of running code, for `timeout` nanoseconds at most.
///
/// # Safety
/// `env` is the live environment of the running code.
pub unsafe fn wait_for(
    env: *mut VmEnv,
    queue: &WaitQueue,
    place: u64,
    timeout: Option<u64>,
    is_time: impl FnOnce() -> bool,
) -> WaitOutcome {
    let until = timeout.map(|timeout| clock().saturating_add(timeout));
    // SAFETY: the caller guarantees a live environment of running code, whose owner is its
    // exec_env.
    let parker = unsafe { (*(*env).owner.cast::<ExecEnv>()).parker() };
    queue.wait(place, parker, &Waiting { env, until }, is_time)
}

/// `memory.atomic.notify`: how many of up to `count` waiters were woken.
///
/// # Safety
/// `instance` is live, and used by this thread only.
pub unsafe fn notify(instance: *mut VmInstance, memory: u32, address: u64, count: u32) -> u32 {
    // SAFETY: the caller guarantees that the instance is live and this thread's.
    let shared = unsafe { shared_memory(instance, memory) };
    shared.map_or(0, |shared| shared.wait_queue.notify(address, count))
}

/// # Safety
/// As for [`notify`].
unsafe fn shared_memory<'a>(
    instance: *mut VmInstance,
    memory: u32,
) -> Option<&'a Arc<SharedMemory>> {
    // SAFETY: the caller guarantees that the instance is live.
    unsafe { Instance::of_vm(instance) }.memory(memory)?.shared()
}
