//! Looking functions up and calling them.

use super::values::{self, Cells};
use crate::ffi::{ErrorValue, context, guard, guard_guest, handle, log, opt_str};
use crate::shared::{
    wasm_exec_env_t, wasm_function_inst_t, wasm_module_inst_t, wasm_val_t, wasm_valkind_t,
};
use isothread::context::thread;
use isothread::try_filled;
use isothread::{Func, FuncType, RawExecEnv, RawFunc, ValType};
use std::ffi::c_char;
use std::ptr::NonNull;

/// The function that the instance exports under `name`; NULL when there is none. The handle
/// belongs to the instance; looking up again gives the same one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_lookup_function(
    module_inst: wasm_module_inst_t,
    name: *const c_char,
) -> wasm_function_inst_t {
    guard(|| {
        // SAFETY: the C contracts of handles and strings.
        let parts = unsafe { (handle::instance(module_inst), opt_str(name)) };
        let (Some(instance), Some(name)) = parts else { return std::ptr::null_mut() };
        instance.get_func(name).map_or(std::ptr::null_mut(), |f| f.as_raw().as_ptr().cast())
    })
}

/// How many parameters the function has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_get_param_count(
    func_inst: wasm_function_inst_t,
    module_inst: wasm_module_inst_t,
) -> u32 {
    let _ = module_inst;
    // SAFETY: the C contract of handles.
    guard(|| unsafe { with_type(func_inst, |ty| ty.params().len() as u32) })
}

/// How many results the function has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_get_result_count(
    func_inst: wasm_function_inst_t,
    module_inst: wasm_module_inst_t,
) -> u32 {
    let _ = module_inst;
    // SAFETY: the C contract of handles.
    guard(|| unsafe { with_type(func_inst, |ty| ty.results().len() as u32) })
}

/// Stores the kinds of the function's parameters; `param_types` has room for as many as
/// `wasm_func_get_param_count` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_get_param_types(
    func_inst: wasm_function_inst_t,
    module_inst: wasm_module_inst_t,
    param_types: *mut wasm_valkind_t,
) {
    let _ = module_inst;
    // SAFETY: the C contract of handles, and of the array.
    guard(|| unsafe { with_type(func_inst, |ty| store_kinds(ty.params(), param_types)) })
}

/// Stores the kinds of the function's results; `result_types` has room for as many as
/// `wasm_func_get_result_count` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_get_result_types(
    func_inst: wasm_function_inst_t,
    module_inst: wasm_module_inst_t,
    result_types: *mut wasm_valkind_t,
) {
    let _ = module_inst;
    // SAFETY: the C contract of handles, and of the array.
    guard(|| unsafe { with_type(func_inst, |ty| store_kinds(ty.results(), result_types)) })
}

/// # Safety
/// `func` is NULL or a live function.
unsafe fn with_type<R: ErrorValue>(
    func: wasm_function_inst_t,
    read: impl FnOnce(&FuncType) -> R,
) -> R {
    // SAFETY: the caller guarantees that `func` is NULL or live.
    match unsafe { handle::func_type(func) } {
        Some(ty) => read(ty),
        None => R::ERROR,
    }
}

fn store_kinds(types: &[ValType], to: *mut wasm_valkind_t) {
    if to.is_null() {
        return;
    }
    for (i, ty) in types.iter().enumerate() {
        // SAFETY: the caller gives room for as many kinds as there are types.
        unsafe { to.add(i).write(values::kind_of(*ty)) };
    }
}

/// Calls a function with 32-bit cells. `argv` holds the parameters in order: one cell for i32,
/// f32 and funcref (the function's index, or 0xFFFFFFFF for null), two for i64, f64, externref
/// (the host's pointer, or all ones for null; a null result is 0), exnref (a word that a result
/// was, or 0 for null) and anyref (a `wasm_obj_t` of gc_export.h, whose `wasm_externref_obj_t` is
/// fine as an externref, too), low half first, and four for v128. The results overwrite it from the
/// first cell on, so it needs room for the larger of both. `argc` says how many cells `argv` has;
/// fewer than the parameters take are the exception "invalid argument count ...", more do not
/// matter.
///
/// False when the guest trapped; `wasm_runtime_get_exception` returns the trap. A call on an
/// instance with a pending exception fails too, runs nothing, and leaves the exception as it is. A
/// NULL environment is false with a log line and no exception.
///
/// A native function may end its thread (`pthread_exit`), which may also be cancelled there or
/// where WASI waits: the call does not return then, and its environment and instance may be used by
/// other threads.
///
/// One thread at a time may call functions of an instance, or of several that are linked to each
/// other, with any environments. While another thread is in a call, this is false with a log line,
/// and the instance's exception is left alone. A native function may call it with the environment
/// it was given.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn wasm_runtime_call_wasm(
    exec_env: wasm_exec_env_t,
    function: wasm_function_inst_t,
    argc: u32,
    argv: *mut u32,
) -> bool {
    // SAFETY: the same contract.
    let called = guard(|| unsafe { call_cells(exec_env, function, argc, argv) });
    if !called {
        // SAFETY: the body is over, and this frame owns nothing.
        unsafe { thread::go_on_unwinding() };
    }
    called
}

