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

/// The kind of binary that a module was loaded from.
///
/// # Safety
/// `module` is NULL or live.
unsafe fn package_of(module: wasm_module_t) -> Option<PackageType> {
    // SAFETY: the caller guarantees that it is NULL or live.
    unsafe { loaded::module(module) }.map(|handle| handle.module.package_type())
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
        unsafe { package_of(module) }.unwrap_or(PackageType::Unknown) as package_type_t
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
        unsafe { package_of(module) }.map_or(0, PackageType::current_version)
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

/// Whether a binary is to be laid into executable memory by the embedder before it is loaded: false
/// for all of them, because the runtime copies or maps code itself. Needs no context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_is_xip_file(buf: *const u8, size: u32) -> bool {
    let _ = (buf, size);
    false
}
