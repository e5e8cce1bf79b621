/* Workers that live many lives: in each a context with a random configuration, a guest, random
   work with it, and an end that is tidy or not. While a guest is exposed, other workers and a
   reaper end what it does. */

#include "stress.h"

#define THREADS 3
#define SLOTS MAX_WORKERS

/* A worker's guest as other threads reach it, which hold the lock while they use it. */
struct exposed {
    pthread_mutex_t lock;
    struct tenant *tenant;
};

static struct exposed exposed[SLOTS];
/* Nothing that two threads have in common. */
static bool apart;
/* A memory checker objects to looking at bytes that a pool has not given out. */
static bool watched;

/* ---- Allocators of the embedder's, one for each worker, that know their blocks ---- */

struct block {
    uint64_t owner;
    uint64_t size;
};

static long live_blocks[SLOTS];
static bool strayed;

static void *slot_malloc(int slot, unsigned size) {
    struct block *block = malloc(sizeof *block + size);

    if (!block) {
        return NULL;
    }
    block->owner = (uint64_t)slot ^ SECRET_MARK;
    block->size = size;
    __atomic_add_fetch(&live_blocks[slot], 1, __ATOMIC_RELAXED);
    return block + 1;
}

static void slot_free(int slot, void *ptr) {
    struct block *block = (struct block *)ptr - 1;

    if (!ptr) {
        return;
    }
    if (block->owner != ((uint64_t)slot ^ SECRET_MARK)) {
        __atomic_store_n(&strayed, true, __ATOMIC_RELAXED);
        return;
    }
    memset(ptr, 0xee, block->size);
    block->owner = 0;
    __atomic_sub_fetch(&live_blocks[slot], 1, __ATOMIC_RELAXED);
    free(block);
}

static void *slot_realloc(int slot, void *ptr, unsigned size) {
    void *moved = slot_malloc(slot, size);
    uint64_t before = ptr ? ((struct block *)ptr - 1)->size : 0;

    if (moved && ptr) {
        memcpy(moved, ptr, before < size ? before : size);
        slot_free(slot, ptr);
    }
    return moved;
}

/* Allocator functions get no word of their own, so each slot has its own functions. */
#define ALLOCATOR(n) \
    static void *malloc_##n(unsigned size) { return slot_malloc(n, size); } \
    static void *realloc_##n(void *ptr, unsigned size) { return slot_realloc(n, ptr, size); } \
    static void free_##n(void *ptr) { slot_free(n, ptr); }

ALLOCATOR(0) ALLOCATOR(1) ALLOCATOR(2) ALLOCATOR(3)
ALLOCATOR(4) ALLOCATOR(5) ALLOCATOR(6) ALLOCATOR(7)

static const struct {
    void *malloc_func, *realloc_func, *free_func;
} allocators[] = {
#define ROW(n) {(void *)malloc_##n, (void *)realloc_##n, (void *)free_##n}
    ROW(0), ROW(1), ROW(2), ROW(3), ROW(4), ROW(5), ROW(6), ROW(7),
};

#define ALLOCATORS (int)(sizeof allocators / sizeof *allocators)

/* ---- One life ---- */

struct life {
    struct worker *w;
    struct tenant tenant;
    /* NULL if the context is not in a pool. */
    char *pool;
    uint32_t pool_size;
    bool has_allocator, is_cluster, is_own, leaves;
    uint64_t blocks_at_start;
};

static void configure(struct life *l, RuntimeInitArgs *args) {
    int slot = l->w->number;

    *args = system_args();
    if (apart) {
        /* A context that compiles has a thread, and helgrind does not know the locks between. */
        args->running_mode = Mode_Interp;
    }
    switch (below(l->w, 3)) {
        case 0:
            l->pool_size = (2u << 20) + below(l->w, 2u << 20);
            l->pool = calloc(1, l->pool_size);
            args->mem_alloc_type = Alloc_With_Pool;
            args->mem_alloc_option.pool.heap_buf = l->pool;
            args->mem_alloc_option.pool.heap_size = l->pool_size;
            break;
        case 1:
            if (slot >= ALLOCATORS) {
                break;
            }
            l->has_allocator = true;
            args->mem_alloc_type = Alloc_With_Allocator;
            args->mem_alloc_option.allocator.malloc_func = allocators[slot].malloc_func;
            if (one_in(l->w, 2)) {
                args->mem_alloc_option.allocator.realloc_func = allocators[slot].realloc_func;
            }
            args->mem_alloc_option.allocator.free_func = allocators[slot].free_func;
            break;
        default:
            break;
    }
    args->max_thread_num = 16;
    args->native_module_name = "host";
    args->native_symbols = l->tenant.symbols;
    args->n_native_symbols = 2;
}

