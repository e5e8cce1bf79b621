//! Modules that are to be compiled.

use super::error;
use super::types::{AOTCompData, aot_comp_data_t, dwarf_extractor_handle_t};
use crate::ffi::{context, guard, guard_held, opt_str};
use crate::shared::wasm_module_t;
use crate::wasm_export::loaded;
use isothread::{Context, Error, Result};
use std::ffi::{c_char, c_void};
use std::ptr::null_mut;

/// Gives out a value that was made in a context, whose memory it takes; NULL with the thread's last
/// error if that failed, or memory ran out.
pub(super) fn give<T>(context: &Context, make: impl FnOnce() -> Result<T>) -> *mut T {
    let made = context::within(context, || make().map(|value| Box::into_raw(Box::new(value))));
    match made {
        Ok(Ok(place)) => place,
        Ok(Err(failed)) | Err(failed) => {
            error::set(format_args!("{}", failed.message()));
            null_mut()
        }
    }
}

/// Takes a value back.
///
/// # Safety
/// `place` is NULL or from [`give`], and not used afterwards.
pub(super) unsafe fn end<T>(place: *mut T) {
    if !place.is_null() {
        // SAFETY: from `give`, as the caller guarantees, which has leaked the box.
        drop(unsafe { Box::from_raw(place) });
    }
}

#[cold]
pub(super) fn null(what: &str) {
    error::set(format_args!("{what} is NULL"));
}

/// Prepares the compilation of a module, a `wasm_module_t`. `target_arch` is the kind of machine:
/// "x86_64", or NULL for this machine; `gc_enabled` is accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aot_create_comp_data(
    wasm_module: *mut c_void,
    target_arch: *const c_char,
    gc_enabled: bool,
) -> aot_comp_data_t {
    let _ = gc_enabled;
    guard_held(|| {
        // SAFETY: the C contracts of handles and strings.
        let (module, arch) =
            unsafe { (loaded::module(wasm_module as wasm_module_t), opt_str(target_arch)) };
        let Some(module) = module else {
            null("the module");
            return null_mut();
        };
        let module = &module.module;
        give(module.context(), || {
            let arch = arch.map(isothread::try_string).transpose()?.map(String::into_boxed_str);
            Ok(AOTCompData { module: module.clone(), arch })
        })
    })
}

/// Destroys what `aot_create_comp_data` has made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aot_destroy_comp_data(comp_data: aot_comp_data_t) {
    // SAFETY: NULL or from `aot_create_comp_data`, by the C contract.
    guard_held(|| unsafe { end(comp_data) })
}

/// Fails: the compiler writes no debugging information.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn create_dwarf_extractor(
    comp_data: aot_comp_data_t,
    file_name: *mut c_char,
) -> dwarf_extractor_handle_t {
    let _ = (comp_data, file_name);
    guard(|| {
        let failed = Error::load("debugging information is not written");
        error::set(format_args!("{}", failed.message()));
        null_mut()
    })
}
