/* Modules that import from modules: the reader, the registry, linking, and two contexts. */

#include <pthread.h>
#include <unistd.h>
#include "check.h"

static const char *const builtin_names[] = {"env", "wasi_unstable", "wasi_snapshot_preview1", ""};

/* A thread's settings for its reader, and the requests to it. */
static _Thread_local struct {
    int reads, given_back;
    int fails, gives_null;
    const char *gives;
    uint32_t gives_size;
    /* The last copy of its module. */
    uint8_t *given;
    pthread_barrier_t *meeting;
} library;

static bool read_sub(package_type_t type, const char *name, uint8_t **buffer, uint32_t *size) {
    CHECK_INT(type, Wasm_Module_Bytecode);
    library.reads++;
    if (library.meeting) {
        pthread_barrier_wait(library.meeting);
    }
    if (library.fails) {
        return false;
    }
    if (library.gives_null) {
        return true;
    }
    if (library.gives) {
        *size = library.gives_size;
        *buffer = library.given = malloc(*size);
        memcpy(*buffer, library.gives, *size);
        return true;
    }
    *buffer = read_module(name, size);
    return true;
}

static void give_back(uint8_t *buffer, uint32_t size) {
    CHECK(buffer && size);
    library.given_back++;
    free(buffer);
    /* Destroyers may free buffers with the runtime's function, also while the context ends. */
    buffer = wasm_runtime_malloc(8);
    CHECK(buffer);
    wasm_runtime_free(buffer);
}

static int32_t who(wasm_exec_env_t exec_env) {
    wasm_module_inst_t inst = get_module_inst(exec_env);
    wasm_module_t module = wasm_runtime_get_module(inst);

    /* The instance is the imported module's, which goes with the one that imports from it. */
    CHECK(module == wasm_runtime_find_module_registered("sub_a"));
    CHECK_STR(wasm_runtime_get_module_name(module), "sub_a");
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    return *(int *)wasm_runtime_get_function_attachment(exec_env);
}

static int numbers[] = {41, 42, 43};

static NativeSymbol symbols[][1] = {
    {{"who", (void *)who, "()i", &numbers[0]}},
    {{"who", (void *)who, "()i", &numbers[1]}},
    {{"who", (void *)who, "()i", &numbers[2]}},
};

static void begin(int tenant) {
    RuntimeInitArgs args = system_args();

    args.native_module_name = "env";
    args.native_symbols = symbols[tenant];
    args.n_native_symbols = 1;
    CHECK(wasm_runtime_full_init(&args));
    memset(&library, 0, sizeof library);
    wasm_runtime_set_module_reader(read_sub, give_back);
}

/* Ends the context; every buffer has been given back by then. */
static void end(void) {
    wasm_runtime_destroy();
    CHECK_INT(library.given_back, library.gives_null || library.fails ? 0 : library.reads);
}

static uint32_t call(wasm_module_inst_t inst, const char *name) {
    uint32_t argv[1] = {0};
    wasm_exec_env_t env = wasm_runtime_get_exec_env_singleton(inst);
    wasm_function_inst_t function = wasm_runtime_lookup_function(inst, name);

    if (!wasm_runtime_call_wasm(env, function, 0, argv)) {
        return UINT32_MAX;
    }
    return argv[0];
}

static wasm_module_t load_bytes(const char *name, char *error, uint32_t error_size) {
    uint32_t size;
    uint8_t *bytes = read_module(name, &size);
    wasm_module_t module = wasm_runtime_load(bytes, size, error, error_size);

    free(bytes);
    return module;
}

static void refused(const char *name, wasm_module_t module, const char *text) {
    char error[128] = "";

    CHECK(!wasm_runtime_register_module(name, module, error, sizeof error));
    CHECK_STR(error, text);
}

