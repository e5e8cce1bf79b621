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
@declared wasm_byte_vec_t

/* A name is a byte vector. */
typedef wasm_byte_vec_t wasm_name_t;
@declared wasm_name_t

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
@again type mem_alloc_type_t

@again type mem_alloc_usage_t

@again type MemAllocOption
#endif

#ifndef INSTANTIATION_ARGS_OPTION_DEFINED
#define INSTANTIATION_ARGS_OPTION_DEFINED
@again type InstantiationArgs
#endif

@tag wasm_config_t

WASM_DECLARE_OWN(engine)
@declared wasm_engine_t

WASM_DECLARE_OWN(store)
@declared wasm_store_t

@functions wasm_c_api/engine.rs WASM_API_EXTERN

/* ---- Descriptions of types ---- */

@type wasm_mutability_t

enum wasm_mutability_enum { WASM_CONST, WASM_VAR };

@type wasm_limits_t
static const uint32_t wasm_limits_max_default = 0xffffffff;

WASM_DECLARE_TYPE(valtype)
@declared wasm_valtype_t wasm_valtype_vec_t

#ifndef WASM_VALKIND_T_DEFINED
#define WASM_VALKIND_T_DEFINED
@again type wasm_valkind_t

@again tag wasm_valkind_enum
#endif

WASM_DECLARE_TYPE(functype)
@declared wasm_functype_t

WASM_DECLARE_TYPE(globaltype)
@declared wasm_globaltype_t

WASM_DECLARE_TYPE(tabletype)
@declared wasm_tabletype_t

WASM_DECLARE_TYPE(memorytype)
@declared wasm_memorytype_t

WASM_DECLARE_TYPE(externtype)
@declared wasm_externtype_t

@type wasm_externkind_t

enum wasm_externkind_enum {
    WASM_EXTERN_FUNC, WASM_EXTERN_GLOBAL, WASM_EXTERN_TABLE, WASM_EXTERN_MEMORY
};

WASM_DECLARE_TYPE(importtype)
@declared wasm_importtype_t wasm_importtype_vec_t

WASM_DECLARE_TYPE(exporttype)
@declared wasm_exporttype_t wasm_exporttype_vec_t

@functions wasm_c_api/reflect.rs WASM_API_EXTERN

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
@again tag wasm_ref_t
@again type wasm_val_t
#endif

WASM_DECLARE_VEC(val, )
@declared wasm_val_vec_t

@functions wasm_c_api/value.rs WASM_API_EXTERN

WASM_DECLARE_REF_BASE(ref)

/* ---- Traps ---- */

WASM_DECLARE_OWN(frame)
WASM_DECLARE_VEC(frame, *)
@declared wasm_frame_vec_t

/* A message is a byte vector that ends with a NUL. */
typedef wasm_name_t wasm_message_t;
@declared wasm_message_t

WASM_DECLARE_REF(trap)
@declared wasm_trap_t

WASM_DECLARE_REF(instance)
@declared wasm_instance_t

@functions wasm_c_api/frame.rs WASM_API_EXTERN

@functions wasm_c_api/trap.rs WASM_API_EXTERN

/* ---- Objects of the host's ---- */

WASM_DECLARE_REF(foreign)
@declared wasm_foreign_t

@functions wasm_c_api/foreign.rs WASM_API_EXTERN

/* ---- Modules ---- */

#ifndef WASM_MODULE_T_DEFINED
#define WASM_MODULE_T_DEFINED
@again tag WASMModuleCommon
@again type wasm_module_t
#endif

#ifndef LOAD_ARGS_OPTION_DEFINED
#define LOAD_ARGS_OPTION_DEFINED
@again type LoadArgs
#endif

@type wasm_shared_module_t

@functions wasm_c_api/module.rs WASM_API_EXTERN

/* ---- Functions ---- */

WASM_DECLARE_REF(func)
@declared wasm_func_t

@type wasm_func_callback_t
@type wasm_func_callback_with_env_t

@functions wasm_c_api/func.rs WASM_API_EXTERN

/* ---- Globals ---- */

WASM_DECLARE_REF(global)
@declared wasm_global_t

@functions wasm_c_api/global.rs WASM_API_EXTERN

/* ---- Tables ---- */

WASM_DECLARE_REF(table)
@declared wasm_table_t

@type wasm_table_size_t
@functions wasm_c_api/table.rs WASM_API_EXTERN

/* ---- Memories ---- */

WASM_DECLARE_REF(memory)
@declared wasm_memory_t

@type wasm_memory_pages_t
static const size_t MEMORY_PAGE_SIZE = 0x10000;

@functions wasm_c_api/memory.rs WASM_API_EXTERN

/* ---- Items of instances ---- */

WASM_DECLARE_REF(extern)
WASM_DECLARE_VEC(extern, *)
@declared wasm_extern_t wasm_extern_vec_t

@functions wasm_c_api/externs.rs WASM_API_EXTERN

/* ---- Instances ---- */

@functions wasm_c_api/instance.rs WASM_API_EXTERN

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
