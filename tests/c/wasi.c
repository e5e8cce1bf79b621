/* WASI programs: arguments, output, exit codes, and settings given twice. */

#include <fcntl.h>
#include <unistd.h>
#include "check.h"

/* Runs a program with its standard output going into `buffer`. */
static void run_into(wasm_module_t module, int argc, char **argv, char *buffer, size_t size,
                     bool with_args2) {
    char error[128] = "";
    int ends[2];
    ssize_t length;
    wasm_module_inst_t inst;
    struct InstantiationArgs2 *args = NULL;

    if (pipe(ends) != 0) {
        exit(2);
    }
    if (with_args2) {
        CHECK(wasm_runtime_instantiation_args_create(&args));
        wasm_runtime_instantiation_args_set_wasi_arg(args, argv, argc);
        wasm_runtime_instantiation_args_set_wasi_stdio(args, -1, ends[1], -1);
        inst = wasm_runtime_instantiate_ex2(module, args, error, sizeof error);
        wasm_runtime_instantiation_args_destroy(args);
    }
    else {
        wasm_runtime_set_wasi_args_ex(module, NULL, 0, NULL, 0, NULL, 0, argv, argc, -1, ends[1],
                                      -1);
        inst = wasm_runtime_instantiate(module, 16384, 0, error, sizeof error);
    }
    CHECK_STR(error, "");
    CHECK(inst != NULL);
    CHECK(wasm_runtime_is_wasi_mode(inst));
    CHECK(wasm_runtime_lookup_wasi_start_function(inst) != NULL);
    CHECK(wasm_application_execute_main(inst, 0, NULL));
    CHECK_INT(wasm_runtime_get_wasi_exit_code(inst), 0);
    wasm_runtime_deinstantiate(inst);
    close(ends[1]);
    length = read(ends[0], buffer, size - 1);
    buffer[length > 0 ? length : 0] = 0;
    close(ends[0]);
}

static void arguments(void) {
    char *argv[] = {(char *)"program", (char *)"first", (char *)"second"};
    char buffer[200];
    wasm_module_t module = load_module("args");

    run_into(module, 3, argv, buffer, sizeof buffer, true);
    CHECK_STR(buffer, "program\nfirst\nsecond\n");
    run_into(module, 2, argv, buffer, sizeof buffer, false);
    CHECK_STR(buffer, "program\nfirst\n");
    wasm_runtime_unload(module);
}

static void both(void) {
    char error[128] = "";
    char *argv[] = {(char *)"program"};
    wasm_module_t module = load_module("args");
    struct InstantiationArgs2 *args = NULL;

    wasm_runtime_set_wasi_args(module, NULL, 0, NULL, 0, NULL, 0, argv, 1);
    CHECK(wasm_runtime_instantiation_args_create(&args));
    wasm_runtime_instantiation_args_set_wasi_arg(args, argv, 1);
    CHECK(!wasm_runtime_instantiate_ex2(module, args, error, sizeof error));
    CHECK_STR(error, "WASI configuration was given via both of module and InstantiationArgs2");
    wasm_runtime_instantiation_args_destroy(args);
    wasm_runtime_unload(module);
}

static void exits(void) {
    wasm_module_t module = load_module("exit");
    wasm_module_inst_t inst = instantiate(module, 0, 0);
    wasm_exec_env_t env = wasm_runtime_create_exec_env(inst, 8192);
    wasm_function_inst_t start = wasm_runtime_lookup_wasi_start_function(inst);

    /* Called by hand, leaving looks like a trap. */
    CHECK(!wasm_runtime_call_wasm(env, start, 0, NULL));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: wasi proc exit");
    CHECK_INT(wasm_runtime_get_wasi_exit_code(inst), 7);
    wasm_runtime_clear_exception(inst);
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    inst = instantiate(module, 0, 0);
    CHECK(wasm_application_execute_main(inst, 0, NULL));
    CHECK(!wasm_runtime_get_exception(inst));
    CHECK_INT(wasm_runtime_get_wasi_exit_code(inst), 7);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
}

static int32_t code(wasm_exec_env_t env) {
    return (int32_t)wasm_runtime_get_wasi_exit_code(get_module_inst(env));
}

static NativeSymbol code_symbol[] = {{"code", (void *)code, "()i", NULL}};

