/* The rules by which calls find their context, each as programs rely on it. */

#include <unistd.h>
#include "rows.h"

static _Alignas(16) char a_pool[1 << 20], b_pool[1 << 20];

static RuntimeInitArgs with_pool(void *pool, uint32_t size) {
    RuntimeInitArgs args = system_args();

    args.mem_alloc_type = Alloc_With_Pool;
    args.mem_alloc_option.pool.heap_buf = pool;
    args.mem_alloc_option.pool.heap_size = size;
    return args;
}

static bool in_pool(const void *block, const char *pool) {
    return (const char *)block >= pool && (const char *)block < pool + sizeof a_pool;
}

/* Whether the calling thread's calls without a handle end up in this pool. */
static bool allocates_in(const char *pool) {
    void *block = wasm_runtime_malloc(64);
    bool is_there = in_pool(block, pool);

    wasm_runtime_free(block);
    return is_there;
}

static void in_thread(void *(*body)(void *), void *data) {
    pthread_t thread;

    CHECK(pthread_create(&thread, NULL, body, data) == 0);
    pthread_join(thread, NULL);
}

static int32_t who_a(wasm_exec_env_t env) {
    (void)env;
    return allocates_in(a_pool) ? 'A' : '?';
}

static NativeSymbol natives_a[] = {{"who", (void *)who_a, "()i", NULL}};

static void init_a(void) {
    RuntimeInitArgs args = with_pool(a_pool, sizeof a_pool);

    args.native_module_name = "env";
    args.native_symbols = natives_a;
    args.n_native_symbols = 1;
    quiet_init(&args);
}

static struct guest guest;

/* (a) Init on the main thread, calls from workers that prepare themselves or do nothing. */
static void *worker(void *prepares) {
    struct guest own;

    if (prepares) {
        CHECK(wasm_runtime_init_thread_env());
    }
    CHECK_INT(call(&guest, "who", 0, 0, 0), 'A');
    CHECK(allocates_in(a_pool));
    own = start_guest("guest");
    CHECK(in_pool(own.inst, a_pool) || in_pool(own.env, a_pool));
    CHECK_INT(call(&own, "who", 0, 0, 0), 'A');
    end_guest(&own);
    if (prepares) {
        wasm_runtime_destroy_thread_env();
    }
    return NULL;
}

static void workers(void) {
    int i;

    CHECK(wasm_runtime_init_thread_env());
    CHECK(!wasm_runtime_malloc(1));
    wasm_runtime_destroy_thread_env();
    init_a();
    guest = start_guest("guest");
    for (i = 0; i < rounds(); i++) {
        in_thread(worker, i % 2 ? &guest : NULL);
    }
    end_guest(&guest);
    wasm_runtime_destroy();
}

/* (b) Loaded in A, instantiated in B, called in C, and all of it stays A's. */
static void *instantiates(void *data) {
    RuntimeInitArgs args = with_pool(b_pool, sizeof b_pool);

    (void)data;
    quiet_init(&args);
    guest.inst = instantiate(guest.module, 8192, 0);
    CHECK(allocates_in(b_pool));
    wasm_runtime_destroy();
    return NULL;
}

static void *calls_it(void *data) {
    RuntimeInitArgs args = with_pool(b_pool, sizeof b_pool);

    (void)data;
    quiet_init(&args);
    guest.env = wasm_runtime_create_exec_env(guest.inst, 8192);
    CHECK(in_pool(guest.env, a_pool));
    CHECK_INT(call(&guest, "who", 0, 0, 0), 'A');
    CHECK(allocates_in(b_pool));
    wasm_runtime_destroy();
    return NULL;
}

static void handles_win(void) {
    int i;

    init_a();
    for (i = 0; i < rounds(); i++) {
        guest.module = load_module("guest");
        in_thread(instantiates, NULL);
        in_thread(calls_it, NULL);
        CHECK_INT(call(&guest, "who", 0, 0, 0), 'A');
        end_guest(&guest);
    }
    wasm_runtime_destroy();
}

/* (c) Init twice: the same arguments count, others are ignored and leave their pool alone. */
static void init_twice(void) {
    RuntimeInitArgs first = with_pool(a_pool, sizeof a_pool);
    RuntimeInitArgs second;
    char *early = calloc(1, 64 << 10);
    int i;

    quiet_init(&first);
    CHECK(wasm_runtime_full_init(&first));
    second = with_pool(early, 64 << 10);
    CHECK(wasm_runtime_full_init(&second));
    CHECK(wasm_runtime_init());
    CHECK(allocates_in(a_pool));
    for (i = 0; i < 64 << 10; i++) {
        CHECK(early[i] == 0);
    }
    free(early);
    wasm_runtime_destroy();
    wasm_runtime_destroy();
    wasm_runtime_destroy();
    CHECK(allocates_in(a_pool));
    wasm_runtime_destroy();
    CHECK(!wasm_runtime_malloc(1));
}

/* (d) Destroy on another thread: its own context, else the first; one call too many, nothing. */
static void *destroys_own(void *data) {
    RuntimeInitArgs args = with_pool(b_pool, sizeof b_pool);

    (void)data;
    quiet_init(&args);
    wasm_runtime_destroy();
    CHECK(allocates_in(a_pool));
    return NULL;
}

static void *destroys_first(void *data) {
    (void)data;
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    wasm_runtime_destroy();
    CHECK(!wasm_runtime_malloc(1));
    wasm_runtime_destroy();
    wasm_runtime_destroy();
    return NULL;
}

