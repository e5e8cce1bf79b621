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
static ucontext_t scheduler;
static struct fibre *running;
static int left = FIBRES;

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

static void fibre_main(void) {
    RuntimeInitArgs args = system_args();
    wasm_module_t module;
    wasm_module_inst_t inst;
    wasm_exec_env_t env;
    uint32_t argv[2];
    int i;

    /* Nothing of the other fibres is seen here. */
    CHECK(wasm_runtime_full_init(&args));
    running->ctx = wasm_runtime_ctx_current();
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    CHECK(wasm_runtime_register_natives("host", symbols, 1));
    module = load_module("natives");
    inst = instantiate(module, 0, 0);
    env = wasm_runtime_create_exec_env(inst, 8192);
    for (i = 1; i <= ROUNDS; i++) {
        CHECK(wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "attached"), 0, argv));
        CHECK_INT(argv[0], i);
        CHECK(wasm_runtime_ctx_current() == running->ctx);
        yield();
    }
    wasm_runtime_destroy_exec_env(env);
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

static void run(void) {
    wasm_runtime_ctx_t mine;
    int i;

    CHECK(wasm_runtime_init());
    mine = wasm_runtime_ctx_current();
    for (i = 0; i < FIBRES; i++) {
        getcontext(&fibres[i].stack);
        fibres[i].stack.uc_stack.ss_sp = fibres[i].memory;
        fibres[i].stack.uc_stack.ss_size = sizeof fibres[i].memory;
        fibres[i].stack.uc_link = NULL;
        makecontext(&fibres[i].stack, fibre_main, 0);
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
        CHECK(fibres[i].ctx != mine);
        CHECK(wasm_runtime_ctx_thread_state_destroy(fibres[i].state));
    }
    CHECK(wasm_runtime_ctx_current() == mine);
    wasm_runtime_destroy();
    CHECK(!wasm_runtime_ctx_current());
}
