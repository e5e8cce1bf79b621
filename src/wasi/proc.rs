//! The end of the program, and giving way to others.

use super::call::{Call, Outcome, Stop};
use super::errno::Errno;
use crate::abi::trap::Trap;

/// Ends the program: a trap that its caller recognises.
pub(super) fn proc_exit(call: &Call<'_>, code: u32) -> Outcome {
    call.ctx.set_exit_code(code);
    Err(Trap::ProcExit.into())
}

/// The last of preview 1's signals.
const SIGNAL_MAX: u8 = 30;

/// Ends the program with an exception that names the signal: a guest has no handlers for it.
pub(super) fn proc_raise(_call: &Call<'_>, signal: u32) -> Outcome {
    match u8::try_from(signal) {
        Ok(signal @ 0..=SIGNAL_MAX) => Err(Stop::Signal(signal)),
        _ => Err(Errno::Invalid.into()),
    }
}

pub(super) fn sched_yield(_call: &Call<'_>) -> Outcome {
    std::thread::yield_now();
    Ok(())
}
