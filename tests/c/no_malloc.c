/* In a context with a pool, the system's allocator is not called at all while modules are loaded,
   instantiated and called. The linker sends this program's and the static library's calls of the
   allocator through the functions below. */

#include "check.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *ptr, size_t size);
int __real_posix_memalign(void **out, size_t align, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *ptr, size_t size);
int __wrap_posix_memalign(void **out, size_t align, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);

static bool counting;
static int calls;

void *__wrap_malloc(size_t size) {
    calls += counting;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
    calls += counting;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *ptr, size_t size) {
    calls += counting;
    return __real_realloc(ptr, size);
}

int __wrap_posix_memalign(void **out, size_t align, size_t size) {
    calls += counting;
    return __real_posix_memalign(out, align, size);
}

void *__wrap_aligned_alloc(size_t align, size_t size) {
    calls += counting;
    return __real_aligned_alloc(align, size);
}

static _Alignas(16) char pool[4 << 20];

static int32_t attached(wasm_exec_env_t exec_env) {
    (void)exec_env;
    return 5;
}

static void run(void) {
    static NativeSymbol symbols[] = {EXPORT_WASM_API_WITH_SIG(attached, "()i")};
    RuntimeInitArgs args;
    char error[128] = "";
    uint32_t size, argv[2] = {20, 22};
    uint8_t *bytes = read_module("basic", &size);
    uint32_t natives_size;
    uint8_t *natives = read_module("natives", &natives_size);
    int round;

    memset(&args, 0, sizeof args);
    args.mem_alloc_option.pool.heap_buf = pool;
    args.mem_alloc_option.pool.heap_size = sizeof pool;
    CHECK(wasm_runtime_full_init(&args));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    CHECK(wasm_runtime_register_natives("host", symbols, 1));
    for (round = 0; round < 3; round++) {
        wasm_module_t module, second;
        wasm_module_inst_t inst, other;
        wasm_exec_env_t env;
        bool ok;

        counting = true;
        module = wasm_runtime_load(bytes, size, error, sizeof error);
        second = wasm_runtime_load(natives, natives_size, error, sizeof error);
        inst = wasm_runtime_instantiate(module, 8192, 8192, error, sizeof error);
        other = wasm_runtime_instantiate(second, 8192, 0, error, sizeof error);
        env = wasm_runtime_create_exec_env(inst, 8192);
        ok = wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "add"), 2, argv);
        argv[0] = 10;
        ok = ok && wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "fib"), 1, argv);
        wasm_runtime_destroy_exec_env(env);
        env = wasm_runtime_get_exec_env_singleton(other);
        ok = ok
             && wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(other, "attached"), 0,
                                       argv);
        wasm_runtime_deinstantiate(inst);
        wasm_runtime_deinstantiate(other);
        wasm_runtime_unload(module);
        wasm_runtime_unload(second);
        counting = false;
        CHECK(ok);
        CHECK_INT(argv[0], 5);
        CHECK_INT(calls, 0);
        argv[0] = 20, argv[1] = 22;
    }
    wasm_runtime_destroy();
    free(bytes);
    free(natives);
}
