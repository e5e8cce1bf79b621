/* Traps and exceptions: their texts, and that a pending one sticks. */

#include "check.h"

static wasm_module_inst_t inst;
static wasm_exec_env_t env;

static void traps(const char *function, uint32_t a, uint32_t b, const char *text) {
    uint32_t argv[4] = {a, b, 0, 0};

    CHECK(!wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, function), 2, argv));
    CHECK_STR(wasm_runtime_get_exception(inst), text);
    wasm_runtime_clear_exception(inst);
    CHECK(!wasm_runtime_get_exception(inst));
}

static void sticky(void) {
    uint32_t argv[2] = {5, 6};
    wasm_function_inst_t add = wasm_runtime_lookup_function(inst, "add");

    wasm_runtime_set_exception(inst, "mine");
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: mine");
    CHECK(!wasm_runtime_call_wasm(env, add, 2, argv));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: mine");
    CHECK_INT(argv[0], 5);
    wasm_runtime_set_exception(inst, NULL);
    CHECK(!wasm_runtime_get_exception(inst));
    CHECK(wasm_runtime_call_wasm(env, add, 2, argv));
    CHECK_INT(argv[0], 11);
}

static void long_text(void) {
    char text[300];

    memset(text, 'z', sizeof text - 1);
    text[sizeof text - 1] = 0;
    wasm_runtime_set_exception(inst, text);
    CHECK_INT(strlen(wasm_runtime_get_exception(inst)), 127);
    wasm_runtime_clear_exception(inst);
    wasm_runtime_set_exception(inst, "");
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: ");
    wasm_runtime_clear_exception(inst);
}

static void start_function(void) {
    char error[128] = "";
    wasm_module_t module = load_module("start_trap");

    CHECK(!wasm_runtime_instantiate(module, 8192, 0, error, sizeof error));
    CHECK_STR(error, "WASM module instantiate failed: Exception: unreachable");
    wasm_runtime_unload(module);
}

static void run(void) {
    wasm_module_t module;

    CHECK(wasm_runtime_init());
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    module = load_module("basic");
    inst = instantiate(module, 0, 0);
    env = wasm_runtime_create_exec_env(inst, 16384);
    traps("trap", 0, 0, "Exception: unreachable");
    traps("divide", 1, 0, "Exception: integer divide by zero");
    traps("divide", 0x80000000, (uint32_t)-1, "Exception: integer overflow");
    traps("outside", 0, 0, "Exception: out of bounds memory access");
    traps("indirect", 2, 1, "Exception: uninitialized element");
    traps("indirect", 99, 1, "Exception: undefined element");
    traps("indirect", 1, 1, "Exception: indirect call type mismatch");
    traps("call_missing", 0, 0,
          "Exception: failed to call unlinked import function (env, missing)");
    traps("recurse", 0, 0, "Exception: wasm operand stack overflow");
    sticky();
    long_text();
    start_function();
    wasm_runtime_terminate(inst);
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: terminated by user");
    wasm_runtime_clear_exception(inst);
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
}
