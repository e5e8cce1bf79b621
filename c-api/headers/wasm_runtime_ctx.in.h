/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Handles of runtime contexts: the operations of wasm_export.h on the calling thread's context, for
 * any context, on any thread. WAMR has nothing like it. Programs with one context for each thread
 * need it only for limits and counters. Generated from c-api/src by c-api/gen; edit those, not this
 * file.
 *
 * A context holds the configuration of wasm_runtime_full_init and all later registrations. A
 * module, an instance, an execution environment belongs to the context it was made in and keeps it
 * alive; so does every count that wasm_runtime_ctx_create and wasm_runtime_ctx_retain give out. It
 * ends with the last of them, on that thread.
 *
 * Rules that hold for every function, unless its comment says otherwise:
 *
 * - Ownership. Only wasm_runtime_ctx_create and wasm_runtime_ctx_retain give out a count, which
 *   wasm_runtime_ctx_release or wasm_runtime_ctx_destroy take back. Every other
 *   wasm_runtime_ctx_t that is returned is borrowed: it is valid as long as something else keeps
 *   the context alive, such as the module it was asked of, or the thread that is in it.
 * - NULL. A NULL context, handle or required pointer is an error: the function returns false,
 *   NULL or 0 and does nothing. NULL never stands for the calling thread's context; pass
 *   wasm_runtime_ctx_current() for that.
 * - Threads. Contexts belong to no thread: every function may be called on any thread, and on
 *   several at a time for one context.
 * - Structs that may grow begin with struct_size, which the caller sets to their sizeof. The
 *   library reads and writes no more than that.
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
