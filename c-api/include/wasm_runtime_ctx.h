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

/**
 * A runtime context, behind its handles.
 */
struct WASMRuntimeCtx;

/**
 * A handle of a runtime context.
 */
typedef struct WASMRuntimeCtx *wasm_runtime_ctx_t;

/**
 * The limits that `wasm_runtime_ctx_limits_t.set` names, to be combined.
 */
typedef enum wasm_runtime_ctx_limit_t {
    WASM_RUNTIME_CTX_LIMIT_MEMORY = 1,
    WASM_RUNTIME_CTX_LIMIT_FUEL = 2,
    WASM_RUNTIME_CTX_LIMIT_TIME = 4,
    WASM_RUNTIME_CTX_LIMIT_THREADS = 8,
    WASM_RUNTIME_CTX_LIMIT_DESCRIPTORS = 16,
} wasm_runtime_ctx_limit_t;

/**
 * The limits of a context. In each field of 64 bits UINT64_MAX stands for no limit; a context
 * always has a cap on threads and on descriptors.
 */
typedef struct wasm_runtime_ctx_limits_t {
    /**
     * sizeof the struct, as the caller knows it.
     */
    uint32_t struct_size;
    /**
     * Which of the limits below are meant: a sum of `wasm_runtime_ctx_limit_t`. Those that are
     * not stay as they are.
     */
    uint32_t set;
    /**
     * Bytes of live blocks and mapped pages. Live blocks and pages stay, even beyond it.
     */
    uint64_t memory_bytes;
    /**
     * Instructions that guest code may execute from now on, on all execution environments
     * together; then it traps with "instruction limit exceeded". Translating a function at its
     * first call costs none of them, because it depends on the module's other users whether a call
     * has to translate.
     */
    uint64_t fuel;
    /**
     * A deadline, this many milliseconds from now. Guest code that still runs then, or is called
     * later, traps with "deadline exceeded": in calls, loops and waits, and while a function is
     * translated at its first call. 0 is a deadline that has passed.
     */
    uint64_t time_ms;
    /**
     * Threads that a guest may start; 0 is taken for no change.
     */
    uint32_t max_threads;
    uint32_t reserved;
    /**
     * Descriptors of the process's that guests may have open together: files, directories,
     * sockets, one for each thread that waits in WASI, and two for each name that is looked up.
     * One more fails in the guest with WASI's error 33 (EMFILE); open descriptors stay. Standard
     * streams and preopened directories are the embedder's and do not count. A new context has a
     * quarter of the process's soft limit (RLIMIT_NOFILE), at least 64, at most 4096. Each of
     * several contexts has its own limit: the embedder chooses how many they leave to the host.
     */
    uint32_t max_descriptors;
    uint32_t reserved2;
} wasm_runtime_ctx_limits_t;

/**
 * The counters of a context.
 */
typedef struct wasm_runtime_ctx_stats_t {
    /**
     * sizeof the struct, as the caller knows it.
     */
    uint32_t struct_size;
    uint32_t reserved;
    /**
     * Bytes and number of the live blocks, pages mapped for linear memories included in the
     * bytes; the most bytes there ever were.
     */
    uint64_t live_bytes;
    uint64_t peak_bytes;
    uint64_t live_blocks;
    /**
     * Live objects.
     */
    uint64_t modules;
    uint64_t instances;
    uint64_t exec_envs;
    /**
     * Threads that the runtime or a guest started in the context and that have not ended.
     */
    uint64_t threads;
    /**
     * Calls of guest functions by the host, and how many of them ended in an exception. Leaving
     * through WASI's `proc_exit` is no exception here.
     */
    uint64_t calls;
    uint64_t traps;
    /**
     * Descriptors that guests have open, counted as `max_descriptors` says, and the most that
     * there ever were at once.
     */
    uint64_t descriptors;
    uint64_t peak_descriptors;
} wasm_runtime_ctx_stats_t;

/**
 * Options of the compilers, as `RuntimeInitArgs` has them.
 */
typedef struct wasm_runtime_ctx_jit_options_t {
    /**
     * sizeof the struct, as the caller knows it.
     */
    uint32_t struct_size;
    uint32_t fast_jit_code_cache_size;
    uint32_t llvm_jit_opt_level;
    uint32_t llvm_jit_size_level;
    uint32_t segue_flags;
    /**
     * 0 or 1: as `enable_linux_perf` there.
     */
    uint32_t linux_perf;
} wasm_runtime_ctx_jit_options_t;

