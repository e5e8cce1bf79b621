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
/**
 * The target of a `wasm_module_t`. Owner: the embedder's handle and every instance of it, each
 * with a count.
 */
struct WASMModuleCommon;

/**
 * A loaded module. It belongs to the context it was loaded in and keeps that context alive.
 */
typedef struct WASMModuleCommon *wasm_module_t;
#endif

/**
 * The kind of an import or export.
 */
typedef enum wasm_import_export_kind_t {
    WASM_IMPORT_EXPORT_KIND_FUNC = 0,
    WASM_IMPORT_EXPORT_KIND_TABLE = 1,
    WASM_IMPORT_EXPORT_KIND_MEMORY = 2,
    WASM_IMPORT_EXPORT_KIND_GLOBAL = 3,
} wasm_import_export_kind_t;

/**
 * A function's type; lives as long as its module.
 */
struct WASMFuncType;

typedef struct WASMFuncType *wasm_func_type_t;

/**
 * A table's type; lives as long as its module.
 */
struct WASMTableType;

typedef struct WASMTableType *wasm_table_type_t;

/**
 * A global's type; lives as long as its module.
 */
struct WASMGlobalType;

typedef struct WASMGlobalType *wasm_global_type_t;

#ifndef WASM_MEMORY_T_DEFINED
#define WASM_MEMORY_T_DEFINED
/**
 * A memory type as a module declares it; lives as long as its module.
 */
struct WASMMemory;

typedef struct WASMMemory WASMMemoryType;
#endif

typedef WASMMemoryType *wasm_memory_type_t;

/**
 * An import of a module. All pointers belong to the module.
 */
typedef struct wasm_import_t {
    const char *module_name;
    const char *name;
    enum wasm_import_export_kind_t kind;
    /**
     * Whether something was found for it when the module was loaded.
     */
    bool linked;
    union {
        wasm_func_type_t func_type;
        wasm_table_type_t table_type;
        wasm_global_type_t global_type;
        wasm_memory_type_t memory_type;
    } u;
} wasm_import_t;

/**
 * An export of a module. All pointers belong to the module.
 */
typedef struct wasm_export_t {
    const char *name;
    enum wasm_import_export_kind_t kind;
    union {
        wasm_func_type_t func_type;
        wasm_table_type_t table_type;
        wasm_global_type_t global_type;
        wasm_memory_type_t memory_type;
    } u;
} wasm_export_t;

/**
 * The target of a `wasm_module_inst_t`: the runtime's own instance, with the embedder's module in
 * the slot below.
 */
struct WASMModuleInstanceCommon;

/**
 * An instance. It keeps its module and its context alive.
 */
typedef struct WASMModuleInstanceCommon *wasm_module_inst_t;

typedef void WASMFunctionInstanceCommon;

/**
 * A function of an instance; valid until the instance is gone.
 */
typedef WASMFunctionInstanceCommon *wasm_function_inst_t;

struct WASMMemoryInstance;

/**
 * A memory of an instance; valid until the instance is gone.
 */
typedef struct WASMMemoryInstance *wasm_memory_inst_t;

/**
 * A frame of a guest call stack.
 */
struct wasm_frame_t {
    /**
     * A `wasm_instance_t`.
     */
    void *instance;
    uint32_t module_offset;
    uint32_t func_index;
    uint32_t func_offset;
    const char *func_name_wp;
    uint32_t *sp;
    uint8_t *frame_ref;
    uint32_t *lp;
};

typedef struct wasm_frame_t WASMCApiFrame;

/**
 * A section of a module, as an embedder hands modules over in pieces.
 */
typedef struct wasm_section_t {
    struct wasm_section_t *next;
    int section_type;
    /**
     * The content, after the section's type and size.
     */
    uint8_t *section_body;
    uint32_t section_body_size;
} wasm_section_t;

typedef struct wasm_section_t aot_section_t;

typedef struct wasm_section_t *wasm_section_list_t;

typedef aot_section_t *aot_section_list_t;

struct WASMExecEnv;

/**
 * An execution environment: a guest stack. One thread uses it at a time.
 */
typedef struct WASMExecEnv *wasm_exec_env_t;

struct WASMSharedHeap;

typedef struct WASMSharedHeap *wasm_shared_heap_t;

/**
 * The kind of a binary.
 */
typedef enum package_type_t {
    Wasm_Module_Bytecode = 0,
    Wasm_Module_AoT = 1,
    Package_Type_Unknown = 65535,
} package_type_t;

#ifndef MEM_ALLOC_OPTION_DEFINED
#define MEM_ALLOC_OPTION_DEFINED
/**
 * Where a context's memory comes from.
 */
typedef enum mem_alloc_type_t {
    /**
     * From one buffer of the embedder's.
     */
    Alloc_With_Pool = 0,
    /**
     * From functions of the embedder's.
     */
    Alloc_With_Allocator = 1,
    /**
     * From the system's allocator.
     */
    Alloc_With_System_Allocator = 2,
} mem_alloc_type_t;

/**
 * The purpose of an allocation, for an allocator that was registered with usage.
 */
typedef enum mem_alloc_usage_t {
    Alloc_For_Runtime = 0,
    Alloc_For_LinearMemory = 1,
} mem_alloc_usage_t;

/**
 * The one of these that `mem_alloc_type` selects is read.
 */
typedef union MemAllocOption {
    struct {
        /**
         * The buffer; it must outlive the context and everything loaded in it.
         */
        void *heap_buf;
        /**
         * Its size in bytes, at least 256.
         */
        uint32_t heap_size;
    } pool;
    struct {
        /**
         * `void *(unsigned size)`
         */
        void *malloc_func;
        /**
         * `void *(void *ptr, unsigned size)`, or NULL.
         */
        void *realloc_func;
        /**
         * `void (void *ptr)`
         */
        void *free_func;
        /**
         * Kept for source compatibility; passed on only to allocators that ask for it.
         */
        void *user_data;
    } allocator;
} MemAllocOption;
#endif

/**
 * The state of a pool, in bytes.
 */
typedef struct mem_alloc_info_t {
    uint32_t total_size;
    uint32_t total_free_size;
    /**
     * The most that was ever in use.
     */
    uint32_t highmark_size;
} mem_alloc_info_t;

/**
 * How guest code is executed. 0 asks for the default.
 */
typedef enum RunningMode {
    Mode_Interp = 1,
    Mode_Fast_JIT = 2,
    Mode_LLVM_JIT = 3,
    Mode_Multi_Tier_JIT = 4,
} RunningMode;

/**
 * The configuration of a context. `wasm_runtime_init` uses all zeros, with `mem_alloc_type` set to
 * `Alloc_With_System_Allocator`.
 */
typedef struct RuntimeInitArgs {
    enum mem_alloc_type_t mem_alloc_type;
    union MemAllocOption mem_alloc_option;
    /**
     * Native functions to register: their module, the array, its length.
     */
    const char *native_module_name;
    struct NativeSymbol *native_symbols;
    uint32_t n_native_symbols;
    /**
     * Threads a cluster may have; 0 keeps the default.
     */
    uint32_t max_thread_num;
    /**
     * Address the debugger's server binds to; empty for none.
     */
    char ip_addr[128];
    int unused;
    int instance_port;
    /**
     * Bytes of machine code that the context may have, in any mode; 0 for 64 MiB.
     */
    uint32_t fast_jit_code_cache_size;
    /**
     * Bytes of an instance's garbage-collected heap, which has exceptions that the guest refers to
     * as well; 0 keeps the default.
     */
    uint32_t gc_heap_size;
    /**
     * The default mode of instances; 0 for tiers, where code can be compiled and `mem_alloc_type`
     * is no pool, else the interpreter.
     */
    enum RunningMode running_mode;
    /**
     * Accepted, without effect.
     */
    uint32_t llvm_jit_opt_level;
    /**
     * 1 and 2 prefer small code to fast code.
     */
    uint32_t llvm_jit_size_level;
    /**
     * Accepted, without effect.
     */
    uint32_t segue_flags;
    /**
     * Compiled functions are noted for Linux's perf: in the process's map, `/tmp/perf-PID.map`,
     * and with their code in a dump of the context's, `/tmp/isothread-PID-N/jit-PID.dump`. The
     * files stay. Without effect where the build compiles nothing.
     */
    bool enable_linux_perf;
} RuntimeInitArgs;

#ifndef LOAD_ARGS_OPTION_DEFINED
#define LOAD_ARGS_OPTION_DEFINED
/**
 * Options for loading a module. `wasm_runtime_load` uses all zeros.
 */
typedef struct LoadArgs {
    /**
     * The module's name, copied; NULL counts as empty.
     */
    char *name;
    /**
     * For the functions of `wasm_c_api.h`.
     */
    bool clone_wasm_binary;
    /**
     * Whether the embedder means to free the binary after loading. It may do so in any case: the
     * runtime keeps its own copy.
     */
    bool wasm_binary_freeable;
    /**
     * Leave imports unresolved until `wasm_runtime_resolve_symbols`.
     */
    bool no_resolve;
} LoadArgs;
#endif

