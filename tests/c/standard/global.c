/* Globals of the host and of a guest. */

#include "standard.h"

static wasm_global_t *global(wasm_valtype_t *content, wasm_mutability_t mutability,
                             wasm_val_t value) {
    wasm_globaltype_t *type = wasm_globaltype_new(content, mutability);
    wasm_global_t *made = wasm_global_new(store, type, &value);

    wasm_globaltype_delete(type);
    return made;
}

static void show(const char *what, const wasm_global_t *global) {
    wasm_globaltype_t *type = wasm_global_type(global);
    wasm_val_t val;

    wasm_global_get(global, &val);
    printf("%s: kind %d, %s\n", what,
           (int)wasm_valtype_kind(wasm_globaltype_content(type)),
           wasm_globaltype_mutability(type) == WASM_VAR ? "mutable" : "constant");
    show_val(what, &val);
    wasm_globaltype_delete(type);
}

static void run(void) {
    wasm_val_t one = WASM_F32_VAL(1), large = WASM_I64_VAL(1ll << 40), val = WASM_I64_VAL(77);
    wasm_global_t *f32 = global(wasm_valtype_new_f32(), WASM_CONST, one);
    wasm_global_t *i64 = global(wasm_valtype_new_i64(), WASM_CONST, large);
    wasm_global_t *var = global(wasm_valtype_new_i32(), WASM_VAR, i32(-3));
    wasm_extern_t *items[] = { wasm_global_as_extern(f32), wasm_global_as_extern(i64),
                               wasm_global_as_extern(var) };
    struct exports exports;
    wasm_instance_t *instance = make("c_api_global", 3, items, &exports);

    show("f32", f32);
    show("i64", i64);
    show("var", var);
    show("own", wasm_extern_as_global(get(&exports, "own")));
    show("const", wasm_extern_as_global(get(&exports, "const")));
    CALL0(&exports, "get f32");
    CALL0(&exports, "get i64");
    CALL0(&exports, "get i32");
    val = i32(8);
    wasm_global_set(var, &val);
    CALL0(&exports, "get i32");
    CALL(&exports, "set i32", i32(21));
    show("var", var);
    show("again", wasm_extern_as_global(get(&exports, "again")));
    val.kind = WASM_I64;
    val.of.i64 = 77;
    wasm_global_set(wasm_extern_as_global(get(&exports, "own")), &val);
    show("own", wasm_extern_as_global(get(&exports, "own")));
    end_exports(&exports);
    wasm_instance_delete(instance);
    wasm_global_delete(f32);
    wasm_global_delete(i64);
    wasm_global_delete(var);
}
