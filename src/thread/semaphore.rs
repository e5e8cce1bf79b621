//! Named semaphores.
//!
//! Names are those of the program, not of the system: another program's semaphore of the same name
//! is a different one, and its handle is invalid here.

use super::objects::Objects;
use super::pthread_call::{FAILED, PthreadCall};
use crate::abi::trap::Trap;
use crate::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

/// The guest's O_CREAT, in the two C libraries that guests have.
const CREATE: [u32; 2] = [0o100, 1 << 12];

fn found(call: &PthreadCall<'_>, handle: u32) -> Option<Arc<AtomicU32>> {
    let objects: &Objects = &call.program.objects;
    objects.semaphore(handle)
}

fn try_take(state: &AtomicU32) -> bool {
    let less = |value: u32| value.checked_sub(1);
    state.fetch_update(Ordering::Acquire, Ordering::Relaxed, less).is_ok()
}

pub(super) fn open(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    let Some(name) = call.text(0)? else { return Ok(FAILED) };
    let create = CREATE.iter().any(|&bit| call.arg(1) & bit != 0);
    Ok(call.program.objects.open(&name, create, call.arg(3)).unwrap_or(FAILED))
}

/// Handles stay good until the name is gone, as other threads may use them.
pub(super) fn close(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    Ok(found(call, call.arg(0)).map_or(FAILED, |_| 0))
}

pub(super) fn wait(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    let Some(state) = found(call, call.arg(0)) else { return Ok(FAILED) };
    call.program.waits.take(call.caller, call.arg(0), || try_take(&state))?;
    Ok(0)
}

pub(super) fn trywait(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    let state = found(call, call.arg(0));
    Ok(state.filter(|state| try_take(state)).map_or(FAILED, |_| 0))
}

pub(super) fn post(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    let Some(state) = found(call, call.arg(0)) else { return Ok(FAILED) };
    call.program.waits.post(call.arg(0), &state);
    Ok(0)
}

pub(super) fn getvalue(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    let Some(state) = found(call, call.arg(0)) else { return Ok(FAILED) };
    call.memory().write_u32(call.arg(1).into(), state.load(Ordering::Relaxed))?;
    Ok(0)
}

pub(super) fn unlink(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    let Some(name) = call.text(0)? else { return Ok(FAILED) };
    Ok(if call.program.objects.unlink(&name) { 0 } else { FAILED })
}
