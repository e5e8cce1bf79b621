//! Waits of host functions, which other threads can end.

use super::ExecEnv;
use super::atomics::wait_for;
use super::limits::{descriptor_slot, stop_reason, time_left};
use crate::abi::trap::Trap;
use crate::abi::vm_layout::VmEnv;
use crate::platform::poll::{self, Interest, Poll, Readiness};
use crate::platform::signal::keeping_errno;
use crate::sync::{WaitOutcome, WaitQueue, WakeDescriptor};
use std::ptr;
use std::time::Duration;

impl ExecEnv {
    /// Makes the calling thread's blocking calls interruptible until [`ExecEnv::end_blocking`].
    /// Returns false, and begins nothing, if there is a reason to stop.
    pub fn begin_blocking(&self) -> bool {
        keeping_errno(|| {
            // SAFETY: running code's view is the first field.
            self.interrupt().begin(unsafe { time_left(self.view()) });
            let may = !self.is_to_stop();
            if !may {
                self.interrupt().end();
            }
            may
        })
    }

    pub fn end_blocking(&self) {
        keeping_errno(|| {
            self.interrupt().end();
            self.is_to_stop();
        });
    }

    fn view(&self) -> *const VmEnv {
        ptr::from_ref(self).cast()
    }

    /// Whether there is a reason to stop. If so, the instance gets an exception, which ends running
    /// code when the host function returns; otherwise it could repeat the call many times before
    /// its own next check.
    fn is_to_stop(&self) -> bool {
        // SAFETY: running code's view is the first field.
        let reason = unsafe { stop_reason(self.view()) };
        if let Some(trap) = reason
            && self.is_running()
        {
            // SAFETY: an exec_env's instance lives as long.
            unsafe { self.instance().as_ref() }.raise(trap.text().as_bytes());
        }
        reason.is_some()
    }
}

/// The descriptor that wakes the running code's thread from waits for descriptors; `None` without
/// an exec_env.
///
/// # Safety
/// `env` is live during `'a`.
pub unsafe fn wake_descriptor<'a>(env: *const VmEnv) -> Option<WakeDescriptor<'a>> {
    // SAFETY: the caller guarantees that the environment is live during `'a`.
    unsafe { exec_env(env) }?.interrupt().wake_descriptor()
}

/// The exec_env that an environment is the first field of; tests have environments without one.
///
/// # Safety
/// `env` is live during `'a`.
unsafe fn exec_env<'a>(env: *const VmEnv) -> Option<&'a ExecEnv> {
    // SAFETY: an environment that is its own owner belongs to an exec_env, says `ExecEnv::new`.
    unsafe { ((*env).owner.cast_const() == env.cast()).then(|| &*env.cast::<ExecEnv>()) }
}

/// Sleeps on behalf of running code; fails with the reason if there is one to stop meanwhile.
///
/// # Safety
/// `env` is live and used by this thread.
pub unsafe fn sleep(env: *mut VmEnv, time: Duration) -> Result<(), Trap> {
    // SAFETY: the caller guarantees that the environment is live.
    if unsafe { exec_env(env) }.is_none() {
        std::thread::sleep(time);
        return Ok(());
    }
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    // SAFETY: the caller guarantees that the environment is live and this thread's; it belongs to
    // an exec_env. Nobody notifies in a queue of our own.
    match unsafe { wait_for(env, &WaitQueue::new(), 0, Some(nanos), || true) } {
        // SAFETY: the caller guarantees that the environment is live.
        WaitOutcome::Stopped => Err(unsafe { stop_reason(env) }.unwrap_or(Trap::Terminated)),
        WaitOutcome::TimedOut | WaitOutcome::Notified | WaitOutcome::Refused => Ok(()),
    }
}

