/* A library that uses the runtime for itself, with natives of its own, inside a program that uses
   it too. It knows nothing of the program but the module that it is given. */

#include <pthread.h>
#include <string.h>
#include "wasm_export.h"

int plugin_run(uint8_t *wasm, uint32_t size);
int plugin_run_in_thread(uint8_t *wasm, uint32_t size);

static int32_t who(wasm_exec_env_t env) {
    (void)env;
    return 'P';
}

static NativeSymbol symbols[] = {{"who", (void *)who, "()i", NULL}};

/* The result of its own native, or 0 if anything failed. */
int plugin_run(uint8_t *wasm, uint32_t size) {
    char error[128];
    RuntimeInitArgs args;
    wasm_module_t module;
    wasm_module_inst_t inst = NULL;
    wasm_exec_env_t env = NULL;
    uint32_t argv[1] = {0};

    memset(&args, 0, sizeof args);
    args.mem_alloc_type = Alloc_With_System_Allocator;
    args.native_module_name = "env";
    args.native_symbols = symbols;
    args.n_native_symbols = 1;
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    if (!wasm_runtime_full_init(&args)) {
        return 0;
    }
    module = wasm_runtime_load(wasm, size, error, sizeof error);
    if (module) {
        inst = wasm_runtime_instantiate(module, 8192, 0, error, sizeof error);
    }
    if (inst) {
        env = wasm_runtime_create_exec_env(inst, 8192);
    }
    if (!env || !wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "who"), 0, argv)) {
        argv[0] = 0;
    }
    if (env) {
        wasm_runtime_destroy_exec_env(env);
    }
    if (inst) {
        wasm_runtime_deinstantiate(inst);
    }
    if (module) {
        wasm_runtime_unload(module);
    }
    wasm_runtime_destroy();
    return (int)argv[0];
}

struct job {
    uint8_t *wasm;
    uint32_t size;
    int result;
};

static void *run_job(void *data) {
    struct job *job = data;

    job->result = plugin_run(job->wasm, job->size);
    return NULL;
}

/* The same on a thread of the library's own. */
int plugin_run_in_thread(uint8_t *wasm, uint32_t size) {
    struct job job = {wasm, size, 0};
    pthread_t thread;

    if (pthread_create(&thread, NULL, run_job, &job) != 0) {
        return 0;
    }
    pthread_join(thread, NULL);
    return job.result;
}
