/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The table in which an embedder lists its native functions, and macros that fill it.
 * Generated from c-api/src by c-api/gen; edit those, not this file.
 */

#ifndef _LIB_EXPORT_H_
#define _LIB_EXPORT_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * One native function as the embedder offers it.
 *
 * The runtime reads such arrays where they lie and never writes to them; they must stay valid
 * until they are unregistered or the context is gone.
 */
typedef struct NativeSymbol {
    /**
     * The import's name.
     */
    const char *symbol;
    /**
     * The C function: `ret f(wasm_exec_env_t, args...)`, or
     * `void f(wasm_exec_env_t, uint64_t *args)` when registered as raw.
     */
    void *func_ptr;
    /**
     * Parameter and result letters such as `"(i*~)i"`; NULL or empty is unchecked.
     */
    const char *signature;
    /**
     * The result of `wasm_runtime_get_function_attachment` inside the function.
     */
    void *attachment;
} NativeSymbol;

/*
 * Initialisers of one NativeSymbol. The name is that of the C function; with a 2 at the end, the
 * C function is called NAME_wrapper. SIG adds a signature, ATT a signature and an attachment.
 */
#define EXPORT_WASM_API(symbol) \
    { #symbol, (void *)symbol, NULL, NULL }
#define EXPORT_WASM_API2(symbol) \
    { #symbol, (void *)symbol##_wrapper, NULL, NULL }
#define EXPORT_WASM_API_WITH_SIG(symbol, signature) \
    { #symbol, (void *)symbol, signature, NULL }
#define EXPORT_WASM_API_WITH_SIG2(symbol, signature) \
    { #symbol, (void *)symbol##_wrapper, signature, NULL }
#define EXPORT_WASM_API_WITH_ATT(symbol, signature, attachment) \
    { #symbol, (void *)symbol, signature, attachment }
#define EXPORT_WASM_API_WITH_ATT2(symbol, signature, attachment) \
    { #symbol, (void *)symbol##_wrapper, signature, attachment }

/*
 * For the embedder to define, if its build asks for a base library: stores the address of its
 * table and returns the table's length. The runtime neither defines nor calls it.
 */
uint32_t get_base_lib_export_apis(NativeSymbol **p_base_lib_apis);

#ifdef __cplusplus
}
#endif

#endif /* _LIB_EXPORT_H_ */