static void limit(struct tenant *t, uint32_t which, uint64_t value) {
    wasm_runtime_ctx_limits_t limits;

    memset(&limits, 0, sizeof limits);
    limits.struct_size = sizeof limits;
    limits.set = which;
    limits.memory_bytes = limits.fuel = limits.time_ms = value;
    CHECK(wasm_runtime_ctx_set_limits(t->ctx, &limits));
}

static void begin_guest(struct life *l) {
    struct tenant *t = &l->tenant;

    t->module = load_module(l->is_cluster ? "cluster" : "alone");
    t->inst = instantiate(t->module, 8192, 0);
    t->env = wasm_runtime_create_exec_env(t->inst, 8192 + below(l->w, 8192));
    CHECK(t->env != NULL);
    fill(t);
}

static void end_guest(struct life *l) {
    struct tenant *t = &l->tenant;

    if (one_in(l->w, 2)) {
        wasm_runtime_deinstantiate(t->inst);
        wasm_runtime_destroy_exec_env(t->env);
    } else {
        if (l->is_cluster) {
            wasm_runtime_terminate(t->inst);
        }
        wasm_runtime_destroy_exec_env(t->env);
        wasm_runtime_deinstantiate(t->inst);
    }
    wasm_runtime_unload(t->module);
}

static void begin(struct life *l) {
    struct tenant *t = &l->tenant;
    RuntimeInitArgs args;

    step(l->w, "begin");
    t->secret = new_secret(l->w);
    name_natives(t);
    configure(l, &args);
    l->is_own = one_in(l->w, 2);
    l->is_cluster = !apart && one_in(l->w, 2);
    l->leaves = one_in(l->w, 8);
    if (l->is_own) {
        CHECK(wasm_runtime_full_init(&args));
        t->ctx = wasm_runtime_ctx_current();
    } else {
        t->ctx = wasm_runtime_ctx_create(&args);
        CHECK(t->ctx && wasm_runtime_ctx_push(t->ctx));
    }
    wasm_runtime_set_log_level(quiet());
    /* Tables that a context makes when it needs them stay. */
    begin_guest(l);
    end_guest(l);
    l->blocks_at_start = stats_of(t).live_blocks;
    begin_guest(l);
}

/* ---- The steps of a life ---- */

static void blocks(struct life *l) {
    uint64_t *held[20];
    int i;

    for (i = 0; i < 20; i++) {
        held[i] = wasm_runtime_malloc(sizeof(uint64_t) + below(l->w, 2000));
        CHECK(held[i] != NULL);
        if (!held[i]) {
            continue;
        }
        *held[i] = l->tenant.secret;
        if (l->pool) {
            CHECK((char *)held[i] >= l->pool && (char *)held[i] < l->pool + l->pool_size);
        }
    }
    for (i = 0; i < 20; i++) {
        CHECK(!held[i] || *held[i] == l->tenant.secret);
        wasm_runtime_free(held[i]);
    }
}

/* With hardly any memory left, everything fails or works, and nothing breaks. */
static void quota(struct life *l) {
    struct tenant *t = &l->tenant;
    char error[128] = "";
    wasm_module_inst_t second;
    uint64_t before = stats_of(t).live_bytes;
    uint32_t secret[2];

    limit(t, WASM_RUNTIME_CTX_LIMIT_MEMORY, before + below(l->w, 150000));
    second = wasm_runtime_instantiate(t->module, 8192, 0, error, sizeof error);
    CHECK(second || strncmp(error, "WASM module instantiate failed: ", 32) == 0);
    wasm_runtime_free(wasm_runtime_malloc(below(l->w, 100000) + 1));
    wasm_runtime_deinstantiate(second);
    limit(t, WASM_RUNTIME_CTX_LIMIT_MEMORY, UINT64_MAX);
    /* The next call does not fail because the end of an instance took too much. */
    CHECK(call(t, "secret", 0, secret));
}

