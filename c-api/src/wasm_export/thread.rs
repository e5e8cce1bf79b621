//! Threads: preparing them, how many a guest may have, and starting them.

use super::types::{wasm_exec_env_t, wasm_thread_callback_t, wasm_thread_t};
use crate::ffi::guard;
use isothread::context::thread;
use std::ffi::c_void;
use std::ptr::null_mut;

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

/// Makes an execution environment for another thread of `exec_env`'s guest. This build has no
/// thread manager: the answer is NULL, as when no more threads are allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_spawn_exec_env(exec_env: wasm_exec_env_t) -> wasm_exec_env_t {
    let _ = exec_env;
    guard(null_mut)
}

/// Ends an execution environment that `wasm_runtime_spawn_exec_env` made; NULL is accepted. This
/// build makes none, so it does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_destroy_spawned_exec_env(exec_env: wasm_exec_env_t) {
    let _ = exec_env;
}

/// Starts a thread that calls `callback` with an execution environment of its own and `arg`, and
/// stores what `wasm_runtime_join_thread` takes in `*tid`. 0, or an error number. This build has
/// no thread manager: the answer is -1, and nothing is stored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_spawn_thread(
    exec_env: wasm_exec_env_t,
    tid: *mut wasm_thread_t,
    callback: wasm_thread_callback_t,
    arg: *mut c_void,
) -> i32 {
    let _ = (exec_env, tid, callback, arg);
    guard(|| -1)
}

/// Waits for a thread that `wasm_runtime_spawn_thread` started, and stores what its callback
/// returned in `*retval`, which may be NULL. 0, or an error number. This build starts none, so
/// the answer is -1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_join_thread(
    tid: wasm_thread_t,
    retval: *mut *mut c_void,
) -> i32 {
    let _ = (tid, retval);
    guard(|| -1)
}
