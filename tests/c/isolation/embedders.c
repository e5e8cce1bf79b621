/* A program and a library in one process that both embed the runtime, each with natives of the
   same name. The library is there twice: on the program's own copy of the runtime, and with a copy
   of its own linked into it. */

#include "rows.h"

typedef int (*Plugin)(uint8_t *wasm, uint32_t size);

static int32_t who(wasm_exec_env_t env) {
    (void)env;
    return 'A';
}

static NativeSymbol symbols[] = {{"who", (void *)who, "()i", NULL}};

static Plugin plugin(const char *library, const char *function) {
    char path[1024];
    void *handle;
    Plugin found;

    snprintf(path, sizeof path, "%s/%s", module_folder, library);
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    found = handle ? (Plugin)dlsym(handle, function) : NULL;
    if (!found) {
        printf("%s: %s\n", path, dlerror());
        exit(2);
    }
    return found;
}

/* The program's guest before, while and after the library runs its own. */
static void beside(Plugin run_plugin) {
    RuntimeInitArgs args = system_args();
    uint32_t size;
    uint8_t *wasm = read_module("guest", &size);
    struct guest guest;
    int i;

    args.native_module_name = "env";
    args.native_symbols = symbols;
    args.n_native_symbols = 1;
    quiet_init(&args);
    guest = start_guest("guest");
    for (i = 0; i < rounds(); i++) {
        CHECK_INT(call(&guest, "who", 0, 0, 0), 'A');
        CHECK_INT(run_plugin(wasm, size), 'P');
        CHECK_INT(call(&guest, "who", 0, 0, 0), 'A');
    }
    end_guest(&guest);
    CHECK(wasm_runtime_is_import_func_linked("env", "who"));
    wasm_runtime_destroy();
    CHECK(!wasm_runtime_malloc(1));
    free(wasm);
}

static void own_thread(void) {
    beside(plugin("plugin_shared.so", "plugin_run_in_thread"));
}

static void own_copy(void) {
    beside(plugin("plugin_static.so", "plugin_run"));
    beside(plugin("plugin_static.so", "plugin_run_in_thread"));
}

/* Neither uses the runtime before the other: the library is there first and goes first. */
static void plugin_first(void) {
    uint32_t size;
    uint8_t *wasm = read_module("guest", &size);

    CHECK_INT(plugin("plugin_shared.so", "plugin_run")(wasm, size), 'P');
    CHECK(!wasm_runtime_malloc(1));
    free(wasm);
    own_thread();
}

static void run(void) {
    row("a library with threads of its own", own_thread);
    row("a library with a copy of its own", own_copy);
    row("a library that comes first", plugin_first);
}
