/* What both programs share: CPU time, and stopping when something fails. */
#ifndef BENCH_H
#define BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

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

#endif
