//! The interpreter: translation of functions to register code, and its execution.
//!
//! Translation (`compile`) goes over a function's body once, when it is first called, and turns
//! stack code into instructions on the slots of a frame, with the latest result of each class
//! in an accumulator. An instruction is the address of its handler, followed by its operands.
//!
//! A *frame* is a function's part of the guest's stack: *slots* of 8 bytes for parameters, a header
//! with the return address, locals, and operands. A vector takes two slots, any other value one.
//! The *classes* of values are integers with references, f32, f64, and vectors; each class has an
//! *accumulator*, a register. An operand's *mode* is the accumulator, a slot, or a constant.
//!
//! `compile` makes the code of a function, and `code` holds that of a module. `op` and `vector_op`
//! list the operations, `instr` the instructions, `shape` their forms in memory and `operand` the
//! modes of their operands; `handlers` has the code of each instruction, `dispatch` the way from
//! one handler to the next, and `machine` the pointers in the machine's registers. `frames` finds
//! the frames on a stack, and `unwind` the handlers of exceptions.
//!
//! It knows instances only by the layout of their running state and `exec::builtins`; it knows
//! no context, no native and no thread. Control enters at [`run`], through the references to
//! functions, and at the functions in [`ENGINE`], from `exec`. The native stack does not grow with
//! guest calls, only with host functions and instances that call back.

// A handler's signature is the virtual machine's registers; it is never called from C.
#![allow(improper_ctypes_definitions, reason = "handlers only use the C convention's registers")]

mod bodies;
pub mod code;
mod compile;
mod dispatch;
mod frames;
mod handlers;
mod instr;
mod machine;
mod op;
mod operand;
mod shape;
mod unwind;
#[cfg(feature = "simd")]
mod vector_op;

#[cfg(test)]
mod tests;

pub use code::{Above, DECLINED, EnterOther, GO_ON, ModuleCode, Sample, VmCode};
#[cfg(isothread_jit)]
pub use compile::clause_parts;
pub use machine::Header;

use crate::abi::lanes::V128;
use crate::abi::vm_layout::{VmEnv, VmFuncRef};
use crate::exec::{Engine, GuestCode, Run};
use dispatch::Regs;
use handlers::memory::reload_memory;
use handlers::{calls, control, data};
use machine::{Frame, Ip, Memory0};
use shape::{Code, Picked, SlotNo};

/// The instructions of a defined function as text; `None` if there is no such function.
#[cfg_attr(not(test), allow(dead_code, reason = "the public API shows it"))]
pub fn disassemble(code: &ModuleCode, func_index: u32) -> Option<String> {
    let module = code.module();
    if func_index < module.imported.funcs {
        return None;
    }
    let profiled = code.is_profiled();
    let options = compile::Options { listing: true, profiled, loops: false, stop: &|| None };
    let translated = compile::translate(module, code.codes(), func_index, options).ok()?;
    Some(compile::listing::listing(&translated))
}

/// The slots of a function's frame, and the cost of entering it, as translation computes them;
/// `None` if it fails. For tests of the engine above.
#[cfg(all(test, isothread_jit))]
pub fn entry_of(module: &crate::module::Module, func_index: u32) -> Option<(u32, u32)> {
    let options =
        compile::Options { listing: false, profiled: false, loops: false, stop: &|| None };
    // Translation computes addresses of entries of the code table, and reads none.
    let translated = compile::translate(module, std::ptr::null(), func_index, options).ok()?;
    let first = translated.words.first()?;
    // SAFETY: the first word of a translated body is a `shape::Entry`.
    let entry = unsafe { *first.as_ptr().cast::<shape::Entry>() };
    Some((entry.frame_slots.into(), entry.cost))
}

/// Units that a function takes from the budget for clearing its locals, beside the cost of
/// entering.
#[cfg(isothread_jit)]
pub fn of_cleared(slots: u32) -> u64 {
    if slots <= instr::Instr::CLEAR_MAX { 0 } else { crate::exec::work::of_slots(slots as usize) }
}

/// The instruction that outermost functions return to. Owner: the process; it never changes.
static EXIT: [Code<()>; 1] = [Code::new(control::exit, ())];

/// The functions by which `exec` asks about the interpreter's code and frames. Owner: the process;
/// it never changes.
static ENGINE: &Engine = &Engine {
    frame_at_call: frames::at_call,
    frame_at_trap: frames::at_trap,
    catches: unwind::catches,
    references: unwind::references,
    position: frames::position,
};

/// Runs `func`, guest code of ours, with its parameters at `frame`, and leaves its results there.
/// It is the entry of all references to such functions. Returns zero or a trap code.
///
/// # Safety
/// The contract of `VmEntry` must hold; `func` is a live reference to a function of a
/// [`ModuleCode`]'s.
pub unsafe extern "C-unwind" fn run(
    env: *mut VmEnv,
    func: *const VmFuncRef,
    frame: *mut u64,
) -> u32 {
    // SAFETY: the caller guarantees the contract of `run_record`; the body of a reference to code
    // of ours is its record.
    unsafe { run_record(env, func, (*func).body.code.cast(), frame) }
}

/// As [`run`], of the function with the record `code`, which may have no reference: `func` is one
/// to another function of the same instance then. It is run by the interpreter's own code, whatever
/// else it has.
///
/// # Safety
/// As for [`run`].
#[inline(always)]
pub unsafe fn run_record(
    env: *mut VmEnv,
    func: *const VmFuncRef,
    code: *const VmCode,
    frame: *mut u64,
) -> u32 {
    // SAFETY: the caller guarantees that `env` is live, that `code` is a record of ours, and that
    // the parameters are at `frame`. `enter_own` checks that there is room for the rest of the
    // frame, and `EXIT` is an instruction that lasts for ever.
    unsafe {
        let mut run = Run::new(env, func, ENGINE);
        run.begin();
        let frame = Frame::of(frame);
        let mut r = Regs {
            ip: Ip::of(EXIT.as_ptr().cast()),
            sp: frame,
            memory: Memory0::NONE,
            env,
            int: 0,
            f32: 0.0,
            f64: 0.0,
            v128: V128::from_u64x2([0; 2]),
        };
        reload_memory(&mut r);
        let back_to = r.ip;
        match calls::enter_own(&mut r, code, frame, back_to) {
            Ok(()) => dispatch::run(r),
            Err(stop) => dispatch::exit(env, r.ip, r.sp, stop),
        }
    }
}

/// Whether native stack is bounded in this build: whether leaves jump to the next handler. They do
/// with the options for which `build.rs` chooses tail calls; this finds a build that was made with
/// other options in spite of that.
pub fn is_stack_bounded() -> bool {
    if dispatch::IS_LOOP {
        // Every handler is called from the same place, and has returned before the next.
        return true;
    }
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
        memory: Memory0::NONE,
        env: std::ptr::null_mut(),
        int: 0,
        f32: 0.0,
        f64: 0.0,
        v128: V128::from_u64x2([0; 2]),
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
