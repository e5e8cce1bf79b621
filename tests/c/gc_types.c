/* The types that a module defines, as gc_export.h describes them. */

#include "check.h"
#include "gc_export.h"

static wasm_module_t module;

static wasm_defined_type_t type(uint32_t index) {
    return wasm_get_defined_type(module, index);
}

static void check_type(wasm_ref_type_t type, int value_type, bool nullable, int heap_type) {
    CHECK_INT(type.value_type, value_type);
    CHECK_INT(type.nullable, nullable);
    CHECK_INT(type.heap_type, heap_type);
}

static void kinds(void) {
    CHECK_INT(wasm_get_defined_type_count(module), 28);
    CHECK(wasm_defined_type_is_struct_type(type(0)) && !wasm_defined_type_is_array_type(type(0)));
    CHECK(wasm_defined_type_is_array_type(type(3)) && !wasm_defined_type_is_func_type(type(3)));
    CHECK(wasm_defined_type_is_func_type(type(5)) && !wasm_defined_type_is_struct_type(type(5)));
    CHECK(!wasm_get_defined_type(module, wasm_get_defined_type_count(module)));
    CHECK(!wasm_get_defined_type(module, UINT32_MAX));
    CHECK(!wasm_get_defined_type(NULL, 0));
}

static void structs_and_arrays(void) {
    wasm_struct_type_t packed = (wasm_struct_type_t)type(2), box = (wasm_struct_type_t)type(6);
    bool mutable = true;

    CHECK_INT(wasm_struct_type_get_field_count(packed), 4);
    check_type(wasm_struct_type_get_field_type(packed, 0, NULL), VALUE_TYPE_I8, false, 0);
    check_type(wasm_struct_type_get_field_type(packed, 1, NULL), VALUE_TYPE_I16, false, 0);
    check_type(wasm_struct_type_get_field_type(packed, 2, &mutable), VALUE_TYPE_F32, false, 0);
    CHECK(!mutable);
    check_type(wasm_struct_type_get_field_type(packed, 3, &mutable), VALUE_TYPE_V128, false, 0);
    CHECK(mutable);
    check_type(wasm_struct_type_get_field_type(packed, 4, &mutable), 0, false, 0);
    CHECK(!mutable);
    CHECK_INT(wasm_struct_type_get_field_count((wasm_struct_type_t)type(1)), 3);
    check_type(wasm_struct_type_get_field_type(box, 0, NULL), VALUE_TYPE_ANYREF, true,
               HEAP_TYPE_ANY);
    check_type(wasm_struct_type_get_field_type(box, 1, NULL), VALUE_TYPE_EXTERNREF, true,
               HEAP_TYPE_EXTERN);
    check_type(wasm_struct_type_get_field_type(box, 2, NULL), VALUE_TYPE_HT_NULLABLE_REF, true, 5);
    check_type(wasm_array_type_get_elem_type((wasm_array_type_t)type(3), &mutable), VALUE_TYPE_I8,
               false, 0);
    CHECK(mutable);
    check_type(wasm_array_type_get_elem_type((wasm_array_type_t)type(8), &mutable),
               VALUE_TYPE_I64, false, 0);
    CHECK(!mutable);
    /* Types of other kinds have no fields and no elements. */
    CHECK_INT(wasm_struct_type_get_field_count((wasm_struct_type_t)type(3)), 0);
    check_type(wasm_array_type_get_elem_type((wasm_array_type_t)type(0), NULL), 0, false, 0);
}

static void functions(void) {
    wasm_func_type_t refs = (wasm_func_type_t)type(9);
    wasm_export_t export;
    wasm_import_t import;
    int i, found = 0;

    CHECK_INT(wasm_func_type_get_param_count(refs), 4);
    CHECK_INT(wasm_func_type_get_result_count(refs), 2);
    check_type(wasm_func_type_get_param_type(refs, 0), VALUE_TYPE_HT_NULLABLE_REF, true, 0);
    check_type(wasm_func_type_get_param_type(refs, 1), VALUE_TYPE_HT_NON_NULLABLE_REF, false,
               HEAP_TYPE_EQ);
    check_type(wasm_func_type_get_param_type(refs, 2), VALUE_TYPE_EXTERNREF, true,
               HEAP_TYPE_EXTERN);
    check_type(wasm_func_type_get_param_type(refs, 3), VALUE_TYPE_I64, false, 0);
    check_type(wasm_func_type_get_param_type(refs, 4), 0, false, 0);
    check_type(wasm_func_type_get_result_type(refs, 0), VALUE_TYPE_HT_NON_NULLABLE_REF, false, 4);
    check_type(wasm_func_type_get_result_type(refs, 1), VALUE_TYPE_FUNCREF, true, HEAP_TYPE_FUNC);
    check_type(wasm_func_type_get_result_type(refs, 2), 0, false, 0);
    check_type(wasm_func_type_get_param_type((wasm_func_type_t)type(0), 0), 0, false, 0);
    /* The kinds of wasm_export.h have no name for most of these. */
    CHECK_INT(wasm_func_type_get_param_valkind(refs, 0), 255);
    CHECK_INT(wasm_func_type_get_param_valkind(refs, 2), WASM_EXTERNREF);
    CHECK_INT(wasm_func_type_get_result_valkind(refs, 1), WASM_FUNCREF);
    /* Types of exports and imports are the same pointers. */
    for (i = 0; i < wasm_runtime_get_export_count(module); i++) {
        wasm_runtime_get_export_type(module, i, &export);
        if (strcmp(export.name, "refs") == 0) {
            CHECK(export.u.func_type == refs);
            found++;
        }
        if (strcmp(export.name, "table") == 0) {
            CHECK_INT(wasm_table_type_get_elem_kind(export.u.table_type), 255);
            found++;
        }
    }
    CHECK_INT(found, 2);
    wasm_runtime_get_import_type(module, 1, &import);
    check_type(wasm_func_type_get_result_type(import.u.func_type, 0),
               VALUE_TYPE_HT_NON_NULLABLE_REF, false, 0);
}

