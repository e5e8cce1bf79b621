//! Slow paths of running code, the same for every engine.
//!
//! Engines call these with the pointers that they run on. Indices come from validated code;
//! one that is wrong all the same gives a trap, never a wild access.

use super::work;
use crate::abi::error::bounded;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmEnv, VmFuncRef, VmInstance};
use crate::instance::{GrowError, Instance, address_space};

/// A guest's address and the index of the memory that it is of.
pub type MemoryAddress = (u32, u64);

/// `memory.size`, in pages of the memory's own. Running code's view of the memory becomes as long
/// as the memory is.
///
/// # Safety
/// `instance` is live, and used by this thread only.
pub unsafe fn memory_size(instance: *mut VmInstance, memory: u32) -> u64 {
    // SAFETY: the instance is live, says the caller.
    let Some(memory) = (unsafe { Instance::of_vm(instance) }).memory(memory) else { return 0 };
    memory.refresh();
    memory.pages()
}

/// Raises an exception that names the unlinked import.
///
/// # Safety
/// The function's instance is live.
#[cold]
pub unsafe fn unlinked(func: *const VmFuncRef) -> Trap {
    // SAFETY: the caller guarantees that the function's instance is live.
    let (instance, index) = unsafe { (Instance::of_vm((*func).instance), (*func).func_index) };
    if let Some(import) = instance.module().imported_func(index) {
        let (module, name) = (&import.module, &import.name);
        let text =
            bounded(format_args!("failed to call unlinked import function ({module}, {name})"));
        instance.raise(text.as_bytes());
    }
    Trap::UnlinkedImport
}

/// Where `len` bytes at `place` are that the running code did not find in the memory, as long as
/// it knows that to be: elsewhere within the instance's reach, or in what has grown since.
///
/// # Safety
/// `instance` is live.
#[cold]
#[inline(never)]
pub unsafe fn slow_address(
    instance: *mut VmInstance,
    place: MemoryAddress,
    len: u64,
) -> Option<*mut u8> {
    let (memory, address) = place;
    // SAFETY: the instance is live, says the caller.
    unsafe { address_space::locate_in(instance, memory, address, len) }
}

/// The native address of `len` bytes at a guest's address, anywhere in the instance's address
/// space.
///
/// # Safety
/// `instance` is live.
unsafe fn locate(
    instance: *mut VmInstance,
    place: MemoryAddress,
    len: u64,
) -> Result<*mut u8, Trap> {
    // SAFETY: the instance is live, says the caller; an instance always has a `memory0`.
    unsafe {
        let (memory0, (memory, address)) = ((*instance).memory0, place);
        match address.checked_add(len) {
            Some(end) if memory == 0 && end <= (*memory0).len_bytes as u64 => {
                Ok((*memory0).base.wrapping_add(address as usize))
            }
            _ => slow_address(instance, place, len).ok_or(Trap::MemoryOutOfBounds),
        }
    }
}

/// `memory.copy`, within a memory or from one to another.
///
/// # Safety
/// `env` and its instance are live, and used by this thread only; so for all that follow.
pub unsafe fn memory_copy(
    env: *mut VmEnv,
    to: MemoryAddress,
    from: MemoryAddress,
    len: u64,
) -> Result<(), Trap> {
    // SAFETY: the caller's contract; `locate` has found the bytes, and nothing that runs until
    // they are copied can take them away.
    unsafe {
        let instance = (*env).instance;
        let (to, from) = (locate(instance, to, len)?, locate(instance, from, len)?);
        work::copy(env, from, to, len as usize)
    }
}

/// `memory.fill`.
///
/// # Safety
/// As for [`memory_copy`].
pub unsafe fn memory_fill(
    env: *mut VmEnv,
    at: MemoryAddress,
    byte: u8,
    len: u64,
) -> Result<(), Trap> {
    // SAFETY: the caller's contract; `locate` has found the bytes, and nothing that runs until
    // they are set can take them away.
    unsafe {
        let at = locate((*env).instance, at, len)?;
        work::fill(env, at, byte, len as usize)
    }
}

/// `memory.grow`: pages before, or all ones; a failure calls the host's callback with the exec_env.
/// Traps only if there is a reason to stop.
///
/// # Safety
/// As for [`memory_copy`].
pub unsafe fn memory_grow(env: *mut VmEnv, memory: u32, delta: u64) -> Result<u64, Trap> {
    // SAFETY: the caller guarantees that the environment and its instance are live; its owner is
    // null or its exec_env.
    unsafe {
        work::charge(env, work::SLOW)?;
        let (instance, exec_env) = (Instance::of_vm((*env).instance), (*env).owner);
        let Some(memory) = instance.memory(memory) else { return Ok(u64::MAX) };
        match memory.grow_for(exec_env, delta, &mut work::look(env)) {
            Ok(pages) => Ok(pages),
            Err(GrowError::Stopped(trap)) => Err(trap),
            Err(GrowError::Max | GrowError::Exhausted) => Ok(u64::MAX),
        }
    }
}

