/* Several parameters and results of all kinds of numbers. */

#include "standard.h"

static wasm_trap_t *turn(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    size_t i;

    for (i = 0; i < args->size; i++) {
        show_val("argument", &args->data[i]);
        wasm_val_copy(&results->data[results->size - 1 - i], &args->data[i]);
    }
    return NULL;
}

static void run(void) {
    wasm_valtype_t *ps[] = { wasm_valtype_new_i32(), wasm_valtype_new_i64(),
                             wasm_valtype_new_f32(), wasm_valtype_new_f64() };
    wasm_valtype_t *rs[] = { wasm_valtype_new_f64(), wasm_valtype_new_f32(),
                             wasm_valtype_new_i64(), wasm_valtype_new_i32() };
    wasm_val_t vals[] = { WASM_I32_VAL(-1), WASM_I64_VAL(-2), WASM_F32_VAL(1.5f),
                          WASM_F64_VAL(-2.25) };
    wasm_valtype_vec_t params, outs;
    wasm_func_t *func;
    wasm_extern_t *items[1];
    struct exports exports;
    wasm_instance_t *instance;

    wasm_valtype_vec_new(&params, 4, ps);
    wasm_valtype_vec_new(&outs, 4, rs);
    func = host_func(wasm_functype_new(&params, &outs), turn);
    items[0] = wasm_func_as_extern(func);
    instance = make("multi", 1, items, &exports);
    call("g", get(&exports, "g"), 4, vals);
    call_func("the host's own", func, 4, vals);
    end_exports(&exports);
    wasm_instance_delete(instance);
    wasm_func_delete(func);
}
