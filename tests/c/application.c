/* Running a module as a program, and functions from text to text. */

#include "check.h"

static wasm_module_inst_t inst;

static void func(const char *name, int argc, const char *a, const char *b) {
    char *argv[4] = {(char *)a, (char *)b, NULL, NULL};

    printf("%s(%s%s%s) ", name, a ? a : "", b ? ", " : "", b ? b : "");
    if (!wasm_application_execute_func(inst, name, argc, argv)) {
        printf("%s\n", wasm_runtime_get_exception(inst));
    }
    fflush(stdout);
}

static void functions(void) {
    wasm_module_t module = load_module("basic");

    inst = instantiate(module, 0, 0);
    func("add", 2, "1", "0x10");
    func("add", 2, "-1", "010");
    func("add", 2, "1_i32", "2");
    func("add64", 2, "0x7fffffffffffffff", "1");
    func("mulf", 2, "1.5", "2");
    func("mulf", 2, "nan:0x200000", "1");
    func("divd", 2, "1", "3");
    func("divd", 2, "1", "0");
    func("divd", 2, "-nan", "1");
    func("extern", 1, "0x1234", NULL);
    func("extern", 1, "null", NULL);
    func("function", 1, "null", NULL);
    func("function", 1, "2", NULL);
    func("several", 0, NULL, NULL);
    func("nothing", 0, NULL, NULL);
    func("trap", 0, NULL, NULL);
    func("missing", 0, NULL, NULL);
    func("add", 1, "1", NULL);
    func("add", 2, "1", "x");
    func("add", 2, "", "1");
    func("add", -1, NULL, NULL);
    /* The exception of the last one is cleared by the next. */
    func("add", 2, "20", "22");
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
}

static void programs(void) {
    wasm_module_t module = load_module("main");
    union {
        char *strings[3];
        int result;
    } argv = {{(char *)"program", (char *)"one", (char *)"three"}};

    inst = instantiate(module, 0, 4096);
    CHECK(wasm_application_execute_main(inst, 3, argv.strings));
    CHECK_INT(argv.result, 7 + 3 + 5);
    CHECK(wasm_application_execute_main(inst, 0, NULL));
    wasm_runtime_deinstantiate(inst);
    /* No room for the arguments. */
    inst = instantiate(module, 0, 0);
    argv.strings[0] = (char *)"program";
    CHECK(!wasm_application_execute_main(inst, 1, argv.strings));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: allocate memory failed");
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);

    module = load_module("basic");
    inst = instantiate(module, 0, 0);
    CHECK(!wasm_application_execute_main(inst, 0, NULL));
    CHECK_STR(wasm_runtime_get_exception(inst),
              "Exception: lookup the entry point symbol (like _start, main, _main, "
              "__main_argc_argv) failed");
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
}

static void run(void) {
    CHECK(wasm_runtime_init());
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    functions();
    programs();
    wasm_runtime_destroy();
}