static void limits(struct life *l) {
    struct tenant *t = &l->tenant;

    limit(t, WASM_RUNTIME_CTX_LIMIT_TIME, below(l->w, 4));
    CHECK(!call(t, "spin", 0, NULL));
    limit(t, WASM_RUNTIME_CTX_LIMIT_TIME, UINT64_MAX);
    expect_exception(t, "deadline exceeded");
    limit(t, WASM_RUNTIME_CTX_LIMIT_FUEL, below(l->w, 300000));
    CHECK(!call(t, "spin", 0, NULL));
    limit(t, WASM_RUNTIME_CTX_LIMIT_FUEL, UINT64_MAX);
    expect_exception(t, "instruction limit exceeded");
    CHECK(!call(t, "trap", 0, NULL));
    expect_exception(t, "unreachable");
}

struct player {
    struct tenant *tenant;
    uint32_t number, rounds;
    const char *name;
};

static bool call_on(wasm_exec_env_t env, const char *name, uint32_t argc, uint32_t *argv) {
    wasm_module_inst_t inst = wasm_runtime_get_module_inst(env);

    return wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, name), argc, argv);
}

static void *play(wasm_exec_env_t env, void *data) {
    struct player *player = data;
    uint32_t argv[3] = {player->number, THREADS + 1, player->rounds};

    CHECK(wasm_runtime_ctx_current() == player->tenant->ctx);
    CHECK(call_on(env, "pass", 3, argv));
    return data;
}

/* Threads of one guest wait for each other, round after round. */
static void pass(struct life *l) {
    struct player players[THREADS + 1];
    uint32_t rounds = 1 + below(l->w, 30), argv[3] = {THREADS, THREADS + 1, rounds};
    wasm_thread_t threads[THREADS];
    int i;

    for (i = 0; i < THREADS; i++) {
        players[i] = (struct player){&l->tenant, (uint32_t)i, rounds, NULL};
        CHECK_INT(wasm_runtime_spawn_thread(l->tenant.env, &threads[i], play, &players[i]), 0);
    }
    CHECK(call(&l->tenant, "pass", 3, argv));
    for (i = 0; i < THREADS; i++) {
        void *result = NULL;

        CHECK_INT(wasm_runtime_join_thread(threads[i], &result), 0);
        CHECK(result == &players[i]);
    }
}

static void *stay(wasm_exec_env_t env, void *data) {
    struct player *player = data;

    CHECK(!call_on(env, player->name, 0, NULL));
    return NULL;
}

/* The guest goes on for good, on one thread or several, until another thread ends it. */
static void expose(struct life *l) {
    struct exposed *place = &exposed[l->w->number];
    struct player players[THREADS];
    wasm_thread_t threads[THREADS];
    int i, count = l->is_cluster ? (int)below(l->w, THREADS + 1) : 0;

    for (i = 0; i < count; i++) {
        const char *name = one_in(l->w, 2) ? "wait" : "spin";

        players[i] = (struct player){&l->tenant, 0, 0, name};
        CHECK_INT(wasm_runtime_spawn_thread(l->tenant.env, &threads[i], stay, &players[i]), 0);
    }
    pthread_mutex_lock(&place->lock);
    place->tenant = &l->tenant;
    pthread_mutex_unlock(&place->lock);
    CHECK(!call(&l->tenant, l->is_cluster && one_in(l->w, 2) ? "wait" : "spin", 0, NULL));
    pthread_mutex_lock(&place->lock);
    place->tenant = NULL;
    pthread_mutex_unlock(&place->lock);
    for (i = 0; i < count; i++) {
        CHECK_INT(wasm_runtime_join_thread(threads[i], NULL), 0);
    }
    expect_exception(&l->tenant, "terminated by user");
}

/* Ends a worker's call, if its guest is exposed. */
static void end_somebody(uint64_t *random) {
    struct exposed *place = &exposed[next_random(random) % (uint64_t)worker_count];

    pthread_mutex_lock(&place->lock);
    if (place->tenant) {
        if (next_random(random) % 2) {
            wasm_runtime_terminate(place->tenant->inst);
        } else {
            CHECK(wasm_runtime_ctx_terminate_all(place->tenant->ctx));
        }
    }
    pthread_mutex_unlock(&place->lock);
}

