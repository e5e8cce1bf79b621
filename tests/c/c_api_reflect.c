/* Types of imports and exports, copies of them, and modules' names. */

#include "c_api.h"

static bool name_is(const wasm_name_t *name, const char *text) {
    /* With the NUL. */
    return name->size == strlen(text) + 1 && strcmp(name->data, text) == 0;
}

static void imports(const wasm_module_t *module) {
    wasm_importtype_vec_t types, copy;
    const wasm_externtype_t *type;

    wasm_module_imports(module, &types);
    CHECK_INT(types.num_elems, 3);
    wasm_importtype_vec_copy(&copy, &types);
    wasm_importtype_vec_delete(&types);
    CHECK(name_is(wasm_importtype_module(copy.data[0]), "env"));
    CHECK(name_is(wasm_importtype_name(copy.data[1]), "m"));
    CHECK(!wasm_importtype_is_linked(copy.data[0]));
    type = wasm_importtype_type(copy.data[0]);
    CHECK_INT(wasm_externtype_kind(type), WASM_EXTERN_FUNC);
    CHECK_INT(wasm_functype_params(wasm_externtype_as_functype_const(type))->num_elems, 1);
    CHECK(!wasm_externtype_as_memorytype_const(type));
    type = wasm_importtype_type(copy.data[1]);
    CHECK_INT(wasm_memorytype_limits(wasm_externtype_as_memorytype_const(type))->max, 5);
    CHECK_INT(wasm_externtype_kind(wasm_importtype_type(copy.data[2])), WASM_EXTERN_GLOBAL);
    wasm_importtype_vec_delete(&copy);
}

static void exports(const wasm_module_t *module) {
    wasm_exporttype_vec_t types;
    const wasm_functype_t *func;
    const wasm_tabletype_t *table;
    wasm_exporttype_t *copy;

    wasm_module_exports(module, &types);
    /* Without the tag. */
    CHECK_INT(types.num_elems, 4);
    CHECK_INT(types.size, 4);
    CHECK(name_is(wasm_exporttype_name(types.data[0]), "func"));
    func = wasm_externtype_as_functype_const(wasm_exporttype_type(types.data[0]));
    CHECK_INT(wasm_functype_params(func)->num_elems, 3);
    CHECK_INT(wasm_valtype_kind(wasm_functype_params(func)->data[1]), WASM_F64);
    CHECK_INT(wasm_functype_results(func)->num_elems, 1);
    table = wasm_externtype_as_tabletype_const(wasm_exporttype_type(types.data[2]));
    CHECK_INT(wasm_valtype_kind(wasm_tabletype_element(table)), WASM_FUNCREF);
    CHECK_INT(wasm_tabletype_limits(table)->max, 50);
    copy = wasm_exporttype_copy(types.data[3]);
    CHECK(name_is(wasm_exporttype_name(copy), "memory"));
    wasm_exporttype_delete(copy);
    wasm_exporttype_vec_delete(&types);
}

