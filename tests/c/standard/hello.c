/* A host function without values; exports outlive module and instance. */

#include "standard.h"

static wasm_trap_t *hello(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    printf("hello: %d arguments, %d results\n", (int)args->size, (int)results->size);
    return NULL;
}

static void run(void) {
    wasm_func_t *func = host_func(wasm_functype_new_0_0(), hello);
    wasm_extern_t *items[] = { wasm_func_as_extern(func) };
    struct exports exports;

    wasm_instance_delete(make("c_api_hello", 1, items, &exports));
    wasm_func_delete(func);
    CALL0(&exports, "run");
    CALL0(&exports, "run");
    end_exports(&exports);
}
