//! Clocks, in nanoseconds.

use nix::sys::time::TimeSpec;
use nix::time::ClockId;

/// A clock of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Since 1970, as the system believes; it may jump.
    Wall,
    /// Since some moment; it never goes back.
    Monotonic,
    /// CPU time of the process.
    ProcessCpu,
    /// CPU time of the calling thread.
    ThreadCpu,
}

fn id(clock: Clock) -> ClockId {
    ClockId::from_raw(match clock {
        Clock::Wall => libc::CLOCK_REALTIME,
        Clock::Monotonic => libc::CLOCK_MONOTONIC,
        Clock::ProcessCpu => libc::CLOCK_PROCESS_CPUTIME_ID,
        Clock::ThreadCpu => libc::CLOCK_THREAD_CPUTIME_ID,
    })
}

fn nanoseconds(time: TimeSpec) -> Option<u64> {
    let seconds = u64::try_from(time.tv_sec()).ok()?;
    let rest = u64::try_from(time.tv_nsec()).ok()?;
    seconds.checked_mul(1_000_000_000)?.checked_add(rest)
}

/// The clock's time; `None` if the system lacks the clock, or for a time before 1970.
pub fn now(clock: Clock) -> Option<u64> {
    id(clock).now().ok().and_then(nanoseconds)
}

/// The distance between two of the clock's ticks; `None` if the system lacks the clock.
pub fn resolution(clock: Clock) -> Option<u64> {
    id(clock).res().ok().and_then(nanoseconds)
}
