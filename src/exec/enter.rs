//! Entering functions: what all entries have in common, those of imports, and how a run ends with a
//! tail call.

use super::builtins;
use super::engine::{Engine, Point};
use super::frames::record_trap_around;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{
    TAIL_CALL, VmActivation, VmEnv, VmFuncKind, VmFuncRef, VmGlobal, VmInstance,
};
use crate::platform::stack;
use std::ptr;

/// A run: a function from its entry until it is left, also by unwinding. It puts its activation and
/// its instance into the environment, and restores the previous ones.
pub struct Run {
    env: *mut VmEnv,
    instance: *mut VmInstance,
    globals: *mut VmGlobal,
    stack_top: *mut u64,
    activation: VmActivation,
}

impl Run {
    /// A run of `func` by `engine`, null for a host function, that has not begun.
    ///
    /// # Safety
    /// The environment is live, outlives the value and is used by this thread only.
    #[inline(always)]
    pub unsafe fn new(env: *mut VmEnv, func: *const VmFuncRef, engine: *const Engine) -> Self {
        // SAFETY: the caller guarantees that the environment is live.
        unsafe {
            let activation = VmActivation {
                outer: (*env).activation,
                func,
                engine: engine.cast(),
                ip: ptr::null(),
                sp: ptr::null_mut(),
                host: ptr::null(),
                native_sp: ptr::null_mut(),
            };
            Self {
                env,
                instance: (*env).instance,
                globals: (*env).globals,
                stack_top: (*env).stack_top,
                activation,
            }
        }
    }

    /// The run begins, on the state of the function's instance.
    ///
    /// # Safety
    /// The value stays where it is from now on, and the function's instance is live.
    #[inline(always)]
    pub unsafe fn begin(&mut self) {
        // SAFETY: `new` asks for a live environment, and the caller vouches for the instance.
        unsafe {
            let instance = (*self.activation.func).instance;
            (*self.env).activation = &raw mut self.activation;
            (*self.env).instance = instance;
            (*self.env).globals = (*instance).globals;
        }
    }
}

impl Drop for Run {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: `new` asks for an environment that outlives this value.
        unsafe {
            (*self.env).instance = self.instance;
            (*self.env).globals = self.globals;
            (*self.env).stack_top = self.stack_top;
            (*self.env).activation = self.activation.outer;
        }
    }
}

/// The entry of host functions, for all callers but engines, which call them directly.
///
/// # Safety
/// As `VmEntry` says; the reference is to a host function.
pub(super) unsafe extern "C-unwind" fn host(
    env: *mut VmEnv,
    func: *const VmFuncRef,
    frame: *mut u64,
) -> u32 {
    // SAFETY: by `VmEntry`'s contract both pointers are live and the frame has room for parameters
    // and results; the reference is to a host function.
    unsafe {
        let mut run = Run::new(env, func, ptr::null());
        run.begin();
        call_host(env, func, frame)
    }
}

/// Calls a host function whose run has begun.
///
/// # Safety
/// As `VmEntry` says; the reference is to a host function.
unsafe fn call_host(env: *mut VmEnv, func: *const VmFuncRef, frame: *mut u64) -> u32 {
    // SAFETY: says the caller; there is room for parameters and results.
    unsafe {
        let ty = &*(*func).ty;
        (*env).stack_top = frame.add(ty.param_slots().max(ty.result_slots()) as usize);
        let host = (*func).body.host;
        ((*host).call)(host, env, frame)
    }
}

/// Ends the innermost run, which is guest code's, with a tail call of a host function: the run is
/// the host function's from here on. It is left with what this returns, without a trap of its own.
///
/// # Safety
/// `env` is live, its innermost run has no frame that is still needed and is left at once; the rest
/// is as `VmEntry` says of host functions.
pub unsafe fn end_in_host(env: *mut VmEnv, func: *const VmFuncRef, frame: *mut u64) -> u32 {
    // SAFETY: the caller vouches for the run, whose activation is live until it is left, and for
    // the function and its instance.
    unsafe {
        let (activation, instance) = ((*env).activation, (*func).instance);
        ((*activation).func, (*activation).engine) = (func, ptr::null());
        ((*env).instance, (*env).globals) = (instance, (*instance).globals);
        let code = call_host(env, func, frame);
        if code != 0 {
            record_trap_around(env);
        }
        code
    }
}

