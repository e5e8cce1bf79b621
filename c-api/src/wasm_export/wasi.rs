//! WASI: a program's view of the host, its start and its end.

use super::loaded;
use super::wasi_settings::Settings;
use crate::ffi::{guard, handle};
use crate::shared::{wasm_function_inst_t, wasm_module_inst_t, wasm_module_t};
use std::ffi::{c_char, c_int};
use std::ptr::null_mut;

/// Sets the view of the host that later instances of the module get: `dir_list` gives host
/// directories under their own names, `map_dir_list` pairs GUEST::HOST, `env` strings NAME=VALUE,
/// `argv` the program's arguments with its name first, and the last three its standard streams,
/// where -1 is the process's own. Arrays and strings are read when an instance is made and must
/// stay until then. A list may be NULL when its count is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_set_wasi_args_ex(
    module: wasm_module_t,
    dir_list: *mut *const c_char,
    dir_count: u32,
    map_dir_list: *mut *const c_char,
    map_dir_count: u32,
    env: *mut *const c_char,
    env_count: u32,
    argv: *mut *mut c_char,
    argc: c_int,
    stdinfd: i64,
    stdoutfd: i64,
    stderrfd: i64,
) {
    // SAFETY: the C contract of handles.
    unsafe {
        change(module, |settings| {
            settings.set_dirs((dir_list, dir_count), (map_dir_list, map_dir_count));
            settings.set_env(env, env_count);
            settings.set_args(argv, argc);
            settings.set_stdio([stdinfd, stdoutfd, stderrfd]);
        });
    }
}

/// Like `wasm_runtime_set_wasi_args_ex`, with the process's own standard streams.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_set_wasi_args(
    module: wasm_module_t,
    dir_list: *mut *const c_char,
    dir_count: u32,
    map_dir_list: *mut *const c_char,
    map_dir_count: u32,
    env: *mut *const c_char,
    env_count: u32,
    argv: *mut *mut c_char,
    argc: c_int,
) {
    // SAFETY: the same contract.
    unsafe {
        wasm_runtime_set_wasi_args_ex(
            module,
            dir_list,
            dir_count,
            map_dir_list,
            map_dir_count,
            env,
            env_count,
            argv,
            argc,
            -1,
            -1,
            -1,
        );
    }
}

/// Sets the addresses that sockets of later instances may bind, connect to and send to, as
/// ADDRESS/MASK; `0.0.0.0` and `::` with any mask stand for all of their kind. Nothing else is
/// bound, and without a pool nothing at all. The array and its strings are read when an instance is
/// made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_set_wasi_addr_pool(
    module: wasm_module_t,
    addr_pool: *mut *const c_char,
    addr_pool_size: u32,
) {
    // SAFETY: the C contract of handles.
    unsafe { change(module, |settings| settings.set_addr_pool(addr_pool, addr_pool_size)) }
}

/// Sets the host names that later instances may look up: exact, `*.suffix`, or `*`. The array and
/// its strings are read when an instance is made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_set_wasi_ns_lookup_pool(
    module: wasm_module_t,
    ns_lookup_pool: *mut *const c_char,
    ns_lookup_pool_size: u32,
) {
    // SAFETY: the C contract of handles.
    unsafe {
        change(module, |settings| settings.set_ns_lookup_pool(ns_lookup_pool, ns_lookup_pool_size));
    }
}

/// # Safety
/// `module` is NULL or live.
unsafe fn change(module: wasm_module_t, how: impl FnOnce(&mut Settings)) {
    guard(|| {
        // SAFETY: the caller guarantees that it is NULL or live.
        if let Some(module) = unsafe { loaded::module(module) } {
            how(&mut module.wasi.lock());
        }
    })
}

/// Whether the instance's module imports from WASI.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_is_wasi_mode(module_inst: wasm_module_inst_t) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { handle::instance(module_inst) }.is_some_and(|i| i.module().is_wasi())
    })
}

/// The exported function `_start`; NULL when there is none, or when it takes or gives anything,
/// which is logged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_lookup_wasi_start_function(
    module_inst: wasm_module_inst_t,
) -> wasm_function_inst_t {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { handle::instance(module_inst) }
            .and_then(|instance| instance.start_function())
            .map_or(null_mut(), |func| func.as_raw().as_ptr().cast())
    })
}

/// The code that the guest gave to `proc_exit`; 0 before that. For a program that has exited or
/// trapped, and for one that is being called, the answer comes at once. Else this waits until the
/// threads that the program has started are at their end, because each of them may still exit it;
/// `wasm_application_execute_main` has seen to that. A limit on the context's time or instructions
/// ends the wait with the threads, and so does `wasm_runtime_terminate` on another thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_wasi_exit_code(module_inst: wasm_module_inst_t) -> u32 {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { handle::instance(module_inst) }.map_or(0, |instance| {
            if instance.exception_ptr().is_null() && !instance.is_in_use() {
                instance.wait_for_threads();
            }
            instance.exit_code()
        })
    })
}
