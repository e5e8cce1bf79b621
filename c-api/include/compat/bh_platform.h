/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * For programs written against WAMR that include its helper header of this name: the short
 * integer names, thread types, assertions and allocation macros that such programs use, and the
 * C headers they expect to get with it. Only what reaches the public API is here; nothing has
 * to be linked. New programs need none of it.
 */

#ifndef ISOTHREAD_COMPAT_BH_PLATFORM_H
#define ISOTHREAD_COMPAT_BH_PLATFORM_H

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "wasm_export.h"

typedef int8_t int8;
typedef uint8_t uint8;
typedef int16_t int16;
typedef uint16_t uint16;
typedef int32_t int32;
typedef uint32_t uint32;
typedef int64_t int64;
typedef uint64_t uint64;
typedef float float32;
typedef double float64;

typedef pthread_t korp_tid;
typedef pthread_t korp_thread;
typedef pthread_mutex_t korp_mutex;
typedef pthread_cond_t korp_cond;

/* Memory of the calling thread's context; a program may define both as something else. */
#ifndef BH_MALLOC
#define BH_MALLOC wasm_runtime_malloc
#endif
#ifndef BH_FREE
#define BH_FREE wasm_runtime_free
#endif

#ifndef bh_assert
#define bh_assert(condition) assert(condition)
#endif

#include "bh_log.h"

#endif
