/* Finalizers of host functions: each runs once, no later than at the store's end. */

#include "standard.h"

static int finalized;

static void finalize(void *number) {
    finalized += *(int *)number;
}

static wasm_trap_t *nothing(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    (void)args, (void)results;
    printf("called with %d\n", *(int *)env);
    return NULL;
}

static void run(void) {
    int numbers[] = { 1, 10, 100 }, i;
    wasm_functype_t *type = wasm_functype_new_0_0();

    for (i = 0; i < 3; i++) {
        wasm_func_t *func = wasm_func_new_with_env(store, type, nothing, &numbers[i], finalize);
        wasm_extern_t *items[] = { wasm_func_as_extern(func) };
        struct exports exports;
        wasm_instance_t *instance = make("c_api_hello", 1, items, &exports);

        wasm_func_delete(func);
        wasm_instance_delete(instance);
        CALL0(&exports, "run");
        end_exports(&exports);
    }
    wasm_functype_delete(type);
    wasm_store_delete(store);
    printf("finalized: %d\n", finalized);
    store = wasm_store_new(engine);
}
