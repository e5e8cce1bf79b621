//! The functions of the table that compiled code calls.

use super::accesses::AccessKind;
use super::engine;
use super::enter;
use super::frames::{self, NativeFrame};
use super::objects;
use super::table::{Builtins, code};
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmEnv, VmFuncKind, VmFuncRef};
use crate::exec::{self, atomics, builtins, work};
use crate::interp::{GO_ON, VmCode};
use crate::types::is_subtype;
use std::arch::naked_asm;
use std::mem::offset_of;
use std::ptr;
use std::sync::atomic::Ordering;

/// The table of this build. Owner: the process; it never changes.
pub static BUILTINS: &Builtins = &Builtins {
    refill: enter::isothread_jit_refill,
    slow_address: enter::isothread_jit_slow_address,
    interpret_here: isothread_jit_interpret_here,
    trap: enter::isothread_jit_trap,
    overflow: enter::isothread_jit_overflow,
    pass_on: enter::isothread_jit_pass_on,
    throw: enter::isothread_jit_throw,
    throw_ref: enter::isothread_jit_throw_ref,
    interpret,
    call_out,
    end_with,
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
    object: objects::object,
    is_of: objects::is_of,
    get_field: objects::get_field,
    set_field: objects::set_field,
    get_element: objects::get_element,
    set_element: objects::set_element,
    array_len: objects::array_len,
    atomic_wait,
    atomic_notify,
};

/// As [`code`]; a value is left in the environment.
///
/// # Safety
/// The environment is live.
unsafe fn value(env: *mut VmEnv, result: Result<u64, Trap>) -> u32 {
    code(result.map(|value| {
        // SAFETY: the caller guarantees that the environment is live.
        unsafe { (*env).scratch[0] = value }
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
        if (*record).thunk.load(Ordering::Acquire).is_null() && engine::is_outermost(env, &*native)
        {
            // Only a tail call leads to code that stands for the run's outermost function.
            (*env).next_code = record.cast();
            return GO_ON;
        }
        exec::away(env, at, ptr::null(), || engine::interpret(env, record, frame))
    }
}

/// As [`interpret`], with the code left in the environment. Keeps all registers but the
/// budget's.
///
/// # Safety
/// Called by compiled code.
#[unsafe(naked)]
unsafe extern "C" fn isothread_jit_interpret_here() {
    naked_asm!(
        enter::save_registers!(),
        "mov [rdi + {budget}], r15",
        "call {interpret}",
        "mov rdi, [rbp - 40]",
        "mov [rdi + {scratch}], rax",
        "mov r15, [rdi + {budget}]",
        enter::restore_registers!(),
        budget = const offset_of!(VmEnv, budget),
        scratch = const offset_of!(VmEnv, scratch),
        interpret = sym interpret,
    )
}

/// Calls a function that has no native code, or is not this instance's. `mark` is that of the call;
/// `slots` says how many arguments or results take.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, `func` live, `native` the native
/// frame of the caller, and the arguments at `frame`.
unsafe extern "C" fn call_out(
    env: *mut VmEnv,
    func: *const VmFuncRef,
    frame: *mut u64,
    native: *const NativeFrame,
    mark: u64,
    slots: u32,
) -> u32 {
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
        let at = frames::point_at(mark, native);
        if is_own {
            let record = (*func).body.code.cast::<VmCode>();
            return exec::away(env, at, ptr::null(), || engine::interpret(env, record, frame));
        }
        exec::call_out(env, at, func, (frame, top))
    }
}

/// Ends the function with the native frame `native`, at a mark, with a call of `func`, which has no
/// native code or is not this instance's. The arguments are at `frame`, which is that of the
/// function that ends. Returns zero when the results are there, or the code to end the run with.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, `func` live.
unsafe extern "C" fn end_with(
    env: *mut VmEnv,
    func: *const VmFuncRef,
    frame: *mut u64,
    native: *const NativeFrame,
    mark: u64,
) -> u32 {
    // SAFETY: compiled code keeps the contract of this function, and runs inside an activation. A
    // function's type and instance live with it.
    unsafe {
        let (ty, kind) = (&*(*func).ty, (*func).kind);
        let is_own = kind == VmFuncKind::Wasm && (*func).instance == (*env).instance;
        let count = ty.param_slots();
        let top = frame.wrapping_add(count.max(ty.result_slots()) as usize);
        let units = work::of_slots(count as usize) + if is_own { 0 } else { work::HOST_CALL };
        let checked = work::charge(env, units).and_then(|()| match kind {
            VmFuncKind::Unlinked => Err(builtins::unlinked(func)),
            _ if top > (*env).stack_limit => Err(Trap::OperandStackOverflow),
            _ => Ok(()),
        });
        if let Err(trap) = checked {
            return frames::trapped(env, trap as u32, frames::point_at(mark, native));
        }
        if engine::is_outermost(env, &*native) {
            return match kind {
                VmFuncKind::Host => exec::end_in_host(env, func, frame),
                _ => exec::tail_call(env, func),
            };
        }
        let caller = (*native).caller_point();
        let code = if is_own {
            let record = (*func).body.code.cast::<VmCode>();
            exec::away(env, caller, ptr::null(), || engine::interpret(env, record, frame))
        } else {
            exec::call_out(env, caller, func, (frame, top))
        };
        if code == 0 { 0 } else { frames::trapped(env, code, caller) }
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
unsafe extern "C" fn memory_size(env: *mut VmEnv, memory: u32) -> u32 {
    // SAFETY: compiled code keeps the contract of this function.
    unsafe {
        let charged = work::charge(env, work::SLOW);
        value(env, charged.map(|()| builtins::memory_size((*env).instance, memory)))
    }
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

/// `memory.atomic.wait32` and `wait64`, by the bytes of the place.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, and `place` a [`AccessKind`]'s word.
unsafe extern "C" fn atomic_wait(
    env: *mut VmEnv,
    place: u64,
    address: u64,
    expected: u64,
    timeout: i64,
) -> u32 {
    // SAFETY: compiled code keeps the contract of this function; the place is located before it is
    // waited at.
    unsafe {
        let woken = AccessKind::locate(env, address, place).and_then(|(found, memory)| {
            let bytes = (place & 0xff) as usize;
            let expected = atomics::Expected { place: found, value: expected, bytes };
            atomics::wait(env, memory, address, expected, timeout)
        });
        value(env, woken.map(u64::from))
    }
}

/// `memory.atomic.notify`.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, and `place` a [`AccessKind`]'s word.
unsafe extern "C" fn atomic_notify(env: *mut VmEnv, place: u64, address: u64, count: u32) -> u32 {
    // SAFETY: compiled code keeps the contract of this function.
    unsafe {
        let woken = AccessKind::locate(env, address, place)
            .map(|(_, memory)| atomics::notify((*env).instance, memory, address, count));
        value(env, woken.map(u64::from))
    }
}
