/* References to functions, in tables of a guest and of the host. */


#include "standard.h"

static wasm_trap_t *negative(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    results->data[0] = i32(-args->data[0].of.i32);
    return NULL;
}

static void show(const char *what, const wasm_table_t *table) {
    wasm_table_size_t i;

    printf("%s:", what);
    for (i = 0; i <= wasm_table_size(table); i++) {
        wasm_ref_t *element = wasm_table_get(table, i);

        printf(" %s", element ? "function" : "null");
        if (element)
            wasm_ref_delete(element);
    }
    printf("\n");
}

/* A copy of its own, which is the caller's in every library. */
static wasm_ref_t *ref_to(wasm_func_t *func) {
    return wasm_ref_copy(wasm_func_as_ref(func));
}

static void of_guest(wasm_func_t *host) {
    struct exports exports;
    wasm_instance_t *instance = make("c_api_table", 0, NULL, &exports);
    wasm_table_t *table = wasm_extern_as_table(get(&exports, "table"));
    wasm_ref_t *g = ref_to(wasm_extern_as_func(get(&exports, "g"))), *own = ref_to(host);

    show("guest's", table);
    CALL(&exports, "call", i32(7), i32(1));
    CALL(&exports, "call", i32(7), i32(0));
    printf("set: %d %d\n", wasm_table_set(table, 0, g), wasm_table_set(table, 1, NULL));
    printf("set: %d\n", wasm_table_set(table, 2, g));
    CALL(&exports, "call", i32(7), i32(0));
    CALL(&exports, "call", i32(7), i32(1));
    CALL(&exports, "call", i32(7), i32(2));
    printf("grow: %d\n", wasm_table_grow(table, 3, own));
    CALL(&exports, "call", i32(7), i32(4));
    printf("grow: %d\n", wasm_table_grow(table, 6, NULL));
    printf("grow: %d\n", wasm_table_grow(table, 5, NULL));
    show("guest's", table);
    wasm_ref_delete(g);
    wasm_ref_delete(own);
    end_exports(&exports);
    wasm_instance_delete(instance);
}

static void of_host(wasm_func_t *host) {
    wasm_limits_t limits = { 2, 4 };
    wasm_tabletype_t *type = wasm_tabletype_new(wasm_valtype_new_funcref(), &limits);
    wasm_ref_t *own = ref_to(host);
    wasm_table_t *table = wasm_table_new(store, type, own);
    wasm_extern_t *items[] = { wasm_table_as_extern(table) };
    struct exports exports;
    wasm_instance_t *instance = make("c_api_table_user", 1, items, &exports);

    wasm_tabletype_delete(type);
    show("host's", table);
    CALL(&exports, "call", i32(4), i32(1));
    wasm_ref_delete(own);
    wasm_table_delete(table);
    CALL(&exports, "call", i32(4), i32(1));
    end_exports(&exports);
    wasm_instance_delete(instance);
}

static void run(void) {
    wasm_func_t *host = host_func(
        wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32()), negative);

    of_guest(host);
    of_host(host);
    wasm_func_delete(host);
}
