/* Several memories, of 64-bit addresses and of small pages, from outside. */

#include "check.h"

static uint32_t failed_index, failed_pages;
static wasm_exec_env_t env;
static wasm_module_inst_t inst;

static void did_not_grow(uint32_t inc_page_count, uint64_t current_memory_size,
                         uint32_t memory_index, enlarge_memory_error_reason_t failure_reason,
                         wasm_module_inst_t instance, wasm_exec_env_t exec_env, void *user_data) {
    (void)current_memory_size, (void)failure_reason, (void)instance, (void)exec_env;
    failed_index = memory_index, failed_pages = inc_page_count;
    *(int *)user_data += 1;
}

/* The runtime has looked that all of the bytes are in memory 0. */
static int32_t sum(wasm_exec_env_t exec_env, const uint8_t *bytes, uint64_t count) {
    int32_t sum = 0;

    (void)exec_env;
    while (count-- > 0)
        sum += bytes[count];
    return sum;
}

static void lookups(void) {
    static const char *names[] = { "memory", "second", "bytes", "endless" };
    wasm_memory_inst_t memory;
    uint32_t index;

    for (index = 0; index < 4; index++) {
        memory = wasm_runtime_get_memory(inst, index);
        CHECK(memory != NULL);
        CHECK(wasm_runtime_lookup_memory(inst, names[index]) == memory);
    }
    CHECK(!wasm_runtime_get_memory(inst, 4));
    CHECK(!wasm_runtime_lookup_memory(inst, "another"));
    CHECK(!wasm_runtime_lookup_memory(inst, "sum"));
    CHECK(!wasm_runtime_lookup_memory(inst, NULL));
    CHECK(wasm_runtime_get_default_memory(inst) == wasm_runtime_get_memory(inst, 0));
    memory = wasm_runtime_lookup_memory(inst, "bytes");
    CHECK_INT(wasm_memory_get_bytes_per_page(memory), 1);
    CHECK_INT(wasm_memory_get_cur_page_count(memory), 10);
    CHECK_INT(wasm_memory_get_max_page_count(memory), 100);
    CHECK(wasm_memory_enlarge(memory, 1) && !wasm_memory_enlarge(memory, 90));
    CHECK_INT(wasm_memory_get_cur_page_count(memory), 11);
    memory = wasm_runtime_lookup_memory(inst, "endless");
    CHECK_INT(wasm_memory_get_bytes_per_page(memory), 65536);
    CHECK_INT(wasm_memory_get_max_page_count(memory), UINT32_MAX);
    CHECK(!wasm_memory_enlarge(memory, UINT64_MAX) && wasm_memory_enlarge(memory, 1));
}

static void types(wasm_module_t module) {
    static const uint32_t limits[][2] = { { 1, 4 }, { 2, 5 }, { 10, 100 }, { 0, UINT32_MAX } };
    wasm_export_t export;
    uint32_t index;

    for (index = 0; index < 4; index++) {
        wasm_runtime_get_export_type(module, (int32_t)index, &export);
        CHECK_INT(export.kind, WASM_IMPORT_EXPORT_KIND_MEMORY);
        CHECK(!wasm_memory_type_get_shared(export.u.memory_type));
        CHECK_INT(wasm_memory_type_get_init_page_count(export.u.memory_type), limits[index][0]);
        CHECK_INT(wasm_memory_type_get_max_page_count(export.u.memory_type), limits[index][1]);
    }
}

static bool call(const char *name, uint32_t argc, uint32_t *argv) {
    return wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, name), argc, argv);
}

static void set64(uint32_t *cells, uint64_t value) {
    memcpy(cells, &value, sizeof value);
}

/* Natives get pointers into memory 0, whose addresses and lengths have 64 bits. */
static void natives(void) {
    static const uint64_t bad[][2] = {
        { 1 << 20, 4 }, { UINT64_MAX, 1 }, { 1ULL << 32, 1 }, { 16, UINT64_MAX },
    };
    uint32_t argv[4], index;

    set64(argv, 16), set64(argv + 2, 4);
    CHECK(call("sum", 4, argv));
    CHECK_INT(argv[0], 10);
    for (index = 0; index < 4; index++) {
        set64(argv, bad[index][0]), set64(argv + 2, bad[index][1]);
        CHECK(!call("sum", 4, argv));
        CHECK_STR(wasm_runtime_get_exception(inst), "Exception: out of bounds memory access");
        wasm_runtime_clear_exception(inst);
    }
}

/* What has no name works on memory 0. */
static void addresses(void) {
    uint8_t *base = wasm_memory_get_base_address(wasm_runtime_get_default_memory(inst));
    uint8_t *other = wasm_memory_get_base_address(wasm_runtime_get_memory(inst, 1));
    void *native = NULL;
    uint64_t block = wasm_runtime_module_malloc(inst, 100, &native);

    CHECK(block != 0 && native == base + block);
    wasm_runtime_module_free(inst, block);
    CHECK(wasm_runtime_addr_app_to_native(inst, 16) == base + 16);
    CHECK_INT(wasm_runtime_addr_native_to_app(inst, base + 16), 16);
    CHECK_INT(wasm_runtime_addr_native_to_app(inst, other + 16), 0);
    CHECK(!wasm_runtime_validate_native_addr(inst, other, 1));
    wasm_runtime_clear_exception(inst);
    CHECK(!wasm_runtime_validate_app_addr(inst, UINT64_MAX, 1));
    wasm_runtime_clear_exception(inst);
    CHECK(wasm_runtime_enlarge_memory(inst, 1));
    CHECK_INT(wasm_memory_get_cur_page_count(wasm_runtime_get_memory(inst, 1)), 2);
}

static void growth(void) {
    uint32_t argv[1] = { 4 };
    int failures = 0;

    wasm_runtime_set_enlarge_mem_error_callback(did_not_grow, &failures);
    CHECK(call("grow", 1, argv));
    CHECK_INT((int32_t)argv[0], -1);
    CHECK_INT(failures, 1);
    CHECK_INT(failed_index, 1);
    CHECK_INT(failed_pages, 4);
    argv[0] = 3;
    CHECK(call("grow", 1, argv));
    CHECK_INT(argv[0], 2);
    argv[0] = 10;
    CHECK(call("load", 1, argv));
    argv[0] = 11;
    CHECK(!call("load", 1, argv));
    wasm_runtime_clear_exception(inst);
    wasm_runtime_set_enlarge_mem_error_callback(NULL, NULL);
}

static void run(void) {
    static NativeSymbol symbols[] = { { "sum", sum, "(*~)i", NULL } };
    wasm_module_t module;

    CHECK(wasm_runtime_init());
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    CHECK(wasm_runtime_register_natives("env", symbols, 1));
    module = load_module("memories");
    inst = instantiate(module, 0, 8192);
    env = wasm_runtime_create_exec_env(inst, 8192);
    types(module);
    lookups();
    natives();
    addresses();
    growth();
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
}
