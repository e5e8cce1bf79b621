//! Guest addresses: allocating guest memory, checking addresses, converting them.
//!
//! All of it acts on memory 0 of the instance. An instance without memory fails every check.

use crate::ffi::{guard, guard_guest, handle};
use crate::shared::wasm_module_inst_t;
use std::ffi::{c_char, c_void};

/// Allocates `size` bytes of guest memory: with the guest's own `malloc` if the module exports
/// one together with `free`, else from the instance's host-managed heap. Returns the guest
/// address and stores the native one in `*p_native_addr` unless that is NULL; returns 0 and logs
/// when nothing of that size is free, and where the guest's own `malloc` would have to run while an
/// exception is pending. The native address is valid until the memory grows.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn wasm_runtime_module_malloc(
    module_inst: wasm_module_inst_t,
    size: u64,
    p_native_addr: *mut *mut c_void,
) -> u64 {
    guard_guest(|| {
        // SAFETY: the C contract of handles.
        let Some(instance) = (unsafe { handle::instance(module_inst) }) else { return 0 };
        match instance.malloc(size) {
            Some((address, native)) => {
                if !p_native_addr.is_null() {
                    // SAFETY: not NULL; the caller gives room for a pointer.
                    unsafe { p_native_addr.write(native.as_ptr().cast()) };
                }
                address
            }
            None => 0,
        }
    })
}

/// Frees a block of `wasm_runtime_module_malloc` or `wasm_runtime_module_dup_data`, also while an
/// exception is pending, which stays. 0 and addresses that are no such block are ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn wasm_runtime_module_free(
    module_inst: wasm_module_inst_t,
    ptr: u64,
) {
    guard_guest(|| {
        // SAFETY: the C contract of handles.
        if let Some(instance) = unsafe { handle::instance(module_inst) } {
            instance.free(ptr);
        }
    })
}

/// Copies `size` bytes from `src` into new guest memory and returns its guest address; 0 when
/// there is no room or `src` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn wasm_runtime_module_dup_data(
    module_inst: wasm_module_inst_t,
    src: *const c_char,
    size: u64,
) -> u64 {
    guard_guest(|| {
        // SAFETY: the C contract of handles.
        let Some(instance) = (unsafe { handle::instance(module_inst) }) else { return 0 };
        let Ok(len) = usize::try_from(size) else { return 0 };
        if src.is_null() || len > isize::MAX as usize {
            return 0;
        }
        // SAFETY: the caller promises `size` readable bytes at `src`.
        let bytes = unsafe { std::slice::from_raw_parts(src.cast::<u8>(), len) };
        instance.dup_data(bytes).unwrap_or(0)
    })
}

/// Whether `size` bytes at guest address `app_offset` lie in the guest's memory. If not, the
/// exception "out of bounds memory access" is set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_validate_app_addr(
    module_inst: wasm_module_inst_t,
    app_offset: u64,
    size: u64,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { handle::instance(module_inst) }
            .is_some_and(|instance| instance.validate_app_addr(app_offset, size))
    })
}

/// Whether a NUL-terminated string at guest address `app_str_offset` lies in the guest's memory,
/// its NUL included. If not, the exception "out of bounds memory access" is set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_validate_app_str_addr(
    module_inst: wasm_module_inst_t,
    app_str_offset: u64,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { handle::instance(module_inst) }
            .is_some_and(|instance| instance.validate_app_str_addr(app_str_offset))
    })
}

/// Whether `size` bytes at native address `native_ptr` lie in the guest's memory. If not, the
/// exception "out of bounds memory access" is set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_validate_native_addr(
    module_inst: wasm_module_inst_t,
    native_ptr: *mut c_void,
    size: u64,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { handle::instance(module_inst) }
            .is_some_and(|instance| instance.validate_native_addr(native_ptr, size))
    })
}

/// The native address of guest address `app_offset`, valid until the memory grows; NULL outside
/// the memory, without an exception. Only the one byte is checked: validate longer accesses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_addr_app_to_native(
    module_inst: wasm_module_inst_t,
    app_offset: u64,
) -> *mut c_void {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { handle::instance(module_inst) }
            .map_or(std::ptr::null_mut(), |instance| instance.addr_app_to_native(app_offset))
    })
}

/// The guest address of native address `native_ptr`; 0 when it is not in the guest's memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_addr_native_to_app(
    module_inst: wasm_module_inst_t,
    native_ptr: *mut c_void,
) -> u64 {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { handle::instance(module_inst) }
            .map_or(0, |instance| instance.addr_native_to_app(native_ptr))
    })
}

/// The guest addresses of the memory that `app_offset` lies in, from `*p_app_start_offset` up to
/// but without `*p_app_end_offset`. False, with nothing stored, outside the memory. Either
/// pointer may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_app_addr_range(
    module_inst: wasm_module_inst_t,
    app_offset: u64,
    p_app_start_offset: *mut u64,
    p_app_end_offset: *mut u64,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(instance) = (unsafe { handle::instance(module_inst) }) else { return false };
        let Some(memory) = instance.memory(0) else { return false };
        let len = memory.len_bytes() as u64;
        if app_offset >= len {
            return false;
        }
        // SAFETY: the caller gives NULL or room for a number in both.
        unsafe {
            store(p_app_start_offset, 0);
            store(p_app_end_offset, len);
        }
        true
    })
}

/// The native addresses of the memory that `native_ptr` lies in, from `*p_native_start_addr` up
/// to but without `*p_native_end_addr`, valid until it grows. False, with nothing stored, outside
/// the memory. Either pointer may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_native_addr_range(
    module_inst: wasm_module_inst_t,
    native_ptr: *mut u8,
    p_native_start_addr: *mut *mut u8,
    p_native_end_addr: *mut *mut u8,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(instance) = (unsafe { handle::instance(module_inst) }) else { return false };
        let Some(memory) = instance.memory(0) else { return false };
        let (start, len) = (memory.base_ptr(), memory.len_bytes());
        let end = start.wrapping_add(len);
        if native_ptr < start || native_ptr >= end {
            return false;
        }
        // SAFETY: the caller gives NULL or room for a pointer in both.
        unsafe {
            store(p_native_start_addr, start);
            store(p_native_end_addr, end);
        }
        true
    })
}

/// Stores a result where the caller wants one.
///
/// # Safety
/// `to` is NULL or has room for a `T`.
unsafe fn store<T>(to: *mut T, value: T) {
    if !to.is_null() {
        // SAFETY: not NULL, and the caller promises room.
        unsafe { to.write(value) };
    }
}
