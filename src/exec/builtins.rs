//! Slow paths of running code, the same for every engine.
//!
//! Engines call these with the pointers that they run on. Indices come from validated code;
//! one that is wrong all the same gives a trap, never a wild access.

use super::limits::{self, stop_reason};
use crate::abi::error::bounded;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmEnv, VmFuncRef, VmInstance};
use crate::instance::{Instance, reach};
use std::ptr;

/// Instructions between two looks at fuel and termination.
pub const SLICE: i64 = 100_000;

/// Called when the budget is used up: looks whether to stop, and refills it from the fuel, the
/// exec_env's own and what it shares.
///
/// # Safety
/// `env` is the live environment of the running code.
#[cold]
#[inline(never)]
pub unsafe fn refill(env: *mut VmEnv) -> Result<(), Trap> {
    // SAFETY: passed on to the caller.
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

/// Makes running code's view of memory 0 as long as the memory is.
///
/// # Safety
/// `instance` is live, and used by this thread only.
pub unsafe fn refresh_memory(instance: *mut VmInstance) {
    // SAFETY: passed on to the caller.
    if let Some(memory) = unsafe { Instance::of_vm(instance) }.memory(0) {
        memory.refresh();
    }
}

/// Says which import could not be called.
///
/// # Safety
/// The function's instance is live.
#[cold]
pub unsafe fn unlinked(func: *const VmFuncRef) -> Trap {
    // SAFETY: passed on to the caller.
    let (instance, index) = unsafe { (Instance::of_vm((*func).instance), (*func).func_index) };
    if let Some(import) = instance.module().imported_func(index) {
        let (module, name) = (&import.module, &import.name);
        let text =
            bounded(format_args!("failed to call unlinked import function ({module}, {name})"));
        instance.raise(text.as_bytes());
    }
    Trap::UnlinkedImport
}

/// Where `len` bytes at `address` are that the running code did not find in memory 0, as long as
/// it knows that to be: elsewhere within the instance's reach, or in what has grown since.
///
/// # Safety
/// `instance` is live.
#[cold]
#[inline(never)]
pub unsafe fn far_memory(instance: *mut VmInstance, address: u64, len: u64) -> Option<*mut u8> {
    // SAFETY: passed on to the caller.
    unsafe { reach::locate(instance, address, len) }
}

/// `memory.grow`: pages before, or all ones; the host hears of failures in `env`.
///
/// # Safety
/// `env` and its instance are live, and used by this thread only; so the instances of all that
/// follow.
pub unsafe fn memory_grow(env: *const VmEnv, memory: u32, delta: u64) -> u64 {
    // SAFETY: passed on to the caller.
    let (instance, exec_env) = unsafe { (Instance::of_vm((*env).instance), (*env).owner) };
    let grown = instance.memory(memory).and_then(|memory| memory.grow_for(exec_env, delta).ok());
    grown.unwrap_or(u64::MAX)
}

/// `memory.init`.
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn memory_init(
    instance: *mut VmInstance,
    memory: u32,
    segment: u32,
    to: u64,
    from: u32,
    count: u32,
) -> Result<(), Trap> {
    // SAFETY: passed on to the caller.
    unsafe { Instance::of_vm(instance) }.memory_init(memory, segment, to, from, count)
}

/// `data.drop`.
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn data_drop(instance: *mut VmInstance, segment: u32) {
    // SAFETY: passed on to the caller.
    unsafe { Instance::of_vm(instance) }.drop_data(segment);
}

/// `table.grow`: elements before, or all ones.
///
/// # Safety
/// As for [`memory_grow`]; `init` is a valid element.
pub unsafe fn table_grow(instance: *mut VmInstance, table: u32, delta: u64, init: u64) -> u64 {
    // SAFETY: passed on to the caller.
    let instance = unsafe { Instance::of_vm(instance) };
    let grown = instance.table(table).and_then(|table| table.grow(delta, init));
    grown.unwrap_or(u64::MAX)
}

/// `table.fill`.
///
/// # Safety
/// As for [`table_grow`].
pub unsafe fn table_fill(
    instance: *mut VmInstance,
    table: u32,
    at: u32,
    value: u64,
    count: u32,
) -> Result<(), Trap> {
    // SAFETY: passed on to the caller.
    let instance = unsafe { Instance::of_vm(instance) };
    let target = instance.table(table).and_then(|table| table.range(at as u64, count as u64));
    let target = target.ok_or(Trap::TableOutOfBounds)?;
    for index in 0..count as usize {
        // SAFETY: `range` has found the elements.
        unsafe { *target.add(index) = value };
    }
    Ok(())
}

/// `table.copy`.
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn table_copy(
    instance: *mut VmInstance,
    to_table: u32,
    from_table: u32,
    to: u32,
    from: u32,
    count: u32,
) -> Result<(), Trap> {
    // SAFETY: passed on to the caller.
    let instance = unsafe { Instance::of_vm(instance) };
    let range = |table: u32, at: u32| instance.table(table)?.range(at as u64, count as u64);
    match (range(to_table, to), range(from_table, from)) {
        (Some(target), Some(source)) => {
            // SAFETY: `range` has found the elements, which may overlap.
            unsafe { ptr::copy(source, target, count as usize) };
            Ok(())
        }
        _ => Err(Trap::TableOutOfBounds),
    }
}

/// `table.init`.
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn table_init(
    instance: *mut VmInstance,
    table: u32,
    segment: u32,
    to: u32,
    from: u32,
    count: u32,
) -> Result<(), Trap> {
    // SAFETY: passed on to the caller.
    unsafe { Instance::of_vm(instance) }.table_init(table, segment, to, from, count)
}

/// `elem.drop`.
///
/// # Safety
/// As for [`memory_grow`].
pub unsafe fn elem_drop(instance: *mut VmInstance, segment: u32) {
    // SAFETY: passed on to the caller.
    unsafe { Instance::of_vm(instance) }.drop_elem(segment);
}
