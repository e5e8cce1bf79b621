/* A context's callback for memories that do not grow. */
#include <pthread.h>
#include "check.h"

static struct {
    int count;
    uint32_t pages, index;
    uint64_t bytes;
    enlarge_memory_error_reason_t reason;
    wasm_module_inst_t inst;
    wasm_exec_env_t env;
    void *user_data;
} told;

static void callback(uint32_t inc_page_count, uint64_t current_memory_size, uint32_t memory_index,
                     enlarge_memory_error_reason_t failure_reason, wasm_module_inst_t instance,
                     wasm_exec_env_t exec_env, void *user_data) {
    told.count++;
    told.pages = inc_page_count;
    told.index = memory_index;
    told.bytes = current_memory_size;
    told.reason = failure_reason;
    told.inst = instance;
    told.env = exec_env;
    told.user_data = user_data;
}

static uint32_t grow(wasm_exec_env_t env, uint32_t pages) {
    wasm_module_inst_t inst = wasm_runtime_get_module_inst(env);

    CHECK(wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "grow"), 1, &pages));
    return pages;
}

static void *other_context(void *arg) {
    wasm_module_t module;
    wasm_module_inst_t inst;
    wasm_exec_env_t env;
    (void)arg;

    CHECK(wasm_runtime_init());
    module = load_module("enlarge");
    inst = instantiate(module, 8192, 0);
    env = wasm_runtime_create_exec_env(inst, 8192);
    CHECK_INT(grow(env, 9), 0xFFFFFFFF);
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
    return NULL;
}

static void run(void) {
    wasm_module_t module;
    wasm_module_inst_t inst;
    wasm_exec_env_t env;
    pthread_t thread;
    int user_data;

    wasm_runtime_set_enlarge_mem_error_callback(callback, NULL);
    CHECK(wasm_runtime_init());
    module = load_module("enlarge");
    inst = instantiate(module, 8192, 0);
    env = wasm_runtime_create_exec_env(inst, 8192);
    CHECK_INT(grow(env, 2), 0xFFFFFFFF);
    CHECK_INT(told.count, 1);
    told.count = 0;

    wasm_runtime_set_enlarge_mem_error_callback(callback, &user_data);
    CHECK_INT(grow(env, 1), 1);
    CHECK_INT(told.count, 0);
    CHECK_INT(grow(env, 5), 0xFFFFFFFF);
    CHECK_INT(told.count, 1);
    CHECK_INT(told.pages, 5);
    CHECK_INT(told.index, 0);
    CHECK_INT(told.bytes, 2 * 65536);
    CHECK_INT(told.reason, MAX_SIZE_REACHED);
    CHECK(told.inst == inst && told.env == env && told.user_data == &user_data);
    CHECK(!wasm_runtime_get_exception(inst));

    CHECK(!wasm_runtime_enlarge_memory(inst, 3));
    CHECK_INT(told.count, 2);
    CHECK_INT(told.pages, 3);
    CHECK(told.inst == inst && told.env == NULL);
    CHECK(!wasm_memory_enlarge(wasm_runtime_get_default_memory(inst), 3));
    CHECK_INT(told.count, 2);
    /* More than fits the callback's parameter. */
    CHECK(!wasm_runtime_enlarge_memory(inst, 1ULL << 33));
    CHECK_INT(told.count, 2);

    CHECK(pthread_create(&thread, NULL, other_context, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_INT(told.count, 2);

    wasm_runtime_set_enlarge_mem_error_callback(NULL, &user_data);
    CHECK_INT(grow(env, 5), 0xFFFFFFFF);
    CHECK_INT(told.count, 2);
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
}
