/*
 * The cost of contexts when several threads work at once, through the public C API only, so that
 * the same source can be linked with any library that has it. Each round runs every number of
 * threads in turn, with a context for each thread and then with one for all of them; the best round
 * of each counts. Prints lines "job threads operations-per-second times-one-thread
 * times-one-thread-per-second-of-cpu": the last number does not depend on how many cores are free,
 * and is 1 where threads do not hinder each other, unless they sleep.
 *
 * usage: contexts [ROUNDS [MILLISECONDS]]
 */
#define _GNU_SOURCE
#include "threads.h"
#include "wasm_export.h"

/* (module (memory 1) (func (export "add") (param i32 i32) (result i32)
 *     (i32.add (local.get 0) (local.get 1)))) */
static const uint8_t module_bytes[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x07, 0x01, 0x60, 0x02, 0x7f, 0x7f,
    0x01, 0x7f, 0x03, 0x02, 0x01, 0x00, 0x05, 0x03, 0x01, 0x00, 0x01, 0x07, 0x07, 0x01, 0x03,
    0x61, 0x64, 0x64, 0x00, 0x00, 0x0a, 0x09, 0x01, 0x07, 0x00, 0x20, 0x00, 0x20, 0x01, 0x6a,
    0x0b,
};

enum { STACK_SIZE = 8192, BATCH = 16 };

static bool own_contexts;
static wasm_module_t shared_module;
static wasm_exec_env_t foreign_env;
static wasm_function_inst_t foreign_add;

static wasm_module_t load(void)
{
    char error[128] = "";
    uint8_t bytes[sizeof module_bytes];
    wasm_module_t module;

    memcpy(bytes, module_bytes, sizeof bytes);
    module = wasm_runtime_load(bytes, sizeof bytes, error, sizeof error);
    check(module != NULL, "load", error);
    return module;
}

static void call_add(wasm_exec_env_t env, wasm_function_inst_t add)
{
    uint32_t argv[2] = { 20, 22 };

    check(wasm_runtime_call_wasm(env, add, 2, argv) && argv[0] == 42, "call_wasm", "");
}

/* An instance's whole life. */
static void life(wasm_module_t module)
{
    char error[128] = "";
    wasm_module_inst_t inst =
        wasm_runtime_instantiate(module, STACK_SIZE, 0, error, sizeof error);
    wasm_exec_env_t env;

    check(inst != NULL, "instantiate", error);
    env = wasm_runtime_create_exec_env(inst, STACK_SIZE);
    check(env != NULL, "create_exec_env", "");
    call_add(env, wasm_runtime_lookup_function(inst, "add"));
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
}

/* A handle-free call. */
static void allocation(wasm_module_t module)
{
    void *block = wasm_runtime_malloc(64);

    (void)module;
    check(block != NULL, "malloc", "");
    wasm_runtime_free(block);
}

static void (*job)(wasm_module_t module);

static uint64_t batch(void *module)
{
    for (int i = 0; i < BATCH; i++) {
        job(module);
    }
    return BATCH;
}

static void *worker(void *data)
{
    struct count *count = data;
    wasm_module_t module = shared_module;

    if (own_contexts) {
        check(wasm_runtime_init(), "init", "");
        module = load();
    }
    else {
        check(wasm_runtime_init_thread_env(), "init_thread_env", "");
    }
    count_while(count, batch, module);
    if (own_contexts) {
        wasm_runtime_unload(module);
        wasm_runtime_destroy();
    }
    else {
        wasm_runtime_destroy_thread_env();
    }
    return NULL;
}

static void scaling(const char *name, void (*what)(wasm_module_t), int rounds, int milliseconds)
{
    struct speed best[2][COUNTS];

    memset(best, 0, sizeof best);
    job = what;
    for (int round = 0; round < rounds; round++) {
        for (int own = 0; own < 2; own++) {
            for (int i = 0; i < COUNTS; i++) {
                own_contexts = own;
                keep_best(&best[own][i], throughput(thread_counts[i], milliseconds));
            }
        }
    }
    for (int own = 1; own >= 0; own--) {
        for (int i = 0; i < COUNTS; i++) {
            printf("%s,%s %d %.0f %.2f %.2f\n", name, own ? "own" : "shared", thread_counts[i],
                   best[own][i].wall, best[own][i].wall / best[own][0].wall,
                   best[own][i].cpu / best[own][0].cpu);
        }
    }
}

enum { CALLS = 200000 };

static void report_call(const char *name, int rounds)
{
    double least = 1e9;

    for (int round = 0; round < rounds; round++) {
        double started = cpu_seconds();
        for (int i = 0; i < CALLS; i++) {
            call_add(foreign_env, foreign_add);
        }
        double seconds = cpu_seconds() - started;
        least = seconds < least ? seconds : least;
    }
    printf("%s %.2f ns\n", name, least * 1e9 / CALLS);
}

static int call_rounds;

/* The guest is the main thread's: called without a context of one's own, and with one. */
static void *foreign_calls(void *data)
{
    (void)data;
    report_call("call_wasm,thread_without_context", call_rounds);
    check(wasm_runtime_init(), "init", "");
    report_call("call_wasm,thread_with_its_own", call_rounds);
    wasm_runtime_destroy();
    return NULL;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 5;
    int milliseconds = argc > 2 ? atoi(argv[2]) : 200;
    char error[128] = "";
    wasm_module_inst_t inst;
    pthread_t thread;

    check(wasm_runtime_init(), "init", "");
    shared_module = load();
    inst = wasm_runtime_instantiate(shared_module, STACK_SIZE, 0, error, sizeof error);
    check(inst != NULL, "instantiate", error);
    foreign_env = wasm_runtime_create_exec_env(inst, STACK_SIZE);
    foreign_add = wasm_runtime_lookup_function(inst, "add");
    call_rounds = rounds;
    report_call("call_wasm,own_thread", rounds);
    check(pthread_create(&thread, NULL, foreign_calls, NULL) == 0, "thread", "");
    pthread_join(thread, NULL);
    wasm_runtime_destroy_exec_env(foreign_env);
    wasm_runtime_deinstantiate(inst);

    scaling("instantiate+call+deinstantiate", life, rounds, milliseconds);
    scaling("malloc+free", allocation, rounds, milliseconds);
    wasm_runtime_unload(shared_module);
    wasm_runtime_destroy();
    return 0;
}
