//! Compiled code as an engine: its frames, and the ways in and out.
//!
//! A run begins in `enter::isothread_jit_enter`; a trap takes its native stack back to there, over
//! frames of compiled code alone.

use super::code::TieredCode;
use super::enter::isothread_jit_enter;
use super::frames::NativeFrame;
use super::made::CodePlace;
use super::unwind::{self, catches, references};
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmActivation, VmEnv, VmFuncRef};
use crate::exec::{Engine, FramePlace, GuestFrame, Point, Run, follow};
use crate::interp::{self, VmCode};
use crate::module::Module;
use crate::platform::stack;
use std::ptr;
use std::sync::atomic::Ordering;

/// The functions by which `exec` asks about compiled code. Owner: the process; it never changes.
pub static ENGINE: &Engine =
    &Engine { frame_at_call, frame_at_trap: frame_at_call, catches, references, position };

/// Native stack that a run of compiled code needs, above the reserve that its functions look for.
const ENTRY_BYTES: usize = 48 << 10;

/// Bytes of native stack above the limit of host functions.
///
/// # Safety
/// `env` is live.
unsafe fn native_stack(env: *const VmEnv) -> usize {
    // SAFETY: the caller guarantees that the environment is live.
    stack::pointer().saturating_sub(unsafe { (*env).native_stack_limit })
}

/// Whether there is native stack for compiled code.
///
/// # Safety
/// `env` is live.
unsafe fn has_native_stack(env: *const VmEnv) -> bool {
    // SAFETY: the caller guarantees that the environment is live.
    unsafe { native_stack(env) > ENTRY_BYTES }
}

/// The entry of functions of modules with compiled code: runs `func` by the code that it has.
///
/// # Safety
/// The contract of `VmEntry` must hold; `func` is a live reference to a function of a
/// `TieredCode`'s.
pub unsafe extern "C-unwind" fn run(
    env: *mut VmEnv,
    func: *const VmFuncRef,
    frame: *mut u64,
) -> u32 {
    // SAFETY: the caller guarantees that the function is one of a `TieredCode`'s, so that its body
    // is a record.
    unsafe {
        let record = (*func).body.code.cast::<VmCode>();
        let code = match thunk_of(env, record) {
            Some(thunk) if has_native_stack(env) => enter(env, func, frame, (record, thunk)),
            _ => interp::run(env, func, frame),
        };
        if code == interp::GO_ON { go_on(env, func, frame) } else { code }
    }
}

/// Runs the function that the last run has ended with a tail call of, and so on. Neither stack
/// grows with the tail calls.
///
/// # Safety
/// As for [`run`]; the run has left [`interp::GO_ON`], and was for this frame and for `func` or
/// another function of its instance.
#[cold]
unsafe fn go_on(env: *mut VmEnv, func: *const VmFuncRef, frame: *mut u64) -> u32 {
    // SAFETY: the caller vouches for environment and frame, and the run for the record.
    unsafe {
        loop {
            let record = ptr::replace(&raw mut (*env).next_code, ptr::null()).cast::<VmCode>();
            let code = match thunk_of(env, record) {
                Some(thunk) if has_native_stack(env) => enter(env, func, frame, (record, thunk)),
                _ => interp::run_record(env, func, record, frame),
            };
            if code != interp::GO_ON {
                return code;
            }
        }
    }
}

/// Runs compiled code in a run of its own, for `func` or, in the midst of guest code, for another
/// function of its instance.
///
/// # Safety
/// `env` is live, `func` a live reference; the rest is as `isothread_jit_enter` says.
#[inline(always)]
unsafe fn enter(
    env: *mut VmEnv,
    func: *const VmFuncRef,
    frame: *mut u64,
    (record, code): (*const VmCode, *const u8),
) -> u32 {
    // SAFETY: the caller vouches for all of it, and the run stays where it is until it ends.
    unsafe {
        let mut run = Run::new(env, func, ENGINE);
        run.begin();
        isothread_jit_enter(env, frame, record, code)
    }
}

/// The entry thunk of a function with compiled code, which may be made now.
///
/// # Safety
/// `env` is live, and the record one of a live `TieredCode`'s.
#[inline(always)]
unsafe fn thunk_of(env: *const VmEnv, record: *const VmCode) -> Option<*const u8> {
    // SAFETY: the caller guarantees environment and record.
    unsafe {
        let thunk = (*record).thunk.load(Ordering::Acquire);
        if thunk.is_null() {
            return TieredCode::of(record).first_call(&*record, native_stack(env));
        }
        Some(thunk)
    }
}

