/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The runtime's C API.
 * Generated from c-api/src by c-api/gen; edit those, not this file.
 *
 * Rules that hold for every function, unless its comment says otherwise:
 *
 * - Handles. A module, an instance, an execution environment belongs to the runtime context it was
 *   made in and keeps that context alive. A call with a handle runs in the handle's context, on any
 *   thread. A call without a handle runs in the calling thread's context: that of the guest code
 *   that called it, else the thread's own (wasm_runtime_full_init), else the process's first.
 * - NULL. A NULL handle or a NULL pointer to a required argument is an error: the function
 *   returns false, NULL or 0 and does nothing. Destroying NULL does nothing.
 * - Errors. Functions with error_buf put a message there, cut to error_buf_size and terminated;
 *   error_buf may be NULL.
 * - Threads. A context may be used by several threads. One execution environment is used by one
 *   thread at a time, and an instance is taken apart by one thread when no other uses it.
 * - Ownership. An object that a function makes or loads is the caller's, who gives it back to the
 *   function that its comment names. Every other handle, string and array that is returned belongs
 *   to the handle that was passed in and goes with it. Strings and arrays passed in are copied, or
 *   only read during the call.
 */

#ifndef _WASM_EXPORT_H
#define _WASM_EXPORT_H

#include <stdbool.h>
#include <stdint.h>
#include "lib_export.h"

#ifndef WASM_RUNTIME_API_EXTERN
#if defined(_MSC_BUILD)
#if defined(COMPILING_WASM_RUNTIME_API)
#define WASM_RUNTIME_API_EXTERN __declspec(dllexport)
#else
#define WASM_RUNTIME_API_EXTERN __declspec(dllimport)
#endif
#elif defined(__GNUC__) || defined(__clang__)
#define WASM_RUNTIME_API_EXTERN __attribute__((visibility("default")))
#else
#define WASM_RUNTIME_API_EXTERN
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Short names for use inside native functions; those without one of their own take the instance
   from a variable called module_inst. */
#define get_module_inst(exec_env) wasm_runtime_get_module_inst(exec_env)
#define validate_app_addr(offset, size) wasm_runtime_validate_app_addr(module_inst, offset, size)
#define validate_app_str_addr(offset) wasm_runtime_validate_app_str_addr(module_inst, offset)
#define addr_app_to_native(offset) wasm_runtime_addr_app_to_native(module_inst, offset)
#define addr_native_to_app(ptr) wasm_runtime_addr_native_to_app(module_inst, ptr)
#define module_malloc(size, p_native_addr) \
    wasm_runtime_module_malloc(module_inst, size, p_native_addr)
#define module_free(offset) wasm_runtime_module_free(module_inst, offset)

/* For raw native functions, whose arguments come as one 64-bit slot each. */
#define native_raw_return_type(type, args) type *raw_ret = (type *)(args)
#define native_raw_get_arg(type, name, args) type name = *((type *)(args++))
#define native_raw_set_return(val) *raw_ret = (val)

/* ---- Types ---- */

#ifndef WASM_MODULE_T_DEFINED
#define WASM_MODULE_T_DEFINED
@tag WASMModuleCommon

@type wasm_module_t
#endif

@type wasm_import_export_kind_t

@tag WASMFuncType

@type wasm_func_type_t

@tag WASMTableType

@type wasm_table_type_t

@tag WASMGlobalType

@type wasm_global_type_t

#ifndef WASM_MEMORY_T_DEFINED
#define WASM_MEMORY_T_DEFINED
@tag WASMMemory

@type WASMMemoryType
#endif

@type wasm_memory_type_t

@type wasm_import_t

@type wasm_export_t

@tag WASMModuleInstanceCommon

@type wasm_module_inst_t

@type WASMFunctionInstanceCommon

@type wasm_function_inst_t

@tag WASMMemoryInstance

@type wasm_memory_inst_t

@tag wasm_frame_t

@type WASMCApiFrame

@type wasm_section_t

@type aot_section_t

@type wasm_section_list_t

@type aot_section_list_t

@tag WASMExecEnv

@type wasm_exec_env_t

@tag WASMSharedHeap

@type wasm_shared_heap_t

@type package_type_t

#ifndef MEM_ALLOC_OPTION_DEFINED
#define MEM_ALLOC_OPTION_DEFINED
@type mem_alloc_type_t

@type mem_alloc_usage_t

@type MemAllocOption
#endif

@type mem_alloc_info_t

@type RunningMode

@type RuntimeInitArgs

#ifndef LOAD_ARGS_OPTION_DEFINED
#define LOAD_ARGS_OPTION_DEFINED
@type LoadArgs
#endif

