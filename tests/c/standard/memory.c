/* Memories of a guest and of the host, grown from both sides. */

#include "standard.h"

static void show(const char *what, wasm_memory_t *memory) {
    wasm_memorytype_t *type = wasm_memory_type(memory);
    const wasm_limits_t *limits = wasm_memorytype_limits(type);

    printf("%s: %d pages, %d bytes, at least %d, at most %u\n", what,
           (int)wasm_memory_size(memory), (int)wasm_memory_data_size(memory), (int)limits->min,
           limits->max);
    wasm_memorytype_delete(type);
}

static void of_guest(void) {
    struct exports exports;
    wasm_instance_t *instance = make("c_api_memory", 0, NULL, &exports);
    wasm_memory_t *memory = wasm_extern_as_memory(get(&exports, "memory"));

    show("guest's", memory);
    printf("byte: %d\n", wasm_memory_data(memory)[0x1003]);
    CALL(&exports, "load", i32(0x1002));
    wasm_memory_data(memory)[0x1003] = 5;
    CALL(&exports, "load", i32(0x1003));
    CALL(&exports, "store", i32(0x1002), i32(6));
    printf("byte: %d\n", wasm_memory_data(memory)[0x1002]);
    CALL(&exports, "load", i32(0x30000));
    printf("grow: %d\n", wasm_memory_grow(memory, 1));
    CALL0(&exports, "size");
    CALL(&exports, "load", i32(0x2ffff));
    printf("grow: %d\n", wasm_memory_grow(memory, 1));
    printf("grow: %d\n", wasm_memory_grow(memory, 0));
    show("guest's", memory);
    end_exports(&exports);
    wasm_instance_delete(instance);
}

static void of_host(void) {
    wasm_limits_t limits = { 1, 8 };
    wasm_memorytype_t *type = wasm_memorytype_new(&limits);
    wasm_memory_t *memory = wasm_memory_new(store, type);
    wasm_extern_t *items[] = { wasm_memory_as_extern(memory) };
    struct exports exports[2];
    wasm_instance_t *instance[2];

    wasm_memorytype_delete(type);
    show("host's", memory);
    wasm_memory_data(memory)[7] = 9;
    instance[0] = make("c_api_memory_user", 1, items, &exports[0]);
    instance[1] = make("c_api_memory_user", 1, items, &exports[1]);
    CALL(&exports[0], "load", i32(7));
    CALL(&exports[1], "load", i32(7));
    CALL(&exports[0], "grow", i32(2));
    show("host's", memory);
    printf("grow: %d\n", wasm_memory_grow(memory, 1));
    CALL(&exports[1], "load", i32(0x3ffff));
    CALL(&exports[1], "load", i32(0x40000));
    end_exports(&exports[0]);
    end_exports(&exports[1]);
    wasm_instance_delete(instance[0]);
    wasm_instance_delete(instance[1]);
    wasm_memory_delete(memory);
}

static void run(void) {
    of_guest();
    of_host();
}
