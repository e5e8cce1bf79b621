/* Memory: its source, its amount, and its treatment by init and destroy. */

#include <sys/resource.h>
#include <unistd.h>
#include "rows.h"

/* A counting allocator for each side. */
struct counts {
    int mallocs;
    int frees;
};

static struct counts a_counts, b_counts;

static void *a_malloc(unsigned size) {
    __atomic_add_fetch(&a_counts.mallocs, 1, __ATOMIC_RELAXED);
    return malloc(size);
}

static void a_free(void *block) {
    __atomic_add_fetch(&a_counts.frees, block != NULL, __ATOMIC_RELAXED);
    free(block);
}

static void *b_malloc(unsigned size) {
    __atomic_add_fetch(&b_counts.mallocs, 1, __ATOMIC_RELAXED);
    return malloc(size);
}

static void b_free(void *block) {
    __atomic_add_fetch(&b_counts.frees, block != NULL, __ATOMIC_RELAXED);
    free(block);
}

static RuntimeInitArgs with_functions(void *(*alloc)(unsigned), void (*release)(void *)) {
    RuntimeInitArgs args = system_args();

    args.mem_alloc_type = Alloc_With_Allocator;
    args.mem_alloc_option.allocator.malloc_func = (void *)alloc;
    args.mem_alloc_option.allocator.free_func = (void *)release;
    return args;
}

/* Each side sees its own calls, and only those, whatever the other does meanwhile. */
static void count_own(RuntimeInitArgs args, struct counts *own) {
    struct counts before;
    void *block;

    quiet_init(&args);
    meet();
    before = *own;
    block = wasm_runtime_malloc(100);
    CHECK(block != NULL);
    CHECK_INT(own->mallocs, before.mallocs + 1);
    wasm_runtime_free(block);
    CHECK_INT(own->frees, before.frees + 1);
    meet();
    wasm_runtime_destroy();
}

static void functions_a(void) {
    count_own(with_functions(a_malloc, a_free), &a_counts);
}

static void functions_b(void) {
    count_own(with_functions(b_malloc, b_free), &b_counts);
}

static void allocator_functions(void) {
    sides(rounds(), functions_a, functions_b);
    CHECK_INT(a_counts.mallocs, a_counts.frees);
    CHECK_INT(b_counts.mallocs, b_counts.frees);
}

static _Alignas(16) char a_pool[1 << 20], b_pool[256 << 10];

static RuntimeInitArgs with_pool(void *pool, uint32_t size) {
    RuntimeInitArgs args = system_args();

    args.mem_alloc_type = Alloc_With_Pool;
    args.mem_alloc_option.pool.heap_buf = pool;
    args.mem_alloc_option.pool.heap_size = size;
    return args;
}

static void stay_in(char *pool, uint32_t size) {
    RuntimeInitArgs args = with_pool(pool, size);
    mem_alloc_info_t info;
    char *block;

    quiet_init(&args);
    meet();
    CHECK(wasm_runtime_get_mem_alloc_info(&info));
    CHECK(info.total_size <= size && info.total_size > size - size / 64);
    block = wasm_runtime_malloc(1000);
    CHECK(block >= pool && block + 1000 <= pool + size);
    wasm_runtime_free(block);
    meet();
    wasm_runtime_destroy();
}

static void pool_a(void) {
    stay_in(a_pool, sizeof a_pool);
}

static void pool_b(void) {
    stay_in(b_pool, sizeof b_pool);
}

static void pools(void) {
    sides(rounds(), pool_a, pool_b);
}

/* While B has nothing left, A allocates as ever. */
static void exhaustion_a(void) {
    RuntimeInitArgs args = with_pool(a_pool, sizeof a_pool);
    mem_alloc_info_t before, after;
    void *block;

    quiet_init(&args);
    CHECK(wasm_runtime_get_mem_alloc_info(&before));
    meet();
    meet();
    CHECK(wasm_runtime_get_mem_alloc_info(&after));
    CHECK_INT(after.total_free_size, before.total_free_size);
    block = wasm_runtime_malloc(sizeof a_pool / 2);
    CHECK(block != NULL);
    wasm_runtime_free(block);
    meet();
    wasm_runtime_destroy();
}

static void exhaustion_b(void) {
    RuntimeInitArgs args = with_pool(b_pool, sizeof b_pool);
    void *blocks[64];
    int count = 0;

    quiet_init(&args);
    meet();
    while (count < 64 && (blocks[count] = wasm_runtime_malloc(8 << 10))) {
        count++;
    }
    CHECK(count > 16 && count < 64);
    meet();
    CHECK(!wasm_runtime_malloc(8 << 10));
    meet();
    while (count > 0) {
        wasm_runtime_free(blocks[--count]);
    }
    wasm_runtime_destroy();
}

static void pool_exhaustion(void) {
    sides(rounds(), exhaustion_a, exhaustion_b);
}

