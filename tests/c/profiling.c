/* The cost of guest code: functions that measure, and the uses of memory. */

#include "check.h"
#include "wasm_runtime_ctx.h"
#include <unistd.h>

static char printed[8192];

/* Runs `print` with standard output going to `printed`. */
static void capture(void (*print)(void *), void *argument) {
    FILE *file = tmpfile();
    int saved;
    size_t length;

    fflush(stdout);
    saved = dup(1);
    dup2(fileno(file), 1);
    print(argument);
    fflush(stdout);
    dup2(saved, 1);
    close(saved);
    rewind(file);
    length = fread(printed, 1, sizeof printed - 1, file);
    printed[length] = 0;
    fclose(file);
}

static void dump_times(void *inst) {
    wasm_runtime_dump_perf_profiling(inst);
}

static void dump_memory(void *env) {
    wasm_runtime_dump_mem_consumption(env);
}

static int32_t look(wasm_exec_env_t exec_env, int32_t how) {
    (void)exec_env;
    return how;
}

static void again(wasm_exec_env_t exec_env) {
    (void)exec_env;
}

static NativeSymbol natives[] = {
    {"look", look, "(i)i", NULL},
    {"again", again, "()", NULL},
};

static void call(wasm_module_inst_t inst, wasm_exec_env_t env, uint32_t depth) {
    uint32_t argv[2] = {depth, 0};
    wasm_function_inst_t down = wasm_runtime_lookup_function(inst, "down");

    CHECK(wasm_runtime_call_wasm(env, down, 2, argv));
}

static unsigned long number_after(const char *label) {
    const char *found = strstr(printed, label);

    CHECK(found != NULL);
    return found ? strtoul(found + strlen(label), NULL, 10) : 0;
}

static void check_memory(wasm_exec_env_t env) {
    unsigned long module, instance, stack;

    capture(dump_memory, env);
    CHECK(strncmp(printed, "Memory consumption summary (bytes):\n", 36) == 0);
    module = number_after("WASM module memory consumption, total size: ");
    instance = number_after("WASM module inst memory consumption, total size: ");
    stack = number_after("Exec env memory consumption, total size: ");
    CHECK(module > 1000 && instance > 65536 && stack > 16384);
    CHECK_INT(number_after("Total memory consumption of module, module inst and exec env: "),
              module + instance + stack);
    CHECK_INT(number_after("        app heap size: "), 0);
}

static void check_times(bool measure) {
    wasm_module_t module = load_module("call_stack");
    wasm_module_inst_t inst = instantiate(module, 16384, 0);
    wasm_exec_env_t env = wasm_runtime_create_exec_env(inst, 16384);

    capture(dump_times, inst);
    CHECK_STR(printed, "Performance profiler data:\n");
    call(inst, env, 9);
    capture(dump_times, inst);
    CHECK(strncmp(printed, "Performance profiler data:\n", 27) == 0);
    if (measure) {
        /* `down` names an inner function and an export, of two functions. */
        CHECK(strstr(printed, "\n  func down, execution time: ") != NULL);
        CHECK(strstr(printed, " ms, execution count: 10 times, children execution time: ") != NULL);
        CHECK(strstr(printed, " ms, execution count: 1 times, children execution time: ") != NULL);
        CHECK(strstr(printed, "divide") == NULL);
        CHECK(wasm_runtime_sum_wasm_exec_time(inst) >= 0.0);
        CHECK(wasm_runtime_get_wasm_func_exec_time(inst, "down") >= 0.0);
        CHECK(wasm_runtime_get_wasm_func_exec_time(inst, "divide") == 0.0);
    } else {
        CHECK_INT(strlen(printed), 27);
        CHECK(wasm_runtime_sum_wasm_exec_time(inst) == 0.0);
        CHECK(wasm_runtime_get_wasm_func_exec_time(inst, "down") == -1.0);
    }
    CHECK(wasm_runtime_get_wasm_func_exec_time(inst, "no such function") == -1.0);
    CHECK(wasm_runtime_get_wasm_func_exec_time(inst, NULL) == -1.0);
    check_memory(env);
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
}

static void run(void) {
    RuntimeInitArgs args = system_args();

    wasm_runtime_dump_perf_profiling(NULL);
    wasm_runtime_dump_mem_consumption(NULL);
    CHECK(wasm_runtime_sum_wasm_exec_time(NULL) == 0.0);
    CHECK(wasm_runtime_get_wasm_func_exec_time(NULL, "down") == -1.0);
    CHECK(!wasm_runtime_ctx_set_perf_profiling(NULL, true));

    CHECK(wasm_runtime_full_init(&args));
    CHECK(wasm_runtime_register_natives("host", natives, 2));
    check_times(false);
    CHECK(wasm_runtime_ctx_set_perf_profiling(wasm_runtime_ctx_current(), true));
    check_times(true);
    CHECK(wasm_runtime_ctx_set_perf_profiling(wasm_runtime_ctx_current(), false));
    check_times(false);
    wasm_runtime_destroy();
}
