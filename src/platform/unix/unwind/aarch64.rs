//! Calls that catch, for AArch64.

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
        "stp x29, x30, [sp, #-32]!",
        ".cfi_def_cfa_offset 32",
        ".cfi_offset x29, -32",
        ".cfi_offset x30, -24",
        "mov x29, sp",
        "str x0, [sp, #16]",
        "mov x16, x1",
        "mov x0, x2",
        "mov x1, x3",
        "mov x2, x4",
        "mov x3, x5",
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
        "str x0, [x9]",
        "ldp x29, x30, [sp], #32",
        ".cfi_def_cfa_offset 0",
        ".cfi_restore x29",
        ".cfi_restore x30",
        "ret",
        catch_end!(),
        me = sym call_words,
        personality = sym personality,
    )
}
