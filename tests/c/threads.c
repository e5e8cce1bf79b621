/* A context in each of several threads, which must not notice each other; and the calls that
   programs make on threads without one. */

#include <pthread.h>
#include "check.h"

#define THREADS 4
#define ROUNDS 20

struct tenant {
    int number;
    /* Its own pool, so that blocks in another's are noticed. */
    _Alignas(16) char pool[1 << 20];
    NativeSymbol symbols[1];
};

static int32_t tenant_number(wasm_exec_env_t exec_env) {
    struct tenant *tenant = wasm_runtime_get_function_attachment(exec_env);

    return tenant->number;
}

static void *one_tenant(void *data) {
    struct tenant *tenant = data;
    RuntimeInitArgs args;
    int round;

    memset(&args, 0, sizeof args);
    args.mem_alloc_option.pool.heap_buf = tenant->pool;
    args.mem_alloc_option.pool.heap_size = sizeof tenant->pool;
    tenant->symbols[0].symbol = "attached";
    tenant->symbols[0].func_ptr = (void *)tenant_number;
    tenant->symbols[0].signature = "()i";
    tenant->symbols[0].attachment = tenant;
    args.native_module_name = "host";
    args.native_symbols = tenant->symbols;
    args.n_native_symbols = 1;
    for (round = 0; round < ROUNDS; round++) {
        wasm_module_t module;
        wasm_module_inst_t inst;
        wasm_exec_env_t env;
        mem_alloc_info_t info;
        uint32_t argv[2] = {0, 0};
        char *block;

        CHECK(wasm_runtime_full_init(&args));
        wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
        CHECK(wasm_runtime_get_mem_alloc_info(&info));
        CHECK(info.total_size <= sizeof tenant->pool);
        block = wasm_runtime_malloc(100);
        CHECK(block >= tenant->pool && block < tenant->pool + sizeof tenant->pool);
        module = load_module("natives");
        inst = instantiate(module, 8192, 0);
        env = wasm_runtime_create_exec_env(inst, 8192);
        CHECK((char *)env >= tenant->pool && (char *)env < tenant->pool + sizeof tenant->pool);
        CHECK(wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "attached"), 0, argv));
        CHECK_INT(argv[0], tenant->number);
        wasm_runtime_destroy_exec_env(env);
        wasm_runtime_deinstantiate(inst);
        wasm_runtime_unload(module);
        wasm_runtime_free(block);
        wasm_runtime_destroy();
    }
    return NULL;
}

static void tenants(void) {
    static struct tenant all[THREADS];
    pthread_t threads[THREADS];
    int i;

    for (i = 0; i < THREADS; i++) {
        all[i].number = 100 + i;
        CHECK(pthread_create(&threads[i], NULL, one_tenant, &all[i]) == 0);
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}

/* Objects of the main thread, for a thread that never initialised anything. */
static wasm_module_inst_t shared_inst;
static wasm_exec_env_t shared_env;
static wasm_module_t shared_module;
static void *shared_block;

static void *guest_of_main(void *data) {
    bool prepared = data != NULL;
    uint32_t argv[2] = {20, 22};
    wasm_module_inst_t inst;
    void *block;

    if (prepared) {
        CHECK(wasm_runtime_init_thread_env());
        CHECK(wasm_runtime_init_thread_env());
    }
    CHECK(wasm_runtime_thread_env_inited() == prepared);
    CHECK(wasm_runtime_call_wasm(shared_env, wasm_runtime_lookup_function(shared_inst, "add"), 2,
                                 argv));
    CHECK_INT(argv[0], 42);
    /* No context of its own: the process's first. */
    block = wasm_runtime_malloc(10);
    CHECK(block != NULL);
    wasm_runtime_free(block);
    wasm_runtime_free(shared_block);
    shared_block = NULL;
    inst = instantiate(shared_module, 0, 0);
    wasm_runtime_deinstantiate(inst);
    if (prepared) {
        wasm_runtime_destroy_thread_env();
        wasm_runtime_destroy_thread_env();
    }
    return NULL;
}

static void guests(void) {
    pthread_t thread;
    int i;

    CHECK(wasm_runtime_init());
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    shared_module = load_module("basic");
    shared_inst = instantiate(shared_module, 0, 0);
    shared_env = wasm_runtime_create_exec_env(shared_inst, 8192);
    for (i = 0; i < 2; i++) {
        shared_block = wasm_runtime_malloc(10);
        CHECK(pthread_create(&thread, NULL, guest_of_main, i ? &thread : NULL) == 0);
        pthread_join(thread, NULL);
    }
    wasm_runtime_destroy_exec_env(shared_env);
    wasm_runtime_deinstantiate(shared_inst);
    wasm_runtime_unload(shared_module);
    wasm_runtime_destroy();
}

static void *spin(void *data) {
    wasm_module_inst_t inst = data;
    wasm_exec_env_t env = wasm_runtime_create_exec_env(inst, 8192);

    CHECK(!wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "spin"), 0, NULL));
    wasm_runtime_destroy_exec_env(env);
    return NULL;
}

/* An endless loop is stopped from another thread. */
static void termination(void) {
    struct timespec pause = {0, 20000000};
    pthread_t thread;
    wasm_module_t module;
    wasm_module_inst_t inst;

    CHECK(wasm_runtime_init());
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    module = load_module("basic");
    inst = instantiate(module, 0, 0);
    CHECK(pthread_create(&thread, NULL, spin, inst) == 0);
    nanosleep(&pause, NULL);
    wasm_runtime_terminate(inst);
    pthread_join(thread, NULL);
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: terminated by user");
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
}

static void *destroy_elsewhere(void *data) {
    (void)data;
    wasm_runtime_destroy();
    return NULL;
}

/* Two threads with a context each; the first one's may be ended by a third thread, as programs
   with garbage-collected wrappers do. */
static void destruction(void) {
    pthread_t thread;

    CHECK(wasm_runtime_init());
    CHECK(pthread_create(&thread, NULL, destroy_elsewhere, NULL) == 0);
    pthread_join(thread, NULL);
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    CHECK(!wasm_runtime_malloc(1));
    CHECK(wasm_runtime_init());
    wasm_runtime_set_max_thread_num(8);
    wasm_runtime_destroy();
}

static void run(void) {
    tenants();
    guests();
    termination();
    destruction();
}
