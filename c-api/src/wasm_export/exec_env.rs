//! Execution environments: guest stacks, and the few things a host keeps with them.

use crate::ffi::{guard, guard_held, handle};
use crate::shared::{wasm_exec_env_t, wasm_module_inst_t};
use isothread::ExecEnv;
use std::ffi::{c_int, c_void};
use std::ptr::NonNull;

/// Makes an execution environment with a guest stack of `stack_size` bytes (0: 16 KiB), to be
/// ended with `wasm_runtime_destroy_exec_env`. NULL when memory runs out or the size is absurd.
/// One thread at a time may use it; which one may change.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_create_exec_env(
    module_inst: wasm_module_inst_t,
    stack_size: u32,
) -> wasm_exec_env_t {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(instance) = (unsafe { handle::instance(module_inst) }) else {
            return std::ptr::null_mut();
        };
        ExecEnv::new(&instance, stack_size)
            .map_or(std::ptr::null_mut(), |env| env.into_raw().as_ptr().cast())
    })
}

/// Ends an execution environment that `wasm_runtime_create_exec_env` made, after it has waited for
/// the threads that the guest has started. It may outlive its instance. While a call on it is under
/// way, on any thread, nothing happens but a log line. The environments that
/// `wasm_runtime_get_exec_env_singleton` and native functions see are not the caller's to destroy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_destroy_exec_env(exec_env: wasm_exec_env_t) {
    guard_held(|| {
        // SAFETY: the C contract of handles.
        if let Some(env) = unsafe { handle::exec_env(exec_env) } {
            if !env.is_spawned() {
                env.instance().wait_for_threads();
            }
            drop(std::mem::ManuallyDrop::into_inner(env));
        }
    })
}

/// The instance's own execution environment, made at the first call with the instance's default
/// stack size. It goes with the instance. NULL when memory runs out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_exec_env_singleton(
    module_inst: wasm_module_inst_t,
) -> wasm_exec_env_t {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(instance) = (unsafe { handle::instance(module_inst) }) else {
            return std::ptr::null_mut();
        };
        instance.singleton_exec_env().map_or(std::ptr::null_mut(), |env| env.as_ptr().cast())
    })
}

/// The instance that the environment runs; inside a native function, the one that called it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_module_inst(
    exec_env: wasm_exec_env_t,
) -> wasm_module_inst_t {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { handle::exec_env(exec_env) }
            .map_or(std::ptr::null_mut(), |env| env.instance_raw().as_ptr().cast())
    })
}

/// Makes the environment run another instance of the same context, which must live until another
/// one is set. A native function that does so sets the former instance again before it returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_set_module_inst(
    exec_env: wasm_exec_env_t,
    module_inst: wasm_module_inst_t,
) {
    guard(|| {
        // SAFETY: the C contract of handles.
        let env = unsafe { handle::exec_env(exec_env) };
        if let (Some(mut env), Some(instance)) = (env, NonNull::new(module_inst)) {
            // SAFETY: the C contract: the instance lives until another one is set.
            unsafe { env.set_instance_raw(instance.cast()) };
        }
    })
}

/// Keeps a pointer of the host's with the environment. The runtime does not look at it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_set_user_data(
    exec_env: wasm_exec_env_t,
    user_data: *mut c_void,
) {
    guard(|| {
        // SAFETY: the C contract of handles.
        if let Some(mut env) = unsafe { handle::exec_env(exec_env) } {
            env.set_user_data(user_data.expose_provenance());
        }
    })
}

/// The pointer that `wasm_runtime_set_user_data` keeps; NULL before that.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_user_data(exec_env: wasm_exec_env_t) -> *mut c_void {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { handle::exec_env(exec_env) }.map_or(std::ptr::null_mut(), |env| {
            std::ptr::with_exposed_provenance_mut(env.user_data())
        })
    })
}

/// Inside a native function, the attachment it was registered with; elsewhere NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_function_attachment(
    exec_env: wasm_exec_env_t,
) -> *mut c_void {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { handle::exec_env(exec_env) }.map_or(std::ptr::null_mut(), |env| env.attachment())
    })
}

/// Sets the lowest address that native frames of calls on this environment may reach, in place of
/// the bound of the thread's own stack; NULL undoes it. For threads whose stack the runtime cannot
/// find, as with fibres. It is taken as it is: the caller leaves 16 KiB below it for the runtime.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_set_native_stack_boundary(
    exec_env: wasm_exec_env_t,
    native_stack_boundary: *mut u8,
) {
    guard(|| {
        // SAFETY: the C contract of handles.
        if let Some(mut env) = unsafe { handle::exec_env(exec_env) } {
            env.set_native_stack_boundary(native_stack_boundary.addr());
        }
    })
}

/// Limits how many instructions calls on this environment may execute from now on; a guest that
/// uses them up traps with "instruction limit exceeded", and so does every call after it until a
/// new limit is set. A negative number takes the limit away. Instructions that do much count as
/// more than one: one for every 64 bytes moved, 16 for one that grows, waits, notifies or throws,
/// 64 for a call of a native function. Translating a function at its first call costs none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_set_instruction_count_limit(
    exec_env: wasm_exec_env_t,
    instruction_count: c_int,
) {
    guard(|| {
        // SAFETY: the C contract of handles.
        if let Some(mut env) = unsafe { handle::exec_env(exec_env) } {
            env.set_instruction_limit(u64::try_from(instruction_count).ok());
        }
    })
}

/// Whether native code may go on to call: false, with the exception "native stack overflow", when
/// less of the calling thread's stack is left than the runtime needs (16 KiB), or the boundary
/// that was set is reached.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_detect_native_stack_overflow(
    exec_env: wasm_exec_env_t,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { handle::exec_env(exec_env) }.is_some_and(|env| env.check_native_stack_margin())
    })
}

/// Whether `required_size` bytes of native stack are left on the calling thread, or down to the
/// boundary that was set: false, with the exception "native stack overflow", when they are not.
/// Code that calls back into the runtime uses `wasm_runtime_detect_native_stack_overflow`, which
/// includes the runtime's own need.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_detect_native_stack_overflow_size(
    exec_env: wasm_exec_env_t,
    required_size: u32,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { handle::exec_env(exec_env) }
            .is_some_and(|env| env.check_native_stack(required_size as usize))
    })
}
