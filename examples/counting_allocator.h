/*
 * User allocators that count: functions for RuntimeInitArgs' Alloc_With_Allocator, on top of
 * malloc. DEFINE_ALLOCATOR(name) defines one of them, `name_allocator`.
 */
#ifndef COUNTING_ALLOCATOR_H
#define COUNTING_ALLOCATOR_H

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

/* The counters of a user allocator. Blocks may be freed by any thread, hence the lock. */
struct allocator_counts {
    pthread_mutex_t lock;
    size_t live_bytes;
    size_t peak_bytes;
    size_t blocks;
};

/* The callbacks as RuntimeInitArgs wants them. */
struct user_allocator {
    void *(*malloc)(unsigned size);
    void *(*realloc)(void *block, unsigned size);
    void (*free)(void *block);
    struct allocator_counts *counts;
};

/* In front of every block, so that freeing knows the size to subtract. */
union block_header {
    size_t size;
    long double alignment;
};

static void *counting_realloc(struct allocator_counts *counts, void *block, unsigned size)
{
    union block_header *header = block != NULL ? (union block_header *)block - 1 : NULL;
    size_t old_size = header != NULL ? header->size : 0;
    header = realloc(header, sizeof *header + size);
    if (header == NULL) {
        return NULL;
    }
    header->size = size;
    pthread_mutex_lock(&counts->lock);
    counts->blocks += block == NULL;
    counts->live_bytes += size - old_size;
    if (counts->live_bytes > counts->peak_bytes) {
        counts->peak_bytes = counts->live_bytes;
    }
    pthread_mutex_unlock(&counts->lock);
    return header + 1;
}

static void counting_free(struct allocator_counts *counts, void *block)
{
    if (block != NULL) {
        union block_header *header = (union block_header *)block - 1;
        pthread_mutex_lock(&counts->lock);
        counts->live_bytes -= header->size;
        pthread_mutex_unlock(&counts->lock);
        free(header);
    }
}

/* The callbacks carry no user data, so each allocator needs functions of its own. */
#define DEFINE_ALLOCATOR(name)                                                              \
    static struct allocator_counts name##_counts = {PTHREAD_MUTEX_INITIALIZER, 0, 0, 0};    \
    static void *name##_malloc(unsigned size)                                               \
    {                                                                                       \
        return counting_realloc(&name##_counts, NULL, size);                                \
    }                                                                                       \
    static void *name##_realloc(void *block, unsigned size)                                 \
    {                                                                                       \
        return counting_realloc(&name##_counts, block, size);                               \
    }                                                                                       \
    static void name##_free(void *block)                                                    \
    {                                                                                       \
        counting_free(&name##_counts, block);                                               \
    }                                                                                       \
    static const struct user_allocator name##_allocator = {name##_malloc, name##_realloc,   \
                                                           name##_free, &name##_counts}

/* The bytes that the allocator has handed out and not taken back. */
static size_t live_bytes_of(const struct user_allocator *allocator)
{
    size_t live_bytes;
    pthread_mutex_lock(&allocator->counts->lock);
    live_bytes = allocator->counts->live_bytes;
    pthread_mutex_unlock(&allocator->counts->lock);
    return live_bytes;
}

#endif
