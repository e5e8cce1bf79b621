/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * For programs written against WAMR that include this internal header for the public ones and a
 * few macros.
 */

#ifndef ISOTHREAD_COMPAT_WASM_RUNTIME_COMMON_H
#define ISOTHREAD_COMPAT_WASM_RUNTIME_COMMON_H

#include "bh_platform.h"

/* The running mode of wasm_runtime_full_init that means the library's own choice. */
#define Mode_Default 0

/* Stores a 64-bit value in two 32-bit cells of an argument array. */
#define PUT_I64_TO_ADDR(addr, value)                            \
    do {                                                        \
        const int64_t isothread_compat_value = (int64_t)(value); \
        memcpy((addr), &isothread_compat_value, 8);             \
    } while (0)

#endif
