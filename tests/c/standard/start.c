/* A start function calls the host; its trap. */

#include "standard.h"

static int traps;

static wasm_trap_t *doubled(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    wasm_message_t message;
    wasm_trap_t *trap;

    show_val("start", &args->data[0]);
    if (traps) {
        wasm_name_new_from_string_nt(&message, "no start today");
        trap = wasm_trap_new(store, &message);
        wasm_name_delete(&message);
        return trap;
    }
    results->data[0] = i32(2 * args->data[0].of.i32);
    return NULL;
}

static void run(void) {
    wasm_func_t *func = host_func(
        wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32()), doubled);
    wasm_extern_t *items[] = { wasm_func_as_extern(func) };
    struct exports exports;
    wasm_instance_t *instance = make("c_api_start", 1, items, &exports);

    CALL0(&exports, "seen");
    end_exports(&exports);
    wasm_instance_delete(instance);
    traps = 1;
    make("c_api_start", 1, items, &exports);
    wasm_func_delete(func);
}
