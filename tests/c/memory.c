/* Guest memory from outside: allocation, addresses, growth. */

#include "check.h"

static wasm_module_inst_t inst;

static void expect_bounds_exception(void) {
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: out of bounds memory access");
    wasm_runtime_clear_exception(inst);
}

static void allocation(void) {
    void *native = NULL, *other = NULL;
    uint64_t block = wasm_runtime_module_malloc(inst, 100, &native), second, copy;

    CHECK(block != 0 && native != NULL);
    CHECK(wasm_runtime_addr_app_to_native(inst, block) == native);
    CHECK(wasm_runtime_addr_native_to_app(inst, native) == block);
    memset(native, 7, 100);
    second = wasm_runtime_module_malloc(inst, 0, &other);
    CHECK(second != 0 && second != block);
    CHECK(wasm_runtime_module_malloc(inst, 10, NULL) != 0);
    CHECK(!wasm_runtime_module_malloc(inst, 100000, &other));
    CHECK(!wasm_runtime_module_malloc(inst, UINT64_MAX, &other));
    CHECK(!wasm_runtime_get_exception(inst));
    wasm_runtime_module_free(inst, block);
    wasm_runtime_module_free(inst, second);
    /* Not blocks: ignored. */
    wasm_runtime_module_free(inst, 0);
    wasm_runtime_module_free(inst, 0xFFFFFFF);
    wasm_runtime_module_free(inst, 17);
    CHECK(!wasm_runtime_get_exception(inst));
    copy = wasm_runtime_module_dup_data(inst, "copied", 7);
    CHECK(copy != 0);
    CHECK_STR((char *)wasm_runtime_addr_app_to_native(inst, copy), "copied");
    wasm_runtime_module_free(inst, copy);
    CHECK(!wasm_runtime_module_dup_data(inst, "x", 1000000));
}

static void addresses(void) {
    wasm_memory_inst_t memory = wasm_runtime_get_default_memory(inst);
    uint8_t *base = wasm_memory_get_base_address(memory), *start, *end;
    uint64_t size = wasm_memory_get_cur_page_count(memory) * wasm_memory_get_bytes_per_page(memory);
    uint64_t first, last;
    int outside;

    CHECK(wasm_runtime_validate_app_addr(inst, 0, size));
    CHECK(wasm_runtime_validate_app_addr(inst, size - 1, 1));
    CHECK(!wasm_runtime_validate_app_addr(inst, size - 1, 2));
    expect_bounds_exception();
    CHECK(!wasm_runtime_validate_app_addr(inst, UINT64_MAX, 2));
    expect_bounds_exception();
    CHECK(!wasm_runtime_validate_app_addr(inst, 1, UINT64_MAX));
    expect_bounds_exception();
    CHECK(wasm_runtime_validate_app_str_addr(inst, 16));
    CHECK_STR((char *)wasm_runtime_addr_app_to_native(inst, 16), "hello");
    memset(base + size - 4, 'x', 4);
    CHECK(!wasm_runtime_validate_app_str_addr(inst, size - 4));
    expect_bounds_exception();
    CHECK(!wasm_runtime_validate_app_str_addr(inst, size));
    expect_bounds_exception();
    CHECK(wasm_runtime_validate_native_addr(inst, base, size));
    CHECK(!wasm_runtime_validate_native_addr(inst, base, size + 1));
    expect_bounds_exception();
    CHECK(!wasm_runtime_validate_native_addr(inst, &outside, 1));
    expect_bounds_exception();
    CHECK(!wasm_runtime_validate_native_addr(inst, NULL, 1));
    expect_bounds_exception();
    /* Conversions just say NULL or 0. */
    CHECK(wasm_runtime_addr_app_to_native(inst, 0) == base);
    CHECK(!wasm_runtime_addr_app_to_native(inst, size));
    CHECK(!wasm_runtime_addr_native_to_app(inst, NULL));
    CHECK(!wasm_runtime_addr_native_to_app(inst, &outside));
    CHECK_INT(wasm_runtime_addr_native_to_app(inst, base + 5), 5);
    CHECK(!wasm_runtime_get_exception(inst));
    CHECK(wasm_runtime_get_app_addr_range(inst, 5, &first, &last));
    CHECK(first == 0 && last == size);
    CHECK(wasm_runtime_get_app_addr_range(inst, 5, NULL, NULL));
    CHECK(!wasm_runtime_get_app_addr_range(inst, size, &first, &last));
    CHECK(wasm_runtime_get_native_addr_range(inst, base + 9, &start, &end));
    CHECK(start == base && end == base + size);
    CHECK(!wasm_runtime_get_native_addr_range(inst, base + size, &start, &end));
    CHECK(!wasm_runtime_get_native_addr_range(inst, NULL, &start, &end));
}

