//! Making instances and taking them down, and an embedder's data for them.

use super::arguments::InstantiationArgs2;
use super::inst_context;
use super::integers::RunningMode;
use super::loaded::{self, LoadedModule, MODULE_SLOT, give_back, module_of};
use super::make::{Failure, make};
use super::multi_module;
use super::setup;
use crate::ffi::{ErrorBuf, guard, guard_guest, guard_held, handle, log};
use crate::shared::{InstantiationArgs, wasm_module_inst_t, wasm_module_t};
use isothread::{Extern, Instance};
use std::ffi::{c_char, c_void};
use std::mem::ManuallyDrop;
use std::sync::Arc;

/// Makes an instance: memories, tables and globals, then the start function and the other functions
/// that a module expects to run first. `default_stack_size` is the guest stack of the execution
/// environments the runtime makes for it (0: 16 KiB), `host_managed_heap_size` the heap inside
/// linear memory that `wasm_runtime_module_malloc` serves from (0: none; not made when the module
/// exports `malloc` and `free`). NULL on failure, with the reason in `error_buf`. Unlinked
/// functions are no failure: calling one traps.
///
/// The reason begins with "WASM module instantiate failed: ", with these exceptions, whose texts
/// are WAMR's: a NULL module or NULL arguments are "Instantiate module failed, invalid module
/// type"; WASI settings that cannot be applied are "error while pre-opening directory ...", "error
/// while pre-opening mapped directory ...", "Invalid address pool entry ...", "Init wasi
/// environment failed: ...", or "WASI configuration was given via both of module and
/// InstantiationArgs2".
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn wasm_runtime_instantiate(
    module: wasm_module_t,
    default_stack_size: u32,
    host_managed_heap_size: u32,
    error_buf: *mut c_char,
    error_buf_size: u32,
) -> wasm_module_inst_t {
    let args =
        InstantiationArgs { default_stack_size, host_managed_heap_size, max_memory_pages: 0 };
    // SAFETY: the same contract, and `args` is here.
    unsafe { wasm_runtime_instantiate_ex(module, &args, error_buf, error_buf_size) }
}

/// Makes an instance like `wasm_runtime_instantiate`, with all its options in a struct. A limit of
/// memory pages outside the module's bounds is moved to the nearest bound, with a log line.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn wasm_runtime_instantiate_ex(
    module: wasm_module_t,
    args: *const InstantiationArgs,
    error_buf: *mut c_char,
    error_buf_size: u32,
) -> wasm_module_inst_t {
    guard_guest(|| {
        // SAFETY: NULL or a struct of the caller's.
        let args = unsafe { args.as_ref() }.map(|v1| InstantiationArgs2::from_v1(*v1));
        // SAFETY: the same contract.
        unsafe { instantiate(module, args.as_ref(), error_buf, error_buf_size) }
    })
}

/// Makes an instance like `wasm_runtime_instantiate`, with options made by
/// `wasm_runtime_instantiation_args_create`; they stay the caller's and may be used again.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn wasm_runtime_instantiate_ex2(
    module: wasm_module_t,
    args: *const InstantiationArgs2,
    error_buf: *mut c_char,
    error_buf_size: u32,
) -> wasm_module_inst_t {
    guard_guest(|| {
        // SAFETY: NULL or live, by the C contract.
        let args = unsafe { args.as_ref() };
        // SAFETY: the same contract.
        unsafe { instantiate(module, args, error_buf, error_buf_size) }
    })
}

/// # Safety
/// `module` is NULL or live; `error_buf` is NULL or has room.
unsafe fn instantiate(
    module: wasm_module_t,
    args: Option<&InstantiationArgs2>,
    error_buf: *mut c_char,
    error_buf_size: u32,
) -> wasm_module_inst_t {
    // SAFETY: as the caller promises of both.
    let (handle, mut error) =
        unsafe { (loaded::module(module), ErrorBuf::new(error_buf, error_buf_size)) };
    let (Some(handle), Some(args)) = (handle, args) else {
        error.set(format_args!("Instantiate module failed, invalid module type"));
        return std::ptr::null_mut();
    };
    // SAFETY: `module` is live, and `handle` is what it stands for.
    match unsafe { make_counted(module, handle, args, &[]) } {
        Ok(instance) => instance.into_raw().as_ptr().cast(),
        Err(failure) => {
            error.set(format_args!("{failure}"));
            std::ptr::null_mut()
        }
    }
}

