/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The types that modules define, and the objects of guests: structs, arrays, functions, small
 * integers, and objects of the host's.
 * Generated from c-api/src by c-api/gen; edit those, not this file.
 *
 * Rules that hold for every function, unless its comment says otherwise:
 *
 * - Objects. A reference to an object (wasm_obj_t and its kinds, which can be cast into each other)
 *   is a word that the runtime looks up and never follows. One that was forged, belongs to another
 *   runtime context, or leads to an object that is gone, is found out unless its place was taken by
 *   another object of the same context: the function returns NULL, false, 0 or zeros, and does
 *   nothing. Functions that are given an object and no other handle look it up in the calling
 *   thread's context, as all calls without a handle do (wasm_export.h). Objects do not move.
 * - Ownership. Objects belong to the heap of their instance, which those that it is linked to
 *   share, and are freed by collections, which come when guest code or the host makes an object.
 *   What a guest can reach stays. So do the parameters of a native function until it returns, what
 *   a local reference refers to (wasm_runtime_push_local_obj_ref), and what is pinned
 *   (wasm_runtime_pin_object). Results of calls and of functions here are held by nobody. Types
 *   belong to their module.
 * - NULL. A NULL handle, type or object, or a NULL pointer to a required argument, is an error: the
 *   function returns false, NULL or 0 and does nothing; so does an index beyond the last.
 * - Threads. One thread at a time uses the objects of an instance, or of several that are linked to
 *   each other: while another one is in a call there, functions behave as without the object.
 * - Calls. In the cells of wasm_runtime_call_wasm a reference to an object takes two cells, which
 *   hold the pointer. A function takes one, which is its index (not a wasm_func_obj_t), and an
 *   externref two, with the host's pointer or a wasm_externref_obj_t. The same pointers are in
 *   of.foreign of a wasm_val_t, with kind WASM_EXTERNREF for anyrefs as well. Native functions
 *   declare references of all kinds with the letter "r" of their signature; with it, functions are
 *   a wasm_func_obj_t. What a native function returns is checked against the type that the guest
 *   declares: the call fails with "the result conversion is failed" if it is not of that type.
 * - Without the cargo feature gc, no module with such types loads, and no struct or array can be
 *   made.
 */

#ifndef _GC_EXPORT_H
#define _GC_EXPORT_H

#include "wasm_export.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Types ---- */

/**
 * The type of a value, a field or an element: one of `wasm_value_type_enum`.
 */
typedef uint8_t wasm_value_type_t;

/**
 * Those of references that may be null and lead to no defined type are those from
 * VALUE_TYPE_NULLFUNCREF to VALUE_TYPE_ARRAYREF; all other references are one of the two
 * VALUE_TYPE_HT types, with a heap type. No type of this runtime's is one of the last four.
 */
typedef enum wasm_value_type_enum {
    VALUE_TYPE_I32 = 127,
    VALUE_TYPE_I64 = 126,
    VALUE_TYPE_F32 = 125,
    VALUE_TYPE_F64 = 124,
    VALUE_TYPE_V128 = 123,
    VALUE_TYPE_I8 = 120,
    VALUE_TYPE_I16 = 119,
    VALUE_TYPE_NULLFUNCREF = 115,
    VALUE_TYPE_NULLEXTERNREF = 114,
    VALUE_TYPE_NULLREF = 113,
    VALUE_TYPE_FUNCREF = 112,
    VALUE_TYPE_EXTERNREF = 111,
    VALUE_TYPE_ANYREF = 110,
    VALUE_TYPE_EQREF = 109,
    VALUE_TYPE_I31REF = 108,
    VALUE_TYPE_STRUCTREF = 107,
    VALUE_TYPE_ARRAYREF = 106,
    VALUE_TYPE_HT_NON_NULLABLE_REF = 100,
    VALUE_TYPE_HT_NULLABLE_REF = 99,
    VALUE_TYPE_STRINGREF = 103,
    VALUE_TYPE_STRINGVIEWWTF8 = 102,
    VALUE_TYPE_STRINGVIEWWTF16 = 98,
    VALUE_TYPE_STRINGVIEWITER = 97,
} wasm_value_type_enum;

