/* Standard output is a pipe without a reader: guests that print end when they have to. */

#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <stdio_ext.h>
#include <time.h>
#include <unistd.h>
#include "check.h"
#include "wasm_runtime_ctx.h"

/* A guest's time and its greatest delay, in milliseconds, on a machine that is not busy. */
enum { TIME = 50, LATENESS = 20, TRIES = 8 };

static wasm_module_t module;
static wasm_module_inst_t inst;
static wasm_exec_env_t env;

static void begin(const char *name) {
    module = load_module(name);
    inst = instantiate(module, 8192, 0);
    env = wasm_runtime_create_exec_env(inst, 8192);
}

static void end(void) {
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
}

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

/* The host's own output does not get through either, and keeps C's stream locked meanwhile. */
static void *print(void *text) {
    fputs(text, stdout);
    fflush(stdout);
    return NULL;
}

static void nothing_is_read(int reading) {
    static const char *const names[] = {"puts_long", "puts_short", "printf", "putchar"};
    static char text[100000];
    char read_back[4096];
    pthread_t host;

    begin("full_pipe");
    for (int i = 0; i < 4; i++) {
        ends_in_time(names[i], true);
        ends_in_time(names[i], false);
    }
    memset(text, '.', sizeof text - 1);
    CHECK(pthread_create(&host, NULL, print, text) == 0);
    usleep(10000);
    ends_in_time("puts_short", true);
    end();
    begin("full_pipe_log");
    ends_in_time("complain", true);
    end();
    /* The host gets through once there is a reader. */
    while (pthread_tryjoin_np(host, NULL) != 0) {
        struct pollfd readable = {reading, POLLIN, 0};

        if (poll(&readable, 1, 10) > 0) {
            CHECK(read(reading, read_back, sizeof read_back) > 0);
        }
    }
}

static void run(void) {
    int before = dup(STDOUT_FILENO), ends[2];

    CHECK(wasm_runtime_init());
    fflush(stdout);
    CHECK(pipe(ends) == 0 && dup2(ends[1], STDOUT_FILENO) >= 0);
    nothing_is_read(ends[0]);
    /* The rest in the buffer is the guest's. */
    __fpurge(stdout);
    CHECK(dup2(before, STDOUT_FILENO) >= 0);
    close(ends[0]);
    close(ends[1]);
    close(before);
    wasm_runtime_destroy();
}
