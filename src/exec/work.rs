//! Charging for work.
//!
//! The budget of running code is the work left before it has to check fuel, deadlines and
//! termination. Translated code takes its instructions from it. A longer operation is charged here
//! for the rest, and works in pieces with a check in between if it may take long. A unit is about
//! an instruction, or one line of a processor's cache moved. The charge depends on the guest's
//! operands alone, never on the place of its memory or on earlier events, so that the same run uses
//! the same fuel.

use super::limits::{self, stop_reason};
use crate::abi::trap::Trap;
use crate::abi::vm_layout::VmEnv;
use crate::instance::PIECE_BYTES;
use std::ptr;

/// Units between two checks.
pub const SLICE: i64 = 100_000;

/// Extra units of an instruction that leaves translated code, where it is charged one already.
pub const SLOW: u64 = 15;

/// Extra units of a call of a host function, for which translated code is charged one already.
pub const HOST_CALL: u64 = 63;

/// Bytes moved for one unit.
const BYTES_PER_UNIT: u64 = 64;

/// Bytes that a host function handles for one unit: it looks at them one by one, or makes them.
const HOST_BYTES_PER_UNIT: u64 = 8;

/// Units for moving that number of bytes.
#[inline]
pub const fn of_bytes(bytes: u64) -> u64 {
    SLOW + bytes / BYTES_PER_UNIT
}

/// Units for moving that number of slots.
#[inline]
pub const fn of_slots(slots: usize) -> u64 {
    (slots as u64).saturating_mul(8) / BYTES_PER_UNIT
}

/// Called when the budget is used up: checks whether to stop, and refills it from the fuel, the
/// exec_env's own and the shared limit's.
///
/// # Safety
/// `env` is the live environment of the running code.
#[cold]
#[inline(never)]
pub unsafe fn refill(env: *mut VmEnv) -> Result<(), Trap> {
    // SAFETY: the caller guarantees that the environment is live and this thread runs its code.
    unsafe {
        if let Some(trap) = stop_reason(env) {
            return Err(trap);
        }
        // A body may cost more than a slice; it needs its whole cost at once.
        let wanted = SLICE.saturating_sub((*env).budget.min(0));
        let taken = limits::draw(env, (*env).fuel.min(wanted));
        if (*env).fuel != i64::MAX {
            (*env).fuel -= taken;
        }
        (*env).budget = (*env).budget.saturating_add(taken);
        if (*env).budget < 0 { Err(Trap::FuelExhausted) } else { Ok(()) }
    }
}

/// Takes `units` from the budget; refills it when it is used up.
///
/// # Safety
/// `env` is the live environment of the running code.
#[inline]
pub unsafe fn charge(env: *mut VmEnv, units: u64) -> Result<(), Trap> {
    // SAFETY: the caller guarantees that the environment is live and this thread runs its code.
    unsafe {
        (*env).budget = (*env).budget.saturating_sub_unsigned(units);
        if (*env).budget < 0 { refill(env) } else { Ok(()) }
    }
}

/// Charges a host function for handling that number of bytes.
///
/// # Safety
/// `env` is the live environment of the running code.
#[inline]
pub unsafe fn charge_bytes(env: *mut VmEnv, bytes: u64) -> Result<(), Trap> {
    // SAFETY: the caller guarantees that the environment is live and this thread runs its code.
    unsafe { charge(env, bytes.div_ceil(HOST_BYTES_PER_UNIT)) }
}

/// Works on `count` elements of `bytes` bytes each, in pieces that are charged for before they are
/// done: `piece` is given the number of its first element and how many there are.
///
/// # Safety
/// `env` is the live environment of the running code.
#[inline]
pub unsafe fn in_pieces(
    env: *mut VmEnv,
    count: usize,
    bytes: usize,
    mut piece: impl FnMut(usize, usize) -> Result<(), Trap>,
) -> Result<(), Trap> {
    let most = PIECE_BYTES / bytes.max(1);
    let mut done = 0;
    loop {
        let now = (count - done).min(most);
        // SAFETY: the caller guarantees that the environment is live and this thread runs its code.
        unsafe { charge(env, of_bytes((now * bytes) as u64))? };
        piece(done, now)?;
        done += now;
        if done >= count {
            return Ok(());
        }
    }
}

/// Sets `len` bytes at `to`. On a trap some of them may have been set.
///
/// # Safety
/// `env` is the live environment of the running code; the bytes are accessible, and stay so
/// while this thread does nothing else.
pub unsafe fn fill(env: *mut VmEnv, to: *mut u8, byte: u8, len: usize) -> Result<(), Trap> {
    // SAFETY: pieces lie within the bytes, which the caller vouches for.
    unsafe {
        in_pieces(env, len, 1, |at, now| {
            ptr::write_bytes(to.add(at), byte, now);
            Ok(())
        })
    }
}

/// Copies `len` bytes, which may overlap. On a trap some of them may have been copied.
///
/// # Safety
/// `env` is the live environment of the running code; all of the bytes are accessible, and stay
/// so while this thread does nothing else.
pub unsafe fn copy(env: *mut VmEnv, from: *const u8, to: *mut u8, len: usize) -> Result<(), Trap> {
    // From the end where the target begins inside the source, so that no piece overwrites bytes
    // that a later one reads.
    let backwards = to.addr().wrapping_sub(from.addr()) < len;
    // SAFETY: pieces lie within the bytes, which the caller vouches for.
    unsafe {
        in_pieces(env, len, 1, |done, now| {
            let at = if backwards { len - done - now } else { done };
            ptr::copy(from.add(at), to.add(at), now);
            Ok(())
        })
    }
}

/// A check between pieces of work that is not charged for, because its cost depends on the place of
/// a memory or a table.
///
/// # Safety
/// `env` is the live environment of running code, and stays so while the function is used.
pub unsafe fn look(env: *const VmEnv) -> impl FnMut() -> Result<(), Trap> {
    // SAFETY: the caller guarantees that the environment is live while the function is used.
    move || unsafe { stop_reason(env) }.map_or(Ok(()), Err)
}
