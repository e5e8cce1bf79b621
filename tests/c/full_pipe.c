/* Standard output is a pipe that nobody reads: guests that print end when they have to. */

#include <pthread.h>
#include <stdio_ext.h>
#include <time.h>
#include <unistd.h>
#include "check.h"
#include "wasm_runtime_ctx.h"

/* A guest's time and its greatest delay, in milliseconds, on a machine that is not busy. */
enum { TIME = 50, LATENESS = 20, TRIES = 8 };

static wasm_module_inst_t inst;
static wasm_exec_env_t env;

static double now_ms(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void set_time(uint64_t time_ms) {
    wasm_runtime_ctx_limits_t limits;

    memset(&limits, 0, sizeof limits);
    limits.struct_size = sizeof limits;
    limits.set = WASM_RUNTIME_CTX_LIMIT_TIME;
    limits.time_ms = time_ms;
    CHECK(wasm_runtime_ctx_set_limits(wasm_runtime_ctx_current(), &limits));
}

static void *terminate_soon(void *unused) {
    usleep(TIME * 1000);
    wasm_runtime_terminate(inst);
    return unused;
}

/* The delay of the guest's end, in milliseconds. */
static double lateness(const char *name, bool by_time) {
    double started = now_ms(), ended;
    pthread_t thread;

    if (by_time) {
        set_time(TIME);
    }
    else {
        CHECK(pthread_create(&thread, NULL, terminate_soon, NULL) == 0);
    }
    CHECK(!wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, name), 0, NULL));
    ended = now_ms();
    if (by_time) {
        CHECK_STR(wasm_runtime_get_exception(inst), "Exception: deadline exceeded");
        set_time(UINT64_MAX);
    }
    else {
        CHECK(pthread_join(thread, NULL) == 0);
        CHECK_STR(wasm_runtime_get_exception(inst), "Exception: terminated by user");
    }
    wasm_runtime_clear_exception(inst);
    return ended - started - TIME;
}

static void ends_in_time(const char *name, bool by_time) {
    double least = 1e9;

    for (int i = 0; i < TRIES && least > LATENESS; i++) {
        double late = lateness(name, by_time);

        least = late < least ? late : least;
    }
    CHECK(least <= LATENESS);
}

static void run(void) {
    static const char *const names[] = {"puts_long", "puts_short", "printf", "putchar"};
    int before = dup(STDOUT_FILENO), ends[2];
    wasm_module_t module;

    CHECK(wasm_runtime_init());
    module = load_module("full_pipe");
    inst = instantiate(module, 8192, 0);
    env = wasm_runtime_create_exec_env(inst, 8192);
    fflush(stdout);
    CHECK(pipe(ends) == 0 && dup2(ends[1], STDOUT_FILENO) >= 0);
    for (int i = 0; i < 4; i++) {
        ends_in_time(names[i], true);
        ends_in_time(names[i], false);
    }
    /* The rest in the buffer is the guest's. */
    close(ends[0]);
    CHECK(dup2(before, STDOUT_FILENO) >= 0);
    __fpurge(stdout);
    close(ends[1]);
    close(before);
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
}
