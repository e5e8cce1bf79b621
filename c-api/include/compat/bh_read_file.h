/*
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * For programs written against WAMR that read modules with its helper function.
 */

#ifndef ISOTHREAD_COMPAT_BH_READ_FILE_H
#define ISOTHREAD_COMPAT_BH_READ_FILE_H

#include "bh_platform.h"

/* Why reading fails, or NULL. On success *bytes is the caller's; file is open and stays so. */
static inline const char *isothread_compat_read(FILE *file, char **bytes, uint32_t *size)
{
    long end;
    if (fseek(file, 0, SEEK_END) != 0 || (end = ftell(file)) < 0 || (uint64_t)end > UINT32_MAX)
        return "find size of";
    rewind(file);
    /* Allocators may refuse a size of 0. */
    *bytes = (char *)BH_MALLOC(end > 0 ? (uint32_t)end : 1);
    if (!*bytes)
        return "allocate memory for";
    if (fread(*bytes, 1, (size_t)end, file) != (size_t)end) {
        BH_FREE(*bytes);
        return "read";
    }
    *size = (uint32_t)end;
    return NULL;
}

/**
 * Reads a whole file. The result is the caller's, who frees it with BH_FREE, and *ret_size is its
 * length. If the file cannot be read, or an argument is NULL, prints the reason to standard output
 * and returns NULL. Uses the calling thread's context, which must have been initialised, unless
 * BH_MALLOC is defined as something else.
 */
static inline char *bh_read_file_to_buffer(const char *filename, uint32_t *ret_size)
{
    char *bytes = NULL;
    const char *failed;
    FILE *file;
    if (!filename || !ret_size) {
        printf("Read file to buffer failed: invalid filename or ret size.\n");
        return NULL;
    }
    file = fopen(filename, "rb");
    failed = file ? isothread_compat_read(file, &bytes, ret_size) : "open";
    if (file)
        fclose(file);
    if (failed) {
        printf("Read file to buffer failed: %s file %s failed.\n", failed, filename);
        return NULL;
    }
    return bytes;
}

#endif