/// `memory.init`.
///
/// # Safety
/// As for [`memory_copy`].
pub unsafe fn memory_init(
    env: *mut VmEnv,
    (memory, to): MemoryAddress,
    segment: u32,
    from: u32,
    count: u32,
) -> Result<(), Trap> {
    // SAFETY: the caller guarantees that the environment and its instance are live; the place has
    // room for the bytes, which belong to the module.
    unsafe {
        let instance = Instance::of_vm((*env).instance);
        let (bytes, to) = instance.data_range(memory, segment, to, from, count)?;
        work::copy(env, bytes.as_ptr(), to, bytes.len())
    }
}

/// `data.drop`.
///
/// # Safety
/// `instance` is live, and used by this thread only.
pub unsafe fn data_drop(instance: *mut VmInstance, segment: u32) {
    // SAFETY: the caller guarantees that the instance is live and this thread's.
    unsafe { Instance::of_vm(instance) }.drop_data(segment);
}

/// `table.grow`: elements before, or all ones. Traps only if there is a reason to stop.
///
/// # Safety
/// As for [`memory_copy`]; `init` is a valid element.
pub unsafe fn table_grow(env: *mut VmEnv, table: u32, delta: u64, init: u64) -> Result<u64, Trap> {
    // SAFETY: the caller guarantees that the environment and its instance are live, and a valid
    // element.
    unsafe {
        work::charge(env, work::SLOW)?;
        let instance = Instance::of_vm((*env).instance);
        let Some(table) = instance.table(table) else { return Ok(u64::MAX) };
        let grown = table.grow_with(delta, init, &mut work::look(env))?;
        Ok(grown.unwrap_or(u64::MAX))
    }
}

/// `table.fill`. On a trap some of the elements may have been set; so for the functions below.
///
/// # Safety
/// As for [`table_grow`].
pub unsafe fn table_fill(
    env: *mut VmEnv,
    table: u32,
    at: u32,
    value: u64,
    count: u32,
) -> Result<(), Trap> {
    // SAFETY: the caller guarantees that the environment and its instance are live; the range is
    // checked before an element of it is written.
    unsafe {
        let instance = Instance::of_vm((*env).instance);
        let target = instance.table(table).and_then(|table| table.range(at as u64, count as u64));
        let target = target.ok_or(Trap::TableOutOfBounds)?;
        work::in_pieces(env, count as usize, size_of::<u64>(), |at, now| {
            for index in at..at + now {
                *target.add(index) = value;
            }
            Ok(())
        })
    }
}

/// `table.copy`.
///
/// # Safety
/// As for [`memory_copy`].
pub unsafe fn table_copy(
    env: *mut VmEnv,
    to_table: u32,
    from_table: u32,
    to: u32,
    from: u32,
    count: u32,
) -> Result<(), Trap> {
    // SAFETY: the caller guarantees that the environment and its instance are live; both ranges are
    // checked, and are in bytes as long as in elements.
    unsafe {
        let instance = Instance::of_vm((*env).instance);
        let range = |table: u32, at: u32| instance.table(table)?.range(at as u64, count as u64);
        match (range(to_table, to), range(from_table, from)) {
            (Some(target), Some(source)) => {
                work::copy(env, source.cast(), target.cast(), count as usize * size_of::<u64>())
            }
            _ => Err(Trap::TableOutOfBounds),
        }
    }
}

/// `table.init`.
///
/// # Safety
/// As for [`memory_copy`].
pub unsafe fn table_init(
    env: *mut VmEnv,
    table: u32,
    segment: u32,
    to: u32,
    from: u32,
    count: u32,
) -> Result<(), Trap> {
    // SAFETY: the caller guarantees that the environment and its instance are live.
    unsafe {
        let instance = Instance::of_vm((*env).instance);
        let whole = instance.elem_range(table, segment, to, from, count)?;
        work::in_pieces(env, count as usize, size_of::<u64>(), |at, now| {
            instance.copy_elems(&whole, at, now)
        })
    }
}

/// `elem.drop`.
///
/// # Safety
/// `instance` is live, and used by this thread only.
pub unsafe fn elem_drop(instance: *mut VmInstance, segment: u32) {
    // SAFETY: the caller guarantees that the instance is live and this thread's.
    unsafe { Instance::of_vm(instance) }.drop_elem(segment);
}
