//! The end of the program, and giving way to others.

use super::call::{Call, Outcome, Stop};
use crate::abi::trap::Trap;

/// Ends the program: a trap that whoever started it takes for what it is.
pub(super) fn proc_exit(call: &Call<'_>, code: u32) -> Outcome {
    call.ctx.set_exit_code(code);
    Err(Trap::ProcExit.into())
}

/// Ends the program with an exception that tells the signal: a guest has no handlers for it.
pub(super) fn proc_raise(_call: &Call<'_>, signal: u32) -> Outcome {
    Err(Stop::Signal(signal as u8))
}

pub(super) fn sched_yield(_call: &Call<'_>) -> Outcome {
    std::thread::yield_now();
    Ok(())
}
