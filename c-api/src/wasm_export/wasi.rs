//! WASI: what a program sees of the host, and how it starts and ends.

use super::arguments::InstantiationArgs2;
use super::instance::{Failure, WASI_TWICE};
use super::module::WASMModuleCommon;
use super::multi_module::existing_handle;
use super::types::{wasm_function_inst_t, wasm_module_inst_t};
use crate::ffi::{guard, handle};
use crate::shared::wasm_module_t;
use isothread::{Error, Module};
use std::any::Any;
use std::ffi::{c_char, c_int};
use std::ptr::null_mut;

/// An array of strings of the embedder's, by its address: it is read when an instance is made.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "wasi"), expect(dead_code, reason = "only WASI reads what is set"))]
struct Strings {
    start: *const *const c_char,
    len: u32,
}

impl Default for Strings {
    fn default() -> Self {
        Self { start: std::ptr::null(), len: 0 }
    }
}

#[cfg(feature = "wasi")]
impl Strings {
    /// Copies the strings. NULL entries are left out.
    ///
    /// # Safety
    /// The array and its strings are there.
    unsafe fn copy(self) -> isothread::Result<Vec<Vec<u8>>> {
        let len = if self.start.is_null() { 0 } else { self.len as usize };
        let mut copies = isothread::try_vec(len)?;
        for i in 0..len {
            // SAFETY: says the caller.
            if let Some(bytes) = unsafe { crate::ffi::opt_bytes(*self.start.add(i)) } {
                copies.push(isothread::try_copy(bytes)?);
            }
        }
        Ok(copies)
    }
}

/// What was set for WASI: pointers into the embedder's memory, which must stay until instances
/// are made. Owner: a module's handle, or instantiation options.
#[derive(Clone, Copy, Default)]
pub(crate) struct Settings {
    /// Whether anything was set.
    given: bool,
    args: Strings,
    env: Strings,
    dirs: Strings,
    map_dirs: Strings,
    addr_pool: Strings,
    ns_lookup_pool: Strings,
    stdio: Option<[i64; 3]>,
}

// SAFETY: the pointers are only followed when an instance is made, and the embedder promised that
// what they point to stays until then, for whatever thread makes it.
unsafe impl Send for Settings {}

impl Settings {
    pub(crate) fn set_args(&mut self, argv: *mut *mut c_char, argc: c_int) {
        self.given = true;
        self.args = Strings { start: argv.cast(), len: u32::try_from(argc).unwrap_or(0) };
    }

    pub(crate) fn set_env(&mut self, env: *mut *const c_char, count: u32) {
        self.given = true;
        self.env = Strings { start: env, len: count };
    }

    pub(crate) fn set_dirs(
        &mut self,
        dirs: (*mut *const c_char, u32),
        map_dirs: (*mut *const c_char, u32),
    ) {
        self.given = true;
        self.dirs = Strings { start: dirs.0, len: dirs.1 };
        self.map_dirs = Strings { start: map_dirs.0, len: map_dirs.1 };
    }

    pub(crate) fn set_stdio(&mut self, fds: [i64; 3]) {
        self.given = true;
        self.stdio = Some(fds);
    }

    pub(crate) fn set_addr_pool(&mut self, pool: *mut *const c_char, len: u32) {
        self.given = true;
        self.addr_pool = Strings { start: pool, len };
    }

    pub(crate) fn set_ns_lookup_pool(&mut self, pool: *mut *const c_char, len: u32) {
        self.given = true;
        self.ns_lookup_pool = Strings { start: pool, len };
    }
}

/// What an instance keeps for WASI's functions.
type HostState = Option<Box<dyn Any + Send + Sync>>;

/// The settings an instance gets: those of the options or those of the module, not both.
fn settings_for(module: &WASMModuleCommon, options: &Settings) -> Result<Settings, Failure> {
    let of_module = *module.wasi.lock();
    match (of_module.given, options.given) {
        (true, true) => Err(Failure::WasiTwice),
        (_, true) => Ok(*options),
        _ => Ok(of_module),
    }
}

/// What WASI keeps with an instance.
///
/// # Safety
/// The arrays and strings of the settings are there.
pub(crate) unsafe fn state_for(
    module: &WASMModuleCommon,
    args: &InstantiationArgs2,
) -> Result<HostState, Failure> {
    let settings = settings_for(module, &args.wasi)?;
    // SAFETY: the caller says that arrays and strings are there.
    unsafe { state_of(settings) }.map_err(Failure::Wasi)
}

/// What WASI keeps with the instance of a module that another imports from; `options` are the
/// importer's.
///
/// # Safety
/// The arrays and strings of the settings are there.
pub(crate) unsafe fn state_for_imported(
    module: &Module,
    options: &Settings,
) -> isothread::Result<HostState> {
    let settings = match existing_handle(module) {
        Some(handle) => settings_for(&handle, options).map_err(|_| Error::misuse(WASI_TWICE))?,
        None => *options,
    };
    // SAFETY: the caller says that arrays and strings are there.
    unsafe { state_of(settings) }
}

/// Without WASI in the build, settings have no effect.
///
/// # Safety
/// The arrays and strings of the settings are there.
#[cfg(not(feature = "wasi"))]
unsafe fn state_of(_: Settings) -> isothread::Result<HostState> {
    Ok(None)
}

/// # Safety
/// The arrays and strings of the settings are there.
#[cfg(feature = "wasi")]
unsafe fn state_of(settings: Settings) -> isothread::Result<HostState> {
    // A descriptor that is no `int` is none at all.
    let [stdin, stdout, stderr] =
        settings.stdio.unwrap_or([-1; 3]).map(|fd| i32::try_from(fd.max(-1)).unwrap_or(i32::MAX));
    // SAFETY: passed on.
    let args = unsafe {
        isothread::WasiArgs {
            args: settings.args.copy()?,
            env: settings.env.copy()?,
            dirs: settings.dirs.copy()?,
            map_dirs: settings.map_dirs.copy()?,
            addr_pool: settings.addr_pool.copy()?,
            ns_lookup_pool: settings.ns_lookup_pool.copy()?,
            stdin,
            stdout,
            stderr,
            before_output: None,
        }
    };
    Ok(Some(Box::new(isothread::WasiCtx::new(&args)?)))
}

/// Sets what later instances of the module see of the host: `dir_list` gives host directories
/// under their own names, `map_dir_list` pairs GUEST::HOST, `env` strings NAME=VALUE, `argv` the
/// program's arguments with its name first, and the last three its standard streams, where -1 is
/// the process's own. Arrays and strings are read when an instance is made and must stay until
/// then. A list may be NULL when its count is 0.
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
        // SAFETY: passed on.
        if let Some(module) = unsafe { handle::module(module) } {
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
