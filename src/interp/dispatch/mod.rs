//! How one instruction's handler hands over to the next.
//!
//! A handler is a function of the machine registers ([`Regs`]). With tail dispatch it ends in
//! a jump to the next handler and the registers stay in processor registers; with loop
//! dispatch it returns them. Handlers are written once, against [`next`], [`stop`] and the
//! `handler!` macro; only this folder knows which backend is in use. `build.rs` decides, but a
//! build with debug assertions always loops: their panic paths keep locals alive, and then LLVM
//! makes calls of the jumps, which overflows the native stack.

#[cfg(any(not(isothread_tail_dispatch), debug_assertions))]
mod looped;
#[cfg(all(isothread_tail_dispatch, not(debug_assertions)))]
mod tail;

#[cfg(any(not(isothread_tail_dispatch), debug_assertions))]
pub use looped::{Ret, finish, next, stop};
#[cfg(all(isothread_tail_dispatch, not(debug_assertions)))]
pub use tail::{Ret, finish, next, stop};

use crate::abi::vm_layout::VmEnv;

/// The registers of the virtual machine.
///
/// Six integers and two floats: what the calling conventions of x86-64 and aarch64 pass
/// without touching memory. Whatever else running code needs hangs off `env`.
#[derive(Clone, Copy)]
pub struct Regs {
    /// The instruction being executed: its handler's address, then its operands.
    pub ip: *const u8,
    /// Slot 0 of the running function's frame.
    pub sp: *mut u64,
    /// Memory 0 of the running instance: start and accessible bytes.
    pub mem: *mut u8,
    pub len: usize,
    pub env: *mut VmEnv,
    /// Accumulators, one per register class: the latest result of that class.
    pub int: u64,
    pub f32: f32,
    pub f64: f64,
}

/// The code of one instruction. See [`Regs`] for the arguments.
///
/// # Safety
/// `ip` must point to an instruction in live code of a validated function, `sp` to a frame with
/// all the slots that function declares, `mem`/`len` to memory 0 of `env`'s instance.
pub type Handler = unsafe extern "C" fn(
    ip: *const u8,
    sp: *mut u64,
    mem: *mut u8,
    len: usize,
    env: *mut VmEnv,
    int: u64,
    f32: f32,
    f64: f64,
) -> Ret;

/// Defines a handler: `handler!(name[generics] |r| body)`. The body owns the registers as `r`
/// and ends in `next` or `stop`.
macro_rules! handler {
    ($(#[$meta:meta])* $name:ident [$($gen:tt)*] |$r:ident| $body:block) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments, reason = "the registers of the virtual machine")]
        #[allow(clippy::missing_safety_doc, reason = "the contract stands at `Handler`")]
        pub unsafe extern "C" fn $name<$($gen)*>(
            ip: *const u8,
            sp: *mut u64,
            mem: *mut u8,
            len: usize,
            env: *mut $crate::abi::vm_layout::VmEnv,
            int: u64,
            f32: f32,
            f64: f64,
        ) -> $crate::interp::dispatch::Ret {
            #[allow(unused_mut, reason = "some handlers only read the registers")]
            let mut $r = $crate::interp::dispatch::Regs { ip, sp, mem, len, env, int, f32, f64 };
            // SAFETY: the contract of `Handler` covers every operand of the instruction at
            // `ip`: the translator put it there for a validated function.
            #[allow(unused_unsafe, reason = "a few handlers only trap")]
            unsafe {
                $body
            }
        }
    };
}
pub(crate) use handler;