/// Notes that the innermost run ends with a tail call of `func`; returns the code to leave it with.
/// Host functions are called by [`end_in_host`].
///
/// # Safety
/// `env` is live. The run is left at once, `func` and its parameters are as `VmEntry` says, with
/// the parameters at the frame that the run was entered with, and its result types are those of the
/// function that was entered.
pub unsafe fn tail_call(env: *mut VmEnv, func: *const VmFuncRef) -> u32 {
    // SAFETY: the environment is live, says the caller.
    unsafe { (*env).tail_call = func };
    TAIL_CALL
}

/// Enters `func`, then what it has ended with a tail call of, and so on. Returns zero or the code
/// of a trap. Neither stack grows with the tail calls.
///
/// # Safety
/// As `VmEntry` says.
#[inline(always)]
pub(super) unsafe fn enter(env: *mut VmEnv, func: *const VmFuncRef, frame: *mut u64) -> u32 {
    // SAFETY: the caller vouches for the first function, and `tail_call` for all others.
    unsafe {
        let code = ((*func).entry)(env, func, frame);
        follow(env, code, frame)
    }
}

/// Enters whatever a function has ended with a tail call of, if the code that it has returned says
/// so, and so on. Returns zero or the code of a trap.
///
/// # Safety
/// As `VmEntry` says, of the function that was entered with this frame.
#[inline(always)]
pub unsafe fn follow(env: *mut VmEnv, mut code: u32, frame: *mut u64) -> u32 {
    // SAFETY: `tail_call` vouches for the functions.
    unsafe {
        while code == TAIL_CALL {
            let next = ptr::replace(&raw mut (*env).tail_call, ptr::null());
            code = ((*next).entry)(env, next, frame);
        }
        code
    }
}

/// The entry of imports that nothing was found for.
///
/// # Safety
/// As `VmEntry` says.
pub(super) unsafe extern "C-unwind" fn unlinked(
    _env: *mut VmEnv,
    func: *const VmFuncRef,
    _frame: *mut u64,
) -> u32 {
    // SAFETY: by `VmEntry`'s contract the function's instance is live.
    unsafe { builtins::unlinked(func) as u32 }
}

/// Does `act` while guest code of the innermost run is away, at a call of `host` or, if that is
/// null, of other guest code.
///
/// # Safety
/// `env` is the running environment, and its guest code at the point.
#[inline(always)]
pub unsafe fn away<R>(
    env: *mut VmEnv,
    at: Point,
    host: *const VmFuncRef,
    act: impl FnOnce() -> R,
) -> R {
    // SAFETY: the caller guarantees a running environment, whose activation lasts longer than this.
    unsafe {
        let activation = (*env).activation;
        ((*activation).ip, (*activation).sp) = (at.ip, at.sp);
        (*activation).host = host;
        let result = act();
        (*activation).ip = ptr::null();
        result
    }
}

/// Calls `func`, which is not guest code of the running instance, from guest code at the point.
/// Arguments and results lie from `frame` on, up to `top` at most. Returns as [`nested`] does.
///
/// # Safety
/// `env` is the running environment, its guest code at the point; the rest is as `VmEntry` says.
pub unsafe fn call_out(
    env: *mut VmEnv,
    at: Point,
    func: *const VmFuncRef,
    (frame, top): (*mut u64, *mut u64),
) -> u32 {
    // SAFETY: the caller vouches for the environment, the function and the room.
    unsafe {
        (*env).stack_top = top;
        if (*func).kind != VmFuncKind::Host {
            return away(env, at, ptr::null(), || nested(env, func, frame));
        }
        // The function belongs to the instance that imported it, and acts on that one.
        let saved = ((*env).instance, (*env).globals);
        (*env).instance = (*func).instance;
        (*env).globals = (*(*func).instance).globals;
        let host = (*func).body.host;
        let code = away(env, at, func, || ((*host).call)(host, env, frame));
        ((*env).instance, (*env).globals) = saved;
        code
    }
}

/// Enters `func`, of any kind, from within a run: takes native stack, and traps when there is too
/// little of it. An exception that this code may catch is in the environment afterwards, with a
/// code that is not zero (`throw::arrived`).
///
/// # Safety
/// As `VmEntry` says; the caller's activation holds the call instruction (`Point`).
#[inline(never)]
pub unsafe fn nested(env: *mut VmEnv, func: *const VmFuncRef, frame: *mut u64) -> u32 {
    // SAFETY: the caller passes an environment, function and frame as `VmEntry` asks for.
    unsafe {
        if stack::pointer() < (*env).native_stack_limit {
            return Trap::NativeStackOverflow as u32;
        }
        enter(env, func, frame)
    }
}
