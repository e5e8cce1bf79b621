/*
 * Runs one module through the public C API only and prints where the CPU time went: a line
 * "load instantiate run total" in nanoseconds, then the result or the exit code.
 *
 * usage: kernels FILE.wasm N              calls run(N) and prints its result
 *        kernels --wasi FILE.wasm ARG...  runs a WASI command that has standard streams only
 *
 * `total` is the whole process's, load and clean-up included.
 */
#define _POSIX_C_SOURCE 200809L
#include "bench.h"
#include "wasm_export.h"

#include <stdint.h>
#include <string.h>

static double nanoseconds(double from, double to)
{
    return (to - from) * 1e9;
}

int main(int argc, char **argv)
{
    int wasi = argc > 1 && strcmp(argv[1], "--wasi") == 0;
    check(argc > 2, "usage", "kernels FILE.wasm N, or kernels --wasi FILE.wasm ARG...");
    char error[128] = "";
    uint32_t size = 0;
    uint8_t *bytes = read_file(argv[1 + wasi], &size);

    RuntimeInitArgs init;
    memset(&init, 0, sizeof init);
    init.mem_alloc_type = Alloc_With_System_Allocator;
    choose_mode(&init);
    check(wasm_runtime_full_init(&init), "full_init", "");

    double loading = cpu_seconds();
    wasm_module_t module = wasm_runtime_load(bytes, size, error, sizeof error);
    check(module != NULL, "load", error);
    if (wasi) {
        wasm_runtime_set_wasi_args(module, NULL, 0, NULL, 0, NULL, 0, argv + 2, argc - 2);
    }
    double instantiating = cpu_seconds();
    wasm_module_inst_t instance =
        wasm_runtime_instantiate(module, 1 << 20, 0, error, sizeof error);
    check(instance != NULL, "instantiate", error);
    double running = cpu_seconds();
    long long result = 0;
    if (wasi) {
        int ok = wasm_application_execute_main(instance, 0, NULL);
        const char *exception = wasm_runtime_get_exception(instance);
        result = ok ? (long long)wasm_runtime_get_wasi_exit_code(instance) : -1;
        check(ok || !exception, "main", exception ? exception : "");
    } else {
        wasm_exec_env_t exec_env = wasm_runtime_create_exec_env(instance, 1 << 20);
        wasm_function_inst_t run = wasm_runtime_lookup_function(instance, "run");
        uint32_t cells[2] = { (uint32_t)atoi(argv[2]), 0 };
        check(exec_env && run, "run", "no such export");
        check(wasm_runtime_call_wasm(exec_env, run, 1, cells), "run",
              wasm_runtime_get_exception(instance));
        result = (long long)((uint64_t)cells[1] << 32 | cells[0]);
        wasm_runtime_destroy_exec_env(exec_env);
    }
    double stopping = cpu_seconds();
    wasm_runtime_deinstantiate(instance);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
    free(bytes);
    fprintf(stderr, "%.0f %.0f %.0f %.0f %lld\n", nanoseconds(loading, instantiating),
            nanoseconds(instantiating, running), nanoseconds(running, stopping),
            nanoseconds(0, cpu_seconds()), result);
    return 0;
}
