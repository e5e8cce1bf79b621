//! The way from one instruction's handler to the next. Control enters at [`run`], from
//! `interp::run`.
//!
//! There are two kinds of handlers, both functions of the machine registers ([`Regs`]):
//!
//! - A **leaf** (`handler!`) computes, calls nothing and keeps nothing on the native stack. It
//!   ends in [`next`], [`stop`], or in the stub of a slow handler.
//! - A **slow handler** ([`Slow`]) may call any function. It is an ordinary function that
//!   is given the registers in memory and returns; running code reaches it through [`stub`].
//!   Host functions, which are called often, have a stub of their own ([`call_host`]).
//!
//! With tail dispatch a leaf jumps to the next handler, the registers stay in processor
//! registers, and stubs are assembly: a stub takes its native stack back before it goes on. So
//! running code takes native stack only while a slow handler runs, however that is compiled.
//! LLVM decides whether a leaf's last call is a jump, and leaves keep nothing that would prevent
//! it; `.ci/handlers` checks it in the code that was built, where all leaves note their addresses,
//! and `interp::is_stack_bounded` when a module is loaded. With loop dispatch every
//! handler returns to one loop, which needs nothing of the compiler.
//!
//! Only this folder knows which backend is in use. `build.rs` decides, but a build with debug
//! assertions always loops: their panic paths keep locals alive.

#[cfg(any(not(isothread_tail_dispatch), debug_assertions))]
mod looped;
#[cfg(all(isothread_tail_dispatch, not(debug_assertions)))]
mod tail;

#[cfg(any(not(isothread_tail_dispatch), debug_assertions))]
pub use looped::{IS_LOOP, Ret, call_host, next, run, stop, stub};
#[cfg(all(isothread_tail_dispatch, not(debug_assertions)))]
pub use tail::{IS_LOOP, Ret, call_host, next, run, stop, stub};

use super::machine::{Frame, Ip, Memory0};
use super::shape::Shape;
use crate::abi::lanes::V128;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::VmEnv;
use crate::exec::{Point, record_trap};

/// The registers of the virtual machine.
///
/// Six integers, two floats and a vector: the calling conventions of x86-64 and aarch64 pass as
/// many without touching memory. All other state of running code is reached through `env`. The
/// stubs store and load the fields by their offsets.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Regs {
    /// The instruction being executed.
    pub ip: Ip,
    /// The running function's frame.
    pub sp: Frame,
    /// Memory 0 of the running instance, which are two registers.
    pub memory: Memory0,
    pub env: *mut VmEnv,
    /// Accumulators, one per register class: the latest result of that class.
    pub int: u64,
    pub f32: f32,
    pub f64: f64,
    pub v128: V128,
}

impl Regs {
    /// The position and frame of guest code.
    #[inline(always)]
    pub fn point(&self) -> Point {
        Point { ip: self.ip.as_ptr(), sp: self.sp.as_ptr() }
    }
}

/// The code of one instruction. See [`Regs`] for the arguments. Unwinding passes through: a
/// host function may end its thread.
///
/// # Safety
/// An instruction in live code of a validated function stands at `ip`, written with this handler;
/// `sp` is a frame with all the slots that function declares, `mem` and `len` are memory 0 of
/// `env`'s instance.
pub type Handler = HandlerFor<()>;

/// As [`Handler`], for instructions whose operands have the shape `S`.
pub type HandlerFor<S> = unsafe extern "C-unwind" fn(
    ip: Ip<S>,
    sp: Frame,
    mem: *mut u8,
    len: usize,
    env: *mut VmEnv,
    int: u64,
    f32: f32,
    f64: f64,
    v128: V128,
) -> Ret;

/// The reason why a slow handler does not go on at `r.ip`.
#[derive(Clone, Copy, Debug)]
pub enum Stop {
    /// A trap at the instruction at `r.ip`, on the frame at `r.sp`, by its code.
    Trap(u32),
    /// Leaves guest code with this code and without a trap here.
    Exit(u32),
}

impl From<Trap> for Stop {
    fn from(trap: Trap) -> Self {
        Self::Trap(trap as u32)
    }
}

/// The code of an instruction that may take native stack.
pub trait Slow {
    /// The operands of the instruction; `()` if it may be any.
    type Shape: Shape;

    /// Executes the instruction at `r.ip` and leaves in `r` where to go on.
    ///
    /// # Safety
    /// The contract of [`Handler`] must hold for `r`.
    unsafe fn run(r: &mut Regs) -> Result<(), Stop>;
}

/// A leaf as a type, for stubs that go on in it.
pub trait Leaf {
    /// The operands of the instruction.
    type Shape: Shape;
    const HANDLER: HandlerFor<Self::Shape>;
}

/// [`Slow::run`] as the stubs call it: 0 to go on, else the code to leave guest code with.
///
/// # Safety
/// As for [`Slow::run`]; `r` points to registers that nothing else uses.
unsafe extern "C-unwind" fn body<S: Slow>(r: *mut Regs) -> u32 {
    // SAFETY: the caller guarantees that the contract of `Handler` holds for the registers, and
    // that nothing else uses them.
    let outcome = unsafe { S::run(&mut *r) };
    match outcome {
        Ok(()) => 0,
        // SAFETY: on an error `S::run` leaves the instruction that stops in `r.ip`, with its frame
        // and environment.
        Err(stop) => unsafe { exit((*r).env, (*r).ip, (*r).sp, stop) },
    }
}

