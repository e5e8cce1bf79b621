/* What belongs to other headers and libraries than the runtime's own: guest threads, shared
   memory, other C APIs. */

#include "rows.h"

static bool loads(const uint8_t *bytes, uint32_t size) {
    char error[128];
    uint8_t copy[64];
    wasm_module_t module;

    memcpy(copy, bytes, size);
    quiet_init(NULL);
    module = wasm_runtime_load(copy, size, error, sizeof error);
    if (module) {
        wasm_runtime_unload(module);
    }
    wasm_runtime_destroy();
    return module != NULL;
}

/* (module (memory 1 1 shared)) */
static const uint8_t shared_memory[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 5, 4, 1, 3, 1, 1};

static bool imports(const char *module, const char *name) {
    bool linked;

    quiet_init(NULL);
    linked = wasm_runtime_is_import_func_linked(module, name);
    wasm_runtime_destroy();
    return linked;
}

static void guest_spawns(void) {
    lacks_while(!imports("wasi", "thread-spawn"), "wasi-threads");
}

static void pthreads(void) {
    lacks_while(!imports("env", "pthread_mutex_init"), "lib-pthread");
}

static void emcc(void) {
    lacks_while(!imports("env", "__sys_fcntl64"), "libc-emcc");
}

static void waits(void) {
    lacks_while(!loads(shared_memory, sizeof shared_memory), "threads and atomics");
}

static void shared_heaps(void) {
    lacks_function("wasm_runtime_create_shared_heap", "shared heaps");
}

static void engines(void) {
    lacks_function("wasm_engine_new", "wasm_c_api.h");
}

static void aot_error(void) {
    lacks_function("aot_get_last_error", "aot_export.h");
}

static void run(void) {
    row("thread limit", guest_spawns);
    row("guest thread numbers", guest_spawns);
    row("pthread handles", pthreads);
    row("named semaphores", pthreads);
    row("emcc files", emcc);
    row("c-api engine", engines);
    row("c-api stores", engines);
    row("aot compiler error", aot_error);
    row("shared heaps", shared_heaps);
    row("wait lists", waits);
}
