/* A guest that waits, and the natives that it calls. */

#ifndef BLOCKING_H
#define BLOCKING_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include "check.h"
#include "wasm_runtime_ctx.h"

/* EINTR as guests know it. */
enum { WASI_EINTR = 27 };

struct blocked {
    wasm_module_t module;
    wasm_module_inst_t inst;
    wasm_exec_env_t env;
    const char *function;
    /* Pipes without writers and readers. */
    int input[2], output[2];
    /* One that is emptied before each call, and then not. */
    int drain[2];
    int is_ready;
    /* Called by the native when it was interrupted, and the number of these calls. */
    void (*interrupted)(struct blocked *blocked);
    int interruptions;
    bool result;
    double ended;
};

static inline double now_ms(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static inline struct blocked *blocked_of(wasm_exec_env_t env) {
    return wasm_runtime_get_custom_data(wasm_runtime_get_module_inst(env));
}

static void ready(wasm_exec_env_t env) {
    __atomic_store_n(&blocked_of(env)->is_ready, 1, __ATOMIC_RELEASE);
}

static int block(wasm_exec_env_t env) {
    struct blocked *blocked = blocked_of(env);
    char byte;
    ssize_t done;
    int error;

    errno = 77;
    if (!wasm_runtime_begin_blocking_op(env)) {
        CHECK_INT(errno, 77);
        return WASI_EINTR;
    }
    CHECK_INT(errno, 77);
    ready(env);
    done = read(blocked->input[0], &byte, 1);
    error = errno;
    if (done < 0 && error == EINTR) {
        blocked->interruptions++;
        if (blocked->interrupted) {
            blocked->interrupted(blocked);
        }
    }
    errno = 78;
    wasm_runtime_end_blocking_op(env);
    CHECK_INT(errno, 78);
    return done < 0 && error == EINTR ? WASI_EINTR : 0;
}

static NativeSymbol blocking_natives[] = {
    {"ready", (void *)ready, "()", NULL},
    {"block", (void *)block, "()i", NULL},
};

/* Makes a guest in the current context. */
static inline void begin_blocked(struct blocked *blocked, const char *function) {
    const char *pool[] = {"127.0.0.1/32"};
    char error[128] = "";
    struct InstantiationArgs2 *args;
    char *rest = malloc(1 << 20);

    memset(blocked, 0, sizeof *blocked);
    memset(rest, 0, 1 << 20);
    blocked->function = function;
    CHECK(pipe(blocked->input) == 0 && pipe(blocked->output) == 0);
    CHECK(pipe(blocked->drain) == 0);
    fcntl(blocked->drain[0], F_SETFL, O_NONBLOCK);
    /* Full to the last byte. */
    fcntl(blocked->output[1], F_SETFL, O_NONBLOCK);
    while (write(blocked->output[1], rest, 1 << 20) > 0) {
    }
    fcntl(blocked->output[1], F_SETFL, 0);
    free(rest);
    blocked->module = load_module("blocking");
    CHECK(wasm_runtime_instantiation_args_create(&args));
    wasm_runtime_instantiation_args_set_wasi_stdio(args, blocked->input[0], blocked->output[1],
                                                   blocked->drain[1]);
    wasm_runtime_instantiation_args_set_wasi_addr_pool(args, pool, 1);
    blocked->inst = wasm_runtime_instantiate_ex2(blocked->module, args, error, sizeof error);
    CHECK_STR(error, "");
    wasm_runtime_instantiation_args_destroy(args);
    wasm_runtime_set_custom_data(blocked->inst, blocked);
    blocked->env = wasm_runtime_create_exec_env(blocked->inst, 8192);
}

static inline void end_blocked(struct blocked *blocked) {
    wasm_runtime_destroy_exec_env(blocked->env);
    wasm_runtime_deinstantiate(blocked->inst);
    wasm_runtime_unload(blocked->module);
    close(blocked->input[0]);
    close(blocked->input[1]);
    close(blocked->output[0]);
    close(blocked->output[1]);
    close(blocked->drain[0]);
    close(blocked->drain[1]);
}

static void *blocked_thread(void *data) {
    struct blocked *blocked = data;
    uint32_t argv[1] = {0};
    char bytes[4096];

    while (read(blocked->drain[0], bytes, sizeof bytes) > 0) {
    }
    blocked->result = wasm_runtime_call_wasm(
        blocked->env, wasm_runtime_lookup_function(blocked->inst, blocked->function), 0, argv);
    blocked->ended = now_ms();
    if (blocked->result) {
        printf("%s returned %u\n", blocked->function, argv[0]);
    }
    return NULL;
}

/* Waits until the guest waits, as well as one can know that. */
static inline void await_blocked(struct blocked *blocked) {
    while (!__atomic_load_n(&blocked->is_ready, __ATOMIC_ACQUIRE)) {
        usleep(200);
    }
    usleep(3000);
}

#endif /* BLOCKING_H */
