/* Every function of wasm_export.h and gc_export.h: with NULL, zero and false for all arguments
 * before there is a context, inside one and after its end; and with live handles where it takes
 * handles, and nothing else. Nothing may crash or leak. The test makes the calls from the table of
 * functions. */

#include "check.h"
#include "gc_export.h"

static void with_nothing(void) {
#include "with_nothing.inc"
}

static void with_handles(void) {
    wasm_module_t module = load_module("basic");
    wasm_module_inst_t inst = instantiate(module, 8192, 8192);
    wasm_exec_env_t env = wasm_runtime_create_exec_env(inst, 8192);
    wasm_function_inst_t func = wasm_runtime_lookup_function(inst, "nothing");
    wasm_memory_inst_t memory = wasm_runtime_get_default_memory(inst);

#include "with_handles.inc"

    /* No instructions at all was one of the things asked for. */
    wasm_runtime_set_instruction_count_limit(env, -1);
    wasm_runtime_clear_exception(inst);
    CHECK(wasm_runtime_call_wasm(env, func, 0, NULL));
    CHECK(wasm_runtime_get_module(inst) == module);
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
}

static void run(void) {
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    with_nothing();
    CHECK(wasm_runtime_init());
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    with_nothing();
    with_handles();
    wasm_runtime_destroy();
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    with_nothing();
}
