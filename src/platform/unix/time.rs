//! Clocks, in nanoseconds.

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

fn id(clock: Clock) -> libc::clockid_t {
    match clock {
        Clock::Wall => libc::CLOCK_REALTIME,
        Clock::Monotonic => libc::CLOCK_MONOTONIC,
        Clock::ProcessCpu => libc::CLOCK_PROCESS_CPUTIME_ID,
        Clock::ThreadCpu => libc::CLOCK_THREAD_CPUTIME_ID,
    }
}

fn nanoseconds(time: libc::timespec) -> Option<u64> {
    let seconds = u64::try_from(time.tv_sec).ok()?;
    let rest = u64::try_from(time.tv_nsec).ok()?;
    seconds.checked_mul(1_000_000_000)?.checked_add(rest)
}

/// The clock's time; `None` if the system lacks the clock, or for a time before 1970.
pub fn now(clock: Clock) -> Option<u64> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes the structure it is given.
    let told = unsafe { libc::clock_gettime(id(clock), &mut time) } == 0;
    if told { nanoseconds(time) } else { None }
}

/// The distance between two of the clock's ticks; `None` if the system lacks the clock.
pub fn resolution(clock: Clock) -> Option<u64> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes the structure it is given.
    let told = unsafe { libc::clock_getres(id(clock), &mut time) } == 0;
    if told { nanoseconds(time) } else { None }
}
