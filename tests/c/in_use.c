/* Two threads call one instance: the second one gets an error, and nothing is lost. */

#include <pthread.h>
#include <time.h>
#include "check.h"

#define THREADS 4
#define CALLS 20000

static wasm_module_t module;

static bool call(wasm_exec_env_t env, const char *name, uint32_t *result) {
    wasm_module_inst_t inst = wasm_runtime_get_module_inst(env);
    uint32_t argv[1] = {0};
    bool done = wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, name), 0, argv);

    if (result) {
        *result = argv[0];
    }
    return done;
}

/* ---- One instance is called by all threads at once ---- */

struct caller {
    wasm_module_inst_t inst;
    int calls;
    uint32_t accepted;
};

static void *call_often(void *data) {
    struct caller *caller = data;
    wasm_exec_env_t env = wasm_runtime_create_exec_env(caller->inst, 8192);
    uint32_t before = 0, now;
    int i;

    CHECK(env != NULL);
    for (i = 0; i < caller->calls; i++) {
        if (call(env, "work", &now)) {
            CHECK(now > before);
            before = now;
            caller->accepted++;
        }
    }
    wasm_runtime_destroy_exec_env(env);
    return NULL;
}

static void calls_never_overlap(void) {
    wasm_module_inst_t inst = instantiate(module, 8192, 0);
    wasm_exec_env_t env = wasm_runtime_create_exec_env(inst, 8192);
    struct caller callers[THREADS];
    pthread_t threads[THREADS];
    uint32_t accepted = 0, turns, calls;
    int i;

    for (i = 0; i < THREADS; i++) {
        callers[i] = (struct caller){inst, is_watched() ? CALLS / 50 : CALLS, 0};
        CHECK(pthread_create(&threads[i], NULL, call_often, &callers[i]) == 0);
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        accepted += callers[i].accepted;
    }
    CHECK(!wasm_runtime_get_exception(inst));
    CHECK(accepted > 0);
    CHECK(call(env, "turns", &turns) && call(env, "work", &calls));
    CHECK_INT(calls, accepted + 1);
    CHECK_INT(turns, accepted * 50);
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
}

/* ---- Everything that may not happen while a call is under way ---- */

struct spinner {
    wasm_module_inst_t inst;
    wasm_exec_env_t env;
    pthread_t thread;
};

static void *spin(void *data) {
    struct spinner *spinner = data;

    CHECK(!call(spinner->env, "spin", NULL));
    return NULL;
}

static void begin_spinner(struct spinner *spinner) {
    const struct timespec pause = {0, 100000};
    volatile uint32_t *begun;

    spinner->inst = instantiate(module, 8192, 8192);
    spinner->env = wasm_runtime_create_exec_env(spinner->inst, 8192);
    begun = wasm_runtime_addr_app_to_native(spinner->inst, 16);
    CHECK(pthread_create(&spinner->thread, NULL, spin, spinner) == 0);
    while (!*begun) {
        nanosleep(&pause, NULL);
    }
}

static void end_spinner(struct spinner *spinner) {
    wasm_runtime_terminate(spinner->inst);
    pthread_join(spinner->thread, NULL);
    CHECK_STR(wasm_runtime_get_exception(spinner->inst), "Exception: terminated by user");
    wasm_runtime_clear_exception(spinner->inst);
    CHECK(call(spinner->env, "work", NULL));
    wasm_runtime_destroy_exec_env(spinner->env);
    wasm_runtime_deinstantiate(spinner->inst);
}