/**
 * Called with each context; false ends the listing.
 */
typedef bool (*wasm_runtime_ctx_visitor_t)(wasm_runtime_ctx_t ctx, void *user_data);

/**
 * Called with each message of a context: its `log_level_t` and its text, without time and line
 * end. It runs on the thread that logs, which may be any, and may call the runtime; its own
 * messages go to standard output.
 */
typedef void (*wasm_runtime_ctx_log_callback_t)(uint32_t level, const char *text, void *user_data);

/**
 * Called with the output of a context's guests through the built-in C library, in pieces of any
 * length without a NUL at their end. It runs on the guest's thread, inside the guest's call.
 */
typedef void (*wasm_runtime_ctx_stdout_callback_t)(const char *bytes, uint32_t len, void *user_data);

/* ---- Making, keeping and naming contexts ---- */

/**
 * Makes a context that no thread is in: it is used by pushing it, or by loading modules while it
 * is pushed. NULL `args` are all defaults; otherwise they are read as by `wasm_runtime_full_init`,
 * and their targets must stay as long as the context. The first context of a process is its
 * primary, made here or by `wasm_runtime_init`. The caller owns one count. NULL, with a log line,
 * for arguments that make no sense, and when memory runs out.
 */
WASM_RUNTIME_API_EXTERN
wasm_runtime_ctx_t wasm_runtime_ctx_create(const struct RuntimeInitArgs *args);

/**
 * Takes one more count of `ctx` and returns it, to keep a handle that was borrowed. NULL for NULL.
 */
WASM_RUNTIME_API_EXTERN
wasm_runtime_ctx_t wasm_runtime_ctx_retain(wasm_runtime_ctx_t ctx);

/**
 * Gives one count back. The context ends with its last count and object: the parts that its
 * modules, instances and environments need stay until then. A pool's buffer is the embedder's
 * again only when all of them are gone; `wasm_runtime_ctx_destroy` says whether they are. NULL
 * does nothing.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_ctx_release(wasm_runtime_ctx_t ctx);

/**
 * Gives one count back and closes the context, as the last `wasm_runtime_destroy` does: calls
 * without a handle no longer find it, its registrations go, and a pool's buffer is the embedder's
 * again. True if no module, instance or environment is left in it. Otherwise they stay usable, but
 * in a context with a pool they must not be touched any more. No other thread may run in the
 * context meanwhile if it has a pool.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_ctx_destroy(wasm_runtime_ctx_t ctx);

/**
 * The context's number, which no other context of the process ever has; 0 for NULL. Log lines
 * name contexts by it.
 */
WASM_RUNTIME_API_EXTERN
uint64_t wasm_runtime_ctx_get_id(wasm_runtime_ctx_t ctx);

/**
 * Gives the context a name for lists and logs; it is copied. NULL takes the name away. False for
 * a name that is not UTF-8, and when memory runs out.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_ctx_set_name(wasm_runtime_ctx_t ctx, const char *name);

/**
 * Copies the context's name to `buf`, cut to `size` bytes with its NUL, and returns the length
 * of the whole name; 0 if it has none. `buf` may be NULL if `size` is 0.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_runtime_ctx_get_name(wasm_runtime_ctx_t ctx, char *buf, uint32_t size);

/**
 * Decides whether modules that are loaded into the context from now on measure the cost of their
 * functions, for `wasm_runtime_dump_perf_profiling` and the like. That slows them down; code that
 * does not measure is not affected. False for NULL.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_ctx_set_perf_profiling(wasm_runtime_ctx_t ctx, bool measure);

/* ---- Finding contexts ---- */

/**
 * The context that calls without a handle use on this thread: inside a native function that of the
 * guest that called it, else the one pushed last, else the thread's own, else that of its parent
 * if the runtime or a guest started it, else the primary. NULL if there is none, or only a primary
 * that refuses such threads. Borrowed: if another thread may end the context meanwhile, take a
 * count with `wasm_runtime_ctx_retain`.
 */
WASM_RUNTIME_API_EXTERN
wasm_runtime_ctx_t wasm_runtime_ctx_current(void);

/**
 * The primary context: the first one that was opened while no other was open. NULL once it is
 * closed; a new primary is chosen only after all contexts are closed. Borrowed: it stays valid
 * only as long as no other thread closes it.
 */
