/* Objects of guests that the host makes, reads and writes. */

#include "check.h"
#include "gc_export.h"

static wasm_module_t module;
static wasm_module_inst_t inst;
static wasm_exec_env_t env;

static wasm_value_t i32(int32_t v) {
    wasm_value_t value;

    memset(&value, 0x55, sizeof value);
    value.i32 = v;
    return value;
}

static wasm_value_t object(void *obj) {
    wasm_value_t value;

    memset(&value, 0x55, sizeof value);
    value.gc_obj = (wasm_obj_t)obj;
    return value;
}

static wasm_value_t field(void *obj, uint32_t index, bool sign) {
    wasm_value_t value;

    memset(&value, 0x55, sizeof value);
    wasm_struct_obj_get_field((wasm_struct_obj_t)obj, index, sign, &value);
    return value;
}

static void structs(void) {
    wasm_struct_obj_t point = wasm_struct_obj_new_with_typeidx(env, 0), packed;
    wasm_value_t value;

    CHECK(point != NULL);
    CHECK_INT(wasm_struct_obj_get_field_count(point), 2);
    CHECK_INT(field(point, 0, false).i32, 0);
    value.i64 = -5;
    wasm_struct_obj_set_field(point, 1, &value);
    value = i32(7);
    wasm_struct_obj_set_field(point, 0, &value);
    CHECK_INT(field(point, 0, false).i32, 7);
    CHECK_INT(field(point, 1, false).i64, -5);
    wasm_struct_obj_set_field(point, 2, &value);
    CHECK_INT(field(point, 2, false).i64, 0);

    packed = wasm_struct_obj_new_with_type(
        env, (wasm_struct_type_t)wasm_get_defined_type(module, 2));
    value = i32(0x1ff80);
    wasm_struct_obj_set_field(packed, 0, &value);
    wasm_struct_obj_set_field(packed, 1, &value);
    CHECK_INT(field(packed, 0, true).i32, -128);
    CHECK_INT(field(packed, 0, false).i32, 0x80);
    CHECK_INT(field(packed, 1, true).i32, -128);
    CHECK_INT(field(packed, 1, false).i32, 0xff80);
    /* Not mutable for guests, but the host makes the struct. */
    value.f32 = 1.5f;
    wasm_struct_obj_set_field(packed, 2, &value);
    CHECK(field(packed, 2, false).f32 == 1.5f);
    value.v128.i64x2[0] = 1;
    value.v128.i64x2[1] = 2;
    wasm_struct_obj_set_field(packed, 3, &value);
    CHECK_INT(field(packed, 3, false).v128.i64x2[0], 1);
    CHECK_INT(field(packed, 3, false).v128.i64x2[1], 2);

    CHECK(!wasm_struct_obj_new_with_typeidx(env, 3));
    CHECK(!wasm_struct_obj_new_with_typeidx(env, 1000));
    CHECK(!wasm_struct_obj_new_with_typeidx(NULL, 0));
    CHECK(!wasm_struct_obj_new_with_type(env, NULL));
    wasm_struct_obj_set_field(point, 0, NULL);
    wasm_struct_obj_get_field(point, 0, false, NULL);
}

