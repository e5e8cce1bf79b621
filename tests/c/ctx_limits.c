/* Limits, counters and settings of a context, and stopping everything in it. */

#include <pthread.h>
#include <sched.h>
#include <time.h>
#include "check.h"
#include "wasm_runtime_ctx.h"

struct guest {
    wasm_runtime_ctx_t ctx;
    wasm_module_t module;
    wasm_module_inst_t inst;
    wasm_exec_env_t env;
};

static struct guest begin(const char *name) {
    struct guest guest;

    guest.ctx = wasm_runtime_ctx_create(NULL);
    CHECK(wasm_runtime_ctx_push(guest.ctx));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    guest.module = load_module(name);
    CHECK(wasm_runtime_ctx_pop(guest.ctx));
    guest.inst = instantiate(guest.module, 0, 0);
    guest.env = wasm_runtime_create_exec_env(guest.inst, 65536);
    return guest;
}

static void end(struct guest *guest) {
    wasm_runtime_destroy_exec_env(guest->env);
    wasm_runtime_deinstantiate(guest->inst);
    wasm_runtime_unload(guest->module);
    CHECK(wasm_runtime_ctx_destroy(guest->ctx));
}

static bool call(struct guest *guest, wasm_exec_env_t env, const char *name, uint32_t arg) {
    uint32_t argv[2] = {arg, 0};
    uint32_t argc = strcmp(name, "fib") == 0 ? 1 : 0;

    wasm_runtime_clear_exception(guest->inst);
    return wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(guest->inst, name), argc, argv);
}

static void limit(struct guest *guest, uint32_t which, uint64_t value) {
    wasm_runtime_ctx_limits_t limits;

    memset(&limits, 0, sizeof limits);
    limits.struct_size = sizeof limits;
    limits.set = which;
    limits.memory_bytes = limits.fuel = limits.time_ms = value;
    limits.max_threads = (uint32_t)value;
    CHECK(wasm_runtime_ctx_set_limits(guest->ctx, &limits));
}

static wasm_runtime_ctx_limits_t limits_of(struct guest *guest) {
    wasm_runtime_ctx_limits_t limits;

    limits.struct_size = sizeof limits;
    CHECK(wasm_runtime_ctx_get_limits(guest->ctx, &limits));
    return limits;
}

static wasm_runtime_ctx_stats_t stats_of(struct guest *guest) {
    wasm_runtime_ctx_stats_t stats;

    stats.struct_size = sizeof stats;
    CHECK(wasm_runtime_ctx_stats(guest->ctx, &stats));
    return stats;
}

static void null_handles(void) {
    wasm_runtime_ctx_limits_t limits;
    wasm_runtime_ctx_stats_t stats;
    wasm_runtime_ctx_jit_options_t options;

    memset(&limits, 0, sizeof limits);
    limits.struct_size = sizeof limits;
    stats.struct_size = sizeof stats;
    options.struct_size = sizeof options;
    CHECK(!wasm_runtime_ctx_set_limits(NULL, &limits));
    CHECK(!wasm_runtime_ctx_get_limits(NULL, &limits));
    CHECK(!wasm_runtime_ctx_stats(NULL, &stats));
    CHECK(!wasm_runtime_ctx_terminate_all(NULL));
    CHECK(!wasm_runtime_ctx_set_log_callback(NULL, NULL, NULL));
    CHECK_INT(wasm_runtime_ctx_get_log_level(NULL), -1);
    CHECK_INT(wasm_runtime_ctx_get_running_mode(NULL), 0);
    CHECK_INT(wasm_runtime_ctx_get_gc_heap_size(NULL), 0);
    CHECK(!wasm_runtime_ctx_get_jit_options(NULL, &options));
    CHECK(!wasm_runtime_ctx_set_fallback(NULL, true));
    CHECK(!wasm_runtime_ctx_get_fallback(NULL));
    CHECK_INT(wasm_runtime_ctx_init_conflicts(NULL), 0);
}

