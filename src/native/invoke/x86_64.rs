//! The thunk for the System V calling convention of x86-64.

use super::plan::CallPlan;
use crate::abi::types::FuncType;
use crate::native::signature::Signature;
use std::arch::naked_asm;
use std::ffi::c_void;

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
/// words for the stack.
pub(super) unsafe fn call(
    target: *const c_void,
    frame: *mut u64,
    stack_words: usize,
    _plan: &CallPlan,
) -> bool {
    // SAFETY: the caller vouches for the frame and the function.
    unsafe { thunk(target, frame, stack_words) };
    true
}

/// rbp keeps the stack pointer, so that unwinding needs no more than the frame pointer; rbx
/// keeps the frame's address across the call. The stack arguments are written from the top
/// down: each page of the stack is touched before the one below it.
#[unsafe(naked)]
unsafe extern "C" fn thunk(target: *const c_void, frame: *mut u64, stack_words: usize) {
    naked_asm!(
        ".cfi_startproc",
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
        "sub rsp, 8",
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
        "mov rbx, [rbp - 8]",
        "leave",
        ".cfi_def_cfa rsp, 8",
        ".cfi_restore rbp",
        ".cfi_restore rbx",
        "ret",
        ".cfi_endproc",
        stack = const super::plan::STACK_START * 8,
        int = const super::plan::INT_START * 8,
    )
}