/**
 * What a reference leads to: one of `wasm_heap_type_enum`, or the index of a defined type.
 */
typedef int32_t wasm_heap_type_t;

/**
 * No type of this runtime's is one of the last four.
 */
typedef enum wasm_heap_type_enum {
    HEAP_TYPE_NOFUNC = -13,
    HEAP_TYPE_NOEXTERN = -14,
    HEAP_TYPE_NONE = -15,
    HEAP_TYPE_FUNC = -16,
    HEAP_TYPE_EXTERN = -17,
    HEAP_TYPE_ANY = -18,
    HEAP_TYPE_EQ = -19,
    HEAP_TYPE_I31 = -20,
    HEAP_TYPE_STRUCT = -21,
    HEAP_TYPE_ARRAY = -22,
    HEAP_TYPE_STRINGREF = -25,
    HEAP_TYPE_STRINGVIEWWTF8 = -26,
    HEAP_TYPE_STRINGVIEWWTF16 = -30,
    HEAP_TYPE_STRINGVIEWITER = -31,
} wasm_heap_type_enum;

struct WASMObject;

/**
 * A reference to an object. It is a word that the runtime looks up and never follows, and no
 * address.
 */
typedef struct WASMObject *wasm_obj_t;

#ifndef WASM_VALUE_DEFINED
#define WASM_VALUE_DEFINED
/**
 * A vector of 128 bits.
 */
typedef union V128 {
    int8_t i8x16[16];
    int16_t i16x8[8];
    int32_t i32x4[4];
    int64_t i64x2[2];
    float f32x4[4];
    double f64x2[2];
} V128;

/**
 * A value of a field, an element. Its type says which member is read and written: `i32` for i8,
 * i16 and i32, `gc_obj` for all references; the last three members are unused.
 */
typedef union WASMValue {
    int32_t i32;
    uint32_t u32;
    uint32_t global_index;
    uint32_t ref_index;
    int64_t i64;
    uint64_t u64;
    float f32;
    double f64;
    union V128 v128;
    wasm_obj_t gc_obj;
    uint32_t type_index;
    struct {
        uint32_t type_index;
        uint32_t length;
    } array_new_default;
    void *data;
} WASMValue;
#endif

typedef union WASMValue wasm_value_t;

/**
 * The type of a value, a field or an element.
 */
typedef struct wasm_ref_type_t {
    wasm_value_type_t value_type;
    /**
     * Of a reference: whether it may be null.
     */
    bool nullable;
    /**
     * Of a reference: one of `wasm_heap_type_enum`, or the index of a type in its module.
     */
    int32_t heap_type;
} wasm_ref_type_t;

/**
 * A reference that native code holds, as a link of the list of an execution environment's. Owner:
 * the native code, in whose frame it lies.
 */
typedef struct WASMLocalObjectRef {
    /**
     * The one that was pushed before; the runtime's.
     */
    struct WASMLocalObjectRef *prev;
    /**
     * What it refers to.
     */
    wasm_obj_t val;
} WASMLocalObjectRef;

typedef struct WASMLocalObjectRef wasm_local_obj_ref_t;

struct WASMType;

struct WASMStructType;

struct WASMArrayType;

/**
 * A type that a module defines; lives as long as the module. A function's, a struct's and an
 * array's type are the same pointer as the defined type.
 */
typedef struct WASMType *wasm_defined_type_t;

typedef struct WASMStructType *wasm_struct_type_t;

typedef struct WASMArrayType *wasm_array_type_t;

struct WASMExternrefObject;

struct WASMAnyrefObject;

struct WASMStructObject;

struct WASMArrayObject;

struct WASMFuncObject;

struct WASMStringrefObject;

/**
 * An object of the host's, or one of a guest's, as an externref.
 */
typedef struct WASMExternrefObject *wasm_externref_obj_t;

/**
 * An object of the host's, as an anyref.
 */
