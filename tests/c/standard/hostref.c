/* Objects of the host in globals, tables, arguments and results. */

#include "standard.h"

enum { GLOBAL, TABLE, FUNCS, GLOBAL_SET, GLOBAL_GET, TABLE_SET, TABLE_GET, FUNC_CALL, KEEP };

static wasm_trap_t *same(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    wasm_val_copy(&results->data[0], &args->data[0]);
    return NULL;
}

static wasm_ref_t *host_object(intptr_t number) {
    wasm_ref_t *object = wasm_foreign_as_ref(wasm_foreign_new(store));

    wasm_ref_set_host_info(object, (void *)number);
    return object;
}

/* Prints which object it is, and deletes the reference. */
static void show(const char *what, wasm_ref_t *got) {
    if (got)
        printf("%s: object %d\n", what, (int)(intptr_t)wasm_ref_get_host_info(got));
    else
        printf("%s: null\n", what);
    if (got)
        wasm_ref_delete(got);
}

static void call_ref(const char *what, wasm_extern_t *item, size_t count, wasm_val_t vals[]) {
    wasm_val_t out[1] = { WASM_INIT_VAL };
    wasm_val_vec_t args, results = WASM_ARRAY_VEC(out);
    wasm_trap_t *trap;

    AROUND(&args, count, vals);
    trap = wasm_func_call(wasm_extern_as_func(item), &args, &results);
    if (trap)
        show_trap(what, trap);
    else
        show(what, out[0].of.ref);
}

static void run(void) {
    wasm_func_t *func = host_func(wasm_functype_new_1_1(wasm_valtype_new(WASM_EXTERNREF),
                                                        wasm_valtype_new(WASM_EXTERNREF)), same);
    wasm_extern_t *items[] = { wasm_func_as_extern(func) };
    struct exports exports;
    wasm_instance_t *instance = make("c_api_hostref", 1, items, &exports);
    wasm_ref_t *one = host_object(1), *two = host_object(2);
    wasm_table_t *table = wasm_extern_as_table(get(&exports, "table"));
    wasm_val_t vals[2], got;

    call_ref("global", get(&exports, "global.get"), 0, NULL);
    CALL(&exports, "global.set", ref(one));
    call_ref("global", get(&exports, "global.get"), 0, NULL);
    wasm_global_get(wasm_extern_as_global(get(&exports, "global")), &got);
    show("global", got.of.ref);
    CALL(&exports, "table.set", i32(3), ref(two));
    vals[0] = i32(3);
    call_ref("table", get(&exports, "table.get"), 1, vals);
    show("table", wasm_table_get(table, 3));
    printf("set: %d\n", wasm_table_set(table, 3, one));
    call_ref("table", get(&exports, "table.get"), 1, vals);
    printf("grow: %d\n", wasm_table_grow(table, 2, two));
    show("table", wasm_table_get(table, 11));
    vals[0] = ref(two);
    call_ref("call", get(&exports, "func.call"), 1, vals);
    vals[0] = ref(NULL);
    call_ref("call", get(&exports, "func.call"), 1, vals);
    wasm_ref_delete(one);
    wasm_ref_delete(two);
    end_exports(&exports);
    wasm_func_delete(func);
    wasm_instance_delete(instance);
}