#ifndef INSTANTIATION_ARGS_OPTION_DEFINED
#define INSTANTIATION_ARGS_OPTION_DEFINED
/**
 * How to instantiate a module. All zero takes the defaults.
 */
typedef struct InstantiationArgs {
    /**
     * Bytes of guest stack for the execution environments the runtime makes itself; 0 is 16 KiB.
     */
    uint32_t default_stack_size;
    /**
     * Bytes of the heap inside linear memory that `wasm_runtime_module_malloc` serves from; 0
     * for none.
     */
    uint32_t host_managed_heap_size;
    /**
     * Upper limit of each memory in pages of 64 KiB; 0 leaves the module's own.
     */
    uint32_t max_memory_pages;
} InstantiationArgs;
#endif

/**
 * Options of `wasm_runtime_instantiate_ex2`. Owner: the embedder.
 */
struct InstantiationArgs2;

#ifndef WASM_VALKIND_T_DEFINED
#define WASM_VALKIND_T_DEFINED
/**
 * A value's kind: one of `wasm_valkind_enum`.
 */
typedef uint8_t wasm_valkind_t;

enum wasm_valkind_enum {
    WASM_I32 = 0,
    WASM_I64 = 1,
    WASM_F32 = 2,
    WASM_F64 = 3,
    WASM_V128 = 4,
    WASM_EXTERNREF = 128,
    WASM_FUNCREF = 129,
};
#endif

#ifndef WASM_VAL_T_DEFINED
#define WASM_VAL_T_DEFINED
/**
 * The object behind a reference of `wasm_c_api.h`.
 */
struct wasm_ref_t;

/**
 * A value with its kind.
 */
typedef struct wasm_val_t {
    wasm_valkind_t kind;
    uint8_t _paddings[7];
    union {
        /**
         * An i32, or the index of a function.
         */
        int32_t i32;
        int64_t i64;
        float f32;
        double f64;
        /**
         * The host's word behind an externref.
         */
        uintptr_t foreign;
        struct wasm_ref_t *ref;
    } of;
} wasm_val_t;
#endif

/**
 * A global of an instance.
 */
typedef struct wasm_global_inst_t {
    wasm_valkind_t kind;
    bool is_mutable;
    /**
     * Where its value lies; valid until the instance is gone.
     */
    void *global_data;
} wasm_global_inst_t;

/**
 * A table of an instance.
 */
typedef struct wasm_table_inst_t {
    wasm_valkind_t elem_kind;
    uint32_t cur_size;
    uint32_t max_size;
    /**
     * For the runtime only.
     */
    void *elems;
} wasm_table_inst_t;

/**
 * How much is logged: messages up to this level.
 */
typedef enum log_level_t {
    WASM_LOG_LEVEL_FATAL = 0,
    WASM_LOG_LEVEL_ERROR = 1,
    WASM_LOG_LEVEL_WARNING = 2,
    WASM_LOG_LEVEL_DEBUG = 3,
    WASM_LOG_LEVEL_VERBOSE = 4,
} log_level_t;

/**
 * How to make a shared heap.
 */
typedef struct SharedHeapInitArgs {
    uint32_t size;
    void *pre_allocated_addr;
} SharedHeapInitArgs;

/**
 * A thread of the runtime's.
 */
typedef uintptr_t wasm_thread_t;

/**
 * Gives the binary of an imported module; called while a module that names it is loaded.
 */
typedef bool (*module_reader)(enum package_type_t module_type,
                              const char *module_name,
                              uint8_t **p_buffer,
                              uint32_t *p_size);

/**
 * Takes back a buffer that a `module_reader` gave.
 */
typedef void (*module_destroyer)(uint8_t *buffer, uint32_t size);

/**
 * The function of a thread that the runtime starts.
 */
typedef void *(*wasm_thread_callback_t)(wasm_exec_env_t exec_env, void *arg);

/**
 * Why a memory could not grow.
 */
typedef enum enlarge_memory_error_reason_t {
    INTERNAL_ERROR = 0,
    MAX_SIZE_REACHED = 1,
} enlarge_memory_error_reason_t;

/**
 * Called when a memory could not grow.
 */
typedef void (*enlarge_memory_error_callback_t)(uint32_t inc_page_count,
                                                uint64_t current_memory_size,
                                                uint32_t memory_index,
                                                enum enlarge_memory_error_reason_t failure_reason,
                                                wasm_module_inst_t instance,
                                                wasm_exec_env_t exec_env,
                                                void *user_data);

/* ---- The runtime ---- */

/**
 * Makes a runtime context for the calling thread, with the system's allocator and every default.
 * On a thread that has one, counts one more reference to it. False when memory runs out.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_init(void);

/**
 * Makes a runtime context for the calling thread as `init_args` says, or counts one more reference
 * on a thread that has one: its arguments are those of the first call, and others are ignored with
 * a log line. The struct is copied; its targets (the pool's buffer, native functions) must stay as
 * long as the context. False, with a log line, for arguments that make no sense: a pool of less
 * than 256 bytes, an allocator without `malloc` and `free`, a running mode this build does not
 * have.
 *
 * Each thread gets a context of its own. A thread that has none uses that of the process's first
 * one for calls without a handle.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_full_init(struct RuntimeInitArgs *init_args);

/**
 * Drops one reference to the calling thread's context, or for a thread that has none, to the
 * process's first one; never to another thread's. With the last one the context is closed: calls
 * without a handle no longer find it, and it ends with the last of its objects. When it has a
 * pool, the buffer is the embedder's again, and objects that still lie in it must not be used. A
 * call too many does nothing but log a line.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_destroy(void);

/**
 * Sets which messages are logged, up to `level`, in the calling thread's context; without one,
 * in the context the thread makes next. The default is WASM_LOG_LEVEL_WARNING.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_set_log_level(enum log_level_t level);

/**
 * Whether this build can execute code so; 0, the default mode, always. Needs no context.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_is_running_mode_supported(enum RunningMode running_mode);

/**
 * Sets the mode of instances that are made later in the calling thread's context. False, with
 * nothing changed, for a mode this build does not have.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_set_default_running_mode(enum RunningMode running_mode);

/**
 * The version of WAMR whose API this library has. Any pointer may be NULL. Needs no context.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_get_version(uint32_t *major, uint32_t *minor, uint32_t *patch);

/* ---- Memory of a context ---- */

/**
 * Allocates from the calling thread's context. NULL when nothing is free, and with a log line when
 * there is no context. A size of zero gives one byte, with a log line. The block is freed with
 * `wasm_runtime_free`, on any thread, in any context; not with C's `free`.
 */
WASM_RUNTIME_API_EXTERN
void *wasm_runtime_malloc(unsigned int size);

/**
 * Allocates with an alignment: a power of two of which `size` is a multiple. Only for contexts
 * with a pool; elsewhere NULL with a log line. The block cannot be resized; it is given back with
 * `wasm_runtime_free`.
 */
WASM_RUNTIME_API_EXTERN
void *wasm_runtime_aligned_alloc(unsigned int size, unsigned int alignment);

/**
 * Resizes a block of `wasm_runtime_malloc`, which may move, in the context it came from. NULL
 * allocates. NULL is returned, and the block stays as it was, when nothing is free or the
 * context's allocator cannot resize.
 */
WASM_RUNTIME_API_EXTERN
void *wasm_runtime_realloc(void *ptr, unsigned int size);

/**
 * Frees a block of `wasm_runtime_malloc`, in the context that it came from, on any thread. NULL
 * does nothing but log a line, as does a call when no context is left.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_free(void *ptr);

/**
 * The state of the calling thread's context's pool. False, with nothing stored, when it has none.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_get_mem_alloc_info(struct mem_alloc_info_t *mem_alloc_info);

/* ---- Kinds of binaries ---- */

/**
 * The kind of a binary, by its first four bytes. The same as `wasm_runtime_get_file_package_type`,
 * under its older name.
 */
WASM_RUNTIME_API_EXTERN
enum package_type_t get_package_type(const uint8_t *buf, uint32_t size);

/**
 * The kind of a binary, by its first four bytes: `Package_Type_Unknown` for NULL, for less than
 * four bytes and for anything else. Needs no context.
 */
WASM_RUNTIME_API_EXTERN
enum package_type_t wasm_runtime_get_file_package_type(const uint8_t *buf, uint32_t size);

/**
 * The kind of binary that a module was loaded from; `Package_Type_Unknown` for NULL.
 */
WASM_RUNTIME_API_EXTERN
enum package_type_t wasm_runtime_get_module_package_type(wasm_module_t module);

/**
 * The version field of a binary: 0 for NULL and for less than eight bytes. Needs no context.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_runtime_get_file_package_version(const uint8_t *buf, uint32_t size);

/**
 * The format version of the binary a module was loaded from; 0 for NULL.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_runtime_get_module_package_version(wasm_module_t module);

/**
 * The format version this runtime reads; 0 for an unknown type. Needs no context.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_runtime_get_current_package_version(enum package_type_t package_type);

/**
 * Whether a binary is to be laid into executable memory by the embedder before it is loaded: false
 * for all of them, because the runtime copies or maps code itself. Needs no context.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_is_xip_file(const uint8_t *buf, uint32_t size);

/* ---- Modules ---- */

