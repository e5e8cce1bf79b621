/*
 * Shared by the stress programs: random numbers from a seed that is printed after a failure,
 * workers with a watchdog, guests that hold a secret, and the search for secrets in wrong places.
 *
 * Every context has a secret, marked as such: any other context's secret in its place is a leak.
 *
 * STRESS_SECONDS says how long a program goes on (default 5), STRESS_SEED where its random
 * numbers start (default: the clock), STRESS_WORKERS how many threads work at once (default 6).
 */

#ifndef STRESS_H
#define STRESS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <time.h>
#include <unistd.h>
#include "../check.h"
#include "wasm_runtime_ctx.h"

#define MAX_WORKERS 32
/* Upper half of every secret. */
#define SECRET_MARK 0x5ec2e700u
/* The third byte of the lower half: a word that was half overwritten has lost it. */
#define SECRET_MIDDLE 0xa5u
/* A worker without a step for so long has lost a wake-up. */
#define PATIENCE_SECONDS 120
/* The place of guests' secret in linear memory: from this address on, at this distance. */
#define FILL_START 1024
#define FILL_STEP 256
#define PAGE 65536

struct worker {
    int number;
    pthread_t thread;
    uint64_t random;
    uint64_t steps;
    uint32_t secrets;
    const char *step;
    bool done;
};

static struct worker workers[MAX_WORKERS];
static int worker_count;
static uint64_t seed;
static time_t end_time;

static inline long number_from(const char *name, long otherwise) {
    const char *text = getenv(name);

    return text && *text ? atol(text) : otherwise;
}

