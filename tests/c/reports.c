/* Reports to an embedder: counters, log lines, and texts of failures. */

#include "check.h"
#include "wasm_runtime_ctx.h"

static char logged[1024];

static void log_callback(uint32_t level, const char *text, void *user_data) {
    char line[256];

    (void)user_data;
    snprintf(line, sizeof line, "%u:%s|", level, text);
    strncat(logged, line, sizeof logged - strlen(logged) - 1);
}

static wasm_runtime_ctx_stats_t stats_now(void) {
    wasm_runtime_ctx_stats_t stats;

    stats.struct_size = sizeof stats;
    CHECK(wasm_runtime_ctx_stats(wasm_runtime_ctx_current(), &stats));
    return stats;
}

/* Leaving through proc_exit is a success, with every caller of `_start` and every code. */
static void exits_are_no_traps(void) {
    wasm_module_t module = load_module("exit");
    wasm_module_inst_t inst = instantiate(module, 0, 0);
    wasm_exec_env_t env = wasm_runtime_create_exec_env(inst, 8192);
    wasm_function_inst_t start = wasm_runtime_lookup_wasi_start_function(inst);
    wasm_runtime_ctx_stats_t before = stats_now(), after;

    CHECK(wasm_application_execute_main(inst, 0, NULL));
    CHECK(!wasm_runtime_call_wasm(env, start, 0, NULL));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: wasi proc exit");
    after = stats_now();
    CHECK_INT(after.calls - before.calls, 2);
    CHECK_INT(after.traps - before.traps, 0);
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
}

static NativeSymbol entries[] = {
    {"sum", NULL, NULL, NULL},
    {"_underscore", NULL, NULL, NULL},
};

/* The callback gets texts without a line end, also those that WAMR ends with one. */
static void log_lines(void) {
    wasm_runtime_ctx_t ctx = wasm_runtime_ctx_current();
    wasm_module_t module;

    CHECK(wasm_runtime_ctx_set_log_callback(ctx, log_callback, NULL));
    wasm_runtime_free(NULL);
    CHECK_STR(logged, "2:warning: wasm_runtime_free with NULL pointer|");

    /* An entry without a function is named when a module asks for it. */
    logged[0] = 0;
    CHECK(wasm_runtime_register_natives("host", entries, 2));
    module = load_module("natives");
    CHECK_STR(logged, "2:the native function registered for import (host, sum) is NULL|"
                      "2:the native function registered for import (host, _underscore) is NULL|");
    wasm_runtime_unload(module);
    CHECK(wasm_runtime_unregister_natives("host", entries));

    /* Modules to import from are not missed where the host has none. */
    logged[0] = 0;
    module = load_module("natives");
    CHECK_STR(logged, "");
    wasm_runtime_unload(module);
    CHECK(wasm_runtime_ctx_set_log_callback(ctx, NULL, NULL));
}

static void missing_arguments(void) {
    wasm_module_t module = load_module("basic");
    wasm_module_inst_t inst = instantiate(module, 0, 0);
    wasm_exec_env_t env = wasm_runtime_create_exec_env(inst, 8192);
    wasm_function_inst_t add = wasm_runtime_lookup_function(inst, "add");
    char error[128] = "";
    wasm_val_t values[2];

    memset(values, 0, sizeof values);
    CHECK(!wasm_runtime_register_natives(NULL, entries, 2));
    CHECK(!wasm_runtime_register_natives("host", NULL, 2));
    CHECK(!wasm_runtime_register_natives_raw(NULL, entries, 2));
    CHECK(!wasm_runtime_register_natives_raw("host", NULL, 2));
    CHECK(wasm_runtime_register_natives("host", NULL, 0));

    CHECK(!wasm_runtime_call_wasm_a(env, add, 1, values, 2, NULL));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: the arguments conversion is failed");
    wasm_runtime_clear_exception(inst);
    CHECK(!wasm_runtime_call_wasm_a(env, add, 1, NULL, 2, values));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: the result conversion is failed");
    wasm_runtime_clear_exception(inst);
    CHECK(!wasm_application_execute_func(inst, NULL, 0, NULL));
    CHECK_STR(wasm_runtime_get_exception(inst),
              "Exception: lookup function failed: the name is NULL");

    CHECK(!wasm_runtime_set_module_name(module, NULL, error, sizeof error));
    CHECK_STR(error, "set module name failed: module and UTF-8 name are required");
    CHECK(!wasm_runtime_instantiate(NULL, 0, 0, error, sizeof error));
    CHECK_STR(error, "Instantiate module failed, invalid module type");
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
}

static void not_initialized(void) {
    static uint8_t empty[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    static const char *const text = "WASM module load failed: the runtime is not initialized";
    char error[128] = "";

    CHECK(!wasm_runtime_load(empty, sizeof empty, error, sizeof error));
    CHECK_STR(error, text);
    error[0] = 0;
    CHECK(!wasm_runtime_load_from_sections(NULL, false, error, sizeof error));
    CHECK_STR(error, text);
}

static void run(void) {
    not_initialized();
    CHECK(wasm_runtime_init());
    log_lines();
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_ERROR);
    exits_are_no_traps();
    missing_arguments();
    wasm_runtime_destroy();
    not_initialized();
}
