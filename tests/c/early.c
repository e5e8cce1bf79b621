/* Settings before the runtime is initialized, and their effect afterwards. */

#include <pthread.h>
#include "check.h"

static int destroyed, told, read_count;

static void destructor(wasm_module_inst_t inst, void *data) {
    (void)inst;
    CHECK(data == &destroyed);
    destroyed++;
}

static void callback(uint32_t pages, uint64_t bytes, uint32_t index,
                     enlarge_memory_error_reason_t reason, wasm_module_inst_t inst,
                     wasm_exec_env_t env, void *user_data) {
    (void)pages, (void)bytes, (void)index, (void)reason, (void)inst, (void)env;
    CHECK(user_data == &told);
    told++;
}

static bool reader(package_type_t type, const char *name, uint8_t **buffer, uint32_t *size) {
    (void)type;
    read_count++;
    *buffer = read_module(name, size);
    return true;
}

static void destroyer(uint8_t *buffer, uint32_t size) {
    (void)size;
    free(buffer);
}

/* A context with an instance: whether all that was set holds there. */
static void in_context(void *key, bool is_set) {
    wasm_module_t module, importer;
    wasm_module_inst_t inst;
    int destroyed_before = destroyed, told_before = told, read_before = read_count;

    CHECK(wasm_runtime_init());
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    module = load_module("enlarge");
    inst = instantiate(module, 8192, 0);
    wasm_runtime_set_context(inst, key, &destroyed);
    CHECK(wasm_runtime_get_context(inst, key) == (is_set ? &destroyed : NULL));
    CHECK(!wasm_runtime_enlarge_memory(inst, 100));
    CHECK_INT(told - told_before, is_set);
    wasm_runtime_deinstantiate(inst);
    CHECK_INT(destroyed - destroyed_before, is_set);
    wasm_runtime_unload(module);
    importer = load_module("sub_main");
    CHECK_INT(read_count > read_before, is_set);
    wasm_runtime_unload(importer);
    wasm_runtime_destroy();
}

static void *on_another_thread(void *key) {
    in_context(key, false);
    return NULL;
}

static void run(void) {
    void *keys[7], *key = wasm_runtime_create_context_key(destructor);
    pthread_t thread;
    int i;

    CHECK(key != NULL);
    wasm_runtime_set_enlarge_mem_error_callback(callback, &told);
    wasm_runtime_set_module_reader(reader, destroyer);
    CHECK(pthread_create(&thread, NULL, on_another_thread, key) == 0);
    pthread_join(thread, NULL);
    /* They are there for every context, as long as they are. */
    in_context(key, true);
    in_context(key, true);
    /* Keys are limited, different, and free again. */
    for (i = 0; i < 6; i++) {
        keys[i] = wasm_runtime_create_context_key(NULL);
        CHECK(keys[i] != NULL && keys[i] != key && (i == 0 || keys[i] != keys[i - 1]));
    }
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    CHECK(wasm_runtime_create_context_key(NULL) == NULL);
    for (i = 0; i < 6; i++) {
        wasm_runtime_destroy_context_key(keys[i]);
    }
    /* With a context they are changed there, and for those that come. */
    CHECK(wasm_runtime_init());
    wasm_runtime_destroy_context_key(key);
    wasm_runtime_set_enlarge_mem_error_callback(NULL, NULL);
    wasm_runtime_set_module_reader(NULL, NULL);
    wasm_runtime_destroy();
    in_context(key, false);
}