/**
 * Loads a binary into the calling thread's context: parses and validates it and binds its imports
 * to the native functions registered so far, or to other modules' exports
 * (`wasm_runtime_set_module_reader`). `buf` is not modified and may be freed afterwards. NULL on
 * failure, with "WASM module load failed: ..." in `error_buf`; before an initialization the rest
 * of that text is "the runtime is not initialized". An unbound import is no failure, even if
 * `error_buf` then gives the reason why another module did not provide it.
 *
 * The binary may be a file that was compiled ahead (aot_export.h); then the text begins with "AOT
 * module load failed: ". The code that it has runs at once in all running modes but Mode_Interp,
 * with the authority of the process: load such files only from sources that you trust. Where you
 * do not, tell them from WebAssembly by `wasm_runtime_get_file_package_type`, or have the context
 * refuse their code (`wasm_runtime_ctx_set_aot_refused`).
 */
WASM_RUNTIME_API_EXTERN
wasm_module_t wasm_runtime_load(uint8_t *buf,
                                uint32_t size,
                                char *error_buf,
                                uint32_t error_buf_size);

/**
 * Loads like `wasm_runtime_load`, with options; NULL options are an error.
 */
WASM_RUNTIME_API_EXTERN
wasm_module_t wasm_runtime_load_ex(uint8_t *buf,
                                   uint32_t size,
                                   const struct LoadArgs *args,
                                   char *error_buf,
                                   uint32_t error_buf_size);

/**
 * Loads a module from a list of its sections, otherwise like `wasm_runtime_load`; a NULL list is
 * a module without sections. The list and the contents stay the caller's, and may be freed
 * afterwards. With `is_aot` the answer is NULL: files compiled ahead have no such
 * sections.
 */
WASM_RUNTIME_API_EXTERN
wasm_module_t wasm_runtime_load_from_sections(wasm_section_list_t section_list,
                                              bool is_aot,
                                              char *error_buf,
                                              uint32_t error_buf_size);

/**
 * Binds the imports of a module that was loaded with `no_resolve`, or that had unbound imports
 * when it was loaded, to the native functions and modules registered in its context by now. True
 * when every imported function is bound afterwards.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_resolve_symbols(wasm_module_t module);

/**
 * Gives a module back; the handle must not be used afterwards. Instances keep the parts of their
 * module that they need, so it may be unloaded before them. Nothing happens to a registered
 * module, which stays until its context ends.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_unload(wasm_module_t module);

/**
 * Names a module; the name is copied. False for a NULL module, for a name that is NULL or not
 * UTF-8, and when memory runs out, with the reason in `error_buf`; the former name is kept then.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_set_module_name(wasm_module_t module,
                                  const char *name,
                                  char *error_buf,
                                  uint32_t error_buf_size);

/**
 * The module's name, empty unless one was given. The text belongs to the module and stays until
 * the name is set again.
 */
WASM_RUNTIME_API_EXTERN
const char *wasm_runtime_get_module_name(wasm_module_t module);

/**
 * Whether the binary the module was loaded from may be freed: the value of `wasm_binary_freeable`
 * at load. (The runtime keeps its own copy in any case.)
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_is_underlying_binary_freeable(wasm_module_t module);

/**
 * The content of the module's first custom section called `name`, with its length in `*len`;
 * NULL when there is none. It lies in the module.
 */
WASM_RUNTIME_API_EXTERN
const uint8_t *wasm_runtime_get_custom_section(wasm_module_t module_comm,
                                               const char *name,
                                               uint32_t *len);

/* Declared by WAMR for its build inside an SGX enclave, whose host program defines it over a hash
   of the binary that it took before loading. Not defined here, nor there in any other build: a
   loaded module does not keep the binary. */
WASM_RUNTIME_API_EXTERN char *wasm_runtime_get_module_hash(wasm_module_t module);

/* ---- Modules that import from modules ---- */

/**
 * Sets where modules come from that are imported by name and not registered, for modules loaded
 * into the calling thread's context from now on; without one, into the contexts that the thread
 * makes. A NULL `reader` takes that away.
 *
 * An import names a module and one of its exports. Functions are looked for among the native
 * functions first. Unless the module's name is "env", "wasi_unstable", "wasi_snapshot_preview1"
 * or "", the module is looked for next: among those the importing module imports from already,
 * then among the registered ones, the last registered first. If it is not there `reader` is
 * asked for it, the module is loaded, registered under its name, and stays until the context
 * ends. Instantiating the importing module makes one instance of each module that it imports
 * from, directly or through others; all of them that import from one module share its instance.
 * Another instantiation makes others. A module that exports "_start" cannot be imported from.
 *
 * `reader` gets the kind of the importing module, which the file may have or not, and the name,
 * valid during the call, and sets a buffer and its size; false or a NULL
 * buffer means that there is no such module. It runs on the thread that loads the importing
 * module, with that context current and no lock held: it may load, register and find modules. The
 * runtime makes a copy but keeps the buffer with the module: `destroyer`, as set together with
 * `reader`, gets it back when the context ends, on the thread that ends it, or at once if the
 * module cannot be used. A NULL `destroyer` leaves buffers to the embedder.
 *
 * A module that cannot be loaded, or that lacks an imported item, is logged as a warning (one that
 * the reader does not know, at level WASM_LOG_LEVEL_DEBUG), and the load succeeds with the reason
 * in its `error_buf`: "no sub module reader to load ...", "unknown import ...", "found circular
 * dependency on ..." (the module is being read by the same thread), "failed to register sub module
 * ..." (imports are nested too deeply), "unknown import or incompatible import type",
 * "incompatible import type", or the reason why the module was not loaded. Calls of missing
 * imported functions trap; other missing imports make instantiation fail.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_set_module_reader(module_reader reader, module_destroyer destroyer);

/**
 * Lets modules that are loaded from now on import from `module` under this name, which is copied,
 * in the module's context. Modules registered later come first where names are equal. A module
 * has one name: again under the same is fine, under another is an error.
 *
 * From then on the module belongs to its context, which frees it at the last
 * `wasm_runtime_destroy` (or `wasm_runtime_ctx_destroy`): `wasm_runtime_unload` does nothing to
 * it, and the handle stays usable until then.
 *
 * False on failure, with "Register module failed: ..." in `error_buf`: a NULL name or module, the
 * name of a built-in module, or no memory. A NULL or empty `error_buf` is a failure as well.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_register_module(const char *module_name,
                                  wasm_module_t module,
                                  char *error_buf,
                                  uint32_t error_buf_size);

/**
 * The module that was registered last under this name in the calling thread's context, by
 * `wasm_runtime_register_module` or because another module imports from it; NULL when there is
 * none, and for NULL. It belongs to the context and is valid until that ends;
 * `wasm_runtime_unload` does nothing to it.
 */
WASM_RUNTIME_API_EXTERN
wasm_module_t wasm_runtime_find_module_registered(const char *module_name);

/* ---- WASI ---- */

/**
 * Sets the view of the host that later instances of the module get: `dir_list` gives host
 * directories under their own names, `map_dir_list` pairs GUEST::HOST, `env` strings NAME=VALUE,
 * `argv` the program's arguments with its name first, and the last three its standard streams,
 * where -1 is the process's own. Arrays and strings are read when an instance is made and must
 * stay until then. A list may be NULL when its count is 0.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_set_wasi_args_ex(wasm_module_t module,
                                   const char **dir_list,
                                   uint32_t dir_count,
                                   const char **map_dir_list,
                                   uint32_t map_dir_count,
                                   const char **env,
                                   uint32_t env_count,
                                   char **argv,
                                   int argc,
                                   int64_t stdinfd,
                                   int64_t stdoutfd,
                                   int64_t stderrfd);

/**
 * Like `wasm_runtime_set_wasi_args_ex`, with the process's own standard streams.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_set_wasi_args(wasm_module_t module,
                                const char **dir_list,
                                uint32_t dir_count,
                                const char **map_dir_list,
                                uint32_t map_dir_count,
                                const char **env,
                                uint32_t env_count,
                                char **argv,
                                int argc);

/**
 * Sets the addresses that sockets of later instances may bind, connect to and send to, as
 * ADDRESS/MASK; `0.0.0.0` and `::` with any mask stand for all of their kind. Nothing else is
 * bound, and without a pool nothing at all. The array and its strings are read when an instance is
 * made.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_set_wasi_addr_pool(wasm_module_t module,
                                     const char **addr_pool,
                                     uint32_t addr_pool_size);

/**
 * Sets the host names that later instances may look up: exact, `*.suffix`, or `*`. The array and
 * its strings are read when an instance is made.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_set_wasi_ns_lookup_pool(wasm_module_t module,
                                          const char **ns_lookup_pool,
                                          uint32_t ns_lookup_pool_size);

/**
 * Whether the instance's module imports from WASI.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_is_wasi_mode(wasm_module_inst_t module_inst);

/**
 * The exported function `_start`; NULL when there is none, or when it takes or gives anything,
 * which is logged.
 */
WASM_RUNTIME_API_EXTERN
wasm_function_inst_t wasm_runtime_lookup_wasi_start_function(wasm_module_inst_t module_inst);

