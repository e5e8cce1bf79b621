/* A guest's table: its size, its type, and calls through it. */

#include "standard.h"

static void run(void) {
    struct exports exports;
    wasm_instance_t *instance = make("c_api_table", 0, NULL, &exports);
    wasm_table_t *table = wasm_extern_as_table(get(&exports, "table"));
    wasm_tabletype_t *type = wasm_table_type(table);
    const wasm_limits_t *limits = wasm_tabletype_limits(type);

    printf("size %u, %u to %u, of kind %d\n", wasm_table_size(table), limits->min, limits->max,
           (int)wasm_valtype_kind(wasm_tabletype_element(type)));
    wasm_tabletype_delete(type);
    CALL(&exports, "call", i32(7), i32(1));
    CALL(&exports, "call", i32(7), i32(0));
    printf("set: %d\n", wasm_table_set(table, 1, NULL));
    printf("set: %d\n", wasm_table_set(table, 2, NULL));
    CALL(&exports, "call", i32(7), i32(1));
    printf("grow: %d\n", wasm_table_grow(table, 3, NULL));
    printf("grow: %d\n", wasm_table_grow(table, 6, NULL));
    printf("grow: %d\n", wasm_table_grow(table, 5, NULL));
    printf("size %u\n", wasm_table_size(table));
    CALL(&exports, "call", i32(7), i32(9));
    CALL(&exports, "call", i32(7), i32(10));
    end_exports(&exports);
    wasm_instance_delete(instance);
}
