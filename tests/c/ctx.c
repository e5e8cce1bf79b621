/* Contexts by name: making, keeping, entering, finding them, and every misuse of that. */

#include <pthread.h>
#include "check.h"
#include "wasm_runtime_ctx.h"

static wasm_runtime_ctx_t make(const char *name) {
    RuntimeInitArgs args = system_args();
    wasm_runtime_ctx_t ctx = wasm_runtime_ctx_create(&args);

    CHECK(ctx != NULL);
    CHECK(wasm_runtime_ctx_set_name(ctx, name));
    CHECK(wasm_runtime_ctx_push(ctx));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_ERROR);
    CHECK(wasm_runtime_ctx_pop(ctx));
    return ctx;
}

static void null_handles(void) {
    char buffer[4] = "abc";

    CHECK(!wasm_runtime_ctx_retain(NULL));
    wasm_runtime_ctx_release(NULL);
    CHECK(!wasm_runtime_ctx_destroy(NULL));
    CHECK_INT(wasm_runtime_ctx_get_id(NULL), 0);
    CHECK(!wasm_runtime_ctx_set_name(NULL, "name"));
    CHECK_INT(wasm_runtime_ctx_get_name(NULL, buffer, sizeof buffer), 0);
    CHECK_STR(buffer, "");
    CHECK(!wasm_runtime_ctx_push(NULL));
    CHECK(!wasm_runtime_ctx_pop(NULL));
    CHECK(wasm_runtime_ctx_set_current(NULL));
    CHECK(!wasm_runtime_ctx_of_module(NULL));
    CHECK(!wasm_runtime_ctx_of_instance(NULL));
    CHECK(!wasm_runtime_ctx_of_exec_env(NULL));
    CHECK(!wasm_runtime_ctx_foreach(NULL, NULL));
    CHECK(wasm_runtime_ctx_thread_state_destroy(NULL));
    CHECK(!wasm_runtime_ctx_current());
    CHECK(!wasm_runtime_ctx_primary());
}

static void names(void) {
    wasm_runtime_ctx_t ctx = wasm_runtime_ctx_create(NULL);
    char buffer[8] = "abc";

    CHECK_INT(wasm_runtime_ctx_get_name(ctx, buffer, sizeof buffer), 0);
    CHECK_STR(buffer, "");
    CHECK(wasm_runtime_ctx_set_name(ctx, "a tenant"));
    CHECK_INT(wasm_runtime_ctx_get_name(ctx, NULL, 0), 8);
    CHECK_INT(wasm_runtime_ctx_get_name(ctx, buffer, sizeof buffer), 8);
    CHECK_STR(buffer, "a tenan");
    CHECK(!wasm_runtime_ctx_set_name(ctx, "\xff"));
    CHECK(wasm_runtime_ctx_set_name(ctx, NULL));
    CHECK_INT(wasm_runtime_ctx_get_name(ctx, buffer, sizeof buffer), 0);
    wasm_runtime_ctx_release(ctx);
}

static void nesting(void) {
    wasm_runtime_ctx_t a = make("a"), b = make("b");

    CHECK(wasm_runtime_ctx_get_id(a) != wasm_runtime_ctx_get_id(b));
    CHECK(wasm_runtime_ctx_primary() == a);
    CHECK(wasm_runtime_ctx_current() == a);
    CHECK(!wasm_runtime_ctx_pop(a));
    CHECK(wasm_runtime_ctx_push(b));
    CHECK(wasm_runtime_ctx_current() == b);
    CHECK(wasm_runtime_ctx_push(a));
    CHECK(wasm_runtime_ctx_push(a));
    /* Not the last one. */
    CHECK(!wasm_runtime_ctx_pop(b));
    CHECK(wasm_runtime_ctx_current() == a);
    CHECK(wasm_runtime_ctx_pop(a));
    CHECK(!wasm_runtime_ctx_pop(b));
    CHECK(wasm_runtime_ctx_pop(a));
    CHECK(wasm_runtime_ctx_current() == b);
    /* A pushed context lives, although its other handles are given up. */
    wasm_runtime_ctx_release(b);
    CHECK(wasm_runtime_ctx_current() == b);
    CHECK(wasm_runtime_ctx_pop(b));
    CHECK(wasm_runtime_ctx_current() == a);
    wasm_runtime_ctx_release(a);
    CHECK(!wasm_runtime_ctx_current());
}

/* The current context of a native function. */
static wasm_runtime_ctx_t seen;

static int32_t attached(wasm_exec_env_t exec_env) {
    wasm_runtime_ctx_t other = wasm_runtime_get_function_attachment(exec_env);

    seen = wasm_runtime_ctx_current();
    CHECK(seen == wasm_runtime_ctx_of_exec_env(exec_env));
    /* It cannot leave the context that it runs in, and contexts that it entered go with it. */
    CHECK(!wasm_runtime_ctx_pop(seen));
    CHECK(wasm_runtime_ctx_push(other));
    CHECK(wasm_runtime_ctx_current() == other);
    return 7;
}

