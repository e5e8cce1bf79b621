/* Calling guest functions in all the ways there are. */

#include "check.h"

static wasm_module_inst_t inst;
static wasm_exec_env_t env;

static wasm_function_inst_t find(const char *name) {
    wasm_function_inst_t function = wasm_runtime_lookup_function(inst, name);

    if (!function) {
        printf("no function %s\n", name);
        exit(2);
    }
    return function;
}

static void lookups(void) {
    wasm_valkind_t kinds[4];
    wasm_function_inst_t mixed = find("mixed");

    CHECK(find("add") == find("add"));
    CHECK(!wasm_runtime_lookup_function(inst, "no such function"));
    CHECK(!wasm_runtime_lookup_function(inst, "memory"));
    CHECK(!wasm_runtime_lookup_function(inst, "\xFF\xFE"));
    CHECK(wasm_runtime_lookup_function(inst, "a b") != NULL);
    CHECK_INT(wasm_func_get_param_count(mixed, inst), 4);
    CHECK_INT(wasm_func_get_result_count(mixed, inst), 1);
    wasm_func_get_param_types(mixed, inst, kinds);
    CHECK_INT(kinds[0], WASM_I32);
    CHECK_INT(kinds[1], WASM_I64);
    CHECK_INT(kinds[2], WASM_F32);
    CHECK_INT(kinds[3], WASM_F64);
    wasm_func_get_result_types(mixed, inst, kinds);
    CHECK_INT(kinds[0], WASM_F64);
    wasm_func_get_param_types(find("extern"), inst, kinds);
    CHECK_INT(kinds[0], WASM_EXTERNREF);
    wasm_func_get_result_types(find("function"), inst, kinds);
    CHECK_INT(kinds[0], WASM_FUNCREF);
}

static void cells(void) {
    uint32_t argv[8] = {1, 2};
    uint64_t wide;
    float f = 2.5f;
    double d;

    CHECK(wasm_runtime_call_wasm(env, find("add"), 2, argv));
    CHECK_INT(argv[0], 3);
    /* More cells than the function takes do not matter. */
    argv[0] = 3, argv[1] = 4;
    CHECK(wasm_runtime_call_wasm(env, find("add"), 8, argv));
    CHECK_INT(argv[0], 7);
    wide = 0x100000001ULL;
    memcpy(argv, &wide, 8);
    memcpy(argv + 2, &wide, 8);
    CHECK(wasm_runtime_call_wasm(env, find("add64"), 4, argv));
    memcpy(&wide, argv, 8);
    CHECK_INT(wide, 0x200000002LL);
    memcpy(argv, &f, 4);
    memcpy(argv + 1, &f, 4);
    CHECK(wasm_runtime_call_wasm(env, find("mulf"), 2, argv));
    memcpy(&f, argv, 4);
    CHECK(f == 6.25f);
    d = 1;
    memcpy(argv, &d, 8);
    d = 4;
    memcpy(argv + 2, &d, 8);
    CHECK(wasm_runtime_call_wasm(env, find("divd"), 4, argv));
    memcpy(&d, argv, 8);
    CHECK(d == 0.25);
    CHECK(wasm_runtime_call_wasm(env, find("several"), 0, argv));
    CHECK_INT(argv[0], 0xFFFFFFFF);
    CHECK_INT(argv[1], 0xFFFFFFFE);
    CHECK_INT(argv[2], 0xFFFFFFFF);
    memcpy(&f, argv + 3, 4);
    CHECK(f == 1.5f);
    CHECK(wasm_runtime_call_wasm(env, find("nothing"), 0, NULL));
    /* No room for the cells is an error, not a crash. */
    CHECK(!wasm_runtime_call_wasm(env, find("add"), 2, NULL));
    CHECK(wasm_runtime_get_exception(inst) != NULL);
    wasm_runtime_clear_exception(inst);
}

