//! Clocks.

use super::abi::Addr;
use super::call::{Call, Outcome};
use super::errno::Errno;
use crate::platform::time::{self, Clock};

/// The host's clock behind the guest's number for it.
pub(super) fn clock(id: u32) -> Outcome<Clock> {
    Ok(match id {
        0 => Clock::Wall,
        1 => Clock::Monotonic,
        2 => Clock::ProcessCpu,
        3 => Clock::ThreadCpu,
        _ => return Err(Errno::Invalid.into()),
    })
}

pub(super) fn clock_res_get(call: &Call<'_>, id: u32, resolution: Addr) -> Outcome {
    call.check(resolution, 8)?;
    let nanos = time::resolution(clock(id)?).ok_or(Errno::NotSupported)?;
    call.write_u64(resolution, nanos)
}

/// The precision that the guest would be content with is not made use of.
pub(super) fn clock_time_get(call: &Call<'_>, id: u32, _precision: u64, now: Addr) -> Outcome {
    call.check(now, 8)?;
    let nanos = time::now(clock(id)?).ok_or(Errno::NotSupported)?;
    call.write_u64(now, nanos)
}
