//! The extensible options of instantiation.

use super::wasi_settings::Settings;
use crate::ffi::{context, guard};
use crate::shared::InstantiationArgs;
use std::ffi::{c_char, c_int, c_void};

/// Options of `wasm_runtime_instantiate_ex2`. Owner: the embedder.
#[derive(Default)]
pub struct InstantiationArgs2 {
    pub(crate) v1: InstantiationArgs,
    pub(crate) custom_data: CustomData,
    pub(crate) wasi: Settings,
}

/// A pointer of the embedder's, never followed here.
pub(crate) struct CustomData(*mut c_void);

impl Default for CustomData {
    fn default() -> Self {
        Self(std::ptr::null_mut())
    }
}

impl CustomData {
    pub(crate) fn expose_provenance(&self) -> usize {
        self.0.expose_provenance()
    }
}

impl InstantiationArgs2 {
    pub(crate) fn from_v1(v1: InstantiationArgs) -> Self {
        Self { v1, ..Self::default() }
    }
}

/// Makes options with every default and stores them in `*p`, to be ended with
/// `wasm_runtime_instantiation_args_destroy`. False without a context or when memory runs out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_instantiation_args_create(
    p: *mut *mut InstantiationArgs2,
) -> bool {
    guard(|| {
        if p.is_null() {
            return false;
        }
        let Some(context) = context::current() else { return false };
        let Ok(args) = context::within(&context, || Box::new(InstantiationArgs2::default())) else {
            return false;
        };
        // SAFETY: not NULL; the caller gives room for a pointer.
        unsafe { p.write(Box::into_raw(args)) };
        true
    })
}

/// Ends options. Instances made with them are not affected.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_instantiation_args_destroy(p: *mut InstantiationArgs2) {
    guard(|| {
        if !p.is_null() {
            // SAFETY: from `create`, by the C contract, and ended once.
            drop(unsafe { Box::from_raw(p) });
        }
    })
}

/// # Safety
/// `p` is NULL or live options that nothing else uses now.
unsafe fn change(p: *mut InstantiationArgs2, how: impl FnOnce(&mut InstantiationArgs2)) {
    guard(|| {
        // SAFETY: the caller guarantees that `p` is NULL or live options that nothing else uses
        // now.
        if let Some(args) = unsafe { p.as_mut() } {
            how(args);
        }
    })
}

/// Sets the guest stack of the execution environments the runtime makes, in bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_instantiation_args_set_default_stack_size(
    p: *mut InstantiationArgs2,
    v: u32,
) {
    // SAFETY: the C contract of `p`.
    unsafe { change(p, |args| args.v1.default_stack_size = v) }
}

/// Sets the heap inside linear memory, in bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_instantiation_args_set_host_managed_heap_size(
    p: *mut InstantiationArgs2,
    v: u32,
) {
    // SAFETY: the C contract of `p`.
    unsafe { change(p, |args| args.v1.host_managed_heap_size = v) }
}

/// Sets the limit of each memory, in pages of 64 KiB.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_instantiation_args_set_max_memory_pages(
    p: *mut InstantiationArgs2,
    v: u32,
) {
    // SAFETY: the C contract of `p`.
    unsafe { change(p, |args| args.v1.max_memory_pages = v) }
}

/// Sets the instance's custom data (`wasm_runtime_get_custom_data`), from before its start function
/// runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_instantiation_args_set_custom_data(
    p: *mut InstantiationArgs2,
    custom_data: *mut c_void,
) {
    // SAFETY: the C contract of `p`.
    unsafe { change(p, |args| args.custom_data = CustomData(custom_data)) }
}

/// Sets the WASI program's arguments, the program's name first. The array and its strings are
/// read when an instance is made, and must live until then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_instantiation_args_set_wasi_arg(
    p: *mut InstantiationArgs2,
    argv: *mut *mut c_char,
    argc: c_int,
) {
    // SAFETY: the C contract of `p`.
    unsafe { change(p, |args| args.wasi.set_args(argv, argc)) }
}

/// Sets the WASI program's environment, strings of the form NAME=VALUE. Read when an instance is
/// made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_instantiation_args_set_wasi_env(
    p: *mut InstantiationArgs2,
    env: *mut *const c_char,
    env_count: u32,
) {
    // SAFETY: the C contract of `p`.
    unsafe { change(p, |args| args.wasi.set_env(env, env_count)) }
}

/// Sets the directories the WASI program can reach: host directories under their own names, and
/// pairs GUEST::HOST. Read when an instance is made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_instantiation_args_set_wasi_dir(
    p: *mut InstantiationArgs2,
    dir_list: *mut *const c_char,
    dir_count: u32,
    map_dir_list: *mut *const c_char,
    map_dir_count: u32,
) {
    // SAFETY: the C contract of `p`.
    unsafe {
        change(p, |args| args.wasi.set_dirs((dir_list, dir_count), (map_dir_list, map_dir_count)))
    }
}

/// Sets the WASI program's standard streams; -1 is the process's own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_instantiation_args_set_wasi_stdio(
    p: *mut InstantiationArgs2,
    stdinfd: i64,
    stdoutfd: i64,
    stderrfd: i64,
) {
    // SAFETY: the C contract of `p`.
    unsafe { change(p, |args| args.wasi.set_stdio([stdinfd, stdoutfd, stderrfd])) }
}

/// Sets the addresses the WASI program's sockets may use, as ADDRESS/MASK. Read when an instance
/// is made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_instantiation_args_set_wasi_addr_pool(
    p: *mut InstantiationArgs2,
    addr_pool: *mut *const c_char,
    addr_pool_size: u32,
) {
    // SAFETY: the C contract of `p`.
    unsafe { change(p, |args| args.wasi.set_addr_pool(addr_pool, addr_pool_size)) }
}

/// Sets the host names the WASI program may look up: exact, `*.suffix`, or `*`. Read when an
/// instance is made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_instantiation_args_set_wasi_ns_lookup_pool(
    p: *mut InstantiationArgs2,
    ns_lookup_pool: *mut *const c_char,
    ns_lookup_pool_size: u32,
) {
    // SAFETY: the C contract of `p`.
    unsafe { change(p, |args| args.wasi.set_ns_lookup_pool(ns_lookup_pool, ns_lookup_pool_size)) }
}