static void growth(wasm_exec_env_t env) {
    wasm_memory_inst_t memory = wasm_runtime_get_default_memory(inst);
    uint32_t argv[2] = {0, 0};

    /* The heap of 8 KiB took a page of its own, beyond the module's limit of three. */
    CHECK_INT(wasm_memory_get_bytes_per_page(memory), 65536);
    CHECK_INT(wasm_memory_get_cur_page_count(memory), 2);
    CHECK_INT(wasm_memory_get_max_page_count(memory), 4);
    CHECK(!wasm_memory_get_shared(memory));
    CHECK(wasm_memory_enlarge(memory, 0));
    CHECK(wasm_runtime_enlarge_memory(inst, 1));
    CHECK_INT(wasm_memory_get_cur_page_count(memory), 3);
    CHECK(wasm_memory_enlarge(memory, 1));
    CHECK(!wasm_memory_enlarge(memory, 1));
    CHECK(!wasm_runtime_enlarge_memory(inst, 1));
    CHECK(!wasm_runtime_enlarge_memory(inst, UINT64_MAX));
    CHECK(!wasm_memory_enlarge(memory, UINT64_MAX));
    CHECK(!wasm_runtime_get_exception(inst));
    /* The guest sees the same size, and that it cannot grow. */
    CHECK(wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "grow"), 1, argv));
    CHECK_INT(argv[0], 4);
    argv[0] = 1;
    CHECK(wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "grow"), 1, argv));
    CHECK_INT((int32_t)argv[0], -1);
    argv[0] = 4 * 65536 - 1, argv[1] = 200;
    CHECK(wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "store8"), 2, argv));
    CHECK_INT(*(uint8_t *)wasm_runtime_addr_app_to_native(inst, 4 * 65536 - 1), 200);
}

static void lookups(void) {
    wasm_memory_inst_t memory = wasm_runtime_get_default_memory(inst);

    CHECK(memory != NULL);
    CHECK(wasm_runtime_get_memory(inst, 0) == memory);
    CHECK(!wasm_runtime_get_memory(inst, 1));
    CHECK(wasm_runtime_lookup_memory(inst, "memory") == memory);
    CHECK(wasm_runtime_lookup_memory(inst, "any name") == memory);
}

/* An instance whose memory was limited from outside, and one without memory. */
static void limits(wasm_module_t module) {
    char error[128] = "";
    InstantiationArgs args;
    struct InstantiationArgs2 *args2 = NULL;
    wasm_module_inst_t other;
    wasm_module_t none;
    int data;

    memset(&args, 0, sizeof args);
    args.max_memory_pages = 2;
    other = wasm_runtime_instantiate_ex(module, &args, error, sizeof error);
    CHECK(other != NULL);
    CHECK_INT(wasm_memory_get_max_page_count(wasm_runtime_get_default_memory(other)), 2);
    CHECK(wasm_runtime_enlarge_memory(other, 1));
    CHECK(!wasm_runtime_enlarge_memory(other, 1));
    CHECK(!wasm_runtime_module_malloc(other, 10, NULL));
    CHECK(!wasm_runtime_get_custom_data(other));
    wasm_runtime_deinstantiate(other);

    CHECK(wasm_runtime_instantiation_args_create(&args2));
    wasm_runtime_instantiation_args_set_default_stack_size(args2, 32768);
    wasm_runtime_instantiation_args_set_host_managed_heap_size(args2, 4096);
    wasm_runtime_instantiation_args_set_max_memory_pages(args2, 100);
    wasm_runtime_instantiation_args_set_custom_data(args2, &data);
    other = wasm_runtime_instantiate_ex2(module, args2, error, sizeof error);
    CHECK(other != NULL);
    CHECK_INT(wasm_memory_get_max_page_count(wasm_runtime_get_default_memory(other)), 4);
    CHECK(wasm_runtime_module_malloc(other, 10, NULL) != 0);
    CHECK(wasm_runtime_get_custom_data(other) == &data);
    wasm_runtime_set_custom_data(other, NULL);
    CHECK(!wasm_runtime_get_custom_data(other));
    wasm_runtime_deinstantiate(other);
    wasm_runtime_instantiation_args_destroy(args2);
    wasm_runtime_instantiation_args_destroy(NULL);

    none = load_module("empty");
    other = instantiate(none, 0, 4096);
    CHECK(!wasm_runtime_get_default_memory(other));
    CHECK(!wasm_runtime_validate_app_addr(other, 0, 1));
    CHECK(!wasm_runtime_addr_app_to_native(other, 0));
    CHECK(!wasm_runtime_enlarge_memory(other, 1));
    CHECK(!wasm_runtime_module_malloc(other, 1, NULL));
    wasm_runtime_deinstantiate(other);
    wasm_runtime_unload(none);
}

/* A refused allocation is logged once. */
static void warnings(void) {
    static const char big[100002];

    wasm_runtime_set_log_level(WASM_LOG_LEVEL_WARNING);
    CHECK(!wasm_runtime_module_malloc(inst, 100001, NULL));
    CHECK(!wasm_runtime_module_dup_data(inst, big, sizeof big));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
}

static void run(void) {
    wasm_module_t module;
    wasm_exec_env_t env;

    CHECK(wasm_runtime_init());
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    module = load_module("basic");
    inst = instantiate(module, 0, 8192);
    env = wasm_runtime_create_exec_env(inst, 8192);
    lookups();
    allocation();
    warnings();
    addresses();
    growth(env);
    allocation();
    limits(module);
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
}
