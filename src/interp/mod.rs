//! The interpreter: translation of functions to register code, and its execution.
//!
//! Translation (`compile`) goes over a function's body once, when it is first called, and turns
//! stack code into instructions on the slots of a frame, with the latest result of each class
//! in an accumulator. Instructions are chains of handler addresses and operands; `dispatch`
//! says how one handler hands over to the next, `machine` what the registers point to, `shape`
//! what instructions are in memory, `operand` where operands are found, `op` lists the operations,
//! `handlers` is what they do, `frames` finds what a stack consists of, `unwind` who catches what
//! guest code throws.
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
mod machine;
mod op;
mod operand;
mod shape;
mod unwind;

#[cfg(test)]
mod tests;

pub use code::ModuleCode;

use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmActivation, VmEnv, VmFuncRef, VmGlobal, VmInstance};
use dispatch::Regs;
use handlers::memory::reload_memory;
use handlers::{control, data};
use machine::{Frame, Ip, Memory};
use shape::{Code, Picked, SlotNo};

/// The instructions of a defined function as text; `None` if there is no such function.
#[cfg_attr(not(test), allow(dead_code, reason = "the public API shows it"))]
pub fn disassemble(code: &ModuleCode, func_index: u32) -> Option<String> {
    let module = code.module();
    if func_index < module.imported.funcs {
        return None;
    }
    let profiled = code.is_profiled();
    let options = compile::Options { listing: true, profiled, stop: &|| None };
    let translated = compile::translate(module, code.codes(), func_index, options).ok()?;
    Some(compile::listing::listing(&translated))
}

/// The instruction that outermost functions return to. Constant: owned by nobody.
static EXIT: [Code<()>; 1] = [Code::new(control::exit, ())];

/// What a run takes the place of in its environment, and gives it back to when it ends, also when
/// a host function ends its thread.
struct Outer {
    env: *mut VmEnv,
    instance: *mut VmInstance,
    globals: *mut VmGlobal,
    stack_top: *mut u64,
    activation: *mut VmActivation,
}

impl Outer {
    /// # Safety
    /// `env` must outlive the value, and be used by this thread only.
    unsafe fn of(env: *mut VmEnv) -> Self {
        // SAFETY: the environment is live, says the caller.
        unsafe {
            Self {
                env,
                instance: (*env).instance,
                globals: (*env).globals,
                stack_top: (*env).stack_top,
                activation: (*env).activation,
            }
        }
    }
}

impl Drop for Outer {
    fn drop(&mut self) {
        // SAFETY: `of` asks for an environment that outlives this value.
        unsafe {
            (*self.env).instance = self.instance;
            (*self.env).globals = self.globals;
            (*self.env).stack_top = self.stack_top;
            (*self.env).activation = self.activation;
        }
    }
}

/// Runs `func`, guest code, with its parameters at `frame`, where its results come to lie.
/// Returns zero or a trap code.
///
/// # Safety
/// `env` must be live and used by this thread only; `func` must be guest code of a live
/// instance; `frame` must lie in the environment's slots, hold the parameters, and leave room
/// for the results.
pub unsafe extern "C-unwind" fn run(
    env: *mut VmEnv,
    func: *const VmFuncRef,
    frame: *mut u64,
) -> u32 {
    // SAFETY: all three are as the caller's contract says; what entering the function needs
    // beyond it is checked there.
    unsafe {
        let instance = (*func).instance;
        let code = (*func).code;
        if instance.is_null() || code.is_null() {
            return Trap::Internal as u32;
        }
        let outer = Outer::of(env);
        let mut activation = VmActivation {
            outer: outer.activation,
            func,
            ip: std::ptr::null(),
            sp: std::ptr::null_mut(),
            host: std::ptr::null(),
        };
        (*env).activation = &raw mut activation;
        (*env).instance = instance;
        (*env).globals = (*instance).globals;
        let frame = Frame::of(frame);
        let mut r = Regs {
            ip: Ip::of(EXIT.as_ptr().cast()),
            sp: frame,
            memory: Memory::NONE,
            env,
            int: 0,
            f32: 0.0,
            f64: 0.0,
        };
        reload_memory(&mut r);
        let header = frame.header((*code).header_slot);
        let back_to = r.ip;
        match control::enter(&mut r, code, frame, header, back_to) {
            Ok(()) => dispatch::run(r),
            Err(stop) => dispatch::leave(env, r.ip, r.sp, stop),
        }
    }
}

/// Whether native stack is bounded in this build: whether leaves jump to what comes next. They do
/// in every build that `build.rs` lets dispatch by tail calls; this notices one that was given
/// other options behind its back.
pub fn is_stack_bounded() -> bool {
    #[repr(C)]
    struct Program {
        before: Code<shape::Dst>,
        between: [Code<shape::Unary>; 4],
        after: Code<shape::Dst>,
        exit: Code<()>,
    }
    // The probes leave their native stack pointers in slots 0 and 1.
    let probe = |slot| Code::new(dispatch::stub::<Probe>, shape::Dst { dst: SlotNo(slot) });
    let operands = shape::Unary { dst: SlotNo(2), a: SlotNo(2) };
    let copy = Code::new(Picked::leaf(data::copy).handler, operands);
    let exit = Code::new(control::exit, ());
    let program = Program { before: probe(0), between: [copy; 4], after: probe(1), exit };
    let mut slots = [0u64; 3];
    let r = Regs {
        ip: Ip::of((&raw const program).cast()),
        sp: Frame::of(slots.as_mut_ptr()),
        memory: Memory::NONE,
        env: std::ptr::null_mut(),
        int: 0,
        f32: 0.0,
        f64: 0.0,
    };
    // SAFETY: the instructions name three slots, need no environment and end in `exit`.
    let code = unsafe { dispatch::run(r) };
    code == 0 && slots[0] == slots[1]
}

dispatch::slow!(
    /// Leaves the native stack pointer in a slot.
    Probe |r, i: shape::Dst| {
    let here = crate::platform::stack::pointer();
    r.set(i.dst, here as u64);
    r.pass(i);
    Ok(())
});

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
