/* State of other headers and libraries than the runtime's own, and shared memory. */

#include "rows.h"
#include "aot_export.h"
#include "wasm_c_api.h"
#include <sys/stat.h>

/* A program with a folder of its own, which it calls the root. */
static struct guest start_with_folder(const char *folder) {
    struct InstantiationArgs2 *args;
    struct guest guest;
    const char *map[1];
    char error[128] = "", pair[512];

    snprintf(pair, sizeof pair, "/::%s/%s", module_folder, folder);
    map[0] = pair;
    guest.module = load_module("files");
    CHECK(wasm_runtime_instantiation_args_create(&args));
    wasm_runtime_instantiation_args_set_default_stack_size(args, 8192);
    wasm_runtime_instantiation_args_set_wasi_dir(args, NULL, 0, map, 1);
    guest.inst = wasm_runtime_instantiate_ex2(guest.module, args, error, sizeof error);
    CHECK_STR(error, "");
    wasm_runtime_instantiation_args_destroy(args);
    guest.env = wasm_runtime_create_exec_env(guest.inst, 8192);
    CHECK(guest.env != NULL);
    return guest;
}

/* A writes to its file, which is the only one while B tries its handle. */
static void opens_a_file(void) {
    struct guest guest;
    uint32_t file;

    quiet_init(NULL);
    guest = start_with_folder("files_a");
    file = call(&guest, "open", 0, 0, 0);
    CHECK_INT(file, 1);
    CHECK_INT(call(&guest, "write", 2, file, 'a'), 1);
    meet();
    meet();
    CHECK_INT(call(&guest, "first", 1, file, 0), 'a');
    CHECK_INT(call(&guest, "at_end", 1, file, 0), 0);
    meet();
    CHECK_INT(call(&guest, "close", 1, file, 0), 0);
    end_guest(&guest);
    wasm_runtime_destroy();
}

static void tries_the_handle(void) {
    struct guest guest;
    uint32_t file;

    quiet_init(NULL);
    guest = start_with_folder("files_b");
    meet();
    CHECK_INT(call(&guest, "first", 1, 1, 0), 0);
    CHECK_INT(call(&guest, "write", 2, 1, 'b'), 0);
    CHECK_INT(call(&guest, "at_end", 1, 1, 0), 1);
    CHECK_INT(call(&guest, "close", 1, 1, 0), (uint32_t)-1);
    /* The same number is another file here, regardless of A's use of its own. */
    meet();
    file = call(&guest, "open", 0, 0, 0);
    CHECK_INT(file, 1);
    CHECK_INT(call(&guest, "write", 2, file, 'b'), 1);
    meet();
    CHECK_INT(call(&guest, "first", 1, file, 0), 'b');
    CHECK_INT(call(&guest, "close", 1, file, 0), 0);
    end_guest(&guest);
    wasm_runtime_destroy();
}

static void emcc(void) {
    char path[512];

    snprintf(path, sizeof path, "%s/files_a", module_folder);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/files_b", module_folder);
    mkdir(path, 0700);
    sides(rounds(), opens_a_file, tries_the_handle);
}

/* A waits at an address of its memory while B notifies the same address of its own, again and
   again, and after A's memory is gone. */
static void waiting_a(void) {
    struct guest guest;

    quiet_init(NULL);
    guest = start_guest("waiting");
    meet();
    /* It timed out: no thread has woken it. */
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

/* Each side's engine is its own, made as the side says. */
static wasm_engine_t *engine_of[2];
static wasm_store_t *store_of[2];
static char engine_pool[1 << 18];

static void engine_a(void) {
    mem_alloc_info_t info;

    engine_of[0] = wasm_engine_new();
    store_of[0] = wasm_store_new(engine_of[0]);
    meet();
    CHECK(engine_of[0] && store_of[0] && engine_of[0] != engine_of[1]);
    CHECK(!wasm_runtime_get_mem_alloc_info(&info));
    meet();
    wasm_store_delete(store_of[0]);
    wasm_engine_delete(engine_of[0]);
}

static void engine_b(void) {
    MemAllocOption option = { .pool = { engine_pool, sizeof engine_pool } };
    wasm_config_t *config = wasm_config_new();
    mem_alloc_info_t info;

    wasm_config_set_mem_alloc_opt(config, Alloc_With_Pool, &option);
    engine_of[1] = wasm_engine_new_with_config(config);
    wasm_config_delete(config);
    meet();
    CHECK(engine_of[1] != NULL);
    CHECK(wasm_runtime_get_mem_alloc_info(&info));
    CHECK(info.total_size > sizeof engine_pool / 2 && info.total_size <= sizeof engine_pool);
    meet();
    wasm_engine_delete(engine_of[1]);
}

static void engines(void) {
    sides(rounds(), engine_a, engine_b);
}

/* A makes a store, B uses and deletes it. */
static void store_a(void) {
    engine_of[0] = wasm_engine_new();
    store_of[0] = wasm_store_new(engine_of[0]);
    meet();
    meet();
    wasm_engine_delete(engine_of[0]);
}

static void store_b(void) {
    wasm_limits_t limits = { 1, 2 };
    wasm_memorytype_t *type = wasm_memorytype_new(&limits);
    wasm_memory_t *memory;

    meet();
    memory = wasm_memory_new(store_of[0], type);
    CHECK(memory && wasm_memory_grow(memory, 1));
    wasm_memorytype_delete(type);
    wasm_memory_delete(memory);
    wasm_store_delete(store_of[0]);
    meet();
}

static void stores(void) {
    sides(rounds(), store_a, store_b);
}

/* A's compiler fails while B asks for its own last error, and then fails in another way. */
static void compiles_for_nothing(void) {
    AOTCompOption option = {0};
    wasm_module_t module;
    aot_comp_data_t data;

    quiet_init(NULL);
    module = load_module("basic");
    data = aot_create_comp_data(module, NULL, false);
    option.target_arch = (char *)"bogus";
    CHECK(data && !aot_create_comp_context(data, &option));
    meet();
    meet();
    CHECK_STR(aot_get_last_error(), "Error: there is no code for the target \"bogus\"");
    aot_destroy_comp_data(data);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
}

static void has_no_error(void) {
    quiet_init(NULL);
    meet();
    CHECK_STR(aot_get_last_error(), "");
    CHECK(!aot_compile_wasm(NULL));
    CHECK_STR(aot_get_last_error(), "Error: the compiler is NULL");
    meet();
    wasm_runtime_destroy();
}

static void aot_error(void) {
    sides(1, compiles_for_nothing, has_no_error);
}

static void run(void) {
    row("emcc files", emcc);
    row("c-api engine", engines);
    row("c-api stores", stores);
    row("aot compiler error", aot_error);
    row("shared heaps", shared_heaps);
    row("wait lists", waits);
}