static void destroy_elsewhere(void) {
    init_a();
    in_thread(destroys_own, NULL);
    CHECK(allocates_in(a_pool));
    in_thread(destroys_first, NULL);
    CHECK(!wasm_runtime_malloc(1));
    /* Nothing is counted below zero. */
    init_a();
    CHECK(allocates_in(a_pool));
    wasm_runtime_destroy();
}

/* (e) A thread ends without destroy: the first context stays, any other goes when its last object
   does. */
static void *sets_up(void *data) {
    (void)data;
    init_a();
    return NULL;
}

static void *leaves_module(void *data) {
    RuntimeInitArgs args = with_pool(b_pool, sizeof b_pool);

    (void)data;
    args.native_module_name = "env";
    args.native_symbols = natives_a;
    args.n_native_symbols = 1;
    quiet_init(&args);
    guest = start_guest("guest");
    CHECK(in_pool(guest.env, b_pool));
    return NULL;
}

static int live_blocks;

static void *counting_malloc(unsigned size) {
    live_blocks++;
    return malloc(size);
}

static void counting_free(void *block) {
    live_blocks -= block != NULL;
    free(block);
}

static void *leaves_nothing(void *data) {
    RuntimeInitArgs args = system_args();

    (void)data;
    args.mem_alloc_type = Alloc_With_Allocator;
    args.mem_alloc_option.allocator.malloc_func = (void *)counting_malloc;
    args.mem_alloc_option.allocator.free_func = (void *)counting_free;
    quiet_init(&args);
    CHECK(wasm_runtime_register_natives("env", natives_a, 1));
    CHECK(live_blocks > 0);
    return NULL;
}

static void exit_without_destroy(void) {
    int i;

    for (i = 0; i < rounds() / 10 + 1; i++) {
        in_thread(sets_up, NULL);
        CHECK(allocates_in(a_pool));
        in_thread(leaves_module, NULL);
        /* Its context is no thread's any more, and the objects in it work as before. */
        CHECK(allocates_in(a_pool));
        CHECK_INT(call(&guest, "add", 2, 1, 2), 3);
        end_guest(&guest);
        in_thread(leaves_nothing, NULL);
        CHECK_INT(live_blocks, 0);
        wasm_runtime_destroy();
        CHECK(!wasm_runtime_malloc(1));
    }
}

/* (g) A native that calls handle-free functions is in its guest's context, on whatever thread;
   one that makes a context is in that one until it returns. */
static int32_t makes_context(wasm_exec_env_t env) {
    RuntimeInitArgs args = with_pool(b_pool, sizeof b_pool);
    bool was_guests = allocates_in(a_pool);

    (void)env;
    quiet_init(&args);
    return was_guests && allocates_in(b_pool) ? 'N' : '?';
}

static NativeSymbol nested[] = {{"who", (void *)makes_context, "()i", NULL}};

static void *calls_from_own(void *data) {
    RuntimeInitArgs args = with_pool(b_pool, sizeof b_pool);

    (void)data;
    quiet_init(&args);
    CHECK_INT(call(&guest, "who", 0, 0, 0), 'A');
    CHECK(allocates_in(b_pool));
    wasm_runtime_destroy();
    return NULL;
}

static void *calls_maker(void *data) {
    (void)data;
    CHECK(allocates_in(a_pool));
    CHECK_INT(call(&guest, "who", 0, 0, 0), 'N');
    /* The context that the native made is the thread's own now. */
    CHECK(allocates_in(b_pool));
    wasm_runtime_destroy();
    CHECK(allocates_in(a_pool));
    return NULL;
}

static void inside_natives(void) {
    int i;

    init_a();
    guest = start_guest("guest");
    for (i = 0; i < rounds() / 10 + 1; i++) {
        in_thread(calls_from_own, NULL);
    }
    end_guest(&guest);
    CHECK(wasm_runtime_register_natives("env", nested, 1));
    guest = start_guest("guest");
    for (i = 0; i < rounds() / 10 + 1; i++) {
        in_thread(calls_maker, NULL);
    }
    end_guest(&guest);
    wasm_runtime_destroy();
}

/* (h) A pool's threads take turns: each step of one object's life is on another one, as in
   languages whose scheduler picks the thread. */
static void *step_init(void *data) {
    (void)data;
    init_a();
    return NULL;
}

static void *step_load(void *data) {
    (void)data;
    guest.module = load_module("guest");
    return NULL;
}

static void *step_start(void *data) {
    (void)data;
    guest.inst = instantiate(guest.module, 8192, 0);
    guest.env = wasm_runtime_create_exec_env(guest.inst, 8192);
    return NULL;
}

static void *step_call(void *data) {
    (void)data;
    CHECK_INT(call(&guest, "who", 0, 0, 0), 'A');
    return NULL;
}

static void *step_end(void *data) {
    (void)data;
    end_guest(&guest);
    return NULL;
}

static void *step_destroy(void *data) {
    (void)data;
    wasm_runtime_destroy();
    return NULL;
}

static void moving_work(void) {
    void *(*steps[])(void *) = {step_init, step_load, step_start, step_call,
                                step_call, step_end,  step_destroy};
    size_t i;
    int round;

    for (round = 0; round < rounds() / 10 + 1; round++) {
        for (i = 0; i < sizeof steps / sizeof steps[0]; i++) {
            in_thread(steps[i], NULL);
        }
        CHECK(!wasm_runtime_malloc(1));
    }
}

static void run(void) {
    row("workers of one context", workers);
    row("a handle wins", handles_win);
    row("init twice", init_twice);
    row("destroy on another thread", destroy_elsewhere);
    row("exit without destroy", exit_without_destroy);
    row("inside natives", inside_natives);
    row("work that moves between threads", moving_work);
}
