//! The exception that is pending on an instance.

use crate::ffi::{guard, handle, opt_bytes};
use crate::shared::wasm_module_inst_t;
use std::ffi::c_char;

/// The pending exception's text, beginning with "Exception: ", or NULL when none is pending. The
/// text lies in the instance and changes with the next exception.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_exception(
    module_inst: wasm_module_inst_t,
) -> *const c_char {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { handle::instance(module_inst) }
            .map_or(std::ptr::null(), |instance| instance.exception_ptr())
    })
}

/// Sets the pending exception to "Exception: " followed by `exception`, which is copied and cut so
/// that 127 bytes are stored; NULL clears it. Inside a native function, this is how it makes the
/// guest trap: the guest stops as soon as the function returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_set_exception(
    module_inst: wasm_module_inst_t,
    exception: *const c_char,
) {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(instance) = (unsafe { handle::instance(module_inst) }) else { return };
        // SAFETY: the C contract of strings.
        match unsafe { opt_bytes(exception) } {
            Some(text) => instance.set_exception(text),
            None => instance.clear_exception(),
        }
    })
}

/// Clears the pending exception. Calls on an instance with a pending exception fail; this makes it
/// usable again after a trap.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_clear_exception(module_inst: wasm_module_inst_t) {
    guard(|| {
        // SAFETY: the C contract of handles.
        if let Some(instance) = unsafe { handle::instance(module_inst) } {
            instance.clear_exception();
        }
    })
}

/// Stops the instance's guest code: sets the exception "terminated by user", which running code
/// notices at its next loop, branch or call. May be called on any thread while another runs the
/// instance.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_terminate(module_inst: wasm_module_inst_t) {
    guard(|| {
        // SAFETY: the C contract of handles.
        if let Some(instance) = unsafe { handle::instance(module_inst) } {
            instance.terminate();
        }
    })
}