/* splitmix64 */
static inline uint64_t next_random(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A number below `limit`. */
static inline uint32_t below(struct worker *w, uint32_t limit) {
    return (uint32_t)(next_random(&w->random) % limit);
}

static inline bool one_in(struct worker *w, uint32_t n) {
    return below(w, n) == 0;
}

/* Notes the worker's next step, for the watchdog. */
static inline void step(struct worker *w, const char *what) {
    __atomic_store_n(&w->step, what, __ATOMIC_RELAXED);
    __atomic_add_fetch(&w->steps, 1, __ATOMIC_RELAXED);
}

/* The log level of all contexts: STRESS_LOG, or nothing. */
static inline log_level_t quiet(void) {
    return (log_level_t)number_from("STRESS_LOG", WASM_LOG_LEVEL_FATAL);
}

static inline bool time_is_up(void) {
    return time(NULL) >= end_time || __atomic_load_n(&failed_checks, __ATOMIC_RELAXED) > 20;
}

static inline void pause_us(unsigned us) {
    struct timespec pause = {us / 1000000, (us % 1000000) * 1000L};

    nanosleep(&pause, NULL);
}

/* Looks whether the workers get on until all of them are done. */
static inline void watch(void) {
    uint64_t seen[MAX_WORKERS] = {0};
    time_t since[MAX_WORKERS];
    int i, left;

    for (i = 0; i < worker_count; i++) {
        since[i] = time(NULL);
    }
    do {
        pause_us(20000);
        left = 0;
        for (i = 0; i < worker_count; i++) {
            uint64_t steps = __atomic_load_n(&workers[i].steps, __ATOMIC_RELAXED);

            left += !__atomic_load_n(&workers[i].done, __ATOMIC_ACQUIRE);
            if (steps != seen[i]) {
                seen[i] = steps;
                since[i] = time(NULL);
            } else if (!__atomic_load_n(&workers[i].done, __ATOMIC_RELAXED) &&
                       time(NULL) - since[i] > PATIENCE_SECONDS) {
                printf("worker %d is stuck in \"%s\"; STRESS_SEED=%llu\n", i,
                       __atomic_load_n(&workers[i].step, __ATOMIC_RELAXED),
                       (unsigned long long)seed);
                fflush(stdout);
                abort();
            }
        }
    } while (left > 0);
}

static inline void set_up(void) {
    long count = number_from("STRESS_WORKERS", 6);
    int i;

    seed = (uint64_t)number_from("STRESS_SEED", (long)time(NULL));
    worker_count = count < 2 ? 2 : count > MAX_WORKERS ? MAX_WORKERS : (int)count;
    end_time = time(NULL) + number_from("STRESS_SECONDS", 5);
    for (i = 0; i < worker_count; i++) {
        workers[i].number = i;
        workers[i].random = seed + (uint64_t)i * 1000003u;
        workers[i].step = "start";
    }
}

/* Runs `body` in every worker and waits for all, with `meanwhile` on a thread of its own. */
static inline void work(void *(*body)(void *), void *(*meanwhile)(void *)) {
    pthread_t other;
    int i;

    for (i = 0; i < worker_count; i++) {
        if (pthread_create(&workers[i].thread, NULL, body, &workers[i]) != 0) {
            printf("no thread\n");
            exit(2);
        }
    }
    CHECK(!meanwhile || pthread_create(&other, NULL, meanwhile, NULL) == 0);
    watch();
    for (i = 0; i < worker_count; i++) {
        pthread_join(workers[i].thread, NULL);
    }
    if (meanwhile) {
        pthread_join(other, NULL);
    }
    if (failed_checks) {
        printf("STRESS_SEED=%llu\n", (unsigned long long)seed);
    }
}

static inline bool all_done(void) {
    int i;

    for (i = 0; i < worker_count; i++) {
        if (!__atomic_load_n(&workers[i].done, __ATOMIC_ACQUIRE)) {
            return false;
        }
    }
    return true;
}

static inline void worker_done(struct worker *w) {
    __atomic_store_n(&w->done, true, __ATOMIC_RELEASE);
}

/* ---- Secrets ---- */

/* Workers' secrets differ, and so do those of a worker's contexts that follow each other. The two
   lowest bytes say nothing: of stale words, those may have been overwritten. */
static inline uint64_t new_secret(struct worker *w) {
    uint32_t owner = (uint32_t)w->number * 8 + w->secrets++ % 8;

    return (uint64_t)SECRET_MARK << 32 | owner << 24 | SECRET_MIDDLE << 16;
}

/* Whether memory holds any other secret than `own`. */
static inline bool has_foreign_secret(const void *memory, size_t bytes, uint64_t own) {
    const char *at = memory;
    uint64_t word;
    size_t i;

    for (i = 0; i + sizeof word <= bytes; i += sizeof word) {
        memcpy(&word, at + i, sizeof word);
        if (word >> 32 == SECRET_MARK && (word >> 16 & 255) == SECRET_MIDDLE &&
            word >> 24 != own >> 24) {
            return true;
        }
    }
    return false;
}

/* ---- Guests ---- */

struct tenant {
    uint64_t secret;
    NativeSymbol symbols[2];
    wasm_runtime_ctx_t ctx;
    wasm_module_t module;
    wasm_module_inst_t inst;
    wasm_exec_env_t env;
};

static inline bool call(struct tenant *t, const char *name, uint32_t argc, uint32_t *argv) {
    wasm_function_inst_t function = wasm_runtime_lookup_function(t->inst, name);

    CHECK(function != NULL);
    return wasm_runtime_call_wasm(t->env, function, argc, argv);
}

/* The exception must be this one, and is taken back. */
static inline void expect_exception(struct tenant *t, const char *text) {
    char full[80];

    snprintf(full, sizeof full, "Exception: %s", text);
    CHECK_STR(wasm_runtime_get_exception(t->inst), full);
    wasm_runtime_clear_exception(t->inst);
}

/* Natives of the guests: their attachment, and a call back. */
static int64_t native_secret(wasm_exec_env_t env) {
    struct tenant *t = wasm_runtime_get_function_attachment(env);

    CHECK(wasm_runtime_ctx_current() == wasm_runtime_ctx_of_exec_env(env));
    return (int64_t)t->secret;
}

static int32_t native_nest(wasm_exec_env_t env, int32_t depth) {
    struct tenant *t = wasm_runtime_get_function_attachment(env);
    wasm_module_inst_t inst = wasm_runtime_get_module_inst(env);
    uint32_t argv[1] = {(uint32_t)depth};
    void *block = wasm_runtime_malloc(64);

    if (block) {
        memcpy(block, &t->secret, sizeof t->secret);
    }
    CHECK(wasm_runtime_ctx_current() == wasm_runtime_ctx_of_exec_env(env));
    if (!wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "nest"), 1, argv)) {
        argv[0] = 0;
    }
    CHECK(!block || memcmp(block, &t->secret, sizeof t->secret) == 0);
    CHECK(wasm_runtime_get_function_attachment(env) == t);
    wasm_runtime_free(block);
    return (int32_t)argv[0];
}