/* Structs of callers that know less or more than the library, or nothing. */
static void sizes(void) {
    struct guest guest = begin("basic");
    struct {
        wasm_runtime_ctx_limits_t known;
        uint64_t later;
    } newer;
    wasm_runtime_ctx_limits_t older;

    CHECK(!wasm_runtime_ctx_set_limits(guest.ctx, NULL));
    CHECK(!wasm_runtime_ctx_get_limits(guest.ctx, NULL));
    CHECK(!wasm_runtime_ctx_stats(guest.ctx, NULL));
    newer.known.struct_size = sizeof newer;
    newer.later = 77;
    CHECK(wasm_runtime_ctx_get_limits(guest.ctx, &newer.known));
    CHECK(newer.known.fuel == UINT64_MAX && newer.known.memory_bytes == UINT64_MAX);
    CHECK_INT(newer.later, 77);
    CHECK(wasm_runtime_ctx_set_limits(guest.ctx, &newer.known));
    newer.known.set = 1 << 20;
    CHECK(!wasm_runtime_ctx_set_limits(guest.ctx, &newer.known));

    memset(&older, 0, sizeof older);
    older.struct_size = 16;
    older.set = WASM_RUNTIME_CTX_LIMIT_MEMORY;
    older.memory_bytes = 1 << 30;
    CHECK(wasm_runtime_ctx_set_limits(guest.ctx, &older));
    older.set |= WASM_RUNTIME_CTX_LIMIT_FUEL;
    CHECK(!wasm_runtime_ctx_set_limits(guest.ctx, &older));
    older.fuel = 5;
    CHECK(wasm_runtime_ctx_get_limits(guest.ctx, &older));
    CHECK_INT(older.memory_bytes, 1 << 30);
    CHECK_INT(older.fuel, 5);
    older.struct_size = 0;
    CHECK(!wasm_runtime_ctx_get_limits(guest.ctx, &older));
    end(&guest);
}

static void memory(void) {
    struct guest guest = begin("basic");
    uint64_t live = stats_of(&guest).live_bytes;

    CHECK(live > 65536);
    CHECK(wasm_runtime_ctx_push(guest.ctx));
    limit(&guest, WASM_RUNTIME_CTX_LIMIT_MEMORY, live + 1000);
    CHECK(!wasm_runtime_malloc(2000));
    limit(&guest, WASM_RUNTIME_CTX_LIMIT_MEMORY, UINT64_MAX);
    wasm_runtime_free(wasm_runtime_malloc(2000));
    CHECK(wasm_runtime_ctx_pop(guest.ctx));
    CHECK_INT(limits_of(&guest).max_threads, 4);
    limit(&guest, WASM_RUNTIME_CTX_LIMIT_THREADS, 9);
    limit(&guest, WASM_RUNTIME_CTX_LIMIT_THREADS, 0);
    CHECK_INT(limits_of(&guest).max_threads, 9);
    end(&guest);
}

static void fuel(void) {
    struct guest guest = begin("basic");
    wasm_exec_env_t second = wasm_runtime_create_exec_env(guest.inst, 65536);
    uint64_t left, one;
    int calls = 0;

    /* A new limit counts at once, not after the budget of an earlier call without one. */
    CHECK(call(&guest, guest.env, "fib", 15));
    limit(&guest, WASM_RUNTIME_CTX_LIMIT_FUEL, 100);
    CHECK(!call(&guest, guest.env, "fib", 15));
    CHECK_STR(wasm_runtime_get_exception(guest.inst), "Exception: instruction limit exceeded");
    limit(&guest, WASM_RUNTIME_CTX_LIMIT_FUEL, 1000000);
    CHECK(call(&guest, guest.env, "fib", 10));
    left = limits_of(&guest).fuel;
    one = 1000000 - left;
    CHECK(one > 1000 && one < 10000);
    /* Exact, whichever environment runs. */
    CHECK(call(&guest, second, "fib", 10));
    CHECK_INT(limits_of(&guest).fuel, left - one);
    while (call(&guest, calls % 2 ? guest.env : second, "fib", 10)) {
        calls++;
    }
    CHECK_INT(calls, (long long)(1000000 / one - 2));
    CHECK(!call(&guest, second, "spin", 0));
    CHECK_STR(wasm_runtime_get_exception(guest.inst), "Exception: instruction limit exceeded");
    /* An environment's own limit holds as well. */
    limit(&guest, WASM_RUNTIME_CTX_LIMIT_FUEL, 1000000);
    wasm_runtime_set_instruction_count_limit(second, 100);
    CHECK(!call(&guest, second, "fib", 10));
    CHECK(limits_of(&guest).fuel > 999000);
    CHECK(call(&guest, guest.env, "fib", 10));
    limit(&guest, WASM_RUNTIME_CTX_LIMIT_FUEL, UINT64_MAX);
    CHECK(call(&guest, guest.env, "fib", 15));
    CHECK(limits_of(&guest).fuel == UINT64_MAX);
    wasm_runtime_destroy_exec_env(second);
    end(&guest);
}

