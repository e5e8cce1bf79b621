//! Reading a context's settings, and changing those that only this header can change.

use super::sized::{self, Sized32};
use super::types::{
    wasm_runtime_ctx_jit_options_t, wasm_runtime_ctx_log_callback_t,
    wasm_runtime_ctx_stdout_callback_t,
};
use crate::ffi::{guard, handle};
use crate::shared::wasm_runtime_ctx_t;
use crate::wasm_export::integers::RunningMode;
use crate::wasm_export::trust;
use isothread::StdoutCallback;
use isothread::context::log::callback;
use isothread::context::thread;
use isothread::try_c_string;
use std::ffi::{c_int, c_void};
use std::sync::Arc;

// SAFETY: integers without padding, the size first.
unsafe impl Sized32 for wasm_runtime_ctx_jit_options_t {}

/// Sends the context's messages, those that its log level lets through, to `callback` instead of
/// standard output; NULL undoes it. `user_data` must stay until another callback is set and calls
/// of this one have returned, or until the context is gone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_set_log_callback(
    ctx: wasm_runtime_ctx_t,
    log_callback: wasm_runtime_ctx_log_callback_t,
    user_data: *mut c_void,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(context) = (unsafe { handle::context(ctx) }) else { return false };
        let user_data = user_data.expose_provenance();
        let sink = log_callback.map(|log_callback| {
            callback(move |level, text| {
                // Without memory for its text a message is lost.
                let Ok(text) = try_c_string(text.as_bytes()) else { return };
                let user_data = std::ptr::with_exposed_provenance_mut(user_data);
                // SAFETY: the embedder's function, called as it says.
                unsafe { log_callback(level as u32, text.as_ptr(), user_data) };
            })
        });
        context.set_log_callback(sink);
        true
    })
}

/// Sends the output of the context's guests through the built-in C library (`env.printf` and its
/// kin) to `stdout_callback` instead of standard output; NULL undoes it. WASI programs write to
/// their descriptors. `user_data` must stay until another callback is set and calls of this one
/// have returned, or until the context is gone. False for NULL and without memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_set_stdout_callback(
    ctx: wasm_runtime_ctx_t,
    stdout_callback: wasm_runtime_ctx_stdout_callback_t,
    user_data: *mut c_void,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(context) = (unsafe { handle::context(ctx) }) else { return false };
        let user_data = user_data.expose_provenance();
        let hook = stdout_callback.map(|stdout_callback| -> StdoutCallback {
            Arc::new(move |bytes| {
                let user_data = std::ptr::with_exposed_provenance_mut(user_data);
                for piece in bytes.chunks(u32::MAX as usize) {
                    // SAFETY: the embedder's function, called as it says.
                    thread::without_cancellation(|| unsafe {
                        stdout_callback(piece.as_ptr().cast(), piece.len() as u32, user_data)
                    });
                }
            })
        });
        context.set_stdout_callback(hook).is_ok()
    })
}

/// Which messages the context logs, a `log_level_t`; -1 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_get_log_level(ctx: wasm_runtime_ctx_t) -> c_int {
    // SAFETY: the C contract of handles.
    guard(|| unsafe { handle::context(ctx) }.map_or(-1, |context| context.log_level() as c_int))
}

/// The mode of instances that ask for none; `Mode_Default` stands for the build's best mode.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_get_running_mode(ctx: wasm_runtime_ctx_t) -> RunningMode {
    // SAFETY: the C contract of handles.
    guard(|| unsafe { handle::context(ctx) }.map_or(0, |context| context.running_mode() as u32))
}

/// Bytes of the garbage-collected heap that an instance gets unless it asks for another size.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_get_gc_heap_size(ctx: wasm_runtime_ctx_t) -> u32 {
    // SAFETY: the C contract of handles.
    guard(|| unsafe { handle::context(ctx) }.map_or(0, |context| context.gc_heap_size()))
}

/// The compilers' options, as the context was made with. `options->struct_size` is to be set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_get_jit_options(
    ctx: wasm_runtime_ctx_t,
    options: *mut wasm_runtime_ctx_jit_options_t,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(context) = (unsafe { handle::context(ctx) }) else { return false };
        let jit = context.jit_options();
        let filled = wasm_runtime_ctx_jit_options_t {
            struct_size: size_of::<wasm_runtime_ctx_jit_options_t>() as u32,
            fast_jit_code_cache_size: jit.code_cache_size,
            llvm_jit_opt_level: jit.opt_level,
            llvm_jit_size_level: jit.size_level,
            segue_flags: jit.segue_flags,
            linux_perf: u32::from(jit.linux_perf),
        };
        // SAFETY: the C contract of structs with a size.
        unsafe { sized::write(options, &filled) }
    })
}

/// Decides whether threads without a context use this one while it is the primary. They do by
/// default; while several contexts are open, the first such call logs a line. A host of several
/// tenants should say false: such a call then fails, instead of acting on another tenant's
/// context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_set_fallback(
    ctx: wasm_runtime_ctx_t,
    allowed: bool,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        let context = unsafe { handle::context(ctx) };
        context.map(|context| context.set_accepts_strays(allowed)).is_some()
    })
}

/// The setting of `wasm_runtime_ctx_set_fallback`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_get_fallback(ctx: wasm_runtime_ctx_t) -> bool {
    // SAFETY: the C contract of handles.
    guard(|| unsafe { handle::context(ctx) }.is_some_and(|context| context.accepts_strays()))
}

/// How many times `wasm_runtime_full_init` counted a reference to this context though its
/// arguments were not those that the context was made with, and were ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_init_conflicts(ctx: wasm_runtime_ctx_t) -> u32 {
    // SAFETY: the C contract of handles.
    guard(|| unsafe { handle::context(ctx) }.map_or(0, |context| context.init_conflicts()))
}

/// Chooses the signal that interrupts blocking calls of native functions, between
/// `wasm_runtime_begin_blocking_op` and `wasm_runtime_end_blocking_op`; SIGUSR1 by default. It is
/// the process's, as signals are, so an application chooses, and libraries do not. False, and
/// nothing changes, while there is such an operation in any context, for signals that report faults
/// or cannot be caught, and on systems other than Linux.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_set_blocking_op_signal(signo: c_int) -> bool {
    guard(|| isothread::context::set_blocking_signal(signo))
}

/// Has the context refuse the code of files compiled ahead (aot_export.h), or run it again, in
/// modules that are loaded from now on. A new context runs it. Where it is refused, such files are
/// loaded for the modules in them, which are validated and run like any others: a host that loads
/// modules of strangers is safe with them. False for NULL and without memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_set_aot_refused(
    ctx: wasm_runtime_ctx_t,
    refused: bool,
) -> bool {
    // SAFETY: the C contract of handles.
    let context = || unsafe { handle::context(ctx) };
    guard(|| context().is_some_and(|context| trust::set(&context, !refused).is_ok()))
}
