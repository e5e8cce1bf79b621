/* A context in one buffer: what it reports, that everything fits in it, and what happens when it
   is too small at every point. */

#include "check.h"

static _Alignas(16) char pool[4 << 20];

static bool start(uint32_t size) {
    RuntimeInitArgs args;
    bool ok;

    memset(&args, 0, sizeof args);
    args.mem_alloc_option.pool.heap_buf = pool;
    args.mem_alloc_option.pool.heap_size = size;
    ok = wasm_runtime_full_init(&args);
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    return ok;
}

static bool inside(const void *block) {
    return (const char *)block >= pool && (const char *)block < pool + sizeof pool;
}

static void blocks(void) {
    mem_alloc_info_t before, during, after;
    void *small, *large, *aligned;

    CHECK(start(sizeof pool));
    CHECK(wasm_runtime_get_mem_alloc_info(&before));
    CHECK(before.total_size <= sizeof pool && before.total_size > sizeof pool / 2);
    CHECK(before.total_free_size <= before.total_size);
    small = wasm_runtime_malloc(100);
    large = wasm_runtime_malloc(100000);
    CHECK(inside(small) && inside(large));
    memset(large, 0xA5, 100000);
    CHECK(wasm_runtime_get_mem_alloc_info(&during));
    CHECK(during.total_free_size <= before.total_free_size - 100100);
    CHECK(during.highmark_size >= 100100);
    CHECK(!wasm_runtime_malloc(sizeof pool));
    CHECK(!wasm_runtime_malloc(UINT32_MAX));
    large = wasm_runtime_realloc(large, 200000);
    CHECK(inside(large) && ((unsigned char *)large)[99999] == 0xA5);
    CHECK(!wasm_runtime_realloc(large, sizeof pool));
    aligned = wasm_runtime_aligned_alloc(4096, 1024);
    CHECK(inside(aligned) && ((uintptr_t)aligned & 1023) == 0);
    CHECK(!wasm_runtime_aligned_alloc(100, 3));
    CHECK(!wasm_runtime_aligned_alloc(100, 64));
    wasm_runtime_free(aligned);
    wasm_runtime_free(small);
    wasm_runtime_free(large);
    CHECK(wasm_runtime_get_mem_alloc_info(&after));
    CHECK_INT(after.total_free_size, before.total_free_size);
    CHECK(after.highmark_size >= during.highmark_size);
    wasm_runtime_destroy();
}

/* Loads, instantiates, calls. Says how far it came; whatever failed must have said why. */
static int scenario(void) {
    char error[128] = "";
    uint32_t size, argv[2] = {20, 22};
    uint8_t *bytes = read_module("basic", &size);
    wasm_module_t module = wasm_runtime_load(bytes, size, error, sizeof error);
    wasm_module_inst_t inst;
    wasm_exec_env_t env;
    int reached = 0;

    free(bytes);
    if (!module) {
        CHECK_STR(error, "WASM module load failed: allocate memory failed");
        return 0;
    }
    inst = wasm_runtime_instantiate(module, 8192, 8192, error, sizeof error);
    if (!inst) {
        CHECK(strstr(error, "WASM module instantiate failed: ") == error);
        CHECK(strstr(error, "memory") != NULL);
        reached = 1;
    }
    else {
        env = wasm_runtime_create_exec_env(inst, 8192);
        if (!env) {
            reached = 2;
        }
        else {
            wasm_function_inst_t add = wasm_runtime_lookup_function(inst, "add");

            if (wasm_runtime_call_wasm(env, add, 2, argv)) {
                CHECK_INT(argv[0], 42);
                reached = 4;
            }
            else {
                CHECK_STR(wasm_runtime_get_exception(inst), "Exception: allocate memory failed");
                reached = 3;
            }
            wasm_runtime_destroy_exec_env(env);
        }
        wasm_runtime_deinstantiate(inst);
    }
    wasm_runtime_unload(module);
    return reached;
}

static void exhaustion(void) {
    uint32_t size;
    int seen[5] = {0}, reached = 0;

    for (size = 256; reached < 4 && size <= sizeof pool; size += 256) {
        if (start(size)) {
            mem_alloc_info_t before, after;

            /* The first time leaves memory that the context keeps for the next; none is lost. */
            scenario();
            CHECK(wasm_runtime_get_mem_alloc_info(&before));
            reached = scenario();
            seen[reached]++;
            CHECK(wasm_runtime_get_mem_alloc_info(&after));
            CHECK_INT(after.total_free_size, before.total_free_size);
            wasm_runtime_destroy();
        }
    }
    CHECK_INT(reached, 4);
    CHECK(seen[0] > 0 && seen[1] + seen[2] > 0);
}

/* An allocator that fails its n-th call, for every n. */
static long allowed, live;

static void *limited_malloc(unsigned size) {
    void *block;

    if (allowed == 0) {
        return NULL;
    }
    allowed--;
    block = malloc(size);
    live += block != NULL;
    return block;
}

static void *limited_realloc(void *ptr, unsigned size) {
    if (!ptr) {
        return limited_malloc(size);
    }
    if (allowed == 0) {
        return NULL;
    }
    allowed--;
    return realloc(ptr, size);
}

static void counted_free(void *ptr) {
    live -= ptr != NULL;
    free(ptr);
}

static void nth_failure(void) {
    RuntimeInitArgs args;
    long n;
    int reached = 0;

    memset(&args, 0, sizeof args);
    args.mem_alloc_type = Alloc_With_Allocator;
    args.mem_alloc_option.allocator.malloc_func = (void *)limited_malloc;
    args.mem_alloc_option.allocator.realloc_func = (void *)limited_realloc;
    args.mem_alloc_option.allocator.free_func = (void *)counted_free;
    for (n = 0; reached < 4 && n < 10000; n++) {
        allowed = n;
        if (wasm_runtime_full_init(&args)) {
            wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
            reached = scenario();
            wasm_runtime_destroy();
        }
        CHECK_INT(live, 0);
    }
    CHECK_INT(reached, 4);
}

static void run(void) {
    blocks();
    exhaustion();
    nth_failure();
}
