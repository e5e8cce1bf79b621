//! Files, in memory and on disk.

use super::compile::compiled;
use super::data::null;
use super::error;
use super::types::{aot_comp_context_t, aot_comp_data_t, aot_obj_data_t};
use crate::ffi::{context, guard, guard_held, opt_bytes};
use crate::wasm_export::heap::{wasm_runtime_free, wasm_runtime_malloc};
use std::ffi::{OsStr, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::null_mut;

/// The file's bytes; the thread's last error says why there are none.
///
/// # Safety
/// `comp_ctx` is NULL or live during `'a`.
unsafe fn file_of<'a>(comp_ctx: aot_comp_context_t) -> Option<&'a [u8]> {
    // SAFETY: the caller guarantees that it is NULL or live.
    let Some(compiler) = (unsafe { comp_ctx.as_ref() }) else {
        null("the compiler");
        return None;
    };
    error::keep(compiled(compiler)).map(|file| file.bytes.as_slice())
}

/// The size of the file in bytes. `comp_ctx` and `comp_data` are not needed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aot_get_aot_file_size(
    comp_ctx: aot_comp_context_t,
    comp_data: aot_comp_data_t,
    obj_data: aot_obj_data_t,
) -> u32 {
    let _ = (comp_ctx, comp_data);
    guard(|| {
        // SAFETY: NULL or live, by the C contract.
        match unsafe { obj_data.as_ref() } {
            Some(data) => data.bytes.len() as u32,
            None => {
                null("the object data");
                0
            }
        }
    })
}

/// The file of a module that is compiled, in a buffer of the calling thread's context, to be given
/// back by `wasm_runtime_free` or `aot_destroy_aot_file`; its size is stored. `comp_data` is not
/// needed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aot_emit_aot_file_buf(
    comp_ctx: aot_comp_context_t,
    comp_data: aot_comp_data_t,
    p_aot_file_size: *mut u32,
) -> *mut u8 {
    let _ = comp_data;
    guard_held(|| {
        if p_aot_file_size.is_null() {
            null("the size's place");
            return null_mut();
        }
        // SAFETY: NULL or live, by the C contract.
        let Some(bytes) = (unsafe { file_of(comp_ctx) }) else { return null_mut() };
        let buffer = wasm_runtime_malloc(bytes.len() as u32).cast::<u8>();
        if buffer.is_null() {
            error::set(format_args!("allocate memory failed"));
            return null_mut();
        }
        // SAFETY: a block of this size that was just made, and room for a number.
        unsafe {
            buffer.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            p_aot_file_size.write(bytes.len() as u32);
        }
        buffer
    })
}

/// Stores the file in a buffer of the caller's, of at least the size that `aot_get_aot_file_size`
/// returns. `comp_ctx` and `comp_data` are not needed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aot_emit_aot_file_buf_ex(
    comp_ctx: aot_comp_context_t,
    comp_data: aot_comp_data_t,
    obj_data: aot_obj_data_t,
    aot_file_buf: *mut u8,
    aot_file_size: u32,
) -> bool {
    let _ = (comp_ctx, comp_data);
    guard(|| {
        // SAFETY: NULL or live, by the C contract.
        let Some(data) = (unsafe { obj_data.as_ref() }).filter(|_| !aot_file_buf.is_null()) else {
            null("the object data or the buffer");
            return false;
        };
        if data.bytes.len() > aot_file_size as usize {
            error::set(format_args!("the buffer is too small"));
            return false;
        }
        // SAFETY: the caller gives room for so many bytes.
        unsafe { aot_file_buf.copy_from_nonoverlapping(data.bytes.as_ptr(), data.bytes.len()) };
        true
    })
}

/// Fails: the compiler has nothing to do with LLVM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aot_emit_llvm_file(
    comp_ctx: aot_comp_context_t,
    file_name: *const c_char,
) -> bool {
    let _ = (comp_ctx, file_name);
    guard(|| {
        error::set(format_args!("emit llvm ir to file failed."));
        false
    })
}

/// Fails: the compiler makes no object files.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aot_emit_object_file(
    comp_ctx: aot_comp_context_t,
    file_name: *const c_char,
) -> bool {
    let _ = (comp_ctx, file_name);
    guard(|| {
        error::set(format_args!("object files are not made"));
        false
    })
}

/// Writes the file of a module that is compiled. It is written under another name in the same
/// folder and then renamed, so that a file of this name which is in use stays as it is for its
/// users.
/// `comp_data` is not needed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aot_emit_aot_file(
    comp_ctx: aot_comp_context_t,
    comp_data: aot_comp_data_t,
    file_name: *const c_char,
) -> bool {
    let _ = comp_data;
    guard_held(|| {
        // SAFETY: NULL or live, and the C contract of strings.
        let (compiler, name) = unsafe { (comp_ctx.as_ref(), opt_bytes(file_name)) };
        let (Some(compiler), Some(name)) = (compiler, name) else {
            null("the compiler or the file's name");
            return false;
        };
        let path = Path::new(OsStr::from_bytes(name));
        let written = compiled(compiler)
            .and_then(|file| context::within(compiler.module.context(), || file.write_to(path))?);
        error::keep(written).is_some()
    })
}

/// Gives a buffer back that `aot_emit_aot_file_buf` has made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aot_destroy_aot_file(aot_file: *mut u8) {
    // SAFETY: NULL or a buffer of the runtime's, by the C contract.
    unsafe { wasm_runtime_free(aot_file.cast()) }
}