static void registry(void) {
    char error[128] = "", name[] = "given";
    wasm_module_t first, second;
    unsigned i;

    begin(0);
    first = load_module("basic");
    second = load_module("basic");
    CHECK(!wasm_runtime_register_module("given", first, NULL, 100));
    CHECK(!wasm_runtime_register_module("given", first, error, 0));
    refused(NULL, first, "Register module failed: module_name and module are required");
    refused("given", NULL, "Register module failed: module_name and module are required");
    for (i = 0; i < sizeof builtin_names / sizeof *builtin_names; i++) {
        refused(builtin_names[i], first,
                "Register module failed: can not register as a built-in module");
    }
    CHECK(!wasm_runtime_find_module_registered("given"));
    CHECK(!wasm_runtime_find_module_registered(NULL));
    CHECK(wasm_runtime_register_module(name, first, error, sizeof error));
    name[0] = 'x';
    CHECK(wasm_runtime_find_module_registered("given") == first);
    CHECK(!wasm_runtime_find_module_registered("xiven"));
    CHECK(wasm_runtime_register_module("given", first, error, sizeof error));
    refused("other", first, "Register module failed: failed to rename the module");
    /* The last one is found; unloading takes none of them away. */
    CHECK(wasm_runtime_register_module("given", second, error, sizeof error));
    CHECK(wasm_runtime_register_module("given", first, error, sizeof error));
    CHECK(wasm_runtime_find_module_registered("given") == second);
    wasm_runtime_unload(second);
    wasm_runtime_unload(second);
    CHECK(wasm_runtime_find_module_registered("given") == second);
    wasm_runtime_deinstantiate(instantiate(second, 8192, 0));
    end();
    /* Without a context there is nothing to set and nothing to find. */
    wasm_runtime_set_module_reader(read_sub, give_back);
    CHECK(!wasm_runtime_find_module_registered("given"));
}

static void linking(void) {
    char error[128] = "";
    wasm_module_t module;
    wasm_module_inst_t inst, other;

    begin(1);
    module = load_bytes("sub_main", error, sizeof error);
    CHECK_STR(error, "");
    CHECK_INT(library.reads, 2);
    CHECK_INT(library.given_back, 0);
    CHECK(wasm_runtime_find_module_registered("sub_b") != NULL);
    CHECK(!wasm_runtime_find_module_registered("sub_main"));
    printf("instantiating\n");
    inst = instantiate(module, 8192, 0);
    CHECK_INT(call(inst, "bump"), 11);
    CHECK_INT(call(inst, "indirect"), 12);
    CHECK_INT(call(inst, "count"), 12);
    CHECK_INT(call(inst, "byte"), 12);
    /* The module between calls the same instance. */
    CHECK_INT(call(inst, "bump_twice"), 14);
    CHECK_INT(call(inst, "count"), 14);
    CHECK_INT(call(inst, "host"), 42);
    CHECK(wasm_application_execute_func(inst, "bump_twice", 0, NULL));
    CHECK_INT(call(inst, "trap"), UINT32_MAX);
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: unreachable");
    wasm_runtime_clear_exception(inst);
    /* Another instantiation has its own. */
    other = instantiate(module, 8192, 0);
    CHECK_INT(call(other, "bump"), 11);
    CHECK_INT(call(inst, "bump"), 17);
    wasm_runtime_unload(module);
    wasm_runtime_deinstantiate(other);
    /* A module that was found can be used like one that was loaded. */
    module = wasm_runtime_find_module_registered("sub_b");
    other = instantiate(module, 8192, 0);
    CHECK(wasm_runtime_get_module(other) == module);
    CHECK_INT(call(other, "bump_twice"), 12);
    wasm_runtime_deinstantiate(other);
    wasm_runtime_deinstantiate(inst);
    end();
}

static void natives_first(void) {
    NativeSymbol bump[] = {{"bump", (void *)who, "()i", &numbers[2]}};
    char error[128] = "";
    LoadArgs args;
    uint32_t size;
    uint8_t *bytes = read_module("sub_b", &size);
    wasm_module_t module;

    begin(0);
    CHECK(wasm_runtime_register_natives("sub_a", bump, 1));
    memset(&args, 0, sizeof args);
    args.name = "late";
    args.no_resolve = true;
    module = wasm_runtime_load_ex(bytes, size, &args, error, sizeof error);
    CHECK_INT(library.reads, 0);
    /* The reader is only asked for modules that are not native. */
    CHECK(wasm_runtime_resolve_symbols(module));
    CHECK_INT(library.reads, 1);
    wasm_runtime_unload(module);
    free(bytes);
    end();
}

static void expect_problem(const char *text) {
    char error[128] = "";
    wasm_module_t module = load_bytes("sub_b", error, sizeof error);

    CHECK(module != NULL);
    CHECK_STR(error, text);
    CHECK(!wasm_runtime_find_module_registered("sub_a"));
    wasm_runtime_unload(module);
}

