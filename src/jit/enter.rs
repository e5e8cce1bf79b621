//! The ways into compiled code and out of it, in assembly.
//!
//! Compiled code has the budget in `r15`. [`isothread_jit_enter`] saves what C's convention wants
//! kept, and its stack pointer in the activation; the functions that end a run go back to there.
//! Those that keep all registers save the ones that C's convention does not.

use super::accesses::AccessKind;
use super::frames::{NativeFrame, trapped};
use super::unwind;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmActivation, VmEnv};
use crate::exec::work;
use crate::interp::VmCode;
use std::arch::naked_asm;
use std::mem::offset_of;

/// The way back to the caller of [`isothread_jit_enter`], with its result in `eax` and `rsp` as
/// that function has left it.
macro_rules! leave {
    () => {
        "add rsp, 8
        pop r15
        pop r14
        pop r13
        pop r12
        pop rbx
        pop rbp
        ret"
    };
}

/// Enters compiled code by an entry thunk. Returns zero, or the code with which the run has ended.
///
/// # Safety
/// The environment's activation has begun, its parameters are at `frame`, `record` is that of a
/// function with native code, and `thunk` the entry thunk of its type.
#[unsafe(naked)]
pub unsafe extern "C" fn isothread_jit_enter(
    env: *mut VmEnv,
    frame: *mut u64,
    record: *const VmCode,
    thunk: *const u8,
) -> u32 {
    naked_asm!(
        ".cfi_startproc",
        "push rbp",
        ".cfi_adjust_cfa_offset 8",
        ".cfi_rel_offset rbp, 0",
        "mov rbp, rsp",
        ".cfi_def_cfa_register rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "push rdi",
        "mov rax, [rdi + {activation}]",
        "mov [rax + {native_sp}], rsp",
        "mov r15, [rdi + {budget}]",
        "call rcx",
        "mov rdi, [rsp]",
        "mov [rdi + {budget}], r15",
        "xor eax, eax",
        leave!(),
        ".cfi_endproc",
        activation = const offset_of!(VmEnv, activation),
        native_sp = const offset_of!(VmActivation, native_sp),
        budget = const offset_of!(VmEnv, budget),
    )
}

/// Ends the run with the code in `esi`. `rdi` is the environment, which has the budget.
///
/// # Safety
/// Called by compiled code.
#[unsafe(naked)]
pub unsafe extern "C" fn isothread_jit_exit() {
    naked_asm!(
        "mov eax, esi",
        "mov rcx, [rdi + {activation}]",
        "mov rsp, [rcx + {native_sp}]",
        leave!(),
        activation = const offset_of!(VmEnv, activation),
        native_sp = const offset_of!(VmActivation, native_sp),
    )
}

/// The body of a function that leads to a clause or ends the run. Calls `$function` with its own
/// arguments, and in `$frame` with its native frame, whose caller is compiled code. That returns
/// zero when a clause is to go on, or the code to end the run with.
macro_rules! unwinding {
    ($frame:literal, $function:path) => {
        naked_asm!(
            "push rbp",
            "mov rbp, rsp",
            "mov [rdi + {budget}], r15",
            "push rdi",
            "push rdi",
            $frame,
            "call {function}",
            "pop rdi",
            "mov esi, eax",
            "test eax, eax",
            "jnz {exit}",
            "mov r15, [rdi + {budget}]",
            "mov rsp, [rdi + {catch_sp}]",
            "mov rbp, [rdi + {scratch}]",
            "jmp [rdi + {catch_ip}]",
            budget = const offset_of!(VmEnv, budget),
            catch_sp = const offset_of!(VmEnv, catch_sp),
            catch_ip = const offset_of!(VmEnv, catch_ip),
            scratch = const offset_of!(VmEnv, scratch),
            function = sym $function,
            exit = sym isothread_jit_exit,
        )
    };
}

/// Ends the run with the trap of the code in `esi`, at the call of this function, or goes on
/// throwing an exception. `rdi` is the environment.
///
/// # Safety
/// Called by compiled code.
#[unsafe(naked)]
pub unsafe extern "C" fn isothread_jit_trap() {
    unwinding!("mov rdx, rbp", unwind::trap)
}

/// Throws a new exception with the tag in `esi` and the payload at `rdx`. `rdi` is the environment.
///
/// # Safety
/// Called by compiled code.
#[unsafe(naked)]
pub unsafe extern "C" fn isothread_jit_throw() {
    unwinding!("mov rcx, rbp", unwind::throw_new)
}

/// Throws the exception to which the reference in `rsi` leads. `rdi` is the environment.
///
/// # Safety
/// Called by compiled code.
#[unsafe(naked)]
pub unsafe extern "C" fn isothread_jit_throw_ref() {
    unwinding!("mov rdx, rbp", unwind::throw_ref)
}

/// Leaves the function with the native frame in `rdx` by the code in `esi`. `rdi` is the
/// environment.
///
/// # Safety
/// Called by compiled code.
#[unsafe(naked)]
pub unsafe extern "C" fn isothread_jit_pass_on() {
    unwinding!("", unwind::pass_on)
}

/// Ends the run since there is no room for the frame of the function that calls this. `rdi` is the
/// environment.
///
/// # Safety
/// Called by compiled code.
#[unsafe(naked)]
pub unsafe extern "C" fn isothread_jit_overflow() {
    naked_asm!(
        "mov [rdi + {budget}], r15",
        "push rdi",
        "mov rsi, rbp",
        "call {overflow}",
        "pop rdi",
        "mov esi, eax",
        "jmp {exit}",
        budget = const offset_of!(VmEnv, budget),
        overflow = sym overflow,
        exit = sym isothread_jit_exit,
    )
}

