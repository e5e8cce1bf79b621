/* The start function calls the host, whose functions are bound by then; its traps. */

#include "c_api.h"

static wasm_trap_t *doubled(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    if (env) {
        wasm_message_t message;
        wasm_trap_t *trap;

        wasm_name_new_from_string_nt(&message, "no start today");
        trap = wasm_trap_new(store, &message);
        wasm_name_delete(&message);
        wasm_trap_set_host_info(trap, env);
        return trap;
    }
    results->data[0] = (wasm_val_t)WASM_I32_VAL(2 * args->data[0].of.i32);
    return NULL;
}

static void run(void) {
    wasm_functype_t *type;
    wasm_func_t *good, *bad;
    wasm_extern_vec_t exports;
    wasm_instance_t *instance;
    wasm_module_t *module;
    wasm_trap_t *trap = NULL;
    int mark;

    open_store();
    type = wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
    good = wasm_func_new_with_env(store, type, doubled, NULL, NULL);
    bad = wasm_func_new_with_env(store, type, doubled, &mark, NULL);
    wasm_functype_delete(type);
    instance = make("c_api_start", 1, (wasm_extern_t *[]){ wasm_func_as_extern(good) }, &exports);
    CHECK_INT(CALL0(exports.data[1]), 40);
    wasm_extern_vec_delete(&exports);
    wasm_instance_delete(instance);

    module = load_in(store, "c_api_start");
    {
        wasm_extern_t *items[] = { wasm_func_as_extern(bad) };
        wasm_extern_vec_t imports = WASM_ARRAY_VEC(items);

        CHECK(!wasm_instance_new(store, module, &imports, &trap));
        CHECK(wasm_trap_get_host_info(trap) == &mark);
        CHECK(trap_is(trap, "Exception: no start today"));
    }
    wasm_module_delete(module);
    wasm_func_delete(good);
    wasm_func_delete(bad);
    close_store();
}
