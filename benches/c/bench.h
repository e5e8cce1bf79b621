/* The common part of the programs: CPU time, files, and stopping when something fails. */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "wasm_export.h"

static inline double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static inline void check(int ok, const char *what, const char *why)
{
    if (!ok) {
        fprintf(stderr, "%s failed: %s\n", what, why);
        exit(1);
    }
}

/* The mode that a program is asked for, or that of the library. */
static inline void choose_mode(RuntimeInitArgs *args)
{
    const char *mode = getenv("RUNNING_MODE");
    if (mode) {
        args->running_mode = (RunningMode)atoi(mode);
    }
}

static inline uint8_t *read_file(const char *path, uint32_t *size)
{
    FILE *file = fopen(path, "rb");
    check(file != NULL, "open", path);
    fseek(file, 0, SEEK_END);
    long length = ftell(file);
    rewind(file);
    uint8_t *bytes = malloc((size_t)length);
    check(bytes && fread(bytes, 1, (size_t)length, file) == (size_t)length, "read", path);
    fclose(file);
    *size = (uint32_t)length;
    return bytes;
}

#endif
