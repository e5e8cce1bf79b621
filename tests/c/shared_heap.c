/* Shared heaps: making, chaining, attaching; guests and natives that use them; two contexts. */

#include <pthread.h>
#include <unistd.h>
#include "check.h"

#define END 0x100000000ull
#define OUTSIDE "Exception: out of bounds memory access"

static uint32_t page;
static wasm_module_t module;

/* The length of the guest's text; the pointer comes from the guest. */
static int32_t length(wasm_exec_env_t env, const char *text) {
    (void)env;
    return (int32_t)strlen(text);
}

static int32_t sum(wasm_exec_env_t env, const uint8_t *bytes, uint32_t count) {
    int32_t total = 0;

    (void)env;
    while (count)
        total += bytes[--count];
    return total;
}

static NativeSymbol natives[] = {
    {"length", (void *)length, "($)i", NULL},
    {"sum", (void *)sum, "(*~)i", NULL},
};

struct guest {
    wasm_module_inst_t inst;
    wasm_exec_env_t env;
};

static struct guest start(void) {
    struct guest guest;

    guest.inst = instantiate(module, 8192, 0);
    guest.env = wasm_runtime_create_exec_env(guest.inst, 8192);
    CHECK(guest.env != NULL);
    return guest;
}

static void stop(struct guest guest) {
    wasm_runtime_destroy_exec_env(guest.env);
    wasm_runtime_deinstantiate(guest.inst);
}

/* Calls an export; the exception's text if it trapped, which is cleared, else NULL. */
static const char *call(struct guest guest, const char *name, uint32_t argc, uint32_t *argv) {
    static _Thread_local char text[128];
    wasm_function_inst_t func = wasm_runtime_lookup_function(guest.inst, name);

    if (wasm_runtime_call_wasm(guest.env, func, argc, argv))
        return NULL;
    snprintf(text, sizeof text, "%s", wasm_runtime_get_exception(guest.inst));
    wasm_runtime_clear_exception(guest.inst);
    return text;
}

static uint32_t call1(struct guest guest, const char *name, uint64_t arg) {
    uint32_t argv[1] = {(uint32_t)arg};
    const char *trapped = call(guest, name, 1, argv);

    CHECK(!trapped);
    return argv[0];
}

static void traps(struct guest guest, const char *name, uint64_t a, uint64_t b, uint64_t c) {
    wasm_function_inst_t func = wasm_runtime_lookup_function(guest.inst, name);
    uint32_t argv[3] = {(uint32_t)a, (uint32_t)b, (uint32_t)c};

    CHECK_STR(call(guest, name, wasm_func_get_param_count(func, guest.inst), argv), OUTSIDE);
}

static wasm_shared_heap_t make(uint32_t size, void *buffer) {
    SharedHeapInitArgs args;

    memset(&args, 0, sizeof args);
    args.size = size;
    args.pre_allocated_addr = buffer;
    return wasm_runtime_create_shared_heap(&args);
}

static void *pages(uint32_t count) {
    void *buffer = aligned_alloc(page, (size_t)count * page);

    CHECK(buffer != NULL);
    memset(buffer, 0, (size_t)count * page);
    return buffer;
}

static void title(const char *text) {
    printf("-- %s\n", text);
}

