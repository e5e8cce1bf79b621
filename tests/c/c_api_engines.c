/* Engines on two threads have nothing in common: not the pool, the log level, natives, objects. An
 * engine counts its thread's context, and may be deleted on another thread. */

#include <pthread.h>
#include "check.h"
#include "wasm_c_api.h"

static pthread_barrier_t together;
static wasm_engine_t *engines[2];
static wasm_store_t *stores[2];
static wasm_func_t *funcs[2];
static char pool[1 << 20];

static wasm_trap_t *nothing(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    (void)args, (void)results;
    return NULL;
}

static void native(wasm_exec_env_t env) {
    (void)env;
}

static wasm_engine_t *engine_with_pool(void) {
    MemAllocOption option = { .pool = { pool, sizeof pool } };
    wasm_config_t *config = wasm_config_set_mem_alloc_opt(wasm_config_new(), Alloc_With_Pool,
                                                          &option);
    wasm_engine_t *engine = wasm_engine_new_with_config(config);

    wasm_config_delete(config);
    return engine;
}

/* A store's items in an instance of the other engine are refused. */
static void link_across(int self) {
    static uint8_t bytes[] = { 0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0,
                               2, 5, 1, 0, 0, 0, 0 };
    wasm_byte_vec_t binary;
    wasm_module_t *module;
    wasm_extern_t *own[] = { wasm_func_as_extern(funcs[self]) };
    wasm_extern_t *foreign[] = { wasm_func_as_extern(funcs[!self]) };
    wasm_extern_vec_t good = WASM_ARRAY_VEC(own), bad = WASM_ARRAY_VEC(foreign);
    wasm_trap_t *trap = NULL;
    wasm_instance_t *instance;

    wasm_byte_vec_new(&binary, sizeof bytes, (char *)bytes);
    module = wasm_module_new(stores[self], &binary);
    wasm_byte_vec_delete(&binary);
    CHECK(module != NULL);
    instance = wasm_instance_new(stores[self], module, &good, &trap);
    CHECK(instance && !trap);
    wasm_instance_delete(instance);
    CHECK(!wasm_instance_new(stores[self], module, &bad, &trap) && trap);
    wasm_trap_delete(trap);
    wasm_module_delete(module);
}

static void *thread(void *argument) {
    int self = (int)(intptr_t)argument;
    mem_alloc_info_t info;
    NativeSymbol symbol = { "f", (void *)native, "()", NULL };
    wasm_functype_t *type;

    engines[self] = self ? engine_with_pool() : wasm_engine_new();
    CHECK(engines[self] != NULL);
    /* Once more: the thread's own. */
    CHECK(wasm_engine_new() == engines[self]);
    wasm_engine_delete(engines[self]);
    pthread_barrier_wait(&together);
    CHECK(engines[0] != engines[1]);
    CHECK(wasm_runtime_get_mem_alloc_info(&info) == (self == 1));
    if (self)
        CHECK(wasm_runtime_register_natives("m", &symbol, 1));
    pthread_barrier_wait(&together);
    CHECK(wasm_runtime_is_import_func_linked("m", "f") == (self == 1));
    stores[self] = wasm_store_new(engines[self]);
    type = wasm_functype_new_0_0();
    funcs[self] = wasm_func_new(stores[self], type, nothing);
    wasm_functype_delete(type);
    CHECK(funcs[self] != NULL);
    pthread_barrier_wait(&together);
    /* One at a time: a store is used by one thread. */
    if (!self)
        link_across(self);
    pthread_barrier_wait(&together);
    if (self)
        link_across(self);
    pthread_barrier_wait(&together);
    wasm_func_delete(funcs[self]);
    pthread_barrier_wait(&together);
    /* Each deletes the other's. */
    wasm_store_delete(stores[!self]);
    pthread_barrier_wait(&together);
    wasm_engine_delete(engines[!self]);
    pthread_barrier_wait(&together);
    CHECK(!wasm_runtime_get_mem_alloc_info(&info));
    return NULL;
}

static void run(void) {
    pthread_t threads[2];
    intptr_t i;

    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    pthread_barrier_init(&together, NULL, 2);
    for (i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, thread, (void *)i);
    for (i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&together);
}