/**
 * The code that the guest gave to `proc_exit`; 0 before that. For a program that has exited or
 * trapped, and for one that is being called, the answer comes at once. Else this waits until the
 * threads that the program has started are at their end, because each of them may still exit it;
 * `wasm_application_execute_main` has seen to that. A limit on the context's time or instructions
 * ends the wait with the threads, and so does `wasm_runtime_terminate` on another thread.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_runtime_get_wasi_exit_code(wasm_module_inst_t module_inst);

/* ---- Instances ---- */

/**
 * Makes an instance: memories, tables and globals, then the start function and the other functions
 * that a module expects to run first. `default_stack_size` is the guest stack of the execution
 * environments the runtime makes for it (0: 16 KiB), `host_managed_heap_size` the heap inside
 * linear memory that `wasm_runtime_module_malloc` serves from (0: none; not made when the module
 * exports `malloc` and `free`). NULL on failure, with the reason in `error_buf`. Unlinked
 * functions are no failure: calling one traps.
 *
 * The reason begins with "WASM module instantiate failed: ", with these exceptions, whose texts
 * are WAMR's: a NULL module or NULL arguments are "Instantiate module failed, invalid module
 * type"; WASI settings that cannot be applied are "error while pre-opening directory ...", "error
 * while pre-opening mapped directory ...", "Invalid address pool entry ...", "Init wasi
 * environment failed: ...", or "WASI configuration was given via both of module and
 * InstantiationArgs2".
 */
WASM_RUNTIME_API_EXTERN
wasm_module_inst_t wasm_runtime_instantiate(wasm_module_t module,
                                            uint32_t default_stack_size,
                                            uint32_t host_managed_heap_size,
                                            char *error_buf,
                                            uint32_t error_buf_size);

/**
 * Makes an instance like `wasm_runtime_instantiate`, with all its options in a struct. A limit of
 * memory pages outside the module's bounds is moved to the nearest bound, with a log line.
 */
WASM_RUNTIME_API_EXTERN
wasm_module_inst_t wasm_runtime_instantiate_ex(wasm_module_t module,
                                               const struct InstantiationArgs *args,
                                               char *error_buf,
                                               uint32_t error_buf_size);

/**
 * Makes an instance like `wasm_runtime_instantiate`, with options made by
 * `wasm_runtime_instantiation_args_create`; they stay the caller's and may be used again.
 */
WASM_RUNTIME_API_EXTERN
wasm_module_inst_t wasm_runtime_instantiate_ex2(wasm_module_t module,
                                                const struct InstantiationArgs2 *args,
                                                char *error_buf,
                                                uint32_t error_buf_size);

/**
 * Takes an instance down, with the instances of modules that it imports from: calls the
 * destructors of context keys (for the imported modules first), lets go of the objects it owns
 * behind externrefs, and frees it. Its own execution environment goes with it; others may still be
 * destroyed afterwards, but nothing else may be done with them. While a call is under way, on any
 * thread, this only logs a line.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_deinstantiate(wasm_module_inst_t module_inst);

/**
 * The module the instance was made from.
 */
WASM_RUNTIME_API_EXTERN
wasm_module_t wasm_runtime_get_module(wasm_module_inst_t module_inst);

/**
 * Chooses how the instance's code is executed from now on. False, with nothing changed, for a mode
 * that this build does not have, and while a call of the instance is under way.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_set_running_mode(wasm_module_inst_t module_inst, enum RunningMode running_mode);

/**
 * How the instance's code is executed; 0 for NULL.
 */
WASM_RUNTIME_API_EXTERN
enum RunningMode wasm_runtime_get_running_mode(wasm_module_inst_t module_inst);

/**
 * Keeps a pointer of the host's with the instance. The runtime does not look at it.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_set_custom_data(wasm_module_inst_t module_inst, void *custom_data);

/**
 * The pointer that `wasm_runtime_set_custom_data` or the instantiation kept; NULL before that.
 */
WASM_RUNTIME_API_EXTERN
void *wasm_runtime_get_custom_data(wasm_module_inst_t module_inst);

/**
 * Asks for checks of addresses on memory accesses, or for none. They always stay on here, as with
 * WAMR's hardware checks: nothing changes.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_set_bounds_checks(wasm_module_inst_t module_inst, bool enable);

/**
 * Whether memory accesses are checked: true for every instance, false for NULL.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_is_bounds_checks_enabled(wasm_module_inst_t module_inst);

/* ---- Options of instantiation ---- */

/**
 * Makes options with every default and stores them in `*p`, to be ended with
 * `wasm_runtime_instantiation_args_destroy`. False without a context or when memory runs out.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_instantiation_args_create(struct InstantiationArgs2 **p);

/**
 * Ends options. Instances made with them are not affected.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_instantiation_args_destroy(struct InstantiationArgs2 *p);

/**
 * Sets the guest stack of the execution environments the runtime makes, in bytes.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_instantiation_args_set_default_stack_size(struct InstantiationArgs2 *p,
                                                            uint32_t v);

/**
 * Sets the heap inside linear memory, in bytes.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_instantiation_args_set_host_managed_heap_size(struct InstantiationArgs2 *p,
                                                                uint32_t v);

/**
 * Sets the limit of each memory, in pages of 64 KiB.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_instantiation_args_set_max_memory_pages(struct InstantiationArgs2 *p, uint32_t v);

/**
 * Sets the instance's custom data (`wasm_runtime_get_custom_data`), from before its start function
 * runs.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_instantiation_args_set_custom_data(struct InstantiationArgs2 *p,
                                                     void *custom_data);

/**
 * Sets the WASI program's arguments, the program's name first. The array and its strings are
 * read when an instance is made, and must live until then.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_instantiation_args_set_wasi_arg(struct InstantiationArgs2 *p,
                                                  char **argv,
                                                  int argc);

/**
 * Sets the WASI program's environment, strings of the form NAME=VALUE. Read when an instance is
 * made.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_instantiation_args_set_wasi_env(struct InstantiationArgs2 *p,
                                                  const char **env,
                                                  uint32_t env_count);

/**
 * Sets the directories the WASI program can reach: host directories under their own names, and
 * pairs GUEST::HOST. Read when an instance is made.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_instantiation_args_set_wasi_dir(struct InstantiationArgs2 *p,
                                                  const char **dir_list,
                                                  uint32_t dir_count,
                                                  const char **map_dir_list,
                                                  uint32_t map_dir_count);

/**
 * Sets the WASI program's standard streams; -1 is the process's own.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_instantiation_args_set_wasi_stdio(struct InstantiationArgs2 *p,
                                                    int64_t stdinfd,
                                                    int64_t stdoutfd,
                                                    int64_t stderrfd);

/**
 * Sets the addresses the WASI program's sockets may use, as ADDRESS/MASK. Read when an instance
 * is made.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_instantiation_args_set_wasi_addr_pool(struct InstantiationArgs2 *p,
                                                        const char **addr_pool,
                                                        uint32_t addr_pool_size);

/**
 * Sets the host names the WASI program may look up: exact, `*.suffix`, or `*`. Read when an
 * instance is made.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_instantiation_args_set_wasi_ns_lookup_pool(struct InstantiationArgs2 *p,
                                                             const char **ns_lookup_pool,
                                                             uint32_t ns_lookup_pool_size);

/* ---- Execution environments ---- */

/**
 * Makes an execution environment with a guest stack of `stack_size` bytes (0: 16 KiB), to be
 * ended with `wasm_runtime_destroy_exec_env`. NULL when memory runs out or the size is absurd.
 * One thread at a time may use it; which one may change.
 */
WASM_RUNTIME_API_EXTERN
wasm_exec_env_t wasm_runtime_create_exec_env(wasm_module_inst_t module_inst, uint32_t stack_size);

/**
 * Ends an execution environment that `wasm_runtime_create_exec_env` made, after it has waited for
 * the threads that the guest has started. It may outlive its instance. While a call on it is under
 * way, on any thread, nothing happens but a log line. The environments that
 * `wasm_runtime_get_exec_env_singleton` and native functions see are not the caller's to destroy.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_destroy_exec_env(wasm_exec_env_t exec_env);

/**
 * The instance's own execution environment, made at the first call with the instance's default
 * stack size. It goes with the instance. NULL when memory runs out.
 */
WASM_RUNTIME_API_EXTERN
wasm_exec_env_t wasm_runtime_get_exec_env_singleton(wasm_module_inst_t module_inst);

/**
 * The instance that the environment runs; inside a native function, the one that called it.
 */
WASM_RUNTIME_API_EXTERN
wasm_module_inst_t wasm_runtime_get_module_inst(wasm_exec_env_t exec_env);

/**
 * Makes the environment run another instance of the same context, which must live until another
 * one is set. A native function that does so sets the former instance again before it returns.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_set_module_inst(wasm_exec_env_t exec_env, wasm_module_inst_t module_inst);

/**
 * Keeps a pointer of the host's with the environment. The runtime does not look at it.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_set_user_data(wasm_exec_env_t exec_env, void *user_data);

/**
 * The pointer that `wasm_runtime_set_user_data` keeps; NULL before that.
 */
