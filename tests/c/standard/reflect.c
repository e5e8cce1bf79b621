/* Types of imports and exports, of a module and of its instance. */

#include "standard.h"

static void show_name(const wasm_name_t *name) {
    /* Some libraries end names with a NUL that their size counts. */
    size_t size = name->size && !name->data[name->size - 1] ? name->size - 1 : name->size;

    printf("\"%.*s\"%s ", (int)size, name->data ? name->data : "",
           size < name->size ? " with a NUL" : "");
}

static void show_types(const wasm_valtype_vec_t *types) {
    size_t i;

    printf("(");
    for (i = 0; i < types->size; i++)
        printf(" %d", (int)wasm_valtype_kind(types->data[i]));
    printf(" ) ");
}

static void show_type(const wasm_externtype_t *type) {
    const wasm_functype_t *func = wasm_externtype_as_functype_const(type);
    const wasm_globaltype_t *global = wasm_externtype_as_globaltype_const(type);
    const wasm_tabletype_t *table = wasm_externtype_as_tabletype_const(type);
    const wasm_memorytype_t *memory = wasm_externtype_as_memorytype_const(type);

    printf("kind %d: ", (int)wasm_externtype_kind(type));
    if (func) {
        show_types(wasm_functype_params(func));
        show_types(wasm_functype_results(func));
    }
    if (global)
        printf("of %d, %d", (int)wasm_valtype_kind(wasm_globaltype_content(global)),
               (int)wasm_globaltype_mutability(global));
    if (table)
        printf("of %d, %u to %u", (int)wasm_valtype_kind(wasm_tabletype_element(table)),
               wasm_tabletype_limits(table)->min, wasm_tabletype_limits(table)->max);
    if (memory)
        printf("%u to %u", wasm_memorytype_limits(memory)->min,
               wasm_memorytype_limits(memory)->max);
    printf("\n");
}

static void of_module(const wasm_module_t *module) {
    wasm_importtype_vec_t imports, copy;
    wasm_exporttype_vec_t exports;
    size_t i;

    wasm_module_imports(module, &imports);
    wasm_importtype_vec_copy(&copy, &imports);
    wasm_importtype_vec_delete(&imports);
    for (i = 0; i < copy.size; i++) {
        show_name(wasm_importtype_module(copy.data[i]));
        show_name(wasm_importtype_name(copy.data[i]));
        show_type(wasm_importtype_type(copy.data[i]));
    }
    wasm_importtype_vec_delete(&copy);
    wasm_module_exports(module, &exports);
    for (i = 0; i < exports.size; i++) {
        show_name(wasm_exporttype_name(exports.data[i]));
        show_type(wasm_exporttype_type(exports.data[i]));
    }
    wasm_exporttype_vec_delete(&exports);
}

static void by_hand(void) {
    wasm_name_t module, name;
    wasm_importtype_t *import, *copy;

    wasm_name_new_from_string(&module, "m");
    wasm_name_new_from_string(&name, "n");
    import = wasm_importtype_new(&module, &name,
                                 wasm_functype_as_externtype(wasm_functype_new_2_1(
                                     wasm_valtype_new_i32(), wasm_valtype_new_i64(),
                                     wasm_valtype_new_funcref())));
    copy = wasm_importtype_copy(import);
    wasm_importtype_delete(import);
    show_name(wasm_importtype_module(copy));
    show_name(wasm_importtype_name(copy));
    show_type(wasm_importtype_type(copy));
    wasm_importtype_delete(copy);
}

static void run(void) {
    wasm_module_t *module = load_in(store, "reflect");
    struct exports exports;
    wasm_instance_t *instance = make("c_api_table", 0, NULL, &exports);
    size_t i;

    of_module(module);
    wasm_module_delete(module);
    by_hand();
    for (i = 0; i < 2; i++) {
        wasm_extern_t *item = get(&exports, i ? "call" : "table");
        wasm_externtype_t *type = wasm_extern_type(item);

        printf("item of kind %d, ", (int)wasm_extern_kind(item));
        show_type(type);
        wasm_externtype_delete(type);
    }
    end_exports(&exports);
    wasm_instance_delete(instance);
}
