//! Calls that catch, for x86-64.

use super::{catch_begin, catch_end, personality};
use std::arch::naked_asm;
use std::ffi::c_void;

/// Calls `function`; if it unwinds, stores the unwinding in `caught`.
///
/// # Safety
/// As for [`super::call`]; `caught` is writable.
pub unsafe fn call(
    caught: *mut *mut c_void,
    function: *const c_void,
    [a, b, c, d]: [usize; 4],
) -> usize {
    // SAFETY: the caller guarantees that `caught` is writable and that the arguments suit the
    // function.
    unsafe { call_words(caught, function, a, b, c, d) }
}

#[unsafe(naked)]
unsafe extern "C" fn call_words(
    caught: *mut *mut c_void,
    function: *const c_void,
    a: usize,
    b: usize,
    c: usize,
    d: usize,
) -> usize {
    naked_asm!(
        catch_begin!(),
        "push rdi",
        ".cfi_def_cfa_offset 16",
        "mov r11, rsi",
        "mov rdi, rdx",
        "mov rsi, rcx",
        "mov rdx, r8",
        "mov rcx, r9",
        "call r11",
        "add rsp, 8",
        ".cfi_def_cfa_offset 8",
        "ret",
        "{me}.caught:",
        ".cfi_def_cfa_offset 16",
        "pop rdx",
        ".cfi_def_cfa_offset 8",
        "mov [rdx], rax",
        "ret",
        catch_end!(),
        me = sym call_words,
        personality = sym personality,
    )
}
