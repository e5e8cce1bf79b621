/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The options of compiling modules ahead (aot_export.h).
 * Generated from c-api/src by c-api/gen; edit those, not this file.
 *
 * Rules that hold for every function, unless its comment says otherwise:
 *
 * - Ownership. Structs and the strings in them stay the caller's.
 * - NULL. A NULL pointer is an error: the function does nothing.
 * - Threads. Functions keep no state and may be called on any thread.
 */

#ifndef __AOT_COMP_OPTION_H__
#define __AOT_COMP_OPTION_H__

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

@type AOTCallStackFeatures

@functions aot_comp_option/mod.rs extern

@type AOTStackFrameType

@type AOTCompOption

@type aot_comp_option_t

#ifdef __cplusplus
}
#endif

#endif /* __AOT_COMP_OPTION_H__ */