/* Fewer cells than the parameters take: nothing behind them is read, and nothing runs. */
static void too_few_cells(void) {
    uint32_t *cells = malloc(3 * sizeof *cells);

    cells[0] = cells[1] = cells[2] = 5;
    CHECK(!wasm_runtime_call_wasm(env, find("add64"), 3, cells));
    CHECK_STR(wasm_runtime_get_exception(inst),
              "Exception: invalid argument count 3, must be no smaller than 4");
    wasm_runtime_clear_exception(inst);
    CHECK(!wasm_runtime_call_wasm(env, find("add"), 0, cells));
    CHECK_STR(wasm_runtime_get_exception(inst),
              "Exception: invalid argument count 0, must be no smaller than 2");
    wasm_runtime_clear_exception(inst);
    CHECK(!wasm_runtime_call_wasm(env, find("extern"), 1, cells));
    CHECK_STR(wasm_runtime_get_exception(inst),
              "Exception: invalid argument count 1, must be no smaller than 2");
    wasm_runtime_clear_exception(inst);
    CHECK(!wasm_runtime_call_indirect(env, 0, 0, cells));
    CHECK_STR(wasm_runtime_get_exception(inst),
              "Exception: invalid argument count 0, must be no smaller than 1");
    wasm_runtime_clear_exception(inst);
    CHECK_INT(cells[0], 5);
    free(cells);
}

static void references(void) {
    uint32_t argv[4];
    uintptr_t object = 0x1234;

    memcpy(argv, &object, sizeof object);
    CHECK(wasm_runtime_call_wasm(env, find("extern"), 2, argv));
    memcpy(&object, argv, sizeof object);
    CHECK_INT(object, 0x1234);
    /* All ones is null on the way in, and null is 0 on the way out. */
    object = (uintptr_t)-1;
    memcpy(argv, &object, sizeof object);
    CHECK(wasm_runtime_call_wasm(env, find("extern"), 2, argv));
    memcpy(&object, argv, sizeof object);
    CHECK_INT(object, 0);
    argv[0] = UINT32_MAX;
    CHECK(wasm_runtime_call_wasm(env, find("function"), 1, argv));
    CHECK_INT(argv[0], UINT32_MAX);
    /* By its index among all functions: imports first. */
    argv[0] = 2;
    CHECK(wasm_runtime_call_wasm(env, find("function"), 1, argv));
    CHECK_INT(argv[0], 2);
    argv[0] = 100000;
    CHECK(!wasm_runtime_call_wasm(env, find("function"), 1, argv));
    wasm_runtime_clear_exception(inst);
}

static void values(void) {
    wasm_val_t args[4], results[3];

    memset(args, 0, sizeof args);
    args[0].kind = WASM_I32, args[0].of.i32 = 10;
    args[1].kind = WASM_I32, args[1].of.i32 = 20;
    CHECK(wasm_runtime_call_wasm_a(env, find("add"), 1, results, 2, args));
    CHECK_INT(results[0].of.i32, 30);
    CHECK_INT(results[0].kind, WASM_I32);
    /* A wrong number of either is logged and leaves no exception. */
    CHECK(!wasm_runtime_call_wasm_a(env, find("add"), 1, results, 1, args));
    CHECK(!wasm_runtime_call_wasm_a(env, find("add"), 0, results, 2, args));
    CHECK(!wasm_runtime_get_exception(inst));
    args[1].kind = WASM_I64, args[1].of.i64 = -5;
    args[2].kind = WASM_F32, args[2].of.f32 = 0.5f;
    args[3].kind = WASM_F64, args[3].of.f64 = 0.25;
    CHECK(wasm_runtime_call_wasm_a(env, find("mixed"), 1, results, 4, args));
    CHECK_INT(results[0].kind, WASM_F64);
    CHECK(results[0].of.f64 == 5.75);
    CHECK(wasm_runtime_call_wasm_a(env, find("several"), 3, results, 0, NULL));
    CHECK_INT(results[0].of.i32, -1);
    CHECK_INT(results[1].kind, WASM_I64);
    CHECK_INT(results[1].of.i64, -2);
    CHECK_INT(results[2].kind, WASM_F32);
    CHECK(results[2].of.f32 == 1.5f);
    args[0].kind = WASM_EXTERNREF, args[0].of.foreign = 0x4321;
    CHECK(wasm_runtime_call_wasm_a(env, find("extern"), 1, results, 1, args));
    CHECK_INT(results[0].kind, WASM_EXTERNREF);
    CHECK_INT(results[0].of.foreign, 0x4321);
    args[0].kind = WASM_FUNCREF, args[0].of.i32 = 2;
    CHECK(wasm_runtime_call_wasm_a(env, find("function"), 1, results, 1, args));
    CHECK_INT(results[0].kind, WASM_I32);
    CHECK_INT(results[0].of.i32, 2);
    /* A kind that has no cells, for want of a member in the union. */
    args[0].kind = WASM_V128;
    CHECK(!wasm_runtime_call_wasm_a(env, find("extern"), 1, results, 1, args));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: the arguments conversion is failed");
    wasm_runtime_clear_exception(inst);
    /* More cells than the type says, by the values' own kinds. */
    args[0].kind = WASM_I64, args[1].kind = WASM_I64;
    CHECK(wasm_runtime_call_wasm_a(env, find("add"), 1, results, 2, args));
}