static void failing_readers(void) {
    static const char junk[] = "\1\2\3\4\5\6\7\10";
    static const char aot[] = "\0aot\6\0\0\0";
    char error[128] = "";
    wasm_module_t module;
    uint32_t size;
    uint8_t *command = read_module("exit", &size), *sound;

    begin(0);
    library.fails = 1;
    expect_problem("WASM module load failed: unknown import sub_a");
    end();
    begin(0);
    library.gives_null = 1;
    expect_problem("WASM module load failed: unknown import sub_a");
    end();
    begin(0);
    library.gives = junk;
    library.gives_size = 8;
    expect_problem("WASM module load failed: magic header not detected");
    CHECK_INT(library.given_back, 1);
    library.gives_size = 3;
    expect_problem("WASM module load failed: unexpected end");
    library.gives = aot;
    library.gives_size = 8;
    expect_problem("WASM module load failed: unexpected end");
    library.gives = (char *)command;
    library.gives_size = size;
    expect_problem("WASM module load failed: "
                   "a command (with _start function) can not be a sub-module");
    CHECK_INT(library.given_back, 4);
    /* A sound module without the imported function. */
    sound = read_module("sub_b", &size);
    library.gives = (char *)sound;
    library.gives_size = size;
    wasm_runtime_unload(load_bytes("circle_a", error, sizeof error));
    CHECK_STR(error, "unknown import or incompatible import type");
    end();
    free(sound);

    begin(0);
    library.gives = junk;
    library.gives_size = 8;
    wasm_runtime_set_module_reader(read_sub, NULL);
    expect_problem("WASM module load failed: magic header not detected");
    free(library.given);
    wasm_runtime_set_module_reader(NULL, NULL);
    expect_problem("WASM module load failed: no sub module reader to load sub_a");
    module = load_module("sub_main");
    CHECK(!wasm_runtime_instantiate(module, 8192, 0, error, sizeof error));
    CHECK_STR(error, "WASM module instantiate failed: "
                     "failed to link import memory (sub_a, memory)");
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
    CHECK_INT(library.given_back, 0);
    free(command);
}

static void circles(void) {
    static const char *const first[] = {"circle_a", "circle_b1", "circle_c1"};
    char error[128] = "", text[128];
    wasm_module_t module;
    wasm_module_inst_t inst;
    int i;

    for (i = 0; i < 3; i++) {
        begin(0);
        /* The module that is loaded has no name, so its namesake is read, and is in the circle. */
        module = load_bytes(first[i], error, sizeof error);
        CHECK(module != NULL);
        CHECK_INT(library.reads, i + 1);
        inst = instantiate(module, 8192, 0);
        CHECK_INT(call(inst, "f"), UINT32_MAX);
        snprintf(text, sizeof text, "Exception: failed to call unlinked import function (%s, f)",
                 i == 0 ? first[0] : i == 1 ? "circle_b2" : "circle_c2");
        CHECK_STR(wasm_runtime_get_exception(inst), text);
        wasm_runtime_deinstantiate(inst);
        wasm_runtime_unload(module);
        end();
    }
}

/* Comes back to everything that the runtime may be doing for it. */
static bool read_nested(package_type_t type, const char *name, uint8_t **buffer, uint32_t *size) {
    char error[128] = "";
    wasm_module_t module;

    CHECK(!wasm_runtime_find_module_registered(name));
    if (strcmp(name, "sub_b") == 0) {
        module = load_bytes("sub_b", error, sizeof error);
        CHECK_STR(error, "");
        CHECK(wasm_runtime_find_module_registered("sub_a") != NULL);
        CHECK(wasm_runtime_register_module("own", module, error, sizeof error));
        wasm_runtime_unload(load_bytes("sub_main", error, sizeof error));
        CHECK_STR(error, "WASM module load failed: found circular dependency on sub_b");
        wasm_runtime_set_module_reader(NULL, NULL);
        wasm_runtime_set_module_reader(read_nested, give_back);
    }
    return read_sub(type, name, buffer, size);
}

static void nested(void) {
    char error[128] = "";
    wasm_module_t module;
    wasm_module_inst_t inst;

    begin(0);
    wasm_runtime_set_module_reader(read_nested, give_back);
    module = load_bytes("sub_main", error, sizeof error);
    CHECK_STR(error, "");
    CHECK(wasm_runtime_find_module_registered("own") != NULL);
    inst = instantiate(module, 8192, 0);
    CHECK_INT(call(inst, "bump_twice"), 12);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    end();
}

