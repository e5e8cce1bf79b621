/*
 * Shared by programs that use the functions of the standard's header alone, so that any library
 * that has these runs them. A program gets the folder of compiled modules as its first argument and
 * prints what happens, for comparison between libraries: values, kinds, whether there is a trap.
 * Texts of messages are each library's own and not printed.
 */

#ifndef STANDARD_H
#define STANDARD_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasm.h>

static const char *module_folder;
static wasm_engine_t *engine;
static wasm_store_t *store;

/* A program's own main. */
static void run(void);

/* Sets up a vector around an array. */
#define AROUND(vector, count, array) \
    do { \
        memset((vector), 0, sizeof *(vector)); \
        (vector)->size = (count); \
        (vector)->data = (array); \
        MORE_AROUND(vector, count); \
    } while (0)

/* Vectors of WAMR's header have more fields. */
#ifdef _WASM_C_API_H_
#define MORE_AROUND(vector, count) \
    ((vector)->num_elems = (count), (vector)->size_of_elem = sizeof *(vector)->data)
#else
#define MORE_AROUND(vector, count) ((void)0)
#endif

static inline wasm_module_t *load_in(wasm_store_t *in, const char *name) {
    char path[1024];
    static char bytes[65536];
    size_t size = 0;
    wasm_byte_vec_t binary;
    wasm_module_t *module;
    FILE *file;

    snprintf(path, sizeof path, "%s/%s.wasm", module_folder, name);
    file = fopen(path, "rb");
    if (file) {
        size = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
    }
    wasm_byte_vec_new(&binary, size, bytes);
    module = wasm_module_new(in, &binary);
    wasm_byte_vec_delete(&binary);
    if (!module) {
        printf("%s: not loaded\n", path);
        exit(2);
    }
    return module;
}

/* Prints and deletes a trap. */
static inline void show_trap(const char *what, wasm_trap_t *trap) {
    wasm_message_t message;

    if (!trap) {
        printf("%s: no trap\n", what);
        return;
    }
    wasm_trap_message(trap, &message);
    printf("%s: trap, message %s\n", what,
           message.size > 1 && !message.data[message.size - 1] ? "ends with a NUL" : "is odd");
    wasm_byte_vec_delete(&message);
    wasm_trap_delete(trap);
}

static inline void show_val(const char *what, const wasm_val_t *val) {
    switch (val->kind) {
    case WASM_I32: printf("%s: i32 %d\n", what, (int)val->of.i32); break;
    case WASM_I64: printf("%s: i64 %lld\n", what, (long long)val->of.i64); break;
    case WASM_F32: printf("%s: f32 %g\n", what, (double)val->of.f32); break;
    case WASM_F64: printf("%s: f64 %g\n", what, val->of.f64); break;
    default: printf("%s: %s reference\n", what, val->of.ref ? "a" : "null"); break;
    }
}

/* Calls a function, and prints the results or the trap; the results' references are deleted. */
static inline void call_func(const char *what, const wasm_func_t *func, size_t count,
                             wasm_val_t vals[]) {
    wasm_val_t out[8];
    wasm_val_vec_t args, results;
    wasm_trap_t *trap;
    size_t i;

    memset(out, 0, sizeof out);
    AROUND(&args, count, vals);
    AROUND(&results, wasm_func_result_arity(func), out);
    trap = wasm_func_call(func, &args, &results);
    if (trap) {
        show_trap(what, trap);
        return;
    }
    if (results.size == 0)
        printf("%s: returned\n", what);
    for (i = 0; i < results.size; i++) {
        show_val(what, &out[i]);
        wasm_val_delete(&out[i]);
    }
}

static inline void call(const char *what, wasm_extern_t *item, size_t count, wasm_val_t vals[]) {
    call_func(what, wasm_extern_as_func(item), count, vals);
}

/* The exports of an instance, whose order is each library's own. */
struct exports {
    wasm_exporttype_vec_t types;
    wasm_extern_vec_t items;
};

static inline wasm_extern_t *get(const struct exports *exports, const char *name) {
    size_t i;

    for (i = 0; i < exports->types.size; i++) {
        const wasm_name_t *own = wasm_exporttype_name(exports->types.data[i]);

        /* With or without a NUL. */
        if (own->size >= strlen(name) && own->size <= strlen(name) + 1
            && memcmp(own->data, name, strlen(name)) == 0)
            return exports->items.data[i];
    }
    printf("no export %s\n", name);
    exit(2);
}

static inline void end_exports(struct exports *exports) {
    wasm_exporttype_vec_delete(&exports->types);
    wasm_extern_vec_delete(&exports->items);
}

#define CALL0(exports, name) call(name, get(exports, name), 0, NULL)
#define CALL(exports, name, ...) \
    do { \
        wasm_val_t vals_[] = { __VA_ARGS__ }; \
        call(name " of " #__VA_ARGS__, get(exports, name), sizeof vals_ / sizeof *vals_, vals_); \
    } while (0)

static inline wasm_val_t i32(int32_t number) {
    wasm_val_t val = WASM_I32_VAL(number);

    return val;
}

static inline wasm_val_t ref(wasm_ref_t *reference) {
    wasm_val_t val = WASM_REF_VAL(reference);

    return val;
}

/* An instance of a module and its exports; the caller deletes both. */
static inline wasm_instance_t *make(const char *name, size_t count, wasm_extern_t *items[],
                                    struct exports *exports) {
    wasm_module_t *module = load_in(store, name);
    wasm_extern_vec_t imports;
    wasm_trap_t *trap = NULL;
    wasm_instance_t *instance;

    AROUND(&imports, count, items);
    instance = wasm_instance_new(store, module, &imports, &trap);
    printf("%s: %s\n", name, instance ? "an instance" : "no instance");
    if (trap)
        show_trap(name, trap);
    if (instance) {
        wasm_module_exports(module, &exports->types);
        wasm_instance_exports(instance, &exports->items);
        printf("%s: %d exports\n", name, (int)exports->items.size);
    }
    wasm_module_delete(module);
    return instance;
}

static inline wasm_func_t *host_func(wasm_functype_t *type, wasm_func_callback_t callback) {
    wasm_func_t *func = wasm_func_new(store, type, callback);

    wasm_functype_delete(type);
    return func;
}

int main(int argc, char **argv) {
    if (argc < 2)
        return 2;
    module_folder = argv[1];
    setvbuf(stdout, NULL, _IOLBF, 0);
    engine = wasm_engine_new();
    store = wasm_store_new(engine);
    run();
    wasm_store_delete(store);
    wasm_engine_delete(engine);
    return 0;
}

#endif /* STANDARD_H */