/* One heap of the runtime's, two instances. */
static void one_heap(void) {
    wasm_shared_heap_t heap = make(4 * page, NULL);
    struct guest first = start(), second = start();
    uint64_t block, other, start_of_heap = END - 4 * page;
    uint8_t *native = NULL;
    uint32_t argv[2];

    title("one heap");
    CHECK(heap != NULL);
    /* Nothing is attached yet. */
    CHECK_INT(wasm_runtime_shared_heap_malloc(first.inst, 8, NULL), 0);
    CHECK_INT(call1(first, "malloc", 8), 0);
    wasm_runtime_shared_heap_free(first.inst, start_of_heap + 8);
    wasm_runtime_detach_shared_heap(first.inst);
    traps(first, "load", start_of_heap, 0, 0);

    CHECK(wasm_runtime_attach_shared_heap(first.inst, heap));
    CHECK(wasm_runtime_attach_shared_heap(second.inst, heap));
    CHECK(!wasm_runtime_attach_shared_heap(second.inst, heap));
    CHECK(!wasm_runtime_reset_shared_heap_chain(heap));
    block = wasm_runtime_shared_heap_malloc(first.inst, 100, (void **)&native);
    CHECK(block >= start_of_heap && block + 100 <= END);
    CHECK(wasm_runtime_addr_app_to_native(first.inst, block) == native);
    CHECK(wasm_runtime_addr_app_to_native(second.inst, block) == native);
    CHECK(wasm_runtime_addr_native_to_app(second.inst, native + 99) == block + 99);
    CHECK(wasm_runtime_validate_app_addr(second.inst, block, 100));
    CHECK(wasm_runtime_validate_native_addr(second.inst, native, 100));
    CHECK(!wasm_runtime_validate_app_addr(second.inst, END - 4, 5));
    CHECK_STR(wasm_runtime_get_exception(second.inst), OUTSIDE);
    wasm_runtime_clear_exception(second.inst);

    /* One guest writes, the other reads. */
    argv[0] = (uint32_t)block, argv[1] = 0x12345678;
    CHECK(!call(first, "store", 2, argv));
    CHECK_INT(call1(second, "load", block), 0x12345678);
    memcpy(native, "shared", 7);
    CHECK(wasm_runtime_validate_app_str_addr(second.inst, block));
    CHECK_INT(call1(second, "length", block), 6);
    argv[0] = (uint32_t)block, argv[1] = 6;
    CHECK(!call(second, "sum", 2, argv));
    CHECK_INT(argv[0], 's' + 'h' + 'a' + 'r' + 'e' + 'd');
    /* Borders of the heap. */
    traps(second, "load", END - 3, 0, 0);
    traps(second, "load", start_of_heap - 1, 0, 0);
    traps(second, "sum", END - 4, 5, 0);
    memset(wasm_runtime_addr_app_to_native(first.inst, END - 8), 'x', 8);
    traps(second, "length", END - 8, 0, 0);
    CHECK(!wasm_runtime_validate_app_str_addr(second.inst, END - 8));
    wasm_runtime_clear_exception(second.inst);

    /* The host can free the guest's allocations, and the other way round. */
    other = call1(second, "malloc", 32);
    CHECK(other > start_of_heap && other != block);
    wasm_runtime_shared_heap_free(first.inst, other);
    CHECK_INT(call1(second, "malloc", 32), (uint32_t)other);
    call1(first, "free", block);
    CHECK(wasm_runtime_shared_heap_malloc(second.inst, 100, NULL) == block);
    CHECK_INT(wasm_runtime_shared_heap_malloc(first.inst, 4 * page, NULL), 0);
    CHECK_INT(wasm_runtime_shared_heap_malloc(first.inst, UINT64_MAX, NULL), 0);
    CHECK_INT(call1(first, "malloc", UINT32_MAX), 0);
    CHECK(wasm_runtime_shared_heap_malloc(first.inst, 0, NULL) != 0);
    /* Not blocks. */
    wasm_runtime_shared_heap_free(first.inst, 0);
    wasm_runtime_shared_heap_free(first.inst, END);
    wasm_runtime_shared_heap_free(first.inst, UINT64_MAX);
    wasm_runtime_shared_heap_free(first.inst, block + 1);
    wasm_runtime_shared_heap_free(first.inst, block + 16);
    call1(first, "free", 16);
    traps(first, "free", END - 3, 0, 0);
    traps(first, "free", 0x80000000, 0, 0);

    stop(first);
    /* The second still has it. */
    CHECK(!wasm_runtime_reset_shared_heap_chain(heap));
    CHECK_INT(call1(second, "load", END - 8), 0x78787878);
    wasm_runtime_detach_shared_heap(second.inst);
    traps(second, "load", block, 0, 0);
    CHECK(!wasm_runtime_addr_native_to_app(second.inst, native));
    CHECK(wasm_runtime_reset_shared_heap_chain(heap));
    CHECK(wasm_runtime_attach_shared_heap(second.inst, heap));
    CHECK_INT(call1(second, "load", END - 8), 0);
    CHECK(wasm_runtime_shared_heap_malloc(second.inst, 100, NULL) == block);
    stop(second);
}

