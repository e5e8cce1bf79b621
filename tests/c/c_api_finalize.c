/* Finalizers run once: of host info when the last pointer goes, of environments when nothing
 * refers to the function, of objects that guests hold when the store goes. */

#include "c_api.h"

static int alive, finalized;

static void finalize(void *data) {
    (void)data;
    alive--;
    finalized++;
}

static wasm_trap_t *nothing(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    (void)env, (void)args, (void)results;
    return NULL;
}

static wasm_func_t *make_func(void) {
    wasm_functype_t *type = wasm_functype_new_0_0();
    wasm_func_t *func = wasm_func_new_with_env(store, type, nothing, &alive, finalize);

    alive++;
    wasm_functype_delete(type);
    return func;
}

static void instances(void) {
    enum { COUNT = 20 };
    wasm_module_t *module = load_in(store, "c_api_hello");
    int i;

    for (i = 0; i < COUNT; i++) {
        wasm_func_t *func = make_func();
        wasm_extern_t *items[] = { wasm_func_as_extern(func) };
        wasm_extern_vec_t imports = WASM_ARRAY_VEC(items), exports;
        wasm_instance_t *instance = wasm_instance_new(store, module, &imports, NULL);

        wasm_instance_set_host_info_with_finalizer(instance, &alive, finalize);
        alive++;
        wasm_instance_exports(instance, &exports);
        wasm_func_delete(func);
        wasm_instance_delete(instance);
        /* The instance refers to the function still, and is there for its export. */
        CHECK_INT(alive, 1);
        CHECK(!wasm_func_call(wasm_extern_as_func(exports.data[0]), NULL, NULL));
        wasm_extern_vec_delete(&exports);
        CHECK_INT(alive, 0);
    }
    CHECK_INT(finalized, 2 * COUNT);
    wasm_module_delete(module);
}

static void infos(void) {
    wasm_foreign_t *foreign = wasm_foreign_new(store), *copy = wasm_foreign_copy(foreign);
    wasm_func_t *func;

    wasm_foreign_set_host_info_with_finalizer(foreign, &alive, finalize);
    alive++;
    CHECK(wasm_foreign_get_host_info(copy) == &alive);
    CHECK(wasm_ref_get_host_info(wasm_foreign_as_ref(foreign)) == &alive);
    wasm_foreign_delete(foreign);
    CHECK_INT(alive, 1);
    wasm_foreign_set_host_info(copy, NULL);
    CHECK_INT(alive, 0);
    wasm_foreign_delete(copy);
    /* No function, and yet the environment is given back. */
    alive++;
    CHECK(!wasm_func_new_with_env(store, NULL, nothing, &alive, finalize));
    CHECK_INT(alive, 0);
    func = make_func();
    wasm_func_delete(func);
    CHECK_INT(alive, 0);
}

static void held_by_guests(void) {
    wasm_globaltype_t *type = wasm_globaltype_new(wasm_valtype_new_anyref(), WASM_VAR);
    wasm_foreign_t *foreign = wasm_foreign_new(store);
    wasm_val_t val = WASM_REF_VAL(wasm_foreign_as_ref(foreign));
    wasm_global_t *global = wasm_global_new(store, type, &val);

    wasm_globaltype_delete(type);
    wasm_foreign_set_host_info_with_finalizer(foreign, &alive, finalize);
    alive++;
    wasm_foreign_delete(foreign);
    CHECK_INT(alive, 1);
    wasm_global_get(global, &val);
    CHECK(val.kind == WASM_EXTERNREF && wasm_ref_as_foreign(val.of.ref));
    wasm_val_delete(&val);
    CHECK_INT(alive, 1);
    wasm_store_delete(store);
    CHECK_INT(alive, 0);
    wasm_global_get(global, &val);
    CHECK(val.kind == WASM_EXTERNREF && !val.of.ref);
    wasm_global_delete(global);
}

static void run(void) {
    open_store();
    instances();
    infos();
    held_by_guests();
    wasm_engine_delete(engine);
}