static void arrays(void) {
    wasm_value_t value = i32(-2);
    wasm_array_obj_t bytes = wasm_array_obj_new_with_typeidx(env, 3, 10, &value), points;
    wasm_struct_obj_t point = wasm_struct_obj_new_with_typeidx(env, 1);
    uint8_t *address = wasm_array_obj_first_elem_addr(bytes);

    CHECK_INT(wasm_array_obj_length(bytes), 10);
    CHECK_INT(address[9], 0xfe);
    CHECK(wasm_array_obj_elem_addr(bytes, 9) == address + 9);
    CHECK(!wasm_array_obj_elem_addr(bytes, 10));
    value = i32(0x180);
    wasm_array_obj_set_elem(bytes, 3, &value);
    CHECK_INT(address[3], 0x80);
    wasm_array_obj_get_elem(bytes, 3, true, &value);
    CHECK_INT(value.i32, -128);
    wasm_array_obj_get_elem(bytes, 3, false, &value);
    CHECK_INT(value.i32, 0x80);
    wasm_array_obj_get_elem(bytes, 10, false, &value);
    CHECK_INT(value.i64, 0);
    wasm_array_obj_copy(bytes, 2, bytes, 3, 2);
    CHECK(address[2] == 0x80 && address[3] == 0xfe);
    wasm_array_obj_copy(bytes, 9, bytes, 0, 2);
    wasm_array_obj_copy(bytes, UINT32_MAX, bytes, 0, 2);
    CHECK_INT(address[9], 0xfe);

    points = wasm_array_obj_new_with_type(env, (wasm_array_type_t)wasm_get_defined_type(module, 4),
                                          3, NULL);
    wasm_array_obj_get_elem(points, 2, false, &value);
    CHECK(!value.gc_obj);
    value = object(point);
    wasm_array_obj_set_elem(points, 1, &value);
    wasm_array_obj_get_elem(points, 1, false, &value);
    CHECK(value.gc_obj == (wasm_obj_t)point);
    /* An array is no point, nor is an integer, nor an array of others. */
    value = object(points);
    wasm_array_obj_set_elem(points, 0, &value);
    value = object((void *)wasm_i31_obj_new(1));
    wasm_array_obj_set_elem(points, 0, &value);
    wasm_array_obj_get_elem(points, 0, false, &value);
    CHECK(!value.gc_obj);
    wasm_array_obj_copy(points, 0, bytes, 0, 1);
    wasm_array_obj_copy(points, 0, points, 1, 2);
    wasm_array_obj_get_elem(points, 0, false, &value);
    CHECK(value.gc_obj == (wasm_obj_t)point);
    value = object(bytes);
    CHECK(!wasm_array_obj_new_with_typeidx(env, 4, 1, &value));

    CHECK(!wasm_array_obj_new_with_typeidx(env, 0, 1, NULL));
    CHECK(!wasm_array_obj_new_with_typeidx(env, 3, UINT32_MAX, NULL));
    CHECK(wasm_array_obj_new_with_typeidx(env, 3, 0, NULL) != NULL);
    CHECK(!wasm_array_obj_first_elem_addr(
        wasm_array_obj_new_with_typeidx(env, 10, 1, NULL)));
    CHECK_INT(wasm_array_obj_length((wasm_array_obj_t)point), 0);
    CHECK_INT(wasm_struct_obj_get_field_count((wasm_struct_obj_t)bytes), 0);
    CHECK(!wasm_array_obj_first_elem_addr((wasm_array_obj_t)point));
}

static void functions(void) {
    wasm_struct_obj_t box = wasm_struct_obj_new_with_typeidx(env, 6);
    wasm_function_inst_t add = wasm_runtime_lookup_function(inst, "add");
    wasm_func_obj_t func = wasm_func_obj_new_with_typeidx(env, 5, 5), other;
    wasm_value_t value = object(func);
    uint32_t argv[4] = {20, 22, 0, 0};
    wasm_val_t args[2], result;
    uintptr_t word = (uintptr_t)box;

    CHECK(func != NULL);
    CHECK_INT(wasm_func_obj_get_func_idx_bound(func), 5);
    CHECK(wasm_func_obj_get_func_type(func)
          == (wasm_func_type_t)wasm_get_defined_type(module, 5));
    CHECK(wasm_obj_get_defined_type((wasm_obj_t)func) == wasm_get_defined_type(module, 5));
    CHECK_INT(wasm_obj_get_defined_type_idx(module, (wasm_obj_t)func), 5);
    CHECK(wasm_obj_is_instance_of_type_idx((wasm_obj_t)func, 5, module));
    CHECK(!wasm_obj_is_instance_of_type_idx((wasm_obj_t)func, 9, module));
    CHECK(wasm_func_obj_new_with_type(
              env, (wasm_func_type_t)wasm_get_defined_type(module, 5), 5) == func);
    CHECK(!wasm_func_obj_new_with_typeidx(env, 9, 5));
    CHECK(!wasm_func_obj_new_with_typeidx(env, 0, 5));
    CHECK(!wasm_func_obj_new_with_typeidx(env, 5, 1000));
    other = wasm_func_obj_new_with_typeidx(env, 9, 6);
    CHECK(other != NULL);

    CHECK(wasm_runtime_call_func_ref(env, func, 2, argv));
    CHECK_INT(argv[0], 42);
    args[0].kind = args[1].kind = WASM_I32;
    args[0].of.i32 = 1;
    args[1].of.i32 = 2;
    CHECK(wasm_runtime_call_func_ref_a(env, func, 1, &result, 2, args));
    CHECK_INT(result.of.i32, 3);
    CHECK(wasm_runtime_call_func_ref_v(env, func, 1, &result, 2, 30, 4));
    CHECK_INT(result.of.i32, 34);
    CHECK(!wasm_runtime_call_func_ref_v(env, func, 1, &result, 1, 30));
    CHECK(!wasm_runtime_call_func_ref(env, NULL, 2, argv));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: unknown function");
    wasm_runtime_clear_exception(inst);
    CHECK(!wasm_runtime_call_func_ref(env, (wasm_func_obj_t)add, 2, argv));
    wasm_runtime_clear_exception(inst);
    CHECK(!wasm_runtime_call_func_ref_a(NULL, func, 1, &result, 2, args));

    /* A function in a struct, and none of another type. */
    wasm_struct_obj_set_field(box, 2, &value);
    CHECK(field(box, 2, false).gc_obj == (wasm_obj_t)func);
    value = object(other);
    wasm_struct_obj_set_field(box, 2, &value);
    value = object((void *)((uintptr_t)func + 8));
    wasm_struct_obj_set_field(box, 2, &value);
    CHECK(field(box, 2, false).gc_obj == (wasm_obj_t)func);
    memcpy(argv, &word, sizeof word);
    CHECK(wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "call_field"), 2, argv));
    CHECK_INT(argv[0], 5);
}

