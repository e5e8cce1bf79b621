//! The thunks for the System V calling convention of x86-64. All of them catch the native's
//! unwinding, and leave it in the environment.

use super::plan::CallPlan;
use crate::abi::types::FuncType;
use crate::abi::vm_layout::VmEnv;
use crate::native::signature::Signature;
use crate::platform::unwind::{catch_begin, catch_end, personality};
use std::arch::naked_asm;
use std::ffi::c_void;
use std::mem::offset_of;

/// xmm0 to xmm7.
pub(super) const FLOAT_REGS: usize = 8;
/// rdi, rsi, rdx, rcx, r8, r9.
pub(super) const INT_REGS: usize = 6;

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

/// rbp keeps the stack pointer, so that unwinding needs no more than the frame pointer; rbx
/// keeps the frame's address across the call, and the environment lies below it. The stack
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
        "push rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbp, -16",
        "mov rbp, rsp",
        ".cfi_def_cfa_register rbp",
        "push rbx",
        ".cfi_offset rbx, -24",
        "mov rbx, rsi",
        "mov r11, rdi",
        // Return address, rbp, rbx and this make a multiple of 16; an odd number of words gets
        // a partner.
        "push rcx",
        "test rdx, 1",
        "jz 2f",
        "sub rsp, 8",
        "2:",
        "test rdx, rdx",
        "jz 3f",
        "push qword ptr [rbx + {stack} + 8 * rdx - 8]",
        "dec rdx",
        "jmp 2b",
        "3:",
        "movaps xmm0, [rbx]",
        "movaps xmm1, [rbx + 16]",
        "movaps xmm2, [rbx + 32]",
        "movaps xmm3, [rbx + 48]",
        "movaps xmm4, [rbx + 64]",
        "movaps xmm5, [rbx + 80]",
        "movaps xmm6, [rbx + 96]",
        "movaps xmm7, [rbx + 112]",
        "mov rdi, [rbx + {int}]",
        "mov rsi, [rbx + {int} + 8]",
        "mov rdx, [rbx + {int} + 16]",
        "mov rcx, [rbx + {int} + 24]",
        "mov r8, [rbx + {int} + 32]",
        "mov r9, [rbx + {int} + 40]",
        // A variadic native reads the number of vector registers from here.
        "mov eax, 8",
        "call r11",
        "mov [rbx], rax",
        "movaps [rbx + 16], xmm0",
        "4:",
        "mov rbx, [rbp - 8]",
        ".cfi_remember_state",
        "leave",
        ".cfi_def_cfa rsp, 8",
        ".cfi_restore rbp",
        ".cfi_restore rbx",
        "ret",
        "{me}.caught:",
        ".cfi_restore_state",
        "mov rdx, [rbp - 16]",
        "mov [rdx + {unwinding}], rax",
        "jmp 4b",
        catch_end!(),
        me = sym thunk,
        personality = sym personality,
        unwinding = const offset_of!(VmEnv, unwinding),
        stack = const super::plan::STACK_START * 8,
        int = const super::plan::INT_START * 8,
    )
}

/// Thunks for [`direct`](super::direct()): they pass the environment's owner, and in the other
/// registers the values that `load` takes from the words at r10; `bytes` are on the stack
/// meanwhile.
macro_rules! thunks {
    ($($name:ident, $bytes:literal: $($load:literal),*;)*) => {$(
        /// # Safety
        /// `env` is live, `args` are the words that `target` takes, and it returns as this does.
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name(
            env: *mut VmEnv,
            target: *const c_void,
            args: *const u64,
        ) {
            naked_asm!(
                catch_begin!(),
                "push rdi",
                ".cfi_def_cfa_offset 16",
                "mov r11, rsi",
                "mov r10, rdx",
                "mov rdi, [rdi + {owner}]",
                $($load,)*
                "call r11",
                "add rsp, {bytes}",
                ".cfi_def_cfa_offset 8",
                "ret",
                "{me}.caught:",
                ".cfi_def_cfa_offset {bytes} + 8",
                "mov rdx, [rsp + {bytes} - 8]",
                "mov [rdx + {unwinding}], rax",
                "add rsp, {bytes}",
                ".cfi_def_cfa_offset 8",
                "ret",
                catch_end!(),
                me = sym $name,
                personality = sym personality,
                owner = const offset_of!(VmEnv, owner),
                unwinding = const offset_of!(VmEnv, unwinding),
                bytes = const $bytes,
            )
        }
    )*};
}

thunks! {
    raw, 8: "mov rsi, r10";
    words_0, 8: "";
    words_1, 8: "mov rsi, [r10]";
    words_2, 8: "mov rsi, [r10]", "mov rdx, [r10 + 8]";
    words_3, 8: "mov rsi, [r10]", "mov rdx, [r10 + 8]", "mov rcx, [r10 + 16]";
    words_4, 8: "mov rsi, [r10]", "mov rdx, [r10 + 8]", "mov rcx, [r10 + 16]",
        "mov r8, [r10 + 24]";
    words_5, 8: "mov rsi, [r10]", "mov rdx, [r10 + 8]", "mov rcx, [r10 + 16]",
        "mov r8, [r10 + 24]", "mov r9, [r10 + 32]";
    words_6, 24: "sub rsp, 8", ".cfi_def_cfa_offset 24", "push qword ptr [r10 + 40]",
        ".cfi_def_cfa_offset 32", "mov rsi, [r10]", "mov rdx, [r10 + 8]", "mov rcx, [r10 + 16]",
        "mov r8, [r10 + 24]", "mov r9, [r10 + 32]";
}

/// The same for up to three integers, and floats that lie in their registers already.
///
/// # Safety
/// `env` is live, the others suit `target`'s parameters, and it returns as this does.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn mixed(
    env: *mut VmEnv,
    target: *const c_void,
    int_0: u64,
    int_1: u64,
    int_2: u64,
) {
    naked_asm!(
        catch_begin!(),
        "push rdi",
        ".cfi_def_cfa_offset 16",
        "mov r11, rsi",
        "mov rdi, [rdi + {owner}]",
        "mov rsi, rdx",
        "mov rdx, rcx",
        "mov rcx, r8",
        "call r11",
        "add rsp, 8",
        ".cfi_def_cfa_offset 8",
        "ret",
        "{me}.caught:",
        ".cfi_def_cfa_offset 16",
        "pop rdx",
        ".cfi_def_cfa_offset 8",
        "mov [rdx + {unwinding}], rax",
        "ret",
        catch_end!(),
        me = sym mixed,
        personality = sym personality,
        owner = const offset_of!(VmEnv, owner),
        unwinding = const offset_of!(VmEnv, unwinding),
    )
}
