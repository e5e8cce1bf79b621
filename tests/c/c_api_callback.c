/* Host functions with and without an environment, called by a guest and by the host; missing
 * imports, and imports of the wrong type. */

#include "c_api.h"

static int32_t printed;

static wasm_trap_t *print(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    printed = args->data[0].of.i32;
    wasm_val_copy(&results->data[0], &args->data[0]);
    return NULL;
}

static wasm_trap_t *closure(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    CHECK_INT(args->size, 0);
    results->data[0].kind = WASM_I32;
    results->data[0].of.i32 = *(int32_t *)env;
    return NULL;
}

static wasm_trap_t *wrong_kind(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    (void)args;
    results->data[0] = (wasm_val_t)WASM_I64_VAL(1);
    return NULL;
}

static void wrong_imports(wasm_func_t *func) {
    wasm_module_t *module = load_in(store, "c_api_callback");
    wasm_extern_t *items[] = { wasm_func_as_extern(func), wasm_func_as_extern(func) };
    wasm_extern_vec_t imports = WASM_ARRAY_VEC(items), exports;
    wasm_trap_t *trap = NULL;
    wasm_instance_t *instance;

    CHECK(!wasm_instance_new(store, module, &imports, &trap));
    CHECK(trap_is(trap, "wasm_instance_new_with_args_ex failed: WASM module instantiate failed: "
                        "incompatible import type"));
    CHECK(!wasm_instance_new(store, module, &imports, NULL));
    CHECK(!wasm_instance_new(store, NULL, &imports, &trap));
    wasm_trap_delete(trap);
    CHECK(!wasm_instance_new_with_args_ex(store, module, &imports, &trap, NULL));
    wasm_trap_delete(trap);
    /* Without imports there is an instance, whose functions trap when they are called. */
    instance = wasm_instance_new(store, module, NULL, &trap);
    CHECK(instance && !trap);
    wasm_instance_exports(instance, &exports);
    CHECK_INT(CALL2(exports.data[0], 1, 2), -1);
    wasm_extern_vec_delete(&exports);
    wasm_instance_delete(instance);
    wasm_module_delete(module);
}

static void run(void) {
    int32_t number = 42;
    wasm_functype_t *with_param, *without;
    wasm_func_t *first, *second, *bad, *copy;
    wasm_extern_vec_t exports;
    wasm_instance_t *instance;
    wasm_val_t arg = WASM_I32_VAL(5), wrong = WASM_F32_VAL(5), result;
    wasm_val_vec_t args = { 1, &arg, 1, sizeof arg, NULL }, results;
    wasm_val_vec_t wrong_args = { 1, &wrong, 1, sizeof wrong, NULL };

    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    open_store();
    with_param = wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
    without = wasm_functype_new_0_1(wasm_valtype_new_i32());
    first = wasm_func_new(store, with_param, print);
    second = wasm_func_new_with_env(store, without, closure, &number, NULL);
    bad = wasm_func_new(store, without, wrong_kind);
    wasm_functype_delete(with_param);
    wasm_functype_delete(without);
    copy = wasm_func_copy(second);
    CHECK(wasm_func_same(copy, second) && !wasm_func_same(copy, first));
    wasm_func_delete(copy);

    instance = make("c_api_callback", 2,
                    (wasm_extern_t *[]){ wasm_func_as_extern(first), wasm_func_as_extern(second) },
                    &exports);
    CHECK_INT(CALL2(exports.data[0], 3, 4), 49);
    CHECK_INT(printed, 7);
    wasm_extern_vec_delete(&exports);
    wasm_instance_delete(instance);

    /* The host calls its own function. */
    wasm_val_vec_new_uninitialized(&results, 1);
    CHECK(!wasm_func_call(first, &args, &results));
    result = results.data[0];
    CHECK(results.num_elems == 1 && result.kind == WASM_I32 && result.of.i32 == 5);
    wasm_val_vec_delete(&results);
    CHECK(trap_is(wasm_func_call(first, NULL, NULL), "Exception: too few arguments"));
    CHECK(trap_is(wasm_func_call(first, &wrong_args, NULL),
                  "Exception: a value's kind is not that of the type"));

    instance = make("c_api_callback", 2,
                    (wasm_extern_t *[]){ wasm_func_as_extern(first), wasm_func_as_extern(bad) },
                    &exports);
    CHECK_INT(CALL2(exports.data[0], 3, 4), -1);
    wasm_extern_vec_delete(&exports);
    wasm_instance_delete(instance);

    wrong_imports(first);
    wasm_func_delete(first);
    wasm_func_delete(second);
    wasm_func_delete(bad);
    close_store();
}
