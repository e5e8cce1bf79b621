/* Native functions: every way of passing, pointers, attachments, nesting, registration. */

#include "check.h"

static wasm_module_inst_t inst;
static wasm_exec_env_t env;
static int attachment = 99;

static double sum(wasm_exec_env_t exec_env, int32_t a, int64_t b, float c, double d) {
    CHECK(wasm_runtime_get_module_inst(exec_env) == inst);
    CHECK(wasm_runtime_get_user_data(exec_env) == &attachment);
    return (double)a + (double)b + (double)c + d;
}

static int32_t text(wasm_exec_env_t exec_env, const char *string) {
    wasm_module_inst_t module_inst = get_module_inst(exec_env);

    CHECK(addr_native_to_app((void *)string) != 0);
    return (int32_t)strlen(string);
}

static int32_t buffer(wasm_exec_env_t exec_env, uint8_t *bytes, uint32_t length) {
    uint32_t i;

    (void)exec_env;
    for (i = 0; i < length; i++) {
        bytes[i] = (uint8_t)i;
    }
    return (int32_t)length;
}

static void raw(wasm_exec_env_t exec_env, uint64_t *args) {
    native_raw_return_type(int64_t, args);
    native_raw_get_arg(int32_t, a, args);
    native_raw_get_arg(int64_t, b, args);

    (void)exec_env;
    native_raw_set_return(a + b);
}

static void fail(wasm_exec_env_t exec_env, int32_t how) {
    if (how) {
        wasm_runtime_set_exception(get_module_inst(exec_env), "the native says no");
    }
}

static int32_t attached(wasm_exec_env_t exec_env) {
    int *found = wasm_runtime_get_function_attachment(exec_env);

    return found ? *found : -1;
}

/* Calls back into the guest, with the environment it was given. */
static int32_t nested(wasm_exec_env_t exec_env, int32_t depth) {
    uint32_t argv[1] = {(uint32_t)depth - 1};
    wasm_function_inst_t function;

    if (depth == 0) {
        return 0;
    }
    function = wasm_runtime_lookup_function(get_module_inst(exec_env), "nested");
    if (!wasm_runtime_call_wasm(exec_env, function, 1, argv)) {
        return -1;
    }
    return (int32_t)argv[0] + 1;
}

static int64_t many(wasm_exec_env_t exec_env, int32_t a, int32_t b, int32_t c, int32_t d,
                    int32_t e, int32_t f, int32_t g, int32_t h, double i, double j, double k,
                    double l, double m, double n, double o, double p, double q, int64_t r) {
    (void)exec_env;
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h
           + (int64_t)(2 * i + j + k + l + m + n + o + p + q) + r;
}

static int32_t underscore(wasm_exec_env_t exec_env) {
    (void)exec_env;
    return 8;
}

static int32_t element(wasm_exec_env_t exec_env, uint32_t index, uint32_t value) {
    uint32_t argv[1] = {value};

    if (!wasm_runtime_call_indirect(exec_env, index, 1, argv)) {
        return -1;
    }
    return (int32_t)argv[0];
}

/* Some without a signature, in no order, one named without the underscore of its import. */
static const NativeSymbol symbols[] = {
    EXPORT_WASM_API_WITH_SIG(text, "($)i"),
    EXPORT_WASM_API_WITH_SIG(buffer, "(*~)i"),
    EXPORT_WASM_API_WITH_SIG(sum, "(iIfF)F"),
    EXPORT_WASM_API(fail),
    EXPORT_WASM_API_WITH_ATT(attached, "()i", &attachment),
    EXPORT_WASM_API_WITH_SIG(nested, "(i)i"),
    EXPORT_WASM_API(many),
    EXPORT_WASM_API(underscore),
    EXPORT_WASM_API_WITH_SIG(element, "(ii)i"),
};
static const NativeSymbol raw_symbols[] = {EXPORT_WASM_API(raw)};

static uint32_t call(const char *name, uint32_t count, uint32_t *argv) {
    wasm_function_inst_t function = wasm_runtime_lookup_function(inst, name);

    CHECK(function != NULL);
    return wasm_runtime_call_wasm(env, function, count, argv);
}

static void passing(void) {
    uint32_t argv[8] = {0};
    double d;
    int64_t wide = 40;

    CHECK(call("sum", 0, argv));
    memcpy(&d, argv, 8);
    CHECK(d == 20000000001.75);
    argv[0] = 2;
    memcpy(argv + 1, &wide, 8);
    CHECK(call("raw", 3, argv));
    memcpy(&wide, argv, 8);
    CHECK_INT(wide, 42);
    CHECK(call("many", 0, argv));
    memcpy(&wide, argv, 8);
    CHECK_INT(wide, 204 + 37 + 1000);
    CHECK(call("underscore", 0, argv));
    CHECK_INT(argv[0], 8);
    CHECK(call("attached", 0, argv));
    CHECK_INT(argv[0], 99);
    CHECK(!wasm_runtime_get_function_attachment(env));
}

