/* Objects of the host's in globals, tables, arguments and results; functions as values. */

#include "c_api.h"

enum { GLOBAL, TABLE, FUNCS, GLOBAL_SET, GLOBAL_GET, TABLE_SET, TABLE_GET, FUNC_CALL, KEEP };

static wasm_trap_t *same(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    wasm_val_copy(&results->data[0], &args->data[0]);
    return NULL;
}

static wasm_ref_t *host_object(intptr_t number) {
    wasm_ref_t *ref = wasm_foreign_as_ref(wasm_foreign_new(store));

    wasm_ref_set_host_info(ref, (void *)number);
    return ref;
}

static wasm_ref_t *call(wasm_extern_t *item, size_t count, wasm_val_t vals[]) {
    wasm_val_vec_t args = { count, vals, count, sizeof *vals, NULL };
    wasm_val_t result = WASM_INIT_VAL;
    wasm_val_vec_t results = { 1, &result, 1, sizeof result, NULL };
    wasm_trap_t *trap = wasm_func_call(wasm_extern_as_func(item), &args, &results);

    CHECK(!trap);
    return result.of.ref;
}

/* The reference is deleted. */
static bool is(wasm_ref_t *got, const wasm_ref_t *want) {
    bool same = got == want || wasm_ref_same(got, want);

    same = same && wasm_ref_get_host_info(got) == wasm_ref_get_host_info(want);
    wasm_ref_delete(got);
    return same;
}

static void functions(wasm_extern_vec_t *exports, wasm_func_t *host) {
    wasm_table_t *table = wasm_extern_as_table(exports->data[FUNCS]);
    wasm_val_t val = { .kind = WASM_FUNCREF, .of = { .ref = wasm_func_as_ref(host) } };
    wasm_ref_t *object = host_object(3), *got;
    wasm_val_t not_func = WASM_REF_VAL(object);
    wasm_val_vec_t args = { 1, &not_func, 1, sizeof val, NULL };

    got = call(exports->data[KEEP], 1, &val);
    CHECK(wasm_ref_same(got, wasm_func_as_ref(host)));
    CHECK(wasm_ref_as_func(got) && !wasm_ref_as_table(got) && !wasm_ref_as_foreign(got));
    wasm_ref_delete(got);
    CHECK(trap_is(wasm_func_call(wasm_extern_as_func(exports->data[KEEP]), &args, NULL),
                  "Exception: the reference is not of the type that is wanted"));
    CHECK(!wasm_table_set(table, 0, object));
    CHECK(wasm_table_set(table, 0, wasm_func_as_ref(wasm_extern_as_func(exports->data[KEEP]))));
    got = wasm_table_get(table, 0);
    CHECK(wasm_ref_same(got, wasm_extern_as_ref(exports->data[KEEP])));
    wasm_ref_delete(got);
    wasm_ref_delete(object);
}

static void run(void) {
    wasm_functype_t *type;
    wasm_func_t *func;
    wasm_extern_vec_t exports;
    wasm_instance_t *instance;
    wasm_ref_t *one, *two;
    wasm_val_t vals[2], null = WASM_INIT_VAL;

    open_store();
    type = wasm_functype_new_1_1(wasm_valtype_new_anyref(), wasm_valtype_new_anyref());
    func = wasm_func_new(store, type, same);
    wasm_functype_delete(type);
    instance = make("c_api_hostref", 1, (wasm_extern_t *[]){ wasm_func_as_extern(func) }, &exports);
    one = host_object(1);
    two = host_object(2);
    CHECK(!wasm_ref_same(one, two) && wasm_ref_same(one, one));

    CHECK(!call(exports.data[GLOBAL_GET], 0, NULL));
    vals[0] = (wasm_val_t)WASM_REF_VAL(one);
    call(exports.data[GLOBAL_SET], 1, vals);
    CHECK(is(call(exports.data[GLOBAL_GET], 0, NULL), one));
    wasm_global_get(wasm_extern_as_global(exports.data[GLOBAL]), &vals[0]);
    CHECK(is(vals[0].of.ref, one));
    wasm_global_set(wasm_extern_as_global(exports.data[GLOBAL]), &null);
    CHECK(!call(exports.data[GLOBAL_GET], 0, NULL));

    vals[0] = (wasm_val_t)WASM_I32_VAL(3);
    vals[1] = (wasm_val_t)WASM_REF_VAL(two);
    call(exports.data[TABLE_SET], 2, vals);
    CHECK(is(call(exports.data[TABLE_GET], 1, vals), two));
    CHECK(is(wasm_table_get(wasm_extern_as_table(exports.data[TABLE]), 3), two));
    CHECK(wasm_table_set(wasm_extern_as_table(exports.data[TABLE]), 3, one));
    CHECK(is(call(exports.data[TABLE_GET], 1, vals), one));
    CHECK(wasm_table_grow(wasm_extern_as_table(exports.data[TABLE]), 2, two));
    CHECK(is(wasm_table_get(wasm_extern_as_table(exports.data[TABLE]), 11), two));

    CHECK(is(call(exports.data[FUNC_CALL], 1, &vals[1]), two));
    CHECK(!call(exports.data[FUNC_CALL], 1, &null));
    /* Any object will do, and is the same when it comes back. */
    vals[0] = (wasm_val_t)WASM_REF_VAL(wasm_instance_as_ref(instance));
    CHECK(is(call(exports.data[FUNC_CALL], 1, vals), wasm_instance_as_ref(instance)));

    functions(&exports, func);
    wasm_ref_delete(one);
    wasm_ref_delete(two);
    wasm_extern_vec_delete(&exports);
    wasm_func_delete(func);
    wasm_instance_delete(instance);
    close_store();
}