/// Notes the stack of a trap; returns the code to leave guest code with.
///
/// # Safety
/// `env` must be the running environment, and the instruction that stops at `ip`, on the frame
/// at `sp`.
#[cold]
#[inline(never)]
pub unsafe fn exit(env: *mut VmEnv, ip: Ip, sp: Frame, stop: Stop) -> u32 {
    match stop {
        Stop::Trap(code) => {
            // SAFETY: the caller guarantees that `env` is the running environment, and that `ip`
            // and `sp` are those of the instruction that traps.
            unsafe { record_trap(env, Point { ip: ip.as_ptr(), sp: sp.as_ptr() }) };
            code
        }
        Stop::Exit(code) => code,
    }
}

/// Aligns the leaf that it is in, and notes its address for `.ci/handlers`.
///
/// No attribute aligns a function, and compilers align them to 16 bytes. On ELF each function has
/// a section of its own, whose alignment a directive for its code raises; one that may skip at most
/// a byte puts hardly anything in there. The note's section is not loaded, and goes with the
/// debug information when that is stripped.
#[cfg(all(isothread_tail_dispatch, not(debug_assertions), target_os = "linux"))]
macro_rules! mark_leaf {
    () => {
        std::arch::asm!(
            ".p2align 6,,1",
            "2:",
            ".pushsection .debug_isothread_leaves,\"\",@progbits",
            ".quad 2b",
            ".popsection",
            options(nomem, nostack, preserves_flags),
        )
    };
}
#[cfg(not(all(isothread_tail_dispatch, not(debug_assertions), target_os = "linux")))]
macro_rules! mark_leaf {
    () => {};
}
pub(crate) use mark_leaf;

/// Defines a leaf: `handler!(name[generics] |r, i: Shape| body)`. The body owns the registers as
/// `r`, has the operands as `i`, and ends in `next`, `stop` or `to_slow`.
macro_rules! handler {
    ($(#[$meta:meta])* $name:ident [$($gen:tt)*] |$r:ident, $i:ident: $shape:ty| $body:block) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments, reason = "the registers of the virtual machine")]
        #[allow(clippy::missing_safety_doc, reason = "the contract stands at `Handler`")]
        pub unsafe extern "C-unwind" fn $name<$($gen)*>(
            ip: $crate::interp::machine::Ip<$shape>,
            sp: $crate::interp::machine::Frame,
            mem: *mut u8,
            len: usize,
            env: *mut $crate::abi::vm_layout::VmEnv,
            int: u64,
            f32: f32,
            f64: f64,
            v128: $crate::abi::lanes::V128,
        ) -> $crate::interp::dispatch::Ret {
            let memory = $crate::interp::machine::Memory0 { base: mem, len };
            let ip_of_any = ip.any();
            #[allow(unused_mut, reason = "some handlers only read the registers")]
            let mut $r =
                $crate::interp::dispatch::Regs {
                    ip: ip_of_any, sp, memory, env, int, f32, f64, v128,
                };
            // SAFETY: the contract of `Handler` covers every operand of the instruction at
            // `ip`: the translator put it there for a validated function.
            #[allow(unused_unsafe, reason = "a few handlers only trap")]
            unsafe {
                $crate::interp::dispatch::mark_leaf!();
                let $i = ip.operands();
                $body
            }
        }
    };
    // For a leaf that reads no operands.
    ($(#[$meta:meta])* $name:ident [$($gen:tt)*] |$r:ident| $body:block) => {
        handler!($(#[$meta])* $name [$($gen)*] |$r, _operands: ()| $body);
    };
}
pub(crate) use handler;

/// Defines a slow handler: `slow!(Name |r, i: Shape| body)`. The body has the registers as `r`, a
/// mutable reference, and the operands as `i`. It ends in `Ok(())`, with `r.ip` where to go on, or
/// in the reason to stop.
macro_rules! slow {
    ($(#[$meta:meta])* $name:ident |$r:ident, $i:ident: $shape:ty| $body:block) => {
        $(#[$meta])*
        pub struct $name;
        impl $crate::interp::dispatch::Slow for $name {
            type Shape = $shape;
            unsafe fn run(
                $r: &mut $crate::interp::dispatch::Regs,
            ) -> Result<(), $crate::interp::dispatch::Stop> {
                // SAFETY: the contract of `Slow::run` covers every operand of the instruction
                // at `ip`: the translator put it there for a validated function.
                #[allow(unused_unsafe, reason = "a few handlers only trap")]
                unsafe {
                    let $i = $r.ip.of_shape::<$shape>().operands();
                    $body
                }
            }
        }
    };
    // For an instruction of any shape.
    ($(#[$meta:meta])* $name:ident |$r:ident| $body:block) => {
        slow!($(#[$meta])* $name |$r, _operands: ()| $body);
    };
}
pub(crate) use slow;

/// A leaf's way into another one, which goes on with the same instruction.
///
/// # Safety
/// The contract of [`Handler`] must hold for `r`.
#[inline(always)]
pub unsafe fn go_on_in<S: Shape>(leaf: HandlerFor<S>, r: Regs, _operands: &S) -> Ret {
    // SAFETY: the caller guarantees that the contract of `Handler` holds for `r`; the operands have
    // the shape that the leaf reads.
    unsafe {
        let Memory0 { base, len } = r.memory;
        leaf(r.ip.of_shape(), r.sp, base, len, r.env, r.int, r.f32, r.f64, r.v128)
    }
}

/// A leaf's way into a slow handler, with the leaf's own registers and operands.
///
/// # Safety
/// The contract of [`Handler`] must hold for `r`.
#[inline(always)]
pub unsafe fn to_slow<S: Slow>(r: Regs, _operands: &S::Shape) -> Ret {
    // SAFETY: the caller guarantees that the contract of `Handler` holds for `r`; the operands have
    // the shape that `S` reads.
    unsafe {
        let Memory0 { base, len } = r.memory;
        stub::<S>(r.ip, r.sp, base, len, r.env, r.int, r.f32, r.f64, r.v128)
    }
}
