//! Limits that the exec_envs of one context share: instructions, time, descriptors.
//!
//! Running code looks only at its own budget. When that is used up, `work::refill` asks here, and
//! so do waits that take long, through [`stop_reason`]. A call that starts compares one version
//! number, and that is all while no limit is set or changed. With limits, a call looks at the clock
//! when it starts and gives back its unused instructions when it ends, so that those that many
//! exec_envs have drawn ahead do not count as used.
//!
//! Translating a function at its first call is not charged: whether a call has to do it depends on
//! calls by other users of the module, but a program's charge must not. Translation looks at time
//! and termination instead, every few tenths of a millisecond.

use super::env::ExecEnv;
use super::quota::{Quota, QuotaSlot};
use crate::abi::trap::Trap;
use crate::abi::vm_layout::VmEnv;
use crate::instance::CANCEL;
use crate::platform::time::{self, Clock};
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

/// Stands for "no limit".
const NONE: u64 = u64::MAX;
/// One exec_env draws no more than this part of the remaining fuel ahead, so that some is left for
/// the others.
const SHARE: u64 = 8;

/// Limits on running code, and its counters. Owner: the context.
pub struct Limits {
    /// The version of the limits: changes with every limit that is set, and is odd while there is
    /// any.
    version: AtomicU32,
    /// Instructions left to draw.
    fuel: AtomicU64,
    /// When to stop, by the monotonic clock.
    deadline: AtomicU64,
    /// The counts of exec_envs that are gone.
    calls: AtomicU64,
    traps: AtomicU64,
    descriptors: Arc<Quota>,
    errands: Arc<Quota>,
}

/// Calls into guests, and how many of them failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallCounts {
    pub calls: u64,
    pub traps: u64,
}

impl std::ops::AddAssign for CallCounts {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.traps += other.traps;
    }
}

/// The descriptors that guests of a context hold now, and the most that they ever held at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DescriptorCounts {
    pub live: u32,
    pub peak: u32,
}

impl Limits {
    /// No limits but one on descriptors.
    pub fn new(max_descriptors: Option<u32>) -> Self {
        Self {
            version: AtomicU32::new(0),
            fuel: AtomicU64::new(NONE),
            deadline: AtomicU64::new(NONE),
            calls: AtomicU64::new(0),
            traps: AtomicU64::new(0),
            descriptors: Arc::new(Quota::of_descriptors(max_descriptors)),
            errands: Arc::new(Quota::of_errands()),
        }
    }

    /// What guests have opened, and how much they may open.
    pub fn descriptors(&self) -> &Arc<Quota> {
        &self.descriptors
    }

    pub fn descriptor_counts(&self) -> DescriptorCounts {
        DescriptorCounts { live: self.descriptors.live(), peak: self.descriptors.peak() }
    }

    /// Threads that work for guests in calls of the system's that cannot be stopped.
    pub fn errands(&self) -> &Arc<Quota> {
        &self.errands
    }

    /// The instructions that are left.
    pub fn fuel(&self) -> Option<u64> {
        Some(self.fuel.load(Ordering::Relaxed)).filter(|&fuel| fuel != NONE)
    }

    pub fn set_fuel(&self, fuel: Option<u64>) {
        self.fuel.store(fuel.map_or(NONE, |fuel| fuel.min(NONE - 1)), Ordering::SeqCst);
        self.touch();
    }

    /// The time that is left.
    pub fn time_left(&self) -> Option<Duration> {
        let deadline = self.deadline.load(Ordering::Relaxed);
        (deadline != NONE).then(|| Duration::from_nanos(deadline.saturating_sub(now())))
    }

    /// Limits the time, from now on.
    pub fn set_time_left(&self, left: Option<Duration>) {
        let deadline = left.map_or(NONE, |left| {
            let left = u64::try_from(left.as_nanos()).unwrap_or(NONE);
            now().saturating_add(left).min(NONE - 1)
        });
        self.deadline.store(deadline, Ordering::SeqCst);
        self.touch();
    }

    /// Makes exec_envs look at the limits before their next call.
    fn touch(&self) {
        let next = |version: u32| {
            let limited = self.fuel.load(Ordering::SeqCst) != NONE
                || self.deadline.load(Ordering::SeqCst) != NONE;
            Some((version & !1).wrapping_add(2) | u32::from(limited))
        };
        // Never refused: `next` always gives a value.
        let _ = self.version.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next);
    }

    #[inline]
    pub(super) fn version(&self) -> u32 {
        self.version.load(Ordering::Relaxed)
    }

    /// Whether the time is over.
    pub fn is_over(&self) -> bool {
        let deadline = self.deadline.load(Ordering::Relaxed);
        deadline != NONE && now() >= deadline
    }

    /// Takes up to `wanted` instructions, of which `needed` are indispensable.
    fn draw(&self, wanted: u64, needed: u64) -> u64 {
        let mut left = self.fuel.load(Ordering::Relaxed);
        loop {
            if left == NONE {
                return wanted;
            }
            let taken = wanted.min(needed.max(left / SHARE)).min(left);
            let changed = self.fuel.compare_exchange_weak(
                left,
                left - taken,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            match changed {
                Ok(_) => return taken,
                Err(now) => left = now,
            }
        }
    }

    fn give_back(&self, unused: u64) {
        let sum = |left: u64| (left != NONE).then(|| left.saturating_add(unused).min(NONE - 1));
        // Without a limit there is nothing to give back to.
        let _ = self.fuel.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum);
    }

    /// Adds the counts of an exec_env that is about to be freed.
    pub(super) fn keep(&self, counts: CallCounts) {
        self.calls.fetch_add(counts.calls, Ordering::Relaxed);
        self.traps.fetch_add(counts.traps, Ordering::Relaxed);
    }

    /// The counts of exec_envs that are gone.
    pub fn kept(&self) -> CallCounts {
        let (calls, traps) = (&self.calls, &self.traps);
        CallCounts { calls: calls.load(Ordering::Relaxed), traps: traps.load(Ordering::Relaxed) }
    }
}

