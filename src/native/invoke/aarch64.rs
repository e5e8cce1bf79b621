//! The thunks for the procedure call standard of AArch64. All of them catch the native's unwinding,
//! and leave it in the environment.

use super::plan::CallPlan;
use crate::abi::types::FuncType;
use crate::abi::vm_layout::VmEnv;
use crate::native::signature::Signature;
use crate::platform::unwind::{catch_begin, catch_end, personality};
use std::arch::naked_asm;
use std::ffi::c_void;
use std::mem::offset_of;

/// v0 to v7.
pub(super) const FLOAT_REGS: usize = 8;
/// x0 to x7.
pub(super) const INT_REGS: usize = 8;

/// This convention needs nothing but the places of the arguments.
pub(super) struct Extra;

/// Words of a frame beyond the arguments.
pub(super) fn own_words(_args: usize) -> usize {
    0
}

impl Extra {
    pub(super) fn new(_ty: &FuncType, _signature: Option<Signature<'_>>) -> Self {
        Self
    }
}

/// Calls `target` with the arguments in `frame`; the results replace the frame's first words.
///
/// # Safety
/// `frame` is aligned to 16 bytes and filled for a function like `target`, with `stack_words`
/// words for the stack; `env` is live.
pub(super) unsafe fn call(
    env: *mut VmEnv,
    target: *const c_void,
    frame: *mut u64,
    stack_words: usize,
    _plan: &CallPlan,
) -> bool {
    // SAFETY: the caller vouches for the frame, the function and the environment.
    unsafe { thunk(target, frame, stack_words, env) };
    true
}

/// x29 keeps the stack pointer, so that unwinding needs no more than the frame pointer; x19
/// keeps the frame's address across the call, and the environment lies beside it. The stack
/// arguments are written from the top down: each page of the stack is touched before the one
/// below it.
#[unsafe(naked)]
unsafe extern "C" fn thunk(
    target: *const c_void,
    frame: *mut u64,
    stack_words: usize,
    env: *mut VmEnv,
) {
    naked_asm!(
        catch_begin!(),
        "stp x29, x30, [sp, #-32]!",
        ".cfi_def_cfa_offset 32",
        ".cfi_offset x29, -32",
        ".cfi_offset x30, -24",
        "mov x29, sp",
        ".cfi_def_cfa_register x29",
        "stp x19, x3, [sp, #16]",
        ".cfi_offset x19, -16",
        "mov x19, x1",
        "mov x16, x0",
        // The stack pointer stays a multiple of 16: an odd number of words gets a partner.
        "add x9, x19, #{stack}",
        "add x9, x9, x2, lsl #3",
        "tbz x2, #0, 2f",
        "ldr x10, [x9, #-8]!",
        "str x10, [sp, #-16]!",
        "sub x2, x2, #1",
        "2:",
        "cbz x2, 3f",
        "ldp x10, x11, [x9, #-16]!",
        "stp x10, x11, [sp, #-16]!",
        "sub x2, x2, #2",
        "b 2b",
        "3:",
        "ldp q0, q1, [x19]",
        "ldp q2, q3, [x19, #32]",
        "ldp q4, q5, [x19, #64]",
        "ldp q6, q7, [x19, #96]",
        "ldp x0, x1, [x19, #{int}]",
        "ldp x2, x3, [x19, #{int} + 16]",
        "ldp x4, x5, [x19, #{int} + 32]",
        "ldp x6, x7, [x19, #{int} + 48]",
        "blr x16",
        "str x0, [x19]",
        "str q0, [x19, #16]",
        "4:",
        "mov sp, x29",
        "ldr x19, [sp, #16]",
        ".cfi_remember_state",
        "ldp x29, x30, [sp], #32",
        ".cfi_def_cfa sp, 0",
        ".cfi_restore x29",
        ".cfi_restore x30",
        ".cfi_restore x19",
        "ret",
        "{me}.caught:",
        ".cfi_restore_state",
        "ldr x9, [x29, #24]",
        "str x0, [x9, #{unwinding}]",
        "b 4b",
        catch_end!(),
        me = sym thunk,
        personality = sym personality,
        unwinding = const offset_of!(VmEnv, unwinding),
        stack = const super::plan::STACK_START * 8,
        int = const super::plan::INT_START * 8,
    )
}

/// Thunks for [`direct`](super::direct()): they pass the environment's owner, and in the other
/// registers the values that `load` takes, from the words at x9 or elsewhere.
macro_rules! thunks {
    ($($name:ident($($param:ident: $ty:ty),*): $($load:literal),*;)*) => {$(
        /// # Safety
        /// `env` is live, the rest suits `target`'s parameters, and it returns as this does.
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name(
            env: *mut VmEnv,
            target: *const c_void,
            $($param: $ty),*
        ) {
            naked_asm!(
                catch_begin!(),
                "stp x29, x30, [sp, #-32]!",
                ".cfi_def_cfa_offset 32",
                ".cfi_offset x29, -32",
                ".cfi_offset x30, -24",
                "mov x29, sp",
                "str x0, [sp, #16]",
                "mov x16, x1",
                "mov x9, x2",
                "ldr x0, [x0, #{owner}]",
                $($load,)*
                "blr x16",
                ".cfi_remember_state",
                "ldp x29, x30, [sp], #32",
                ".cfi_def_cfa_offset 0",
                ".cfi_restore x29",
                ".cfi_restore x30",
                "ret",
                "{me}.caught:",
                ".cfi_restore_state",
                "ldr x9, [sp, #16]",
                "str x0, [x9, #{unwinding}]",
                "ldp x29, x30, [sp], #32",
                ".cfi_def_cfa_offset 0",
                ".cfi_restore x29",
                ".cfi_restore x30",
                "ret",
                catch_end!(),
                me = sym $name,
                personality = sym personality,
                owner = const offset_of!(VmEnv, owner),
                unwinding = const offset_of!(VmEnv, unwinding),
            )
        }
    )*};
}

thunks! {
    raw(args: *const u64): "mov x1, x9";
    words_0(args: *const u64): "";
    words_1(args: *const u64): "ldr x1, [x9]";
    words_2(args: *const u64): "ldp x1, x2, [x9]";
    words_3(args: *const u64): "ldp x1, x2, [x9]", "ldr x3, [x9, #16]";
    words_4(args: *const u64): "ldp x1, x2, [x9]", "ldp x3, x4, [x9, #16]";
    words_5(args: *const u64): "ldp x1, x2, [x9]", "ldp x3, x4, [x9, #16]", "ldr x5, [x9, #32]";
    words_6(args: *const u64): "ldp x1, x2, [x9]", "ldp x3, x4, [x9, #16]",
        "ldp x5, x6, [x9, #32]";
    mixed(int_0: u64, int_1: u64, int_2: u64): "mov x1, x9", "mov x2, x3", "mov x3, x4";
}
