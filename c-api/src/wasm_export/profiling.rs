//! The cost of guest code: time by function, memory by owner.
//!
//! Times are there for modules that were loaded while their context measured, which
//! `wasm_runtime_ctx_set_perf_profiling` asks for.

use crate::ffi::{guard, guard_or, handle, opt_bytes};
use crate::shared::{wasm_exec_env_t, wasm_module_inst_t};
use isothread::context::log::{Output, print, print_args};
use std::ffi::c_char;
use std::fmt;

/// Prints on standard output the memory of guest code: of the module, the instance and the
/// execution environment, in bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_dump_mem_consumption(exec_env: wasm_exec_env_t) {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(env) = (unsafe { handle::exec_env(exec_env) }) else { return };
        let used = env.memory_use();
        let (module, instance, stack) = (&used.module, &used.instance, &used.exec_env);
        print_args(
            Output::C,
            format_args!(
                "Memory consumption summary (bytes):\n\
                 WASM module memory consumption, total size: {}\n\
                 \x20   module struct size: {}\n\
                 \x20   types size: {}\n\
                 \x20   imports size: {}\n\
                 \x20   funcs size: {}\n\
                 \x20   tables size: {}\n\
                 \x20   memories size: {}\n\
                 \x20   globals size: {}\n\
                 \x20   exports size: {}\n\
                 \x20   table segs size: {}\n\
                 \x20   data segs size: {}\n\
                 \x20   const strings size: {}\n\
                 \x20   custom sections size: {}\n",
                module.total(),
                module.head,
                module.types,
                module.imports,
                module.funcs,
                module.tables,
                module.memories,
                module.globals,
                module.exports,
                module.table_segments,
                module.data_segments,
                module.strings,
                module.custom_sections,
            ),
        );
        print_args(
            Output::C,
            format_args!(
                "WASM module inst memory consumption, total size: {}\n\
                 \x20   module inst struct size: {}\n\
                 \x20   memories size: {}\n\
                 \x20       app heap size: {}\n\
                 \x20   tables size: {}\n\
                 \x20   functions size: {}\n\
                 \x20   globals size: {}\n\
                 \x20   exports size: {}\n\
                 Exec env memory consumption, total size: {}\n\
                 \x20   exec env struct size: {}\n\
                 \x20   stack size: {}\n\
                 Total memory consumption of module, module inst and exec env: {}\n",
                instance.total(),
                instance.head,
                instance.memories,
                instance.app_heap,
                instance.tables,
                instance.funcs,
                instance.globals,
                instance.exports,
                stack.head + stack.stack,
                stack.head,
                stack.stack,
                module.total() + instance.total() + stack.head + stack.stack,
            ),
        );
    });
}

/// A function's name, or its number where it has none.
struct Label<'a>(Option<&'a str>, u32);

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.1),
        }
    }
}

/// Prints on standard output the cost of each function that was called: CPU time from entry to
/// return, calls that have returned, and the time of the functions it called, in milliseconds. Only
/// a heading is printed when the instance does not measure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_dump_perf_profiling(module_inst: wasm_module_inst_t) {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(instance) = (unsafe { handle::instance(module_inst) }) else { return };
        print(Output::C, "Performance profiler data:\n");
        for func in instance.profile().filter(|func| func.count > 0) {
            print_args(
                Output::C,
                format_args!(
                    "  func {}, execution time: {:.3} ms, execution count: {} times, \
                     children execution time: {:.3} ms\n",
                    Label(func.name, func.func_index),
                    func.total_ns as f64 / 1e6,
                    func.count,
                    func.children_ns as f64 / 1e6,
                ),
            );
        }
    });
}

/// The CPU time of all functions of an instance, in milliseconds; 0 when it does not measure, or
/// for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_sum_wasm_exec_time(module_inst: wasm_module_inst_t) -> f64 {
    guard_or(0.0, || {
        // SAFETY: the C contract of handles.
        unsafe { handle::instance(module_inst) }
            .map_or(0.0, |instance| instance.profile().fold(0.0, |sum, func| sum + func.own_ms()))
    })
}

/// The CPU time of one function in milliseconds, without that of the functions it called. The
/// name is an import's, the name section's, or that of an export. -1 for a name that is unknown,
/// for NULL, and when the instance does not measure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_wasm_func_exec_time(
    inst: wasm_module_inst_t,
    func_name: *const c_char,
) -> f64 {
    guard_or(-1.0, || {
        // SAFETY: the C contract of handles and strings.
        let (instance, name) = unsafe { (handle::instance(inst), opt_bytes(func_name)) };
        let (Some(instance), Some(name)) = (instance, name) else { return -1.0 };
        let mut funcs = instance.profile();
        let found = funcs.find(|func| func.name.is_some_and(|n| n.as_bytes() == name));
        found.map_or(-1.0, |func| func.own_ms())
    })
}