/// The monotonic clock. Without one no deadline ever comes.
fn now() -> u64 {
    time::now(Clock::Monotonic).unwrap_or(0)
}

/// The limits of running code, if it has any.
///
/// # Safety
/// `env` is live during `'a`.
unsafe fn limits_of<'a>(env: *const VmEnv) -> Option<&'a Limits> {
    // SAFETY: null, or limits that outlive the exec_env.
    unsafe { (*env).limits.cast::<Limits>().as_ref() }
}

/// The trap that ends code which finds `asked` in its environment.
pub(super) fn reason_of(asked: u32) -> Trap {
    if asked & CANCEL != 0 { Trap::ThreadExit } else { Trap::Terminated }
}

/// Why running code, or a host function that waits in its name, should stop now.
///
/// # Safety
/// `env` is live.
pub unsafe fn stop_reason(env: *const VmEnv) -> Option<Trap> {
    // SAFETY: the caller guarantees that the environment is live.
    unsafe {
        let asked = (*env).terminate.load(Ordering::Acquire);
        if asked != 0 {
            return Some(reason_of(asked));
        }
        let limits = limits_of(env)?;
        limits.is_over().then_some(Trap::DeadlineExceeded)
    }
}

/// Room for one more descriptor of running code's; `None` if its context has no more.
///
/// # Safety
/// `env` is live.
pub unsafe fn descriptor_slot(env: *const VmEnv) -> Option<QuotaSlot> {
    // SAFETY: the caller's environment is live.
    unsafe { slot(env, Limits::descriptors) }
}

/// Room for one more thread that works for running code; `None` if its context has no more.
///
/// # Safety
/// `env` is live.
pub unsafe fn errand_slot(env: *const VmEnv) -> Option<QuotaSlot> {
    // SAFETY: the caller's environment is live.
    unsafe { slot(env, Limits::errands) }
}

/// # Safety
/// `env` is live.
unsafe fn slot(env: *const VmEnv, quota: fn(&Limits) -> &Arc<Quota>) -> Option<QuotaSlot> {
    // SAFETY: the caller's environment is live, and it names no limits but those that outlive it.
    match unsafe { limits_of(env) } {
        Some(limits) => quota(limits).slot(),
        None => Some(QuotaSlot::uncounted()),
    }
}

/// How long a host function may wait before it should ask [`stop_reason`]; `None` if time does not
/// matter.
///
/// # Safety
/// `env` is live.
pub unsafe fn time_left(env: *const VmEnv) -> Option<Duration> {
    // SAFETY: the caller guarantees that the environment is live.
    unsafe { limits_of(env)?.time_left() }
}

/// Draws up to `wanted` instructions from the shared limit.
///
/// # Safety
/// `env` is live and used by this thread.
pub(super) unsafe fn draw(env: *const VmEnv, wanted: i64) -> i64 {
    // SAFETY: the caller guarantees that the environment is live and this thread's.
    unsafe {
        let Some(limits) = limits_of(env) else { return wanted };
        if limits.fuel.load(Ordering::Relaxed) == NONE {
            return wanted;
        }
        // An environment with limits is that of an exec_env.
        (*(*env).owner.cast::<ExecEnv>()).drawn.set(limits.version() | 1);
        let needed = (*env).budget.min(0).unsigned_abs();
        let taken = limits.draw(wanted.max(0) as u64, needed);
        i64::try_from(taken).unwrap_or(wanted)
    }
}

/// Gives the exec_env's unused instructions back to the shared limit.
///
/// # Safety
/// `env` is live and used by this thread.
#[cold]
pub(super) unsafe fn give_back(env: NonNull<ExecEnv>) {
    let vm = ExecEnv::vm(env);
    // SAFETY: the caller guarantees that the exec_env is live and this thread's.
    unsafe {
        let unused = (*vm).budget.max(0);
        (*vm).budget -= unused;
        if (*vm).fuel != i64::MAX {
            (*vm).fuel = (*vm).fuel.saturating_add(unused).min(i64::MAX - 1);
        }
        let drawn = env.as_ref().drawn.replace(0);
        // Instructions drawn before the limit was last set count as used.
        if let Some(limits) = env.as_ref().limits()
            && drawn == limits.version()
        {
            limits.give_back(unused as u64);
        }
    }
}

/// Looks at the limits before a call, because they have changed or one is set.
///
/// # Safety
/// `env` is live and used by this thread.
#[cold]
pub(super) unsafe fn check(env: NonNull<ExecEnv>) -> Result<(), Trap> {
    // SAFETY: the caller guarantees that the exec_env is live and this thread's.
    unsafe {
        // The rest of an unlimited budget must not run first, and a budget below zero from an
        // earlier call is no debt.
        give_back(env);
        (*ExecEnv::vm(env)).budget = 0;
        let Some(limits) = env.as_ref().limits() else { return Ok(()) };
        // While there are limits their version is odd, so that the next call looks again.
        env.as_ref().seen.set(limits.version() & !1);
        if limits.is_over() { Err(Trap::DeadlineExceeded) } else { Ok(()) }
    }
}
