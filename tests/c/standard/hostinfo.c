/* Host info of objects, and its finalizers. */

#include "standard.h"

static int finalized;

static void finalize(void *data) {
    finalized += (int)(intptr_t)data;
}

static void of_trap(void) {
    wasm_message_t message;
    wasm_trap_t *trap, *copy;

    wasm_name_new_from_string_nt(&message, "text");
    trap = wasm_trap_new(store, &message);
    wasm_name_delete(&message);
    printf("fresh: %d\n", wasm_trap_get_host_info(trap) != NULL);
    wasm_trap_set_host_info_with_finalizer(trap, (void *)1, finalize);
    copy = wasm_trap_copy(trap);
    printf("same: %d\n", wasm_trap_same(trap, copy));
    wasm_trap_delete(trap);
    wasm_trap_delete(copy);
}

/* Frames know the instance by the object that the program has. */
static void of_frame(wasm_instance_t *instance, struct exports *exports) {
    wasm_val_t vals[] = { i32(7), i32(0) }, out[1] = { WASM_INIT_VAL };
    wasm_val_vec_t args = WASM_ARRAY_VEC(vals), results = WASM_ARRAY_VEC(out);
    wasm_trap_t *trap = wasm_func_call(wasm_extern_as_func(get(exports, "call")), &args, &results);
    wasm_frame_t *origin = wasm_trap_origin(trap);

    printf("frame: %d\n", wasm_frame_instance(origin) == instance);
    wasm_frame_delete(origin);
    wasm_trap_delete(trap);
}

static void of_instance(void) {
    struct exports exports;
    wasm_instance_t *instance = make("c_api_table", 0, NULL, &exports);

    wasm_instance_set_host_info_with_finalizer(instance, (void *)10, finalize);
    printf("info: %d\n", (int)(intptr_t)wasm_instance_get_host_info(instance));
    of_frame(instance, &exports);
    end_exports(&exports);
    wasm_instance_delete(instance);
}

static void of_foreign(void) {
    wasm_foreign_t *foreign = wasm_foreign_new(store), *copy = wasm_foreign_copy(foreign);

    wasm_foreign_set_host_info_with_finalizer(foreign, (void *)100, finalize);
    printf("info: %d\n", (int)(intptr_t)wasm_foreign_get_host_info(copy));
    wasm_foreign_delete(foreign);
    wasm_foreign_delete(copy);
}

static void run(void) {
    of_trap();
    of_instance();
    of_foreign();
    wasm_store_delete(store);
    printf("finalized: %d\n", finalized);
    store = wasm_store_new(engine);
}
