/*
 * Two fibres on one thread, each inside a guest that called the host, which switches to the other.
 * A thread's state of contexts is one pointer, which the scheduler swaps as it swaps stacks; so
 * each fibre has contexts of its own.
 */
#define _XOPEN_SOURCE 600
#include <stdio.h>
#include <string.h>
#include <ucontext.h>
#include "wasm_runtime_ctx.h"

#define STEPS 3

/* (module (import "host" "step" (func (param i32)))
 *   (func (export "run") (call 0 (i32.const 1)) (call 0 (i32.const 2)) (call 0 (i32.const 3)))) */
static uint8_t wasm[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x60, 0x01, 0x7f, 0x00,
    0x60, 0x00, 0x00, 0x02, 0x0d, 0x01, 0x04, 0x68, 0x6f, 0x73, 0x74, 0x04, 0x73, 0x74, 0x65,
    0x70, 0x00, 0x00, 0x03, 0x02, 0x01, 0x01, 0x07, 0x07, 0x01, 0x03, 0x72, 0x75, 0x6e, 0x00,
    0x01, 0x0a, 0x10, 0x01, 0x0e, 0x00, 0x41, 0x01, 0x10, 0x00, 0x41, 0x02, 0x10, 0x00, 0x41,
    0x03, 0x10, 0x00, 0x0b,
};

struct fibre {
    const char *name;
    ucontext_t stack;
    /* The thread's state while the fibre runs; NULL is a fresh one. */
    void *state;
    int steps, done;
    char memory[256 << 10];
};

static struct fibre fibres[2] = { { .name = "ping" }, { .name = "pong" } };
static struct fibre *running;
static ucontext_t scheduler;

/* Called by the guest: says where it is, and lets the other fibre run. */
static void step(wasm_exec_env_t exec_env, int32_t number)
{
    struct fibre *self = running;

    printf("%s %d\n", self->name, (int)number);
    self->steps++;
    swapcontext(&self->stack, &scheduler);
    if (wasm_runtime_ctx_current() != wasm_runtime_ctx_of_exec_env(exec_env))
        self->steps = -1;
}

static NativeSymbol natives[] = { { "step", (void *)step, "(i)", NULL } };

static void fibre_main(void)
{
    struct fibre *self = running;
    char error[128] = "";
    RuntimeInitArgs args;
    wasm_module_t module;
    wasm_module_inst_t inst = NULL;

    memset(&args, 0, sizeof args);
    args.mem_alloc_type = Alloc_With_System_Allocator;
    args.native_module_name = "host";
    args.native_symbols = natives;
    args.n_native_symbols = 1;
    if (wasm_runtime_full_init(&args)) {
        module = wasm_runtime_load(wasm, sizeof wasm, error, sizeof error);
        if (module)
            inst = wasm_runtime_instantiate(module, 8192, 0, error, sizeof error);
        if (inst) {
            wasm_exec_env_t env = wasm_runtime_get_exec_env_singleton(inst);

            wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "run"), 0, NULL);
            wasm_runtime_deinstantiate(inst);
        }
        if (module)
            wasm_runtime_unload(module);
        wasm_runtime_destroy();
    }
    self->done = 1;
    swapcontext(&self->stack, &scheduler);
}

static void resume(struct fibre *fibre)
{
    void *mine = wasm_runtime_thread_state_swap(fibre->state);

    running = fibre;
    swapcontext(&scheduler, &fibre->stack);
    fibre->state = wasm_runtime_thread_state_swap(mine);
}

int main(void)
{
    int i;

    for (i = 0; i < 2; i++) {
        getcontext(&fibres[i].stack);
        fibres[i].stack.uc_stack.ss_sp = fibres[i].memory;
        fibres[i].stack.uc_stack.ss_size = sizeof fibres[i].memory;
        makecontext(&fibres[i].stack, fibre_main, 0);
    }
    while (!fibres[0].done || !fibres[1].done) {
        if (!fibres[0].done)
            resume(&fibres[0]);
        if (!fibres[1].done)
            resume(&fibres[1]);
    }
    for (i = 0; i < 2; i++)
        wasm_runtime_ctx_thread_state_destroy(fibres[i].state);
    return fibres[0].steps == STEPS && fibres[1].steps == STEPS ? 0 : 1;
}