static void chains(void) {
    void *buffers[2] = {pages(1), pages(2)};
    wasm_shared_heap_t managed = make(page, NULL), a = make(page, buffers[0]);
    wasm_shared_heap_t b = make(2 * page, buffers[1]), extra = make(page, NULL);
    struct guest guest = start();
    uint64_t tail = END - 2 * page, middle = tail - page, head = middle - page;
    uint32_t argv[3];

    title("chains");
    CHECK(managed && a && b && extra);
    CHECK(!wasm_runtime_chain_shared_heaps(NULL, a));
    CHECK(!wasm_runtime_chain_shared_heaps(a, NULL));
    CHECK(!wasm_runtime_chain_shared_heaps(a, a));
    CHECK(!wasm_runtime_unchain_shared_heaps(NULL, true));
    CHECK(!wasm_runtime_unchain_shared_heaps(a, false));
    CHECK(wasm_runtime_chain_shared_heaps(managed, b) == managed);
    CHECK(!wasm_runtime_chain_shared_heaps(managed, a));
    CHECK(!wasm_runtime_chain_shared_heaps(a, b));
    CHECK(!wasm_runtime_chain_shared_heaps(extra, managed));
    CHECK(wasm_runtime_chain_shared_heaps(a, managed) == a);

    CHECK(wasm_runtime_attach_shared_heap(guest.inst, a));
    CHECK(wasm_runtime_addr_app_to_native(guest.inst, head) == buffers[0]);
    CHECK(wasm_runtime_addr_app_to_native(guest.inst, tail) == buffers[1]);
    CHECK(wasm_runtime_addr_native_to_app(guest.inst, (char *)buffers[1] + 3) == tail + 3);
    CHECK(!wasm_runtime_addr_app_to_native(guest.inst, head - 1));
    /* Allocation happens in the one heap that can. */
    argv[0] = call1(guest, "malloc", 16);
    CHECK(argv[0] >= middle && argv[0] < tail);
    wasm_runtime_shared_heap_free(guest.inst, head);
    wasm_runtime_shared_heap_free(guest.inst, tail);
    /* Each heap is an island. */
    memset(buffers[0], 1, page);
    argv[0] = (uint32_t)(tail - 4), argv[1] = (uint32_t)(middle - 4), argv[2] = 4;
    CHECK(!call(guest, "copy", 3, argv));
    CHECK_INT(call1(guest, "load", tail - 4), 0x01010101);
    traps(guest, "load", middle - 2, 0, 0);
    traps(guest, "store", tail - 1, 0, 0);
    traps(guest, "copy", 0, middle - 2, 4);
    traps(guest, "copy", tail - 2, 0, 4);
    traps(guest, "fill", tail - 2, 0, 4);
    traps(guest, "sum", middle - 2, 4, 0);
    traps(guest, "length", middle - 2, 0, 0);
    CHECK(!wasm_runtime_validate_app_addr(guest.inst, middle - 2, 4));
    wasm_runtime_clear_exception(guest.inst);
    CHECK(!wasm_runtime_validate_native_addr(guest.inst, (char *)buffers[0] + page - 2, 4));
    wasm_runtime_clear_exception(guest.inst);

    CHECK(!wasm_runtime_chain_shared_heaps(extra, a));
    CHECK(!wasm_runtime_unchain_shared_heaps(a, true));
    CHECK(!wasm_runtime_reset_shared_heap_chain(a));
    wasm_runtime_detach_shared_heap(guest.inst);
    CHECK(wasm_runtime_reset_shared_heap_chain(a));
    CHECK_INT(*(uint8_t *)buffers[0], 0);
    CHECK(wasm_runtime_unchain_shared_heaps(a, false) == managed);
    CHECK(wasm_runtime_chain_shared_heaps(a, managed) == a);
    CHECK(wasm_runtime_unchain_shared_heaps(a, true) == b);
    /* Alone again, each ends where the address space does. */
    CHECK(wasm_runtime_attach_shared_heap(guest.inst, a));
    CHECK(wasm_runtime_addr_app_to_native(guest.inst, END - page) == buffers[0]);
    CHECK_INT(call1(guest, "malloc", 16), 0);
    wasm_runtime_shared_heap_free(guest.inst, END - page);
    stop(guest);
    /* The heaps go with the context; the buffers are ours. */
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
    free(buffers[0]);
    free(buffers[1]);
}