static void others_are_refused(void) {
    struct spinner spinner;
    wasm_exec_env_t other;
    void *native = NULL;
    uint64_t block;

    begin_spinner(&spinner);
    other = wasm_runtime_create_exec_env(spinner.inst, 8192);
    /* With the environment that runs, with another one, and with the instance's own. */
    CHECK(!call(spinner.env, "work", NULL));
    CHECK(!call(other, "work", NULL));
    CHECK(!call(wasm_runtime_get_exec_env_singleton(spinner.inst), "work", NULL));
    CHECK(!wasm_runtime_call_indirect(other, 0, 0, NULL));
    CHECK(!wasm_application_execute_func(spinner.inst, "work", 0, NULL));
    CHECK(!wasm_runtime_get_exception(spinner.inst));
    CHECK(!wasm_runtime_enlarge_memory(spinner.inst, 1));
    CHECK(!wasm_memory_enlarge(wasm_runtime_get_default_memory(spinner.inst), 1));
    /* Neither is ended. */
    wasm_runtime_destroy_exec_env(spinner.env);
    wasm_runtime_deinstantiate(spinner.inst);
    /* An idle exec_env can go, and the heap is there for all. */
    wasm_runtime_destroy_exec_env(other);
    block = wasm_runtime_module_malloc(spinner.inst, 100, &native);
    CHECK(block != 0 && native != NULL);
    wasm_runtime_module_free(spinner.inst, block);
    end_spinner(&spinner);
}

/* ---- The same on the thread of the call ---- */

static void misbehave(wasm_exec_env_t env) {
    wasm_module_inst_t inst = wasm_runtime_get_module_inst(env);

    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    /* Natives may call back. */
    CHECK(call(env, "work", NULL));
}

static void natives_cannot_end_their_callers(void) {
    wasm_module_inst_t inst = instantiate(module, 8192, 0);
    wasm_exec_env_t env = wasm_runtime_create_exec_env(inst, 8192);

    CHECK(call(env, "misbehave", NULL));
    CHECK(call(wasm_runtime_get_exec_env_singleton(inst), "misbehave", NULL));
    CHECK(call(env, "work", NULL));
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
}

/* ---- One after the other is fine ---- */

static void *call_once(void *data) {
    uint32_t result;

    CHECK(call(data, "work", &result));
    return (void *)(uintptr_t)result;
}

static void threads_take_turns(void) {
    wasm_module_inst_t inst = instantiate(module, 8192, 0);
    wasm_exec_env_t env = wasm_runtime_create_exec_env(inst, 8192);
    uint32_t result;
    int i;

    for (i = 0; i < 20; i++) {
        pthread_t thread;
        void *theirs = NULL;

        CHECK(call(env, "work", &result));
        CHECK_INT(result, 2 * i + 1);
        CHECK(pthread_create(&thread, NULL, call_once, env) == 0);
        pthread_join(thread, &theirs);
        CHECK_INT((uintptr_t)theirs, 2 * i + 2);
    }
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
}

/* ---- Threads of the guest are ended with it ---- */

static void *spin_here(wasm_exec_env_t env, void *begun) {
    __atomic_store_n((int *)begun, 1, __ATOMIC_RELEASE);
    CHECK(!call(env, "spin", NULL));
    return NULL;
}

static void children_end_with_their_program(void) {
    wasm_module_inst_t inst = instantiate(module, 8192, 0);
    wasm_exec_env_t env = wasm_runtime_create_exec_env(inst, 8192);
    wasm_thread_t tid;
    int begun = 0;

    CHECK(wasm_runtime_spawn_thread(env, &tid, spin_here, &begun) == 0);
    while (!__atomic_load_n(&begun, __ATOMIC_ACQUIRE)) {
    }
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_join_thread(tid, NULL);
    wasm_runtime_destroy_exec_env(env);
}

static NativeSymbol symbols[] = {{"misbehave", (void *)misbehave, "()", NULL}};

static void run(void) {
    RuntimeInitArgs args = system_args();

    args.n_native_symbols = 1;
    args.native_module_name = "env";
    args.native_symbols = symbols;
    CHECK(wasm_runtime_full_init(&args));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    module = load_module("in_use");
    calls_never_overlap();
    others_are_refused();
    natives_cannot_end_their_callers();
    threads_take_turns();
    children_end_with_their_program();
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
}
