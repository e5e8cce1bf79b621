//! Threads that end inside C code.
//!
//! `pthread_exit` and `pthread_cancel` unwind the stack. That must not run through frames of Rust
//! code that own something, so it is caught on its way out of the called C code: [`call`], like
//! every function made with [`catch_begin`] and [`catch_end`], has a *personality* of ours, the
//! function that the unwinder calls for a frame. The caller then returns an error, frame by frame,
//! and when no frame of ours is on the stack any more, [`resume`] continues the unwinding.
//! Exceptions of other languages are left alone.
//!
//! Elsewhere a thread is not cancelled: code around system calls [holds](Held::new) that off.

use std::ffi::{c_int, c_void};
use std::ptr::NonNull;

/// An unwinding of a stack. Owner: the system.
pub type Unwinding = NonNull<c_void>;

cfg_select! {
    all(target_os = "linux", target_arch = "x86_64") => {
        mod x86_64;
        use x86_64 as arch;
    }
    all(target_os = "linux", target_arch = "aarch64") => {
        mod aarch64;
        use aarch64 as arch;
    }
    _ => {
        mod other;
        use other as arch;
    }
}

/// First lines of a naked function that catches its callees' unwinding; operands of the `asm` are
/// `me`, the function itself, and `personality`.
///
/// The function goes on at its label `{me}.caught`, as it stood at the call, with the exception
/// in the register that results of its size come in.
macro_rules! catch_begin {
    () => {
        "\
        .cfi_startproc
        .cfi_personality 0x9b, {me}.personality
        .cfi_lsda 0x1b, {me}.caught"
    };
}
/// Last lines of such a function. The word is the target of `.cfi_personality`.
macro_rules! catch_end {
    () => {
        "\
        .cfi_endproc
        .pushsection .data.rel.ro.isothread,\"aw\",@progbits
        .p2align 3
        {me}.personality:
        .quad {personality}
        .popsection"
    };
}
pub(crate) use {catch_begin, catch_end};

/// The stack is unwound even if no frame catches that: a thread ends.
const FORCE_UNWIND: c_int = 8;
const INSTALL_CONTEXT: c_int = 7;
const CONTINUE_UNWIND: c_int = 8;

/// The register that the exception is passed in: `rax`, `x0`.
const EXCEPTION_REGISTER: c_int = 0;

unsafe extern "C" {
    fn _Unwind_SetGR(context: *mut c_void, register: c_int, value: usize);
    fn _Unwind_SetIP(context: *mut c_void, at: usize);
    fn _Unwind_GetLanguageSpecificData(context: *mut c_void) -> *const c_void;
}

unsafe extern "C-unwind" {
    fn _Unwind_Resume_or_Rethrow(exception: *mut c_void) -> c_int;
}

/// The personality of frames that catch: they stop the end of a thread, at the landing pad that
/// their data gives.
///
/// # Safety
/// Called by the unwinder, for a function between [`catch_begin`] and [`catch_end`].
#[allow(dead_code, reason = "some targets have no such functions")]
pub unsafe extern "C" fn personality(
    _version: c_int,
    actions: c_int,
    _class: u64,
    exception: *mut c_void,
    context: *mut c_void,
) -> c_int {
    if actions & FORCE_UNWIND == 0 {
        return CONTINUE_UNWIND;
    }
    // SAFETY: the unwinder's own context, for a frame of a function whose data is the address
    // where it goes on.
    unsafe {
        let caught = _Unwind_GetLanguageSpecificData(context);
        _Unwind_SetGR(context, EXCEPTION_REGISTER, exception.expose_provenance());
        _Unwind_SetIP(context, caught.expose_provenance());
    }
    INSTALL_CONTEXT
}

/// Calls a C function with up to four words and returns its result, or its unwinding.
///
/// # Safety
/// `function` takes no more than these arguments, in integer registers, and they are as it asks.
pub unsafe fn call(function: *const c_void, args: [usize; 4]) -> Result<usize, Unwinding> {
    let mut caught = std::ptr::null_mut();
    // SAFETY: the caller guarantees that `function` takes no more than these arguments, in integer
    // registers, and they are as it asks.
    let result = unsafe { arch::call(&raw mut caught, function, args) };
    match NonNull::new(caught) {
        None => Ok(result),
        Some(unwinding) => Err(unwinding),
    }
}

/// Continues a caught unwinding from here: the thread ends.
///
/// # Safety
/// It was caught on this thread and goes on once. No frame from here to the C code that called
/// owns anything, and all of them may be unwound through.
pub unsafe extern "C-unwind" fn resume(unwinding: Unwinding) {
    // SAFETY: the caller guarantees that it was caught on this thread, goes on once, and meets no
    // frame that owns anything.
    unsafe { _Unwind_Resume_or_Rethrow(unwinding.as_ptr()) };
}

const CANCEL_ENABLE: c_int = 0;
const CANCEL_DISABLE: c_int = 1;

unsafe extern "C" {
    #[cfg(not(target_os = "android"))]
    fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
}

/// Sets whether the calling thread can be cancelled, and returns how it was.
fn set_state(state: c_int) -> c_int {
    let mut before = CANCEL_ENABLE;
    // SAFETY: `before` is writable. Requests that come while it is off stay pending.
    #[cfg(not(target_os = "android"))]
    unsafe {
        pthread_setcancelstate(state, &raw mut before)
    };
    #[cfg(target_os = "android")]
    let _ = state;
    before
}

/// The calling thread is not cancelled until this is dropped.
#[must_use = "cancellation is held off until it is dropped"]
pub struct Held {
    before: c_int,
    /// It belongs to the thread.
    not_send: std::marker::PhantomData<*const ()>,
}

impl Held {
    pub fn new() -> Self {
        Self { before: set_state(CANCEL_DISABLE), not_send: std::marker::PhantomData }
    }

    /// Calls as [`call`] does, with cancellation as it was before.
    ///
    /// # Safety
    /// As for [`call`].
    pub unsafe fn call(
        &self,
        function: *const c_void,
        args: [usize; 4],
    ) -> Result<usize, Unwinding> {
        set_state(self.before);
        // SAFETY: the caller guarantees that `function` takes no more than these arguments, in
        // integer registers, and they are as it asks.
        let result = unsafe { call(function, args) };
        set_state(CANCEL_DISABLE);
        result
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        set_state(self.before);
    }
}