typedef struct WASMAnyrefObject *wasm_anyref_obj_t;

typedef struct WASMStructObject *wasm_struct_obj_t;

typedef struct WASMArrayObject *wasm_array_obj_t;

/**
 * A function.
 */
typedef struct WASMFuncObject *wasm_func_obj_t;

/**
 * No function takes or returns one.
 */
typedef struct WASMStringrefObject *wasm_stringref_obj_t;

/**
 * A small integer of 31 bits, as a reference.
 */
typedef uintptr_t wasm_i31_obj_t;

/**
 * Called with an object that is reachable no longer, and the embedder's pointer.
 */
typedef void (*wasm_obj_finalizer_t)(wasm_obj_t obj, void *data);

/* ---- Types that modules define ---- */

/**
 * How many types the module defines, types of functions included.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_get_defined_type_count(wasm_module_t module);

/**
 * The type with this index among those of the module; NULL beyond the last.
 */
WASM_RUNTIME_API_EXTERN
wasm_defined_type_t wasm_get_defined_type(wasm_module_t module, uint32_t index);

/**
 * The type of a struct, an array or a function, as the module defines it that has made the object,
 * or one that is linked to that. NULL for other objects and without one.
 */
WASM_RUNTIME_API_EXTERN
wasm_defined_type_t wasm_obj_get_defined_type(wasm_obj_t obj);

/**
 * The index of the type of a struct, an array or a function in a module of its context that
 * defines the same type, the lowest if it does so twice; -1 if the module does not, for other
 * objects and without one.
 */
WASM_RUNTIME_API_EXTERN
int32_t wasm_obj_get_defined_type_idx(wasm_module_t module, wasm_obj_t obj);

/**
 * Whether it is a type of functions, which is a `wasm_func_type_t`, too.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_defined_type_is_func_type(wasm_defined_type_t def_type);

/**
 * Whether it is a type of structs, which is a `wasm_struct_type_t`, too.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_defined_type_is_struct_type(wasm_defined_type_t def_type);

/**
 * Whether it is a type of arrays, which is a `wasm_array_type_t`, too.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_defined_type_is_array_type(wasm_defined_type_t def_type);

/**
 * The type of a parameter; all zero beyond the last. Indices of types in it are the module's that
 * the function type is of.
 */
WASM_RUNTIME_API_EXTERN
struct wasm_ref_type_t wasm_func_type_get_param_type(wasm_func_type_t func_type,
                                                     uint32_t param_idx);

/**
 * The type of a result; all zero beyond the last.
 */
WASM_RUNTIME_API_EXTERN
struct wasm_ref_type_t wasm_func_type_get_result_type(wasm_func_type_t func_type,
                                                      uint32_t result_idx);

/**
 * How many fields structs of the type have, those of its supertype included.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_struct_type_get_field_count(wasm_struct_type_t struct_type);

/**
 * The type of a field, and in `*p_is_mutable`, which may be NULL, whether guests may set it. All
 * zero and false beyond the last.
 */
WASM_RUNTIME_API_EXTERN
struct wasm_ref_type_t wasm_struct_type_get_field_type(wasm_struct_type_t struct_type,
                                                       uint32_t field_idx,
                                                       bool *p_is_mutable);

/**
 * The type of the elements of arrays of the type, and in `*p_is_mutable`, which may be NULL,
 * whether guests may set them.
 */
WASM_RUNTIME_API_EXTERN
struct wasm_ref_type_t wasm_array_type_get_elem_type(wasm_array_type_t array_type,
                                                     bool *p_is_mutable);

/**
 * Whether both are the same type: defined in groups of the same structure, at the same places.
 * Both are types of `module`.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_defined_type_equal(wasm_defined_type_t def_type1,
                             wasm_defined_type_t def_type2,
                             wasm_module_t module);

/**
 * Whether the first is the second or is declared a subtype of it, directly or through others. Both
 * are types of `module`.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_defined_type_is_subtype_of(wasm_defined_type_t def_type1,
                                     wasm_defined_type_t def_type2,
                                     wasm_module_t module);

/* ---- Types of values, fields and elements ---- */