WASM_RUNTIME_API_EXTERN
void *wasm_runtime_get_user_data(wasm_exec_env_t exec_env);

/**
 * Inside a native function, the attachment it was registered with; elsewhere NULL.
 */
WASM_RUNTIME_API_EXTERN
void *wasm_runtime_get_function_attachment(wasm_exec_env_t exec_env);

/**
 * Sets the lowest address that native frames of calls on this environment may reach, in place of
 * the bound of the thread's own stack; NULL undoes it. For threads whose stack the runtime cannot
 * find, as with fibres. It is taken as it is: the caller leaves 16 KiB below it for the runtime.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_set_native_stack_boundary(wasm_exec_env_t exec_env,
                                            uint8_t *native_stack_boundary);

/**
 * Limits how many instructions calls on this environment may execute from now on; a guest that
 * uses them up traps with "instruction limit exceeded", and so does every call after it until a
 * new limit is set. A negative number takes the limit away. Instructions that do much count as
 * more than one: one for every 64 bytes moved, 16 for one that grows, waits, notifies or throws,
 * 64 for a call of a native function. Translating a function at its first call costs none.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_set_instruction_count_limit(wasm_exec_env_t exec_env, int instruction_count);

/**
 * Whether native code may go on to call: false, with the exception "native stack overflow", when
 * less of the calling thread's stack is left than the runtime needs (16 KiB), or the boundary
 * that was set is reached.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_detect_native_stack_overflow(wasm_exec_env_t exec_env);

/**
 * Whether `required_size` bytes of native stack are left on the calling thread, or down to the
 * boundary that was set: false, with the exception "native stack overflow", when they are not.
 * Code that calls back into the runtime uses `wasm_runtime_detect_native_stack_overflow`, which
 * includes the runtime's own need.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_detect_native_stack_overflow_size(wasm_exec_env_t exec_env,
                                                    uint32_t required_size);

/* ---- Calls ---- */

/**
 * The function that the instance exports under `name`; NULL when there is none. The handle
 * belongs to the instance; looking up again gives the same one.
 */
WASM_RUNTIME_API_EXTERN
wasm_function_inst_t wasm_runtime_lookup_function(wasm_module_inst_t module_inst, const char *name);

/**
 * How many parameters the function has.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_func_get_param_count(wasm_function_inst_t func_inst, wasm_module_inst_t module_inst);

/**
 * How many results the function has.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_func_get_result_count(wasm_function_inst_t func_inst, wasm_module_inst_t module_inst);

/**
 * Stores the kinds of the function's parameters; `param_types` has room for as many as
 * `wasm_func_get_param_count` says.
 */
WASM_RUNTIME_API_EXTERN
void wasm_func_get_param_types(wasm_function_inst_t func_inst,
                               wasm_module_inst_t module_inst,
                               wasm_valkind_t *param_types);

/**
 * Stores the kinds of the function's results; `result_types` has room for as many as
 * `wasm_func_get_result_count` says.
 */
WASM_RUNTIME_API_EXTERN
void wasm_func_get_result_types(wasm_function_inst_t func_inst,
                                wasm_module_inst_t module_inst,
                                wasm_valkind_t *result_types);

/**
 * Calls a function with 32-bit cells. `argv` holds the parameters in order: one cell for i32,
 * f32 and funcref (the function's index, or 0xFFFFFFFF for null), two for i64, f64, externref
 * (the host's pointer, or all ones for null; a null result is 0), exnref (a word that a result
 * was, or 0 for null) and anyref (a `wasm_obj_t` of gc_export.h, whose `wasm_externref_obj_t` is
 * fine as an externref, too), low half first, and four for v128. The results overwrite it from the
 * first cell on, so it needs room for the larger of both. `argc` says how many cells `argv` has;
 * fewer than the parameters take are the exception "invalid argument count ...", more do not
 * matter.
 *
 * False when the guest trapped; `wasm_runtime_get_exception` returns the trap. A call on an
 * instance with a pending exception fails too, runs nothing, and leaves the exception as it is. A
 * NULL environment is false with a log line and no exception.
 *
 * A native function may end its thread (`pthread_exit`), which may also be cancelled there or
 * where WASI waits: the call does not return then, and its environment and instance may be used by
 * other threads.
 *
 * One thread at a time may call functions of an instance, or of several that are linked to each
 * other, with any environments. While another thread is in a call, this is false with a log line,
 * and the instance's exception is left alone. A native function may call it with the environment
 * it was given.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_call_wasm(wasm_exec_env_t exec_env,
                            wasm_function_inst_t function,
                            uint32_t argc,
                            uint32_t *argv);

/**
 * Calls a function with values. `args` holds one for each parameter; `results` has room for one
 * for each result, and their kinds are set: a funcref comes back as a WASM_I32 with the
 * function's index.
 *
 * The kinds of `args` are not checked against the function's type: each value is passed with the
 * size of its own kind, so a value of another size shifts all that follow it.
 *
 * A vector does not fit into a `wasm_val_t`. An argument of kind WASM_V128 has in `of.foreign` the
 * address of 16 bytes, the vector's in the order of memory. For a result that is a vector the
 * caller sets `kind` to WASM_V128 and `of.foreign` to the address of 16 bytes for it, which may be
 * those of an argument. NULL, another kind, or a vector for a parameter of another type makes the
 * call fail with an exception.
 *
 * False when a number of values does not match the function (with a log line and no exception),
 * when an array that is needed is NULL (with an exception), or when the guest trapped.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_call_wasm_a(wasm_exec_env_t exec_env,
                              wasm_function_inst_t function,
                              uint32_t num_results,
                              struct wasm_val_t *results,
                              uint32_t num_args,
                              struct wasm_val_t *args);

/**
 * Calls a function with C arguments, which are read as the function's type says: an i32 or a
 * funcref as `uint32_t`, an i64 as `uint64_t`, an f32 and an f64 as `double`, an externref as
 * `uintptr_t`. Otherwise like `wasm_runtime_call_wasm_a`.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_call_wasm_v(wasm_exec_env_t exec_env,
                              wasm_function_inst_t function,
                              uint32_t num_results,
                              struct wasm_val_t *results,
                              uint32_t num_args,
                              ...);

/**
 * Calls the function at `element_index` of the instance's first table, with cells as
 * `wasm_runtime_call_wasm` has them; the function's type is not checked. For use in native
 * functions. False when the guest trapped, when an exception is pending, which stays, or with the
 * exceptions "unknown table", "undefined element" beyond the table's end, "uninitialized element".
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_call_indirect(wasm_exec_env_t exec_env,
                                uint32_t element_index,
                                uint32_t argc,
                                uint32_t *argv);

/* ---- Programs and functions from text to text ---- */

/**
 * Runs the module's program: the exported `_start` if there is one, else `main`,
 * `__main_argc_argv` or `_main`, with the `argc` strings of `argv` copied into guest memory.
 * `main` takes nothing or (argc, argv), and returns nothing or an i32, which is stored as an int
 * where `argv` points if `argc` is positive.
 *
 * False when there is no such function, it has another type, memory runs out, `argv` is NULL with
 * a positive `argc`, or the guest traps: the exception gives the reason. A pending exception
 * stays, and nothing runs. A guest that leaves through `proc_exit` has succeeded.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_application_execute_main(wasm_module_inst_t module_inst, int32_t argc, char **argv);

/**
 * Calls the exported function `name` with arguments given as text, exactly as many as it takes,
 * and prints its results to the standard output, joined by commas, with a newline after them.
 *
 * Integers are read as C's `strtoul` does (any base), floats as `strtof` and `strtod` do, a NaN
 * may have `:` and its payload after it, a v128 is two integers with a backslash between them, a
 * reference is `null` or an integer.
 *
 * A pending exception is cleared first. False when there is no such function, `name` is NULL, an
 * argument cannot be read, or the guest traps: the exception gives the reason and is not printed.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_application_execute_func(wasm_module_inst_t module_inst,
                                   const char *name,
                                   int32_t argc,
                                   char **argv);

/* ---- Exceptions ---- */

/**
 * The pending exception's text, beginning with "Exception: ", or NULL when none is pending. The
 * text lies in the instance and changes with the next exception.
 */
WASM_RUNTIME_API_EXTERN
const char *wasm_runtime_get_exception(wasm_module_inst_t module_inst);

/**
 * Sets the pending exception to "Exception: " followed by `exception`, which is copied and cut so
 * that 127 bytes are stored; NULL clears it. Inside a native function, this is how it makes the
 * guest trap: the guest stops as soon as the function returns.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_set_exception(wasm_module_inst_t module_inst, const char *exception);

/**
 * Clears the pending exception. Calls on an instance with a pending exception fail; this makes it
 * usable again after a trap.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_clear_exception(wasm_module_inst_t module_inst);

/**
 * Stops the instance's guest code: sets the exception "terminated by user", which running code
 * notices at its next loop, branch or call. May be called on any thread while another runs the
 * instance.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_terminate(wasm_module_inst_t module_inst);

/* ---- Call stacks ---- */

