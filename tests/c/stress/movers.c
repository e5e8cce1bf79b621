/* Many contexts on few threads: entered and left by push and pop, and carried from thread to
   thread as thread states. */

#include "stress.h"

#define TENANTS 16
#define STATES 8

/* A guest that any thread may use, one at a time. */
struct place {
    pthread_mutex_t lock;
    struct tenant tenant;
};

static struct place places[TENANTS];

/* A thread state with a context of its own; NULL before it has one. */
struct carried {
    pthread_mutex_t lock;
    void *state;
    struct tenant tenant;
};

static struct carried carried[STATES];

static void begin(struct worker *w, struct tenant *t, wasm_runtime_ctx_t ctx) {
    t->secret = new_secret(w);
    name_natives(t);
    t->ctx = ctx;
    wasm_runtime_set_log_level(quiet());
    CHECK(wasm_runtime_register_natives("host", t->symbols, 2));
    t->module = load_module("alone");
    t->inst = instantiate(t->module, 8192, 0);
    t->env = wasm_runtime_create_exec_env(t->inst, 8192);
    fill(t);
}

static void end(struct tenant *t) {
    wasm_runtime_destroy_exec_env(t->env);
    wasm_runtime_deinstantiate(t->inst);
    wasm_runtime_unload(t->module);
}

/* The secret in the guest is its owner's, on any thread. */
static void check_tenant(struct worker *w, struct tenant *t) {
    uint32_t argv[2];
    size_t bytes;
    char *memory = guest_bytes(t, &bytes);

    CHECK(!has_foreign_secret(memory, bytes, t->secret));
    CHECK(call(t, "secret", 0, argv));
    CHECK(argv[0] == (uint32_t)t->secret && argv[1] == t->secret >> 32);
    nest(t, below(w, 6));
}

static void in_current(wasm_runtime_ctx_t ctx) {
    wasm_runtime_ctx_stats_t before, during;
    void *block;

    before.struct_size = during.struct_size = sizeof before;
    CHECK(wasm_runtime_ctx_current() == ctx);
    CHECK(wasm_runtime_ctx_stats(ctx, &before));
    block = wasm_runtime_malloc(1000);
    CHECK(block && wasm_runtime_ctx_stats(ctx, &during));
    CHECK_INT(during.live_blocks, before.live_blocks + 1);
    wasm_runtime_free(block);
}

/* Enters up to three contexts, one inside the other. */
static void push_and_pop(struct worker *w) {
    wasm_runtime_ctx_t outer = wasm_runtime_ctx_current();
    int at[3], depth = 1 + (int)below(w, 3), i;

    step(w, "push and pop");
    for (i = 0; i < depth; i++) {
        at[i] = (int)below(w, TENANTS - 3) + i;
        if (i > 0 && at[i] <= at[i - 1]) {
            at[i] = at[i - 1] + 1;
        }
    }
    /* Locks are taken in one order. */
    for (i = 0; i < depth; i++) {
        struct place *place = &places[at[i]];

        pthread_mutex_lock(&place->lock);
        CHECK(wasm_runtime_ctx_push(place->tenant.ctx));
        in_current(place->tenant.ctx);
        check_tenant(w, &places[at[0]].tenant);
    }
    while (depth-- > 0) {
        struct place *place = &places[at[depth]];

        in_current(place->tenant.ctx);
        CHECK(wasm_runtime_ctx_pop(place->tenant.ctx));
        check_tenant(w, &place->tenant);
        pthread_mutex_unlock(&place->lock);
    }
    CHECK(wasm_runtime_ctx_current() == outer);
}

/* Takes a state into place, works in its context, and puts it back. */
static void carry(struct worker *w) {
    struct carried *c = &carried[below(w, STATES)];
    struct tenant *t = &c->tenant;
    void *mine;

    step(w, "carry");
    pthread_mutex_lock(&c->lock);
    mine = wasm_runtime_thread_state_swap(c->state);
    if (!c->state) {
        CHECK(wasm_runtime_init());
        begin(w, t, wasm_runtime_ctx_current());
    }
    in_current(t->ctx);
    check_tenant(w, t);
    if (one_in(w, 4)) {
        push_and_pop(w);
    }
    if (one_in(w, 8)) {
        end(t);
        wasm_runtime_destroy();
        c->state = wasm_runtime_thread_state_swap(mine);
        CHECK(wasm_runtime_ctx_thread_state_destroy(c->state));
        c->state = NULL;
    } else {
        c->state = wasm_runtime_thread_state_swap(mine);
    }
    pthread_mutex_unlock(&c->lock);
}

/* A context is ended and made anew while others are in other ones. */
static void replace(struct worker *w) {
    struct place *place = &places[below(w, TENANTS)];
    struct tenant *t = &place->tenant;

    step(w, "replace");
    pthread_mutex_lock(&place->lock);
    end(t);
    CHECK(wasm_runtime_ctx_destroy(t->ctx));
    t->ctx = wasm_runtime_ctx_create(NULL);
    CHECK(wasm_runtime_ctx_push(t->ctx));
    begin(w, t, t->ctx);
    CHECK(wasm_runtime_ctx_pop(t->ctx));
    pthread_mutex_unlock(&place->lock);
}

static void *mover(void *data) {
    struct worker *w = data;
    wasm_runtime_ctx_t mine = NULL;

    if (one_in(w, 2)) {
        CHECK(wasm_runtime_init());
        mine = wasm_runtime_ctx_current();
    }
    do {
        switch (below(w, 8)) {
            case 0: replace(w); break;
            case 1: case 2: case 3: carry(w); break;
            default: push_and_pop(w); break;
        }
        CHECK(!mine || wasm_runtime_ctx_current() == mine);
    } while (!time_is_up());
    if (mine) {
        wasm_runtime_destroy();
    }
    worker_done(w);
    return NULL;
}

static void run(void) {
    int i;

    set_up();
    /* The primary, for threads that are in no other context. */
    CHECK(wasm_runtime_init());
    for (i = 0; i < TENANTS; i++) {
        struct tenant *t = &places[i].tenant;

        pthread_mutex_init(&places[i].lock, NULL);
        t->ctx = wasm_runtime_ctx_create(NULL);
        CHECK(wasm_runtime_ctx_push(t->ctx));
        begin(&workers[0], t, t->ctx);
        CHECK(wasm_runtime_ctx_pop(t->ctx));
    }
    for (i = 0; i < STATES; i++) {
        pthread_mutex_init(&carried[i].lock, NULL);
    }
    work(mover, NULL);
    for (i = 0; i < TENANTS; i++) {
        end(&places[i].tenant);
        CHECK(wasm_runtime_ctx_destroy(places[i].tenant.ctx));
    }
    for (i = 0; i < STATES; i++) {
        if (carried[i].state) {
            end(&carried[i].tenant);
            CHECK(wasm_runtime_ctx_thread_state_destroy(carried[i].state));
        }
    }
    wasm_runtime_destroy();
    CHECK(!wasm_runtime_ctx_primary());
}