/// As [`run`], for a function that guest code of the same instance calls, which has noted its
/// point: the function may have no reference.
///
/// # Safety
/// The contract of [`EnterOther`](interp::EnterOther) must hold.
pub unsafe extern "C" fn enter_from_interpreter(
    env: *mut VmEnv,
    record: *const VmCode,
    frame: *mut u64,
) -> u32 {
    // SAFETY: the caller guarantees that the environment is running, with an activation of the same
    // instance, and that the function is one of a `TieredCode`'s.
    unsafe {
        match thunk_of(env, record) {
            Some(thunk) if has_native_stack(env) => {
                let func = (*(*env).activation).func;
                let code = enter(env, func, frame, (record, thunk));
                ended(env, func, code, frame)
            }
            _ => interp::DECLINED,
        }
    }
}

/// The end of a run inside of another one of the same instance, with whatever its tail calls lead
/// to.
///
/// # Safety
/// As for [`go_on`], if the run has left that code or another.
#[inline(always)]
unsafe fn ended(env: *mut VmEnv, func: *const VmFuncRef, code: u32, frame: *mut u64) -> u32 {
    // SAFETY: the caller vouches for the run.
    unsafe {
        let code = if code == interp::GO_ON { go_on(env, func, frame) } else { code };
        follow(env, code, frame)
    }
}

/// Goes on in code that begins at a loop, on the frame of the function that is there. Guest code
/// has noted where that was called from.
///
/// # Safety
/// `env` is the running environment, `code` such code of its instance, and `frame` the frame.
pub unsafe fn enter_loop(env: *mut VmEnv, code: *const u8, frame: *mut u64) -> u32 {
    // SAFETY: the caller guarantees a running environment with an activation of the same instance.
    unsafe {
        if !has_native_stack(env) {
            return interp::DECLINED;
        }
        enter(env, (*(*env).activation).func, frame, (ptr::null(), code))
    }
}

/// Runs a function of the running instance, which has no machine code for its caller: by the
/// interpreter, unless it has been compiled meanwhile.
///
/// # Safety
/// `env` is the running environment, whose guest code has noted its point; the rest is as `VmEntry`
/// says.
pub unsafe fn interpret(env: *mut VmEnv, record: *const VmCode, frame: *mut u64) -> u32 {
    // SAFETY: the caller guarantees all that `run_record` asks for.
    unsafe {
        let code = enter_from_interpreter(env, record, frame);
        if code != interp::DECLINED {
            return code;
        }
        if stack::pointer() < (*env).native_stack_limit {
            return Trap::NativeStackOverflow as u32;
        }
        let func = (*(*env).activation).func;
        let code = interp::run_record(env, func, record, frame);
        ended(env, func, code, frame)
    }
}

/// Whether the function with this native frame is the outermost one of the innermost run: an entry
/// thunk has called it, or the one whose place it has taken.
///
/// # Safety
/// `env` is the running environment, in a run of compiled code, and `native` the frame of one of
/// its functions or exit thunks.
pub unsafe fn is_outermost(env: *const VmEnv, native: &NativeFrame) -> bool {
    // SAFETY: the caller guarantees a run of compiled code, and a frame of it.
    unsafe {
        let activation = &*(*env).activation;
        // Code that begins at a loop is entered without a thunk, and may call as well.
        native.is_called_by_first(activation.native_sp)
            && unwind::code_of(activation).place_of(native.caller_point()).is_none()
    }
}

/// The function and the position of a point, and the call of the function.
///
/// # Safety
/// The contract of `Engine`: the activation is live and this engine's, its guest code at `point`.
unsafe fn frame_at_call(activation: &VmActivation, point: Point) -> Option<GuestFrame> {
    // SAFETY: the caller guarantees a live activation of this engine's, and a point with a native
    // frame of its code; frames of compiled code are linked.
    unsafe {
        let code = unwind::code_of(activation);
        let CodePlace { func_index, position, .. } = code.place_of(point)?;
        let caller = (*point.sp.cast::<NativeFrame>()).caller_point();
        // The entry thunk's call has made the outermost frame.
        let caller = code.place_of(caller).map(|_| caller);
        Some(GuestFrame { func_index, place: FramePlace::Module(position), caller })
    }
}

/// Frames of compiled code have their positions.
fn position(_module: &Module, _func_index: u32, _code: u64) -> Option<u32> {
    None
}
