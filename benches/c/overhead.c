/*
 * The cost of embedding, through the public C API only, so that the same source can be linked with
 * any library that has it. Prints a line "job nanoseconds" for each job: the least CPU time of
 * several batches, divided by the batch.
 *
 * usage: overhead [BATCHES]
 */
#define _POSIX_C_SOURCE 200809L
#include "bench.h"
#include "calls.h"
#include "wasm_export.h"

#include <stdint.h>
#include <string.h>

enum { STACK_SIZE = 8192, CALLS = 100000, STARTS = 200, INITS = 50 };

static int32_t native_add(wasm_exec_env_t exec_env, int32_t a, int32_t b)
{
    (void)exec_env;
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

static NativeSymbol natives[] = { { "native_add", (void *)native_add, "(ii)i", NULL } };

static char error[128];
static uint8_t bytes[sizeof module_bytes];
static wasm_module_t module;
static wasm_module_inst_t instance;
static wasm_exec_env_t exec_env;
static wasm_function_inst_t add, guest_to_host, guest_to_guest, loop;

static void *pool;
static uint32_t pool_size;

static void init(void)
{
    RuntimeInitArgs args;
    memset(&args, 0, sizeof args);
    args.mem_alloc_type = Alloc_With_System_Allocator;
    if (pool_size > 0) {
        args.mem_alloc_type = Alloc_With_Pool;
        args.mem_alloc_option.pool.heap_buf = pool;
        args.mem_alloc_option.pool.heap_size = pool_size;
    }
    args.native_module_name = "env";
    args.native_symbols = natives;
    args.n_native_symbols = 1;
    choose_mode(&args);
    check(wasm_runtime_full_init(&args), "full_init", "");
}

static void load(void)
{
    /* The loader may write into its buffer. */
    memcpy(bytes, module_bytes, sizeof bytes);
    module = wasm_runtime_load(bytes, sizeof bytes, error, sizeof error);
    check(module != NULL, "load", error);
}

static void instantiate(void)
{
    instance = wasm_runtime_instantiate(module, STACK_SIZE, 0, error, sizeof error);
    check(instance != NULL, "instantiate", error);
}

static void start(void)
{
    load();
    instantiate();
    exec_env = wasm_runtime_create_exec_env(instance, STACK_SIZE);
    check(exec_env != NULL, "create_exec_env", "");
    add = wasm_runtime_lookup_function(instance, "add");
    guest_to_host = wasm_runtime_lookup_function(instance, "guest_to_host");
    guest_to_guest = wasm_runtime_lookup_function(instance, "guest_to_guest");
    loop = wasm_runtime_lookup_function(instance, "loop");
    check(add && guest_to_host && guest_to_guest && loop, "lookup_function", "");
}

static void stop(void)
{
    wasm_runtime_destroy_exec_env(exec_env);
    wasm_runtime_deinstantiate(instance);
    wasm_runtime_unload(module);
}

/* The jobs: each does its work `times` times. */

static void call_cells(int times)
{
    uint32_t argv[2] = { 0, 1 };
    for (int i = 0; i < times; i++) {
        argv[1] = 1;
        check(wasm_runtime_call_wasm(exec_env, add, 2, argv), "call_wasm", "");
    }
    check(argv[0] == (uint32_t)times, "add", "wrong sum");
}

static void call_values(int times)
{
    wasm_val_t args[2], results[1];
    memset(args, 0, sizeof args);
    memset(results, 0, sizeof results);
    args[0].kind = args[1].kind = results[0].kind = WASM_I32;
    args[1].of.i32 = 1;
    for (int i = 0; i < times; i++) {
        args[0].of.i32 = results[0].of.i32;
        check(wasm_runtime_call_wasm_a(exec_env, add, 1, results, 2, args), "call_wasm_a", "");
    }
    check(results[0].of.i32 == times, "add", "wrong sum");
}

static void call_loop(wasm_function_inst_t function, int times)
{
    uint32_t argv[2] = { (uint32_t)times, 0 };
    uint32_t sum = 0;
    check(wasm_runtime_call_wasm(exec_env, function, 1, argv), "call_wasm", "");
    for (int i = 1; i <= times; i++) {
        sum += (uint32_t)i;
    }
    check(argv[0] == sum, "loop", "wrong sum");
}

static void host_calls(int times) { call_loop(guest_to_host, times); }
static void guest_calls(int times) { call_loop(guest_to_guest, times); }
static void empty_loop(int times) { call_loop(loop, times); }

static volatile uintptr_t sink;

static void with_handle(int times)
{
    for (int i = 0; i < times; i++) {
        sink = (uintptr_t)wasm_runtime_get_user_data(exec_env);
    }
}

static void without_handle(int times)
{
    for (int i = 0; i < times; i++) {
        sink = (uintptr_t)wasm_runtime_thread_env_inited();
    }
}

static void allocate(int times)
{
    for (int i = 0; i < times; i++) {
        void *block = wasm_runtime_malloc(64);
        check(block != NULL, "malloc", "");
        wasm_runtime_free(block);
    }
}

static void instances(int times)
{
    for (int i = 0; i < times; i++) {
        instantiate();
        wasm_runtime_deinstantiate(instance);
    }
}

static void load_to_unload(int times)
{
    for (int i = 0; i < times; i++) {
        load();
        instantiate();
        wasm_runtime_deinstantiate(instance);
        wasm_runtime_unload(module);
    }
}

static void inits(int times)
{
    for (int i = 0; i < times; i++) {
        init();
        wasm_runtime_destroy();
    }
}

static void report(const char *name, void (*job)(int), int times, int batches)
{
    double least = 1e9;
    for (int i = 0; i < batches; i++) {
        double started = cpu_seconds();
        job(times);
        double seconds = cpu_seconds() - started;
        if (seconds < least) {
            least = seconds;
        }
    }
    printf("%s %.2f\n", name, least * 1e9 / times);
}

static void init_with_pool(const char *name, uint32_t size, int times, int batches)
{
    pool_size = size;
    pool = malloc(size);
    check(pool != NULL, "malloc", "no room for the pool");
    report(name, inits, times, batches);
    free(pool);
    pool_size = 0;
}

int main(int argc, char **argv)
{
    int batches = argc > 1 ? atoi(argv[1]) : 5;

    report("full_init+destroy,system", inits, INITS, batches);
    init_with_pool("full_init+destroy,pool_64KiB", 64 << 10, INITS, batches);
    init_with_pool("full_init+destroy,pool_64MiB", 64 << 20, 2, batches);

    init();
    load();
    report("instantiate+deinstantiate", instances, STARTS, batches);
    wasm_runtime_unload(module);
    report("load+instantiate+deinstantiate+unload", load_to_unload, STARTS, batches);

    start();
    report("call_wasm,add", call_cells, CALLS, batches);
    report("call_wasm_a,add", call_values, CALLS, batches);
    report("guest_to_host,(ii)i", host_calls, CALLS, batches);
    report("guest_to_guest", guest_calls, CALLS, batches);
    report("empty_loop", empty_loop, CALLS, batches);
    report("api_call_with_handle", with_handle, CALLS, batches);
    report("api_call_without_handle", without_handle, CALLS, batches);
    report("malloc+free_64_bytes", allocate, CALLS, batches);
    stop();
    wasm_runtime_destroy();
    return 0;
}