/**
 * Describes references to the type with an index of a module's. A negative index changes nothing.
 */
WASM_RUNTIME_API_EXTERN
void wasm_ref_type_set_type_idx(struct wasm_ref_type_t *ref_type, bool nullable, int32_t type_idx);

/**
 * Describes references to what one of `wasm_heap_type_enum` is. Other numbers, those of strings
 * among them, change nothing.
 */
WASM_RUNTIME_API_EXTERN
void wasm_ref_type_set_heap_type(struct wasm_ref_type_t *ref_type,
                                 bool nullable,
                                 int32_t heap_type);

/**
 * Whether both describe the same type. Indices in them are `module`'s; a description that is none,
 * or of an index that the module does not have, equals nothing.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_ref_type_equal(const struct wasm_ref_type_t *ref_type1,
                         const struct wasm_ref_type_t *ref_type2,
                         wasm_module_t module);

/**
 * Whether all values of the first type are of the second. Otherwise as `wasm_ref_type_equal`.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_ref_type_is_subtype_of(const struct wasm_ref_type_t *ref_type1,
                                 const struct wasm_ref_type_t *ref_type2,
                                 wasm_module_t module);

/* ---- Structs ---- */

/**
 * Makes a struct of the type with this index in the module of the environment's instance, of zeros
 * and null references. NULL if the type is none of structs, while another thread runs in the
 * instance, and if the instance's heap of objects is full, also after objects were freed that
 * nothing leads to; no exception is set.
 *
 * The struct may be freed when the next object is made, by guest code or by the host, unless a
 * guest or `wasm_runtime_push_local_obj_ref` or `wasm_runtime_pin_object` leads to it.
 */
WASM_RUNTIME_API_EXTERN
wasm_struct_obj_t wasm_struct_obj_new_with_typeidx(wasm_exec_env_t exec_env, uint32_t type_idx);

/**
 * As `wasm_struct_obj_new_with_typeidx`, with the type itself, which is one of the module of the
 * environment's instance.
 */
WASM_RUNTIME_API_EXTERN
wasm_struct_obj_t wasm_struct_obj_new_with_type(wasm_exec_env_t exec_env, wasm_struct_type_t type);

/**
 * Sets a field, whether guests may set it or not. Nothing happens without such a struct and field,
 * for a reference to anything but a live object of the field's type, and while another thread runs
 * in the instance that made the struct.
 */
WASM_RUNTIME_API_EXTERN
void wasm_struct_obj_set_field(wasm_struct_obj_t obj,
                               uint32_t field_idx,
                               const wasm_value_t *value);

/**
 * Stores a field in `*value`; all zero without such a struct and field, and while another thread
 * runs in the instance that made the struct. An i8 or i16 becomes an i32, whose upper bits are its
 * sign if `sign_extend`, else zero.
 */
WASM_RUNTIME_API_EXTERN
void wasm_struct_obj_get_field(wasm_struct_obj_t obj,
                               uint32_t field_idx,
                               bool sign_extend,
                               wasm_value_t *value);

/**
 * How many fields the struct has; 0 without one.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_struct_obj_get_field_count(wasm_struct_obj_t obj);

/* ---- Arrays ---- */

/**
 * Makes an array of the type with this index in the module of the environment's instance: `length`
 * times `*init_value`, or zeros or null references if that is NULL. NULL is returned as by
 * `wasm_struct_obj_new_with_typeidx`, and also for a value that is not of the elements' type. The
 * array stays as long as a struct would.
 */
WASM_RUNTIME_API_EXTERN
wasm_array_obj_t wasm_array_obj_new_with_typeidx(wasm_exec_env_t exec_env,
                                                 uint32_t type_idx,
                                                 uint32_t length,
                                                 wasm_value_t *init_value);

/**
 * As `wasm_array_obj_new_with_typeidx`, with the type itself, which is one of the module of the
 * environment's instance.
 */
