/* Several stacks on one thread, each with contexts of its own: a state for each. */

#include <ucontext.h>
#include "check.h"
#include "wasm_runtime_ctx.h"

#define FIBRES 3
#define ROUNDS 4

struct fibre {
    ucontext_t stack;
    void *state;
    wasm_runtime_ctx_t ctx;
    int rounds;
    bool done;
    char memory[256 << 10];
};

static struct fibre fibres[FIBRES];
/* One for all of them, or NULL. */
static wasm_module_inst_t shared;
static ucontext_t scheduler;
static struct fibre *running;

/* Goes back to the scheduler, from wherever the fibre is. */
static void yield(void) {
    struct fibre *self = running;

    swapcontext(&self->stack, &scheduler);
}

/* A native function that yields: the guest that called it stays on its stack. */
static int32_t attached(wasm_exec_env_t exec_env) {
    wasm_runtime_ctx_t ctx = wasm_runtime_ctx_of_exec_env(exec_env);

    CHECK(wasm_runtime_ctx_current() == ctx);
    yield();
    CHECK(wasm_runtime_ctx_current() == ctx);
    running->rounds++;
    return running->rounds;
}

static NativeSymbol symbols[] = {{"attached", (void *)attached, "()i", NULL}};

static void call_attached(wasm_module_inst_t inst) {
    wasm_exec_env_t env = wasm_runtime_create_exec_env(inst, 8192);
    wasm_function_inst_t function = wasm_runtime_lookup_function(inst, "attached");
    uint32_t argv[2];
    int i;

    for (i = 1; i <= ROUNDS; i++) {
        CHECK(wasm_runtime_call_wasm(env, function, 0, argv));
        CHECK_INT(argv[0], i);
        yield();
    }
    wasm_runtime_destroy_exec_env(env);
}

/* The fibres' calls of one instance overlap, each on an environment of its own. */
static void sharing_main(void) {
    running->ctx = wasm_runtime_ctx_of_instance(shared);
    call_attached(shared);
    running->done = true;
    yield();
}

static void fibre_main(void) {
    RuntimeInitArgs args = system_args();
    wasm_module_t module;
    wasm_module_inst_t inst;

    /* Nothing of the other fibres is seen here. */
    CHECK(wasm_runtime_full_init(&args));
    running->ctx = wasm_runtime_ctx_current();
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    CHECK(wasm_runtime_register_natives("host", symbols, 1));
    module = load_module("natives");
    inst = instantiate(module, 0, 0);
    call_attached(inst);
    CHECK(wasm_runtime_ctx_current() == running->ctx);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    running->done = true;
    yield();
}

/* Runs a fibre until it yields, with its state in place of the scheduler's. */
static void resume(struct fibre *fibre) {
    void *mine = wasm_runtime_thread_state_swap(fibre->state);

    running = fibre;
    swapcontext(&scheduler, &fibre->stack);
    fibre->state = wasm_runtime_thread_state_swap(mine);
}

static void run_all(void (*body)(void)) {
    wasm_runtime_ctx_t mine = wasm_runtime_ctx_current();
    int i, left = FIBRES;

    for (i = 0; i < FIBRES; i++) {
        fibres[i].state = NULL;
        fibres[i].rounds = 0;
        fibres[i].done = false;
        getcontext(&fibres[i].stack);
        fibres[i].stack.uc_stack.ss_sp = fibres[i].memory;
        fibres[i].stack.uc_stack.ss_size = sizeof fibres[i].memory;
        fibres[i].stack.uc_link = NULL;
        makecontext(&fibres[i].stack, body, 0);
    }
    while (left > 0) {
        for (i = 0; i < FIBRES; i++) {
            if (fibres[i].done) {
                continue;
            }
            resume(&fibres[i]);
            CHECK(wasm_runtime_ctx_current() == mine);
            if (fibres[i].done) {
                left--;
            } else if (i == 0) {
                /* Something still runs on it, or it has only been swapped out. */
                CHECK(fibres[i].state != NULL);
            }
        }
    }
    for (i = 0; i < FIBRES; i++) {
        CHECK_INT(fibres[i].rounds, ROUNDS);
        CHECK((fibres[i].ctx == mine) == (shared != NULL));
        CHECK(wasm_runtime_ctx_thread_state_destroy(fibres[i].state));
    }
    CHECK(wasm_runtime_ctx_current() == mine);
}

static void run(void) {
    wasm_module_t module;

    CHECK(wasm_runtime_init());
    run_all(fibre_main);
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    CHECK(wasm_runtime_register_natives("host", symbols, 1));
    module = load_module("natives");
    shared = instantiate(module, 0, 0);
    run_all(sharing_main);
    wasm_runtime_deinstantiate(shared);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
    CHECK(!wasm_runtime_ctx_current());
}
