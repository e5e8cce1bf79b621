//! Native functions: the host's own, that guests import.

use crate::ffi::{context, guard, opt_str};
use crate::lib_export::NativeSymbol;
use isothread::{Convention, NativeArray};
use std::ffi::c_char;

/// Offers the functions of an array as imports from `module_name` to modules that are loaded
/// afterwards. Later registrations come first. The array is read, never written to; it, its strings
/// and functions must stay until it is unregistered or the context is gone. An entry whose function
/// is NULL offers nothing; loading a module that imports it logs a warning. False without a
/// context, when memory runs out, for a NULL `module_name`, and for NULL `native_symbols` unless
/// `n_native_symbols` is 0. (`wasm_runtime_full_init` accepts both as NULL, as WAMR does.)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_register_natives(
    module_name: *const c_char,
    native_symbols: *mut NativeSymbol,
    n_native_symbols: u32,
) -> bool {
    // SAFETY: the same contract.
    guard(|| unsafe { register(module_name, native_symbols, n_native_symbols, Convention::Native) })
}

/// Like `wasm_runtime_register_natives`, for functions of the form
/// `void f(wasm_exec_env_t, uint64_t *args)`: each argument is a 64-bit slot, pointers are guest
/// addresses, and the result is written to `args[0]`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_register_natives_raw(
    module_name: *const c_char,
    native_symbols: *mut NativeSymbol,
    n_native_symbols: u32,
) -> bool {
    // SAFETY: the same contract.
    guard(|| unsafe { register(module_name, native_symbols, n_native_symbols, Convention::Raw) })
}

/// # Safety
/// The contract of `wasm_runtime_register_natives`.
unsafe fn register(
    module: *const c_char,
    symbols: *mut NativeSymbol,
    count: u32,
    convention: Convention,
) -> bool {
    if module.is_null() || (symbols.is_null() && count > 0) {
        return false;
    }
    let Some(context) = context::current() else { return false };
    // SAFETY: the caller keeps the array, as it says; the two structs have one layout.
    let array = unsafe { NativeArray::new(module, symbols.cast(), count, convention) };
    context::within(&context, || context.natives().register(array)).unwrap_or(false)
}

/// Takes back the latest registration of this very array under this name. False when there is
/// none. Modules that are loaded keep the functions they found.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_unregister_natives(
    module_name: *const c_char,
    native_symbols: *mut NativeSymbol,
) -> bool {
    guard(|| {
        let Some(context) = context::current() else { return false };
        // SAFETY: NULL or a terminated string, by the C contract.
        unsafe { context.natives().unregister(module_name, native_symbols.cast()) }
    })
}

/// Whether a function import of this name, with any type, would be found in the calling thread's
/// context now.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_is_import_func_linked(
    module_name: *const c_char,
    func_name: *const c_char,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of strings.
        let names = unsafe { (opt_str(module_name), opt_str(func_name)) };
        let (Some(module), Some(name)) = names else { return false };
        context::current().is_some_and(|context| context.natives().is_linked(module, name))
    })
}

/// Whether a global import of this name is one that the runtime provides itself. Needs no
/// context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_is_import_global_linked(
    module_name: *const c_char,
    global_name: *const c_char,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of strings.
        let names = unsafe { (opt_str(module_name), opt_str(global_name)) };
        matches!(names, (Some("global"), Some("NaN" | "Infinity")))
    })
}
