/* Traps of guests and of host functions: messages, origins, traces; calls inside of calls. */

#include "c_api.h"

static wasm_func_t *inside;
static bool gives_no_trap, goes_on;

static wasm_trap_t *fail(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    wasm_name_t message;
    wasm_trap_t *trap;

    (void)args;
    if (goes_on) {
        /* What went wrong inside is over. */
        if (inside)
            CHECK(trap_is(wasm_func_call(inside, NULL, NULL), "Exception: unreachable"));
        results->data[0] = (wasm_val_t)WASM_I32_VAL(5);
        return NULL;
    }
    if (inside)
        return wasm_func_call(inside, NULL, results);
    if (gives_no_trap)
        return (wasm_trap_t *)wasm_foreign_new(store);
    wasm_name_new_from_string_nt(&message, "callback abort");
    trap = wasm_trap_new(env, &message);
    wasm_name_delete(&message);
    CHECK(trap_is(wasm_trap_copy(trap), "callback abort"));
    return trap;
}

static wasm_trap_t *call(wasm_extern_t *item) {
    wasm_trap_t *trap = wasm_func_call(wasm_extern_as_func(item), NULL, NULL);

    CHECK(trap != NULL);
    return trap;
}

static void frames(wasm_trap_t *trap, const wasm_instance_t *instance) {
    wasm_frame_vec_t trace, copies;
    wasm_frame_t *origin = wasm_trap_origin(trap), *copy;

    wasm_trap_trace(trap, &trace);
    CHECK_INT(trace.num_elems, 2);
    CHECK_INT(wasm_frame_func_index(origin), 1);
    CHECK_INT(wasm_frame_func_index(trace.data[0]), 1);
    CHECK_INT(wasm_frame_func_index(trace.data[1]), 3);
    CHECK(wasm_frame_instance(trace.data[1]) == instance);
    CHECK(wasm_frame_func_offset(origin) > 0);
    CHECK(wasm_frame_module_offset(origin) > wasm_frame_func_offset(origin));
    CHECK_STR(((WASMCApiFrame *)trace.data[0])->func_name_wp, "inner");
    copy = wasm_frame_copy(origin);
    CHECK_INT(wasm_frame_module_offset(copy), wasm_frame_module_offset(origin));
    wasm_frame_vec_copy(&copies, &trace);
    wasm_frame_vec_delete(&trace);
    CHECK_INT(wasm_frame_func_index(copies.data[1]), 3);
    wasm_frame_vec_delete(&copies);
    wasm_frame_delete(copy);
    wasm_frame_delete(origin);
}

/* The trap of an instance that another one imports from, and of a call in a host function. */
static void nested(wasm_extern_vec_t *exports) {
    wasm_extern_vec_t user;
    wasm_extern_t *items[] = { exports->data[0] };
    wasm_instance_t *instance = make("c_api_trap_user", 1, items, &user);
    wasm_frame_vec_t trace;
    wasm_trap_t *trap = call(user.data[0]);

    wasm_trap_trace(trap, &trace);
    CHECK_INT(trace.num_elems, 3);
    CHECK(wasm_frame_instance(trace.data[2]) == instance);
    wasm_frame_vec_delete(&trace);
    CHECK(trap_is(trap, "Exception: callback abort"));
    inside = wasm_extern_as_func(exports->data[1]);
    CHECK(trap_is(call(user.data[0]), "Exception: unreachable"));
    inside = NULL;
    wasm_extern_vec_delete(&user);
    wasm_instance_delete(instance);
}

/* A trap that was returned ends nothing else: neither a later call, nor the one around. */
static void returned(wasm_extern_vec_t *exports) {
    wasm_extern_vec_t user;
    wasm_extern_t *items[] = { exports->data[0] };
    wasm_instance_t *instance = make("c_api_trap_user", 1, items, &user);

    CHECK(trap_is(call(exports->data[1]), "Exception: unreachable"));
    goes_on = true;
    CHECK_INT(CALL0(user.data[0]), 5);
    inside = wasm_extern_as_func(exports->data[1]);
    CHECK_INT(CALL0(exports->data[0]), 5);
    CHECK_INT(CALL0(user.data[0]), 5);
    inside = NULL;
    CHECK_INT(CALL0(exports->data[0]), 5);
    goes_on = false;
    wasm_extern_vec_delete(&user);
    wasm_instance_delete(instance);
}

static void run(void) {
    wasm_functype_t *type;
    wasm_func_t *func;
    wasm_extern_vec_t exports;
    wasm_instance_t *instance;
    wasm_trap_t *trap;
    wasm_frame_vec_t trace;

    open_store();
    type = wasm_functype_new_0_1(wasm_valtype_new_i32());
    func = wasm_func_new_with_env(store, type, fail, store, NULL);
    wasm_functype_delete(type);
    instance = make("c_api_trap", 1, (wasm_extern_t *[]){ wasm_func_as_extern(func) }, &exports);
    /* Without the tag. */
    CHECK_INT(exports.size, 3);
    CHECK_INT(exports.num_elems, 3);
    CHECK(trap_is(call(exports.data[0]), "Exception: callback abort"));
    CHECK(trap_is(call(exports.data[1]), "Exception: unreachable"));
    trap = call(exports.data[2]);
    frames(trap, instance);
    nested(&exports);
    returned(&exports);
    gives_no_trap = true;
    CHECK(trap_is(call(exports.data[0]), "Exception: native function throw unknown exception"));
    wasm_extern_vec_delete(&exports);
    wasm_instance_delete(instance);
    wasm_func_delete(func);
    /* A trap outlives what it came from. */
    wasm_trap_trace(trap, &trace);
    CHECK(wasm_frame_instance(trace.data[0]) != NULL);
    wasm_frame_vec_delete(&trace);
    CHECK(trap_is(trap, "Exception: callback abort"));
    CHECK(!wasm_trap_new(NULL, NULL));
    close_store();
}
