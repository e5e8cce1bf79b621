/* One module in several contexts: the code is shared and belongs to none of them. */

#include <pthread.h>
#include "check.h"
#include "wasm_runtime_ctx.h"

#define POOL_SIZE (1 << 20)
#define TENANTS 4

static wasm_runtime_ctx_t make(char *pool, NativeSymbol *symbols) {
    RuntimeInitArgs args = system_args();
    wasm_runtime_ctx_t ctx;

    if (pool) {
        args.mem_alloc_type = Alloc_With_Pool;
        args.mem_alloc_option.pool.heap_buf = pool;
        args.mem_alloc_option.pool.heap_size = POOL_SIZE;
    }
    args.native_module_name = "host";
    args.native_symbols = symbols;
    args.n_native_symbols = symbols ? 1 : 0;
    ctx = wasm_runtime_ctx_create(&args);
    CHECK(ctx != NULL);
    CHECK(wasm_runtime_ctx_push(ctx));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    CHECK(wasm_runtime_ctx_pop(ctx));
    return ctx;
}

static wasm_module_t load_in(wasm_runtime_ctx_t ctx, const char *name) {
    wasm_module_t module;

    CHECK(wasm_runtime_ctx_push(ctx));
    module = load_module(name);
    CHECK(wasm_runtime_ctx_pop(ctx));
    return module;
}

static wasm_module_t import(wasm_runtime_ctx_t ctx, wasm_module_t module) {
    char error[128] = "";
    wasm_module_t imported = wasm_runtime_ctx_import_module(ctx, module, error, sizeof error);

    CHECK_STR(error, "");
    CHECK(imported != NULL && imported != module);
    CHECK(wasm_runtime_ctx_of_module(imported) == ctx);
    return imported;
}

static uint32_t run_once(wasm_module_t module, const char *name, uint32_t argc, uint32_t arg) {
    wasm_module_inst_t inst = instantiate(module, 0, 0);
    wasm_exec_env_t env = wasm_runtime_create_exec_env(inst, 65536);
    uint32_t argv[2] = {arg, arg};

    CHECK(wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, name), argc, argv));
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    return argv[0];
}

static uint64_t live_bytes(wasm_runtime_ctx_t ctx) {
    wasm_runtime_ctx_stats_t stats;

    stats.struct_size = sizeof stats;
    CHECK(wasm_runtime_ctx_stats(ctx, &stats));
    return stats.live_bytes;
}

static void misuse(void) {
    wasm_runtime_ctx_t ctx = make(NULL, NULL);
    wasm_module_t module = load_in(ctx, "basic");
    char error[128] = "";

    CHECK(!wasm_runtime_ctx_import_module(NULL, module, error, sizeof error));
    CHECK_STR(error, "WASM module load failed: invalid module or runtime");
    CHECK(!wasm_runtime_ctx_import_module(ctx, NULL, NULL, 0));
    wasm_runtime_unload(module);
    CHECK(wasm_runtime_ctx_destroy(ctx));
}

/* The context that the module was loaded in ends first, and its buffer is overwritten. */
static void the_first_may_go(void) {
    char *pool = malloc(POOL_SIZE);
    wasm_runtime_ctx_t a = make(pool, NULL), b = make(NULL, NULL), c = make(NULL, NULL);
    wasm_module_t first = load_in(a, "basic"), second, third;

    wasm_runtime_set_module_name(first, "shared", NULL, 0);
    CHECK_INT(run_once(first, "fib", 1, 10), 55);
    second = import(b, first);
    CHECK_STR(wasm_runtime_get_module_name(second), "shared");
    wasm_runtime_unload(first);
    CHECK(wasm_runtime_ctx_destroy(a));
    memset(pool, 0xa5, POOL_SIZE);
    free(pool);
    CHECK_INT(run_once(second, "fib", 1, 10), 55);
    /* An import of an import shares the same. */
    third = import(c, second);
    wasm_runtime_unload(second);
    CHECK(wasm_runtime_ctx_destroy(b));
    CHECK_INT(run_once(third, "fib", 1, 11), 89);
    wasm_runtime_unload(third);
    CHECK(wasm_runtime_ctx_destroy(c));
}

