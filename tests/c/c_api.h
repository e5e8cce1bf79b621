/* Shared by the programs of wasm_c_api.h: an engine with a store, modules and exports from files,
 * and the texts of traps. */

#ifndef C_API_H
#define C_API_H

#include "check.h"
#include "wasm_c_api.h"

static wasm_engine_t *engine;
static wasm_store_t *store;

static inline void open_store(void) {
    engine = wasm_engine_new();
    store = wasm_store_new(engine);
    if (!engine || !store) {
        printf("no store\n");
        exit(2);
    }
}

static inline void close_store(void) {
    wasm_store_delete(store);
    wasm_engine_delete(engine);
}

/* The bytes of FOLDER/name.wasm; the caller deletes the vector. */
static inline void read_binary(const char *name, wasm_byte_vec_t *out) {
    uint32_t size;
    uint8_t *bytes = read_module(name, &size);

    wasm_byte_vec_new(out, size, (char *)bytes);
    free(bytes);
}

static inline wasm_module_t *load_in(wasm_store_t *in, const char *name) {
    wasm_byte_vec_t binary;
    wasm_module_t *module;

    read_binary(name, &binary);
    module = wasm_module_new(in, &binary);
    wasm_byte_vec_delete(&binary);
    if (!module) {
        printf("%s: not loaded\n", name);
        exit(2);
    }
    return module;
}

/* Whether a trap has this message, with its NUL; the trap is deleted. */
static inline bool trap_is(wasm_trap_t *trap, const char *text) {
    wasm_message_t message;
    bool is;

    if (!trap)
        return false;
    wasm_trap_message(trap, &message);
    is = message.num_elems == strlen(text) + 1 && strcmp(message.data, text) == 0;
    if (!is)
        printf("the trap is \"%s\"\n", message.data ? message.data : "(null)");
    wasm_byte_vec_delete(&message);
    wasm_trap_delete(trap);
    return is;
}

/* An instance of FOLDER/name.wasm and its exports; the caller deletes both. */
static inline wasm_instance_t *make_in(wasm_store_t *in, const char *name, size_t count,
                                       wasm_extern_t *items[], wasm_extern_vec_t *exports) {
    wasm_module_t *module = load_in(in, name);
    wasm_extern_vec_t imports = { count, items, count, sizeof *items, NULL };
    wasm_trap_t *trap = NULL;
    wasm_instance_t *instance = wasm_instance_new(in, module, &imports, &trap);

    if (!instance) {
        trap_is(trap, "");
        exit(2);
    }
    CHECK(!trap);
    wasm_module_delete(module);
    wasm_instance_exports(instance, exports);
    return instance;
}

/* The items are a compound literal, whose commas are the macro's, too. */
#define make(name, ...) make_in(store, name, __VA_ARGS__)

/* Calls an exported function with 32-bit integers, and returns the result, or -1 for a trap. */
static inline int32_t call_item(wasm_extern_t *item, size_t count, const int32_t numbers[]) {
    wasm_val_t args[4], result = WASM_INIT_VAL;
    wasm_val_vec_t in = { count, args, count, sizeof *args, NULL };
    wasm_val_vec_t out = { 1, &result, 1, sizeof result, NULL };
    wasm_func_t *func = wasm_extern_as_func(item);
    wasm_trap_t *trap;
    size_t i;

    CHECK(func && wasm_func_param_arity(func) == count);
    for (i = 0; i < count; i++)
        args[i] = (wasm_val_t)WASM_I32_VAL(numbers[i]);
    trap = wasm_func_call(func, &in, &out);
    if (trap) {
        wasm_trap_delete(trap);
        return -1;
    }
    return result.kind == WASM_I32 ? result.of.i32 : 0;
}

#define CALL0(item) call_item(item, 0, NULL)
#define CALL1(item, a) call_item(item, 1, (int32_t[]){ a })
#define CALL2(item, a, b) call_item(item, 2, (int32_t[]){ a, b })

#endif /* C_API_H */