/* More arguments than are kept on the native stack. */
static void many(void) {
    wasm_val_t args[40], results[1];
    wasm_function_inst_t forty = find("forty");
    int i;

    memset(args, 0, sizeof args);
    for (i = 0; i < 40; i++) {
        args[i].kind = WASM_I64;
        args[i].of.i64 = 100 + i;
    }
    CHECK(wasm_runtime_call_wasm_a(env, forty, 1, results, 40, args));
    CHECK_INT(results[0].of.i64, 39);
#define TEN(n) (int64_t)n, (int64_t)1, (int64_t)2, (int64_t)3, (int64_t)4, (int64_t)5, \
    (int64_t)6, (int64_t)7, (int64_t)8, (int64_t)9
    CHECK(wasm_runtime_call_wasm_v(env, forty, 1, results, 40, TEN(0), TEN(0), TEN(0), TEN(0)));
    CHECK_INT(results[0].of.i64, 9);
    CHECK(!wasm_runtime_call_wasm_v(NULL, forty, 1, results, 40, TEN(0), TEN(0), TEN(0), TEN(0)));
}

static void variadic(void) {
    wasm_val_t results[3];

    CHECK(wasm_runtime_call_wasm_v(env, find("add"), 1, results, 2, 7, 8));
    CHECK_INT(results[0].of.i32, 15);
    CHECK(wasm_runtime_call_wasm_v(env, find("mixed"), 1, results, 4, 1, (int64_t)20000000000,
                                   0.5, 0.25));
    CHECK(results[0].of.f64 == 20000000001.75);
    CHECK(wasm_runtime_call_wasm_v(env, find("mulf"), 1, results, 2, 1.5, 2.0));
    CHECK(results[0].of.f32 == 3.0f);
    CHECK(wasm_runtime_call_wasm_v(env, find("extern"), 1, results, 1, (uintptr_t)0x77));
    CHECK_INT(results[0].of.foreign, 0x77);
    CHECK(!wasm_runtime_call_wasm_v(env, find("add"), 1, results, 1, 7));
    CHECK(!wasm_runtime_call_wasm_v(NULL, find("add"), 1, results, 2, 7, 8));
}

static void globals_and_tables(void) {
    wasm_global_inst_t global;
    wasm_table_inst_t table;
    wasm_function_inst_t function;
    uint32_t argv[2] = {20, 22};

    CHECK(wasm_runtime_get_export_global_inst(inst, "counter", &global));
    CHECK_INT(global.kind, WASM_I32);
    CHECK(global.is_mutable);
    CHECK_INT(*(int32_t *)global.global_data, 7);
    CHECK(!wasm_runtime_get_export_global_inst(inst, "table", &global));
    CHECK(!wasm_runtime_get_export_global_inst(inst, "counter", NULL));
    CHECK(wasm_runtime_get_export_table_inst(inst, "table", &table));
    CHECK_INT(table.elem_kind, WASM_FUNCREF);
    CHECK_INT(table.cur_size, 4);
    CHECK_INT(table.max_size, 8);
    CHECK(!wasm_runtime_get_export_table_inst(inst, "counter", &table));
    CHECK(!wasm_runtime_get_export_table_inst(NULL, "table", &table));
    function = wasm_table_get_func_inst(inst, &table, 1);
    CHECK(function == find("add"));
    CHECK(wasm_runtime_call_wasm(env, function, 2, argv));
    CHECK_INT(argv[0], 42);
    CHECK(!wasm_table_get_func_inst(inst, &table, 2));
    CHECK(!wasm_table_get_func_inst(inst, &table, 4));
    CHECK(!wasm_table_get_func_inst(inst, NULL, 0));
}

