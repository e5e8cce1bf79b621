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

static wasm_shared_heap_t heap_of_a;

static wasm_shared_heap_t make_heap(void) {
    SharedHeapInitArgs args = {4096, NULL};

    return wasm_runtime_create_shared_heap(&args);
}

static void makes_a_heap(void) {
    struct guest guest;
    uint64_t block;

    quiet_init(NULL);
    guest = start_guest("guest");
    heap_of_a = make_heap();
    CHECK(wasm_runtime_attach_shared_heap(guest.inst, heap_of_a));
    block = wasm_runtime_shared_heap_malloc(guest.inst, 16, NULL);
    CHECK(block != 0);
    meet();
    meet();
    CHECK(wasm_runtime_validate_app_addr(guest.inst, block, 16));
    end_guest(&guest);
    CHECK(wasm_runtime_reset_shared_heap_chain(heap_of_a));
    wasm_runtime_destroy();
}

static void tries_the_other_heap(void) {
    wasm_shared_heap_t own;
    struct guest guest;

    quiet_init(NULL);
    guest = start_guest("guest");
    own = make_heap();
    meet();
    CHECK(!wasm_runtime_attach_shared_heap(guest.inst, heap_of_a));
    CHECK(!wasm_runtime_chain_shared_heaps(own, heap_of_a));
    CHECK(!wasm_runtime_chain_shared_heaps(heap_of_a, own));
    CHECK(wasm_runtime_attach_shared_heap(guest.inst, own));
    meet();
    end_guest(&guest);
    wasm_runtime_destroy();
}

static void shared_heaps(void) {
    sides(1, makes_a_heap, tries_the_other_heap);
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
