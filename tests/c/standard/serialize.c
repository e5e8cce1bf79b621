/* A module as bytes; what is no serialized module; validation. */

#include "standard.h"

static wasm_trap_t *hello(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    (void)args, (void)results;
    printf("hello\n");
    return NULL;
}

static void run(void) {
    wasm_func_t *func = host_func(wasm_functype_new_0_0(), hello);
    wasm_extern_t *items[] = { wasm_func_as_extern(func) };
    wasm_extern_vec_t imports = WASM_ARRAY_VEC(items), exports;
    wasm_module_t *module = load_in(store, "c_api_hello"), *again;
    wasm_byte_vec_t bytes, other;
    wasm_instance_t *instance;

    wasm_module_serialize(module, &bytes);
    wasm_module_delete(module);
    again = wasm_module_deserialize(store, &bytes);
    printf("again: %s\n", again ? "a module" : "none");
    if (again) {
        instance = wasm_instance_new(store, again, &imports, NULL);
        wasm_instance_exports(instance, &exports);
        call("run", exports.data[0], 0, NULL);
        wasm_extern_vec_delete(&exports);
        wasm_instance_delete(instance);
        wasm_module_delete(again);
    }
    wasm_byte_vec_delete(&bytes);
    wasm_byte_vec_new(&other, 4, "\0asm");
    printf("valid: %d\n", wasm_module_validate(store, &other));
    printf("loaded: %d\n", wasm_module_new(store, &other) != NULL);
    wasm_byte_vec_delete(&other);
    wasm_func_delete(func);
}