WASM_RUNTIME_API_EXTERN
wasm_runtime_ctx_t wasm_runtime_ctx_primary(void);

/**
 * The context a module was loaded in. Borrowed from the module.
 */
WASM_RUNTIME_API_EXTERN
wasm_runtime_ctx_t wasm_runtime_ctx_of_module(wasm_module_t module);

/**
 * The context an instance was made in. Borrowed from the instance.
 */
WASM_RUNTIME_API_EXTERN
wasm_runtime_ctx_t wasm_runtime_ctx_of_instance(wasm_module_inst_t module_inst);

/**
 * The context of an execution environment. Borrowed from the environment.
 */
WASM_RUNTIME_API_EXTERN
wasm_runtime_ctx_t wasm_runtime_ctx_of_exec_env(wasm_exec_env_t exec_env);

/**
 * Calls `visit` with every open context, oldest first, until it returns false. The contexts are
 * kept alive while it runs, and no lock is held: it may do anything, also open and close
 * contexts, of which those count that were open at the start. True if every call returned true;
 * false also when memory runs out.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_ctx_foreach(wasm_runtime_ctx_visitor_t visit, void *user_data);

/* ---- Which context a thread is in ---- */

/**
 * Enters a context: calls without a handle that this thread makes use it, until it is popped.
 * Pushes nest, and one context may be pushed several times. While it is pushed it lives. A context
 * pushed inside a native function and not popped is popped when that returns. False when memory
 * runs out.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_ctx_push(wasm_runtime_ctx_t ctx);

/**
 * Leaves a context. False, and nothing changes, if `ctx` is not the one that this thread pushed
 * last and has not popped.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_ctx_pop(wasm_runtime_ctx_t ctx);

/**
 * Makes a context the calling thread's own, with one reference that `wasm_runtime_destroy` on this
 * thread takes back, as if `wasm_runtime_full_init` had made it here: for threads that share a
 * context on purpose. The thread's previous own context is let go of as by the thread's end. NULL
 * only lets go. False for a context that was closed, and when memory runs out.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_ctx_set_current(wasm_runtime_ctx_t ctx);

/**
 * Replaces the calling thread's state (its own context, the contexts that it has entered, its
 * preparation, its last error) by `state`, and returns the old one: for programs that run several
 * stacks on a thread, or move a stack between threads. A scheduler gives each stack a state of its
 * own, and swaps when it switches. NULL stands for a thread without state; a new one is made when
 * it is needed.
 *
 * `state` is NULL or was returned by this function, and is in place on no thread. A state is
 * taken out of place only while the stack that it belongs to does not run. The state that is in
 * place when a thread ends goes with the thread; one that is swapped out stays until it is
 * swapped in again or given to `wasm_runtime_ctx_thread_state_destroy`.
 */
WASM_RUNTIME_API_EXTERN
void *wasm_runtime_thread_state_swap(void *state);

/**
 * Ends a state that `wasm_runtime_thread_state_swap` returned, as its thread's end would. NULL
 * does nothing. False, and nothing happens, if a guest or a native function is still running on
 * it. It is in place on no thread, and not used afterwards.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_ctx_thread_state_destroy(void *state);

/* ---- Limits, counters, and stopping everything ---- */

/**
 * Changes the limits that `limits->set` names, at any time, also while guest code runs, which
 * sees it within 100,000 units of fuel. False, and nothing changes, for limits that are not known
 * here, and for a limit that is named but lies beyond `struct_size`.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_ctx_set_limits(wasm_runtime_ctx_t ctx,
                                 const struct wasm_runtime_ctx_limits_t *limits);

/**
 * The limits as they are now; for fuel and time, the rest. `limits->struct_size` is to be set.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_ctx_get_limits(wasm_runtime_ctx_t ctx, struct wasm_runtime_ctx_limits_t *limits);

/**
 * Reads a context's counters. Each is right by itself; with guests running they are not of one
 * moment. `stats->struct_size` is to be set.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_ctx_stats(wasm_runtime_ctx_t ctx, struct wasm_runtime_ctx_stats_t *stats);

/**
 * Stops the guest code of a context, as `wasm_runtime_terminate` of each of its instances does:
 * running calls end with "terminated by user", and so do later ones until the exception is
 * cleared. An instantiation that is under way fails with that text at the next code of a guest's
 * that it runs: a start function, a constructor, an imported module's. Any thread may call this,
 * also while instances come and go. Later instantiations are not affected.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_ctx_terminate_all(wasm_runtime_ctx_t ctx);

/* ---- Sharing modules between contexts ---- */