/// As [`call_cells`], for functions that are not as hot as the one that it is a part of.
///
/// # Safety
/// As for [`call_cells`].
#[inline(never)]
unsafe fn call_cells_apart(
    exec_env: wasm_exec_env_t,
    function: wasm_function_inst_t,
    argc: u32,
    argv: *mut u32,
) -> bool {
    // SAFETY: the caller keeps the C contracts of handles and of `argv`.
    unsafe { call_cells(exec_env, function, argc, argv) }
}

/// Calls with cells; a native's unwinding goes on later.
///
/// # Safety
/// The C contracts of handles and of `argv`.
#[inline(always)]
unsafe fn call_cells(
    exec_env: wasm_exec_env_t,
    function: wasm_function_inst_t,
    argc: u32,
    argv: *mut u32,
) -> bool {
    // SAFETY: the caller keeps the C contracts of handles and of `argv`.
    match unsafe { callable(exec_env, function, argv) } {
        // SAFETY: `callable` checked both for NULL, and `argv` if there is something in it.
        Some((env, func)) => unsafe { Func::call_cells(env, func, argc, argv) },
        None => false,
    }
}

/// The environment and the function, unless one is missing, or the cells are.
///
/// # Safety
/// Both are NULL or live.
#[inline(always)]
unsafe fn callable(
    exec_env: wasm_exec_env_t,
    function: wasm_function_inst_t,
    argv: *mut u32,
) -> Option<(NonNull<RawExecEnv>, NonNull<RawFunc>)> {
    let env = NonNull::new(exec_env.cast::<RawExecEnv>());
    let func = NonNull::new(function.cast::<RawFunc>());
    if let (Some(env), Some(func), false) = (env, func, argv.is_null()) {
        return Some((env, func));
    }
    // SAFETY: the caller guarantees that both are NULL or live.
    unsafe { callable_without(env, function) }
}

/// [`callable`] when something is NULL: reports a missing argument.
///
/// # Safety
/// As for [`callable`].
#[cold]
unsafe fn callable_without(
    env: Option<NonNull<RawExecEnv>>,
    function: wasm_function_inst_t,
) -> Option<(NonNull<RawExecEnv>, NonNull<RawFunc>)> {
    let Some(env) = env else {
        log::error(format_args!("Invalid exec env stack info."));
        return None;
    };
    // SAFETY: the caller guarantees that `function` is NULL or live.
    let exception = match unsafe { handle::func_type(function) } {
        None => &b"unknown function"[..],
        Some(ty) if Cells::of(ty).most() == 0 => {
            return NonNull::new(function.cast()).map(|func| (env, func));
        }
        Some(_) => &b"the arguments conversion is failed"[..],
    };
    // SAFETY: the caller guarantees that the exec_env is live.
    unsafe { set_exception(env.as_ptr().cast(), exception) };
    None
}

/// Sets an exception on the environment's instance, unless one is pending.
///
/// # Safety
/// `exec_env` is NULL or live.
#[cold]
unsafe fn set_exception(exec_env: wasm_exec_env_t, exception: &[u8]) {
    // SAFETY: the caller guarantees that `exec_env` is NULL or live.
    if let Some(instance) = unsafe { handle::exec_env(exec_env) }.map(|env| env.instance())
        && instance.exception_ptr().is_null()
    {
        instance.set_exception(exception);
    }
}