/**
 * Prints the call stack on standard output: an empty line, a line for each frame, innermost
 * first, an empty line. Nothing is printed if there is none.
 *
 * Inside a native function it is the stack that runs, that function first. After a call that
 * failed it is the stack of the trap: until the exception is cleared or another one is set if a
 * native function made the call, else until the next trap. Of a trap 2,048 frames are kept; the
 * runtime never prints one by itself.
 *
 * A line is `#NN: 0xOFFSET - NAME`, where the offset is that of the instruction in the module's
 * binary, as with code that WAMR has compiled ahead of time, and 0 for native functions.
 * `$fN` stands for the function with index N when neither name section nor exports name it.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_dump_call_stack(wasm_exec_env_t exec_env);

/**
 * Bytes that `wasm_runtime_dump_call_stack_to_buf` needs for the whole text, its NUL included;
 * 0 if there is no call stack.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_runtime_get_call_stack_buf_size(wasm_exec_env_t exec_env);

/**
 * Puts the text of `wasm_runtime_dump_call_stack` into a buffer of `len` bytes, cut to fit and
 * terminated. Returns the bytes used, the NUL included; 0 if there is no call stack, or for NULL
 * or an empty buffer.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_runtime_dump_call_stack_to_buf(wasm_exec_env_t exec_env, char *buf, uint32_t len);

/**
 * Copies up to `length` frames of the call stack, innermost first, leaving out the `skip_n`
 * innermost, and returns how many. `module_offset` is where the instruction stands in the
 * module's binary and `func_offset` where in the function's body; both are 0 for native
 * functions. `instance` is the `wasm_module_inst_t`; names and values are not copied and NULL.
 *
 * The frames are those of `wasm_runtime_dump_call_stack`. With none, 0 is returned and
 * `error_buf` says why.
 *
 * Inside a native function, nothing is allocated, and a signal handler that has interrupted the
 * native function's own code may call this. Where a signal has interrupted guest code, there are
 * no frames. No other thread may ask for the stack of a thread that runs.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_copy_callstack(wasm_exec_env_t exec_env,
                             WASMCApiFrame *buffer,
                             uint32_t length,
                             uint32_t skip_n,
                             char *error_buf,
                             uint32_t error_buf_size);

/* ---- Cost of guest code ---- */

/**
 * Prints on standard output the memory of guest code: of the module, the instance and the
 * execution environment, in bytes.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_dump_mem_consumption(wasm_exec_env_t exec_env);

/**
 * Prints on standard output the cost of each function that was called: CPU time from entry to
 * return, calls that have returned, and the time of the functions it called, in milliseconds. Only
 * a heading is printed when the instance does not measure.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_dump_perf_profiling(wasm_module_inst_t module_inst);

/**
 * The CPU time of all functions of an instance, in milliseconds; 0 when it does not measure, or
 * for NULL.
 */
WASM_RUNTIME_API_EXTERN
double wasm_runtime_sum_wasm_exec_time(wasm_module_inst_t module_inst);

/**
 * The CPU time of one function in milliseconds, without that of the functions it called. The
 * name is an import's, the name section's, or that of an export. -1 for a name that is unknown,
 * for NULL, and when the instance does not measure.
 */
WASM_RUNTIME_API_EXTERN
double wasm_runtime_get_wasm_func_exec_time(wasm_module_inst_t inst, const char *func_name);

/* ---- Memories of an instance ---- */

/**
 * The memory that the instance exports as `name`; NULL when there is none. An instance with a
 * single memory has that one under every name, and under NULL, as WAMR has it.
 */
WASM_RUNTIME_API_EXTERN
wasm_memory_inst_t wasm_runtime_lookup_memory(wasm_module_inst_t module_inst, const char *name);

/**
 * The instance's first memory; NULL when there is none.
 */
WASM_RUNTIME_API_EXTERN
wasm_memory_inst_t wasm_runtime_get_default_memory(wasm_module_inst_t module_inst);

/**
 * The instance's memory number `index`, counting imported ones first; NULL beyond the last. The
 * handle belongs to the instance.
 */
WASM_RUNTIME_API_EXTERN
wasm_memory_inst_t wasm_runtime_get_memory(wasm_module_inst_t module_inst, uint32_t index);

/**
 * The memory's size in pages; 0 for NULL.
 */
WASM_RUNTIME_API_EXTERN
uint64_t wasm_memory_get_cur_page_count(wasm_memory_inst_t memory_inst);

/**
 * How many pages the memory may grow to; 0 for NULL.
 */
WASM_RUNTIME_API_EXTERN
uint64_t wasm_memory_get_max_page_count(wasm_memory_inst_t memory_inst);

/**
 * The size of the memory's pages in bytes; 0 for NULL.
 */
WASM_RUNTIME_API_EXTERN
uint64_t wasm_memory_get_bytes_per_page(wasm_memory_inst_t memory_inst);

/**
 * Whether the memory is declared shared between threads; false for NULL.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_memory_get_shared(wasm_memory_inst_t memory_inst);

/**
 * The native address of the memory's first byte, valid until the memory grows; NULL for NULL.
 */
WASM_RUNTIME_API_EXTERN
void *wasm_memory_get_base_address(wasm_memory_inst_t memory_inst);

/**
 * Adds pages to the memory; false, with the memory as it was, when it may not or cannot grow so
 * far. The context's callback for failed growth is not called.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_memory_enlarge(wasm_memory_inst_t memory_inst, uint64_t inc_page_count);

/**
 * Adds pages to the instance's first memory; false, with the memory as it was, when it may not or
 * cannot grow so far, after calling the context's callback for failed growth. The callback gets no
 * more pages than fit a `uint32_t`.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_enlarge_memory(wasm_module_inst_t module_inst, uint64_t inc_page_count);

/**
 * Sets a callback for memories that fail to grow, in the calling thread's context; on a thread
 * without a context, in the contexts that it makes later. NULL takes the callback away.
 *
 * The callback runs when `memory.grow` fails in guest code, which itself gets -1, and when
 * `wasm_runtime_enlarge_memory` fails. Its `exec_env` is the guest's, or NULL if the host asked
 * for the pages. `inc_page_count` is at most UINT32_MAX, even if more pages were asked for. The
 * callback may run on any thread that runs guests of the context.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_set_enlarge_mem_error_callback(enlarge_memory_error_callback_t callback,
                                                 void *user_data);

/* ---- Guest addresses ---- */

/**
 * Allocates `size` bytes of guest memory: with the guest's own `malloc` if the module exports
 * one together with `free`, else from the instance's host-managed heap. Returns the guest
 * address and stores the native one in `*p_native_addr` unless that is NULL; returns 0 and logs
 * when nothing of that size is free, and where the guest's own `malloc` would have to run while an
 * exception is pending. The native address is valid until the memory grows.
 */
WASM_RUNTIME_API_EXTERN
uint64_t wasm_runtime_module_malloc(wasm_module_inst_t module_inst,
                                    uint64_t size,
                                    void **p_native_addr);

/**
 * Frees a block of `wasm_runtime_module_malloc` or `wasm_runtime_module_dup_data`, also while an
 * exception is pending, which stays. 0 and addresses that are no such block are ignored.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_module_free(wasm_module_inst_t module_inst, uint64_t ptr);

/**
 * Copies `size` bytes from `src` into new guest memory and returns its guest address; 0 when
 * there is no room or `src` is NULL.
 */
WASM_RUNTIME_API_EXTERN
uint64_t wasm_runtime_module_dup_data(wasm_module_inst_t module_inst,
                                      const char *src,
                                      uint64_t size);

/**
 * Whether `size` bytes at guest address `app_offset` lie in the guest's memory. If not, the
 * exception "out of bounds memory access" is set.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_validate_app_addr(wasm_module_inst_t module_inst,
                                    uint64_t app_offset,
                                    uint64_t size);

/**
 * Whether a NUL-terminated string at guest address `app_str_offset` lies in the guest's memory,
 * its NUL included. If not, the exception "out of bounds memory access" is set.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_validate_app_str_addr(wasm_module_inst_t module_inst, uint64_t app_str_offset);

/**
 * Whether `size` bytes at native address `native_ptr` lie in the guest's memory. If not, the
 * exception "out of bounds memory access" is set.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_validate_native_addr(wasm_module_inst_t module_inst,
                                       void *native_ptr,
                                       uint64_t size);

/**
 * The native address of guest address `app_offset`, valid until the memory grows; NULL outside
 * the memory, without an exception. Only the one byte is checked: validate longer accesses.
 */
WASM_RUNTIME_API_EXTERN
void *wasm_runtime_addr_app_to_native(wasm_module_inst_t module_inst, uint64_t app_offset);

/**
 * The guest address of native address `native_ptr`; 0 when it is not in the guest's memory.
 */
WASM_RUNTIME_API_EXTERN
uint64_t wasm_runtime_addr_native_to_app(wasm_module_inst_t module_inst, void *native_ptr);

