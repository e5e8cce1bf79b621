/* Starting and ending a context, and its allocator, with the log lines that go with it. */

#include "check.h"

/* Log lines as programs read them; the expected text is in init.out. */
static void note(const char *what, long long value) {
    printf("%s: %lld\n", what, value);
}

static void *grow_nothing(void *ptr, unsigned size) {
    (void)ptr;
    (void)size;
    return NULL;
}

static void *wrapped_malloc(unsigned size) {
    return malloc(size);
}

static void before_init(void) {
    mem_alloc_info_t info;
    struct InstantiationArgs2 *args = NULL;

    note("malloc", wasm_runtime_malloc(8) != NULL);
    note("realloc", wasm_runtime_realloc(NULL, 8) != NULL);
    wasm_runtime_free((void *)0x10);
    note("aligned_alloc", wasm_runtime_aligned_alloc(64, 64) != NULL);
    note("get_mem_alloc_info", wasm_runtime_get_mem_alloc_info(&info));
    note("init_thread_env", wasm_runtime_init_thread_env());
    note("thread_env_inited", wasm_runtime_thread_env_inited());
    wasm_runtime_destroy_thread_env();
    note("register_natives", wasm_runtime_register_natives("env", NULL, 0));
    note("instantiation_args_create", wasm_runtime_instantiation_args_create(&args));
}

/* Whether the library compiles, which depends on the processor. */
static bool compiles(void) {
    return wasm_runtime_is_running_mode_supported(Mode_LLVM_JIT);
}

static void modes(void) {
    note("mode 0", wasm_runtime_is_running_mode_supported((RunningMode)0));
    note("mode 1", wasm_runtime_is_running_mode_supported(Mode_Interp));
    note("mode 2 as mode 3", wasm_runtime_is_running_mode_supported(Mode_Fast_JIT) == compiles());
    note("mode 4 as mode 3",
         wasm_runtime_is_running_mode_supported(Mode_Multi_Tier_JIT) == compiles());
    note("mode 5", wasm_runtime_is_running_mode_supported((RunningMode)5));
    note("mode 255", wasm_runtime_is_running_mode_supported((RunningMode)255));
    note("default mode 2 as supported",
         wasm_runtime_set_default_running_mode(Mode_Fast_JIT) == compiles());
    note("default mode 1", wasm_runtime_set_default_running_mode(Mode_Interp));
}

static void bad_pools(void) {
    static char small[16];
    RuntimeInitArgs args;

    memset(&args, 0, sizeof args);
    note("no pool", wasm_runtime_full_init(&args));
    args.mem_alloc_option.pool.heap_buf = small;
    args.mem_alloc_option.pool.heap_size = sizeof small;
    /* The address in the log line differs from run to run. */
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    note("tiny pool", wasm_runtime_full_init(&args));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_WARNING);
}

static void allocators(void) {
    RuntimeInitArgs args;
    void *block;

    memset(&args, 0, sizeof args);
    args.mem_alloc_type = Alloc_With_Allocator;
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    args.mem_alloc_option.allocator.malloc_func = (void *)wrapped_malloc;
    note("allocator without free", wasm_runtime_full_init(&args));
    args.mem_alloc_option.allocator.free_func = (void *)wrapped_malloc;
    note("allocator whose malloc is its free", wasm_runtime_full_init(&args));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_WARNING);
    args.mem_alloc_option.allocator.free_func = (void *)free;
    note("allocator without realloc", wasm_runtime_full_init(&args));
    block = wasm_runtime_malloc(10);
    note("block", block != NULL);
    note("realloc without realloc", wasm_runtime_realloc(block, 20) != NULL);
    wasm_runtime_free(block);
    wasm_runtime_destroy();
    args.mem_alloc_option.allocator.realloc_func = (void *)grow_nothing;
    note("allocator with realloc", wasm_runtime_full_init(&args));
    wasm_runtime_destroy();
}

static void counting(void) {
    RuntimeInitArgs args = system_args(), bad = system_args();
    void *block;

    args.mem_alloc_type = (mem_alloc_type_t)9;
    note("allocation type 9", wasm_runtime_full_init(&args));
    args = system_args();
    args.running_mode = (RunningMode)7;
    note("mode 7", wasm_runtime_full_init(&args));
    args.running_mode = (RunningMode)0;
    args.enable_linux_perf = true;
    note("perf", wasm_runtime_full_init(&args));
    bad.running_mode = Mode_LLVM_JIT;
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_ERROR);
    note("again, with arguments that do not count", wasm_runtime_full_init(&bad));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_WARNING);
    wasm_runtime_destroy();
    block = wasm_runtime_malloc(1);
    note("malloc after one destroy", block != NULL);
    wasm_runtime_free(block);
}

static void logged_allocations(void) {
    mem_alloc_info_t info;
    void *block = wasm_runtime_malloc(0);

    note("malloc of zero", block != NULL);
    wasm_runtime_free(block);
    wasm_runtime_free(NULL);
    note("aligned_alloc", wasm_runtime_aligned_alloc(64, 64) != NULL);
    note("get_mem_alloc_info", wasm_runtime_get_mem_alloc_info(&info));
}

static void again(void) {
    int i;

    for (i = 0; i < 50; i++) {
        void *block;

        CHECK(wasm_runtime_init());
        block = wasm_runtime_malloc(100);
        CHECK(block != NULL);
        memset(block, 1, 100);
        block = wasm_runtime_realloc(block, 1000);
        CHECK(block != NULL && ((char *)block)[99] == 1);
        wasm_runtime_free(block);
        wasm_runtime_destroy();
    }
}

static void versions(void) {
    uint32_t major, minor, patch;

    wasm_runtime_get_version(&major, &minor, &patch);
    printf("version %u.%u.%u\n", major, minor, patch);
    wasm_runtime_get_version(NULL, NULL, NULL);
}

static void run(void) {
    before_init();
    modes();
    versions();
    bad_pools();
    allocators();
    counting();
    logged_allocations();
    wasm_runtime_destroy();
    note("malloc after destroy", wasm_runtime_malloc(4) != NULL);
    again();
    /* One more than there were inits: logged, and nothing else. */
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    wasm_runtime_destroy();
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_WARNING);
    CHECK(wasm_runtime_init());
    wasm_runtime_destroy();
}
