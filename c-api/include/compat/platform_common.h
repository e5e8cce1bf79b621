/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * For programs written against WAMR that include this header: see bh_platform.h.
 */

#ifndef ISOTHREAD_COMPAT_PLATFORM_COMMON_H
#define ISOTHREAD_COMPAT_PLATFORM_COMMON_H

#include "bh_platform.h"

#endif
