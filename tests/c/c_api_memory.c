/* Memories of a guest's and of the host's, grown from both sides. */

#include "c_api.h"

static void of_guest(void) {
    wasm_extern_vec_t exports;
    wasm_module_t *module = load_in(store, "c_api_memory");
    /* No heap, which would lie in the memory. */
    wasm_instance_t *instance = wasm_instance_new_with_args(store, module, NULL, NULL, 8192, 0);
    wasm_memory_t *memory;
    wasm_memorytype_t *type;

    CHECK(instance != NULL);
    wasm_module_delete(module);
    wasm_instance_exports(instance, &exports);
    memory = wasm_extern_as_memory(exports.data[0]);
    type = wasm_memory_type(memory);
    CHECK_INT(wasm_memorytype_limits(type)->min, 2);
    CHECK_INT(wasm_memorytype_limits(type)->max, 3);
    wasm_memorytype_delete(type);
    CHECK_INT(wasm_memory_size(memory), 2);
    CHECK_INT(wasm_memory_data_size(memory), 2 * MEMORY_PAGE_SIZE);
    CHECK_INT(wasm_memory_data(memory)[0x1003], 4);
    CHECK_INT(CALL1(exports.data[2], 0x1002), 3);
    wasm_memory_data(memory)[0x1003] = 5;
    CHECK_INT(CALL1(exports.data[2], 0x1003), 5);
    CHECK_INT(CALL2(exports.data[3], 0x1002, 6), 0);
    CHECK_INT(wasm_memory_data(memory)[0x1002], 6);
    CHECK_INT(CALL1(exports.data[2], 0x20000), -1);
    CHECK(wasm_memory_grow(memory, 1));
    CHECK_INT(CALL0(exports.data[1]), 3);
    CHECK_INT(CALL1(exports.data[2], 0x20000), 0);
    CHECK(!wasm_memory_grow(memory, 1) && wasm_memory_grow(memory, 0));
    wasm_extern_vec_delete(&exports);
    wasm_instance_delete(instance);
}

static void of_host(void) {
    wasm_limits_t limits = { 1, wasm_limits_max_default }, none = { 5, 4 };
    wasm_memorytype_t *type = wasm_memorytype_new(&limits), *wrong = wasm_memorytype_new(&none);
    wasm_memory_t *memory = wasm_memory_new(store, type);
    wasm_extern_t *items[] = { wasm_memory_as_extern(memory) };
    wasm_extern_vec_t exports[2];
    wasm_instance_t *instance[2];

    CHECK(!wasm_memory_new(store, wrong) && !wasm_memory_new(store, NULL));
    wasm_memorytype_delete(type);
    wasm_memorytype_delete(wrong);
    wasm_memory_data(memory)[7] = 9;
    instance[0] = make("c_api_memory_user", 1, items, &exports[0]);
    instance[1] = make("c_api_memory_user", 1, items, &exports[1]);
    CHECK_INT(CALL1(exports[0].data[0], 7), 9);
    CHECK_INT(CALL1(exports[1].data[0], 7), 9);
    CHECK_INT(CALL1(exports[0].data[1], 2), 1);
    CHECK_INT(wasm_memory_size(memory), 3);
    CHECK(wasm_memory_grow(memory, 1));
    type = wasm_memory_type(memory);
    CHECK_INT(wasm_memorytype_limits(type)->min, 4);
    wasm_memorytype_delete(type);
    CHECK_INT(CALL1(exports[1].data[0], 0x3FFFF), 0);
    wasm_memory_delete(memory);
    wasm_instance_delete(instance[0]);
    wasm_extern_vec_delete(&exports[0]);
    CHECK_INT(CALL1(exports[1].data[0], 7), 9);
    wasm_extern_vec_delete(&exports[1]);
    wasm_instance_delete(instance[1]);
}

static void run(void) {
    open_store();
    of_guest();
    of_host();
    close_store();
}
