/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The WebAssembly C API (github.com/WebAssembly/wasm-c-api), with WAMR's additions.
 * Generated from c-api/src by c-api/gen; edit those, not this file.
 *
 * An engine is a runtime context: see wasm_engine_new. Everything made from it lives in a store,
 * and goes on living until the last pointer to it is deleted.
 *
 * Rules that hold for every function, unless its comment says otherwise:
 *
 * - Ownership. What a function returns from a name with new, copy, obtain, share, type or get, and
 *   what it stores in `out`, is the caller's, who deletes it once with the function of its name;
 *   vectors delete their elements. Arguments that a `new` of types takes are given away, and so are
 *   elements of a new vector; all other arguments stay the caller's. What is given away is gone
 *   also if the function fails: it is deleted then, and vectors among the arguments are left empty.
 *   So nothing may be deleted, and nothing has to be, after a `new` that returned NULL, whether for
 *   lack of memory or because another argument was NULL. What `as` functions and functions of types
 *   return belongs to the argument.
 * - References. A copy of a reference is the same object, counted once more, and so has the same
 *   host info; its finalizer runs once, when the last pointer is deleted and no guest holds it.
 * - NULL. A NULL pointer to a required argument, and an object of another kind than is wanted, are
 *   errors: the function returns false, NULL or 0, stores an empty vector, and does nothing else.
 *   Deleting NULL does nothing. Without memory a function fails alike; a call returns a trap.
 * - Threads. An engine is used by any threads. A store, and what is in it, is used by one thread at
 *   a time, whichever that is. Modules pass from thread to thread by wasm_module_share.
 * - Vectors. `size` is the room and `num_elems` the number of elements. A vector with room and no
 *   elements, filled by hand, counts as full.
 */

#ifndef _WASM_C_API_H_
#define _WASM_C_API_H_

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef WASM_API_EXTERN
#if defined(_MSC_BUILD)
#if defined(COMPILING_WASM_RUNTIME_API)
#define WASM_API_EXTERN __declspec(dllexport)
#else
#define WASM_API_EXTERN __declspec(dllimport)
#endif
#elif defined(__GNUC__) || defined(__clang__)
#define WASM_API_EXTERN __attribute__((visibility("default")))
#else
#define WASM_API_EXTERN
#endif
#endif

#if defined(__GNUC__) || defined(__clang__)
#define WASM_API_DEPRECATED __attribute__((deprecated))
#else
#define WASM_API_DEPRECATED
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Bytes and vectors ---- */

#if !defined(__cplusplus) && defined(__STDC_VERSION__) && __STDC_VERSION__ > 199901L
static inline void assertions(void)
{
    static_assert(sizeof(float) == sizeof(uint32_t), "a float has 32 bits");
    static_assert(sizeof(double) == sizeof(uint64_t), "a double has 64 bits");
    static_assert(sizeof(intptr_t) == 4 || sizeof(intptr_t) == 8, "a pointer has 32 or 64 bits");
}
#endif

typedef char byte_t;
typedef float float32_t;
typedef double float64_t;
typedef byte_t wasm_byte_t;

/**
 * Declares a type that is deleted by wasm_NAME_delete.
 */
#define WASM_DECLARE_OWN(name) \
    typedef struct wasm_##name##_t wasm_##name##_t; \
    WASM_API_EXTERN void wasm_##name##_delete(wasm_##name##_t *);

/**
 * Declares a vector and its functions: wasm_NAME_vec_new_empty, wasm_NAME_vec_new_uninitialized
 * (room for elements, all bytes zero), wasm_NAME_vec_new (takes the elements over, or zeros for
 * NULL), wasm_NAME_vec_copy (copies the elements, too), wasm_NAME_vec_delete (deletes the elements,
 * too, and leaves an empty vector). `size_of_elem` is their size, `lock` NULL. Without memory the
 * vector is empty.
 */
#define WASM_DECLARE_VEC(name, ptr_or_none) \
    typedef struct wasm_##name##_vec_t { \
        size_t size; \
        wasm_##name##_t ptr_or_none *data; \
        size_t num_elems; \
        size_t size_of_elem; \
        void *lock; \
    } wasm_##name##_vec_t; \
    WASM_API_EXTERN void wasm_##name##_vec_new_empty(wasm_##name##_vec_t *out); \
    WASM_API_EXTERN void wasm_##name##_vec_new_uninitialized(wasm_##name##_vec_t *out, size_t); \
    WASM_API_EXTERN void wasm_##name##_vec_new(wasm_##name##_vec_t *out, size_t, \
                                               wasm_##name##_t ptr_or_none const[]); \
    WASM_API_EXTERN void wasm_##name##_vec_copy(wasm_##name##_vec_t *out, \
                                                const wasm_##name##_vec_t *); \
    WASM_API_EXTERN void wasm_##name##_vec_delete(wasm_##name##_vec_t *);

/**
 * Declares the type of an object that describes a type, its vector, and wasm_NAME_copy.
 */
#define WASM_DECLARE_TYPE(name) \
    WASM_DECLARE_OWN(name) \
    WASM_DECLARE_VEC(name, *) \
    WASM_API_EXTERN wasm_##name##_t *wasm_##name##_copy(const wasm_##name##_t *);

/**
 * Declares the type of a reference: wasm_NAME_copy gives one more pointer to the object,
 * wasm_NAME_same says whether two are one thing of the runtime's, wasm_NAME_get_host_info,
 * wasm_NAME_set_host_info and wasm_NAME_set_host_info_with_finalizer keep a pointer of the host's
 * with the object, whose finalizer is called when it is replaced or the object goes.
 */
#define WASM_DECLARE_REF_BASE(name) \
    WASM_DECLARE_OWN(name) \
    WASM_API_EXTERN wasm_##name##_t *wasm_##name##_copy(const wasm_##name##_t *); \
    WASM_API_EXTERN bool wasm_##name##_same(const wasm_##name##_t *, const wasm_##name##_t *); \
    WASM_API_EXTERN void *wasm_##name##_get_host_info(const wasm_##name##_t *); \
    WASM_API_EXTERN void wasm_##name##_set_host_info(wasm_##name##_t *, void *); \
    WASM_API_EXTERN void wasm_##name##_set_host_info_with_finalizer(wasm_##name##_t *, void *, \
                                                                    void (*)(void *));

