/* WASI, with settings of the other header; a placeholder for its import; its exit. */

#include "c_api.h"

static wasm_trap_t *nothing(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    (void)args, (void)results;
    return NULL;
}

static void run(void) {
    const char *argv[] = { "program" };
    wasm_module_t *module;
    wasm_importtype_vec_t imports;
    wasm_functype_t *type;
    wasm_extern_t *items[2];
    wasm_extern_vec_t list = WASM_ARRAY_VEC(items), exports;
    wasm_instance_t *instance;
    wasm_trap_t *trap = NULL;

    open_store();
    module = load_in(store, "c_api_exit");
    wasm_runtime_set_wasi_args(*module, NULL, 0, NULL, 0, NULL, 0, (char **)argv, 1);
    wasm_module_imports(module, &imports);
    CHECK(wasm_importtype_is_linked(imports.data[0]));
    CHECK(!wasm_importtype_is_linked(imports.data[1]));
    wasm_importtype_vec_delete(&imports);
    type = wasm_functype_new_0_0();
    items[0] = wasm_extern_new_empty(store, WASM_EXTERN_FUNC);
    items[1] = wasm_func_as_extern(wasm_func_new(store, type, nothing));
    wasm_functype_delete(type);
    CHECK(!wasm_extern_new_empty(store, 9) && !wasm_extern_new_empty(NULL, WASM_EXTERN_FUNC));
    CHECK(!wasm_extern_type(items[0]) && wasm_extern_kind(items[0]) == WASM_EXTERN_FUNC);
    instance = wasm_instance_new(store, module, &list, &trap);
    CHECK(instance && !trap);
    wasm_instance_exports(instance, &exports);
    CHECK(trap_is(wasm_func_call(wasm_extern_as_func(exports.data[1]), NULL, NULL),
                  "Exception: wasi proc exit"));
    wasm_extern_vec_delete(&exports);
    wasm_instance_delete(instance);
    wasm_extern_delete(items[0]);
    wasm_extern_delete(items[1]);
    wasm_module_delete(module);
    close_store();
}