static int32_t attached(wasm_exec_env_t exec_env) {
    return *(int32_t *)wasm_runtime_get_function_attachment(exec_env);
}

/* Natives and limits are those of the context a module was imported into. */
static void links(void) {
    static int32_t one = 1, two = 2;
    NativeSymbol ones[] = {{"attached", (void *)attached, "()i", &one}};
    NativeSymbol twos[] = {{"attached", (void *)attached, "()i", &two}};
    wasm_runtime_ctx_t a = make(NULL, ones), b = make(NULL, twos), c = make(NULL, NULL);
    wasm_module_t in_a = load_in(a, "natives"), in_b = import(b, in_a), in_c = import(c, in_a);
    wasm_module_inst_t inst;
    uint32_t argv[1] = {0};

    CHECK_INT(run_once(in_a, "attached", 0, 0), 1);
    CHECK_INT(run_once(in_b, "attached", 0, 0), 2);
    inst = instantiate(in_c, 0, 0);
    CHECK(!wasm_runtime_call_wasm(wasm_runtime_get_exec_env_singleton(inst),
                                  wasm_runtime_lookup_function(inst, "attached"), 0, argv));
    CHECK_STR(wasm_runtime_get_exception(inst),
              "Exception: failed to call unlinked import function (host, attached)");
    CHECK(wasm_runtime_ctx_of_instance(inst) == c);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(in_a);
    wasm_runtime_unload(in_b);
    wasm_runtime_unload(in_c);
    CHECK(wasm_runtime_ctx_destroy(a));
    CHECK(wasm_runtime_ctx_destroy(b));
    CHECK(wasm_runtime_ctx_destroy(c));
}

/* A loaded module costs its context all of its code, an imported one only its links. */
static void sharing(void) {
    wasm_runtime_ctx_t a = make(NULL, NULL), b = make(NULL, NULL);
    uint64_t before_a = live_bytes(a), before_b = live_bytes(b);
    wasm_module_t first = load_in(a, "basic"), second = import(b, first);
    uint64_t loaded = live_bytes(a) - before_a, imported = live_bytes(b) - before_b;

    CHECK(imported > 0 && imported * 2 < loaded);
    /* Translated code does not lie in the context that runs it either. */
    before_b = live_bytes(b);
    CHECK_INT(run_once(second, "fib", 1, 5), 5);
    CHECK_INT(live_bytes(b), before_b);
    wasm_runtime_unload(first);
    wasm_runtime_unload(second);
    CHECK(wasm_runtime_ctx_destroy(a));
    CHECK(wasm_runtime_ctx_destroy(b));
}

struct tenant {
    wasm_module_t module;
    pthread_barrier_t *start;
};

static void *tenant_main(void *data) {
    struct tenant *tenant = data;

    pthread_barrier_wait(tenant->start);
    CHECK_INT(run_once(tenant->module, "fib", 1, 12), 144);
    CHECK_INT(run_once(tenant->module, "add", 2, 21), 42);
    return NULL;
}

/* All of them call a function for the first time at once, each in its own context. */
static void at_once(void) {
    wasm_runtime_ctx_t home = make(NULL, NULL), ctxs[TENANTS];
    wasm_module_t module = load_in(home, "basic");
    struct tenant tenants[TENANTS];
    pthread_t threads[TENANTS];
    pthread_barrier_t start;
    int i;

    CHECK(pthread_barrier_init(&start, NULL, TENANTS) == 0);
    for (i = 0; i < TENANTS; i++) {
        ctxs[i] = make(NULL, NULL);
        tenants[i].module = import(ctxs[i], module);
        tenants[i].start = &start;
    }
    wasm_runtime_unload(module);
    CHECK(wasm_runtime_ctx_destroy(home));
    for (i = 0; i < TENANTS; i++) {
        CHECK(pthread_create(&threads[i], NULL, tenant_main, &tenants[i]) == 0);
    }
    for (i = 0; i < TENANTS; i++) {
        pthread_join(threads[i], NULL);
        wasm_runtime_unload(tenants[i].module);
        CHECK(wasm_runtime_ctx_destroy(ctxs[i]));
    }
    pthread_barrier_destroy(&start);
}

static void run(void) {
    misuse();
    the_first_may_go();
    links();
    sharing();
    at_once();
}
