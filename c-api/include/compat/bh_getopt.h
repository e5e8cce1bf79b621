/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * For programs written against WAMR that read their options with getopt: that of the system.
 */

#ifndef ISOTHREAD_COMPAT_BH_GETOPT_H
#define ISOTHREAD_COMPAT_BH_GETOPT_H

#include <getopt.h>

#endif
