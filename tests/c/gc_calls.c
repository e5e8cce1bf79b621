/* References to objects in the parameters and results of calls, in both directions. */

#include "check.h"
#include "gc_export.h"

static wasm_module_t module;
static wasm_module_inst_t inst;
static wasm_exec_env_t env;

static wasm_function_inst_t function(const char *name) {
    return wasm_runtime_lookup_function(inst, name);
}

/* Calls a function with one pointer that gives one. */
static bool call(const char *name, const void *argument, void **result) {
    uint32_t argv[4];

    memcpy(argv, &argument, sizeof argument);
    *result = NULL;
    if (!wasm_runtime_call_wasm(env, function(name), 2, argv)) {
        return false;
    }
    memcpy(result, argv, sizeof *result);
    return true;
}

static void fails(const char *name, const void *argument, const char *text) {
    void *result;

    CHECK(!call(name, argument, &result));
    CHECK_STR(wasm_runtime_get_exception(inst), text);
    wasm_runtime_clear_exception(inst);
}

static wasm_struct_obj_t make(uint32_t x) {
    uint32_t argv[4] = {x, 1, 0, 0};
    wasm_struct_obj_t point;

    CHECK(wasm_runtime_call_wasm(env, function("make"), 3, argv));
    memcpy(&point, argv, sizeof point);
    return point;
}

static int32_t x_of(wasm_struct_obj_t point) {
    wasm_value_t value;

    wasm_struct_obj_get_field(point, 0, false, &value);
    return value.i32;
}

static void cells(void) {
    static const char unfit[] = "Exception: the arguments conversion is failed";
    wasm_struct_obj_t point = make(7);
    wasm_array_obj_t bytes = wasm_array_obj_new_with_typeidx(env, 3, 1, NULL);
    void *integer = (void *)wasm_i31_obj_new(12), *result;
    int host;
    void *any = wasm_anyref_obj_new(env, &host);

    CHECK_INT(x_of(point), 7);
    CHECK(call("x", point, &result));
    CHECK_INT((uint32_t)(uintptr_t)result, 7);
    CHECK(call("same_any", point, &result) && result == (void *)point);
    CHECK(call("same_any", integer, &result) && result == integer);
    CHECK(call("same_any", NULL, &result) && !result);
    any = wasm_anyref_obj_new(env, &host);
    CHECK(call("same_any", any, &result));
    CHECK(result == any && wasm_anyref_obj_get_value(result) == &host);
    fails("x", bytes, unfit);
    fails("x", integer, unfit);
    fails("x", any, unfit);
    fails("same_any", &host, unfit);
    fails("same_any", (void *)((uintptr_t)point + 8), unfit);
    fails("same_any", wasm_func_obj_new_with_typeidx(env, 5, 5), unfit);
    fails("x", NULL, "Exception: null structure reference");

    /* Externrefs are the host's pointers, or what the host has made of them. */
    CHECK(call("same_extern", &host, &result) && result == &host);
    CHECK(call("same_extern", wasm_externref_obj_new(env, &host), &result) && result == &host);
    CHECK(call("same_extern", (void *)-1, &result) && !result);
    fails("same_extern", point, unfit);
    CHECK(call("externalize", point, &result) && result != (void *)point);
    CHECK(wasm_externref_obj_to_internal_obj(result) == (wasm_obj_t)point);
    CHECK(call("same_extern", result, &result));
    CHECK(call("internalize", result, &result) && result == (void *)point);
    CHECK(call("internalize", &host, &result) && wasm_anyref_obj_get_value(result) == &host);
    CHECK(call("externalize", wasm_anyref_obj_new(env, &host), &result) && result == &host);
}

static void values(void) {
    wasm_struct_obj_t point = make(9);
    wasm_val_t arg, result;

    arg.kind = WASM_EXTERNREF;
    arg.of.foreign = (uintptr_t)point;
    CHECK(wasm_runtime_call_wasm_a(env, function("same_any"), 1, &result, 1, &arg));
    CHECK_INT(result.kind, WASM_EXTERNREF);
    CHECK(result.of.foreign == (uintptr_t)point);
    CHECK(wasm_runtime_call_wasm_v(env, function("x"), 1, &result, 1, (uintptr_t)point));
    CHECK(result.kind == WASM_I32 && result.of.i32 == 9);
    CHECK(!wasm_runtime_call_wasm_v(env, function("x"), 1, &result, 1, (uintptr_t)env));
    wasm_runtime_clear_exception(inst);
}

static void *passed;

