//! Running a module as a program, and one function from text to text, as `iwasm` does.

use super::call::wasm_runtime_call_wasm;
use super::types::wasm_module_inst_t;
use super::values::Cells;
use super::{parse, print};
use crate::ffi::{ShortText, context, guard, handle, log, opt_bytes, opt_str};
use isothread::{ExternType, Func, FuncType, Instance, RawExecEnv, ValType};
use std::ffi::{c_char, c_int};
use std::ptr::NonNull;

/// What WASI's `proc_exit` leaves as the exception; it counts as success here.
const PROC_EXIT: &str = "wasi proc exit";

/// Runs the module's program: the exported `_start` if there is one, else `main`,
/// `__main_argc_argv` or `_main`, with the `argc` strings of `argv` copied into guest memory.
/// `main` takes nothing or (argc, argv), and returns nothing or an i32, which is stored as an int
/// where `argv` points if `argc` is positive.
///
/// False when there is no such function, it has another type, memory runs out, or the guest
/// traps: the exception tells which. A guest that leaves through `proc_exit` has succeeded.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_application_execute_main(
    module_inst: wasm_module_inst_t,
    argc: i32,
    argv: *mut *mut c_char,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(instance) = (unsafe { handle::instance(module_inst) }) else { return false };
        // SAFETY: the caller promises `argc` strings at `argv`.
        match unsafe { execute_main(&instance, argc, argv) } {
            Ok(done) => done && instance.exception_ptr().is_null(),
            Err(exception) => {
                instance.set_exception(exception.as_bytes());
                false
            }
        }
    })
}

/// # Safety
/// `argv` points to `argc` terminated strings.
unsafe fn execute_main(
    instance: &Instance,
    argc: i32,
    argv: *mut *mut c_char,
) -> Result<bool, ShortText> {
    let env = instance
        .singleton_exec_env()
        .map_err(|_| ShortText::from("create singleton exec_env failed"))?;
    if let Some(start) = super::wasi::start_function(instance) {
        return Ok(run_start(instance, env, &start));
    }
    let func = ["main", "__main_argc_argv", "_main"]
        .iter()
        .find_map(|name| instance.get_func(name))
        .ok_or(
            "lookup the entry point symbol (like _start, main, _main, __main_argc_argv) failed",
        )?;
    if is_import(instance, &func) {
        return Err("lookup main function failed".into());
    }
    let ty = func.ty();
    let memory64 = instance.memory(0).is_some_and(|memory| memory.ty().memory64);
    if !is_main_type(ty, memory64) {
        log::error(format_args!("WASM execute application failed: invalid main function type.\n"));
        return Err("invalid function type of main function".into());
    }
    let mut cells = [0u32; 3];
    let mut arguments = None;
    if !ty.params().is_empty() {
        // SAFETY: passed on.
        let copied = unsafe { Arguments::copy(instance, argc, argv, memory64) };
        let copied = copied.ok_or("allocate memory failed")?;
        cells = [argc as u32, copied.array as u32, (copied.array >> 32) as u32];
        arguments = Some(copied);
    }
    let counts = Cells::of(ty);
    let function = func.as_raw().as_ptr().cast();
    // SAFETY: both handles are held here, and main's types take at most three cells.
    let ok = unsafe {
        wasm_runtime_call_wasm(env.as_ptr().cast(), function, counts.params, cells.as_mut_ptr())
    };
    if ok && counts.results > 0 && argc > 0 && !argv.is_null() {
        // SAFETY: `argv` has room for a pointer, which an int is not larger than.
        unsafe { argv.cast::<c_int>().write(cells[0] as c_int) };
    }
    if let Some(arguments) = arguments {
        instance.free(arguments.block);
    }
    Ok(ok)
}

/// Whether an exported function is one that the module imports.
fn is_import(instance: &Instance, func: &Func) -> bool {
    let module = instance.module();
    let imported = module.imports().filter(|i| matches!(i.ty, ExternType::Func(_))).count();
    (func.index() as usize) < imported
}

/// Calls `_start`. Leaving through `proc_exit` is a success.
fn run_start(instance: &Instance, env: NonNull<RawExecEnv>, start: &Func) -> bool {
    let function = start.as_raw().as_ptr().cast();
    // SAFETY: both handles are held, and a start function takes and gives nothing.
    let ok =
        unsafe { wasm_runtime_call_wasm(env.as_ptr().cast(), function, 0, std::ptr::null_mut()) };
    if !ok && instance.exception().is_some_and(|text| text.contains(PROC_EXIT)) {
        instance.clear_exception();
        return true;
    }
    ok
}

/// `() -> i32?` or `(i32, pointer) -> i32?`
fn is_main_type(ty: &FuncType, memory64: bool) -> bool {
    let pointer = if memory64 { ValType::I64 } else { ValType::I32 };
    let params = ty.params().is_empty() || *ty.params() == [ValType::I32, pointer];
    let results = ty.results().is_empty() || *ty.results() == [ValType::I32];
    params && results
}

/// A program's arguments in guest memory: the strings, then the array of pointers to them.
struct Arguments {
    /// Guest address of the whole block.
    block: u64,
    /// Guest address of the array.
    array: u64,
}