/// Makes an instance that holds a count of its module, to be ended by [`take_down`].
///
/// # Safety
/// `handle` is what the live `module` stands for.
pub(crate) unsafe fn make_counted(
    module: wasm_module_t,
    handle: &LoadedModule,
    args: &InstantiationArgs2,
    imports: &[Option<Extern>],
) -> Result<Instance, Failure> {
    let instance = make(handle, args, imports)?;
    // SAFETY: `module` is live; this count goes with the instance.
    unsafe { Arc::increment_strong_count(module.cast_const().cast::<LoadedModule>()) };
    instance.set_slot(MODULE_SLOT, module.expose_provenance());
    Ok(instance)
}

/// Takes down an instance of [`make_counted`]: ends its threads, calls the destructors of context
/// keys, and lets go of its objects, its module and the handle. Others of its link set may keep
/// its code; to those it is an instance without a module of this API.
pub(crate) fn take_down(instance: Instance) {
    let module = loaded::held_by(&instance);
    instance.end_threads();
    // SAFETY: this API made the instance, and it keeps its module until below.
    if let Some(module) = unsafe { module_of(&instance) } {
        inst_context::end(&instance, &module.keys);
    }
    instance.delete_extern_objects();
    // Even if something else keeps the instance.
    instance.detach_shared_heap();
    instance.set_slot(MODULE_SLOT, loaded::TAKEN_DOWN);
    drop(instance);
    if !module.is_null() {
        // SAFETY: the count that `make_counted` took for this instance.
        unsafe { give_back(module) };
    }
}

/// Takes an instance down, with the instances of modules that it imports from: calls the
/// destructors of context keys (for the imported modules first), lets go of the objects it owns
/// behind externrefs, and frees it. Its own execution environment goes with it; others may still be
/// destroyed afterwards, but nothing else may be done with them. While a call is under way, on any
/// thread, this only logs a line.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_deinstantiate(module_inst: wasm_module_inst_t) {
    guard_held(|| {
        // SAFETY: the C contract of handles.
        let Some(instance) = (unsafe { handle::instance(module_inst) }) else { return };
        if instance.is_of_thread() {
            // It goes with its execution environment.
            return;
        }
        if loaded::held_by(&instance).is_null() {
            // An imported module's instance, as natives see it: it goes with the importer's.
            return;
        }
        if instance.is_in_use() {
            log::error(format_args!("an instance cannot be taken down while it runs"));
            return;
        }
        take_down(ManuallyDrop::into_inner(instance));
    })
}

/// The module the instance was made from.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_module(module_inst: wasm_module_inst_t) -> wasm_module_t {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(instance) = (unsafe { handle::instance(module_inst) }) else {
            return std::ptr::null_mut();
        };
        match loaded::held_by(&instance) {
            module if module.is_null() => multi_module::handle_of(&instance.module()),
            module => module,
        }
    })
}

/// Chooses how the instance's code is executed from now on. False, with nothing changed, for a mode
/// that this build does not have, and while a call of the instance is under way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_set_running_mode(
    module_inst: wasm_module_inst_t,
    running_mode: RunningMode,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        let instance = unsafe { handle::instance(module_inst) };
        let mode = setup::supported_mode(running_mode);
        instance.zip(mode).is_some_and(|(instance, mode)| instance.set_running_mode(mode).is_ok())
    })
}

/// How the instance's code is executed; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_running_mode(
    module_inst: wasm_module_inst_t,
) -> RunningMode {
    guard(|| {
        // SAFETY: the C contract of handles.
        let instance = unsafe { handle::instance(module_inst) };
        instance.map_or(0, |instance| instance.running_mode() as RunningMode)
    })
}

/// Keeps a pointer of the host's with the instance. The runtime does not look at it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_set_custom_data(
    module_inst: wasm_module_inst_t,
    custom_data: *mut c_void,
) {
    guard(|| {
        // SAFETY: the C contract of handles.
        if let Some(instance) = unsafe { handle::instance(module_inst) } {
            instance.set_custom_data(custom_data.expose_provenance());
        }
    })
}

/// The pointer that `wasm_runtime_set_custom_data` or the instantiation kept; NULL before that.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_custom_data(
    module_inst: wasm_module_inst_t,
) -> *mut c_void {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { handle::instance(module_inst) }.map_or(std::ptr::null_mut(), |instance| {
            std::ptr::with_exposed_provenance_mut(instance.custom_data())
        })
    })
}

/// Asks for checks of addresses on memory accesses, or for none. They always stay on here, as with
/// WAMR's hardware checks: nothing changes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_set_bounds_checks(
    module_inst: wasm_module_inst_t,
    enable: bool,
) {
    let _ = (module_inst, enable);
}

/// Whether memory accesses are checked: true for every instance, false for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_is_bounds_checks_enabled(
    module_inst: wasm_module_inst_t,
) -> bool {
    // SAFETY: the C contract of handles.
    guard(|| unsafe { handle::instance(module_inst) }.is_some())
}
