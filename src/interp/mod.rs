//! The interpreter: translation of functions to register code, and its execution.
//!
//! Translation (`compile`) goes over a function's body once, when it is first called, and turns
//! stack code into instructions on the slots of a frame, with the latest result of each class
//! in an accumulator. Instructions are chains of handler addresses and operands; `dispatch`
//! says how one handler hands over to the next, `operand` how operands are encoded, `op` lists
//! the operations, `handlers` is what they do, `frames` finds what a stack consists of, `unwind`
//! who catches what guest code throws.
//!
//! It knows instances only by the layout of their running state and `exec::builtins`; it knows
//! no context, no native and no thread. Control enters at [`run`], from `exec::call`, and from
//! here again for nested calls. The native stack does not grow with guest calls, only with
//! host functions and instances that call back.

// A handler's signature is the virtual machine's registers; it is never called from C.
#![allow(improper_ctypes_definitions, reason = "handlers only use the C convention's registers")]

pub mod code;
mod compile;
mod dispatch;
pub mod frames;
mod handlers;
mod instr;
mod op;
mod operand;
mod unwind;

#[cfg(test)]
mod tests;

pub use code::ModuleCode;

use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmActivation, VmEnv, VmFuncRef};
use dispatch::{Handler, Regs};

/// The instructions of a defined function as text; `None` if there is no such function.
#[cfg_attr(not(test), allow(dead_code, reason = "the public API shows it"))]
pub fn disassemble(code: &ModuleCode, func_index: u32) -> Option<String> {
    let module = code.module();
    if func_index < module.imported.funcs {
        return None;
    }
    let options = compile::Options { listing: true, profiled: code.is_profiled() };
    let translated = compile::translate(module, code.codes(), func_index, options).ok()?;
    Some(compile::listing::listing(&translated))
}

/// The instruction that outermost functions return to. Constant: owned by nobody.
static EXIT: [Handler; 1] = [handlers::control::exit];

/// Runs `func`, guest code, with its parameters at `frame`, where its results come to lie.
/// Returns zero or a trap code.
///
/// # Safety
/// `env` must be live and used by this thread only; `func` must be guest code of a live
/// instance; `frame` must lie in the environment's slots, hold the parameters, and leave room
/// for the results.
pub unsafe extern "C" fn run(env: *mut VmEnv, func: *const VmFuncRef, frame: *mut u64) -> u32 {
    // SAFETY: the caller's contract; what `enter` needs beyond it is checked there.
    unsafe {
        let instance = (*func).instance;
        let code = (*func).code;
        if instance.is_null() || code.is_null() {
            return Trap::Internal as u32;
        }
        let saved = ((*env).instance, (*env).globals, (*env).stack_top);
        let outer = (*env).activation;
        let mut activation = VmActivation {
            outer,
            func,
            ip: std::ptr::null(),
            sp: std::ptr::null_mut(),
            host: std::ptr::null(),
        };
        (*env).activation = &raw mut activation;
        (*env).instance = instance;
        (*env).globals = (*instance).globals;
        let memory = (*instance).memory0;
        let r = Regs {
            ip: EXIT.as_ptr().cast(),
            sp: frame,
            mem: (*memory).base,
            len: (*memory).len_bytes,
            env,
            int: 0,
            f32: 0.0,
            f64: 0.0,
        };
        let header = frame.add((*code).header_slot as usize);
        let ret = handlers::control::enter(r, code, frame, header, r.ip);
        let trap = dispatch::finish(ret);
        ((*env).instance, (*env).globals, (*env).stack_top) = saved;
        (*env).activation = outer;
        trap
    }
}

/// [`run`] from within a run, for guest code of another instance: takes native stack, and traps
/// when there is too little of it.
///
/// # Safety
/// As for [`run`].
#[inline(never)]
unsafe fn run_nested(env: *mut VmEnv, func: *const VmFuncRef, frame: *mut u64) -> u32 {
    let here = 0u8;
    // SAFETY: the caller's contract.
    unsafe {
        if (&raw const here as usize) < (*env).native_stack_limit {
            return Trap::NativeStackOverflow as u32;
        }
        run(env, func, frame)
    }
}
