/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * For programs written against WAMR that set the log level through this header.
 */

#ifndef ISOTHREAD_COMPAT_BH_LOG_H
#define ISOTHREAD_COMPAT_BH_LOG_H

#include "bh_platform.h"

typedef enum {
    BH_LOG_LEVEL_FATAL = WASM_LOG_LEVEL_FATAL,
    BH_LOG_LEVEL_ERROR = WASM_LOG_LEVEL_ERROR,
    BH_LOG_LEVEL_WARNING = WASM_LOG_LEVEL_WARNING,
    BH_LOG_LEVEL_DEBUG = WASM_LOG_LEVEL_DEBUG,
    BH_LOG_LEVEL_VERBOSE = WASM_LOG_LEVEL_VERBOSE
} LogLevel;

/**
 * Sets the log level of the calling thread's context. Levels above the last mean the last. Any
 * thread.
 */
static inline void bh_log_set_verbose_level(uint32_t level)
{
    const uint32_t last = BH_LOG_LEVEL_VERBOSE;
    wasm_runtime_set_log_level((log_level_t)(level < last ? level : last));
}

#endif