/**
 * Makes a module that was loaded in any context known in `ctx`: the same code, linked afresh
 * with the native functions registered in `ctx`, its instances under the limits of `ctx`.
 *
 * The caller unloads the new module with `wasm_runtime_unload`, apart from the one it was made of.
 * The two contexts do not depend on each other, and either may end first. The modules share the
 * binary and its translated code. This shared part is made by the first import of a module and
 * freed with the last module that uses it. It lies in the system's memory, for any allocators of
 * the contexts, and counts in neither of them.
 *
 * NULL on failure, with "WASM module load failed: ..." in `error_buf`.
 */
WASM_RUNTIME_API_EXTERN
wasm_module_t wasm_runtime_ctx_import_module(wasm_runtime_ctx_t ctx,
                                             wasm_module_t module,
                                             char *error_buf,
                                             uint32_t error_buf_size);

/* ---- Settings ---- */

/**
 * Sends the context's messages, those that its log level lets through, to `callback` instead of
 * standard output; NULL undoes it. `user_data` must stay until another callback is set and calls
 * of this one have returned, or until the context is gone.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_ctx_set_log_callback(wasm_runtime_ctx_t ctx,
                                       wasm_runtime_ctx_log_callback_t log_callback,
                                       void *user_data);

/**
 * Sends the output of the context's guests through the built-in C library (`env.printf` and its
 * kin) to `stdout_callback` instead of standard output; NULL undoes it. WASI programs write to
 * their descriptors. `user_data` must stay until another callback is set and calls of this one
 * have returned, or until the context is gone. False for NULL and without memory.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_ctx_set_stdout_callback(wasm_runtime_ctx_t ctx,
                                          wasm_runtime_ctx_stdout_callback_t stdout_callback,
                                          void *user_data);

/**
 * Which messages the context logs, a `log_level_t`; -1 for NULL.
 */
WASM_RUNTIME_API_EXTERN
int wasm_runtime_ctx_get_log_level(wasm_runtime_ctx_t ctx);

/**
 * The mode of instances that ask for none; `Mode_Default` stands for the build's best mode.
 */
WASM_RUNTIME_API_EXTERN
enum RunningMode wasm_runtime_ctx_get_running_mode(wasm_runtime_ctx_t ctx);

/**
 * Bytes of the garbage-collected heap that an instance gets unless it asks for another size.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_runtime_ctx_get_gc_heap_size(wasm_runtime_ctx_t ctx);

/**
 * The compilers' options, as the context was made with. `options->struct_size` is to be set.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_ctx_get_jit_options(wasm_runtime_ctx_t ctx,
                                      struct wasm_runtime_ctx_jit_options_t *options);

/**
 * Decides whether threads without a context use this one while it is the primary. They do by
 * default; while several contexts are open, the first such call logs a line. A host of several
 * tenants should say false: such a call then fails, instead of acting on another tenant's
 * context.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_ctx_set_fallback(wasm_runtime_ctx_t ctx, bool allowed);

/**
 * The setting of `wasm_runtime_ctx_set_fallback`.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_ctx_get_fallback(wasm_runtime_ctx_t ctx);

/**
 * How many times `wasm_runtime_full_init` counted a reference to this context though its
 * arguments were not those that the context was made with, and were ignored.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_runtime_ctx_init_conflicts(wasm_runtime_ctx_t ctx);

/**
 * Chooses the signal that interrupts blocking calls of native functions, between
 * `wasm_runtime_begin_blocking_op` and `wasm_runtime_end_blocking_op`; SIGUSR1 by default. It is
 * the process's, as signals are, so an application chooses, and libraries do not. False, and
 * nothing changes, while there is such an operation in any context, for signals that report faults
 * or cannot be caught, and on systems other than Linux.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_ctx_set_blocking_op_signal(int signo);

/**
 * Has the context refuse the code of files compiled ahead (aot_export.h), or run it again, in
 * modules that are loaded from now on. A new context runs it. Where it is refused, such files are
 * loaded for the modules in them, which are validated and run like any others: a host that loads
 * modules of strangers is safe with them. False for NULL and without memory.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_ctx_set_aot_refused(wasm_runtime_ctx_t ctx, bool refused);

#ifdef __cplusplus
}
#endif

#endif /* WASM_RUNTIME_CTX_H */