/* A program that has ended, or runs, has no other code to wait for than the one it has. */
static void exit_codes_of_threads(void) {
    static const char *const names[] = {"exit", "leave", "ask"};
    static const uint32_t codes[] = {7, 9, 0};
    wasm_module_t module;
    int i;

    CHECK(wasm_runtime_register_natives("env", code_symbol, 1));
    module = load_module("exit_threads");
    for (i = 0; i < 3; i++) {
        wasm_module_inst_t inst = instantiate(module, 16384, 0);
        wasm_exec_env_t env = wasm_runtime_create_exec_env(inst, 16384);
        uint32_t result = 0;
        bool returns = i > 0;

        alarm(60);
        CHECK(wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, names[i]), 0,
                                     &result) == returns);
        CHECK_INT(result, 0);
        if (i == 2) {
            wasm_runtime_terminate(inst);
        }
        CHECK_INT(wasm_runtime_get_wasi_exit_code(inst), codes[i]);
        alarm(0);
        wasm_runtime_destroy_exec_env(env);
        wasm_runtime_deinstantiate(inst);
    }
    wasm_runtime_unload(module);
    CHECK(wasm_runtime_unregister_natives("env", code_symbol));
}

static void none(void) {
    wasm_module_t module = load_module("basic");
    wasm_module_inst_t inst = instantiate(module, 0, 0);

    CHECK(!wasm_runtime_is_wasi_mode(inst));
    CHECK(!wasm_runtime_lookup_wasi_start_function(inst));
    CHECK_INT(wasm_runtime_get_wasi_exit_code(inst), 0);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
}

static void refused(const char *name, const char *reason) {
    char error[128] = "", expected[128];
    uint32_t size;
    uint8_t *bytes = read_module(name, &size);

    snprintf(expected, sizeof expected, "WASM module load failed: %s", reason);
    CHECK(!wasm_runtime_load(bytes, size, error, sizeof error));
    CHECK_STR(error, expected);
    free(bytes);
}

/* The result of an instance's function `ready`. */
static uint32_t ready(wasm_module_inst_t inst) {
    uint32_t result = 99;
    wasm_exec_env_t env = wasm_runtime_create_exec_env(inst, 8192);

    CHECK(wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "ready"), 0, &result));
    wasm_runtime_destroy_exec_env(env);
    return result;
}

/* The rules for entry points hold for modules that import WASI. */
static void entries_with_wasi(void) {
    wasm_module_t module;
    wasm_module_inst_t inst;

    refused("entry_command_bad", "the signature of builtin _start function is wrong");
    refused("entry_no_memory", "a module with WASI apis must export memory by default");

    module = load_module("entry_command");
    inst = instantiate(module, 8192, 0);
    CHECK(wasm_runtime_is_wasi_mode(inst));
    CHECK(wasm_application_execute_main(inst, 0, NULL));
    CHECK_INT(wasm_runtime_get_wasi_exit_code(inst), 5);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);

    module = load_module("entry_reactor");
    inst = instantiate(module, 8192, 0);
    CHECK(wasm_runtime_is_wasi_mode(inst));
    CHECK_INT(ready(inst), 1);
    CHECK(!wasm_runtime_lookup_wasi_start_function(inst));
    CHECK(!wasm_application_execute_main(inst, 0, NULL));
    CHECK_STR(wasm_runtime_get_exception(inst),
              "Exception: lookup the entry point symbol (like _start, main, _main, "
              "__main_argc_argv) failed");
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
}

/* Where others export the same names, they are functions like any other, but that a `_start` that
   can be a start is one. */
static void entries_without_wasi(void) {
    wasm_module_t module = load_module("entry_plain");
    wasm_module_inst_t inst = instantiate(module, 8192, 0);

    CHECK(!wasm_runtime_is_wasi_mode(inst));
    CHECK_INT(ready(inst), 0);
    CHECK(!wasm_runtime_lookup_wasi_start_function(inst));
    CHECK(wasm_application_execute_main(inst, 0, NULL));
    CHECK_INT(ready(inst), 3);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);

    module = load_module("entry_plain_start");
    inst = instantiate(module, 8192, 0);
    CHECK(!wasm_runtime_is_wasi_mode(inst));
    CHECK(wasm_runtime_lookup_wasi_start_function(inst) != NULL);
    CHECK(wasm_application_execute_main(inst, 0, NULL));
    CHECK_INT(ready(inst), 2);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
}

/* A stream that is no descriptor is not the process's own instead. */
static void streams(void) {
    wasm_module_t module = load_module("args");
    struct InstantiationArgs2 *args;
    char error[128];

    CHECK(wasm_runtime_instantiation_args_create(&args));
    wasm_runtime_instantiation_args_set_wasi_stdio(args, -1, 1LL << 33, -1);
    CHECK(!wasm_runtime_instantiate_ex2(module, args, error, sizeof error));
    wasm_runtime_instantiation_args_destroy(args);
    wasm_runtime_unload(module);
}

static void run(void) {
    CHECK(wasm_runtime_init());
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    arguments();
    both();
    exits();
    exit_codes_of_threads();
    none();
    streams();
    entries_with_wasi();
    entries_without_wasi();
    wasm_runtime_destroy();
}