static void kinds(void) {
    int host;
    struct {
        void *obj;
        bool is[8];
    } cases[] = {
        /* struct, array, func, i31, externref, anyref, internal, eq */
        {wasm_struct_obj_new_with_typeidx(env, 0), {1, 0, 0, 0, 0, 0, 1, 1}},
        {wasm_array_obj_new_with_typeidx(env, 3, 1, NULL), {0, 1, 0, 0, 0, 0, 1, 1}},
        {wasm_func_obj_new_with_typeidx(env, 5, 5), {0, 0, 1, 0, 0, 0, 0, 0}},
        {(void *)wasm_i31_obj_new(5), {0, 0, 0, 1, 0, 0, 1, 1}},
        {wasm_externref_obj_new(env, &host), {0, 0, 0, 0, 1, 0, 0, 0}},
        {wasm_anyref_obj_new(env, &host), {0, 0, 0, 0, 0, 1, 1, 0}},
        {NULL, {0, 0, 0, 0, 0, 0, 0, 0}},
    };
    const int heap_types[8] = {HEAP_TYPE_STRUCT, HEAP_TYPE_ARRAY, HEAP_TYPE_FUNC, HEAP_TYPE_I31,
                               HEAP_TYPE_EXTERN, HEAP_TYPE_NONE, HEAP_TYPE_ANY, HEAP_TYPE_EQ};
    wasm_ref_type_t type;
    unsigned i, j;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        wasm_obj_t obj = cases[i].obj;
        const bool is[8] = {
            wasm_obj_is_struct_obj(obj), wasm_obj_is_array_obj(obj), wasm_obj_is_func_obj(obj),
            wasm_obj_is_i31_obj(obj), wasm_obj_is_externref_obj(obj), wasm_obj_is_anyref_obj(obj),
            wasm_obj_is_internal_obj(obj), wasm_obj_is_eq_obj(obj),
        };

        for (j = 0; j < 8; j++) {
            CHECK_INT(is[j], cases[i].is[j]);
            wasm_ref_type_set_heap_type(&type, true, heap_types[j]);
            CHECK_INT(wasm_obj_is_instance_of_ref_type(obj, &type), j == 5 ? 0 : cases[i].is[j]);
        }
    }
    CHECK(!wasm_obj_is_instance_of_ref_type(cases[0].obj, NULL));
    wasm_ref_type_set_type_idx(&type, true, 0);
    CHECK(!wasm_obj_is_instance_of_ref_type(cases[0].obj, &type));
}

static void types_of_objects(void) {
    wasm_obj_t point = (wasm_obj_t)wasm_struct_obj_new_with_typeidx(env, 1);
    wasm_defined_type_t super = wasm_get_defined_type(module, 0);

    CHECK(wasm_obj_get_defined_type(point) == wasm_get_defined_type(module, 1));
    CHECK_INT(wasm_obj_get_defined_type_idx(module, point), 1);
    CHECK(wasm_obj_is_instance_of_defined_type(point, super, module));
    CHECK(wasm_obj_is_instance_of_type_idx(point, 7, module));
    CHECK(!wasm_obj_is_instance_of_type_idx(point, 2, module));
    CHECK(!wasm_obj_is_instance_of_type_idx(point, 1000, module));
    CHECK(!wasm_obj_is_instance_of_type_idx(point, 0, NULL));
    CHECK(!wasm_obj_is_instance_of_defined_type(point, NULL, module));
    CHECK(!wasm_obj_get_defined_type((wasm_obj_t)wasm_i31_obj_new(0)));
    CHECK_INT(wasm_obj_get_defined_type_idx(module, NULL), -1);
    /* Equal types have one number. */
    point = (wasm_obj_t)wasm_struct_obj_new_with_typeidx(env, 7);
    CHECK_INT(wasm_obj_get_defined_type_idx(module, point), 0);
}

