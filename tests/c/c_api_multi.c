/* Several results, and vectors, which lie where their values say. */

#include "c_api.h"

static wasm_trap_t *swap(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    uint8_t *from = (uint8_t *)args->data[2].of.foreign, *to;
    int i;

    CHECK_INT(results->data[1].kind, WASM_V128);
    to = (uint8_t *)results->data[1].of.foreign;
    for (i = 0; i < 16; i++)
        to[i] = from[15 - i];
    wasm_val_copy(&results->data[0], &args->data[3]);
    wasm_val_copy(&results->data[2], &args->data[1]);
    wasm_val_copy(&results->data[3], &args->data[0]);
    return NULL;
}

static void run(void) {
    wasm_valtype_t *ps[] = { wasm_valtype_new_i32(), wasm_valtype_new_i64(),
                             wasm_valtype_new_v128(), wasm_valtype_new_f32() };
    wasm_valtype_t *rs[] = { wasm_valtype_new_f32(), wasm_valtype_new_v128(),
                             wasm_valtype_new_i64(), wasm_valtype_new_i32() };
    wasm_valtype_vec_t params, outs;
    wasm_functype_t *type;
    wasm_func_t *func;
    wasm_extern_vec_t exports;
    wasm_instance_t *instance;
    uint8_t bytes[16], turned[16] = { 0 };
    wasm_val_t in[4] = { WASM_I32_VAL(1), WASM_I64_VAL(2), WASM_INIT_VAL, WASM_F32_VAL(4.5f) };
    wasm_val_t out[4] = { WASM_INIT_VAL, WASM_INIT_VAL, WASM_INIT_VAL, WASM_INIT_VAL };
    wasm_val_vec_t args = WASM_ARRAY_VEC(in), results = WASM_ARRAY_VEC(out);
    wasm_val_vec_t small = { 3, out, 3, sizeof *out, NULL };
    int i;

    open_store();
    wasm_valtype_vec_new(&params, 4, ps);
    wasm_valtype_vec_new(&outs, 4, rs);
    type = wasm_functype_new(&params, &outs);
    CHECK(!params.data && !outs.data);
    func = wasm_func_new(store, type, swap);
    wasm_functype_delete(type);
    instance = make("c_api_multi", 1, (wasm_extern_t *[]){ wasm_func_as_extern(func) }, &exports);
    for (i = 0; i < 16; i++)
        bytes[i] = (uint8_t)(i * 3);
    in[2].kind = out[1].kind = WASM_V128;
    in[2].of.foreign = (uintptr_t)bytes;
    out[1].of.foreign = (uintptr_t)turned;
    CHECK(!wasm_func_call(wasm_extern_as_func(exports.data[0]), &args, &results));
    CHECK(out[0].kind == WASM_F32 && out[0].of.f32 == 4.5f);
    for (i = 0; i < 16; i++)
        CHECK_INT(turned[i], (15 - i) * 3);
    CHECK(out[2].kind == WASM_I64 && out[2].of.i64 == 2);
    CHECK(out[3].kind == WASM_I32 && out[3].of.i32 == 1);
    CHECK(trap_is(wasm_func_call(func, &args, &small), "Exception: no room for the results"));
    in[2].of.foreign = 0;
    CHECK(trap_is(wasm_func_call(func, &args, &results), "Exception: a vector has no address"));
    wasm_extern_vec_delete(&exports);
    wasm_instance_delete(instance);
    wasm_func_delete(func);
    close_store();
}