/// Calls a function with values. `args` holds one for each parameter; `results` has room for one
/// for each result, and their kinds are set: a funcref comes back as a WASM_I32 with the
/// function's index.
///
/// The kinds of `args` are not checked against the function's type: each value is passed with the
/// size of its own kind, so a value of another size shifts all that follow it.
///
/// A vector does not fit into a `wasm_val_t`. An argument of kind WASM_V128 has in `of.foreign` the
/// address of 16 bytes, the vector's in the order of memory. For a result that is a vector the
/// caller sets `kind` to WASM_V128 and `of.foreign` to the address of 16 bytes for it, which may be
/// those of an argument. NULL, another kind, or a vector for a parameter of another type makes the
/// call fail with an exception.
///
/// False when a number of values does not match the function (with a log line and no exception),
/// when an array that is needed is NULL (with an exception), or when the guest trapped.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn wasm_runtime_call_wasm_a(
    exec_env: wasm_exec_env_t,
    function: wasm_function_inst_t,
    num_results: u32,
    results: *mut wasm_val_t,
    num_args: u32,
    args: *mut wasm_val_t,
) -> bool {
    guard_guest(|| {
        // SAFETY: the C contract of handles.
        let Some(ty) = (unsafe { handle::func_type(function) }) else {
            // SAFETY: the same contract.
            unsafe { callable_without(NonNull::new(exec_env.cast()), function) };
            return false;
        };
        if num_results as usize != ty.results().len() {
            log::error(format_args!(
                "The result value number does not match the function declaration."
            ));
            return false;
        }
        if num_args as usize != ty.params().len() {
            log::error(format_args!(
                "The argument value number does not match the function declaration."
            ));
            return false;
        }
        let missing = if num_args > 0 && args.is_null() {
            Some(&b"the arguments conversion is failed"[..])
        } else if num_results > 0 && results.is_null() {
            Some(&b"the result conversion is failed"[..])
        } else {
            None
        };
        if let Some(exception) = missing {
            // SAFETY: NULL or live, by the C contract of handles.
            unsafe { set_exception(exec_env, exception) };
            return false;
        }
        // SAFETY: the caller promises the counts, which match; empty arrays may be NULL.
        let (args, results) = unsafe { (array(args, num_args), array_mut(results, num_results)) };
        // SAFETY: the C contract of handles.
        unsafe { call_with_values(exec_env, function, ty, results, args) }
    })
}

/// # Safety
/// Both handles are NULL or live, and `ty` is the function's type.
unsafe fn call_with_values(
    exec_env: wasm_exec_env_t,
    function: wasm_function_inst_t,
    ty: &FuncType,
    results: &mut [wasm_val_t],
    args: &[wasm_val_t],
) -> bool {
    // Only a parameter that is a vector says that the caller has put an address there.
    let is_fit = |(value, &ty): (&wasm_val_t, _)| match values::cells_of_kind(value.kind) {
        0 => false,
        4 => ty == ValType::V128 && values::vector_of(value).is_some(),
        _ => true,
    };
    // A `wasm_val_t` has no room for a vector, so that the caller provides it.
    let has_room = |(&ty, result)| ty != ValType::V128 || values::vector_of(result).is_some();
    let unfit = if !args.iter().zip(ty.params()).all(is_fit) {
        Some(&b"the arguments conversion is failed"[..])
    } else if !ty.results().iter().zip(&*results).all(has_room) {
        Some(&b"the result conversion is failed"[..])
    } else {
        None
    };
    if let Some(exception) = unfit {
        // SAFETY: the caller guarantees that `exec_env` is NULL or live.
        unsafe { set_exception(exec_env, exception) };
        return false;
    }
    let counts = Cells::of(ty);
    // Values are packed by their own kinds, which may take more cells than the type says.
    let packed: u32 = args.iter().map(|arg| values::cells_of_kind(arg.kind)).sum();
    let needed = counts.most().max(packed).max(2) as usize;
    let mut inline = [0u32; 32];
    let mut spilled;
    let cells: &mut [u32] = if needed <= inline.len() {
        &mut inline
    } else {
        // SAFETY: the caller guarantees that `exec_env` is NULL or live.
        match unsafe { spill(exec_env, needed) } {
            Some(cells) => {
                spilled = cells;
                &mut spilled
            }
            None => return false,
        }
    };
    // SAFETY: the caller promises the addresses of vectors, none of which is NULL.
    unsafe { values::pack(args, cells) };
    let argc = cells.len() as u32;
    // SAFETY: the caller guarantees that both handles are NULL or live; the cells are at least as
    // many as the function reads and writes.
    let ok = unsafe { call_cells_apart(exec_env, function, argc, cells.as_mut_ptr()) };
    if ok {
        // SAFETY: the caller promises the addresses of vectors, none of which is NULL.
        unsafe { values::unpack(ty.results(), cells, results) };
    }
    ok
}

