//! Tail dispatch: every leaf ends in a jump to the next handler, every stub in one of its own.
//!
//! Rust has no stable guaranteed tail call. LLVM makes one of `return f(..)` when caller and
//! callee have the same signature, no argument lies on the stack and no local's address is
//! still needed, which is so in every leaf. The stubs do not depend on it: they are assembly.

use super::{Leaf, Regs, Slow, body};
use crate::abi::lanes::V128;
use crate::abi::vm_layout::{VmEnv, VmHostFunc};
use crate::interp::machine::{Frame, Ip, Memory0};
use std::arch::naked_asm;
use std::mem::offset_of;

/// Handlers end in a jump to the next one.
pub const IS_LOOP: bool = false;

/// Zero for a normal end, else the code that guest code was left with.
pub type Ret = u32;

/// Runs the instruction at `r.ip`.
///
/// # Safety
/// The contract of [`Handler`] must hold for `r`.
#[inline(always)]
pub unsafe fn next(r: Regs) -> Ret {
    // SAFETY: an instruction starts with its handler's address, which the translator wrote.
    unsafe {
        let handler = r.ip.handler();
        let Memory0 { base, len } = r.memory;
        handler(r.ip, r.sp, base, len, r.env, r.int, r.f32, r.f64, r.v128)
    }
}

/// Leaves guest code with `code`.
#[inline(always)]
pub fn stop(_r: Regs, code: u32) -> Ret {
    code
}

/// Runs from the instruction at `r.ip` until guest code is left; returns the code it left with.
///
/// # Safety
/// The contract of [`Handler`] must hold for `r`.
#[inline]
pub unsafe fn run(r: Regs) -> u32 {
    // SAFETY: the caller guarantees the contract of `Handler` for `r`, as `next` demands.
    unsafe { next(r) }
}

/// Calls `host` with its arguments at `frame`, then goes on in the leaf `L` with the host
/// function's result as integer accumulator; the other accumulators and memory 0 are lost.
///
/// # Safety
/// The contract of [`Handler`] must hold for `r`, and that of [`VmHostFunc`] for the call.
#[inline(always)]
pub unsafe fn call_host<L: Leaf>(r: Regs, host: *const VmHostFunc, frame: Frame) -> Ret {
    // SAFETY: the caller guarantees the contracts of `Handler` and `VmHostFunc`; the stub takes the
    // call's arguments in place of memory 0 and of the integer accumulator.
    unsafe {
        let after = L::HANDLER as usize;
        let host = host as usize as u64;
        let frame = frame.as_ptr().cast();
        host_stub(r.ip, r.sp, frame, after, r.env, host, r.f32, r.f64, r.v128)
    }
}

/// The code that [`call_host`] jumps to: the frame is in place of memory 0, and the leaf to go on
/// in is in place of its length. It keeps only the registers that this leaf needs.
///
/// # Safety
/// As for [`call_host`].
#[unsafe(naked)]
#[cfg(target_arch = "x86_64")]
unsafe extern "C-unwind" fn host_stub(
    ip: Ip,
    sp: Frame,
    frame: *mut u8,
    after: usize,
    env: *mut VmEnv,
    host: u64,
    f32: f32,
    f64: f64,
    v128: V128,
) -> Ret {
    // The return address and four words more: a fifth makes a multiple of 16.
    naked_asm!(
        ".cfi_startproc",
        "sub rsp, 40",
        ".cfi_adjust_cfa_offset 40",
        "mov [rsp], rdi",
        "mov [rsp + 8], rsi",
        "mov [rsp + 16], rcx",
        "mov [rsp + 24], r8",
        "mov rdi, r9",
        "mov rsi, r8",
        "call [r9 + {call}]",
        "mov rdi, [rsp]",
        "mov rsi, [rsp + 8]",
        "mov r11, [rsp + 16]",
        "mov r8, [rsp + 24]",
        "mov r9d, eax",
        "add rsp, 40",
        ".cfi_adjust_cfa_offset -40",
        "jmp r11",
        ".cfi_endproc",
        call = const offset_of!(VmHostFunc, call),
    )
}

/// The same for AArch64.
///
/// # Safety
/// As for [`call_host`].
#[unsafe(naked)]
#[cfg(target_arch = "aarch64")]
unsafe extern "C-unwind" fn host_stub(
    ip: Ip,
    sp: Frame,
    frame: *mut u8,
    after: usize,
    env: *mut VmEnv,
    host: u64,
    f32: f32,
    f64: f64,
    v128: V128,
) -> Ret {
    naked_asm!(
        ".cfi_startproc",
        "sub sp, sp, #48",
        ".cfi_adjust_cfa_offset 48",
        "str x30, [sp, #32]",
        ".cfi_rel_offset x30, 32",
        "stp x0, x1, [sp]",
        "stp x3, x4, [sp, #16]",
        "mov x0, x5",
        "mov x1, x4",
        "ldr x9, [x5, #{call}]",
        "blr x9",
        "mov w5, w0",
        "ldp x0, x1, [sp]",
        "ldp x9, x4, [sp, #16]",
        "ldr x30, [sp, #32]",
        ".cfi_restore x30",
        "add sp, sp, #48",
        ".cfi_adjust_cfa_offset -48",
        "br x9",
        ".cfi_endproc",
        call = const offset_of!(VmHostFunc, call),
    )
}