WASM_RUNTIME_API_EXTERN
wasm_array_obj_t wasm_array_obj_new_with_type(wasm_exec_env_t exec_env,
                                              wasm_array_type_t type,
                                              uint32_t length,
                                              wasm_value_t *init_value);

/**
 * Sets an element, as `wasm_struct_obj_set_field` sets a field.
 */
WASM_RUNTIME_API_EXTERN
void wasm_array_obj_set_elem(wasm_array_obj_t array_obj,
                             uint32_t elem_idx,
                             const wasm_value_t *value);

/**
 * Stores an element in `*value`, as `wasm_struct_obj_get_field` stores a field.
 */
WASM_RUNTIME_API_EXTERN
void wasm_array_obj_get_elem(wasm_array_obj_t array_obj,
                             uint32_t elem_idx,
                             bool sign_extend,
                             wasm_value_t *value);

/**
 * Copies `len` elements, also within one array. Nothing happens if they are not all there, if they
 * are not of a subtype of the target's elements, or if the arrays are of instances that are not
 * linked.
 */
WASM_RUNTIME_API_EXTERN
void wasm_array_obj_copy(wasm_array_obj_t dst_obj,
                         uint32_t dst_idx,
                         wasm_array_obj_t src_obj,
                         uint32_t src_idx,
                         uint32_t len);

/**
 * How many elements the array has; 0 without one.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_array_obj_length(wasm_array_obj_t array_obj);

/**
 * The address of the first element; the others follow, in as many bytes as their type has. It
 * stays as long as the array, which never moves. Elements that are references are words of 8 bytes
 * with no meaning to the host. NULL without an array, for arrays of functions, and while another
 * thread runs in the instance that made it.
 */
WASM_RUNTIME_API_EXTERN
void *wasm_array_obj_first_elem_addr(wasm_array_obj_t array_obj);

/**
 * As `wasm_array_obj_first_elem_addr`, the address of another element; NULL beyond the last.
 */
WASM_RUNTIME_API_EXTERN
void *wasm_array_obj_elem_addr(wasm_array_obj_t array_obj, uint32_t elem_idx);

/* ---- Functions ---- */

/**
 * The function with index `func_idx_bound` of the environment's instance, if it is of the type
 * with index `type_idx` in the instance's module or of a subtype of it. Nothing is made: a
 * function is an object as long as its instance lives, and needs nothing to stay. NULL for other
 * functions, and for those that the module neither imports, nor exports, nor takes a reference of.
 */
WASM_RUNTIME_API_EXTERN
wasm_func_obj_t wasm_func_obj_new_with_typeidx(wasm_exec_env_t exec_env,
                                               uint32_t type_idx,
                                               uint32_t func_idx_bound);

/**
 * As `wasm_func_obj_new_with_typeidx`, with the type itself, which is one of the module of the
 * environment's instance.
 */
WASM_RUNTIME_API_EXTERN
wasm_func_obj_t wasm_func_obj_new_with_type(wasm_exec_env_t exec_env,
                                            wasm_func_type_t type,
                                            uint32_t func_idx_bound);

/**
 * The index of the function in the module that defines it, or that imports it from the host.
 * 0xFFFFFFFF without a function.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_func_obj_get_func_idx_bound(wasm_func_obj_t func_obj);

/**
 * The function's type, which belongs to the module that defines it. NULL without a function.
 */
WASM_RUNTIME_API_EXTERN
wasm_func_type_t wasm_func_obj_get_func_type(wasm_func_obj_t func_obj);

/**
 * Calls a function as `wasm_runtime_call_wasm` does. An object that is no function of the
 * environment's instance, nor of one that it is linked to, is the exception "unknown function".
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_call_func_ref(wasm_exec_env_t exec_env,
                                wasm_func_obj_t func_obj,
                                uint32_t argc,
                                uint32_t *argv);

/**
 * Calls a function as `wasm_runtime_call_wasm_a` does; otherwise as `wasm_runtime_call_func_ref`.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_call_func_ref_a(wasm_exec_env_t exec_env,
                                  wasm_func_obj_t func_obj,
                                  uint32_t num_results,
                                  struct wasm_val_t *results,
                                  uint32_t num_args,
                                  struct wasm_val_t *args);

/**
 * Calls a function with C arguments, as `wasm_runtime_call_wasm_v` does; otherwise as
 * `wasm_runtime_call_func_ref`.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_call_func_ref_v(wasm_exec_env_t exec_env,
                                  wasm_func_obj_t func_obj,
                                  uint32_t num_results,
                                  struct wasm_val_t *results,
                                  uint32_t num_args,
                                  ...);

/* ---- Objects of the host's, externrefs, small integers ---- */