/// Cells from the environment's context, for calls with many; an exception without memory.
///
/// # Safety
/// `exec_env` is NULL or live.
#[cold]
unsafe fn spill(exec_env: wasm_exec_env_t, count: usize) -> Option<Vec<u32>> {
    // SAFETY: the caller guarantees that `exec_env` is NULL or live.
    let instance = unsafe { handle::exec_env(exec_env) }?.instance();
    let cells = context::within(&instance.context(), || try_filled(count, 0));
    let cells = cells.and_then(|cells| cells.map_err(isothread::Error::from));
    cells.inspect_err(|e| instance.set_exception(e.message().as_bytes())).ok()
}

/// Calls a function with C arguments, which are read as the function's type says: an i32 or a
/// funcref as `uint32_t`, an i64 as `uint64_t`, an f32 and an f64 as `double`, an externref as
/// `uintptr_t`. Otherwise like `wasm_runtime_call_wasm_a`.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C-unwind" fn wasm_runtime_call_wasm_v(
    exec_env: wasm_exec_env_t,
    function: wasm_function_inst_t,
    num_results: u32,
    results: *mut wasm_val_t,
    num_args: u32,
) -> bool {
    // A jump leaves the further arguments where the caller put them. The symbol is defined here
    // because a shared library exports only symbols that Rust defines.
    #[cfg(target_arch = "x86_64")]
    std::arch::naked_asm!("jmp {shim}", shim = sym shim::isothread_call_wasm_v);
    #[cfg(any(target_arch = "aarch64", target_arch = "arm"))]
    std::arch::naked_asm!("b {shim}", shim = sym shim::isothread_call_wasm_v);
    #[cfg(any(target_arch = "riscv32", target_arch = "riscv64"))]
    std::arch::naked_asm!("tail {shim}", shim = sym shim::isothread_call_wasm_v);
}

/// The function of `shim/variadic.c`.
///
/// cbindgen:ignore
mod shim {
    use std::ffi::c_void;

    unsafe extern "C" {
        pub(super) fn isothread_call_wasm_v(
            exec_env: *mut c_void,
            function: *mut c_void,
            num_results: u32,
            results: *mut c_void,
            num_args: u32,
            ...
        ) -> bool;
    }
}

/// Calls the function at `element_index` of the instance's first table, with cells as
/// `wasm_runtime_call_wasm` has them; the function's type is not checked. For use in native
/// functions. False when the guest trapped, when an exception is pending, which stays, or with the
/// exceptions "unknown table", "undefined element" beyond the table's end, "uninitialized element".
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn wasm_runtime_call_indirect(
    exec_env: wasm_exec_env_t,
    element_index: u32,
    argc: u32,
    argv: *mut u32,
) -> bool {
    guard_guest(|| {
        // SAFETY: the C contract of handles.
        let Some(env) = (unsafe { handle::exec_env(exec_env) }) else {
            log::error(format_args!("Invalid exec env stack info."));
            return false;
        };
        let instance = env.instance();
        if !instance.exception_ptr().is_null() {
            return false;
        }
        let found = match instance.table(0) {
            None => Err(&b"unknown table"[..]),
            Some(table) if u64::from(element_index) >= table.size() => {
                Err(&b"undefined element"[..])
            }
            Some(table) => {
                table.func(u64::from(element_index)).ok_or(&b"uninitialized element"[..])
            }
        };
        match found {
            Ok(func) => {
                let function = func.as_raw().as_ptr().cast();
                // SAFETY: the function is held here; the rest is the C contract.
                unsafe { call_cells_apart(exec_env, function, argc, argv) }
            }
            Err(exception) => {
                instance.set_exception(exception);
                false
            }
        }
    })
}

/// # Safety
/// `start` points to `len` values, or `len` is 0.
unsafe fn array<'a>(start: *const wasm_val_t, len: u32) -> &'a [wasm_val_t] {
    if len == 0 {
        return &[];
    }
    // SAFETY: the caller promises as much.
    unsafe { std::slice::from_raw_parts(start, len as usize) }
}

/// # Safety
/// As for [`array`], and nothing else uses the values.
unsafe fn array_mut<'a>(start: *mut wasm_val_t, len: u32) -> &'a mut [wasm_val_t] {
    if len == 0 {
        return &mut [];
    }
    // SAFETY: the caller promises as much.
    unsafe { std::slice::from_raw_parts_mut(start, len as usize) }
}
