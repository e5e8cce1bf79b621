/* A host function without an environment; exports outlive module and instance. */

#include "c_api.h"

static int greetings;

static wasm_trap_t *hello(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    CHECK(args->num_elems == 0 && results->num_elems == 0);
    greetings++;
    return NULL;
}

static void run(void) {
    wasm_extern_vec_t exports;
    wasm_val_vec_t none = WASM_EMPTY_VEC;
    wasm_functype_t *type;
    wasm_func_t *func;
    wasm_instance_t *instance;

    open_store();
    type = wasm_functype_new_0_0();
    func = wasm_func_new(store, type, hello);
    wasm_functype_delete(type);
    instance = make("c_api_hello", 1, (wasm_extern_t *[]){ wasm_func_as_extern(func) }, &exports);
    wasm_func_delete(func);
    wasm_instance_delete(instance);
    CHECK_INT(exports.num_elems, 1);
    CHECK(!wasm_func_call(wasm_extern_as_func(exports.data[0]), &none, &none));
    CHECK(!wasm_func_call(wasm_extern_as_func(exports.data[0]), NULL, NULL));
    CHECK_INT(greetings, 2);
    wasm_extern_vec_delete(&exports);
    CHECK(!exports.data && exports.size == 0);
    close_store();
}