static void objects(void) {
    wasm_runtime_ctx_t a = make("a"), b = make("b");
    NativeSymbol symbols[] = {{"attached", (void *)attached, "()i", a}};
    wasm_module_t module;
    wasm_module_inst_t inst;
    wasm_exec_env_t env;
    uint32_t argv[2] = {0, 0};

    CHECK(wasm_runtime_ctx_push(b));
    CHECK(wasm_runtime_register_natives("host", symbols, 1));
    module = load_module("natives");
    CHECK(wasm_runtime_ctx_pop(b));
    CHECK(wasm_runtime_ctx_current() == a);
    inst = instantiate(module, 0, 0);
    env = wasm_runtime_create_exec_env(inst, 8192);
    CHECK(wasm_runtime_ctx_of_module(module) == b);
    CHECK(wasm_runtime_ctx_of_instance(inst) == b);
    CHECK(wasm_runtime_ctx_of_exec_env(env) == b);
    CHECK(wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "attached"), 0, argv));
    CHECK_INT(argv[0], 7);
    CHECK(seen == b);
    CHECK(wasm_runtime_ctx_current() == a);
    /* The last count goes before the objects, which keep the context alive. */
    wasm_runtime_ctx_release(b);
    CHECK(wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "attached"), 0, argv));
    CHECK(wasm_runtime_ctx_of_module(module) == b);
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    CHECK(wasm_runtime_ctx_destroy(a));
}

struct list {
    int count;
    int stop_at;
    wasm_runtime_ctx_t found[4];
};

static bool visit(wasm_runtime_ctx_t ctx, void *user_data) {
    struct list *list = user_data;

    list->found[list->count++ & 3] = ctx;
    /* Nothing is locked: contexts may come and go. */
    wasm_runtime_ctx_release(wasm_runtime_ctx_create(NULL));
    return list->count != list->stop_at;
}

static void listing(void) {
    wasm_runtime_ctx_t a = make("a"), b = make("b"), c = make("c");
    struct list all = {0, 0, {NULL}}, some = {0, 2, {NULL}}, rest = {0, 0, {NULL}};

    CHECK(wasm_runtime_ctx_foreach(visit, &all));
    CHECK_INT(all.count, 3);
    CHECK(all.found[0] == a && all.found[1] == b && all.found[2] == c);
    CHECK(!wasm_runtime_ctx_foreach(visit, &some));
    CHECK_INT(some.count, 2);
    /* A closed context is not found, but its handles are good. */
    wasm_runtime_ctx_retain(a);
    CHECK(wasm_runtime_ctx_destroy(a));
    CHECK(!wasm_runtime_ctx_primary());
    CHECK(wasm_runtime_ctx_foreach(visit, &rest));
    CHECK_INT(rest.count, 2);
    CHECK(!wasm_runtime_ctx_set_current(a));
    CHECK(wasm_runtime_ctx_push(a));
    CHECK(wasm_runtime_ctx_current() == a);
    CHECK(wasm_runtime_ctx_pop(a));
    wasm_runtime_ctx_release(a);
    wasm_runtime_ctx_release(b);
    wasm_runtime_ctx_release(c);
}

static void *adopt(void *data) {
    CHECK(wasm_runtime_ctx_set_current(data));
    CHECK(wasm_runtime_ctx_current() == data);
    /* As if it had been made here. */
    CHECK(wasm_runtime_init());
    CHECK(wasm_runtime_ctx_current() == data);
    wasm_runtime_destroy();
    wasm_runtime_destroy();
    CHECK(wasm_runtime_ctx_current() == wasm_runtime_ctx_primary());
    CHECK(wasm_runtime_ctx_set_current(data));
    CHECK(wasm_runtime_ctx_set_current(NULL));
    CHECK(wasm_runtime_ctx_current() == wasm_runtime_ctx_primary());
    return NULL;
}

static void adoption(void) {
    wasm_runtime_ctx_t a, b = make("b");
    pthread_t thread;

    CHECK(wasm_runtime_init());
    a = wasm_runtime_ctx_current();
    CHECK(a != b);
    CHECK(pthread_create(&thread, NULL, adopt, a) == 0);
    pthread_join(thread, NULL);
    CHECK(wasm_runtime_ctx_current() == a);
    wasm_runtime_destroy();
    CHECK(wasm_runtime_ctx_current() == b);
    wasm_runtime_ctx_release(b);
}

/* A buffer comes back with the context that it was lent to. */
static void pools(void) {
    static _Alignas(16) char pool[1 << 18];
    RuntimeInitArgs args;
    wasm_runtime_ctx_t ctx;
    wasm_module_t module;

    memset(&args, 0, sizeof args);
    args.mem_alloc_option.pool.heap_buf = pool;
    args.mem_alloc_option.pool.heap_size = sizeof pool;
    ctx = wasm_runtime_ctx_create(&args);
    CHECK(wasm_runtime_ctx_push(ctx));
    module = load_module("basic");
    CHECK((char *)module >= pool && (char *)module < pool + sizeof pool);
    wasm_runtime_unload(module);
    CHECK(wasm_runtime_ctx_pop(ctx));
    CHECK(wasm_runtime_ctx_destroy(ctx));
    memset(pool, 0x5a, sizeof pool);
    /* Too small, which is logged where the caller is: nowhere, so a thread's default counts. */
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    args.mem_alloc_option.pool.heap_size = 100;
    CHECK(!wasm_runtime_ctx_create(&args));
}

static void run(void) {
    null_handles();
    names();
    nesting();
    objects();
    listing();
    adoption();
    pools();
}
