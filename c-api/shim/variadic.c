/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * wasm_runtime_call_wasm_v and wasm_runtime_call_func_ref_v: they read their arguments as the
 * function's type says and call the array form. This is C because Rust cannot define a function
 * with "..."; the exported symbols are jumps from Rust to isothread_call_wasm_v and
 * isothread_call_func_ref_v.
 */

#include <stdarg.h>
#include <stddef.h>
#include "gc_export.h"

/* Arguments that fit without asking the context for memory. */
#define INLINE_ARGS 16

bool isothread_call_wasm_v(wasm_exec_env_t exec_env, wasm_function_inst_t function,
                           uint32_t num_results, wasm_val_t *results, uint32_t num_args, ...);

/* Reads one argument, promoted as C promotes it. False for kinds that have no C argument. */
static bool read_arg(wasm_val_t *arg, wasm_valkind_t kind, va_list *list) {
    arg->kind = kind;
    arg->of.i64 = 0;
    switch (kind) {
        case WASM_I32:
        case WASM_FUNCREF:
            arg->of.i32 = va_arg(*list, int32_t);
            return true;
        case WASM_I64:
            arg->of.i64 = va_arg(*list, int64_t);
            return true;
        case WASM_F32:
            arg->of.f32 = (float)va_arg(*list, double);
            return true;
        case WASM_F64:
            arg->of.f64 = va_arg(*list, double);
            return true;
        case (wasm_valkind_t)-1:
            /* A reference that the header has no kind for, which takes as many cells. */
            arg->kind = WASM_EXTERNREF;
            arg->of.foreign = va_arg(*list, uintptr_t);
            return true;
        case WASM_EXTERNREF:
            arg->of.foreign = va_arg(*list, uintptr_t);
            return true;
        default:
            return false;
    }
}

/* Frees the block at the end of the call, which a native that ends its thread unwinds. */
static void free_block(void **block) {
    if (*block) {
        wasm_runtime_free(*block);
    }
}

bool isothread_call_wasm_v(wasm_exec_env_t exec_env, wasm_function_inst_t function,
                           uint32_t num_results, wasm_val_t *results, uint32_t num_args, ...) {
    wasm_module_inst_t inst = wasm_runtime_get_module_inst(exec_env);
    wasm_valkind_t kinds_inline[INLINE_ARGS], *kinds = kinds_inline;
    wasm_val_t args_inline[INLINE_ARGS], *args = args_inline;
    void *block __attribute__((cleanup(free_block))) = NULL;
    bool ok = true;
    va_list list;
    uint32_t i;

    if (!inst || !function || wasm_func_get_param_count(function, inst) != num_args) {
        /* The array form looks at the counts first and reports the mistake. */
        return wasm_runtime_call_wasm_a(exec_env, function, num_results, results, num_args, NULL);
    }
    if (num_args > INLINE_ARGS) {
        /* A module's function has at most 1000 parameters, so this does not overflow. */
        block = wasm_runtime_malloc(num_args * (unsigned)(sizeof *args + sizeof *kinds));
        if (!block) {
            wasm_runtime_set_exception(inst, "allocate memory failed");
            return false;
        }
        args = block;
        kinds = (wasm_valkind_t *)(args + num_args);
    }
    wasm_func_get_param_types(function, inst, kinds);
    va_start(list, num_args);
    for (i = 0; i < num_args && ok; i++) {
        ok = read_arg(&args[i], kinds[i], &list);
    }
    va_end(list);
    if (ok) {
        ok = wasm_runtime_call_wasm_a(exec_env, function, num_results, results, num_args, args);
    }
    else {
        wasm_runtime_set_exception(inst, "the arguments conversion is failed");
    }
    return ok;
}

bool isothread_call_func_ref_v(wasm_exec_env_t exec_env, wasm_func_obj_t func_obj,
                               uint32_t num_results, wasm_val_t *results, uint32_t num_args, ...);

bool isothread_call_func_ref_v(wasm_exec_env_t exec_env, wasm_func_obj_t func_obj,
                               uint32_t num_results, wasm_val_t *results, uint32_t num_args, ...) {
    wasm_module_inst_t inst = wasm_runtime_get_module_inst(exec_env);
    wasm_func_type_t type = wasm_func_obj_get_func_type(func_obj);
    wasm_val_t args_inline[INLINE_ARGS], *args = args_inline;
    void *block __attribute__((cleanup(free_block))) = NULL;
    bool ok = true;
    va_list list;
    uint32_t i;

    if (!inst || !type || wasm_func_type_get_param_count(type) != num_args) {
        /* The array form looks at the counts first and reports the mistake. */
        return wasm_runtime_call_func_ref_a(exec_env, func_obj, num_results, results, num_args,
                                            NULL);
    }
    if (num_args > INLINE_ARGS) {
        block = wasm_runtime_malloc(num_args * (unsigned)sizeof *args);
        if (!block) {
            wasm_runtime_set_exception(inst, "allocate memory failed");
            return false;
        }
        args = block;
    }
    va_start(list, num_args);
    for (i = 0; i < num_args && ok; i++) {
        ok = read_arg(&args[i], wasm_func_type_get_param_valkind(type, i), &list);
    }
    va_end(list);
    if (ok) {
        ok = wasm_runtime_call_func_ref_a(exec_env, func_obj, num_results, results, num_args, args);
    }
    else {
        wasm_runtime_set_exception(inst, "the arguments conversion is failed");
    }
    return ok;
}
