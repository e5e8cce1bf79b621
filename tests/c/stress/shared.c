/* One context used by many threads, with guests of their own and threads of those, while one of
   them stops everything in the context again and again. */

#include "stress.h"

static wasm_runtime_ctx_t ctx;
static wasm_module_t alone, cluster;
static uint64_t secret;
static struct tenant natives;
/* A thread that holds it for reading is never stopped. */
static pthread_rwlock_t calm = PTHREAD_RWLOCK_INITIALIZER;

static bool was_stopped(struct tenant *t) {
    const char *text = wasm_runtime_get_exception(t->inst);

    return text && strcmp(text, "Exception: terminated by user") == 0;
}

/* Where the end may come at any time: works, or was stopped. */
static bool call_or_stop(struct tenant *t, const char *name, uint32_t argc, uint32_t *argv) {
    if (call(t, name, argc, argv)) {
        return true;
    }
    CHECK(was_stopped(t));
    wasm_runtime_clear_exception(t->inst);
    return false;
}

static struct tenant make_guest(wasm_module_t module) {
    struct tenant t;
    char error[128] = "";

    memset(&t, 0, sizeof t);
    t.secret = secret;
    t.ctx = ctx;
    t.inst = wasm_runtime_instantiate(module, 8192, 0, error, sizeof error);
    CHECK(t.inst != NULL);
    t.env = wasm_runtime_create_exec_env(t.inst, 8192);
    CHECK(t.env != NULL);
    return t;
}

static void drop_guest(struct tenant *t) {
    wasm_runtime_destroy_exec_env(t->env);
    wasm_runtime_deinstantiate(t->inst);
}

static void *count_to_end(wasm_exec_env_t env, void *data) {
    wasm_module_inst_t inst = wasm_runtime_get_module_inst(env);
    const char *name = data;

    CHECK(wasm_runtime_ctx_of_instance(inst) == ctx);
    CHECK(!wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, name), 0, NULL));
    return data;
}

static void interrupted(struct worker *w) {
    struct tenant t = make_guest(alone);
    uint32_t argv[2] = {12}, rounds = 1 + below(w, 5);

    step(w, "interrupted");
    while (rounds-- > 0) {
        argv[0] = 12;
        if (call_or_stop(&t, "fib", 1, argv)) {
            CHECK_INT(argv[0], 144);
        }
    }
    CHECK(!call_or_stop(&t, "spin", 0, NULL));
    drop_guest(&t);
}

static void interrupted_threads(struct worker *w) {
    struct tenant t = make_guest(cluster);
    const char *names[] = {"wait", "spin"};
    wasm_thread_t threads[3];
    int i, count = 0;

    step(w, "interrupted threads");
    for (i = 0; i < 3; i++) {
        /* Once it is stopped, no more start. */
        if (wasm_runtime_spawn_thread(t.env, &threads[count], count_to_end,
                                      (void *)names[below(w, 2)]) == 0) {
            count++;
        } else {
            CHECK(was_stopped(&t));
        }
    }
    CHECK(!call_or_stop(&t, names[below(w, 2)], 0, NULL));
    for (i = 0; i < count; i++) {
        CHECK_INT(wasm_runtime_join_thread(threads[i], NULL), 0);
    }
    drop_guest(&t);
}

/* Nothing is stopped here, so that everything must be right. */
static void calmly(struct worker *w) {
    struct tenant t;
    size_t bytes;
    bool threads = one_in(w, 2);

    step(w, "calmly");
    pthread_rwlock_rdlock(&calm);
    t = make_guest(threads ? cluster : alone);
    fill(&t);
    nest(&t, below(w, 10));
    grow(&t);
    fill(&t);
    guest_bytes(&t, &bytes);
    verify(&t, bytes);
    if (threads) {
        start_threads(&t, 2);
    }
    drop_guest(&t);
    pthread_rwlock_unlock(&calm);
}

static void *sharer(void *data) {
    struct worker *w = data;
    wasm_module_t own;
    bool has_own = false;

    switch (below(w, 3)) {
        case 0:
            CHECK(wasm_runtime_ctx_set_current(ctx));
            has_own = true;
            break;
        case 1: CHECK(wasm_runtime_ctx_push(ctx)); break;
        /* Else it finds the primary. */
        default: break;
    }
    own = load_module("alone");
    do {
        CHECK(wasm_runtime_ctx_current() == ctx);
        switch (below(w, 3)) {
            case 0: interrupted(w); break;
            case 1: interrupted_threads(w); break;
            default: calmly(w); break;
        }
    } while (!time_is_up());
    wasm_runtime_unload(own);
    if (has_own) {
        wasm_runtime_destroy();
    }
    /* A pushed context goes with the thread. */
    worker_done(w);
    return NULL;
}

static void *stopper(void *data) {
    (void)data;
    while (!all_done()) {
        if (pthread_rwlock_trywrlock(&calm) == 0) {
            CHECK(wasm_runtime_ctx_terminate_all(ctx));
            pthread_rwlock_unlock(&calm);
        }
        pause_us(1000);
    }
    return NULL;
}

static void run(void) {
    RuntimeInitArgs args = system_args();
    wasm_runtime_ctx_stats_t stats;

    set_up();
    natives.secret = secret = new_secret(&workers[0]);
    name_natives(&natives);
    args.max_thread_num = 16;
    args.native_module_name = "host";
    args.native_symbols = natives.symbols;
    args.n_native_symbols = 2;
    CHECK(wasm_runtime_full_init(&args));
    ctx = wasm_runtime_ctx_current();
    wasm_runtime_set_log_level(quiet());
    alone = load_module("alone");
    cluster = load_module("cluster");
    work(sharer, stopper);
    wasm_runtime_unload(alone);
    wasm_runtime_unload(cluster);
    stats.struct_size = sizeof stats;
    CHECK(wasm_runtime_ctx_stats(ctx, &stats));
    CHECK_INT(stats.modules + stats.instances + stats.exec_envs + stats.threads, 0);
    wasm_runtime_destroy();
    CHECK(!wasm_runtime_ctx_primary());
}
