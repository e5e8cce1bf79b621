//! The functions of the table that compiled code calls.

use super::engine;
use super::enter;
use super::frames::{self, NativeFrame};
use super::table::Builtins;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmEnv, VmFuncKind, VmFuncRef};
use crate::exec::{self, builtins, work};
use crate::interp::VmCode;
use crate::types::is_subtype;
use std::ptr;

/// The table of this build. Owner: the process; it never changes.
pub static BUILTINS: &Builtins = &Builtins {
    refill: enter::isothread_jit_refill,
    slow_address: enter::isothread_jit_slow_address,
    trap: enter::isothread_jit_trap,
    overflow: enter::isothread_jit_overflow,
    exit: enter::isothread_jit_exit,
    interpret,
    call_out,
    check_subtype,
    memory_size,
    memory_grow,
    memory_copy,
    memory_fill,
    memory_init,
    data_drop,
    table_grow,
    table_fill,
    table_copy,
    table_init,
    elem_drop,
};

/// The result of a builtin: zero, or the code of a trap.
fn code(result: Result<(), Trap>) -> u32 {
    result.map_or_else(|trap| trap as u32, |()| 0)
}

/// As [`code`]; a value is left in the environment.
///
/// # Safety
/// The environment is live.
unsafe fn value(env: *mut VmEnv, result: Result<u64, Trap>) -> u32 {
    code(result.map(|value| {
        // SAFETY: the caller guarantees that the environment is live.
        unsafe { (*env).scratch = value }
    }))
}

/// The two indices that a word has, the upper one first.
fn indices(word: u64) -> (u32, u32) {
    ((word >> 32) as u32, word as u32)
}

/// Has the interpreter run a function of this instance, with its parameters at `frame`. `native` is
/// the native frame of the code that stands for the function; its caller is where guest code is
/// meanwhile.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, `record` one of its instance's.
unsafe extern "C" fn interpret(
    env: *mut VmEnv,
    record: *const VmCode,
    frame: *mut u64,
    native: *const NativeFrame,
) -> u32 {
    // SAFETY: compiled code runs inside an activation, and its native frames are linked.
    unsafe {
        let at = (*native).caller_point();
        exec::away(env, at, ptr::null(), || engine::interpret(env, record, frame))
    }
}

/// Calls a function that has no native code, or is not this instance's. `point` has the position of
/// the call in its upper half, and how many slots arguments or results take.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, `func` live, `native` the native
/// frame of the caller, and the arguments at `frame`.
unsafe extern "C" fn call_out(
    env: *mut VmEnv,
    func: *const VmFuncRef,
    frame: *mut u64,
    native: *const NativeFrame,
    point: u64,
) -> u32 {
    let (position, slots) = indices(point);
    // SAFETY: compiled code keeps the contract of this function, and runs inside an activation.
    unsafe {
        let is_own = (*func).kind == VmFuncKind::Wasm && (*func).instance == (*env).instance;
        if !is_own && let Err(trap) = work::charge(env, work::HOST_CALL) {
            return trap as u32;
        }
        let top = frame.wrapping_add(slots as usize);
        if top > (*env).stack_limit {
            return Trap::OperandStackOverflow as u32;
        }
        let at = frames::point_at(position, native);
        if is_own {
            let record = (*func).body.code.cast::<VmCode>();
            return exec::away(env, at, ptr::null(), || engine::interpret(env, record, frame));
        }
        exec::call_out(env, at, func, (frame, top))
    }
}

/// Traps unless a function is of the type at an index, or of a subtype of it.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, `func` live, and there is the type.
unsafe extern "C" fn check_subtype(env: *mut VmEnv, func: *const VmFuncRef, ty: u32) -> u32 {
    // SAFETY: compiled code keeps the contract of this function; an instance's types live with it.
    unsafe {
        let instance = (*env).instance;
        let wanted = *(*instance).type_ids.add(ty as usize);
        if !is_subtype(&*(*instance).types, (*func).type_id, wanted) {
            return Trap::IndirectCallTypeMismatch as u32;
        }
        // Calls of other instances are charged for later.
        let is_own = (*func).kind == VmFuncKind::Wasm && (*func).instance == instance;
        code(if is_own { work::charge(env, work::SLOW) } else { Ok(()) })
    }
}