static void misuse(void) {
    wasm_module_t empty = load_module("empty");
    wasm_module_inst_t none = instantiate(empty, 8192, 0), inst = instantiate(module, 8192, 0);
    wasm_shared_heap_t heap;
    char *buffer = pages(1);
    int no_heap = 0;
    void *native = &no_heap;

    title("misuse");
    CHECK(!wasm_runtime_create_shared_heap(NULL));
    CHECK(!make(0, NULL));
    CHECK(!make(UINT32_MAX, NULL));
    CHECK(!make((1u << 30) + page, buffer));
    CHECK(!make(page - 1, buffer));
    heap = make(page - 1, NULL);
    CHECK(heap != NULL);
    CHECK(!wasm_runtime_attach_shared_heap(NULL, heap));
    CHECK(!wasm_runtime_attach_shared_heap(inst, NULL));
    CHECK(!wasm_runtime_attach_shared_heap(none, heap));
    wasm_runtime_detach_shared_heap(NULL);
    wasm_runtime_detach_shared_heap(none);
    CHECK(!wasm_runtime_shared_heap_malloc(NULL, 1, &native));
    CHECK(!wasm_runtime_shared_heap_malloc(none, 1, &native));
    CHECK(native == &no_heap);
    wasm_runtime_shared_heap_free(NULL, 1);
    CHECK(!wasm_runtime_reset_shared_heap_chain(NULL));
    /* Handles that are none are compared, never followed. */
    CHECK(!wasm_runtime_attach_shared_heap(inst, (wasm_shared_heap_t)native));
    CHECK(!wasm_runtime_chain_shared_heaps(heap, (wasm_shared_heap_t)1));
    CHECK(!wasm_runtime_unchain_shared_heaps((wasm_shared_heap_t)native, false));
    CHECK(!wasm_runtime_reset_shared_heap_chain((wasm_shared_heap_t)native));
    wasm_runtime_deinstantiate(none);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(empty);
    free(buffer);
}

/* Another context's thread; it has the first one's heap. */
static void *stranger(void *data) {
    wasm_shared_heap_t foreign = data, own;
    RuntimeInitArgs args = system_args();
    wasm_module_inst_t inst;
    wasm_module_t mine;

    CHECK(wasm_runtime_full_init(&args));
    mine = load_module("basic");
    inst = instantiate(mine, 8192, 0);
    own = make(page, NULL);
    CHECK(!wasm_runtime_attach_shared_heap(inst, foreign));
    CHECK(!wasm_runtime_chain_shared_heaps(own, foreign));
    CHECK(!wasm_runtime_chain_shared_heaps(foreign, own));
    CHECK(wasm_runtime_attach_shared_heap(inst, own));
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(mine);
    wasm_runtime_destroy();
    /* Gone with its context. */
    CHECK(!wasm_runtime_reset_shared_heap_chain(own));
    return NULL;
}

/* A thread of the same context, with an instance of its own. */
static void *colleague(void *data) {
    wasm_shared_heap_t heap = data;
    struct guest guest = start();
    int round;

    CHECK(wasm_runtime_attach_shared_heap(guest.inst, heap));
    for (round = 0; round < 200; round++) {
        uint32_t block = call1(guest, "malloc", 24), argv[2] = {block, (uint32_t)round};

        CHECK(block != 0);
        CHECK(!call(guest, "store", 2, argv));
        CHECK_INT(call1(guest, "load", block), round);
        if (round % 2)
            wasm_runtime_shared_heap_free(guest.inst, block);
        else
            call1(guest, "free", block);
    }
    stop(guest);
    return NULL;
}

static void threads(void) {
    wasm_shared_heap_t heap = make(4 * page, NULL);
    pthread_t others[2];
    int i;

    title("threads");
    pthread_create(&others[0], NULL, stranger, heap);
    pthread_join(others[0], NULL);
    for (i = 0; i < 2; i++)
        pthread_create(&others[i], NULL, colleague, heap);
    for (i = 0; i < 2; i++)
        pthread_join(others[i], NULL);
    CHECK(wasm_runtime_reset_shared_heap_chain(heap));
}

/* Destroying the runtime lets go of heaps; an instance that is left keeps its own. */
static void runtime_end(void) {
    wasm_shared_heap_t heap = make(page, NULL);
    struct guest guest = start();
    uint64_t block;

    title("end");
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_ERROR);
    CHECK(wasm_runtime_attach_shared_heap(guest.inst, heap));
    block = wasm_runtime_shared_heap_malloc(guest.inst, 8, NULL);
    wasm_runtime_destroy();
    CHECK(!make(page, NULL));
    CHECK(!wasm_runtime_reset_shared_heap_chain(heap));
    CHECK(wasm_runtime_addr_app_to_native(guest.inst, block) != NULL);
    memset(wasm_runtime_addr_app_to_native(guest.inst, block), 5, 8);
    CHECK_INT(call1(guest, "load", block), 0x05050505);
    stop(guest);
    wasm_runtime_unload(module);
}

static void init(void) {
    RuntimeInitArgs args = system_args();

    args.native_module_name = "host";
    args.native_symbols = natives;
    args.n_native_symbols = sizeof natives / sizeof natives[0];
    CHECK(wasm_runtime_full_init(&args));
    module = load_module("shared_heap");
}

static void run(void) {
    page = (uint32_t)sysconf(_SC_PAGESIZE);
    init();
    one_heap();
    misuse();
    threads();
    chains();
    init();
    runtime_end();
}
