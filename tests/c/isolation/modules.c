/* Modules: how they are found, and what is set on them for instances to come. */

#include <unistd.h>
#include "rows.h"

static void reader(void) {
    lacks_function("wasm_runtime_set_module_reader", "multi-module");
}

static void registered_modules(void) {
    lacks_function("wasm_runtime_register_module", "multi-module");
}

static void modules_being_loaded(void) {
    lacks_function("wasm_runtime_set_module_reader", "multi-module");
}

/* Two sides instantiate one module, each with arguments of its own. */
static wasm_module_t shared_module;

static void expect_output(int from, const char *text) {
    char buffer[64];
    ssize_t length = read(from, buffer, sizeof buffer - 1);

    buffer[length > 0 ? length : 0] = 0;
    CHECK_STR(buffer, text);
}

static void run_with(const char *name, const char *output) {
    struct InstantiationArgs2 *args = NULL;
    char error[128] = "";
    char *argv[] = {(char *)name};
    wasm_module_inst_t inst;
    int ends[2];

    CHECK(pipe(ends) == 0);
    CHECK(wasm_runtime_instantiation_args_create(&args));
    wasm_runtime_instantiation_args_set_default_stack_size(args, 8192);
    wasm_runtime_instantiation_args_set_wasi_arg(args, argv, 1);
    wasm_runtime_instantiation_args_set_wasi_stdio(args, -1, ends[1], -1);
    inst = wasm_runtime_instantiate_ex2(shared_module, args, error, sizeof error);
    CHECK_STR(error, "");
    wasm_runtime_instantiation_args_destroy(args);
    CHECK(wasm_application_execute_main(inst, 0, NULL));
    expect_output(ends[0], output);
    wasm_runtime_deinstantiate(inst);
    close(ends[0]);
    close(ends[1]);
}

static void arguments_a(void) {
    run_with("A", "A\n");
}

static void arguments_b(void) {
    run_with("B", "B\n");
}

/* The older call sets them on the module, whole or not at all: nobody sees half of each. */
static void set_on_module(const char *first, const char *second) {
    char *argv[] = {(char *)first, (char *)second};

    wasm_runtime_set_wasi_args(shared_module, NULL, 0, NULL, 0, NULL, 0, argv, 2);
    meet();
    meet();
}

static void setter_a(void) {
    set_on_module("A", "a");
}

static void setter_b(void) {
    set_on_module("B", "b");
}

static void wasi_arguments(void) {
    quiet_init(NULL);
    shared_module = load_module("args");
    sides(rounds(), arguments_a, arguments_b);
    sides(rounds(), setter_a, setter_b);
    wasm_runtime_unload(shared_module);
    wasm_runtime_destroy();
}

static void run(void) {
    row("module reader", reader);
    row("registered modules", registered_modules);
    row("modules being loaded", modules_being_loaded);
    row("wasi arguments", wasi_arguments);
}