/**
 * The guest addresses of the memory that `app_offset` lies in, from `*p_app_start_offset` up to
 * but without `*p_app_end_offset`. False, with nothing stored, outside the memory. Either
 * pointer may be NULL.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_get_app_addr_range(wasm_module_inst_t module_inst,
                                     uint64_t app_offset,
                                     uint64_t *p_app_start_offset,
                                     uint64_t *p_app_end_offset);

/**
 * The native addresses of the memory that `native_ptr` lies in, from `*p_native_start_addr` up
 * to but without `*p_native_end_addr`, valid until it grows. False, with nothing stored, outside
 * the memory. Either pointer may be NULL.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_get_native_addr_range(wasm_module_inst_t module_inst,
                                        uint8_t *native_ptr,
                                        uint8_t **p_native_start_addr,
                                        uint8_t **p_native_end_addr);

/* ---- Shared heaps ---- */

/**
 * Makes a shared heap in the calling thread's context: of `size` bytes of the runtime's own, or
 * over a buffer of the caller's at `pre_allocated_addr`, which must outlive the context and
 * everything in it. The size is rounded up to whole pages; a buffer must have whole pages. NULL
 * for NULL and a size of zero, and with a warning for a size over 1 GiB and without memory.
 *
 * The heap is freed with its context, or when the last instance lets go of it after that. It
 * can be used from any thread.
 */
WASM_RUNTIME_API_EXTERN
wasm_shared_heap_t wasm_runtime_create_shared_heap(struct SharedHeapInitArgs *init_args);

/**
 * Puts `head` in front of the chain that starts with `body`: attaching `head` then attaches all of
 * them, and the guest sees one after the other, the last one at the end of its address space.
 * Returns `head`; NULL with a warning if either is NULL or not a heap, if they are of two
 * contexts, if one is attached or stands behind another already, if `head` has heaps behind it, or
 * if two of them would have memory of the runtime's.
 */
WASM_RUNTIME_API_EXTERN
wasm_shared_heap_t wasm_runtime_chain_shared_heaps(wasm_shared_heap_t head,
                                                   wasm_shared_heap_t body);

/**
 * Takes `head` off its chain, or the whole chain apart if `entire_chain`. Returns the next heap,
 * or the last one of the entire chain; NULL with a warning if `head` is NULL or not a heap, has
 * no heap behind it, or is attached.
 */
WASM_RUNTIME_API_EXTERN
wasm_shared_heap_t wasm_runtime_unchain_shared_heaps(wasm_shared_heap_t head, bool entire_chain);

/**
 * Zeroes the heap and those chained behind it, and frees everything that was allocated from
 * them. False if it is NULL, not a heap, or attached.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_reset_shared_heap_chain(wasm_shared_heap_t shared_heap);

/**
 * Makes the heap and those chained behind it reachable for the instance. One chain can be
 * attached to many instances, on several threads; an instance has one at a time, until
 * `wasm_runtime_detach_shared_heap` or its end. False for NULL and an instance without memory,
 * and with a warning if the memory reaches into the heaps, if the instance has a heap already,
 * or if heap and instance are of two contexts.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_attach_shared_heap(wasm_module_inst_t module_inst,
                                     wasm_shared_heap_t shared_heap);

/**
 * Takes the shared heap away from the instance; nothing happens if it has none, or for NULL. No
 * native may go on using addresses of it, and no other thread run the instance meanwhile.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_detach_shared_heap(wasm_module_inst_t module_inst);

/**
 * Allocates `size` bytes from the heap that is attached to the instance, or the one of its chain
 * with memory of the runtime's. Returns the guest address, which is the same in every instance
 * that the chain is attached to, and stores the native one in `*p_native_addr` unless that is
 * NULL. 0 without room or a heap, and with a warning if all are over buffers.
 */
WASM_RUNTIME_API_EXTERN
uint64_t wasm_runtime_shared_heap_malloc(wasm_module_inst_t module_inst,
                                         uint64_t size,
                                         void **p_native_addr);

/**
 * Frees a block of `wasm_runtime_shared_heap_malloc`, of any instance. An address elsewhere gives
 * a warning; one that is no block's is ignored.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_shared_heap_free(wasm_module_inst_t module_inst, uint64_t ptr);

/* ---- Exported globals and tables ---- */

/**
 * Describes the global that the instance exports under `name` in `*global_inst`: its kind,
 * whether it can be set, and where its value lies. False, with nothing stored, when there is
 * none.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_get_export_global_inst(wasm_module_inst_t module_inst,
                                         const char *name,
                                         struct wasm_global_inst_t *global_inst);

/**
 * Describes the table that the instance exports under `name` in `*table_inst`: the kind of its
 * elements, how many there are and how many there may be (as many as there are, when the module
 * does not say). It describes the table as it is now. False, with nothing stored, when there is
 * none.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_get_export_table_inst(wasm_module_inst_t module_inst,
                                        const char *name,
                                        struct wasm_table_inst_t *table_inst);

/**
 * The function at `idx` of a table that `wasm_runtime_get_export_table_inst` described, and that
 * did not change since; NULL for a null element, beyond the end, and for a table of anything
 * but functions.
 */
WASM_RUNTIME_API_EXTERN
wasm_function_inst_t wasm_table_get_func_inst(wasm_module_inst_t module_inst,
                                              const struct wasm_table_inst_t *table_inst,
                                              uint32_t idx);

/* ---- Imports, exports and their types ---- */

/**
 * How many imports the module has; -1 for NULL.
 */
WASM_RUNTIME_API_EXTERN
int32_t wasm_runtime_get_import_count(wasm_module_t module);

/**
 * Describes the module's import number `import_index`, in the binary's order, in `*import_type`;
 * all zero beyond the last. Its pointers belong to the module. A tag of exceptions is of kind 4.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_get_import_type(wasm_module_t module,
                                  int32_t import_index,
                                  struct wasm_import_t *import_type);

/**
 * How many exports the module has; -1 for NULL.
 */
WASM_RUNTIME_API_EXTERN
int32_t wasm_runtime_get_export_count(wasm_module_t module);

/**
 * Describes the module's export number `export_index`, in the binary's order, in `*export_type`;
 * all zero beyond the last. Its pointers belong to the module. A tag of exceptions is of kind 4.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_get_export_type(wasm_module_t module,
                                  int32_t export_index,
                                  struct wasm_export_t *export_type);

/**
 * How many parameters functions of this type have.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_func_type_get_param_count(wasm_func_type_t func_type);

/**
 * The kind of parameter number `param_index`; (wasm_valkind_t)-1 beyond the last.
 */
WASM_RUNTIME_API_EXTERN
wasm_valkind_t wasm_func_type_get_param_valkind(wasm_func_type_t func_type, uint32_t param_index);

/**
 * How many results functions of this type have.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_func_type_get_result_count(wasm_func_type_t func_type);

/**
 * The kind of result number `result_index`; (wasm_valkind_t)-1 beyond the last.
 */
WASM_RUNTIME_API_EXTERN
wasm_valkind_t wasm_func_type_get_result_valkind(wasm_func_type_t func_type, uint32_t result_index);

/**
 * The kind of the global's value; (wasm_valkind_t)-1 for NULL.
 */
WASM_RUNTIME_API_EXTERN
wasm_valkind_t wasm_global_type_get_valkind(wasm_global_type_t global_type);

/**
 * Whether the global can be set.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_global_type_get_mutable(wasm_global_type_t global_type);

/**
 * Whether the memory is shared between threads.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_memory_type_get_shared(wasm_memory_type_t memory_type);

/**
 * How many pages the memory begins with, at most UINT32_MAX.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_memory_type_get_init_page_count(wasm_memory_type_t memory_type);

/**
 * How many pages the memory may grow to; when the module does not say, as many as its addresses
 * reach: 65536 of 64 KiB with 32 bits. No more than UINT32_MAX is said.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_memory_type_get_max_page_count(wasm_memory_type_t memory_type);

/**
 * The kind of the table's elements; (wasm_valkind_t)-1 for NULL.
 */
WASM_RUNTIME_API_EXTERN
wasm_valkind_t wasm_table_type_get_elem_kind(wasm_table_type_t table_type);

/**
 * Whether the table is shared between threads, which no table is yet.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_table_type_get_shared(wasm_table_type_t table_type);

/**
 * How many elements the table begins with.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_table_type_get_init_size(wasm_table_type_t table_type);

/**
 * How many elements the table may grow to; for a table without a limit, twice its initial size,
 * and at least 1024, as in WAMR.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_table_type_get_max_size(wasm_table_type_t table_type);

/* ---- Native functions ---- */

/**
 * Offers the functions of an array as imports from `module_name` to modules that are loaded
 * afterwards. Later registrations come first. The array is read, never written to; it, its strings
 * and functions must stay until it is unregistered or the context is gone. An entry whose function
 * is NULL offers nothing; loading a module that imports it logs a warning. False without a
 * context, when memory runs out, for a NULL `module_name`, and for NULL `native_symbols` unless
 * `n_native_symbols` is 0. (`wasm_runtime_full_init` accepts both as NULL, as WAMR does.)
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_register_natives(const char *module_name,
                                   struct NativeSymbol *native_symbols,
                                   uint32_t n_native_symbols);

/**
 * Like `wasm_runtime_register_natives`, for functions of the form
 * `void f(wasm_exec_env_t, uint64_t *args)`: each argument is a 64-bit slot, pointers are guest
 * addresses, and the result is written to `args[0]`.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_register_natives_raw(const char *module_name,
                                       struct NativeSymbol *native_symbols,
                                       uint32_t n_native_symbols);

/**
 * Takes back the latest registration of this very array under this name. False when there is
 * none. Modules that are loaded keep the functions they found.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_unregister_natives(const char *module_name, struct NativeSymbol *native_symbols);

/**
 * Whether a function import of this name, with any type, would be found in the calling thread's
 * context now.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_is_import_func_linked(const char *module_name, const char *func_name);

/**
 * Whether a global import of this name is one that the runtime provides itself. Needs no
 * context.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_is_import_global_linked(const char *module_name, const char *global_name);

/* ---- Externrefs ---- */