static void indirect(void) {
    uint32_t argv[2] = {21, 0};

    CHECK(wasm_runtime_call_indirect(env, 0, 1, argv));
    CHECK_INT(argv[0], 42);
    CHECK(!wasm_runtime_call_indirect(env, 2, 1, argv));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: uninitialized element");
    wasm_runtime_clear_exception(inst);
    CHECK(!wasm_runtime_call_indirect(env, 99, 1, argv));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: undefined element");
    wasm_runtime_clear_exception(inst);
}

static void environments(void) {
    wasm_exec_env_t second = wasm_runtime_create_exec_env(inst, 0), one;
    uint32_t argv[2] = {2, 3};
    int word;

    CHECK(second != NULL && second != env);
    CHECK(wasm_runtime_get_module_inst(second) == inst);
    CHECK(!wasm_runtime_get_user_data(second));
    wasm_runtime_set_user_data(second, &word);
    CHECK(wasm_runtime_get_user_data(second) == &word);
    CHECK(!wasm_runtime_get_user_data(env));
    CHECK(!wasm_runtime_get_function_attachment(second));
    CHECK(wasm_runtime_call_wasm(second, find("add"), 2, argv));
    wasm_runtime_destroy_exec_env(second);
    one = wasm_runtime_get_exec_env_singleton(inst);
    CHECK(one != NULL && one == wasm_runtime_get_exec_env_singleton(inst) && one != env);
    argv[0] = 10;
    CHECK(wasm_runtime_call_wasm(one, find("fib"), 1, argv));
    CHECK_INT(argv[0], 55);
    CHECK(!wasm_runtime_create_exec_env(inst, UINT32_MAX));
}

static void limits(void) {
    uint32_t argv[2] = {25, 0};

    wasm_runtime_set_instruction_count_limit(env, 1000);
    CHECK(!wasm_runtime_call_wasm(env, find("fib"), 1, argv));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: instruction limit exceeded");
    wasm_runtime_clear_exception(inst);
    wasm_runtime_set_instruction_count_limit(env, -1);
    argv[0] = 15;
    CHECK(wasm_runtime_call_wasm(env, find("fib"), 1, argv));
    CHECK_INT(argv[0], 610);
    CHECK(wasm_runtime_detect_native_stack_overflow(env));
    CHECK(!wasm_runtime_detect_native_stack_overflow_size(env, UINT32_MAX));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: native stack overflow");
    wasm_runtime_clear_exception(inst);
    CHECK(!wasm_runtime_call_wasm(env, find("recurse"), 0, NULL));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: wasm operand stack overflow");
    wasm_runtime_clear_exception(inst);
    /* A boundary above the stack: no room at all. */
    wasm_runtime_set_native_stack_boundary(env, (uint8_t *)&argv + 4096);
    argv[0] = 3;
    CHECK(!wasm_runtime_call_wasm(env, find("fib"), 1, argv));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: native stack overflow");
    wasm_runtime_clear_exception(inst);
    wasm_runtime_set_native_stack_boundary(env, NULL);
    CHECK(wasm_runtime_call_wasm(env, find("fib"), 1, argv));
}

static void run(void) {
    wasm_module_t module;

    CHECK(wasm_runtime_init());
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    module = load_module("basic");
    inst = instantiate(module, 0, 8192);
    env = wasm_runtime_create_exec_env(inst, 16384);
    CHECK(env != NULL);
    lookups();
    cells();
    too_few_cells();
    references();
    values();
    many();
    variadic();
    globals_and_tables();
    indirect();
    environments();
    limits();
    /* An environment may go after its instance, and an instance after its module. */
    CHECK(wasm_runtime_get_module(inst) == module);
    wasm_runtime_unload(module);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_destroy();
}
