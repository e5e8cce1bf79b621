/* An exception that is pending: no call runs anything, and the exception stays as it is. */

#include "check.h"

static wasm_module_inst_t inst;
static wasm_exec_env_t env;
static bool ran_inside;

static int32_t global(const char *name) {
    wasm_global_inst_t found;

    CHECK(wasm_runtime_get_export_global_inst(inst, name, &found));
    return *(int32_t *)found.global_data;
}

static wasm_function_inst_t find(const char *name) {
    return wasm_runtime_lookup_function(inst, name);
}

/* Sets an exception, and then calls back all the same. */
static int32_t inside(wasm_exec_env_t exec_env) {
    uint32_t argv[1] = {1};

    wasm_runtime_set_exception(inst, "from inside");
    ran_inside = wasm_runtime_call_wasm(exec_env, find("bump"), 1, argv);
    return 0;
}

static NativeSymbol symbols[] = {{"inside", (void *)inside, "()i", NULL}};

static void nothing_runs(void) {
    wasm_val_t args[1], results[1];
    uint32_t argv[2] = {1, 0};
    char *strings[1] = {(char *)"program"};
    wasm_exec_env_t other = wasm_runtime_create_exec_env(inst, 8192);

    args[0].kind = WASM_I32, args[0].of.i32 = 1;
    wasm_runtime_set_exception(inst, "the first");
    CHECK(!wasm_runtime_call_wasm(env, find("bump"), 1, argv));
    CHECK(!wasm_runtime_call_wasm(other, find("bump"), 1, argv));
    CHECK(!wasm_runtime_call_wasm(env, find("bump"), 0, argv));
    CHECK(!wasm_runtime_call_wasm(env, find("bump"), 1, NULL));
    CHECK(!wasm_runtime_call_wasm(env, NULL, 1, argv));
    CHECK(!wasm_runtime_call_wasm_a(env, find("bump"), 1, results, 1, args));
    args[0].kind = WASM_V128;
    CHECK(!wasm_runtime_call_wasm_a(env, find("bump"), 1, results, 1, args));
    CHECK(!wasm_runtime_call_wasm_v(env, find("bump"), 1, results, 1, 1));
    CHECK(!wasm_runtime_call_indirect(env, 0, 1, argv));
    CHECK(!wasm_runtime_call_indirect(env, 7, 1, argv));
    CHECK(!wasm_application_execute_main(inst, 0, NULL));
    CHECK(!wasm_application_execute_main(inst, 1, strings));
    CHECK(!wasm_application_execute_main(inst, 1, NULL));
    CHECK(wasm_runtime_module_malloc(inst, 8, NULL) == 0);
    CHECK(wasm_runtime_module_dup_data(inst, "text", 5) == 0);
    CHECK_INT(global("count"), 0);
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: the first");
    /* An earlier allocation can be freed. */
    wasm_runtime_module_free(inst, 1024);
    CHECK_INT(global("frees"), 1);
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: the first");
    wasm_runtime_destroy_exec_env(other);

    wasm_runtime_clear_exception(inst);
    CHECK(wasm_runtime_call_wasm(env, find("bump"), 1, argv));
    CHECK_INT(global("count"), 1);
    CHECK(wasm_application_execute_main(inst, 0, NULL));
    CHECK_INT(global("count"), 2);
    CHECK(wasm_runtime_module_malloc(inst, 8, NULL) == 1024);
    CHECK_INT(global("count"), 3);
}

/* One function clears the pending exception, and prints that. */
static void cleared_first(void) {
    wasm_runtime_set_exception(inst, "the second");
    CHECK(!wasm_application_execute_func(inst, "main", 1, NULL));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: invalid input argument count");
    CHECK(wasm_application_execute_func(inst, "main", 0, NULL));
    CHECK(wasm_runtime_get_exception(inst) == NULL);
    CHECK_INT(global("count"), 4);
}

static void from_inside(void) {
    uint32_t argv[1] = {0};

    ran_inside = true;
    CHECK(!wasm_runtime_call_wasm(env, find("inside"), 0, argv));
    CHECK(!ran_inside);
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: from inside");
    CHECK_INT(global("count"), 4);
    wasm_runtime_clear_exception(inst);
}

static void run(void) {
    wasm_module_t module;

    CHECK(wasm_runtime_init());
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    CHECK(wasm_runtime_register_natives("host", symbols, 1));
    module = load_module("pending");
    inst = instantiate(module, 8192, 0);
    env = wasm_runtime_create_exec_env(inst, 8192);
    nothing_runs();
    cleared_first();
    from_inside();
    CHECK(!wasm_application_execute_main(inst, 3, NULL));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: invalid input argument count");
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
}
