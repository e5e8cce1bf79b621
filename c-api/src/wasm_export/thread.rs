//! Threads: preparing them, how many a guest may have, and starting them.

use super::types::{wasm_thread_callback_t, wasm_thread_t};
use crate::ffi::context::with_current;
use crate::ffi::{guard, guard_guest, guard_held, handle};
use crate::shared::wasm_exec_env_t;
use isothread::context::thread;
use isothread::{ContextData, Lock, LockGuard, ThreadHandle};
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ptr::{null_mut, with_exposed_provenance_mut};

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

/// Threads that were started and not joined yet. Owner: the context.
#[derive(Default)]
struct Started(Lock<StartedThreads>);

#[derive(Default)]
struct StartedThreads {
    last: usize,
    threads: Vec<(usize, ThreadHandle)>,
}

impl ContextData for Started {}

impl Started {
    /// Takes the table's lock; the table stays whole even if a holder panicked.
    fn lock(&self) -> LockGuard<'_, StartedThreads> {
        self.0.lock()
    }
}

/// Makes an execution environment for another thread of `exec_env`'s guest, with an instance of
/// its own: shared memories, custom data, instance contexts and WASI state are common to both,
/// tables and globals are not. An exception in one of them stops all. It must be ended with
/// `wasm_runtime_destroy_spawned_exec_env`. NULL when the guest has as many threads as the
/// context allows, when it is ending, and when memory runs out; the log says why.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn wasm_runtime_spawn_exec_env(
    exec_env: wasm_exec_env_t,
) -> wasm_exec_env_t {
    guard_guest(|| {
        // SAFETY: the C contract of handles.
        let env = unsafe { handle::exec_env(exec_env) };
        let spawned = env.and_then(|env| env.spawn().ok());
        spawned.map_or(null_mut(), |env| env.attach().into_raw().as_ptr().cast())
    })
}

/// Ends an execution environment that `wasm_runtime_spawn_exec_env` made, and its instance; NULL
/// is accepted, others are left alone. It must not be running.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_destroy_spawned_exec_env(exec_env: wasm_exec_env_t) {
    guard_held(|| {
        // SAFETY: the C contract of handles.
        if let Some(env) = unsafe { handle::exec_env(exec_env) }.filter(|env| env.is_spawned()) {
            drop(ManuallyDrop::into_inner(env));
        }
    })
}

/// Starts a thread that calls `callback` with an execution environment as
/// `wasm_runtime_spawn_exec_env` makes it, which ends with the thread, and `arg`. The thread's
/// number for `wasm_runtime_join_thread` is stored in `*tid`, unless that is NULL. 0, or -1 if
/// there can be no thread. The thread is in `exec_env`'s context. The callback may end the thread
/// with `pthread_exit`, as if it returned NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn wasm_runtime_spawn_thread(
    exec_env: wasm_exec_env_t,
    tid: *mut wasm_thread_t,
    callback: wasm_thread_callback_t,
    arg: *mut c_void,
) -> i32 {
    guard_guest(|| {
        // SAFETY: the C contract of handles.
        let env = unsafe { handle::exec_env(exec_env) };
        let (Some(env), Some(callback)) = (env, callback) else { return -1 };
        let arg = arg.expose_provenance();
        let body = move |env: &mut isothread::ExecEnv| {
            let raw = env.as_raw().as_ptr().expose_provenance();
            // SAFETY: the embedder's callback, with its own argument. If it ends the thread, that
            // happens as soon as no frame of ours is on the stack.
            unsafe { thread::call_last(callback as *const c_void, [raw, arg, 0, 0]) }
        };
        let Ok(started) = env.context().data_or_init(Started::default) else { return -1 };
        let Ok(thread) = env.spawn_thread(body) else { return -1 };
        let mut table = started.lock();
        table.last += 1;
        let number = table.last;
        if table.threads.try_reserve(1).is_ok() {
            table.threads.push((number, thread));
        }
        // SAFETY: the caller guarantees that it is NULL or room for a number.
        if let Some(tid) = unsafe { tid.as_mut() } {
            *tid = number;
        }
        0
    })
}

/// Waits for a thread that `wasm_runtime_spawn_thread` started in the calling thread's context, and
/// stores its callback's result in `*retval`, which may be NULL. 0, or -1 for a number that is no
/// thread's, or of a thread that was joined before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_join_thread(
    tid: wasm_thread_t,
    retval: *mut *mut c_void,
) -> i32 {
    guard(|| {
        let started = with_current(|context| context.data::<Started>());
        let thread = started.ok().flatten().and_then(|started| {
            let mut table = started.lock();
            let at = table.threads.iter().position(|(number, _)| *number == tid)?;
            Some(table.threads.swap_remove(at).1)
        });
        let Some(thread) = thread else { return -1 };
        let result = thread.join();
        // SAFETY: the caller guarantees that it is NULL or room for a pointer.
        if let Some(retval) = unsafe { retval.as_mut() } {
            *retval = with_exposed_provenance_mut(result);
        }
        0
    })
}