static void *pass(wasm_exec_env_t exec_env, void *obj) {
    (void)exec_env;
    CHECK(obj == passed);
    return obj;
}

enum { RETURN_IT, RETURN_NULL, RETURN_BYTES, RETURN_HOST, RETURN_STALE };
static int returned;

static void *typed(wasm_exec_env_t exec_env, wasm_struct_obj_t point) {
    switch (returned) {
        case RETURN_IT:
            CHECK(!point || wasm_obj_is_struct_obj((wasm_obj_t)point));
            return point;
        case RETURN_NULL:
            return NULL;
        case RETURN_BYTES:
            return wasm_array_obj_new_with_typeidx(exec_env, 3, 1, NULL);
        case RETURN_HOST:
            return &returned;
        default:
            return (void *)((uintptr_t)point + 8);
    }
}

static void *external(wasm_exec_env_t exec_env, void *obj) {
    (void)exec_env;
    CHECK(wasm_obj_is_externref_obj(obj));
    CHECK(wasm_externref_obj_get_value(obj) == passed);
    return obj;
}

static bool picks_another;

static wasm_func_obj_t pick(wasm_exec_env_t exec_env, wasm_func_obj_t func) {
    CHECK_INT(wasm_func_obj_get_func_idx_bound(func), 5);
    return picks_another ? wasm_func_obj_new_with_typeidx(exec_env, 9, 6) : func;
}

/* Makes so many bytes of objects that the first would be freed. */
static uint32_t alloc(wasm_exec_env_t exec_env, wasm_struct_obj_t point, uint32_t count) {
    uint32_t i;

    for (i = 0; i < count; i++) {
        CHECK(wasm_array_obj_new_with_typeidx(exec_env, 3, 1000, NULL) != NULL);
    }
    return (uint32_t)x_of(point);
}

static NativeSymbol natives[] = {
    {"pass", pass, "(r)r", NULL},         {"typed", typed, "(r)r", NULL},
    {"external", external, "(r)r", NULL}, {"pick", pick, "(r)r", NULL},
    {"alloc", alloc, "(ri)i", NULL},
};

static bool call_i32(const char *name, uint32_t a, uint32_t b, uint32_t *result) {
    uint32_t argv[2] = {a, b};
    bool ok = wasm_runtime_call_wasm(env, function(name),
                                     wasm_func_get_param_count(function(name), inst), argv);

    *result = argv[0];
    return ok;
}

static void parameters_and_results(void) {
    static const char refused[] = "Exception: the result conversion is failed";
    uint32_t result;
    int host;
    void *out;

    passed = make(3);
    CHECK(call("pass", passed, &out) && out == passed);
    passed = (void *)wasm_i31_obj_new(3);
    CHECK(call("pass", passed, &out) && out == passed);
    passed = wasm_anyref_obj_new(env, &host);
    CHECK(call("pass", passed, &out) && out == passed);
    passed = NULL;
    CHECK(call("pass", passed, &out) && !out);

    returned = RETURN_IT;
    CHECK(call_i32("typed", 11, 0, &result));
    CHECK_INT(result, 11);
    for (returned = RETURN_NULL; returned <= RETURN_STALE; returned++) {
        CHECK(!call_i32("typed", 11, 0, &result));
        CHECK_STR(wasm_runtime_get_exception(inst), refused);
        wasm_runtime_clear_exception(inst);
    }
    returned = RETURN_IT;
    CHECK(!call_i32("typed_null", 0, 0, &result));
    wasm_runtime_clear_exception(inst);

    passed = &host;
    CHECK(call("external", &host, &out) && out == &host);
    passed = make(4);
    CHECK(call("external", wasm_internal_obj_to_externref_obj(env, passed), &out));
    CHECK(wasm_externref_obj_to_internal_obj(out) == passed);

    CHECK(call_i32("pick", 40, 2, &result));
    CHECK_INT(result, 42);
    picks_another = true;
    CHECK(!call_i32("pick", 40, 2, &result));
    CHECK_STR(wasm_runtime_get_exception(inst), refused);
    wasm_runtime_clear_exception(inst);

    CHECK(call_i32("argument", 77, 0, &result));
    CHECK_INT(result, 77);
}

static void run(void) {
    CHECK(wasm_runtime_init());
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    CHECK(wasm_runtime_register_natives("env", natives, sizeof natives / sizeof natives[0]));
    module = load_module("gc");
    inst = instantiate(module, 0, 0);
    env = wasm_runtime_create_exec_env(inst, 16384);
    cells();
    values();
    parameters_and_results();
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
}
