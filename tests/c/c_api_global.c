/* Globals of the host's and of a guest's. */

#include "c_api.h"

static wasm_global_t *global(wasm_valtype_t *content, wasm_mutability_t mutability,
                             wasm_val_t value) {
    wasm_globaltype_t *type = wasm_globaltype_new(content, mutability);
    wasm_global_t *made = wasm_global_new(store, type, &value);

    CHECK(made != NULL);
    wasm_globaltype_delete(type);
    return made;
}

static wasm_val_t get(const wasm_global_t *global) {
    wasm_val_t val = WASM_INIT_VAL;

    wasm_global_get(global, &val);
    return val;
}

static wasm_val_t call(wasm_extern_t *item) {
    wasm_val_t result = WASM_INIT_VAL;
    wasm_val_vec_t results = { 1, &result, 1, sizeof result, NULL };

    CHECK(!wasm_func_call(wasm_extern_as_func(item), NULL, &results));
    return result;
}

static void misuse(wasm_global_t *constant) {
    wasm_val_t other = WASM_I64_VAL(1);
    wasm_globaltype_t *type = wasm_globaltype_new(wasm_valtype_new_i32(), WASM_VAR);

    CHECK(!wasm_global_new(store, type, &other) && !wasm_global_new(NULL, type, &other));
    CHECK(!wasm_global_new(store, type, NULL) && !wasm_global_new(store, NULL, &other));
    wasm_globaltype_delete(type);
    other = (wasm_val_t)WASM_F32_VAL(9);
    wasm_global_set(constant, &other);
    CHECK(get(constant).of.f32 == 1);
    /* An object of another kind is no global. */
    CHECK(!wasm_extern_as_func(wasm_global_as_extern(constant)));
    CHECK(!wasm_global_type((wasm_global_t *)wasm_foreign_new(NULL)));
}

static void run(void) {
    wasm_global_t *f32, *i64, *i32, *own, *again;
    wasm_extern_vec_t exports;
    wasm_instance_t *instance;
    wasm_globaltype_t *type;
    wasm_val_t val;

    open_store();
    f32 = global(wasm_valtype_new_f32(), WASM_CONST, (wasm_val_t)WASM_F32_VAL(1));
    i64 = global(wasm_valtype_new_i64(), WASM_CONST, (wasm_val_t)WASM_I64_VAL(1ll << 40));
    i32 = global(wasm_valtype_new_i32(), WASM_VAR, (wasm_val_t)WASM_I32_VAL(-3));
    instance = make("c_api_global", 3,
                    (wasm_extern_t *[]){ wasm_global_as_extern(f32), wasm_global_as_extern(i64),
                                         wasm_global_as_extern(i32) },
                    &exports);
    CHECK(call(exports.data[2]).of.f32 == 1);
    CHECK(call(exports.data[3]).of.i64 == 1ll << 40);
    CHECK(call(exports.data[4]).of.i32 == -3);
    val = (wasm_val_t)WASM_I32_VAL(8);
    wasm_global_set(i32, &val);
    CHECK(call(exports.data[4]).of.i32 == 8);
    CHECK_INT(CALL1(exports.data[5], 21), 21);
    CHECK_INT(get(i32).of.i32, 21);
    again = wasm_extern_as_global(exports.data[6]);
    CHECK(wasm_global_same(i32, again) && !wasm_global_same(i32, f32));
    own = wasm_extern_as_global(exports.data[0]);
    val = (wasm_val_t)WASM_I64_VAL(77);
    wasm_global_set(own, &val);
    CHECK_INT(get(own).of.i64, 77);
    type = wasm_global_type(own);
    CHECK_INT(wasm_globaltype_mutability(type), WASM_VAR);
    CHECK_INT(wasm_valtype_kind(wasm_globaltype_content(type)), WASM_I64);
    wasm_globaltype_delete(type);
    misuse(f32);
    wasm_extern_vec_delete(&exports);
    wasm_instance_delete(instance);
    wasm_global_delete(f32);
    wasm_global_delete(i64);
    wasm_global_delete(i32);
    close_store();
}