/**
 * Gives an object of the host's a number, by which guest code refers to it, and stores the number
 * in `*p_externref_idx`. An object that has a number in the instance keeps it; new numbers are
 * counted from 1 in each context. (void *)-1 is the null reference, whose number is 0xFFFFFFFF;
 * NULL is an object like others. False when memory runs out.
 *
 * The object belongs to the instance until one of three things happens: the object is deleted,
 * the instance is taken down, or a call returns to the host while no global or table of the
 * instance holds the object. `wasm_externref_retain` prevents the last.
 *
 * A function that takes or returns externrefs does this by itself: native functions with `r` in
 * their signature and the `wasm_runtime_call_wasm` family see objects, never numbers.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_externref_obj2ref(wasm_module_inst_t module_inst,
                            void *extern_obj,
                            uint32_t *p_externref_idx);

/**
 * Deletes an object of the instance's and calls its cleanup function. References to it that the
 * guest still has lead nowhere: a call that hands one to the host fails. False if the instance
 * has no such object.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_externref_objdel(wasm_module_inst_t module_inst, void *extern_obj);

/**
 * Sets the function that is called with an object of the instance's when the runtime lets it go,
 * for any reason; NULL for none. It runs without any lock, on the thread of the call that let the
 * object go, and may use this API. False if the instance has no such object.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_externref_set_cleanup(wasm_module_inst_t module_inst,
                                void *extern_obj,
                                void (*extern_obj_cleanup)(void*));

/**
 * Stores the object that a number stands for in the calling thread's context; NULL for the null
 * reference. False, with nothing stored, for numbers that stand for nothing.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_externref_ref2obj(uint32_t externref_idx, void **p_extern_obj);

/**
 * Keeps the object with this number in the calling thread's context even while nothing leads to
 * it, until it is deleted or its instance taken down. False for numbers that stand for nothing.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_externref_retain(uint32_t externref_idx);

/* ---- Instance contexts ---- */

/**
 * Makes a key for pointers kept with the instances of the calling thread's context. `dtor`, which
 * may be NULL, is called for each instance that is taken down, with the pointer that was set for
 * it, NULL if none was. A context has seven keys at most: NULL, with a log line, when all are in
 * use.
 *
 * Make keys before instances: under a new key, an older instance has NULL, or the value that was
 * set under a destroyed key. A key that a thread makes before it has a context is valid in each
 * context that the thread makes.
 */
WASM_RUNTIME_API_EXTERN
void *wasm_runtime_create_context_key(void (*dtor)(wasm_module_inst_t inst, void *ctx));

/**
 * Gives back a key of the calling thread's context, or one that the thread has made before it had
 * one. No destructor is called for it any more. Keys that are gone, keys of other contexts and
 * NULL are ignored.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_destroy_context_key(void *key);

/**
 * Keeps a pointer with the instance under a key of its context. Keys that are gone, keys of other
 * contexts and NULL are ignored.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_set_context(wasm_module_inst_t inst, void *key, void *ctx);

/**
 * Keeps a pointer under a key like `wasm_runtime_set_context`, with the instances of all threads
 * of the guest.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_set_context_spread(wasm_module_inst_t inst, void *key, void *ctx);

/**
 * The pointer that is kept with the instance under the key; NULL if none was set, and for keys
 * that `wasm_runtime_set_context` ignores.
 */
WASM_RUNTIME_API_EXTERN
void *wasm_runtime_get_context(wasm_module_inst_t inst, void *key);

/* ---- Threads ---- */

/**
 * Prepares the calling thread for guest code. It never makes a context, needs none, and is
 * counted. Threads that do not call it are prepared when they first run guest code. False only
 * when memory runs out.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_init_thread_env(void);

/**
 * Undoes one `wasm_runtime_init_thread_env`, as the thread's end does; a call too many does
 * nothing. Instances and contexts are not affected.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_destroy_thread_env(void);

/**
 * Whether the calling thread was prepared for guest code: by `wasm_runtime_init_thread_env`, by
 * making a context, or by being started inside one. Others may run guest code all the same.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_thread_env_inited(void);

/**
 * Sets how many threads a guest may start in the calling thread's context; without one, in the
 * context the thread makes next. 0 changes nothing.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_set_max_thread_num(uint32_t num);

/**
 * Makes an execution environment for another thread of `exec_env`'s guest, with an instance of
 * its own: shared memories, custom data, instance contexts and WASI state are common to both,
 * tables and globals are not. An exception in one of them stops all. It must be ended with
 * `wasm_runtime_destroy_spawned_exec_env`. NULL when the guest has as many threads as the
 * context allows, when it is ending, and when memory runs out; the log says why.
 */
WASM_RUNTIME_API_EXTERN
wasm_exec_env_t wasm_runtime_spawn_exec_env(wasm_exec_env_t exec_env);

/**
 * Ends an execution environment that `wasm_runtime_spawn_exec_env` made, and its instance; NULL
 * is accepted, others are left alone. It must not be running.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_destroy_spawned_exec_env(wasm_exec_env_t exec_env);

/**
 * Starts a thread that calls `callback` with an execution environment as
 * `wasm_runtime_spawn_exec_env` makes it, which ends with the thread, and `arg`. The thread's
 * number for `wasm_runtime_join_thread` is stored in `*tid`, unless that is NULL. 0, or -1 if
 * there can be no thread. The thread is in `exec_env`'s context. The callback may end the thread
 * with `pthread_exit`, as if it returned NULL.
 */
WASM_RUNTIME_API_EXTERN
int32_t wasm_runtime_spawn_thread(wasm_exec_env_t exec_env,
                                  wasm_thread_t *tid,
                                  wasm_thread_callback_t callback,
                                  void *arg);

/**
 * Waits for a thread that `wasm_runtime_spawn_thread` started in the calling thread's context, and
 * stores its callback's result in `*retval`, which may be NULL. 0, or -1 for a number that is no
 * thread's, or of a thread that was joined before.
 */
WASM_RUNTIME_API_EXTERN
int32_t wasm_runtime_join_thread(wasm_thread_t tid, void **retval);

/* ---- Blocking operations ---- */

/**
 * Announces that the native function is about to do something that may block, best a single
 * system call. While it does, a request to stop, or the end of the context's time, interrupts
 * the calling thread with a signal, again and again until `wasm_runtime_end_blocking_op`, so that
 * the call fails with EINTR. The function then ends the operation and returns to the guest, with
 * EINTR if it reports errors so; it need not look why.
 *
 * False when the environment is asked to stop already: the function returns to the guest without
 * doing it. After true it calls `wasm_runtime_end_blocking_op` in any case, on the same thread.
 * Operations nest. False for NULL. `errno` stays as it is.
 *
 * The signal is SIGUSR1 unless `wasm_runtime_ctx_set_blocking_op_signal` says otherwise. Nothing
 * is installed before an operation has to be interrupted, or has a time limit. Then there is a
 * handler until the operation ends, which passes signals of others on to the one that was there
 * before, and system calls that other signals of this number interrupt are not restarted. The
 * calling thread has the signal unblocked meanwhile. Systems other than Linux interrupt nothing.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_begin_blocking_op(wasm_exec_env_t exec_env);

/**
 * Ends the operation that a successful `wasm_runtime_begin_blocking_op` began. The thread's signal
 * mask and `errno` are unchanged. Without an operation, or for NULL, this does nothing.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_end_blocking_op(wasm_exec_env_t exec_env);

/* ---- Debugging ---- */

/**
 * Starts a server that a debugger connects to, for the environment's guest, at the instance port
 * of `RuntimeInitArgs`. The port, or 0 on failure. This build has no debugger's server: the
 * answer is 0, with a log line.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_runtime_start_debug_instance(wasm_exec_env_t exec_env);

/**
 * Starts a server like `wasm_runtime_start_debug_instance`, at this port; 0 is any that is free.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_runtime_start_debug_instance_with_port(wasm_exec_env_t exec_env, int32_t port);

/* ---- Profiles for optimisation ---- */

/**
 * How many bytes the instance's profile takes. Only ahead-of-time compiled code that was
 * instrumented has one; the answer for any other is 0.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_runtime_get_pgo_prof_data_size(wasm_module_inst_t module_inst);

/**
 * Stores the instance's profile, if `len` bytes are enough for it. How many bytes were stored; 0
 * where `wasm_runtime_get_pgo_prof_data_size` says 0.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_runtime_dump_pgo_prof_data_to_buf(wasm_module_inst_t module_inst,
                                                char *buf,
                                                uint32_t len);

#ifdef __cplusplus
}
#endif

#endif /* _WASM_EXPORT_H */