static void relations(void) {
    CHECK(wasm_defined_type_equal(type(0), type(0), module));
    CHECK(wasm_defined_type_equal(type(0), type(7), module));
    CHECK(!wasm_defined_type_equal(type(0), type(1), module));
    CHECK(wasm_defined_type_is_subtype_of(type(1), type(0), module));
    CHECK(wasm_defined_type_is_subtype_of(type(1), type(7), module));
    CHECK(!wasm_defined_type_is_subtype_of(type(0), type(1), module));
    CHECK(!wasm_defined_type_equal(type(0), NULL, module));
    CHECK(!wasm_defined_type_equal(type(0), type(0), NULL));
}

static void references(void) {
    wasm_ref_type_t a, b;

    memset(&a, 0, sizeof a);
    wasm_ref_type_set_type_idx(&a, true, 1);
    check_type(a, VALUE_TYPE_HT_NULLABLE_REF, true, 1);
    wasm_ref_type_set_type_idx(&b, false, 0);
    CHECK(!wasm_ref_type_is_subtype_of(&a, &b, module));
    wasm_ref_type_set_type_idx(&a, false, 1);
    CHECK(wasm_ref_type_is_subtype_of(&a, &b, module));
    CHECK(!wasm_ref_type_equal(&a, &b, module));
    wasm_ref_type_set_type_idx(&a, false, 7);
    CHECK(wasm_ref_type_equal(&a, &b, module));
    wasm_ref_type_set_heap_type(&a, true, HEAP_TYPE_STRUCT);
    check_type(a, VALUE_TYPE_STRUCTREF, true, HEAP_TYPE_STRUCT);
    CHECK(wasm_ref_type_is_subtype_of(&b, &a, module));
    /* The short form says all by itself. */
    b.value_type = VALUE_TYPE_STRUCTREF;
    b.heap_type = 0;
    CHECK(wasm_ref_type_equal(&a, &b, module));
    wasm_ref_type_set_heap_type(&b, false, HEAP_TYPE_NONE);
    check_type(b, VALUE_TYPE_HT_NON_NULLABLE_REF, false, HEAP_TYPE_NONE);
    CHECK(wasm_ref_type_is_subtype_of(&b, &a, module));
    wasm_ref_type_set_heap_type(&a, true, HEAP_TYPE_FUNC);
    CHECK(!wasm_ref_type_is_subtype_of(&b, &a, module));
    /* What is no type is equal to nothing, and setting one changes nothing. */
    wasm_ref_type_set_heap_type(&a, true, HEAP_TYPE_STRINGREF);
    wasm_ref_type_set_heap_type(&a, true, 5);
    wasm_ref_type_set_type_idx(&a, true, -3);
    check_type(a, VALUE_TYPE_FUNCREF, true, HEAP_TYPE_FUNC);
    wasm_ref_type_set_type_idx(&a, true, 1000);
    CHECK(!wasm_ref_type_equal(&a, &a, module));
    a.value_type = 1;
    CHECK(!wasm_ref_type_equal(&a, &a, module));
    a.value_type = VALUE_TYPE_I64;
    CHECK(wasm_ref_type_equal(&a, &a, module) && !wasm_ref_type_equal(&a, &b, module));
    CHECK(!wasm_ref_type_equal(&a, NULL, module) && !wasm_ref_type_equal(&a, &a, NULL));
    wasm_ref_type_set_type_idx(NULL, true, 0);
    wasm_ref_type_set_heap_type(NULL, true, HEAP_TYPE_ANY);
}

static void run(void) {
    CHECK(wasm_runtime_init());
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    module = load_module("gc");
    kinds();
    structs_and_arrays();
    functions();
    relations();
    references();
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
}
