//! Running a module as a program, and one function from text to text, as `iwasm` does.

use crate::ffi::{context, guard_guest, handle, opt_bytes};
use crate::shared::wasm_module_inst_t;
use isothread::context::thread;
use isothread::{Instance, try_vec};
use std::ffi::{CStr, c_char, c_int};

/// Runs the module's program: the exported `_start` if there is one, else `main`,
/// `__main_argc_argv` or `_main`, with the `argc` strings of `argv` copied into guest memory.
/// `main` takes nothing or (argc, argv), and returns nothing or an i32, which is stored as an int
/// where `argv` points if `argc` is positive.
///
/// False when there is no such function, it has another type, memory runs out, `argv` is NULL with
/// a positive `argc`, or the guest traps: the exception gives the reason. A pending exception
/// stays, and nothing runs. A guest that leaves through `proc_exit` has succeeded.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn wasm_application_execute_main(
    module_inst: wasm_module_inst_t,
    argc: i32,
    argv: *mut *mut c_char,
) -> bool {
    guard_guest(|| {
        // SAFETY: the C contract of handles.
        let Some(instance) = (unsafe { handle::instance(module_inst) }) else { return false };
        if !instance.exception_ptr().is_null() {
            return false;
        }
        // SAFETY: the caller promises `argc` strings at `argv`.
        let args = match unsafe { strings(&instance, argc, argv, CStr::to_bytes) } {
            Ok(args) => args,
            Err(exception) => {
                instance.set_exception(exception);
                return false;
            }
        };
        let Ok(code) = instance.run_main(&args) else { return false };
        if let Some(code) = code
            && !args.is_empty()
        {
            // SAFETY: `argv` has room for a pointer, which an int is not larger than.
            unsafe { argv.cast::<c_int>().write(code) };
        }
        instance.exception_ptr().is_null()
    })
}

/// The strings of `argv`, a NULL among them as an empty one; an exception's text if there is no
/// `argv` for them, or when memory runs out.
///
/// # Safety
/// `argv` is NULL or points to `argc` strings, terminated or NULL, that live during `'a`.
unsafe fn strings<'a, T>(
    instance: &Instance,
    argc: i32,
    argv: *mut *mut c_char,
    form: impl Fn(&'a CStr) -> T,
) -> Result<Vec<T>, &'static [u8]> {
    let count = usize::try_from(argc).unwrap_or(0);
    if argv.is_null() && count > 0 {
        return Err(b"invalid input argument count");
    }
    let room = context::within(&instance.context(), || try_vec(count));
    let Ok(Ok(mut strings)) = room else { return Err(b"allocate memory failed") };
    for i in 0..count {
        // SAFETY: the caller guarantees that `argv` is NULL or points to `argc` strings, terminated
        // or NULL, that live during `'a`.
        let string = unsafe { *argv.add(i) };
        // SAFETY: the caller guarantees that it is not NULL, and terminated.
        let string = if string.is_null() { c"" } else { unsafe { CStr::from_ptr(string) } };
        strings.push(form(string));
    }
    Ok(strings)
}

/// Calls the exported function `name` with arguments given as text, exactly as many as it takes,
/// and prints its results to the standard output, joined by commas, with a newline after them.
///
/// Integers are read as C's `strtoul` does (any base), floats as `strtof` and `strtod` do, a NaN
/// may have `:` and its payload after it, a v128 is two integers with a backslash between them, a
/// reference is `null` or an integer.
///
/// A pending exception is cleared first. False when there is no such function, `name` is NULL, an
/// argument cannot be read, or the guest traps: the exception gives the reason and is not printed.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn wasm_application_execute_func(
    module_inst: wasm_module_inst_t,
    name: *const c_char,
    argc: i32,
    argv: *mut *mut c_char,
) -> bool {
    guard_guest(|| {
        // SAFETY: the C contracts of handles and strings.
        let (instance, name) = unsafe { (handle::instance(module_inst), opt_bytes(name)) };
        let Some(instance) = instance else { return false };
        let Some(name) = name else {
            instance.set_exception(b"lookup function failed: the name is NULL");
            return false;
        };
        // SAFETY: the caller promises `argc` strings at `argv`.
        let args = match unsafe { strings(&instance, argc, argv, |text| text) } {
            Ok(args) => args,
            Err(exception) => {
                instance.set_exception(exception);
                return false;
            }
        };
        let Ok(results) = instance.call_text(name, &args) else { return false };
        // Through C's buffer, so that it stays in order with the host's output.
        let length = c_int::try_from(results.len()).unwrap_or(c_int::MAX);
        thread::without_cancellation(|| {
            // SAFETY: the format takes a length and that many bytes at most, which are readable.
            unsafe { libc::printf(c"%.*s\n".as_ptr(), length, results.as_ptr()) }
        });
        true
    })
}