/// Saves the registers that C's convention does not keep, behind a new frame, on a stack that is
/// aligned for a call.
macro_rules! save_registers {
    () => {
        "push rbp
        mov rbp, rsp
        push rax
        push rcx
        push rdx
        push rsi
        push rdi
        push r8
        push r9
        push r10
        push r11
        push r11
        sub rsp, 256
        movdqu [rsp], xmm0
        movdqu [rsp + 16], xmm1
        movdqu [rsp + 32], xmm2
        movdqu [rsp + 48], xmm3
        movdqu [rsp + 64], xmm4
        movdqu [rsp + 80], xmm5
        movdqu [rsp + 96], xmm6
        movdqu [rsp + 112], xmm7
        movdqu [rsp + 128], xmm8
        movdqu [rsp + 144], xmm9
        movdqu [rsp + 160], xmm10
        movdqu [rsp + 176], xmm11
        movdqu [rsp + 192], xmm12
        movdqu [rsp + 208], xmm13
        movdqu [rsp + 224], xmm14
        movdqu [rsp + 240], xmm15"
    };
}

/// Restores what [`save_registers`] has saved, and returns.
macro_rules! restore_registers {
    () => {
        "movdqu xmm0, [rsp]
        movdqu xmm1, [rsp + 16]
        movdqu xmm2, [rsp + 32]
        movdqu xmm3, [rsp + 48]
        movdqu xmm4, [rsp + 64]
        movdqu xmm5, [rsp + 80]
        movdqu xmm6, [rsp + 96]
        movdqu xmm7, [rsp + 112]
        movdqu xmm8, [rsp + 128]
        movdqu xmm9, [rsp + 144]
        movdqu xmm10, [rsp + 160]
        movdqu xmm11, [rsp + 176]
        movdqu xmm12, [rsp + 192]
        movdqu xmm13, [rsp + 208]
        movdqu xmm14, [rsp + 224]
        movdqu xmm15, [rsp + 240]
        add rsp, 256
        pop r11
        pop r11
        pop r10
        pop r9
        pop r8
        pop rdi
        pop rsi
        pop rdx
        pop rcx
        pop rax
        pop rbp
        ret"
    };
}

pub(super) use {restore_registers, save_registers};

/// The body of a function that keeps all registers but the budget's: calls `$function` with its own
/// arguments and with its native frame, which `$frame` puts in place, and ends the run with the
/// code that comes back, unless that is zero.
macro_rules! keeping_registers {
    ($frame:literal, $function:ident) => {
        naked_asm!(
            save_registers!(),
            "mov [rdi + {budget}], r15",
            $frame,
            "call {function}",
            "mov rdi, [rbp - 40]",
            "mov esi, eax",
            "test eax, eax",
            "jnz {exit}",
            "mov r15, [rdi + {budget}]",
            restore_registers!(),
            budget = const offset_of!(VmEnv, budget),
            function = sym $function,
            exit = sym isothread_jit_exit,
        )
    };
}

/// Checks limits when the budget is used up, and makes a new one. `rdi` is the environment. Keeps
/// all registers but the budget's.
///
/// # Safety
/// Called by compiled code.
#[unsafe(naked)]
pub unsafe extern "C" fn isothread_jit_refill() {
    keeping_registers!("mov rsi, rbp", refill)
}

/// Finds an access that is not where compiled code has looked, and leaves in the environment how
/// far its address, without the offset, is from the memory's start. `rdi` is the environment, `rsi`
/// the address, `rdx` the word of the [`AccessKind`], `rcx` the offset. Keeps all registers but the
/// budget's.
///
/// # Safety
/// Called by compiled code.
#[unsafe(naked)]
pub unsafe extern "C" fn isothread_jit_slow_address() {
    keeping_registers!("mov r8, rbp", slow_address)
}

/// # Safety
/// `env` is the running environment, `callee` the native frame of the function that has no room.
unsafe extern "C" fn overflow(env: *mut VmEnv, callee: *const NativeFrame) -> u32 {
    let code = Trap::OperandStackOverflow as u32;
    // SAFETY: the caller of `callee` is compiled code at its call, or an entry thunk, which is in
    // no table.
    unsafe { trapped(env, code, (*callee).caller_point()) }
}

/// # Safety
/// `env` is the running environment, `here` the native frame of a function that compiled code has
/// called.
unsafe extern "C" fn refill(env: *mut VmEnv, here: *const NativeFrame) -> u32 {
    // SAFETY: compiled code calls this with the running environment, inside of guest code.
    unsafe {
        match work::refill(env) {
            Ok(()) => 0,
            Err(reason) => trapped(env, reason as u32, (*here).caller_point()),
        }
    }
}

/// # Safety
/// `env` is the running environment, `here` the native frame of a function that compiled code has
/// called.
unsafe extern "C" fn slow_address(
    env: *mut VmEnv,
    address: u64,
    place: u64,
    offset: u64,
    here: *const NativeFrame,
) -> u32 {
    // SAFETY: compiled code calls this with the running environment, inside of guest code, for one
    // of its instance's memories.
    unsafe {
        match AccessKind::locate_sum(env, (address, offset), place) {
            Ok((found, memory)) => {
                let memory = *(*(*env).instance).memories.add(memory as usize);
                let distance = found.addr().wrapping_sub((*memory).base.addr()) as u64;
                (*env).scratch[0] = distance.wrapping_sub(offset);
                0
            }
            Err(trap) => trapped(env, trap as u32, (*here).caller_point()),
        }
    }
}
