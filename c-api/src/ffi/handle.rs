//! From handles to their objects.
//!
//! A NULL handle is `None`. Beyond that, a handle is trusted to be one that the runtime gave out
//! and that was not destroyed since. Modules are in `wasm_export::loaded`.

use crate::shared::{
    wasm_exec_env_t, wasm_function_inst_t, wasm_memory_inst_t, wasm_module_inst_t,
    wasm_runtime_ctx_t,
};
use isothread::{Context, ExecEnv, Func, FuncType, Instance, Memory, RawMemory};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

/// A borrowed handle: dropping it gives no count back.
pub(crate) type Borrowed<T> = ManuallyDrop<T>;

/// # Safety
/// `handle` is NULL or a live instance.
#[inline]
pub(crate) unsafe fn instance(handle: wasm_module_inst_t) -> Option<Borrowed<Instance>> {
    // SAFETY: the caller guarantees that it is NULL or live, and the count stays the caller's.
    NonNull::new(handle.cast()).map(|raw| ManuallyDrop::new(unsafe { Instance::from_raw(raw) }))
}

/// # Safety
/// `handle` is NULL or a live execution environment.
#[inline]
pub(crate) unsafe fn exec_env(handle: wasm_exec_env_t) -> Option<Borrowed<ExecEnv>> {
    // SAFETY: the caller guarantees that it is NULL or live; the environment stays the caller's.
    NonNull::new(handle.cast()).map(|raw| ManuallyDrop::new(unsafe { ExecEnv::from_raw(raw) }))
}

/// # Safety
/// `handle` is NULL or a memory of a live instance.
#[inline]
pub(crate) unsafe fn memory(handle: wasm_memory_inst_t) -> Option<Memory> {
    // SAFETY: the caller guarantees that it is live.
    NonNull::new(handle.cast::<RawMemory>()).map(|raw| unsafe { Memory::from_raw(raw) })
}

/// # Safety
/// `handle` is NULL or a function of an instance that lives as long as the result is used.
#[inline]
pub(crate) unsafe fn func_type<'a>(handle: wasm_function_inst_t) -> Option<&'a FuncType> {
    // SAFETY: the caller guarantees that it is live.
    NonNull::new(handle.cast()).map(|raw| unsafe { Func::ty_of_raw(raw) })
}

/// # Safety
/// `handle` is NULL or a live context.
#[inline]
pub(crate) unsafe fn context(handle: wasm_runtime_ctx_t) -> Option<Borrowed<Context>> {
    // SAFETY: the caller guarantees that the handle is NULL or live; `ManuallyDrop` gives no count
    // away.
    unsafe { take_context(handle) }.map(ManuallyDrop::new)
}

/// # Safety
/// `handle` is NULL or a live context, of which the caller owns a count and gives it up.
pub(crate) unsafe fn take_context(handle: wasm_runtime_ctx_t) -> Option<Context> {
    // SAFETY: the caller guarantees that `handle` is NULL or a live context, of which the caller
    // owns a count and gives it up; handles come from `give_context` and `lend_context`.
    unsafe { Context::from_raw(handle.cast_const().cast()) }
}

/// A handle with a count, for the embedder.
pub(crate) fn give_context(context: Context) -> wasm_runtime_ctx_t {
    context.into_raw().cast_mut().cast()
}

/// A handle without a count.
pub(crate) fn lend_context(context: &Context) -> wasm_runtime_ctx_t {
    context.as_raw().cast_mut().cast()
}
