/* Engines of the standard C API, one for each side: calls in both directions, traps and references
 * in stores of their own, which have nothing in common. */

#include "rows.h"
#include "wasm_c_api.h"

enum { CALLS = 20 };

struct engine_side {
    wasm_engine_t *engine;
    wasm_store_t *store;
    wasm_extern_vec_t exports;
    /* The result of the host function, or a trap if it is negative. */
    int32_t number;
};

static wasm_trap_t *who(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    struct engine_side *side = env;
    wasm_message_t message;
    wasm_trap_t *trap;

    CHECK_INT(args->size, 0);
    if (side->number < 0) {
        wasm_name_new_from_string_nt(&message, "nobody");
        trap = wasm_trap_new(side->store, &message);
        wasm_name_delete(&message);
        return trap;
    }
    results->data[0] = (wasm_val_t)WASM_I32_VAL(side->number);
    return NULL;
}

static wasm_trap_t *same(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    wasm_val_copy(&results->data[0], &args->data[0]);
    return NULL;
}

static void open_side(struct engine_side *side, int32_t number) {
    wasm_functype_t *type = wasm_functype_new_0_1(wasm_valtype_new_i32());
    uint32_t size;
    uint8_t *bytes = read_module("guest", &size);
    wasm_byte_vec_t binary;
    wasm_module_t *module;
    wasm_instance_t *instance;
    wasm_func_t *func;

    side->number = number;
    side->engine = wasm_engine_new();
    side->store = wasm_store_new(side->engine);
    func = wasm_func_new_with_env(side->store, type, who, side, NULL);
    wasm_functype_delete(type);
    wasm_byte_vec_new(&binary, size, (char *)bytes);
    free(bytes);
    module = wasm_module_new(side->store, &binary);
    wasm_byte_vec_delete(&binary);
    {
        wasm_extern_t *items[] = { wasm_func_as_extern(func) };
        wasm_extern_vec_t imports = WASM_ARRAY_VEC(items);

        instance = wasm_instance_new(side->store, module, &imports, NULL);
    }
    CHECK(instance != NULL);
    wasm_instance_exports(instance, &side->exports);
    wasm_instance_delete(instance);
    wasm_module_delete(module);
    wasm_func_delete(func);
}

static void close_side(struct engine_side *side) {
    wasm_extern_vec_delete(&side->exports);
    wasm_store_delete(side->store);
    wasm_engine_delete(side->engine);
}

/* Calls "who" or "add", which are exports 1 and 2. */
static wasm_trap_t *call_export(struct engine_side *side, int which, int32_t *result) {
    wasm_val_t in[] = { WASM_I32_VAL(side->number), WASM_I32_VAL(1) }, out[1] = { WASM_INIT_VAL };
    wasm_val_vec_t args = { which == 2 ? 2 : 0, in, which == 2 ? 2 : 0, sizeof *in, NULL };
    wasm_val_vec_t results = WASM_ARRAY_VEC(out);
    wasm_trap_t *trap = wasm_func_call(wasm_extern_as_func(side->exports.data[which]), &args,
                                       &results);

    *result = out[0].of.i32;
    return trap;
}

static void calling_side(int32_t number) {
    struct engine_side side;
    int32_t result;
    int i;

    open_side(&side, number);
    meet();
    for (i = 0; i < CALLS; i++) {
        CHECK(!call_export(&side, 1, &result) && result == number);
        CHECK(!call_export(&side, 2, &result) && result == number + 1);
    }
    close_side(&side);
}

static void calling_a(void) {
    calling_side(1000);
}

static void calling_b(void) {
    calling_side(2000);
}

static void calls(void) {
    sides(rounds(), calling_a, calling_b);
}

static void trapping_side(void) {
    struct engine_side side;
    wasm_message_t message;
    wasm_trap_t *trap;
    int32_t result;
    int i;

    open_side(&side, -1);
    meet();
    for (i = 0; i < CALLS; i++) {
        trap = call_export(&side, 1, &result);
        wasm_trap_message(trap, &message);
        CHECK_STR(message.data, "Exception: nobody");
        wasm_byte_vec_delete(&message);
        wasm_trap_delete(trap);
    }
    close_side(&side);
}

static void traps(void) {
    sides(rounds(), trapping_side, trapping_side);
    sides(rounds(), trapping_side, calling_b);
}

static void referring_side(void) {
    wasm_engine_t *engine = wasm_engine_new();
    wasm_store_t *store = wasm_store_new(engine);
    wasm_functype_t *type = wasm_functype_new_1_1(wasm_valtype_new_anyref(),
                                                  wasm_valtype_new_anyref());
    wasm_func_t *func = wasm_func_new(store, type, same);
    wasm_foreign_t *foreign = wasm_foreign_new(store);
    wasm_val_t in[] = { WASM_REF_VAL(wasm_foreign_as_ref(foreign)) }, out[1];
    wasm_val_vec_t args = WASM_ARRAY_VEC(in), results = WASM_ARRAY_VEC(out);
    int i;

    wasm_functype_delete(type);
    meet();
    for (i = 0; i < CALLS; i++) {
        CHECK(!wasm_func_call(func, &args, &results));
        CHECK(wasm_ref_same(out[0].of.ref, in[0].of.ref));
        wasm_val_delete(&out[0]);
    }
    wasm_foreign_delete(foreign);
    wasm_func_delete(func);
    wasm_store_delete(store);
    wasm_engine_delete(engine);
}

static void references(void) {
    sides(rounds(), referring_side, referring_side);
}

static void run(void) {
    row("calls in two engines", calls);
    row("traps in two engines", traps);
    row("references in two engines", references);
}
