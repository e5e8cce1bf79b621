/* The smallest host: load a module, call its `add`. */
#include <stdio.h>
#include "wasm_export.h"

/* (module (func (export "add") (param i32 i32) (result i32)
 *     (i32.add (local.get 0) (local.get 1)))) */
static uint8_t wasm[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x07, 0x01, 0x60, 0x02, 0x7f,
    0x7f, 0x01, 0x7f, 0x03, 0x02, 0x01, 0x00, 0x07, 0x07, 0x01, 0x03, 0x61, 0x64, 0x64,
    0x00, 0x00, 0x0a, 0x09, 0x01, 0x07, 0x00, 0x20, 0x00, 0x20, 0x01, 0x6a, 0x0b,
};

int main(void)
{
    char error[128] = "";
    uint32_t argv[2] = { 20, 22 };
    RuntimeInitArgs init = { .mem_alloc_type = Alloc_With_System_Allocator };

    /* A context for this thread; another thread that does the same gets its own. */
    if (!wasm_runtime_full_init(&init))
        return 1;
    wasm_module_t module = wasm_runtime_load(wasm, sizeof wasm, error, sizeof error);
    wasm_module_inst_t instance =
        module ? wasm_runtime_instantiate(module, 8192, 0, error, sizeof error) : NULL;
    wasm_exec_env_t env = instance ? wasm_runtime_create_exec_env(instance, 8192) : NULL;
    wasm_function_inst_t add = env ? wasm_runtime_lookup_function(instance, "add") : NULL;
    if (add && wasm_runtime_call_wasm(env, add, 2, argv))
        printf("20 + 22 = %u\n", argv[0]);
    else
        printf("failed: %s\n", instance ? wasm_runtime_get_exception(instance) : error);

    if (env) wasm_runtime_destroy_exec_env(env);
    if (instance) wasm_runtime_deinstantiate(instance);
    if (module) wasm_runtime_unload(module);
    wasm_runtime_destroy();
    return argv[0] == 42 ? 0 : 1;
}