/**
 * An externref to an object of the host's, which is the environment's instance's from then on, as
 * with `wasm_externref_obj2ref`: the same object gives the same reference. NULL when memory runs
 * out. The reference is good until the instance lets the object go, which it may do after a call
 * unless a guest, a local reference or `wasm_runtime_pin_object` leads to it.
 *
 * Calls take such a reference or the host's pointer itself as an externref, and hand the pointer
 * out.
 */
WASM_RUNTIME_API_EXTERN
wasm_externref_obj_t wasm_externref_obj_new(wasm_exec_env_t exec_env, const void *host_obj);

/**
 * The host's object behind an externref; for one that a guest has made of an object of its own,
 * that object. A pointer that a call has handed out is the object itself, and comes back as it is.
 * NULL for an object that was let go, and for other references.
 */
WASM_RUNTIME_API_EXTERN
const void *wasm_externref_obj_get_value(wasm_externref_obj_t externref_obj);

/**
 * As `wasm_externref_obj_new`, as an anyref, which is the same object to guests that convert one
 * to the other.
 */
WASM_RUNTIME_API_EXTERN
wasm_anyref_obj_t wasm_anyref_obj_new(wasm_exec_env_t exec_env, const void *host_obj);

/**
 * The host's object behind an anyref; NULL for one that was let go, and for other references.
 */
WASM_RUNTIME_API_EXTERN
const void *wasm_anyref_obj_get_value(wasm_anyref_obj_t anyref_obj);

/**
 * What guests get that convert an externref to an anyref. NULL for other references, and for a
 * pointer that no instance has an object at.
 */
WASM_RUNTIME_API_EXTERN
wasm_obj_t wasm_externref_obj_to_internal_obj(wasm_externref_obj_t externref_obj);

/**
 * What guests get that convert an anyref to an externref. Nothing is made, so that it stays as
 * long as the object does. NULL for other references and for a NULL environment.
 */
WASM_RUNTIME_API_EXTERN
wasm_externref_obj_t wasm_internal_obj_to_externref_obj(wasm_exec_env_t exec_env,
                                                        wasm_obj_t internal_obj);

/**
 * The reference to the small integer that the lowest 31 bits of a number are.
 */
WASM_RUNTIME_API_EXTERN
wasm_i31_obj_t wasm_i31_obj_new(uint32_t i31_value);

/**
 * The value of a small integer: its 31 bits, with the highest one in bit 31 as well if
 * `sign_extend`. 0 for other references.
 */
WASM_RUNTIME_API_EXTERN
uint32_t wasm_i31_obj_get_value(wasm_i31_obj_t i31_obj, bool sign_extend);

/* ---- What keeps objects, and their end ---- */

/**
 * Keeps an object until `wasm_runtime_unpin_object` was called as often or the instance ends.
 * False for an object that is not there or is no object of the environment's instance, nor of one
 * that it is linked to, while another thread runs in the instance, and if memory runs out.
 * Functions and small integers always stay.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_pin_object(wasm_exec_env_t exec_env, wasm_obj_t obj);

/**
 * Takes one `wasm_runtime_pin_object` of the object back; false if there is none.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_runtime_unpin_object(wasm_exec_env_t exec_env, wasm_obj_t obj);

/**
 * Puts a reference on the environment's list, and sets its `val` to NULL. From now on the object
 * that `val` refers to stays, whatever that is set to, until the reference is popped. It must stay
 * where it is until then; when a native function returns, those that it has pushed and not popped
 * are taken off. Nothing happens if it is the last one on the list already, and while another
 * thread runs in the instance.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_push_local_obj_ref(wasm_exec_env_t exec_env, wasm_local_obj_ref_t *local_obj_ref);

/**
 * Takes the reference that was pushed last off the list, and returns it; NULL if there is none.
 */