static double seconds(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void deadline(void) {
    struct guest guest = begin("basic"), other = begin("basic");
    double start = seconds();

    limit(&guest, WASM_RUNTIME_CTX_LIMIT_TIME, 50);
    CHECK(limits_of(&guest).time_ms <= 50);
    CHECK(call(&guest, guest.env, "fib", 5));
    CHECK(!call(&guest, guest.env, "spin", 0));
    CHECK_STR(wasm_runtime_get_exception(guest.inst), "Exception: deadline exceeded");
    CHECK(seconds() - start >= 0.05);
    CHECK_INT(limits_of(&guest).time_ms, 0);
    /* Every call fails from then on, the shortest too; other contexts' do not. */
    CHECK(!call(&guest, guest.env, "nothing", 0));
    CHECK_STR(wasm_runtime_get_exception(guest.inst), "Exception: deadline exceeded");
    CHECK(call(&other, other.env, "fib", 5));
    limit(&guest, WASM_RUNTIME_CTX_LIMIT_TIME, UINT64_MAX);
    CHECK(call(&guest, guest.env, "nothing", 0));
    end(&guest);
    end(&other);
}

static void *spin(void *data) {
    struct guest *guest = data;
    wasm_exec_env_t env = wasm_runtime_create_exec_env(guest->inst, 8192);

    CHECK(!wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(guest->inst, "spin"), 0, NULL));
    wasm_runtime_destroy_exec_env(env);
    return NULL;
}

/* Instances come and go while everything is terminated. */
static void *churn(void *data) {
    struct guest *guest = data;
    int i;

    for (i = 0; i < 200; i++) {
        char error[128];
        wasm_module_inst_t inst =
            wasm_runtime_instantiate(guest->module, 0, 0, error, sizeof error);

        CHECK(inst != NULL);
        wasm_runtime_deinstantiate(inst);
    }
    return NULL;
}

