/* What belongs to other headers and libraries than the runtime's own, and shared memory. */

#include "rows.h"

static bool imports(const char *module, const char *name) {
    bool linked;

    quiet_init(NULL);
    linked = wasm_runtime_is_import_func_linked(module, name);
    wasm_runtime_destroy();
    return linked;
}

static void emcc(void) {
    lacks_while(!imports("env", "__sys_fcntl64"), "libc-emcc");
}

/* A waits at an address of its memory while B notifies the same address of its own, again and
   again, and after A's memory is gone. */
static void waiting_a(void) {
    struct guest guest;

    quiet_init(NULL);
    guest = start_guest("waiting");
    meet();
    /* It timed out: nobody has woken it. */
    CHECK_INT(call(&guest, "wait", 1, 2, 0), 2);
    end_guest(&guest);
    meet();
    meet();
    wasm_runtime_destroy();
}

static void notifying_b(void) {
    struct guest guest;
    int i;

    quiet_init(NULL);
    guest = start_guest("waiting");
    meet();
    for (i = 0; i < 100; i++) {
        CHECK_INT(call(&guest, "notify", 0, 0, 0), 0);
    }
    meet();
    CHECK_INT(call(&guest, "notify", 0, 0, 0), 0);
    end_guest(&guest);
    meet();
    wasm_runtime_destroy();
}

static void waits(void) {
    sides(rounds(), waiting_a, notifying_b);
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
    row("emcc files", emcc);
    row("c-api engine", engines);
    row("c-api stores", engines);
    row("aot compiler error", aot_error);
    row("shared heaps", shared_heaps);
    row("wait lists", waits);
}