static inline void name_natives(struct tenant *t) {
    t->symbols[0] = (NativeSymbol){"secret", (void *)native_secret, "()I", t};
    t->symbols[1] = (NativeSymbol){"nest", (void *)native_nest, "(i)i", t};
}

static inline wasm_runtime_ctx_stats_t stats_of(struct tenant *t) {
    wasm_runtime_ctx_stats_t stats;

    stats.struct_size = sizeof stats;
    CHECK(wasm_runtime_ctx_stats(t->ctx, &stats));
    return stats;
}

/* Waits until the context's threads have ended: a guest that has seen the last of them do its
   work may be faster than their ends. */
static inline void no_threads(struct tenant *t) {
    while (stats_of(t).threads > 0) {
        pause_us(100);
    }
}

/* Lets the guest start `count` threads of its own, and checks their results. */
static inline void start_threads(struct tenant *t, uint32_t count) {
    uint32_t argv[1] = {count};

    CHECK(wasm_runtime_call_wasm(t->env, wasm_runtime_lookup_function(t->inst, "start"), 1, argv));
    CHECK_INT(argv[0], count * (count + 1) / 2);
}

static inline char *guest_bytes(struct tenant *t, size_t *bytes) {
    wasm_memory_inst_t memory = wasm_runtime_get_default_memory(t->inst);

    *bytes = (size_t)wasm_memory_get_cur_page_count(memory) * PAGE;
    return wasm_memory_get_base_address(memory);
}

/* Puts the secret all over the memory. */
static inline void fill(struct tenant *t) {
    uint32_t argv[2] = {(uint32_t)t->secret, (uint32_t)(t->secret >> 32)};

    CHECK(call(t, "fill", 2, argv));
}

/* It is still there, and no other's; `filled` are the bytes it was put in. */
static inline void verify(struct tenant *t, size_t filled) {
    uint32_t argv[2] = {(uint32_t)t->secret, (uint32_t)(t->secret >> 32)};
    size_t bytes;
    char *memory = guest_bytes(t, &bytes);

    CHECK(call(t, "count", 2, argv));
    CHECK_INT(argv[0], (filled - FILL_START) / FILL_STEP);
    CHECK(!has_foreign_secret(memory, bytes, t->secret));
    CHECK(call(t, "secret", 0, argv));
    CHECK(argv[0] == (uint32_t)t->secret && argv[1] == t->secret >> 32);
}

/* Deep into the guest and back out, through natives. */
static inline void nest(struct tenant *t, uint32_t depth) {
    uint32_t argv[1] = {depth};

    CHECK(call(t, "nest", 1, argv));
    CHECK_INT(argv[0], depth);
}

static inline void grow(struct tenant *t) {
    size_t before, after, i;
    uint32_t argv[1] = {1};
    char *memory = guest_bytes(t, &before);

    fill(t);
    CHECK(call(t, "grow", 1, argv));
    memory = guest_bytes(t, &after);
    CHECK(after == before + ((int32_t)argv[0] == -1 ? 0 : PAGE));
    for (i = before; i < after; i++) {
        if (memory[i]) {
            CHECK(!"new memory is zero");
            break;
        }
    }
    verify(t, before);
}

#endif /* STRESS_H */
