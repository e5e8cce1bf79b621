//! The kind of a binary, by its first bytes.

use super::integers::package_type_t;
use super::loaded;
use crate::ffi::{guard, guard_or};
use crate::shared::wasm_module_t;
use isothread::{PackageType, file_version};

/// The binary's bytes; none for NULL.
///
/// # Safety
/// `buf` is NULL or points to `size` bytes.
unsafe fn bytes<'a>(buf: *const u8, size: u32) -> &'a [u8] {
    if buf.is_null() {
        return &[];
    }
    // SAFETY: the caller promises `size` readable bytes.
    unsafe { std::slice::from_raw_parts(buf, size as usize) }
}

/// The kind of a binary, by its first four bytes. The same as `wasm_runtime_get_file_package_type`,
/// under its older name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn get_package_type(buf: *const u8, size: u32) -> package_type_t {
    // SAFETY: the same contract.
    unsafe { wasm_runtime_get_file_package_type(buf, size) }
}

/// The kind of a binary, by its first four bytes: `Package_Type_Unknown` for NULL, for less than
/// four bytes and for anything else. Needs no context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_file_package_type(
    buf: *const u8,
    size: u32,
) -> package_type_t {
    guard_or(PackageType::Unknown as package_type_t, || {
        // SAFETY: the C contract of `buf` and `size`.
        PackageType::of_bytes(unsafe { bytes(buf, size) }) as package_type_t
    })
}

/// The kind of binary that a module was loaded from; `Package_Type_Unknown` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_module_package_type(
    module: wasm_module_t,
) -> package_type_t {
    guard_or(PackageType::Unknown as package_type_t, || {
        // SAFETY: the C contract of handles.
        match unsafe { loaded::module(module) } {
            Some(_) => PackageType::Bytecode as package_type_t,
            None => PackageType::Unknown as package_type_t,
        }
    })
}

/// The version field of a binary: 0 for NULL and for less than eight bytes. Needs no context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_file_package_version(buf: *const u8, size: u32) -> u32 {
    guard(|| {
        // SAFETY: the C contract of `buf` and `size`.
        file_version(unsafe { bytes(buf, size) })
    })
}

/// The format version of the binary a module was loaded from; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_module_package_version(module: wasm_module_t) -> u32 {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { loaded::module(module) }.map_or(0, |_| PackageType::Bytecode.current_version())
    })
}

/// The format version this runtime reads; 0 for an unknown type. Needs no context.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_runtime_get_current_package_version(package_type: package_type_t) -> u32 {
    guard(|| match package_type {
        0 => PackageType::Bytecode.current_version(),
        1 => PackageType::Aot.current_version(),
        _ => 0,
    })
}

/// Whether a binary is compiled code that runs where it lies; false for WebAssembly and for NULL.
/// Needs no context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_is_xip_file(buf: *const u8, size: u32) -> bool {
    // Such files are compiled ahead of time, which this build does not read.
    let _ = (buf, size);
    false
}