static void *reaper(void *data) {
    uint64_t random = seed;

    (void)data;
    while (!all_done()) {
        end_somebody(&random);
        pause_us(500);
    }
    return NULL;
}

static void one_thing(struct life *l) {
    struct tenant *t = &l->tenant;
    size_t bytes;

    no_threads(t);
    switch (below(l->w, l->is_cluster ? 10 : apart ? 6 : 8)) {
        case 0: step(l->w, "nest"); nest(t, below(l->w, 20)); break;
        case 1: step(l->w, "grow"); grow(t); break;
        case 2: step(l->w, "blocks"); blocks(l); break;
        case 3: step(l->w, "quota"); quota(l); break;
        case 4: step(l->w, "limits"); limits(l); break;
        case 5: step(l->w, "yield"); sched_yield(); break;
        case 6: step(l->w, "expose"); expose(l); break;
        case 7: step(l->w, "end somebody"); end_somebody(&l->w->random); break;
        case 8: step(l->w, "pass"); pass(l); break;
        default: step(l->w, "start"); start_threads(t, 1 + below(l->w, THREADS)); break;
    }
    step(l->w, "verify");
    fill(t);
    guest_bytes(t, &bytes);
    verify(t, bytes);
}

static void end(struct life *l) {
    struct tenant *t = &l->tenant;
    wasm_runtime_ctx_stats_t stats;

    step(l->w, "end");
    if (l->is_cluster && one_in(l->w, 4)) {
        static struct player last = {NULL, 0, 0, "wait"};

        /* Runs when its program ends. */
        CHECK_INT(wasm_runtime_spawn_thread(t->env, NULL, stay, &last), 0);
    }
    end_guest(l);
    stats = stats_of(t);
    CHECK_INT(stats.modules + stats.instances + stats.exec_envs + stats.threads, 0);
    /* The table of threads stays. */
    CHECK(stats.live_blocks <= l->blocks_at_start + 4);
    if (l->is_own) {
        wasm_runtime_destroy();
    } else {
        CHECK(wasm_runtime_ctx_pop(t->ctx));
        CHECK(wasm_runtime_ctx_destroy(t->ctx));
    }
}

static void *live(void *data) {
    struct life *l = data;
    int things = 1 + (int)below(l->w, 12);

    begin(l);
    while (things-- > 0) {
        one_thing(l);
    }
    if (!l->leaves) {
        end(l);
    } else if (l->is_cluster) {
        /* Waits for the guest's threads; the rest stays. */
        wasm_runtime_destroy_exec_env(l->tenant.env);
    }
    return NULL;
}

/* ---- Life after life ---- */

static void *tenant_worker(void *data) {
    struct worker *w = data;
    long *live_now = &live_blocks[w->number];

    do {
        struct life *l = calloc(1, sizeof *l);
        long before = __atomic_load_n(live_now, __ATOMIC_RELAXED);
        pthread_t thread;

        l->w = w;
        CHECK(pthread_create(&thread, NULL, live, l) == 0);
        pthread_join(thread, NULL);
        if (l->pool && !watched) {
            CHECK(!has_foreign_secret(l->pool, l->pool_size, l->tenant.secret));
        }
        if (!l->leaves) {
            CHECK_INT(__atomic_load_n(live_now, __ATOMIC_RELAXED), before);
        } else if (l->has_allocator) {
            CHECK(__atomic_load_n(live_now, __ATOMIC_RELAXED) > before);
        }
        free(l->pool);
        /* A context that a thread left behind stays as it is, its natives included. */
        if (!l->leaves) {
            free(l);
        }
    } while (!time_is_up());
    worker_done(w);
    return NULL;
}

static void run(void) {
    int i;

    set_up();
    apart = getenv("STRESS_APART") != NULL;
    watched = getenv("STRESS_WATCHED") != NULL;
    for (i = 0; i < SLOTS; i++) {
        pthread_mutex_init(&exposed[i].lock, NULL);
    }
    /* The process's own state is made before its threads: helgrind does not know our locks. */
    CHECK(wasm_runtime_init());
    wasm_runtime_destroy();
    work(tenant_worker, apart ? NULL : reaper);
    CHECK(!strayed);
}
