/*
 * Shared by the programs of this folder. Each row is one thing that must belong to a context, a
 * thread or an instance, tried by two sides, A and B, each in a thread of its own.
 *
 * A program prints one line for each row, which the test that runs it compares with its list:
 * "ok NAME", "failed NAME", or "lacks FEATURE: NAME" where the library has nothing to try yet. A
 * row whose feature is there runs, so that it cannot be forgotten on the list.
 *
 * usage: ROUNDS=NUMBER PROGRAM MODULE-FOLDER
 */

#ifndef ROWS_H
#define ROWS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <pthread.h>
#include "../check.h"

static const char *missing_feature;

/* The number of runs of a row that is a race. */
static inline int rounds(void) {
    const char *text = getenv("ROUNDS");

    return text ? atoi(text) : 1;
}

/* Runs a row and prints its result. */
static inline void row(const char *name, void (*body)(void)) {
    int before = failed_checks;

    missing_feature = NULL;
    body();
    if (failed_checks != before) {
        printf("failed %s\n", name);
    }
    else if (missing_feature) {
        printf("lacks %s: %s\n", missing_feature, name);
    }
    else {
        printf("ok %s\n", name);
    }
}

/* Leaves the row on the list as long as the library has no such function. */
static inline void lacks_function(const char *function, const char *feature) {
    CHECK(!dlsym(RTLD_DEFAULT, function) && "it is there now: write the row");
    missing_feature = feature;
}

/* Leaves the row on the list as long as a condition holds. */
static inline void lacks_while(bool lacking, const char *feature) {
    CHECK(lacking && "it is there now: write the row");
    missing_feature = feature;
}

struct side {
    void (*body)(void);
    int rounds;
};

/* Where the two sides wait for each other. */
static pthread_barrier_t both_sides;

static inline void meet(void) {
    pthread_barrier_wait(&both_sides);
}

static inline void *side_thread(void *data) {
    struct side *side = data;
    int i;

    for (i = 0; i < side->rounds; i++) {
        meet();
        side->body();
    }
    return NULL;
}

/* Runs both sides `times` times, each in a thread of its own; they start each round together. */
static inline void sides(int times, void (*a)(void), void (*b)(void)) {
    struct side both[2] = {{a, times}, {b, times}};
    pthread_t threads[2];
    int i;

    pthread_barrier_init(&both_sides, NULL, 2);
    for (i = 0; i < 2; i++) {
        if (pthread_create(&threads[i], NULL, side_thread, &both[i]) != 0) {
            printf("no thread\n");
            exit(2);
        }
    }
    for (i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_barrier_destroy(&both_sides);
}

/* A context for the calling thread, which keeps quiet. */
static inline void quiet_init(const RuntimeInitArgs *args) {
    RuntimeInitArgs copy = args ? *args : system_args();

    CHECK(wasm_runtime_full_init(&copy));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
}

/* An instance with its module and exec_env. */
struct guest {
    wasm_module_t module;
    wasm_module_inst_t inst;
    wasm_exec_env_t env;
};

static inline struct guest start_guest(const char *name) {
    struct guest guest;

    guest.module = load_module(name);
    guest.inst = instantiate(guest.module, 8192, 0);
    guest.env = wasm_runtime_create_exec_env(guest.inst, 8192);
    CHECK(guest.env != NULL);
    return guest;
}

static inline void end_guest(struct guest *guest) {
    wasm_runtime_destroy_exec_env(guest->env);
    wasm_runtime_deinstantiate(guest->inst);
    wasm_runtime_unload(guest->module);
}

/* Calls a function of up to two i32 with an i32 as its result, or without one. */
static inline uint32_t call(struct guest *guest, const char *name, uint32_t argc, uint32_t first,
                            uint32_t second) {
    uint32_t argv[2] = {first, second};
    wasm_function_inst_t function = wasm_runtime_lookup_function(guest->inst, name);

    CHECK(function != NULL);
    CHECK(wasm_runtime_call_wasm(guest->env, function, argc, argv));
    return argv[0];
}

#endif /* ROWS_H */
