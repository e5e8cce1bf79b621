//! Times that a guest gives to files.

use super::abi::{fstflags, known};
use super::call::Outcome;
use super::errno::Errno;
use crate::platform::fd::Time;
use cap_fs_ext::SystemTimeSpec;
use cap_std::time::SystemClock;
use std::time::Duration;

/// The change of a file's times.
#[derive(Clone, Copy)]
pub(super) struct NewTimes {
    pub(super) accessed: NewTime,
    pub(super) modified: NewTime,
}

#[derive(Clone, Copy)]
pub(super) struct NewTime(pub(super) Time);

impl NewTimes {
    /// Of preview 1's numbers; a time cannot be both the present one and another.
    pub(super) fn new(accessed: u64, modified: u64, flags: u32) -> Outcome<Self> {
        known(flags, fstflags::ALL)?;
        let time = |set, now, nanos| match (flags & now != 0, flags & set != 0) {
            (true, true) => Err(Errno::Invalid),
            (true, false) => Ok(NewTime(Time::Now)),
            (false, true) => Ok(NewTime(Time::At(nanos))),
            (false, false) => Ok(NewTime(Time::Keep)),
        };
        Ok(Self {
            accessed: time(fstflags::ATIM, fstflags::ATIM_NOW, accessed)?,
            modified: time(fstflags::MTIM, fstflags::MTIM_NOW, modified)?,
        })
    }
}

impl NewTime {
    /// The same for `cap-std`; none for a time that stays.
    pub(super) fn spec(self) -> Outcome<Option<SystemTimeSpec>> {
        Ok(match self.0 {
            Time::Keep => None,
            Time::Now => Some(SystemTimeSpec::SymbolicNow),
            Time::At(nanos) => {
                let at = SystemClock::UNIX_EPOCH.checked_add(Duration::from_nanos(nanos));
                Some(SystemTimeSpec::Absolute(at.ok_or(Errno::Overflow)?))
            }
        })
    }
}