static void pointers(void) {
    uint32_t argv[2] = {32, 0};

    CHECK(call("text", 1, argv));
    CHECK_INT(argv[0], 20);
    /* A string that the memory ends before its end. */
    argv[0] = 65530;
    CHECK(!call("text", 1, argv));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: out of bounds memory access");
    wasm_runtime_clear_exception(inst);
    argv[0] = 1000, argv[1] = 10;
    CHECK(call("buffer", 2, argv));
    CHECK_INT(argv[0], 10);
    CHECK_INT(((uint8_t *)wasm_runtime_addr_app_to_native(inst, 1009))[0], 9);
    /* One byte too many. */
    argv[0] = 65530, argv[1] = 7;
    CHECK(!call("buffer", 2, argv));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: out of bounds memory access");
    wasm_runtime_clear_exception(inst);
    argv[0] = 65530, argv[1] = 6;
    CHECK(call("buffer", 2, argv));
}

static void failing_and_nesting(void) {
    uint32_t argv[2] = {1, 0};

    CHECK(!call("fail", 1, argv));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: the native says no");
    wasm_runtime_clear_exception(inst);
    argv[0] = 0;
    CHECK(call("fail", 1, argv));
    argv[0] = 10;
    CHECK(call("nested", 1, argv));
    CHECK_INT(argv[0], 10);
    argv[0] = 0, argv[1] = 7;
    CHECK(call("element", 2, argv));
    CHECK_INT(argv[0], 49);
    argv[0] = 1, argv[1] = 7;
    CHECK(!call("element", 2, argv));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: uninitialized element");
    wasm_runtime_clear_exception(inst);
}

static int32_t underscore_again(wasm_exec_env_t exec_env) {
    (void)exec_env;
    return 16;
}

/* The last registration wins; a loaded module keeps the function that it is bound to. */
static void registration(void) {
    static NativeSymbol later[] = {{"underscore", (void *)underscore_again, "()i", NULL}};
    static NativeSymbol wrong[] = {{"underscore", (void *)underscore_again, "(ff)F", NULL}};
    uint32_t argv[2];
    wasm_module_t module;
    wasm_module_inst_t former = inst;
    wasm_exec_env_t former_env = env;

    CHECK(wasm_runtime_is_import_func_linked("host", "underscore"));
    CHECK(!wasm_runtime_is_import_func_linked("host", "nothing"));
    CHECK(!wasm_runtime_is_import_func_linked("nobody", "underscore"));
    CHECK(wasm_runtime_is_import_global_linked("global", "NaN"));
    CHECK(!wasm_runtime_is_import_global_linked("global", "other"));
    CHECK(wasm_runtime_register_natives("host", later, 1));
    module = load_module("natives");
    inst = instantiate(module, 0, 0);
    env = wasm_runtime_create_exec_env(inst, 8192);
    CHECK(call("underscore", 0, argv));
    CHECK_INT(argv[0], 16);
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    inst = former, env = former_env;
    CHECK(call("underscore", 0, argv));
    CHECK_INT(argv[0], 8);
    CHECK(!wasm_runtime_unregister_natives("other", later));
    CHECK(wasm_runtime_unregister_natives("host", later));
    CHECK(!wasm_runtime_unregister_natives("host", later));
    CHECK(wasm_runtime_is_import_func_linked("host", "underscore"));
    /* A signature that does not fit leaves the import unlinked. */
    CHECK(wasm_runtime_register_natives("host", wrong, 1));
    module = load_module("natives");
    inst = instantiate(module, 0, 0);
    env = wasm_runtime_create_exec_env(inst, 8192);
    CHECK(!call("underscore", 0, argv));
    CHECK_STR(wasm_runtime_get_exception(inst),
              "Exception: failed to call unlinked import function (host, _underscore)");
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    CHECK(wasm_runtime_unregister_natives("host", wrong));
    inst = former, env = former_env;
}

/* Natives registered after loading are bound on request. */
static void late(void) {
    char error[128] = "";
    uint32_t size, argv[8] = {0};
    uint8_t *bytes = read_module("natives", &size);
    LoadArgs args;
    wasm_module_t module;
    wasm_import_t import;

    memset(&args, 0, sizeof args);
    args.no_resolve = true;
    module = wasm_runtime_load_ex(bytes, size, &args, error, sizeof error);
    CHECK(module != NULL);
    free(bytes);
    wasm_runtime_get_import_type(module, 0, &import);
    CHECK(!import.linked);
    CHECK(wasm_runtime_resolve_symbols(module));
    wasm_runtime_get_import_type(module, 0, &import);
    CHECK(import.linked);
    inst = instantiate(module, 0, 0);
    env = wasm_runtime_create_exec_env(inst, 8192);
    wasm_runtime_set_user_data(env, &attachment);
    CHECK(call("sum", 0, argv));
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
}

static void run(void) {
    RuntimeInitArgs args = system_args();
    wasm_module_t module;

    /* An array that is const may be given: the runtime never writes to it. */
    args.native_module_name = "host";
    args.native_symbols = (NativeSymbol *)symbols;
    args.n_native_symbols = sizeof symbols / sizeof symbols[0];
    CHECK(wasm_runtime_full_init(&args));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    CHECK(wasm_runtime_register_natives_raw("host", (NativeSymbol *)raw_symbols, 1));
    module = load_module("natives");
    inst = instantiate(module, 0, 0);
    env = wasm_runtime_create_exec_env(inst, 16384);
    wasm_runtime_set_user_data(env, &attachment);
    passing();
    pointers();
    failing_and_nesting();
    registration();
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    late();
    wasm_runtime_destroy();
}
