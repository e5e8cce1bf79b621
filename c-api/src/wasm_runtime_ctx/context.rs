//! The life of a context, and its name.

use crate::ffi::{ErrorBuf, guard, guard_held, handle, opt_str};
use crate::shared::wasm_runtime_ctx_t;
use crate::wasm_export::setup;
use crate::wasm_export::types::RuntimeInitArgs;
use std::ffi::c_char;

/// Makes a context that no thread is in: it is used by pushing it, or by loading modules while it
/// is pushed. NULL `args` are all defaults; otherwise they are read as by `wasm_runtime_full_init`,
/// and their targets must stay as long as the context. The first context of a process is its
/// primary, made here or by `wasm_runtime_init`. The caller owns one count. NULL, with a log line,
/// for arguments that make no sense, and when memory runs out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_create(
    args: *const RuntimeInitArgs,
) -> wasm_runtime_ctx_t {
    guard(|| {
        // SAFETY: NULL or a struct of the caller's.
        let made = setup::create(unsafe { args.as_ref() });
        made.map_or(std::ptr::null_mut(), handle::give_context)
    })
}

/// Takes one more count of `ctx` and returns it, to keep a handle that was borrowed. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_retain(ctx: wasm_runtime_ctx_t) -> wasm_runtime_ctx_t {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(context) = (unsafe { handle::context(ctx) }) else { return std::ptr::null_mut() };
        handle::give_context((*context).clone())
    })
}

/// Gives one count back. The context ends with its last count and object: the parts that its
/// modules, instances and environments need stay until then. A pool's buffer is the embedder's
/// again only when all of them are gone; `wasm_runtime_ctx_destroy` says whether they are. NULL
/// does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_release(ctx: wasm_runtime_ctx_t) {
    guard_held(|| {
        // SAFETY: the C contract of handles: the caller's count.
        drop(unsafe { handle::take_context(ctx) });
    })
}

/// Gives one count back and closes the context, as the last `wasm_runtime_destroy` does: calls
/// without a handle no longer find it, its registrations go, and a pool's buffer is the embedder's
/// again. True if no module, instance or environment is left in it. Otherwise they stay usable, but
/// in a context with a pool they must not be touched any more. No other thread may run in the
/// context meanwhile if it has a pool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_destroy(ctx: wasm_runtime_ctx_t) -> bool {
    guard_held(|| {
        // SAFETY: the C contract of handles: the caller's count.
        let Some(context) = (unsafe { handle::take_context(ctx) }) else { return false };
        context.close();
        let is_empty = context.stats().objects() == 0;
        // SAFETY: by the contract no other thread runs in it.
        unsafe { context.retire_pool() };
        is_empty
    })
}

/// The context's number, which no other context of the process ever has; 0 for NULL. Log lines
/// name contexts by it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_get_id(ctx: wasm_runtime_ctx_t) -> u64 {
    // SAFETY: the C contract of handles.
    guard(|| unsafe { handle::context(ctx) }.map_or(0, |context| context.id()))
}

/// Gives the context a name for lists and logs; it is copied. NULL takes the name away. False for
/// a name that is not UTF-8, and when memory runs out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_set_name(
    ctx: wasm_runtime_ctx_t,
    name: *const c_char,
) -> bool {
    guard(|| {
        // SAFETY: the C contracts of handles and strings.
        let (context, text) = unsafe { (handle::context(ctx), opt_str(name)) };
        let is_text = name.is_null() || text.is_some();
        context.is_some_and(|context| is_text && context.set_name(text).is_ok())
    })
}

/// Copies the context's name to `buf`, cut to `size` bytes with its NUL, and returns the length
/// of the whole name; 0 if it has none. `buf` may be NULL if `size` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_get_name(
    ctx: wasm_runtime_ctx_t,
    buf: *mut c_char,
    size: u32,
) -> u32 {
    guard(|| {
        // SAFETY: the C contract of handles.
        let context = unsafe { handle::context(ctx) };
        let name = context.and_then(|context| context.name()).unwrap_or_default();
        // SAFETY: the C contract of buffers.
        unsafe { ErrorBuf::new(buf, size) }.set(format_args!("{name}"));
        name.len() as u32
    })
}

/// Decides whether modules that are loaded into the context from now on measure the cost of their
/// functions, for `wasm_runtime_dump_perf_profiling` and the like. That slows them down; code that
/// does not measure is not affected. False for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_set_perf_profiling(
    ctx: wasm_runtime_ctx_t,
    measure: bool,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        let context = unsafe { handle::context(ctx) };
        context.is_some_and(|context| {
            context.set_perf_profiling(measure);
            true
        })
    })
}