static void hosts_and_integers(void) {
    int host;
    wasm_externref_obj_t external = wasm_externref_obj_new(env, &host);
    wasm_anyref_obj_t any = wasm_anyref_obj_new(env, &host);
    wasm_obj_t point = (wasm_obj_t)wasm_struct_obj_new_with_typeidx(env, 0);
    wasm_externref_obj_t outside;

    CHECK(wasm_externref_obj_get_value(external) == &host);
    CHECK(wasm_anyref_obj_get_value(any) == &host);
    CHECK(wasm_externref_obj_to_internal_obj(external) == (wasm_obj_t)any);
    CHECK(wasm_internal_obj_to_externref_obj(env, (wasm_obj_t)any) == external);
    CHECK(wasm_externref_obj_get_value((wasm_externref_obj_t)&host) == &host);
    CHECK(wasm_externref_obj_to_internal_obj((wasm_externref_obj_t)&host) == (wasm_obj_t)any);
    CHECK(!wasm_anyref_obj_get_value((wasm_anyref_obj_t)external));
    CHECK(!wasm_externref_obj_get_value((wasm_externref_obj_t)any));
    outside = wasm_internal_obj_to_externref_obj(env, point);
    CHECK(outside && (wasm_obj_t)outside != point);
    CHECK(wasm_obj_is_externref_obj((wasm_obj_t)outside));
    CHECK(!wasm_obj_is_struct_obj((wasm_obj_t)outside));
    CHECK(wasm_externref_obj_to_internal_obj(outside) == point);
    CHECK(wasm_externref_obj_get_value(outside) == (const void *)point);
    CHECK(!wasm_internal_obj_to_externref_obj(env, (wasm_obj_t)outside));
    CHECK(!wasm_internal_obj_to_externref_obj(env, NULL));
    CHECK(!wasm_externref_obj_new(NULL, &host) && !wasm_anyref_obj_new(NULL, &host));

    CHECK_INT(wasm_i31_obj_get_value(wasm_i31_obj_new(0x40000001), true), 0xc0000001);
    CHECK_INT(wasm_i31_obj_get_value(wasm_i31_obj_new(0x40000001), false), 0x40000001);
    CHECK_INT(wasm_i31_obj_get_value(wasm_i31_obj_new(0xffffffff), false), 0x7fffffff);
    CHECK_INT(wasm_i31_obj_get_value((wasm_i31_obj_t)point, false), 0);
}

/* Words that are references to nothing. */
static void misuse(void) {
    static const uint64_t words[] = {
        1, 8, 0xfff8, (uint64_t)-1, (uint64_t)-8, 0xdbull << 55, 0xdbull << 55 | 8,
        0xdcull << 55 | 5000, 0xddull << 55 | 64, 0x1dbull << 55 | 64, 0x1dcull << 55 | 9999,
    };
    wasm_array_obj_t array = wasm_array_obj_new_with_typeidx(env, 3, 1, NULL);
    wasm_value_t value;
    unsigned i;

    for (i = 0; i < sizeof words / sizeof words[0]; i++) {
        wasm_obj_t obj = (wasm_obj_t)(uintptr_t)words[i];

        CHECK(!wasm_obj_is_struct_obj(obj) && !wasm_obj_is_array_obj(obj));
        CHECK(!wasm_obj_is_func_obj(obj) && !wasm_obj_is_internal_obj(obj));
        CHECK(!wasm_obj_get_defined_type(obj));
        CHECK_INT(field(obj, 0, false).i64, 0);
        value = i32(1);
        wasm_struct_obj_set_field((wasm_struct_obj_t)obj, 0, &value);
        CHECK_INT(wasm_array_obj_length((wasm_array_obj_t)obj), 0);
        CHECK(!wasm_array_obj_first_elem_addr((wasm_array_obj_t)obj));
        wasm_array_obj_copy((wasm_array_obj_t)obj, 0, array, 0, 1);
        wasm_array_obj_copy(array, 0, (wasm_array_obj_t)obj, 0, 1);
        CHECK(!wasm_anyref_obj_get_value((wasm_anyref_obj_t)obj));
        CHECK_INT(wasm_func_obj_get_func_idx_bound((wasm_func_obj_t)obj), 0xffffffff);
        CHECK(!wasm_func_obj_get_func_type((wasm_func_obj_t)obj));
        CHECK(!wasm_runtime_pin_object(env, obj) && !wasm_runtime_unpin_object(env, obj));
    }
}

static void run(void) {
    CHECK(wasm_runtime_init());
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    module = load_module("gc");
    inst = instantiate(module, 0, 0);
    env = wasm_runtime_create_exec_env(inst, 16384);
    structs();
    arrays();
    functions();
    kinds();
    types_of_objects();
    hosts_and_integers();
    misuse();
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
}