/**
 * Declares the type of a reference like WASM_DECLARE_REF_BASE, and conversions of the same object:
 * wasm_NAME_as_ref, wasm_NAME_as_ref_const, and wasm_ref_as_NAME, wasm_ref_as_NAME_const, which are
 * NULL for an object of another kind. Of an item, deleting the former does nothing.
 */
#define WASM_DECLARE_REF(name) \
    WASM_DECLARE_REF_BASE(name) \
    WASM_API_EXTERN wasm_ref_t *wasm_##name##_as_ref(wasm_##name##_t *); \
    WASM_API_EXTERN wasm_##name##_t *wasm_ref_as_##name(wasm_ref_t *); \
    WASM_API_EXTERN const wasm_ref_t *wasm_##name##_as_ref_const(const wasm_##name##_t *); \
    WASM_API_EXTERN const wasm_##name##_t *wasm_ref_as_##name##_const(const wasm_ref_t *);

/**
 * Declares the type of a reference that can be shared between threads; nothing here is one.
 */
#define WASM_DECLARE_SHARABLE_REF(name) \
    WASM_DECLARE_REF(name) \
    WASM_DECLARE_OWN(shared_##name) \
    WASM_API_EXTERN wasm_shared_##name##_t *wasm_##name##_share(const wasm_##name##_t *); \
    WASM_API_EXTERN wasm_##name##_t *wasm_##name##_obtain(wasm_store_t *, \
                                                          const wasm_shared_##name##_t *);

WASM_DECLARE_VEC(byte, )

/* A name is a byte vector. */
typedef wasm_byte_vec_t wasm_name_t;

#define wasm_name wasm_byte_vec
#define wasm_name_new wasm_byte_vec_new
#define wasm_name_new_empty wasm_byte_vec_new_empty
#define wasm_name_new_new_uninitialized wasm_byte_vec_new_uninitialized
#define wasm_name_copy wasm_byte_vec_copy
#define wasm_name_delete wasm_byte_vec_delete

/**
 * Makes a name from a string, without its NUL.
 */
static inline void wasm_name_new_from_string(wasm_name_t *out, const char *s)
{
    wasm_name_new(out, strlen(s), s);
}

/**
 * Makes a name from a string, with its NUL.
 */
static inline void wasm_name_new_from_string_nt(wasm_name_t *out, const char *s)
{
    wasm_name_new(out, strlen(s) + 1, s);
}

/* ---- Configurations, engines, stores ---- */

WASM_DECLARE_OWN(config)

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
 * How an engine's context is made.
 */
struct wasm_config_t {
    enum mem_alloc_type_t mem_alloc_type;
    union MemAllocOption mem_alloc_option;
    /**
     * Accepted, without effect.
     */
    uint32_t segue_flags;
    /**
     * As in `RuntimeInitArgs` of `wasm_export.h`.
     */
    bool enable_linux_perf;
};

WASM_DECLARE_OWN(engine)

WASM_DECLARE_OWN(store)

/**
 * Makes a configuration with every default: the system's allocator.
 */
WASM_API_EXTERN
struct wasm_config_t *wasm_config_new(void);

/**
 * Deletes a configuration. Engines that were made with it are not affected.
 */
WASM_API_EXTERN
void wasm_config_delete(struct wasm_config_t *config);

/**
 * Sets how the engine gets its memory, and returns `config`; `option` is copied. NULL, with
 * nothing changed, if either is NULL.
 */
WASM_API_EXTERN
struct wasm_config_t *wasm_config_set_mem_alloc_opt(struct wasm_config_t *config,
                                                    enum mem_alloc_type_t mem_alloc_type,
                                                    union MemAllocOption *option);

/**
 * Asks for notes of compiled functions for Linux's perf, as `enable_linux_perf` of
 * `RuntimeInitArgs` does, and returns `config`.
 */
WASM_API_EXTERN
struct wasm_config_t *wasm_config_set_linux_perf_opt(struct wasm_config_t *config, bool enable);

/**
 * Accepted, without effect; returns `config`.
 */
WASM_API_EXTERN
struct wasm_config_t *wasm_config_set_segue_flags(struct wasm_config_t *config,
                                                  uint32_t segue_flags);

/**
 * Makes an engine with every default: a context for the calling thread, as `wasm_runtime_init`
 * does. On a thread that has one, counts it, and returns its engine.
 */
WASM_API_EXTERN
struct wasm_engine_t *wasm_engine_new(void);

/**
 * Makes an engine as `config` says, which stays the caller's; its targets (the pool's buffer, the
 * functions) must stay as long as the engine and everything in it. On a thread that has a context
 * already, that one is counted, and a configuration that differs from its own is ignored with a
 * log line. NULL for NULL, for a configuration that makes no sense, and without memory.
 */
WASM_API_EXTERN
struct wasm_engine_t *wasm_engine_new_with_config(struct wasm_config_t *config);

/**
 * Makes an engine like `wasm_engine_new_with_config`, from the part of the configuration that is
 * about memory. NULL `opts` are no error for the system's allocator.
 */
WASM_API_EXTERN
struct wasm_engine_t *wasm_engine_new_with_args(enum mem_alloc_type_t type,
                                                const union MemAllocOption *opts);

/**
 * Deletes an engine, on any thread, once for each call that returned it. With the last, the
 * context is closed, unless `wasm_runtime_init` counts it too. Stores keep what they need, but
 * in an engine with a pool they must be deleted before: the buffer is the embedder's again.
 */
WASM_API_EXTERN
void wasm_engine_delete(struct wasm_engine_t *engine);

/**
 * Makes a store in an engine, on any thread. It belongs to no thread, and one thread uses it at a
 * time. NULL for NULL, and without memory.
 */
WASM_API_EXTERN
struct wasm_store_t *wasm_store_new(struct wasm_engine_t *engine);

/**
 * Deletes a store, on any thread. Objects that were made in it stay usable until they are deleted,
 * and keep the part of it that they need; a guest's references to objects of the host lead nowhere
 * from now on.
 */
WASM_API_EXTERN
void wasm_store_delete(struct wasm_store_t *store);

/* ---- Descriptions of types ---- */

/**
 * One of `wasm_mutability_enum`.
 */
typedef uint8_t wasm_mutability_t;

enum wasm_mutability_enum { WASM_CONST, WASM_VAR };

/**
 * Sizes in elements or pages.
 */
typedef struct wasm_limits_t {
    uint32_t min;
    /**
     * `wasm_limits_max_default` for no limit.
     */
    uint32_t max;
} wasm_limits_t;
static const uint32_t wasm_limits_max_default = 0xffffffff;

WASM_DECLARE_TYPE(valtype)

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

WASM_DECLARE_TYPE(functype)

WASM_DECLARE_TYPE(globaltype)

WASM_DECLARE_TYPE(tabletype)

WASM_DECLARE_TYPE(memorytype)

WASM_DECLARE_TYPE(externtype)

/**
 * One of `wasm_externkind_enum`.
 */
typedef uint8_t wasm_externkind_t;

enum wasm_externkind_enum {
    WASM_EXTERN_FUNC, WASM_EXTERN_GLOBAL, WASM_EXTERN_TABLE, WASM_EXTERN_MEMORY
};

WASM_DECLARE_TYPE(importtype)

WASM_DECLARE_TYPE(exporttype)

/**
 * Makes the type of values of a kind. NULL for a number that is no kind.
 */
WASM_API_EXTERN
struct wasm_valtype_t *wasm_valtype_new(wasm_valkind_t kind);

/**
 * The kind; 0 for NULL.
 */
WASM_API_EXTERN
wasm_valkind_t wasm_valtype_kind(const struct wasm_valtype_t *valtype);

/**
 * Makes a function's type, and takes over the vectors' elements, which leaves the vectors empty; a
 * NULL vector stands for an empty one. NULL, with the elements of both deleted, if one of them is
 * NULL.
 */
WASM_API_EXTERN
struct wasm_functype_t *wasm_functype_new(struct wasm_valtype_vec_t *params,
                                          struct wasm_valtype_vec_t *results);

/**
 * The types of the parameters; they belong to `functype`. NULL for NULL.
 */
WASM_API_EXTERN
const struct wasm_valtype_vec_t *wasm_functype_params(const struct wasm_functype_t *functype);

/**
 * The types of the results; they belong to `functype`. NULL for NULL.
 */
WASM_API_EXTERN
const struct wasm_valtype_vec_t *wasm_functype_results(const struct wasm_functype_t *functype);

/**
 * Makes a global's type, and takes over its content's. NULL for NULL.
 */
WASM_API_EXTERN
struct wasm_globaltype_t *wasm_globaltype_new(struct wasm_valtype_t *content,
                                              wasm_mutability_t mutability);

/**
 * The type of the value; it belongs to `globaltype`.
 */
WASM_API_EXTERN
const struct wasm_valtype_t *wasm_globaltype_content(const struct wasm_globaltype_t *globaltype);

/**
 * Whether the value may change; `WASM_CONST` for NULL.
 */
WASM_API_EXTERN
wasm_mutability_t wasm_globaltype_mutability(const struct wasm_globaltype_t *globaltype);

/**
 * Makes a table's type, and takes over its element's, which must be one of references. NULL, with
 * the element's type deleted, if it is not, or `limits` is NULL.
 */
WASM_API_EXTERN
struct wasm_tabletype_t *wasm_tabletype_new(struct wasm_valtype_t *element,
                                            const struct wasm_limits_t *limits);

/**
 * The type of the elements; it belongs to `tabletype`.
 */
WASM_API_EXTERN
const struct wasm_valtype_t *wasm_tabletype_element(const struct wasm_tabletype_t *tabletype);

/**
 * The size in elements; it belongs to `tabletype`.
 */
WASM_API_EXTERN
const struct wasm_limits_t *wasm_tabletype_limits(const struct wasm_tabletype_t *tabletype);

/**
 * Makes a memory's type. NULL for NULL.
 */
WASM_API_EXTERN
struct wasm_memorytype_t *wasm_memorytype_new(const struct wasm_limits_t *limits);

/**
 * The size in pages of 64 KiB; it belongs to `memorytype`.
 */
WASM_API_EXTERN
const struct wasm_limits_t *wasm_memorytype_limits(const struct wasm_memorytype_t *memorytype);

/**
 * The kind of item that the type is of; `WASM_EXTERN_FUNC` for NULL.
 */
WASM_API_EXTERN
wasm_externkind_t wasm_externtype_kind(const struct wasm_externtype_t *externtype);

/**
 * Makes an import's type, and takes over its parts. NULL, with the parts deleted, if one of them
 * is NULL.
 */
WASM_API_EXTERN
struct wasm_importtype_t *wasm_importtype_new(wasm_name_t *module,
                                              wasm_name_t *name,
                                              struct wasm_externtype_t *externtype);

/**
 * The name of the module to import from, with a NUL that its size counts; it belongs to
 * `importtype`.
 */
WASM_API_EXTERN
const wasm_name_t *wasm_importtype_module(const struct wasm_importtype_t *importtype);

/**
 * The name of the item, with a NUL that its size counts; it belongs to `importtype`.
 */
WASM_API_EXTERN
const wasm_name_t *wasm_importtype_name(const struct wasm_importtype_t *importtype);

/**
 * The type of the item; it belongs to `importtype`.
 */
WASM_API_EXTERN
const struct wasm_externtype_t *wasm_importtype_type(const struct wasm_importtype_t *importtype);

/**
 * Whether the module's load found something for the import, such as WASI's functions and
 * registered natives. False for objects of `wasm_importtype_new`.
 */
WASM_API_EXTERN
bool wasm_importtype_is_linked(const struct wasm_importtype_t *importtype);

/**
 * Makes an export's type, and takes over its parts. NULL, with the parts deleted, if one of them
 * is NULL.
 */
WASM_API_EXTERN
struct wasm_exporttype_t *wasm_exporttype_new(wasm_name_t *name,
                                              struct wasm_externtype_t *externtype);

/**
 * The name of the export, with a NUL that its size counts; it belongs to `exporttype`.
 */
WASM_API_EXTERN
const wasm_name_t *wasm_exporttype_name(const struct wasm_exporttype_t *exporttype);

/**
 * The type of the export; it belongs to `exporttype`.
 */
WASM_API_EXTERN
const struct wasm_externtype_t *wasm_exporttype_type(const struct wasm_exporttype_t *exporttype);

/**
 * The same object as an `externtype`; it stays its owner's.
 */
WASM_API_EXTERN
struct wasm_externtype_t *wasm_functype_as_externtype(struct wasm_functype_t *functype);

/**
 * The same object as an `externtype`; it stays its owner's.
 */
WASM_API_EXTERN
struct wasm_externtype_t *wasm_globaltype_as_externtype(struct wasm_globaltype_t *globaltype);

/**
 * The same object as an `externtype`; it stays its owner's.
 */
WASM_API_EXTERN
struct wasm_externtype_t *wasm_tabletype_as_externtype(struct wasm_tabletype_t *tabletype);

/**
 * The same object as an `externtype`; it stays its owner's.
 */
WASM_API_EXTERN
struct wasm_externtype_t *wasm_memorytype_as_externtype(struct wasm_memorytype_t *memorytype);

/**
 * The same object as a `functype`, if it is one, else NULL; it stays its owner's.
 */
WASM_API_EXTERN
struct wasm_functype_t *wasm_externtype_as_functype(struct wasm_externtype_t *externtype);

/**
 * The same object as a `globaltype`, if it is one, else NULL; it stays its owner's.
 */
WASM_API_EXTERN
struct wasm_globaltype_t *wasm_externtype_as_globaltype(struct wasm_externtype_t *externtype);

/**
 * The same object as a `tabletype`, if it is one, else NULL; it stays its owner's.
 */
WASM_API_EXTERN
struct wasm_tabletype_t *wasm_externtype_as_tabletype(struct wasm_externtype_t *externtype);

/**
 * The same object as a `memorytype`, if it is one, else NULL; it stays its owner's.
 */
WASM_API_EXTERN
struct wasm_memorytype_t *wasm_externtype_as_memorytype(struct wasm_externtype_t *externtype);

/**
 * The same object as an `externtype`; it stays its owner's.
 */
WASM_API_EXTERN
const struct wasm_externtype_t *wasm_functype_as_externtype_const(const struct wasm_functype_t *functype);

/**
 * The same object as an `externtype`; it stays its owner's.
 */
WASM_API_EXTERN
const struct wasm_externtype_t *wasm_globaltype_as_externtype_const(const struct wasm_globaltype_t *globaltype);

/**
 * The same object as an `externtype`; it stays its owner's.
 */
WASM_API_EXTERN
const struct wasm_externtype_t *wasm_tabletype_as_externtype_const(const struct wasm_tabletype_t *tabletype);

/**
 * The same object as an `externtype`; it stays its owner's.
 */
WASM_API_EXTERN
const struct wasm_externtype_t *wasm_memorytype_as_externtype_const(const struct wasm_memorytype_t *memorytype);

/**
 * The same object as a `functype`, if it is one, else NULL; it stays its owner's.
 */
WASM_API_EXTERN
const struct wasm_functype_t *wasm_externtype_as_functype_const(const struct wasm_externtype_t *externtype);

/**
 * The same object as a `globaltype`, if it is one, else NULL; it stays its owner's.
 */
WASM_API_EXTERN
const struct wasm_globaltype_t *wasm_externtype_as_globaltype_const(const struct wasm_externtype_t *externtype);

/**
 * The same object as a `tabletype`, if it is one, else NULL; it stays its owner's.
 */
WASM_API_EXTERN
const struct wasm_tabletype_t *wasm_externtype_as_tabletype_const(const struct wasm_externtype_t *externtype);

/**
 * The same object as a `memorytype`, if it is one, else NULL; it stays its owner's.
 */
WASM_API_EXTERN
const struct wasm_memorytype_t *wasm_externtype_as_memorytype_const(const struct wasm_externtype_t *externtype);

/* Whether values of a kind or type are numbers, or references. */
static inline bool wasm_valkind_is_num(wasm_valkind_t k) { return k < WASM_EXTERNREF; }
static inline bool wasm_valkind_is_ref(wasm_valkind_t k) { return k >= WASM_EXTERNREF; }
static inline bool wasm_valtype_is_num(const wasm_valtype_t *t) {
    return wasm_valkind_is_num(wasm_valtype_kind(t));
}
static inline bool wasm_valtype_is_ref(const wasm_valtype_t *t) {
    return wasm_valkind_is_ref(wasm_valtype_kind(t));
}

/* ---- Values and references ---- */

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

WASM_DECLARE_VEC(val, )

/**
 * Gives a value's reference up, and leaves a null one.
 */
WASM_API_EXTERN
void wasm_val_delete(struct wasm_val_t *value);

/**
 * Copies a value to `out`, with a reference of its own.
 */
WASM_API_EXTERN
void wasm_val_copy(struct wasm_val_t *out, const struct wasm_val_t *from);

WASM_DECLARE_REF_BASE(ref)

/* ---- Traps ---- */

WASM_DECLARE_OWN(frame)
WASM_DECLARE_VEC(frame, *)

/* A message is a byte vector that ends with a NUL. */
typedef wasm_name_t wasm_message_t;

WASM_DECLARE_REF(trap)

WASM_DECLARE_REF(instance)

/**
 * The functions that the header declares for frames by macros.
 */
WASM_API_EXTERN
void wasm_frame_delete(struct wasm_frame_t *frame);

/**
 * Makes a copy of a frame. NULL for NULL.
 */
WASM_API_EXTERN
struct wasm_frame_t *wasm_frame_copy(const struct wasm_frame_t *frame);

/**
 * The instance whose code the frame is of; it lives as long as the frame. NULL for NULL, and for
 * instances that were not made by this header's functions.
 */
WASM_API_EXTERN
struct wasm_instance_t *wasm_frame_instance(const struct wasm_frame_t *frame);

/**
 * The function's index in its module; 0 for NULL.
 */
WASM_API_EXTERN
uint32_t wasm_frame_func_index(const struct wasm_frame_t *frame);

/**
 * Where the instruction stands in the function's body; 0 for NULL.
 */
WASM_API_EXTERN
uintptr_t wasm_frame_func_offset(const struct wasm_frame_t *frame);

/**
 * Where the instruction stands in the module's binary; 0 for NULL.
 */
WASM_API_EXTERN
uintptr_t wasm_frame_module_offset(const struct wasm_frame_t *frame);

/**
 * Makes a trap for a host function to return. The message is copied; NULL is an empty one. NULL
 * for a NULL store; without memory, a trap that says so.
 */
WASM_API_EXTERN
struct wasm_trap_t *wasm_trap_new(struct wasm_store_t *store, const wasm_message_t *message);

/**
 * Copies a trap's message to `out`, with a NUL that its size counts. Traps of guests begin with
 * "Exception: ", and so do those of host functions once they have ended a guest's call.
 */
WASM_API_EXTERN
void wasm_trap_message(const struct wasm_trap_t *trap, wasm_message_t *out);

/**
 * The innermost frame of guest code, which is the caller's; NULL if there is none.
 */
WASM_API_EXTERN
struct wasm_frame_t *wasm_trap_origin(const struct wasm_trap_t *trap);

/**
 * Stores the frames of guest code in `out`, innermost first; the vector is the caller's.
 */
WASM_API_EXTERN
void wasm_trap_trace(const struct wasm_trap_t *trap, struct wasm_frame_vec_t *out);

/* ---- Objects of the host's ---- */

WASM_DECLARE_REF(foreign)

/**
 * Makes an object of the host's, which guests can carry as an externref. NULL for NULL, and
 * without memory.
 */
WASM_API_EXTERN
struct wasm_foreign_t *wasm_foreign_new(struct wasm_store_t *store);

/* ---- Modules ---- */

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

typedef wasm_module_t wasm_shared_module_t;

/**
 * Loads a module into the store's engine; the binary is copied. Imports are bound to WASI and
 * registered natives now, and to the rest when it is instantiated. NULL, with log lines, for a
 * binary that is none.
 */
WASM_API_EXTERN
wasm_module_t *wasm_module_new(struct wasm_store_t *store, const struct wasm_byte_vec_t *binary);

/**
 * Loads a module like `wasm_module_new`, with options. The binary is copied in any case; without
 * `clone_wasm_binary`, `wasm_binary_freeable` is set to say so. NULL options are an error.
 */
WASM_API_EXTERN
wasm_module_t *wasm_module_new_ex(struct wasm_store_t *store,
                                  struct wasm_byte_vec_t *binary,
                                  struct LoadArgs *args);

/**
 * Deletes a module. Its instances keep the parts of it that they need.
 */
WASM_API_EXTERN
void wasm_module_delete(wasm_module_t *module);

/**
 * Whether a binary could be loaded. Nothing is bound, and nothing kept.
 */
WASM_API_EXTERN
bool wasm_module_validate(struct wasm_store_t *store, const struct wasm_byte_vec_t *binary);

/**
 * Stores the types of a module's imports in `out`, in the binary's order; the vector is the
 * caller's. Tags are left out.
 */
WASM_API_EXTERN
void wasm_module_imports(const wasm_module_t *module, struct wasm_importtype_vec_t *out);

/**
 * Stores the types of a module's exports in `out`, in the binary's order; the vector is the
 * caller's. Tags are left out.
 */
WASM_API_EXTERN
void wasm_module_exports(const wasm_module_t *module, struct wasm_exporttype_vec_t *out);

/**
 * Stores a module in a form that `wasm_module_deserialize` reads: compiled ahead, as a file of
 * `aot_export.h`, which takes as long as compiling all of it. Empty if that fails, with a log
 * line. The vector is the caller's.
 */
WASM_API_EXTERN
void wasm_module_serialize(wasm_module_t *module, struct wasm_byte_vec_t *out);

/**
 * Loads a module from the form that `wasm_module_serialize` wrote. Its code is run: the source
 * must be trusted. NULL, with a log line, for anything else.
 */
WASM_API_EXTERN
wasm_module_t *wasm_module_deserialize(struct wasm_store_t *store,
                                       const struct wasm_byte_vec_t *from);

/**
 * Makes a form of the module that may be taken to another thread, and is the caller's.
 */
WASM_API_EXTERN
wasm_shared_module_t *wasm_module_share(wasm_module_t *module);

/**
 * Takes a shared module into a store. In the engine that it was loaded in, it is the same module;
 * in another, the same code, bound to the natives there. NULL for NULL, and without memory.
 */
WASM_API_EXTERN
wasm_module_t *wasm_module_obtain(struct wasm_store_t *store, wasm_shared_module_t *shared);

/**
 * Deletes a shared module. Modules that were obtained from it are not affected.
 */
WASM_API_EXTERN
void wasm_shared_module_delete(wasm_shared_module_t *shared);

/**
 * Names a module; the name is copied. False for NULL, for a name that is not UTF-8, and without
 * memory.
 */
WASM_API_EXTERN
bool wasm_module_set_name(wasm_module_t *module, const char *name);

/**
 * The module's name, empty unless one was given. The text stays until the name is set again.
 */
WASM_API_EXTERN
const char *wasm_module_get_name(wasm_module_t *module);

/**
 * Whether the binary that the module was loaded from may be freed: the value that
 * `wasm_module_new_ex` left in `wasm_binary_freeable`. (The module has its own copy in any case.)
 */
WASM_API_EXTERN
bool wasm_module_is_underlying_binary_freeable(const wasm_module_t *module);

/* ---- Functions ---- */

WASM_DECLARE_REF(func)

typedef struct wasm_trap_t *(*wasm_func_callback_t)(const struct wasm_val_vec_t *args,
                                                    struct wasm_val_vec_t *results);
typedef struct wasm_trap_t *(*wasm_func_callback_with_env_t)(void *env,
                                                             const struct wasm_val_vec_t *args,
                                                             struct wasm_val_vec_t *results);

/**
 * Makes a host function, of a type that stays the caller's. NULL for NULL, for types that are no
 * kinds, and without memory.
 *
 * The function gets the guest's arguments and fills in the results, which are zero or null before.
 * References in the arguments are borrowed for the call; those in the results are given away. It
 * returns NULL, or a trap that ends the guest's call.
 */
WASM_API_EXTERN
struct wasm_func_t *wasm_func_new(struct wasm_store_t *store,
                                  const struct wasm_functype_t *functype,
                                  wasm_func_callback_t callback);

/**
 * Makes a host function like `wasm_func_new`, which gets `env` as well. `finalizer`, which may be
 * NULL, is called with `env` once, when nothing refers to the function any more; also, at once, if
 * NULL is returned.
 */
WASM_API_EXTERN
struct wasm_func_t *wasm_func_new_with_env(struct wasm_store_t *store,
                                           const struct wasm_functype_t *functype,
                                           wasm_func_callback_with_env_t callback,
                                           void *env,
                                           void (*finalizer)(void*));

/**
 * Makes the function's type, which is the caller's.
 */
WASM_API_EXTERN
struct wasm_functype_t *wasm_func_type(const struct wasm_func_t *func);

/**
 * The number of parameters; 0 for NULL.
 */
WASM_API_EXTERN
uintptr_t wasm_func_param_arity(const struct wasm_func_t *func);

/**
 * The number of results; 0 for NULL.
 */
WASM_API_EXTERN
uintptr_t wasm_func_result_arity(const struct wasm_func_t *func);

/**
 * Calls a function. `args` has a value of the right kind for each parameter, and may be NULL if
 * there are none; `results` has room for the results, of which references are the caller's, or is
 * NULL or empty to leave them out. NULL when the call returned, else the trap, which is the
 * caller's: the guest's, that of a host function, or, with nothing run, one that says what is
 * wrong with the values. NULL for a NULL function.
 */
WASM_API_EXTERN
struct wasm_trap_t *wasm_func_call(const struct wasm_func_t *func,
                                   const struct wasm_val_vec_t *args,
                                   struct wasm_val_vec_t *results);

/* ---- Globals ---- */

WASM_DECLARE_REF(global)

/**
 * Makes a global of the host's, with its first value; both arguments stay the caller's. NULL for
 * NULL, for a value of another kind, and without memory.
 */
WASM_API_EXTERN
struct wasm_global_t *wasm_global_new(struct wasm_store_t *store,
                                      const struct wasm_globaltype_t *globaltype,
                                      const struct wasm_val_t *value);

/**
 * Makes the global's type, which is the caller's.
 */
WASM_API_EXTERN
struct wasm_globaltype_t *wasm_global_type(const struct wasm_global_t *global);

/**
 * Stores the value in `out`, of which a reference is the caller's. A vector goes to the address
 * that `out`, of kind WASM_V128, has. NULL, and a value that has no kind, store a WASM_I32 of 0.
 */
WASM_API_EXTERN
void wasm_global_get(const struct wasm_global_t *global, struct wasm_val_t *out);

/**
 * Sets a mutable global; the value stays the caller's. Nothing happens for NULL, for an immutable
 * global, and for a value of another kind.
 */
WASM_API_EXTERN
void wasm_global_set(struct wasm_global_t *global, const struct wasm_val_t *value);

/* ---- Tables ---- */

WASM_DECLARE_REF(table)

typedef uint32_t wasm_table_size_t;
/**
 * Makes a table of the host's, full of `init`, which stays the caller's. NULL for a NULL store or
 * type, for a reference of another kind, for limits that make no sense, and without memory.
 */
WASM_API_EXTERN
struct wasm_table_t *wasm_table_new(struct wasm_store_t *store,
                                    const struct wasm_tabletype_t *tabletype,
                                    struct wasm_ref_t *init);

/**
 * Makes the table's type, which is the caller's. The minimum is the current size.
 */
WASM_API_EXTERN
struct wasm_tabletype_t *wasm_table_type(const struct wasm_table_t *table);

/**
 * The reference at an index, which is the caller's; NULL for null and beyond the end.
 */
WASM_API_EXTERN
struct wasm_ref_t *wasm_table_get(const struct wasm_table_t *table, wasm_table_size_t index);

/**
 * Sets the reference at an index; it stays the caller's, and NULL is null. False beyond the end,
 * and for a reference of another kind.
 */
WASM_API_EXTERN
bool wasm_table_set(struct wasm_table_t *table,
                    wasm_table_size_t index,
                    struct wasm_ref_t *reference);

/**
 * The number of elements; 0 for NULL.
 */
WASM_API_EXTERN
wasm_table_size_t wasm_table_size(const struct wasm_table_t *table);

/**
 * Adds `delta` elements, all of them `init`, which stays the caller's. False, with nothing added,
 * beyond the limit, and for a reference of another kind.
 */
WASM_API_EXTERN
bool wasm_table_grow(struct wasm_table_t *table, wasm_table_size_t delta, struct wasm_ref_t *init);

/* ---- Memories ---- */

WASM_DECLARE_REF(memory)

typedef uint32_t wasm_memory_pages_t;
static const size_t MEMORY_PAGE_SIZE = 0x10000;

/**
 * Makes a memory of the host's, of zeros. NULL for NULL, for limits that make no sense, and
 * without memory.
 */
WASM_API_EXTERN
struct wasm_memory_t *wasm_memory_new(struct wasm_store_t *store,
                                      const struct wasm_memorytype_t *memorytype);

/**
 * Makes the memory's type, which is the caller's. The minimum is the current size.
 */
WASM_API_EXTERN
struct wasm_memorytype_t *wasm_memory_type(const struct wasm_memory_t *memory);

/**
 * The first byte. It may move when the memory grows. NULL for NULL.
 */
WASM_API_EXTERN
char *wasm_memory_data(struct wasm_memory_t *memory);

/**
 * The size in bytes; 0 for NULL.
 */
WASM_API_EXTERN
uintptr_t wasm_memory_data_size(const struct wasm_memory_t *memory);

/**
 * The size in pages of the memory's own; 0 for NULL.
 */
WASM_API_EXTERN
wasm_memory_pages_t wasm_memory_size(const struct wasm_memory_t *memory);

/**
 * Adds pages. False, with nothing added, beyond the limit and without memory.
 */
WASM_API_EXTERN
bool wasm_memory_grow(struct wasm_memory_t *memory, wasm_memory_pages_t delta);

/* ---- Items of instances ---- */

WASM_DECLARE_REF(extern)
WASM_DECLARE_VEC(extern, *)

/**
 * The kind of an item; `WASM_EXTERN_FUNC` for NULL.
 */
WASM_API_EXTERN
wasm_externkind_t wasm_extern_kind(const struct wasm_extern_t *item);

/**
 * Makes the type of an item. NULL for placeholders, whose type is nobody's.
 */
WASM_API_EXTERN
struct wasm_externtype_t *wasm_extern_type(const struct wasm_extern_t *item);

/**
 * Makes a placeholder for an import that the module's load has bound already, such as WASI's
 * functions and registered natives, or that is left out. NULL for a NULL store or no kind.
 */
WASM_API_EXTERN
struct wasm_extern_t *wasm_extern_new_empty(struct wasm_store_t *store, wasm_externkind_t kind);

/**
 * The same object as an item; it stays its owner's.
 */
WASM_API_EXTERN
struct wasm_extern_t *wasm_func_as_extern(struct wasm_func_t *func);

/**
 * The same object as an item; it stays its owner's.
 */
WASM_API_EXTERN
struct wasm_extern_t *wasm_global_as_extern(struct wasm_global_t *global);

/**
 * The same object as an item; it stays its owner's.
 */
WASM_API_EXTERN
struct wasm_extern_t *wasm_table_as_extern(struct wasm_table_t *table);

/**
 * The same object as an item; it stays its owner's.
 */
WASM_API_EXTERN
struct wasm_extern_t *wasm_memory_as_extern(struct wasm_memory_t *memory);

/**
 * The same object as a function, if it is one, else NULL; it stays its owner's.
 */
WASM_API_EXTERN
struct wasm_func_t *wasm_extern_as_func(struct wasm_extern_t *item);

/**
 * The same object as a global, if it is one, else NULL; it stays its owner's.
 */
WASM_API_EXTERN
struct wasm_global_t *wasm_extern_as_global(struct wasm_extern_t *item);

/**
 * The same object as a table, if it is one, else NULL; it stays its owner's.
 */
WASM_API_EXTERN
struct wasm_table_t *wasm_extern_as_table(struct wasm_extern_t *item);

/**
 * The same object as a memory, if it is one, else NULL; it stays its owner's.
 */
WASM_API_EXTERN
struct wasm_memory_t *wasm_extern_as_memory(struct wasm_extern_t *item);

/**
 * The same object as an item; it stays its owner's.
 */
WASM_API_EXTERN
const struct wasm_extern_t *wasm_func_as_extern_const(const struct wasm_func_t *func);

/**
 * The same object as an item; it stays its owner's.
 */
WASM_API_EXTERN
const struct wasm_extern_t *wasm_global_as_extern_const(const struct wasm_global_t *global);

/**
 * The same object as an item; it stays its owner's.
 */
WASM_API_EXTERN
const struct wasm_extern_t *wasm_table_as_extern_const(const struct wasm_table_t *table);

/**
 * The same object as an item; it stays its owner's.
 */
WASM_API_EXTERN
const struct wasm_extern_t *wasm_memory_as_extern_const(const struct wasm_memory_t *memory);

/**
 * The same object as a function, if it is one, else NULL; it stays its owner's.
 */
WASM_API_EXTERN
const struct wasm_func_t *wasm_extern_as_func_const(const struct wasm_extern_t *item);

/**
 * The same object as a global, if it is one, else NULL; it stays its owner's.
 */
WASM_API_EXTERN
const struct wasm_global_t *wasm_extern_as_global_const(const struct wasm_extern_t *item);

/**
 * The same object as a table, if it is one, else NULL; it stays its owner's.
 */
WASM_API_EXTERN
const struct wasm_table_t *wasm_extern_as_table_const(const struct wasm_extern_t *item);

/**
 * The same object as a memory, if it is one, else NULL; it stays its owner's.
 */
WASM_API_EXTERN
const struct wasm_memory_t *wasm_extern_as_memory_const(const struct wasm_extern_t *item);

/* ---- Instances ---- */

/**
 * Makes an instance: links the imports, which stay the caller's, then runs the start function and
 * the other functions that a module expects to run first. Host functions are bound by then.
 *
 * The stack has 32 KiB, and so has the heap in the instance's memory, which there is if natives
 * may use it: if `imports` leaves a function to the bindings of the module's load. Otherwise the
 * memory has the size that the module declares.
 *
 * The n-th function among `imports` is the module's n-th imported function, and so with globals,
 * tables and memories; for a list with an item for each import, that is the module's order.
 * Placeholders of `wasm_extern_new_empty`, and imports without an item, keep what the module's
 * load has found; a function that nothing was found for traps when it is called, anything else
 * is a failure.
 *
 * NULL on failure. If `trap` is not NULL, the reason is stored there, and is the caller's: the
 * trap of a host function that ended the start function, or a new one.
 */
WASM_API_EXTERN
struct wasm_instance_t *wasm_instance_new(struct wasm_store_t *store,
                                          const wasm_module_t *module,
                                          const struct wasm_extern_vec_t *imports,
                                          struct wasm_trap_t **trap);

/**
 * Makes an instance like `wasm_instance_new`, with the bytes of its stack and of the heap in its
 * memory.
 */
WASM_API_EXTERN
struct wasm_instance_t *wasm_instance_new_with_args(struct wasm_store_t *store,
                                                    const wasm_module_t *module,
                                                    const struct wasm_extern_vec_t *imports,
                                                    struct wasm_trap_t **trap,
                                                    uint32_t stack_size,
                                                    uint32_t heap_size);

/**
 * Makes an instance like `wasm_instance_new`, with all options of `wasm_runtime_instantiate_ex`;
 * NULL options are an error.
 */
WASM_API_EXTERN
struct wasm_instance_t *wasm_instance_new_with_args_ex(struct wasm_store_t *store,
                                                       const wasm_module_t *module,
                                                       const struct wasm_extern_vec_t *imports,
                                                       struct wasm_trap_t **trap,
                                                       const struct InstantiationArgs *inst_args);

/**
 * Stores the exports in `out`, in the module's order; the vector and its objects are the caller's.
 * They keep the instance alive. Tags are left out.
 */
WASM_API_EXTERN
void wasm_instance_exports(const struct wasm_instance_t *instance, struct wasm_extern_vec_t *out);

/**
 * The CPU time of all functions, in milliseconds: that of `wasm_runtime_sum_wasm_exec_time`. -1
 * for NULL.
 */
WASM_API_EXTERN
double wasm_instance_sum_wasm_exec_time(const struct wasm_instance_t *instance);

/**
 * The CPU time of one function, in milliseconds: that of `wasm_runtime_get_wasm_func_exec_time`.
 * -1 for NULL, for a name that is unknown, and when the instance does not measure.
 */
WASM_API_EXTERN
double wasm_instance_get_wasm_func_exec_time(const struct wasm_instance_t *instance,
                                             const char *func_name);

/* ---- Short forms ---- */

#define WASM_EMPTY_VEC {0, NULL, 0, 0, NULL}
#define WASM_ARRAY_VEC(array) \
    {sizeof(array) / sizeof(*(array)), array, sizeof(array) / sizeof(*(array)), sizeof(*(array)), \
     NULL}

/* Types of values; anyref is the standard's former name of externref. */
static inline wasm_valtype_t *wasm_valtype_new_i32(void) { return wasm_valtype_new(WASM_I32); }
static inline wasm_valtype_t *wasm_valtype_new_i64(void) { return wasm_valtype_new(WASM_I64); }
static inline wasm_valtype_t *wasm_valtype_new_f32(void) { return wasm_valtype_new(WASM_F32); }
static inline wasm_valtype_t *wasm_valtype_new_f64(void) { return wasm_valtype_new(WASM_F64); }
static inline wasm_valtype_t *wasm_valtype_new_v128(void) { return wasm_valtype_new(WASM_V128); }
static inline wasm_valtype_t *wasm_valtype_new_anyref(void) {
    return wasm_valtype_new(WASM_EXTERNREF);
}
static inline wasm_valtype_t *wasm_valtype_new_funcref(void) {
    return wasm_valtype_new(WASM_FUNCREF);
}

/* Types of functions with so many parameters and results, whose types they take over. */
static inline wasm_functype_t *isothread_functype_of(size_t n, wasm_valtype_t *const ps[],
                                                     size_t m, wasm_valtype_t *const rs[])
{
    wasm_valtype_vec_t params, results;

    wasm_valtype_vec_new(&params, n, ps);
    wasm_valtype_vec_new(&results, m, rs);
    return wasm_functype_new(&params, &results);
}

static inline wasm_functype_t *wasm_functype_new_0_0(void) {
    return isothread_functype_of(0, NULL, 0, NULL);
}
static inline wasm_functype_t *wasm_functype_new_1_0(
    wasm_valtype_t *p) {
    wasm_valtype_t *ps[] = {p};
    return isothread_functype_of(1, ps, 0, NULL);
}
static inline wasm_functype_t *wasm_functype_new_2_0(
    wasm_valtype_t *p1, wasm_valtype_t *p2) {
    wasm_valtype_t *ps[] = {p1, p2};
    return isothread_functype_of(2, ps, 0, NULL);
}
static inline wasm_functype_t *wasm_functype_new_3_0(
    wasm_valtype_t *p1, wasm_valtype_t *p2, wasm_valtype_t *p3) {
    wasm_valtype_t *ps[] = {p1, p2, p3};
    return isothread_functype_of(3, ps, 0, NULL);
}
static inline wasm_functype_t *wasm_functype_new_0_1(
    wasm_valtype_t *r) {
    wasm_valtype_t *rs[] = {r};
    return isothread_functype_of(0, NULL, 1, rs);
}
static inline wasm_functype_t *wasm_functype_new_1_1(
    wasm_valtype_t *p, wasm_valtype_t *r) {
    wasm_valtype_t *ps[] = {p}; wasm_valtype_t *rs[] = {r};
    return isothread_functype_of(1, ps, 1, rs);
}
static inline wasm_functype_t *wasm_functype_new_2_1(
    wasm_valtype_t *p1, wasm_valtype_t *p2, wasm_valtype_t *r) {
    wasm_valtype_t *ps[] = {p1, p2}; wasm_valtype_t *rs[] = {r};
    return isothread_functype_of(2, ps, 1, rs);
}
static inline wasm_functype_t *wasm_functype_new_3_1(
    wasm_valtype_t *p1, wasm_valtype_t *p2, wasm_valtype_t *p3, wasm_valtype_t *r) {
    wasm_valtype_t *ps[] = {p1, p2, p3}; wasm_valtype_t *rs[] = {r};
    return isothread_functype_of(3, ps, 1, rs);
}
static inline wasm_functype_t *wasm_functype_new_0_2(
    wasm_valtype_t *r1, wasm_valtype_t *r2) {
    wasm_valtype_t *rs[] = {r1, r2};
    return isothread_functype_of(0, NULL, 2, rs);
}
static inline wasm_functype_t *wasm_functype_new_1_2(
    wasm_valtype_t *p, wasm_valtype_t *r1, wasm_valtype_t *r2) {
    wasm_valtype_t *ps[] = {p}; wasm_valtype_t *rs[] = {r1, r2};
    return isothread_functype_of(1, ps, 2, rs);
}
static inline wasm_functype_t *wasm_functype_new_2_2(
    wasm_valtype_t *p1, wasm_valtype_t *p2, wasm_valtype_t *r1, wasm_valtype_t *r2) {
    wasm_valtype_t *ps[] = {p1, p2}; wasm_valtype_t *rs[] = {r1, r2};
    return isothread_functype_of(2, ps, 2, rs);
}
static inline wasm_functype_t *wasm_functype_new_3_2(
    wasm_valtype_t *p1, wasm_valtype_t *p2, wasm_valtype_t *p3, wasm_valtype_t *r1,
    wasm_valtype_t *r2) {
    wasm_valtype_t *ps[] = {p1, p2, p3}; wasm_valtype_t *rs[] = {r1, r2};
    return isothread_functype_of(3, ps, 2, rs);
}
/* A pointer as a value as wide as it is, and back. */
static inline void wasm_val_init_ptr(wasm_val_t *out, void *p)
{
#if UINTPTR_MAX == UINT32_MAX
    out->kind = WASM_I32;
    out->of.i32 = (int32_t)(intptr_t)p;
#else
    out->kind = WASM_I64;
    out->of.i64 = (intptr_t)p;
#endif
}

static inline void *wasm_val_ptr(const wasm_val_t *val)
{
#if UINTPTR_MAX == UINT32_MAX
    return (void *)(intptr_t)val->of.i32;
#else
    return (void *)(intptr_t)val->of.i64;
#endif
}

#define WASM_I32_VAL(i) {.kind = WASM_I32, ._paddings = {0}, .of = {.i32 = i}}
#define WASM_I64_VAL(i) {.kind = WASM_I64, ._paddings = {0}, .of = {.i64 = i}}
#define WASM_F32_VAL(z) {.kind = WASM_F32, ._paddings = {0}, .of = {.f32 = z}}
#define WASM_F64_VAL(z) {.kind = WASM_F64, ._paddings = {0}, .of = {.f64 = z}}
#define WASM_REF_VAL(r) {.kind = WASM_EXTERNREF, ._paddings = {0}, .of = {.ref = r}}
#define WASM_INIT_VAL {.kind = WASM_EXTERNREF, ._paddings = {0}, .of = {.ref = NULL}}

#define KILOBYTE(n) ((n) * 1024)
#ifdef __cplusplus
}
#endif

#endif /* _WASM_C_API_H_ */