/* Which init counts where: in one thread the first wins and the last destroy ends it, and another
   thread's are its own. */
static void counted_side(void *pool, uint32_t size, void *other_pool) {
    RuntimeInitArgs first = with_pool(pool, size), second = with_pool(other_pool, 64 << 10);
    char *block;

    quiet_init(&first);
    CHECK(wasm_runtime_full_init(&second));
    meet();
    wasm_runtime_destroy();
    block = wasm_runtime_malloc(10);
    CHECK(block >= (char *)pool && block < (char *)pool + size);
    wasm_runtime_free(block);
    meet();
    wasm_runtime_destroy();
    meet();
    CHECK(!wasm_runtime_malloc(10));
    meet();
}

static char a_second_pool[64 << 10], b_second_pool[64 << 10];

static void counts_a(void) {
    counted_side(a_pool, sizeof a_pool, a_second_pool);
}

static void counts_b(void) {
    counted_side(b_pool, sizeof b_pool, b_second_pool);
}

static void init_counting(void) {
    sides(rounds(), counts_a, counts_b);
}

/* The n-th allocation fails, for every n that init, a load and a call come to. */
static _Thread_local int allocations_left;
static int open_blocks;

static void *failing_malloc(unsigned size) {
    void *block = allocations_left-- > 0 ? malloc(size) : NULL;

    __atomic_add_fetch(&open_blocks, block != NULL, __ATOMIC_RELAXED);
    return block;
}

static void counted_free(void *block) {
    __atomic_sub_fetch(&open_blocks, block != NULL, __ATOMIC_RELAXED);
    free(block);
}

static uint8_t *failing_binary;
static uint32_t failing_size;

static NativeSymbol failing_symbols[] = {{"who", (void *)getpid, "()i", NULL}};

static bool whole_scenario(void) {
    RuntimeInitArgs args = with_functions(failing_malloc, counted_free);
    char error[128];
    wasm_module_t module;
    wasm_module_inst_t inst = NULL;

    args.native_module_name = "env";
    args.native_symbols = failing_symbols;
    args.n_native_symbols = 1;
    if (!wasm_runtime_full_init(&args)) {
        return false;
    }
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    module = wasm_runtime_load(failing_binary, failing_size, error, sizeof error);
    if (module) {
        inst = wasm_runtime_instantiate(module, 8192, 0, error, sizeof error);
    }
    if (inst) {
        wasm_runtime_deinstantiate(inst);
    }
    if (module) {
        wasm_runtime_unload(module);
    }
    wasm_runtime_destroy();
    return inst != NULL;
}

static void failing_side(void) {
    int allowed;

    for (allowed = 0; allowed < 500; allowed++) {
        allocations_left = allowed;
        if (whole_scenario()) {
            break;
        }
    }
    CHECK(allowed > 3 && allowed < 500);
    meet();
    CHECK_INT(open_blocks, 0);
    meet();
}

static void init_failure(void) {
    failing_binary = read_module("guest", &failing_size);
    sides(rounds() < 10 ? rounds() : rounds() / 10, failing_side, failing_side);
    free(failing_binary);
}

static long resident(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    CHECK(file && fscanf(file, "%*d %ld", &pages) == 1);
    if (file) {
        fclose(file);
    }
    return pages * sysconf(_SC_PAGESIZE);
}

/* Preparing a thread and making a context touch next to nothing, least of all the native stack.
   The bounds hold the first touch of the library's code and data too. */
static void *prepared_thread(void *grown) {
    long before = resident();

    CHECK(wasm_runtime_init_thread_env());
    *(long *)grown = resident() - before;
    wasm_runtime_destroy_thread_env();
    return NULL;
}

static void memory_cost(void) {
    /* ThreadSanitizer touches several bytes of its own for each that a thread reserves. */
    long bound = getenv("TSAN_OPTIONS") ? 1 << 20 : 100 << 10;
    RuntimeInitArgs args = system_args();
    long before, grown[4];
    pthread_t thread;
    int i;

    /* The first time maps code and the C library's buffers. */
    resident();
    CHECK(wasm_runtime_full_init(&args));
    wasm_runtime_destroy();
    before = resident();
    CHECK(wasm_runtime_full_init(&args));
    CHECK(resident() - before < bound);
    for (i = 0; i < 4; i++) {
        CHECK(pthread_create(&thread, NULL, prepared_thread, &grown[i]) == 0);
        pthread_join(thread, NULL);
        /* A memory checker moves pages about by itself. */
        CHECK(grown[i] < bound);
    }
    wasm_runtime_destroy();
}

static void run(void) {
    row("allocator functions", allocator_functions);
    row("pool", pools);
    row("pool exhaustion", pool_exhaustion);
    row("init counting", init_counting);
    row("init failure", init_failure);
    row("memory cost", memory_cost);
}
