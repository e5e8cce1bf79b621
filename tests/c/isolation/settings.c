/* Settings of a context: how it runs code, and what it says meanwhile. */

#include <fcntl.h>
#include <unistd.h>
#include "rows.h"

static void running_mode(void) {
    lacks_while(!wasm_runtime_is_running_mode_supported(Mode_LLVM_JIT), "compiled code");
}

static void enlarge_callback(void) {
    lacks_function("wasm_runtime_set_enlarge_mem_error_callback", "enlarge callback");
}

/* Bytes that `body` prints. */
static long printed(void (*body)(void)) {
    FILE *file = tmpfile();
    int saved = dup(STDOUT_FILENO);
    long length;

    fflush(stdout);
    CHECK(file && saved >= 0 && dup2(fileno(file), STDOUT_FILENO) >= 0);
    body();
    fflush(stdout);
    length = lseek(STDOUT_FILENO, 0, SEEK_END);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    fclose(file);
    return length;
}

/* A native whose signature does not fit, which loading warns of. */
static NativeSymbol misfit[] = {{"who", (void *)dup, "(i)", NULL}};

static void load_misfit(void) {
    wasm_runtime_unload(load_module("guest"));
}

/* B's level is as loud as can be while A, which wants errors only, loads what warns. */
static void quiet_a(void) {
    CHECK(wasm_runtime_init());
    CHECK(wasm_runtime_register_natives("env", misfit, 1));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_ERROR);
    CHECK_INT(printed(load_misfit), 0);
    meet();
    meet();
    CHECK_INT(printed(load_misfit), 0);
    meet();
    wasm_runtime_destroy();
}

static void verbose_b(void) {
    CHECK(wasm_runtime_init());
    CHECK(wasm_runtime_register_natives("env", misfit, 1));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_VERBOSE);
    meet();
    CHECK(printed(load_misfit) > 0);
    meet();
    meet();
    wasm_runtime_destroy();
}

static void log_level(void) {
    sides(rounds(), quiet_a, verbose_b);
}

static void log_timers(void) {
    lacks_function("bh_print_time", "bh_print_time");
}

static void gc_heap_size(void) {
    /* (module (type (array i32))) */
    uint8_t array[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 1, 4, 1, 0x5e, 0x7f, 0};
    char error[128];
    wasm_module_t module;

    quiet_init(NULL);
    module = wasm_runtime_load(array, sizeof array, error, sizeof error);
    lacks_while(!module, "garbage collection");
    wasm_runtime_destroy();
}

/* What loading an AOT file says as long as there is no version that would be known. */
static bool knows_aot(void) {
    uint8_t header[] = {0, 'a', 'o', 't', 6, 0, 0, 0};
    char error[128] = "";

    quiet_init(NULL);
    CHECK(!wasm_runtime_load(header, sizeof header, error, sizeof error));
    wasm_runtime_destroy();
    return !strstr(error, "magic header not detected");
}

static void linux_perf(void) {
    lacks_while(!knows_aot(), "ahead-of-time code");
}

static void debug_engine(void) {
    RuntimeInitArgs args = system_args();
    struct guest guest;

    strcpy(args.ip_addr, "127.0.0.1");
    args.instance_port = 0;
    quiet_init(&args);
    guest = start_guest("basic");
    lacks_while(wasm_runtime_start_debug_instance(guest.env) == 0, "debug engine");
    end_guest(&guest);
    wasm_runtime_destroy();
}

static void jit_options(void) {
    lacks_while(!wasm_runtime_is_running_mode_supported(Mode_LLVM_JIT), "compiled code");
}

static void fast_jit_cache(void) {
    lacks_while(!wasm_runtime_is_running_mode_supported(Mode_Fast_JIT), "compiled code");
}

static void run(void) {
    row("running mode", running_mode);
    row("enlarge callback", enlarge_callback);
    row("log level", log_level);
    row("log timers", log_timers);
    row("gc heap size", gc_heap_size);
    row("linux perf map", linux_perf);
    row("debug engine", debug_engine);
    row("jit options", jit_options);
    row("fast-jit cache", fast_jit_cache);
}
