/* Tables of a guest's and of the host's, with functions of guests and of the host. */

#include "c_api.h"

static wasm_trap_t *negative(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    results->data[0] = (wasm_val_t)WASM_I32_VAL(-args->data[0].of.i32);
    return NULL;
}

static void of_guest(wasm_func_t *host) {
    wasm_extern_vec_t exports;
    wasm_instance_t *instance = make("c_api_table", 0, NULL, &exports);
    wasm_table_t *table = wasm_extern_as_table(exports.data[0]);
    wasm_func_t *g = wasm_extern_as_func(exports.data[3]);
    wasm_ref_t *got;

    CHECK_INT(wasm_table_size(table), 2);
    CHECK(!wasm_table_get(table, 0) && !wasm_table_get(table, 5));
    got = wasm_table_get(table, 1);
    CHECK(wasm_ref_same(got, wasm_extern_as_ref(exports.data[2])));
    wasm_ref_delete(got);
    CHECK_INT(CALL2(exports.data[1], 7, 1), 7);
    CHECK_INT(CALL2(exports.data[1], 7, 0), -1);
    CHECK(wasm_table_set(table, 0, wasm_func_as_ref(g)) && wasm_table_set(table, 1, NULL));
    /* WAMR's programs delete such a reference, and others do not. */
    got = wasm_func_as_ref(g);
    CHECK(!wasm_table_set(table, 2, got) && wasm_ref_as_func(got) == g);
    wasm_ref_delete(got);
    wasm_ref_delete(got);
    got = wasm_ref_copy(wasm_func_as_ref(g));
    CHECK(wasm_ref_same(got, wasm_func_as_ref(g)) && wasm_ref_as_func(got) == g);
    wasm_ref_delete(got);
    CHECK_INT(CALL2(exports.data[1], 7, 0), 666);
    CHECK_INT(CALL2(exports.data[1], 7, 1), -1);
    CHECK(wasm_table_grow(table, 3, wasm_func_as_ref(host)));
    CHECK_INT(wasm_table_size(table), 5);
    CHECK_INT(CALL2(exports.data[1], 7, 4), -7);
    CHECK(!wasm_table_grow(table, 6, NULL) && wasm_table_grow(table, 5, NULL));
    wasm_extern_vec_delete(&exports);
    wasm_instance_delete(instance);
}

/* A function goes into a table of an instance that it was never linked with, and stays. */
static void of_host(wasm_func_t *host) {
    wasm_limits_t limits = { 2, wasm_limits_max_default };
    wasm_tabletype_t *type = wasm_tabletype_new(wasm_valtype_new_funcref(), &limits);
    wasm_table_t *table = wasm_table_new(store, type, wasm_func_as_ref(host));
    wasm_foreign_t *foreign = wasm_foreign_new(store);
    wasm_extern_vec_t exports, others;
    wasm_instance_t *instance, *other;

    CHECK(!wasm_table_new(store, type, wasm_foreign_as_ref(foreign)));
    wasm_foreign_delete(foreign);
    wasm_tabletype_delete(type);
    instance = make("c_api_table_user", 1, (wasm_extern_t *[]){ wasm_table_as_extern(table) },
                    &exports);
    CHECK_INT(CALL2(exports.data[0], 4, 1), -4);
    other = make("c_api_table", 0, NULL, &others);
    CHECK(wasm_table_set(table, 1, wasm_extern_as_ref(others.data[2])));
    wasm_extern_vec_delete(&others);
    wasm_instance_delete(other);
    CHECK_INT(CALL2(exports.data[0], 4, 1), 4);
    wasm_table_delete(table);
    CHECK_INT(CALL2(exports.data[0], 4, 1), 4);
    wasm_extern_vec_delete(&exports);
    wasm_instance_delete(instance);
}

static void run(void) {
    wasm_functype_t *type;
    wasm_func_t *host;

    open_store();
    type = wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
    host = wasm_func_new(store, type, negative);
    wasm_functype_delete(type);
    of_guest(host);
    of_host(host);
    wasm_func_delete(host);
    close_store();
}