static void termination(void) {
    struct timespec pause = {0, 20000000};
    struct guest guest = begin("basic"), other = begin("basic");
    struct guest second = guest;
    pthread_t threads[3];
    int i;

    second.inst = instantiate(guest.module, 0, 0);
    CHECK(pthread_create(&threads[0], NULL, spin, &guest) == 0);
    CHECK(pthread_create(&threads[1], NULL, spin, &second) == 0);
    CHECK(pthread_create(&threads[2], NULL, churn, &guest) == 0);
    for (i = 0; i < 200; i++) {
        CHECK(wasm_runtime_ctx_terminate_all(guest.ctx));
        (void)stats_of(&guest);
    }
    nanosleep(&pause, NULL);
    CHECK(wasm_runtime_ctx_terminate_all(guest.ctx));
    for (i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_STR(wasm_runtime_get_exception(guest.inst), "Exception: terminated by user");
    CHECK_STR(wasm_runtime_get_exception(second.inst), "Exception: terminated by user");
    CHECK(!wasm_runtime_get_exception(other.inst));
    CHECK(call(&other, other.env, "fib", 5));
    CHECK(call(&guest, guest.env, "fib", 5));
    wasm_runtime_deinstantiate(second.inst);
    end(&guest);
    end(&other);
}

/* Guest code that the runtime calls on its own reports that it runs, and does not end. */
static bool loop_runs;

static void ready(wasm_exec_env_t env) {
    (void)env;
    __atomic_store_n(&loop_runs, true, __ATOMIC_RELEASE);
}

static NativeSymbol ready_symbol[] = {{"ready", (void *)ready, "()", NULL}};

enum stopper { TERMINATE_ALL, DEADLINE, FUEL, STOPPERS };

static const char *const stop_texts[] = {"terminated by user", "deadline exceeded",
                                         "instruction limit exceeded"};

struct stopping {
    struct guest *guest;
    enum stopper how;
};

static void *stop(void *data) {
    struct stopping *stopping = data;

    while (!__atomic_load_n(&loop_runs, __ATOMIC_ACQUIRE)) {
        sched_yield();
    }
    switch (stopping->how) {
        case TERMINATE_ALL:
            CHECK(wasm_runtime_ctx_terminate_all(stopping->guest->ctx));
            break;
        case DEADLINE:
            limit(stopping->guest, WASM_RUNTIME_CTX_LIMIT_TIME, 1);
            break;
        default:
            limit(stopping->guest, WASM_RUNTIME_CTX_LIMIT_FUEL, 0);
    }
    return NULL;
}

static pthread_t begin_to_stop(struct stopping *stopping) {
    pthread_t thread;

    loop_runs = false;
    CHECK(pthread_create(&thread, NULL, stop, stopping) == 0);
    return thread;
}

static struct guest begin_loop(const char *name) {
    struct guest guest = {wasm_runtime_ctx_create(NULL), NULL, NULL, NULL};
    char error[128];

    CHECK(wasm_runtime_ctx_push(guest.ctx));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    CHECK(wasm_runtime_register_natives("env", ready_symbol, 1));
    if (strcmp(name, "imported_loop") == 0) {
        wasm_module_t module = load_module("ctors_loop");

        CHECK(wasm_runtime_register_module("ctors_loop", module, error, sizeof error));
    }
    guest.module = load_module(name);
    CHECK(wasm_runtime_ctx_pop(guest.ctx));
    return guest;
}

static void start_functions(void) {
    static const char *const names[] = {"start_loop", "initialize_loop", "post_loop", "ctors_loop",
                                        "imported_loop"};
    unsigned i;

    for (i = 0; i < sizeof names / sizeof *names * STOPPERS; i++) {
        struct guest guest = begin_loop(names[i / STOPPERS]);
        struct stopping stopping = {&guest, i % STOPPERS};
        pthread_t thread = begin_to_stop(&stopping);
        char error[128] = "";

        CHECK(!wasm_runtime_instantiate(guest.module, 8192, 0, error, sizeof error));
        pthread_join(thread, NULL);
        CHECK(strstr(error, stop_texts[stopping.how]) != NULL);
        wasm_runtime_unload(guest.module);
        CHECK(wasm_runtime_ctx_destroy(guest.ctx));
    }
}

/* Calls that the runtime makes for the host are no different. */
static void allocators(void) {
    int i;

    for (i = 0; i < 2 * STOPPERS; i++) {
        struct guest guest = begin_loop("malloc_loop");
        struct stopping stopping = {&guest, i / 2};
        pthread_t thread;

        guest.inst = instantiate(guest.module, 8192, 0);
        thread = begin_to_stop(&stopping);
        if (i % 2 == 0) {
            CHECK(wasm_runtime_module_malloc(guest.inst, 8, NULL) == 0);
        }
        else {
            wasm_runtime_module_free(guest.inst, 64);
        }
        pthread_join(thread, NULL);
        CHECK(strstr(wasm_runtime_get_exception(guest.inst), stop_texts[stopping.how]) != NULL);
        wasm_runtime_deinstantiate(guest.inst);
        wasm_runtime_unload(guest.module);
        CHECK(wasm_runtime_ctx_destroy(guest.ctx));
    }
}

static void counters(void) {
    struct guest guest = begin("basic");
    wasm_exec_env_t second = wasm_runtime_create_exec_env(guest.inst, 8192);
    wasm_runtime_ctx_stats_t stats = stats_of(&guest);
    int i;

    CHECK_INT(stats.modules, 1);
    CHECK_INT(stats.instances, 1);
    CHECK_INT(stats.exec_envs, 2);
    CHECK_INT(stats.threads, 0);
    CHECK_INT(stats.calls, 0);
    CHECK(stats.live_blocks > 0 && stats.peak_bytes >= stats.live_bytes);
    for (i = 0; i < 10; i++) {
        CHECK(call(&guest, guest.env, "nothing", 0));
        CHECK(!call(&guest, second, "trap", 0));
    }
    stats = stats_of(&guest);
    CHECK_INT(stats.calls, 20);
    CHECK_INT(stats.traps, 10);
    /* Exec_envs that are gone have counted, too. */
    wasm_runtime_destroy_exec_env(second);
    stats = stats_of(&guest);
    CHECK_INT(stats.calls, 20);
    CHECK_INT(stats.traps, 10);
    CHECK_INT(stats.exec_envs, 1);
    end(&guest);
}

static char logged[256];
static const char *const first_message =
    "b2:warning: failed to link import function (host, sum)\n";

static void log_callback(uint32_t level, const char *text, void *user_data) {
    char line[200];

    snprintf(line, sizeof line, "%s%u:%s\n", (char *)user_data, level, text);
    strncat(logged, line, sizeof logged - strlen(logged) - 1);
}

static void *no_context(void *data) {
    (void)data;
    CHECK(!wasm_runtime_ctx_current());
    CHECK(!wasm_runtime_malloc(1));
    return NULL;
}

static void settings(void) {
    RuntimeInitArgs args = system_args();
    wasm_runtime_ctx_jit_options_t options;
    wasm_runtime_ctx_t ctx, other;
    wasm_module_t module;
    pthread_t thread;

    args.running_mode = Mode_Interp;
    args.gc_heap_size = 123456;
    args.llvm_jit_opt_level = 2;
    args.fast_jit_code_cache_size = 4096;
    ctx = wasm_runtime_ctx_create(&args);
    other = wasm_runtime_ctx_create(NULL);
    CHECK_INT(wasm_runtime_ctx_get_log_level(ctx), WASM_LOG_LEVEL_WARNING);
    CHECK_INT(wasm_runtime_ctx_get_running_mode(ctx), Mode_Interp);
    CHECK_INT(wasm_runtime_ctx_get_gc_heap_size(ctx), 123456);
    options.struct_size = sizeof options;
    CHECK(wasm_runtime_ctx_get_jit_options(ctx, &options));
    CHECK_INT(options.llvm_jit_opt_level, 2);
    CHECK_INT(options.fast_jit_code_cache_size, 4096);

    /* Messages go to the context's own callback. */
    CHECK(wasm_runtime_ctx_set_log_callback(ctx, log_callback, "a"));
    CHECK(wasm_runtime_ctx_set_log_callback(other, log_callback, "b"));
    CHECK(wasm_runtime_ctx_push(other));
    module = load_module("natives");
    CHECK(wasm_runtime_ctx_pop(other));
    wasm_runtime_deinstantiate(instantiate(module, 0, 0));
    wasm_runtime_unload(module);
    CHECK(wasm_runtime_ctx_push(other));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_ERROR);
    CHECK(wasm_runtime_ctx_pop(other));
    CHECK_INT(wasm_runtime_ctx_get_log_level(other), WASM_LOG_LEVEL_ERROR);
    CHECK(strncmp(logged, first_message, strlen(first_message)) == 0);
    CHECK(wasm_runtime_ctx_set_log_callback(other, NULL, NULL));
    wasm_runtime_ctx_release(other);

    /* A thread that is in no context is refused, if the primary says so. */
    CHECK(wasm_runtime_ctx_get_fallback(ctx));
    CHECK(wasm_runtime_ctx_set_fallback(ctx, false));
    CHECK(!wasm_runtime_ctx_get_fallback(ctx));
    CHECK(pthread_create(&thread, NULL, no_context, NULL) == 0);
    pthread_join(thread, NULL);
    CHECK(wasm_runtime_ctx_primary() == ctx);

    CHECK(wasm_runtime_ctx_set_current(ctx));
    CHECK(wasm_runtime_full_init(&args));
    CHECK_INT(wasm_runtime_ctx_init_conflicts(ctx), 0);
    args.gc_heap_size = 1;
    logged[0] = 0;
    CHECK(wasm_runtime_full_init(&args));
    CHECK_INT(wasm_runtime_ctx_init_conflicts(ctx), 1);
    CHECK(strncmp(logged, "a2:", 3) == 0);
    wasm_runtime_destroy();
    wasm_runtime_destroy();
    wasm_runtime_destroy();
    CHECK(wasm_runtime_ctx_destroy(ctx));
}

static void run(void) {
    null_handles();
    sizes();
    memory();
    fuel();
    deadline();
    termination();
    start_functions();
    allocators();
    counters();
    settings();
}
