/* Tail calls: over instances and into natives on a small native stack, and limits on them. */

#include <pthread.h>
#include "check.h"

static wasm_module_inst_t inst;
static wasm_exec_env_t env;

/* Frames that the native has seen. */
static uint32_t seen;
static WASMCApiFrame frames[8];

static int32_t last(wasm_exec_env_t exec_env, int32_t value) {
    char error[64] = "";

    seen = wasm_copy_callstack(exec_env, frames, 8, 0, error, sizeof error);
    return value + 1;
}

static NativeSymbol symbols[] = {{"last", last, "(i)i", NULL}};

static bool read_sub(package_type_t type, const char *name, uint8_t **buffer, uint32_t *size) {
    CHECK_INT(type, Wasm_Module_Bytecode);
    *buffer = read_module(name, size);
    return true;
}

static void give_back(uint8_t *buffer, uint32_t size) {
    CHECK(size);
    free(buffer);
}

static bool call(const char *name, uint32_t *value) {
    wasm_function_inst_t function = wasm_runtime_lookup_function(inst, name);
    uint32_t argc = wasm_func_get_param_count(function, inst);

    return wasm_runtime_call_wasm(env, function, argc, value);
}

static void turns(void) {
    uint32_t value = is_watched() ? 10001 : 10000001;

    CHECK(call("turn", &value));
    CHECK_INT(value, 7);
    value = is_watched() ? 10000 : 1000000;
    CHECK(call("called", &value));
    CHECK_INT(value, 7 + (is_watched() ? 10001 : 1000001));
    /* The native and the function that has called the one that ended with it. */
    CHECK_INT(seen, 2);
    CHECK_INT(frames[0].func_index, 1);
    CHECK_INT(frames[1].func_index, 5);
    value = 1;
    CHECK(call("host", &value));
    CHECK_INT(value, 2);
    CHECK_INT(seen, 1);
    CHECK_INT(frames[0].func_index, 1);
}

static void limits(void) {
    uint32_t value = 0;

    wasm_runtime_set_instruction_count_limit(env, 1000000);
    CHECK(!call("for_ever", &value));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: instruction limit exceeded");
    wasm_runtime_clear_exception(inst);
    wasm_runtime_set_instruction_count_limit(env, 1000000);
    value = 0x7fffffff;
    CHECK(!call("turn", &value));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: instruction limit exceeded");
    wasm_runtime_clear_exception(inst);
    wasm_runtime_set_instruction_count_limit(env, -1);
    value = 0;
    CHECK(!call("trap", &value));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: integer divide by zero");
    CHECK_INT(wasm_copy_callstack(env, frames, 8, 0, NULL, 0), 1);
    CHECK_INT(frames[0].func_index, 7);
    wasm_runtime_clear_exception(inst);
}

/* On a thread whose native stack a nested call for each turn would fill at once. */
static void *guest(void *unused) {
    wasm_module_t module;

    CHECK(wasm_runtime_init());
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    wasm_runtime_set_module_reader(read_sub, give_back);
    CHECK(wasm_runtime_register_natives("host", symbols, 1));
    module = load_module("tail_calls");
    inst = instantiate(module, 0, 0);
    env = wasm_runtime_create_exec_env(inst, 16384);
    turns();
    limits();
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
    return unused;
}

static void run(void) {
    pthread_attr_t attributes;
    pthread_t thread;

    CHECK(!pthread_attr_init(&attributes));
    CHECK(!pthread_attr_setstacksize(&attributes, 128 << 10));
    CHECK(!pthread_create(&thread, &attributes, guest, NULL));
    CHECK(!pthread_join(thread, NULL));
    pthread_attr_destroy(&attributes);
}
