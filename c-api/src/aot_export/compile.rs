//! The compiler.

use super::data::{end, give, null};
use super::error;
use super::types::aot_output_format::AOT_FORMAT_FILE;
use super::types::{
    AOTCompContext, AOTObjectData, aot_comp_context_t, aot_comp_data_t, aot_obj_data_t,
};
use crate::aot_comp_option::{AOTCompOption, aot_comp_option_t};
use crate::ffi::{guard, guard_held, opt_bytes};
use isothread::{AheadFile, AheadOptions, AheadTarget, Error, Result, try_copy};
use std::ffi::c_char;
use std::ptr::null_mut;

/// Prepares the compiler: there is nothing to do. True.
#[unsafe(no_mangle)]
pub extern "C" fn aot_compiler_init() -> bool {
    true
}

/// Nothing happens: the compiler has no state of its own.
#[unsafe(no_mangle)]
pub extern "C" fn aot_compiler_destroy() {}

/// A string of the options; `None` for NULL and for the empty one.
///
/// # Safety
/// `text` is NULL or a terminated string that lives during `'a`.
unsafe fn text<'a>(text: *const c_char) -> Result<Option<&'a str>> {
    // SAFETY: the caller guarantees that `text` is NULL or a string.
    let bytes = unsafe { opt_bytes(text) }.unwrap_or_default();
    let text = std::str::from_utf8(bytes).map_err(|_| Error::misuse("the target is no text"))?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// # Safety
/// The strings of the options are NULL or terminated.
unsafe fn options(option: &AOTCompOption, arch: Option<&str>) -> Result<AheadOptions> {
    if option.output_format != AOT_FORMAT_FILE as u32 {
        return Err(Error::misuse("AOT files are the only format that is made"));
    }
    // SAFETY: the caller guarantees strings.
    let target = unsafe {
        AheadTarget {
            arch: text(option.target_arch)?.or(arch),
            abi: text(option.target_abi)?,
            cpu: text(option.target_cpu)?,
            features: text(option.cpu_features)?,
        }
    };
    Ok(AheadOptions {
        opt_level: option.opt_level,
        size_level: option.size_level,
        processor: target.processor()?,
    })
}

/// Prepares the compiler for a module, with options, which are copied as far as they matter. Fails
/// for machines, processors and formats that there is no code for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aot_create_comp_context(
    comp_data: aot_comp_data_t,
    option: aot_comp_option_t,
) -> aot_comp_context_t {
    guard_held(|| {
        // SAFETY: NULL, or live and the caller's, by the C contract.
        let (data, option) = unsafe { (comp_data.as_ref(), option.as_ref()) };
        let (Some(data), Some(option)) = (data, option) else {
            null("the compile data or the options");
            return null_mut();
        };
        give(data.module.context(), || {
            // SAFETY: strings of the caller's, by the C contract.
            let options = unsafe { options(option, data.arch.as_deref()) }?;
            Ok(AOTCompContext { module: data.module.clone(), options, file: None })
        })
    })
}

/// Destroys what `aot_create_comp_context` has made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aot_destroy_comp_context(comp_ctx: aot_comp_context_t) {
    // SAFETY: NULL or from `aot_create_comp_context`, by the C contract.
    guard_held(|| unsafe { end(comp_ctx) })
}

/// Compiles the module, on a thread that ends before this returns. Functions that compiled code
/// does not support are left to the interpreter, and are no error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aot_compile_wasm(comp_ctx: aot_comp_context_t) -> bool {
    guard_held(|| {
        // SAFETY: NULL, or live and used by this call alone, by the C contract.
        let Some(compiler) = (unsafe { comp_ctx.as_mut() }) else {
            null("the compiler");
            return false;
        };
        let file = error::keep(compiler.module.compile_ahead(&compiler.options));
        compiler.file = file;
        compiler.file.is_some()
    })
}

/// Makes the content of a file for a module that is compiled.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aot_obj_data_create(comp_ctx: aot_comp_context_t) -> aot_obj_data_t {
    guard_held(|| {
        // SAFETY: NULL or live, by the C contract.
        let Some(compiler) = (unsafe { comp_ctx.as_ref() }) else {
            null("the compiler");
            return null_mut();
        };
        give(compiler.module.context(), || {
            let bytes = try_copy(&compiled(compiler)?.bytes)?;
            Ok(AOTObjectData { bytes, _module: compiler.module.clone() })
        })
    })
}

/// The file of a module that is compiled.
pub(super) fn compiled(compiler: &AOTCompContext) -> Result<&AheadFile> {
    compiler.file.as_ref().ok_or_else(|| Error::misuse("the module is not compiled"))
}

/// Destroys what `aot_obj_data_create` has made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aot_obj_data_destroy(obj_data: aot_obj_data_t) {
    // SAFETY: NULL or from `aot_obj_data_create`, by the C contract.
    guard(|| unsafe { end(obj_data) })
}
