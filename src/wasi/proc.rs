//! The end of the program, and giving way to others.

use super::call::{Call, Outcome};
use super::errno::Errno;
use crate::abi::trap::Trap;

/// Ends the program: a trap that whoever started it takes for what it is.
pub(super) fn proc_exit(call: &Call<'_>, code: u32) -> Outcome {
    call.ctx.set_exit_code(code);
    Err(Trap::ProcExit.into())
}

/// A guest has no signals.
pub(super) fn proc_raise(_call: &Call<'_>, _signal: u32) -> Outcome {
    Err(Errno::NoSys.into())
}

pub(super) fn sched_yield(_call: &Call<'_>) -> Outcome {
    std::thread::yield_now();
    Ok(())
}
