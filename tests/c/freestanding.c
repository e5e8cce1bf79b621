/* Guests without a C library of their own: the functions that the runtime has in "env". */

#include "check.h"
#include "wasm_runtime_ctx.h"

static wasm_module_inst_t inst;
static wasm_exec_env_t env;

static bool call(const char *name, uint32_t *result) {
    uint32_t argv[2] = {0, 0};
    bool called =
        wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, name), 0, argv);

    *result = argv[0];
    return called;
}

static char caught[64];

static void catch(const char *bytes, uint32_t len, void *user_data) {
    strncat(user_data, bytes, len);
}

/* A context's output can go elsewhere. */
static void redirected(void) {
    wasm_runtime_ctx_t ctx = wasm_runtime_ctx_current();
    uint32_t result;

    CHECK(wasm_runtime_ctx_set_stdout_callback(ctx, catch, caught));
    CHECK(call("print", &result));
    CHECK_STR(caught, "a line\n3 guests, a line, 2.50\n");
    CHECK(wasm_runtime_ctx_set_stdout_callback(ctx, NULL, NULL));
    CHECK(!wasm_runtime_ctx_set_stdout_callback(NULL, catch, caught));
}

static void run(void) {
    char error[128] = "";
    uint32_t result;
    wasm_module_t module;

    CHECK(wasm_runtime_init());
    CHECK(wasm_runtime_is_import_func_linked("env", "printf"));
    CHECK(!wasm_runtime_is_import_func_linked("env", "prantf"));
    module = load_module("freestanding");
    inst = wasm_runtime_instantiate(module, 8192, 8192, error, sizeof error);
    CHECK_STR(error, "");
    env = wasm_runtime_create_exec_env(inst, 8192);

    CHECK(call("print", &result));
    CHECK_INT(result, strlen("3 guests, a line, 2.50\n"));
    redirected();
    CHECK(call("copy", &result));
    CHECK_INT(result, 6);
    CHECK(call("cleared", &result));
    CHECK_INT(result, 0);
    CHECK(!call("give_up", &result));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: env.abort(-7)");
    wasm_runtime_clear_exception(inst);
    CHECK(!call("wild", &result));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: out of bounds memory access");

    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
}
