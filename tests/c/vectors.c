/* Vectors between host and guest: cells, values, globals and host functions. */

#include "check.h"

#if defined(__x86_64__) || defined(__aarch64__)
typedef uint32_t vector __attribute__((vector_size(16)));

/* Without a signature a native takes what C takes for the type. */
static vector swap(wasm_exec_env_t env, vector value, int32_t seven) {
    vector swapped = {value[1], value[0], value[3], value[2]};

    CHECK(env != NULL);
    CHECK_INT(seven, 7);
    return swapped;
}
#endif

static void cells(wasm_exec_env_t env, wasm_module_inst_t inst) {
    uint32_t argv[8] = {1, 2, 3, 0xFFFFFFFF, 9};
    uint64_t wide = 0x500000006ULL;

    CHECK(wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "same"), 4, argv));
    CHECK_INT(argv[0], 1);
    CHECK_INT(argv[3], 0xFFFFFFFF);
    CHECK_INT(argv[4], 9);
    argv[0] = 10;
    argv[1] = 1, argv[2] = 2, argv[3] = 3, argv[4] = 4;
    memcpy(argv + 5, &wide, 8);
    CHECK(wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "both"), 7, argv));
    memcpy(&wide, argv, 8);
    CHECK(wide == 0x500000006ULL);
    CHECK_INT(argv[2], 11);
    CHECK_INT(argv[5], 14);
    CHECK_INT(argv[6], 10);
    CHECK(wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "global"), 0, argv));
    CHECK_INT(argv[0], 1);
    CHECK_INT(argv[3], 4);
}

static void values(wasm_exec_env_t env, wasm_module_inst_t inst) {
    wasm_function_inst_t same = wasm_runtime_lookup_function(inst, "same");
    wasm_valkind_t kinds[3];
    wasm_val_t arg, result;
    uint32_t in[4] = {1, 2, 3, 4}, out[4] = {0};

    wasm_func_get_param_types(same, inst, kinds);
    CHECK_INT(kinds[0], WASM_V128);
    arg.kind = WASM_V128, arg.of.foreign = (uintptr_t)in;
    result.kind = WASM_V128, result.of.foreign = (uintptr_t)out;
    CHECK(wasm_runtime_call_wasm_a(env, same, 1, &result, 1, &arg));
    CHECK(memcmp(in, out, 16) == 0);
    CHECK_INT(result.kind, WASM_V128);
    CHECK(result.of.foreign == (uintptr_t)out);
    /* No room for the result, no vector for the argument. */
    result.of.foreign = 0;
    CHECK(!wasm_runtime_call_wasm_a(env, same, 1, &result, 1, &arg));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: the result conversion is failed");
    wasm_runtime_clear_exception(inst);
    result.kind = WASM_I32, result.of.foreign = (uintptr_t)out;
    CHECK(!wasm_runtime_call_wasm_a(env, same, 1, &result, 1, &arg));
    wasm_runtime_clear_exception(inst);
    arg.of.foreign = 0, result.kind = WASM_V128;
    CHECK(!wasm_runtime_call_wasm_a(env, same, 1, &result, 1, &arg));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: the arguments conversion is failed");
    wasm_runtime_clear_exception(inst);
}

static void globals(wasm_exec_env_t env, wasm_module_inst_t inst) {
    wasm_global_inst_t global;
    uint32_t argv[4], bits[4] = {5, 6, 7, 8};

    CHECK(wasm_runtime_get_export_global_inst(inst, "v", &global));
    CHECK_INT(global.kind, WASM_V128);
    memcpy(global.global_data, bits, 16);
    CHECK(wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "global"), 0, argv));
    CHECK(memcmp(argv, bits, 16) == 0);
}

static void run(void) {
    uint32_t argv[4] = {1, 2, 3, 4};
    wasm_module_t module;
    wasm_module_inst_t inst;
    wasm_exec_env_t env;
#if defined(__x86_64__) || defined(__aarch64__)
    NativeSymbol natives[] = {{"swap", (void *)swap, NULL, NULL}};
#endif

    CHECK(wasm_runtime_init());
#if defined(__x86_64__) || defined(__aarch64__)
    CHECK(wasm_runtime_register_natives("env", natives, 1));
#endif
    module = load_module("vectors");
    inst = instantiate(module, 8192, 0);
    env = wasm_runtime_create_exec_env(inst, 8192);
    CHECK(env != NULL);
    cells(env, inst);
    values(env, inst);
    globals(env, inst);
#if defined(__x86_64__) || defined(__aarch64__)
    CHECK(wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "through_host"), 4, argv));
    CHECK_INT(argv[0], 3);
    CHECK_INT(argv[1], 2);
    CHECK_INT(argv[3], 4);
#endif
    argv[0] = 1000;
    CHECK(wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "count"), 1, argv));
    CHECK_INT(argv[0], 3000);
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
}
