/* Exceptions of guests: their tags among imports and exports, and where they end. */

#include "check.h"

/* The kind of a tag, which has no name in the header. */
#define TAG_KIND 4

static bool handle;

/* Calls the guest back, which throws; leaves the exception pending, or not. */
static void report(wasm_exec_env_t exec_env, int32_t code) {
    wasm_module_inst_t inst = wasm_runtime_get_module_inst(exec_env);
    uint32_t argv[1] = {(uint32_t)code};
    wasm_function_inst_t func = wasm_runtime_lookup_function(inst, "throw");

    CHECK(!wasm_runtime_call_wasm(exec_env, func, 1, argv));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: uncaught wasm exception");
    if (handle)
        wasm_runtime_clear_exception(inst);
}

static NativeSymbol symbols[] = {{"report", report, "(i)", NULL}};

static void reflection(wasm_module_t module) {
    wasm_export_t export;

    wasm_runtime_get_export_type(module, 0, &export);
    CHECK_STR(export.name, "code");
    CHECK_INT(export.kind, TAG_KIND);
    CHECK(!export.u.func_type);
    wasm_runtime_get_export_type(module, 1, &export);
    CHECK_STR(export.name, "plain");
    CHECK_INT(export.kind, TAG_KIND);
}

static void calls(wasm_module_inst_t inst, wasm_exec_env_t env) {
    uint32_t argv[2] = {7, 0}, kept[2];
    wasm_function_inst_t throws = wasm_runtime_lookup_function(inst, "throw");
    wasm_function_inst_t catches = wasm_runtime_lookup_function(inst, "catch");
    wasm_function_inst_t calls_host = wasm_runtime_lookup_function(inst, "call_host");

    CHECK(wasm_runtime_call_wasm(env, catches, 1, argv));
    CHECK_INT(argv[0], 7);
    CHECK(!wasm_runtime_call_wasm(env, throws, 1, argv));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: uncaught wasm exception");
    wasm_runtime_clear_exception(inst);
    handle = true;
    argv[0] = 3;
    CHECK(wasm_runtime_call_wasm(env, calls_host, 1, argv));
    CHECK_INT((int32_t)argv[0], -1);
    /* An exception that a host function passes on is a trap, which the guest does not catch. */
    handle = false;
    CHECK(!wasm_runtime_call_wasm(env, calls_host, 1, argv));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: uncaught wasm exception");
    wasm_runtime_clear_exception(inst);

    /* A reference is a word that only its instance knows; others are refused. */
    CHECK(wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "keep"), 0, kept));
    argv[0] = kept[0];
    argv[1] = kept[1];
    CHECK(wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "again"), 2, argv));
    CHECK_INT(argv[0], 9);
    argv[0] = kept[0] + 8;
    argv[1] = kept[1];
    CHECK(!wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "again"), 2, argv));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: the arguments conversion is failed");
    wasm_runtime_clear_exception(inst);
    argv[0] = argv[1] = 0;
    CHECK(!wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "again"), 2, argv));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: null reference");
    wasm_runtime_clear_exception(inst);
}

static void unlinked(void) {
    char error[128] = "";
    wasm_import_t import;
    wasm_module_t module = load_module("tag_import");

    wasm_runtime_get_import_type(module, 0, &import);
    CHECK_STR(import.name, "code");
    CHECK_INT(import.kind, TAG_KIND);
    CHECK(!import.linked);
    CHECK(!wasm_runtime_instantiate(module, 8192, 0, error, sizeof error));
    CHECK_STR(error, "WASM module instantiate failed: failed to link import tag (other, code)");
    wasm_runtime_unload(module);
}

static void run(void) {
    wasm_module_t module;
    wasm_module_inst_t inst;
    wasm_exec_env_t env;

    CHECK(wasm_runtime_init());
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    CHECK(wasm_runtime_register_natives("env", symbols, 1));
    module = load_module("tags");
    inst = instantiate(module, 8192, 0);
    env = wasm_runtime_create_exec_env(inst, 8192);
    reflection(module);
    calls(inst, env);
    unlinked();
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
}
