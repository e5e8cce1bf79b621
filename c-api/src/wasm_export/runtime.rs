//! The runtime itself: contexts begin and end here, and their settings.

use super::integers::{RunningMode, log_level_t};
use super::setup;
use super::types::RuntimeInitArgs;
use crate::ffi::{guard, guard_held};
use isothread::context::log::{self, LogLevel};
use isothread::context::thread::{self, Destroyed};

/// The version of WAMR whose API this is.
const VERSION: [u32; 3] = [2, 4, 3];

/// Makes a runtime context for the calling thread, with the system's allocator and every default.
/// On a thread that has one, counts one more reference to it. False when memory runs out.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_runtime_init() -> bool {
    guard(|| setup::init(None))
}

/// Makes a runtime context for the calling thread as `init_args` says, or counts one more reference
/// on a thread that has one: its arguments are those of the first call, and others are ignored with
/// a log line. The struct is copied; its targets (the pool's buffer, native functions) must stay as
/// long as the context. False, with a log line, for arguments that make no sense: a pool of less
/// than 256 bytes, an allocator without `malloc` and `free`, a running mode this build does not
/// have.
///
/// Each thread gets a context of its own. A thread that has none uses that of the process's first
/// one for calls without a handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_full_init(init_args: *mut RuntimeInitArgs) -> bool {
    // SAFETY: NULL or a struct of the caller's.
    guard(|| unsafe { init_args.as_ref() }.is_some_and(|args| setup::init(Some(args))))
}

/// Drops one reference to the calling thread's context, or for a thread that has none, to the
/// process's first one; never to another thread's. With the last one the context is closed: calls
/// without a handle no longer find it, and it ends with the last of its objects. When it has a
/// pool, the buffer is the embedder's again, and objects that still lie in it must not be used. A
/// call too many does nothing but log a line.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_runtime_destroy() {
    guard_held(|| {
        log::install(log::Output::C);
        if let Destroyed::Closed(context) = thread::destroy() {
            // SAFETY: the embedder ends the context, so by the contract no other thread runs in it.
            unsafe { context.retire_pool() };
        }
    })
}

/// Sets which messages are logged, up to `level`, in the calling thread's context; without one,
/// in the context the thread makes next. The default is WASM_LOG_LEVEL_WARNING.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_runtime_set_log_level(level: log_level_t) {
    guard(|| thread::set_log_level(LogLevel::from_raw(level)))
}

/// Whether this build can execute code so; 0, the default mode, always. Needs no context.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_runtime_is_running_mode_supported(running_mode: RunningMode) -> bool {
    guard(|| setup::supported_mode(running_mode).is_some())
}

/// Sets the mode of instances that are made later in the calling thread's context. False, with
/// nothing changed, for a mode this build does not have.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_runtime_set_default_running_mode(running_mode: RunningMode) -> bool {
    guard(|| setup::supported_mode(running_mode).is_some_and(thread::set_running_mode))
}

/// The version of WAMR whose API this library has. Any pointer may be NULL. Needs no context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_version(
    major: *mut u32,
    minor: *mut u32,
    patch: *mut u32,
) {
    guard(|| {
        for (to, number) in [major, minor, patch].into_iter().zip(VERSION) {
            if !to.is_null() {
                // SAFETY: not NULL; the caller gives room for a number.
                unsafe { to.write(number) };
            }
        }
    })
}