/// `memory.size`.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, and the operands are validated.
unsafe extern "C" fn memory_size(env: *mut VmEnv, memory: u32) -> u64 {
    // SAFETY: compiled code keeps the contract of this function.
    unsafe { builtins::memory_size((*env).instance, memory) }
}

/// `memory.grow`.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, and the operands are validated.
unsafe extern "C" fn memory_grow(env: *mut VmEnv, memory: u32, delta: u64) -> u32 {
    // SAFETY: compiled code keeps the contract of this function.
    unsafe { value(env, builtins::memory_grow(env, memory, delta)) }
}

/// `memory.copy`.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, and the operands are validated.
unsafe extern "C" fn memory_copy(
    env: *mut VmEnv,
    memories: u64,
    to: u64,
    from: u64,
    len: u64,
) -> u32 {
    // SAFETY: compiled code keeps the contract of this function.
    unsafe {
        let (to_memory, from_memory) = indices(memories);
        code(builtins::memory_copy(env, (to_memory, to), (from_memory, from), len))
    }
}

/// `memory.fill`.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, and the operands are validated.
unsafe extern "C" fn memory_fill(
    env: *mut VmEnv,
    memory: u32,
    to: u64,
    byte: u32,
    len: u64,
) -> u32 {
    // SAFETY: compiled code keeps the contract of this function.
    unsafe { code(builtins::memory_fill(env, (memory, to), byte as u8, len)) }
}

/// `memory.init`.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, and the operands are validated.
unsafe extern "C" fn memory_init(env: *mut VmEnv, of: u64, to: u64, from: u32, count: u32) -> u32 {
    // SAFETY: compiled code keeps the contract of this function.
    unsafe {
        let (memory, segment) = indices(of);
        code(builtins::memory_init(env, (memory, to), segment, from, count))
    }
}

/// `data.drop`.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, and the operands are validated.
unsafe extern "C" fn data_drop(env: *mut VmEnv, segment: u32) -> u32 {
    // SAFETY: compiled code keeps the contract of this function.
    unsafe {
        code(work::charge(env, work::SLOW).map(|()| builtins::data_drop((*env).instance, segment)))
    }
}

/// `table.grow`.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, and the operands are validated.
unsafe extern "C" fn table_grow(env: *mut VmEnv, table: u32, delta: u64, init: u64) -> u32 {
    // SAFETY: compiled code keeps the contract of this function.
    unsafe { value(env, builtins::table_grow(env, table, delta, init)) }
}

/// `table.fill`.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, and the operands are validated.
unsafe extern "C" fn table_fill(
    env: *mut VmEnv,
    table: u32,
    to: u32,
    element: u64,
    count: u32,
) -> u32 {
    // SAFETY: compiled code keeps the contract of this function.
    unsafe { code(builtins::table_fill(env, table, to, element, count)) }
}

/// `table.copy`.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, and the operands are validated.
unsafe extern "C" fn table_copy(
    env: *mut VmEnv,
    tables: u64,
    to: u32,
    from: u32,
    count: u32,
) -> u32 {
    // SAFETY: compiled code keeps the contract of this function.
    unsafe {
        let (to_table, from_table) = indices(tables);
        code(builtins::table_copy(env, to_table, from_table, to, from, count))
    }
}

/// `table.init`.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, and the operands are validated.
unsafe extern "C" fn table_init(env: *mut VmEnv, of: u64, to: u32, from: u32, count: u32) -> u32 {
    // SAFETY: compiled code keeps the contract of this function.
    unsafe {
        let (table, segment) = indices(of);
        code(builtins::table_init(env, table, segment, to, from, count))
    }
}

/// `elem.drop`.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, and the operands are validated.
unsafe extern "C" fn elem_drop(env: *mut VmEnv, segment: u32) -> u32 {
    // SAFETY: compiled code keeps the contract of this function.
    unsafe {
        code(work::charge(env, work::SLOW).map(|()| builtins::elem_drop((*env).instance, segment)))
    }
}