/// The handler that runs `S`: puts the registers into a [`Regs`] on the native stack, calls the
/// body with its address, takes everything back and goes on at the `ip` that the body left, or
/// returns its code to where guest code was entered. Cold: a leaf that ends here is unusual.
///
/// # Safety
/// The contract of [`Handler`].
#[cold]
#[unsafe(naked)]
#[cfg(target_arch = "x86_64")]
pub unsafe extern "C-unwind" fn stub<S: Slow>(
    ip: Ip,
    sp: Frame,
    mem: *mut u8,
    len: usize,
    env: *mut VmEnv,
    int: u64,
    f32: f32,
    f64: f64,
    v128: V128,
) -> Ret {
    // The return address and this frame make a multiple of 16.
    naked_asm!(
        ".cfi_startproc",
        "sub rsp, {frame}",
        ".cfi_adjust_cfa_offset {frame}",
        "mov [rsp + {ip}], rdi",
        "mov [rsp + {sp}], rsi",
        "mov [rsp + {mem}], rdx",
        "mov [rsp + {len}], rcx",
        "mov [rsp + {env}], r8",
        "mov [rsp + {int}], r9",
        "movss [rsp + {f32}], xmm0",
        "movsd [rsp + {f64}], xmm1",
        "movaps [rsp + {v128}], xmm2",
        "mov rdi, rsp",
        "call {body}",
        "mov rdi, [rsp + {ip}]",
        "mov rsi, [rsp + {sp}]",
        "mov rdx, [rsp + {mem}]",
        "mov rcx, [rsp + {len}]",
        "mov r8, [rsp + {env}]",
        "mov r9, [rsp + {int}]",
        "movss xmm0, [rsp + {f32}]",
        "movsd xmm1, [rsp + {f64}]",
        "movaps xmm2, [rsp + {v128}]",
        "add rsp, {frame}",
        ".cfi_adjust_cfa_offset -{frame}",
        "test eax, eax",
        "jne 2f",
        "jmp [rdi]",
        "2:",
        "ret",
        ".cfi_endproc",
        frame = const size_of::<Regs>() + 8,
        ip = const offset_of!(Regs, ip),
        sp = const offset_of!(Regs, sp),
        mem = const offset_of!(Regs, memory.base),
        len = const offset_of!(Regs, memory.len),
        env = const offset_of!(Regs, env),
        int = const offset_of!(Regs, int),
        f32 = const offset_of!(Regs, f32),
        f64 = const offset_of!(Regs, f64),
        v128 = const offset_of!(Regs, v128),
        body = sym body::<S>,
    )
}

/// The same for AArch64; the link register is kept behind the registers.
///
/// # Safety
/// The contract of [`Handler`].
#[cold]
#[unsafe(naked)]
#[cfg(target_arch = "aarch64")]
pub unsafe extern "C-unwind" fn stub<S: Slow>(
    ip: Ip,
    sp: Frame,
    mem: *mut u8,
    len: usize,
    env: *mut VmEnv,
    int: u64,
    f32: f32,
    f64: f64,
    v128: V128,
) -> Ret {
    naked_asm!(
        ".cfi_startproc",
        "sub sp, sp, #{frame}",
        ".cfi_adjust_cfa_offset {frame}",
        "str x30, [sp, #{link}]",
        ".cfi_rel_offset x30, {link}",
        "stp x0, x1, [sp, #{ip}]",
        "stp x2, x3, [sp, #{mem}]",
        "stp x4, x5, [sp, #{env}]",
        "str s0, [sp, #{f32}]",
        "str d1, [sp, #{f64}]",
        "str q2, [sp, #{v128}]",
        "mov x0, sp",
        "bl {body}",
        "mov w8, w0",
        "ldp x0, x1, [sp, #{ip}]",
        "ldp x2, x3, [sp, #{mem}]",
        "ldp x4, x5, [sp, #{env}]",
        "ldr s0, [sp, #{f32}]",
        "ldr d1, [sp, #{f64}]",
        "ldr q2, [sp, #{v128}]",
        "ldr x30, [sp, #{link}]",
        ".cfi_restore x30",
        "add sp, sp, #{frame}",
        ".cfi_adjust_cfa_offset -{frame}",
        "cbnz w8, 2f",
        "ldr x9, [x0]",
        "br x9",
        "2:",
        "mov w0, w8",
        "ret",
        ".cfi_endproc",
        frame = const size_of::<Regs>() + 16,
        link = const size_of::<Regs>(),
        ip = const offset_of!(Regs, ip),
        mem = const offset_of!(Regs, memory.base),
        env = const offset_of!(Regs, env),
        f32 = const offset_of!(Regs, f32),
        f64 = const offset_of!(Regs, f64),
        v128 = const offset_of!(Regs, v128),
        body = sym body::<S>,
    )
}

/// The stubs rely on it: pairs of registers are stored together, and the frame is aligned.
const _: () = {
    assert!(size_of::<Regs>() == 80 && align_of::<Regs>() == 16);
    assert!(offset_of!(Regs, sp) == offset_of!(Regs, ip) + 8);
    assert!(offset_of!(Regs, memory.len) == offset_of!(Regs, memory.base) + 8);
    assert!(offset_of!(Regs, int) == offset_of!(Regs, env) + 8);
};