#ifndef INSTANTIATION_ARGS_OPTION_DEFINED
#define INSTANTIATION_ARGS_OPTION_DEFINED
@type InstantiationArgs
#endif

@tag InstantiationArgs2

#ifndef WASM_VALKIND_T_DEFINED
#define WASM_VALKIND_T_DEFINED
@type wasm_valkind_t

@tag wasm_valkind_enum
#endif

#ifndef WASM_VAL_T_DEFINED
#define WASM_VAL_T_DEFINED
@tag wasm_ref_t

@type wasm_val_t
#endif

@type wasm_global_inst_t

@type wasm_table_inst_t

@type log_level_t

@type SharedHeapInitArgs

@type wasm_thread_t

@type module_reader

@type module_destroyer

@type wasm_thread_callback_t

@type enlarge_memory_error_reason_t

@type enlarge_memory_error_callback_t

/* ---- The runtime ---- */

@functions wasm_export/runtime.rs WASM_RUNTIME_API_EXTERN

/* ---- Memory of a context ---- */

@functions wasm_export/heap.rs WASM_RUNTIME_API_EXTERN

/* ---- Kinds of binaries ---- */

@functions wasm_export/package.rs WASM_RUNTIME_API_EXTERN

/* ---- Modules ---- */

@functions wasm_export/module.rs WASM_RUNTIME_API_EXTERN

/* Declared by WAMR for its build inside an SGX enclave, whose host program defines it over a hash
   of the binary that it took before loading. Not defined here, nor there in any other build: a
   loaded module does not keep the binary. */
WASM_RUNTIME_API_EXTERN char *wasm_runtime_get_module_hash(wasm_module_t module);

/* ---- Modules that import from modules ---- */

@functions wasm_export/multi_module.rs WASM_RUNTIME_API_EXTERN

/* ---- WASI ---- */

@functions wasm_export/wasi.rs WASM_RUNTIME_API_EXTERN

/* ---- Instances ---- */

@functions wasm_export/instance.rs WASM_RUNTIME_API_EXTERN

/* ---- Options of instantiation ---- */

@functions wasm_export/arguments.rs WASM_RUNTIME_API_EXTERN

/* ---- Execution environments ---- */

@functions wasm_export/exec_env.rs WASM_RUNTIME_API_EXTERN

/* ---- Calls ---- */

@functions wasm_export/call.rs WASM_RUNTIME_API_EXTERN
@variadic wasm_runtime_call_wasm_v

/* ---- Programs and functions from text to text ---- */

@functions wasm_export/application.rs WASM_RUNTIME_API_EXTERN

/* ---- Exceptions ---- */

@functions wasm_export/exception.rs WASM_RUNTIME_API_EXTERN

/* ---- Call stacks ---- */

@functions wasm_export/call_stack.rs WASM_RUNTIME_API_EXTERN

/* ---- Cost of guest code ---- */

@functions wasm_export/profiling.rs WASM_RUNTIME_API_EXTERN

/* ---- Memories of an instance ---- */

@functions wasm_export/memory.rs WASM_RUNTIME_API_EXTERN

/* ---- Guest addresses ---- */

@functions wasm_export/address.rs WASM_RUNTIME_API_EXTERN

/* ---- Shared heaps ---- */

@functions wasm_export/shared_heap.rs WASM_RUNTIME_API_EXTERN

/* ---- Exported globals and tables ---- */

@functions wasm_export/exports.rs WASM_RUNTIME_API_EXTERN

/* ---- Imports, exports and their types ---- */

@functions wasm_export/reflection.rs WASM_RUNTIME_API_EXTERN

/* ---- Native functions ---- */

@functions wasm_export/native.rs WASM_RUNTIME_API_EXTERN

/* ---- Externrefs ---- */

@functions wasm_export/externref.rs WASM_RUNTIME_API_EXTERN

/* ---- Instance contexts ---- */

@functions wasm_export/inst_context.rs WASM_RUNTIME_API_EXTERN

/* ---- Threads ---- */

@functions wasm_export/thread.rs WASM_RUNTIME_API_EXTERN

/* ---- Blocking operations ---- */

@functions wasm_export/blocking.rs WASM_RUNTIME_API_EXTERN

/* ---- Debugging ---- */

@functions wasm_export/debug.rs WASM_RUNTIME_API_EXTERN

/* ---- Profiles for optimisation ---- */

@functions wasm_export/pgo.rs WASM_RUNTIME_API_EXTERN

#ifdef __cplusplus
}
#endif

#endif /* _WASM_EXPORT_H */