static void *terminate_soon(void *inst) {
    usleep(20000);
    wasm_runtime_terminate(inst);
    return NULL;
}

static void terminating(void) {
    pthread_t thread;
    wasm_module_t module;
    wasm_module_inst_t inst;

    begin(0);
    module = load_module("sub_main");
    inst = instantiate(module, 8192, 0);
    pthread_create(&thread, NULL, terminate_soon, inst);
    CHECK_INT(call(inst, "spin"), UINT32_MAX);
    pthread_join(thread, NULL);
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: terminated by user");
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    end();
}

static pthread_barrier_t barrier;

/* The first registers a module and has a reader; the second, at the same time, has neither. */
static void *with_a_reader(void *unused) {
    char error[128] = "";
    wasm_module_t module;

    (void)unused;
    begin(0);
    module = load_module("sub_a");
    CHECK(wasm_runtime_register_module("sub_a", module, error, sizeof error));
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    CHECK(wasm_runtime_find_module_registered("sub_a") == module);
    CHECK_INT(library.reads, 0);
    wasm_runtime_destroy();
    return NULL;
}

static void *without_a_reader(void *unused) {
    char error[128] = "";
    wasm_module_t module;
    wasm_module_inst_t inst;

    (void)unused;
    pthread_barrier_wait(&barrier);
    CHECK(wasm_runtime_init());
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    CHECK(!wasm_runtime_find_module_registered("sub_a"));
    module = load_bytes("sub_b", error, sizeof error);
    CHECK_STR(error, "");
    inst = instantiate(module, 8192, 0);
    CHECK_INT(call(inst, "bump_twice"), UINT32_MAX);
    CHECK_STR(wasm_runtime_get_exception(inst),
              "Exception: failed to call unlinked import function (sub_a, bump)");
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    module = load_module("sub_main");
    CHECK(!wasm_runtime_instantiate(module, 8192, 0, error, sizeof error));
    wasm_runtime_unload(module);
    pthread_barrier_wait(&barrier);
    wasm_runtime_destroy();
    return NULL;
}

/* Both are reading a module of one name when the other begins to. */
static void *read_together(void *tenant) {
    char error[128] = "";
    wasm_module_t module;
    wasm_module_inst_t inst;
    int number = (int)((int *)tenant - numbers);

    if (number < 2) {
        begin(number);
    }
    else {
        memset(&library, 0, sizeof library);
    }
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    library.meeting = &barrier;
    module = load_bytes("sub_b", error, sizeof error);
    CHECK_STR(error, "");
    CHECK_INT(library.reads, 1);
    inst = instantiate(module, 8192, 0);
    CHECK_INT(call(inst, "bump_twice"), 12);
    pthread_barrier_wait(&barrier);
    if (number < 2) {
        CHECK_INT(call(inst, "host"), numbers[number]);
    }
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    if (number < 2) {
        end();
    }
    return NULL;
}

static void on_two_threads(void *(*first)(void *), void *a, void *(*second)(void *), void *b) {
    pthread_t threads[2];

    pthread_barrier_init(&barrier, NULL, 2);
    CHECK(pthread_create(&threads[0], NULL, first, a) == 0);
    CHECK(pthread_create(&threads[1], NULL, second, b) == 0);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    pthread_barrier_destroy(&barrier);
}

static void isolation(void) {
    on_two_threads(with_a_reader, NULL, without_a_reader, NULL);
    on_two_threads(read_together, &numbers[0], read_together, &numbers[1]);
    /* In one context as well: both read it, and each has its own copy. */
    begin(0);
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    on_two_threads(read_together, &numbers[2], read_together, &numbers[2]);
    wasm_runtime_destroy();
    CHECK_INT(library.given_back, 2);
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_WARNING);
}

/* Nothing is unloaded, which WAMR does not do either when it is built for this. */
static void left_to_the_context(void) {
    char error[128] = "";
    wasm_module_t module;

    begin(0);
    module = load_module("sub_main");
    CHECK(wasm_runtime_register_module("main", module, error, sizeof error));
    wasm_runtime_deinstantiate(instantiate(module, 8192, 0));
    end();
}

static void run(void) {
    registry();
    linking();
    natives_first();
    failing_readers();
    circles();
    nested();
    terminating();
    left_to_the_context();
    isolation();
}
