//! Functions as objects, and calling them.

use super::defined_types::handle;
use super::objects::{in_context, read, to_c};
use super::structs::type_index;
use super::types::wasm_func_obj_t;
use crate::ffi;
use crate::ffi::guard;
use crate::shared::{wasm_exec_env_t, wasm_function_inst_t, wasm_val_t};
use crate::wasm_export::call::{wasm_runtime_call_wasm, wasm_runtime_call_wasm_a};
use crate::wasm_export::types::wasm_func_type_t;
use isothread::{RawRef, Val};
use std::ptr::{null_mut, with_exposed_provenance_mut};

/// The function with index `func_idx_bound` of the environment's instance, if it is of the type
/// with index `type_idx` in the instance's module or of a subtype of it. Nothing is made: a
/// function is an object as long as its instance lives, and needs nothing to stay. NULL for other
/// functions, and for those that the module neither imports, nor exports, nor takes a reference of.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_obj_new_with_typeidx(
    exec_env: wasm_exec_env_t,
    type_idx: u32,
    func_idx_bound: u32,
) -> wasm_func_obj_t {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(env) = (unsafe { ffi::handle::exec_env(exec_env) }) else { return null_mut() };
        let instance = env.instance();
        let Some(func) = instance.func(func_idx_bound) else { return null_mut() };
        let Val::FuncRef(func) = func.to_val() else { return null_mut() };
        let reference = RawRef::from(func);
        let RawRef::Func(address) = reference else { return null_mut() };
        match instance.context().func_is_of(address, &instance.module(), type_idx) {
            true => to_c(reference),
            false => null_mut(),
        }
    })
}

/// As `wasm_func_obj_new_with_typeidx`, with the type itself, which is one of the module of the
/// environment's instance.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_obj_new_with_type(
    exec_env: wasm_exec_env_t,
    r#type: wasm_func_type_t,
    func_idx_bound: u32,
) -> wasm_func_obj_t {
    guard(|| {
        // SAFETY: the C contracts of handles and types.
        unsafe {
            type_index(exec_env, r#type).map_or(null_mut(), |index| {
                wasm_func_obj_new_with_typeidx(exec_env, index, func_idx_bound)
            })
        }
    })
}

/// The index of the function in the module that defines it, or that imports it from the host.
/// 0xFFFFFFFF without a function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_obj_get_func_idx_bound(func_obj: wasm_func_obj_t) -> u32 {
    guard(|| {
        let RawRef::Func(address) = read(func_obj) else { return u32::MAX };
        in_context(|context| context.with_func_at(address, |index, _| index)).unwrap_or(u32::MAX)
    })
}

/// The function's type, which belongs to the module that defines it. NULL without a function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_obj_get_func_type(
    func_obj: wasm_func_obj_t,
) -> wasm_func_type_t {
    guard(|| {
        let RawRef::Func(address) = read(func_obj) else { return null_mut() };
        in_context(|context| context.with_func_at(address, |_, ty| handle(ty)))
            .unwrap_or(null_mut())
    })
}

/// The handle of a function of the environment's instance, or of one that it is linked to; NULL for
/// others.
///
/// # Safety
/// `exec_env` is NULL or live.
unsafe fn function(exec_env: wasm_exec_env_t, func_obj: wasm_func_obj_t) -> wasm_function_inst_t {
    guard(|| {
        // SAFETY: the caller guarantees that it is NULL or live.
        let Some(env) = (unsafe { ffi::handle::exec_env(exec_env) }) else { return null_mut() };
        let reference = read(func_obj);
        match (env.instance().linked_func(reference), reference) {
            (Some(_), RawRef::Func(address)) => with_exposed_provenance_mut(address),
            _ => null_mut(),
        }
    })
}

/// Calls a function as `wasm_runtime_call_wasm` does. An object that is no function of the
/// environment's instance, nor of one that it is linked to, is the exception "unknown function".
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn wasm_runtime_call_func_ref(
    exec_env: wasm_exec_env_t,
    func_obj: wasm_func_obj_t,
    argc: u32,
    argv: *mut u32,
) -> bool {
    // SAFETY: the C contract is the same; a function of the link set lives with the environment.
    unsafe { wasm_runtime_call_wasm(exec_env, function(exec_env, func_obj), argc, argv) }
}

/// Calls a function as `wasm_runtime_call_wasm_a` does; otherwise as `wasm_runtime_call_func_ref`.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn wasm_runtime_call_func_ref_a(
    exec_env: wasm_exec_env_t,
    func_obj: wasm_func_obj_t,
    num_results: u32,
    results: *mut wasm_val_t,
    num_args: u32,
    args: *mut wasm_val_t,
) -> bool {
    // SAFETY: the C contract is the same; a function of the link set lives with the environment.
    unsafe {
        let function = function(exec_env, func_obj);
        wasm_runtime_call_wasm_a(exec_env, function, num_results, results, num_args, args)
    }
}

/// Calls a function with C arguments, as `wasm_runtime_call_wasm_v` does; otherwise as
/// `wasm_runtime_call_func_ref`.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C-unwind" fn wasm_runtime_call_func_ref_v(
    exec_env: wasm_exec_env_t,
    func_obj: wasm_func_obj_t,
    num_results: u32,
    results: *mut wasm_val_t,
    num_args: u32,
) -> bool {
    // A jump leaves the further arguments where the caller put them.
    #[cfg(target_arch = "x86_64")]
    std::arch::naked_asm!("jmp {shim}", shim = sym shim::isothread_call_func_ref_v);
    #[cfg(any(target_arch = "aarch64", target_arch = "arm"))]
    std::arch::naked_asm!("b {shim}", shim = sym shim::isothread_call_func_ref_v);
    #[cfg(any(target_arch = "riscv32", target_arch = "riscv64"))]
    std::arch::naked_asm!("tail {shim}", shim = sym shim::isothread_call_func_ref_v);
}

/// The function of `shim/variadic.c`.
///
/// cbindgen:ignore
mod shim {
    use std::ffi::c_void;

    unsafe extern "C" {
        pub(super) fn isothread_call_func_ref_v(
            exec_env: *mut c_void,
            func_obj: *mut c_void,
            num_results: u32,
            results: *mut c_void,
            num_args: u32,
            ...
        ) -> bool;
    }
}
