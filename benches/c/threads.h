/*
 * The same work in several threads at once, counted: operations per second of all threads together,
 * and per second of a core. A program that includes this defines `worker`, which begins with its
 * unmeasured part, calls `count_while` once, and cleans up.
 */
#ifndef THREADS_H
#define THREADS_H

#include "bench.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

enum { THREADS_MAX = 8 };

static const int thread_counts[] = { 1, 2, 4, 8 };
enum { COUNTS = sizeof thread_counts / sizeof thread_counts[0] };

static pthread_barrier_t start_line;
static bool stop;

/* The counts of one thread. */
struct count {
    /* On cache lines of its own. */
    _Alignas(128) uint64_t done;
    double cpu_seconds;
};

/* A thread's function; it gets a `struct count`. */
static void *worker(void *count);

static inline double seconds_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Waits for the others, and works until the time is up: `work` returns how much it did. */
static inline void count_while(struct count *count, uint64_t (*work)(void *data), void *data)
{
    double started;

    pthread_barrier_wait(&start_line);
    started = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        count->done += work(data);
    }
    count->cpu_seconds = seconds_of(CLOCK_THREAD_CPUTIME_ID) - started;
}

struct speed {
    double wall, cpu;
};

static inline struct speed throughput(int threads, int milliseconds)
{
    struct timespec pause = { milliseconds / 1000, milliseconds % 1000 * 1000000L };
    static struct count counts[THREADS_MAX];
    pthread_t ids[THREADS_MAX];
    uint64_t sum = 0;
    double started, cpu = 0;

    memset(counts, 0, sizeof counts);
    stop = false;
    pthread_barrier_init(&start_line, NULL, (unsigned)threads + 1);
    for (int i = 0; i < threads; i++) {
        check(pthread_create(&ids[i], NULL, worker, &counts[i]) == 0, "thread", "");
    }
    pthread_barrier_wait(&start_line);
    started = seconds_of(CLOCK_MONOTONIC);
    nanosleep(&pause, NULL);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        sum += counts[i].done;
        cpu += counts[i].cpu_seconds;
    }
    pthread_barrier_destroy(&start_line);
    return (struct speed){ (double)sum / (seconds_of(CLOCK_MONOTONIC) - started),
                           (double)sum / cpu };
}

/* Keeps the better of both. */
static inline void keep_best(struct speed *best, struct speed now)
{
    best->wall = now.wall > best->wall ? now.wall : best->wall;
    best->cpu = now.cpu > best->cpu ? now.cpu : best->cpu;
}

#endif
