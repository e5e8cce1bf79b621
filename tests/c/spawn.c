/* Threads of a guest that the host starts: shared state, inherited state, ends. */

#include <pthread.h>
#include <unistd.h>
#include "check.h"

#define THREADS 4

static void *key;

static int32_t told(wasm_exec_env_t exec_env) {
    wasm_module_inst_t inst = wasm_runtime_get_module_inst(exec_env);
    int *data = wasm_runtime_get_custom_data(inst);
    int *context = wasm_runtime_get_context(inst, key);

    return *data + *context;
}

static bool call(wasm_exec_env_t env, const char *name, uint32_t argc, uint32_t *argv) {
    wasm_module_inst_t inst = wasm_runtime_get_module_inst(env);

    return wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, name), argc, argv);
}

static void *sum_tens(wasm_exec_env_t env, void *data) {
    uint32_t argv[2] = {(uint32_t)(uintptr_t)data * 10, 10}, ask[1];

    CHECK(wasm_runtime_thread_env_inited());
    CHECK(call(env, "ask", 0, ask));
    CHECK_INT(ask[0], 42);
    CHECK(call(env, "sum", 2, argv));
    return (void *)(uintptr_t)argv[0];
}

struct foreign {
    wasm_exec_env_t env;
    const char *name;
    bool returned;
    char exception[128];
};

static void *on_own_thread(void *data) {
    struct foreign *foreign = data;
    uint32_t argv[2] = {0, 1};

    foreign->returned = call(foreign->env, foreign->name, 0, argv);
    if (!foreign->returned) {
        snprintf(foreign->exception, sizeof foreign->exception, "%s",
                 wasm_runtime_get_exception(wasm_runtime_get_module_inst(foreign->env)));
    }
    wasm_runtime_destroy_spawned_exec_env(foreign->env);
    return NULL;
}

static void started_and_joined(wasm_exec_env_t env) {
    wasm_thread_t tids[THREADS];
    uint32_t argv[2], sum = 0;
    int i;

    for (i = 0; i < THREADS; i++)
        CHECK_INT(wasm_runtime_spawn_thread(env, &tids[i], sum_tens, (void *)(uintptr_t)i), 0);
    for (i = 0; i < THREADS; i++) {
        void *result = NULL;

        CHECK_INT(wasm_runtime_join_thread(tids[i], &result), 0);
        sum += (uint32_t)(uintptr_t)result;
    }
    CHECK_INT(sum, 39 * 40 / 2);
    CHECK(call(env, "total", 0, argv));
    CHECK_INT(argv[0], 39 * 40 / 2);
    CHECK_INT(wasm_runtime_join_thread(tids[0], NULL), -1);
    CHECK_INT(wasm_runtime_spawn_thread(env, NULL, NULL, NULL), -1);
    CHECK_INT(wasm_runtime_spawn_thread(NULL, NULL, sum_tens, NULL), -1);
}

static void stacks_of_their_own(wasm_exec_env_t env) {
    wasm_exec_env_t spawned[THREADS + 1];
    uint32_t stacks[THREADS], main_stack[1];
    int i, j;

    CHECK(call(env, "stack", 0, main_stack));
    for (i = 0; i < THREADS; i++) {
        spawned[i] = wasm_runtime_spawn_exec_env(env);
        CHECK(spawned[i] && call(spawned[i], "stack", 0, &stacks[i]));
        for (j = 0; j < i; j++)
            CHECK(stacks[i] != stacks[j]);
        CHECK(stacks[i] < main_stack[0] && stacks[i] % 16 == 0);
    }
    CHECK(!wasm_runtime_spawn_exec_env(env));
    for (i = 0; i < THREADS; i++)
        wasm_runtime_destroy_spawned_exec_env(spawned[i]);
    spawned[0] = wasm_runtime_spawn_exec_env(env);
    CHECK(spawned[0]);
    /* Neither is the embedder's to end so. */
    wasm_runtime_deinstantiate(wasm_runtime_get_module_inst(spawned[0]));
    wasm_runtime_destroy_spawned_exec_env(env);
    wasm_runtime_destroy_spawned_exec_env(spawned[0]);
}

/* Ends a call on another thread by a trap or a request on this one. */
static void ended_together(wasm_module_inst_t inst, wasm_exec_env_t env, const char *name,
                           bool terminates) {
    struct foreign foreign = {.env = wasm_runtime_spawn_exec_env(env), .name = name};
    const char *text = terminates ? "Exception: terminated by user" : "Exception: unreachable";
    pthread_t thread;
    uint32_t argv[2];

    CHECK(foreign.env != NULL);
    pthread_create(&thread, NULL, on_own_thread, &foreign);
    usleep(10000);
    if (terminates)
        wasm_runtime_terminate(inst);
    else
        CHECK(!call(env, "trap", 0, argv));
    pthread_join(thread, NULL);
    CHECK(!foreign.returned);
    CHECK_STR(foreign.exception, text);
    CHECK_STR(wasm_runtime_get_exception(inst), text);
    CHECK(!wasm_runtime_spawn_exec_env(env));
    wasm_runtime_clear_exception(inst);
}

static void *for_good(wasm_exec_env_t env, void *name) {
    uint32_t argv[2];

    CHECK(!call(env, name, 0, argv));
    return NULL;
}

static void run(void) {
    static NativeSymbol symbols[] = {{"told", (void *)told, "()i", NULL}};
    RuntimeInitArgs args = system_args();
    wasm_module_inst_t inst;
    wasm_exec_env_t env;
    wasm_module_t module;
    wasm_thread_t tid;
    int forty = 40, two = 2;

    args.native_module_name = "host";
    args.native_symbols = symbols;
    args.n_native_symbols = 1;
    wasm_runtime_set_max_thread_num(2);
    CHECK(wasm_runtime_full_init(&args));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    wasm_runtime_set_max_thread_num(THREADS);
    key = wasm_runtime_create_context_key(NULL);
    module = load_module("spawn");
    inst = instantiate(module, 8192, 8192);
    env = wasm_runtime_create_exec_env(inst, 8192);
    wasm_runtime_set_custom_data(inst, &forty);
    wasm_runtime_set_context_spread(inst, key, &two);

    started_and_joined(env);
    stacks_of_their_own(env);
    ended_together(inst, env, "wait", true);
    ended_together(inst, env, "spin", true);
    ended_together(inst, env, "wait", false);
    ended_together(inst, env, "spin", false);

    /* Ending the instance ends threads that still run. */
    CHECK_INT(wasm_runtime_spawn_thread(env, &tid, for_good, "wait"), 0);
    CHECK_INT(wasm_runtime_spawn_thread(env, NULL, for_good, "spin"), 0);
    wasm_runtime_deinstantiate(inst);
    CHECK_INT(wasm_runtime_join_thread(tid, NULL), 0);
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
}
