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

@type wasm_value_type_t

@type wasm_value_type_enum

@type wasm_heap_type_t

@type wasm_heap_type_enum

@tag WASMObject

@type wasm_obj_t

#ifndef WASM_VALUE_DEFINED
#define WASM_VALUE_DEFINED
@type V128

@type WASMValue
#endif

@type wasm_value_t

@type wasm_ref_type_t

@type WASMLocalObjectRef

@type wasm_local_obj_ref_t

@tag WASMType

@tag WASMStructType

@tag WASMArrayType

@type wasm_defined_type_t

@type wasm_struct_type_t

@type wasm_array_type_t

@tag WASMExternrefObject

@tag WASMAnyrefObject

@tag WASMStructObject

@tag WASMArrayObject

@tag WASMFuncObject

@tag WASMStringrefObject

@type wasm_externref_obj_t

@type wasm_anyref_obj_t

@type wasm_struct_obj_t

@type wasm_array_obj_t

@type wasm_func_obj_t

@type wasm_stringref_obj_t

@type wasm_i31_obj_t

@type wasm_obj_finalizer_t

/* ---- Types that modules define ---- */

@functions gc_export/defined_types.rs WASM_RUNTIME_API_EXTERN

/* ---- Types of values, fields and elements ---- */

@functions gc_export/ref_types.rs WASM_RUNTIME_API_EXTERN

/* ---- Structs ---- */

@functions gc_export/structs.rs WASM_RUNTIME_API_EXTERN

/* ---- Arrays ---- */

@functions gc_export/arrays.rs WASM_RUNTIME_API_EXTERN

/* ---- Functions ---- */

@functions gc_export/funcs.rs WASM_RUNTIME_API_EXTERN
@variadic wasm_runtime_call_func_ref_v

/* ---- Objects of the host's, externrefs, small integers ---- */

@functions gc_export/hosts.rs WASM_RUNTIME_API_EXTERN

/* ---- What keeps objects, and their end ---- */

@functions gc_export/roots.rs WASM_RUNTIME_API_EXTERN

/* ---- What an object is ---- */

@functions gc_export/kinds.rs WASM_RUNTIME_API_EXTERN

#ifdef __cplusplus
}
#endif

#endif /* _GC_EXPORT_H */
