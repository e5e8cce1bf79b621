/* Traps of guests and of host functions: messages, origins, traces. */

#include "standard.h"

static wasm_trap_t *fail(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    wasm_name_t message;
    wasm_trap_t *trap;

    (void)args, (void)results;
    wasm_name_new_from_string_nt(&message, "callback abort");
    trap = wasm_trap_new(env, &message);
    wasm_name_delete(&message);
    return trap;
}

static void show_frames(const char *what, wasm_trap_t *trap) {
    wasm_frame_t *origin = wasm_trap_origin(trap);
    wasm_frame_vec_t trace;
    wasm_message_t message;
    size_t i;

    wasm_trap_trace(trap, &trace);
    printf("%s: origin in function %d, trace", what,
           origin ? (int)wasm_frame_func_index(origin) : -1);
    for (i = 0; i < trace.size; i++)
        printf(" %d", (int)wasm_frame_func_index(trace.data[i]));
    printf(", offsets %s\n", origin && wasm_frame_module_offset(origin)
                                             > wasm_frame_func_offset(origin) ? "fit" : "odd");
    wasm_trap_message(trap, &message);
    printf("%s: the host's text is %s\n", what,
           message.data && strstr(message.data, "callback abort") ? "there" : "not there");
    wasm_byte_vec_delete(&message);
    if (origin)
        wasm_frame_delete(origin);
    wasm_frame_vec_delete(&trace);
    wasm_trap_delete(trap);
}

static void run(void) {
    wasm_functype_t *type = wasm_functype_new_0_1(wasm_valtype_new_i32());
    wasm_func_t *func = wasm_func_new_with_env(store, type, fail, store, NULL);
    wasm_extern_t *items[] = { wasm_func_as_extern(func) };
    struct exports exports;
    wasm_instance_t *instance = make("trap", 1, items, &exports);
    wasm_val_t out[1] = { WASM_INIT_VAL };
    wasm_val_vec_t none = WASM_EMPTY_VEC, results = WASM_ARRAY_VEC(out);
    int i;

    wasm_functype_delete(type);
    for (i = 0; i < 3; i++) {
        const char *const names[] = { "callback", "unreachable", "outer" };

        show_frames(names[i],
                    wasm_func_call(wasm_extern_as_func(get(&exports, names[i])), &none, &results));
    }
    CALL(&exports, "divide", i32(0));
    CALL(&exports, "divide", i32(1));
    CALL0(&exports, "deep");
    CALL(&exports, "divide", i32(1));
    call_func("the host's own", func, 0, NULL);
    end_exports(&exports);
    wasm_instance_delete(instance);
    wasm_func_delete(func);
}
