/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Runtime contexts by name: what wasm_export.h does for the calling thread, this header does for
 * any context, on any thread. WAMR has nothing like it; programs that need no more than one
 * context for each thread need none of it.
 * Generated from c-api/src by c-api/gen; edit those, not this file.
 *
 * A context holds what wasm_runtime_full_init configures and what is registered afterwards. A
 * module, an instance, an execution environment belongs to the context it was made in and keeps
 * it alive; so does every count that wasm_runtime_ctx_create and wasm_runtime_ctx_retain give
 * out. It ends with the last of them, on whatever thread that happens.
 *
 * Rules that hold for every function, unless its comment says otherwise:
 *
 * - Ownership. Only wasm_runtime_ctx_create and wasm_runtime_ctx_retain give out a count, which
 *   wasm_runtime_ctx_release or wasm_runtime_ctx_destroy take back. Every other
 *   wasm_runtime_ctx_t that is returned is borrowed: it is good for as long as what it was asked
 *   of, or the thread's being in it, keeps the context alive.
 * - NULL. A NULL context, handle or required pointer is an error: the function returns false,
 *   NULL or 0 and does nothing. Nothing here falls back to the calling thread's context:
 *   wasm_runtime_ctx_current() says it where it is meant.
 * - Threads. Contexts belong to no thread: all of this may be called on any thread, for one
 *   context on several at a time.
 * - Structs that may grow begin with struct_size, which the caller sets to their sizeof. The
 *   library reads and writes no more than that; what a caller does not know is left as it is.
 */

#ifndef WASM_RUNTIME_CTX_H
#define WASM_RUNTIME_CTX_H

#include <stdbool.h>
#include <stdint.h>
#include "wasm_export.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Types ---- */

@tag WASMRuntimeCtx

@type wasm_runtime_ctx_t

@type wasm_runtime_ctx_limit_t

@type wasm_runtime_ctx_limits_t

@type wasm_runtime_ctx_stats_t

@type wasm_runtime_ctx_jit_options_t

@type wasm_runtime_ctx_visitor_t

@type wasm_runtime_ctx_log_callback_t

@type wasm_runtime_ctx_stdout_callback_t

/* ---- Making, keeping and naming contexts ---- */

@functions wasm_runtime_ctx/context.rs WASM_RUNTIME_API_EXTERN

/* ---- Finding contexts ---- */

@functions wasm_runtime_ctx/find.rs WASM_RUNTIME_API_EXTERN

/* ---- Which context a thread is in ---- */

@functions wasm_runtime_ctx/thread.rs WASM_RUNTIME_API_EXTERN

/* ---- Limits, counters, and stopping everything ---- */

@functions wasm_runtime_ctx/limits.rs WASM_RUNTIME_API_EXTERN

/* ---- Sharing modules between contexts ---- */

@functions wasm_runtime_ctx/import.rs WASM_RUNTIME_API_EXTERN

/* ---- Settings ---- */

@functions wasm_runtime_ctx/settings.rs WASM_RUNTIME_API_EXTERN

#ifdef __cplusplus
}
#endif

#endif /* WASM_RUNTIME_CTX_H */