/// Waits at a place of `queue` on behalf of running code until a notification there; fails with the
/// reason if there is one to stop meanwhile. `is_time` is called under the lock that `notify`
/// takes; if it returns false, there is no wait.
///
/// # Safety
/// `env` is live and used by this thread.
pub unsafe fn wait_at(
    env: *mut VmEnv,
    queue: &WaitQueue,
    place: u64,
    is_time: impl FnOnce() -> bool,
) -> Result<(), Trap> {
    // SAFETY: the caller guarantees that the environment is live.
    if unsafe { exec_env(env) }.is_none() {
        std::thread::yield_now();
        return Ok(());
    }
    // SAFETY: the caller guarantees that the environment is live and this thread's; it belongs to
    // an exec_env.
    match unsafe { wait_for(env, queue, place, None, is_time) } {
        // SAFETY: the caller guarantees that the environment is live.
        WaitOutcome::Stopped => Err(unsafe { stop_reason(env) }.unwrap_or(Trap::Terminated)),
        WaitOutcome::TimedOut | WaitOutcome::Notified | WaitOutcome::Refused => Ok(()),
    }
}

/// Waits on behalf of running code until a write to the descriptor would not block; fails with the
/// reason if there is one to stop meanwhile.
///
/// # Safety
/// `env` is live and used by this thread.
pub unsafe fn wait_to_write(env: *const VmEnv, descriptor: i32) -> Result<(), Trap> {
    // SAFETY: the caller guarantees that the environment is live.
    let slot = unsafe { descriptor_slot(env) };
    // SAFETY: the caller guarantees that the environment is live.
    let wake = slot.as_ref().and_then(|_| unsafe { wake_descriptor(env) });
    let woken = wake.as_ref().map_or(Poll::none(), |wake| Poll::new(wake.fd(), Interest::Read));
    let mut polls = [Poll::new(descriptor, Interest::Write), woken];
    loop {
        // SAFETY: the caller guarantees that the environment is live.
        let timeout = unsafe { poll_timeout(env, None, wake.is_some()) }?;
        match poll::poll(&mut polls, timeout) {
            Ok(0) | Err(poll::INTERRUPTED) => {}
            Ok(_) if matches!(polls[0].readiness(), Readiness::NotYet) => {
                if let Some(wake) = &wake {
                    wake.clear();
                }
            }
            Ok(_) | Err(_) => return Ok(()),
        }
    }
}

/// How long one wait for descriptors may last on behalf of running code, in milliseconds as
/// [`poll::poll`] takes them: at most `nanos`, and no longer than the code's time limit allows. A
/// wait without a wake descriptor is short. Fails with the reason if there is one to stop.
///
/// # Safety
/// `env` is live.
pub unsafe fn poll_timeout(
    env: *const VmEnv,
    nanos: Option<u64>,
    can_be_woken: bool,
) -> Result<i32, Trap> {
    // SAFETY: the caller guarantees that the environment is live.
    let (reason, left) = unsafe { (stop_reason(env), time_left(env)) };
    if let Some(trap) = reason {
        return Err(trap);
    }
    let asked = nanos.map(Duration::from_nanos);
    let slice = (!can_be_woken).then_some(SLICE);
    let longest = [asked, left, slice].into_iter().flatten().min();
    let millis =
        |time: Duration| i32::try_from(time.as_nanos().div_ceil(NANOS_PER_MS)).unwrap_or(i32::MAX);
    Ok(longest.map_or(-1, millis))
}

const NANOS_PER_MS: u128 = 1_000_000;

/// How long a wait without a wake descriptor lasts before it looks again.
const SLICE: Duration = Duration::from_millis(10);

/// Ends an operation even if it panics.
struct Ended<'a>(&'a ExecEnv);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.end_blocking();
    }
}

/// Runs `act` between [`ExecEnv::begin_blocking`] and [`ExecEnv::end_blocking`]; fails with the
/// reason to stop if there is one before or afterwards.
///
/// # Safety
/// `env` is live and used by this thread.
pub unsafe fn blocking<R>(env: *const VmEnv, act: impl FnOnce() -> R) -> Result<R, Trap> {
    // SAFETY: the caller guarantees that the environment is live.
    let Some(exec_env) = (unsafe { exec_env(env) }) else { return Ok(act()) };
    if !exec_env.begin_blocking() {
        // SAFETY: the caller guarantees that the environment is live.
        return Err(unsafe { stop_reason(env) }.unwrap_or(Trap::Terminated));
    }
    let ended = Ended(exec_env);
    let result = act();
    drop(ended);
    // SAFETY: the caller guarantees that the environment is live.
    unsafe { stop_reason(env) }.map_or(Ok(result), Err)
}