/* Constructors take what they are given, also if something else is missing: nothing is left. */
static void given_away(void) {
    wasm_valtype_t *pair[] = { wasm_valtype_new_i32(), NULL };
    wasm_limits_t limits = { 1, 2 };
    wasm_valtype_vec_t params, results;
    wasm_functype_t *type;
    wasm_name_t name, other;

    wasm_valtype_vec_new(&params, 1, (wasm_valtype_t *[]){ wasm_valtype_new_i64() });
    type = wasm_functype_new(&params, NULL);
    CHECK(!params.data && wasm_functype_params(type)->size == 1);
    CHECK_INT(wasm_functype_results(type)->size, 0);
    wasm_functype_delete(type);
    wasm_valtype_vec_new(&results, 1, (wasm_valtype_t *[]){ wasm_valtype_new_i64() });
    type = wasm_functype_new(NULL, &results);
    CHECK(!results.data && wasm_functype_results(type)->size == 1);
    wasm_functype_delete(type);
    /* A NULL among the elements. */
    wasm_valtype_vec_new(&params, 2, pair);
    wasm_valtype_vec_new(&results, 1, (wasm_valtype_t *[]){ wasm_valtype_new_f32() });
    CHECK(!wasm_functype_new(&params, &results) && !params.data && !results.data);

    CHECK(!wasm_tabletype_new(wasm_valtype_new_funcref(), NULL));
    CHECK(!wasm_tabletype_new(NULL, &limits) && !wasm_memorytype_new(NULL));
    wasm_name_new_from_string(&name, "n");
    CHECK(!wasm_exporttype_new(&name, NULL) && !name.data);
    CHECK(!wasm_exporttype_new(NULL, wasm_functype_as_externtype(wasm_functype_new_0_0())));
    wasm_name_new_from_string(&name, "n");
    wasm_name_new_from_string(&other, "m");
    CHECK(!wasm_importtype_new(&name, &other, NULL) && !name.data && !other.data);
    wasm_name_new_from_string(&name, "n");
    CHECK(!wasm_importtype_new(&name, NULL,
                               wasm_functype_as_externtype(wasm_functype_new_0_0())));
    wasm_name_new_from_string(&name, "n");
    CHECK(!wasm_importtype_new(NULL, &name,
                               wasm_memorytype_as_externtype(wasm_memorytype_new(&limits))));
    CHECK(!name.data);
    /* Elements go into no vector. */
    wasm_valtype_vec_new(NULL, 1, (wasm_valtype_t *[]){ wasm_valtype_new_f64() });
    wasm_extern_vec_new(NULL, 0, NULL);
}

static void made_by_hand(void) {
    wasm_name_t module, name;
    wasm_importtype_t *import;
    wasm_valtype_t *element = wasm_valtype_new(WASM_I32);
    wasm_limits_t limits = { 1, 2 };
    wasm_valtype_vec_t types, copy;

    wasm_name_new_from_string(&module, "m");
    wasm_name_new_from_string_nt(&name, "n");
    CHECK_INT(module.size + 1, name.size);
    import = wasm_importtype_new(&module, &name,
                                 wasm_functype_as_externtype(wasm_functype_new_3_2(
                                     wasm_valtype_new_i32(), wasm_valtype_new_i64(),
                                     wasm_valtype_new_f32(), wasm_valtype_new_f64(),
                                     wasm_valtype_new_funcref())));
    CHECK(name_is(wasm_importtype_module(import), "m"));
    CHECK(name_is(wasm_importtype_name(import), "n"));
    wasm_importtype_delete(import);
    CHECK(!wasm_tabletype_new(element, &limits) && !wasm_valtype_new(99));
    CHECK(!wasm_importtype_new(NULL, NULL, NULL) && !wasm_globaltype_new(NULL, WASM_VAR));
    given_away();

    /* Filled by hand, and so without a number of elements. */
    wasm_valtype_vec_new_uninitialized(&types, 2);
    CHECK(types.size == 2 && types.num_elems == 0 && types.size_of_elem == sizeof(void *));
    types.data[0] = wasm_valtype_new_i32();
    types.data[1] = wasm_valtype_new_anyref();
    wasm_valtype_vec_copy(&copy, &types);
    CHECK(wasm_valtype_is_ref(copy.data[1]) && wasm_valtype_is_num(copy.data[0]));
    wasm_valtype_vec_delete(&copy);
    wasm_valtype_vec_delete(&types);
    wasm_valtype_vec_delete(&types);
    CHECK(!types.data && types.size == 0);
}

static void names(wasm_module_t *module) {
    CHECK_STR(wasm_module_get_name(module), "");
    CHECK(wasm_module_set_name(module, "reflect"));
    CHECK_STR(wasm_module_get_name(module), "reflect");
    /* The functions of the other header take the module, too. */
    CHECK_STR(wasm_runtime_get_module_name(*module), "reflect");
    CHECK(!wasm_module_set_name(module, NULL) && !wasm_module_set_name(NULL, "x"));
    CHECK(!wasm_module_is_underlying_binary_freeable(module));
}

static void run(void) {
    wasm_module_t *module;

    open_store();
    module = load_in(store, "c_api_reflect");
    imports(module);
    exports(module);
    names(module);
    made_by_hand();
    wasm_module_delete(module);
    close_store();
}