WASM_RUNTIME_API_EXTERN
wasm_local_obj_ref_t *wasm_runtime_pop_local_obj_ref(wasm_exec_env_t exec_env);

/**
 * Takes the `n` references that were pushed last off the list, or all if there are fewer.
 */
WASM_RUNTIME_API_EXTERN
void wasm_runtime_pop_local_obj_refs(wasm_exec_env_t exec_env, uint32_t n);

/**
 * The reference that was pushed last, which stays on the list; NULL if there is none.
 */
WASM_RUNTIME_API_EXTERN
wasm_local_obj_ref_t *wasm_runtime_get_cur_local_obj_ref(wasm_exec_env_t exec_env);

/**
 * Has `cb` called with the object and `data` when the runtime finds that nothing leads to the
 * object, or when the instance and its last environment have ended, in place of the finalizer that
 * it had. False for functions and small integers, for an object that is not there, for a NULL
 * `cb`, and if memory runs out.
 *
 * The finalizer runs on the thread that makes another object, or ends a call or the instance. The
 * object can still be looked into; it goes afterwards, unless the finalizer has made it reachable.
 * It runs in the midst of guest code: calls of guests fail on the environment that runs with an
 * exception, which ends the guest unless it is cleared; and it has to return. It must not end the
 * instance. Finalizers of several objects run in no particular order.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_obj_set_gc_finalizer(wasm_exec_env_t exec_env,
                               wasm_obj_t obj,
                               wasm_obj_finalizer_t cb,
                               void *data);

/**
 * Takes an object's finalizer away, if it has one.
 */
WASM_RUNTIME_API_EXTERN
void wasm_obj_unset_gc_finalizer(wasm_exec_env_t exec_env, void *obj);

/* ---- What an object is ---- */

/**
 * Whether it is a live struct.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_obj_is_struct_obj(wasm_obj_t obj);

/**
 * Whether it is a live array.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_obj_is_array_obj(wasm_obj_t obj);

/**
 * Whether it is a function of a live instance.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_obj_is_func_obj(wasm_obj_t obj);

/**
 * Whether it is a small integer.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_obj_is_i31_obj(wasm_obj_t obj);

/**
 * Whether it is an externref. A pointer that this runtime has not made is one, because calls hand
 * objects of the host's out as they are; it is not followed.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_obj_is_externref_obj(wasm_obj_t obj);

/**
 * Whether it is an object of the host's, as an anyref.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_obj_is_anyref_obj(wasm_obj_t obj);

/**
 * Whether it is an anyref of any kind: a struct, an array, a small integer, an object of the
 * host's.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_obj_is_internal_obj(wasm_obj_t obj);

/**
 * Whether it is something that guests can compare: a struct, an array, a small integer.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_obj_is_eq_obj(wasm_obj_t obj);

/**
 * Whether it is a struct, an array or a function of a type of `module`, or of a subtype of it. The
 * module is one of the calling thread's context.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_obj_is_instance_of_defined_type(wasm_obj_t obj,
                                          wasm_defined_type_t defined_type,
                                          wasm_module_t module);

/**
 * As `wasm_obj_is_instance_of_defined_type`, with the index of the type in the module.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_obj_is_instance_of_type_idx(wasm_obj_t obj, uint32_t type_idx, wasm_module_t module);

/**
 * Whether it is of the heap type of a reference type, if that is one of `wasm_heap_type_enum`;
 * false for the index of a type, since nothing says of which module it is.
 */
WASM_RUNTIME_API_EXTERN
bool wasm_obj_is_instance_of_ref_type(wasm_obj_t obj, const struct wasm_ref_type_t *ref_type);

#ifdef __cplusplus
}
#endif

#endif /* _GC_EXPORT_H */
