/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * For programs written against the standard's header of this name: wasm_c_api.h, with the names
 * that the standard has and WAMR's header lacks.
 */

#ifndef ISOTHREAD_COMPAT_WASM_H
#define ISOTHREAD_COMPAT_WASM_H

#include "wasm_c_api.h"

/* The standard's former name of WASM_EXTERNREF. */
#define WASM_ANYREF WASM_EXTERNREF

#define wasm_name_new_uninitialized wasm_byte_vec_new_uninitialized

/**
 * The type of references to the host's objects, as wasm_valtype_new_anyref. The result is the
 * caller's; NULL without memory. Any thread.
 */
static inline wasm_valtype_t *wasm_valtype_new_externref(void)
{
    return wasm_valtype_new(WASM_EXTERNREF);
}

#endif
