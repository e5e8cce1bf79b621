//! Threads: preparing them, and how many a guest may have.

use crate::ffi::guard;
use isothread::context::thread;

/// Prepares the calling thread for guest code. It never makes a context, needs none, and is
/// counted. Threads that do not call it are prepared when they first run guest code. False only
/// when memory runs out.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_runtime_init_thread_env() -> bool {
    guard(thread::init_thread_env)
}

/// Undoes one `wasm_runtime_init_thread_env`, as the thread's end does; a call too many does
/// nothing. Instances and contexts are not affected.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_runtime_destroy_thread_env() {
    guard(thread::destroy_thread_env)
}

/// Whether the calling thread was prepared for guest code: by `wasm_runtime_init_thread_env`, by
/// making a context, or by being started inside one. Others may run guest code all the same.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_runtime_thread_env_inited() -> bool {
    guard(thread::thread_env_inited)
}

/// Sets how many threads a guest may start in the calling thread's context; without one, in the
/// context the thread makes next. 0 changes nothing.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_runtime_set_max_thread_num(num: u32) {
    guard(|| thread::set_max_thread_num(num))
}