impl Arguments {
    /// # Safety
    /// `argv` points to `argc` terminated strings.
    unsafe fn copy(
        instance: &Instance,
        argc: i32,
        argv: *mut *mut c_char,
        memory64: bool,
    ) -> Option<Self> {
        let count = if argv.is_null() { 0 } else { usize::try_from(argc).unwrap_or(0) };
        let pointer_bytes = if memory64 { 8 } else { 4 };
        // SAFETY: passed on.
        let text = |i: usize| unsafe { opt_bytes(*argv.add(i)) }.unwrap_or_default();
        let mut strings = 0u64;
        for i in 0..count {
            strings = strings.checked_add(text(i).len() as u64 + 1)?;
        }
        let strings = strings.checked_next_multiple_of(pointer_bytes)?;
        let total = strings.checked_add(pointer_bytes.checked_mul(count as u64)?)?;
        if total >= u64::from(u32::MAX) {
            return None;
        }
        let (block, native) = instance.malloc(total)?;
        let mut at = 0;
        for i in 0..count {
            let bytes = text(i);
            let address = (block + at as u64).to_le_bytes();
            // SAFETY: `malloc` gave `total` bytes, and the sums above say that the strings end
            // before `strings` and the array ends at `total`.
            unsafe {
                let to = native.as_ptr().add(at);
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
                to.add(bytes.len()).write(0);
                let slot = native.as_ptr().add(strings as usize + i * pointer_bytes as usize);
                std::ptr::copy_nonoverlapping(address.as_ptr(), slot, pointer_bytes as usize);
            }
            at += bytes.len() + 1;
        }
        Some(Self { block, array: block + strings })
    }
}

/// Calls the exported function `name` with arguments given as text, exactly as many as it takes,
/// and prints its results to the standard output, joined by commas, with a newline after them.
///
/// Integers are read as C's `strtoul` does (any base), floats as `strtof` and `strtod` do, a NaN
/// may have `:` and its payload after it, a v128 is two integers with a backslash between them, a
/// reference is `null` or an integer.
///
/// A pending exception is cleared first. False when there is no such function, an argument cannot
/// be read, or the guest traps: the exception tells which and is not printed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_application_execute_func(
    module_inst: wasm_module_inst_t,
    name: *const c_char,
    argc: i32,
    argv: *mut *mut c_char,
) -> bool {
    guard(|| {
        // SAFETY: the C contracts of handles and strings.
        let (instance, text) = unsafe { (handle::instance(module_inst), opt_bytes(name)) };
        let (Some(instance), Some(text)) = (instance, text) else { return false };
        // SAFETY: the C contract of strings.
        let found = unsafe { opt_str(name) }.and_then(|name| instance.get_func(name));
        let done = found
            .ok_or_else(|| ShortText::from("lookup function ").with(text).with(b" failed"))
            // SAFETY: the caller promises `argc` strings at `argv`.
            .and_then(|func| unsafe { execute_func(&instance, &func, argc, argv) });
        done.unwrap_or_else(|exception| {
            instance.set_exception(exception.as_bytes());
            false
        })
    })
}

/// # Safety
/// `argv` points to `argc` terminated strings.
unsafe fn execute_func(
    instance: &Instance,
    func: &Func,
    argc: i32,
    argv: *mut *mut c_char,
) -> Result<bool, ShortText> {
    let ty = func.ty();
    if usize::try_from(argc).ok() != Some(ty.params().len()) || (argc > 0 && argv.is_null()) {
        return Err("invalid input argument count".into());
    }
    let env = instance
        .singleton_exec_env()
        .map_err(|_| ShortText::from("create singleton exec_env failed"))?;
    let counts = Cells::of(ty);
    let needed = counts.most().max(2) as usize;
    // With room for everything that is pushed below, so that it does not grow elsewhere.
    let mut cells = context::within(&instance.context(), || Vec::with_capacity(needed))
        .map_err(|_| ShortText::from("allocate memory failed"))?;
    for (i, param) in ty.params().iter().enumerate() {
        // SAFETY: passed on; there are as many strings as parameters.
        let text = unsafe { *argv.add(i) };
        // SAFETY: passed on.
        let parsed = unsafe { parse::argument(text, *param, &mut cells) };
        parsed.map_err(|unread| match unread {
            parse::Unread::Empty => ShortText::new(format_args!("invalid input argument {i}")),
            parse::Unread::Tail => {
                // SAFETY: passed on.
                let text = unsafe { opt_bytes(text) }.unwrap_or_default();
                ShortText::new(format_args!("invalid input argument {i}: ")).with(text)
            }
        })?;
    }
    cells.resize(needed, 0);
    instance.clear_exception();
    let function = func.as_raw().as_ptr().cast();
    // SAFETY: both handles are held here; the cells hold the parameters and have room for the
    // results.
    let ok = unsafe {
        wasm_runtime_call_wasm(env.as_ptr().cast(), function, counts.params, cells.as_mut_ptr())
    };
    if ok {
        print::results(ty.results(), &cells);
    }
    Ok(ok)
}
