/* Several instances of one module: each drops its own segments and has its own memory and table. */

#include "check.h"

enum { INSTANCES = 4 };

static wasm_module_inst_t instances[INSTANCES];
static wasm_exec_env_t envs[INSTANCES];

static bool call(int which, const char *name, uint32_t *result) {
    wasm_function_inst_t function = wasm_runtime_lookup_function(instances[which], name);

    CHECK(function != NULL);
    return wasm_runtime_call_wasm(envs[which], function, 0, result);
}

/* The first use of each segment works in every instance, the second in none. */
static void segments(void) {
    int i;

    for (i = 0; i < INSTANCES; i++) {
        uint32_t result[1] = {0};

        CHECK(call(i, "data", result));
        CHECK_INT(result[0], 0x64636261);
        CHECK(call(i, "elem", result));
        CHECK_INT(result[0], 7);
    }
    for (i = 0; i < INSTANCES; i++) {
        uint32_t result[1] = {0};

        CHECK(!call(i, "data", result));
        CHECK_STR(wasm_runtime_get_exception(instances[i]),
                  "Exception: out of bounds memory access");
        wasm_runtime_clear_exception(instances[i]);
        CHECK(!call(i, "elem", result));
        CHECK_STR(wasm_runtime_get_exception(instances[i]),
                  "Exception: out of bounds table access");
        wasm_runtime_clear_exception(instances[i]);
    }
}

/* A module's imports can be listed before anything is linked. */
static void imports(wasm_module_t module) {
    wasm_import_t import;

    CHECK_INT(wasm_runtime_get_import_count(module), 1);
    wasm_runtime_get_import_type(module, 0, &import);
    CHECK_STR(import.module_name, "env");
    CHECK_STR(import.name, "unbound");
    CHECK_INT(import.kind, WASM_IMPORT_EXPORT_KIND_FUNC);
    CHECK(!import.linked);
}

static void run(void) {
    RuntimeInitArgs args = system_args();
    wasm_module_t module;
    int i;

    CHECK(wasm_runtime_full_init(&args));
    /* The unbound import is warned of at each instantiation. */
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_ERROR);
    module = load_module("segments");
    imports(module);
    for (i = 0; i < INSTANCES; i++) {
        instances[i] = instantiate(module, 8192, 0);
        envs[i] = wasm_runtime_create_exec_env(instances[i], 8192);
    }
    segments();
    for (i = 0; i < INSTANCES; i++) {
        wasm_runtime_destroy_exec_env(envs[i]);
        wasm_runtime_deinstantiate(instances[i]);
    }
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
}
