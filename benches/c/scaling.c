/*
 * How guests scale that run in several threads, with a context, a module and an instance each:
 * through the public C API only. Prints lines "job threads runs-per-second times-one-thread
 * times-one-thread-per-second-of-cpu", as contexts.c does, of the best of the rounds.
 *
 * usage: scaling FILE.wasm N [ROUNDS [MILLISECONDS]]   calls run(N), and then the job "atomics":
 *        additions, notifications and refused waits on a shared memory for each thread
 */
#define _GNU_SOURCE
#include "threads.h"
#include "wasm_export.h"

/* (module (memory 1 1 shared)
 *   (func (export "run") (param $n i32) (result i64)
 *     (loop $again
 *       (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
 *       (drop (memory.atomic.notify (i32.const 0) (i32.const 1)))
 *       (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))
 *       (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
 *     (i64.extend_i32_u (i32.atomic.load (i32.const 0))))) */
static const uint8_t atomics[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x06, 0x01, 0x60, 0x01, 0x7f, 0x01,
    0x7e, 0x03, 0x02, 0x01, 0x00, 0x05, 0x04, 0x01, 0x03, 0x01, 0x01, 0x07, 0x07, 0x01, 0x03,
    0x72, 0x75, 0x6e, 0x00, 0x00, 0x0a, 0x34, 0x01, 0x32, 0x00, 0x03, 0x40, 0x41, 0x00, 0x41,
    0x01, 0xfe, 0x1e, 0x02, 0x00, 0x1a, 0x41, 0x00, 0x41, 0x01, 0xfe, 0x00, 0x02, 0x00, 0x1a,
    0x41, 0x00, 0x41, 0x00, 0x42, 0x7f, 0xfe, 0x01, 0x02, 0x00, 0x1a, 0x20, 0x00, 0x41, 0x01,
    0x6b, 0x22, 0x00, 0x0d, 0x00, 0x0b, 0x41, 0x00, 0xfe, 0x10, 0x02, 0x00, 0xad, 0x0b,
};

enum { STACK_SIZE = 1 << 20, ATOMICS = 2000 };

/* The function of every thread. */
static const uint8_t *program;
static uint32_t program_size, scale;

struct guest {
    wasm_exec_env_t env;
    wasm_function_inst_t run;
};

static uint64_t run_once(void *data)
{
    struct guest *guest = data;
    uint32_t cells[2] = { scale, 0 };

    check(wasm_runtime_call_wasm(guest->env, guest->run, 1, cells), "run", "");
    return 1;
}

static void *worker(void *data)
{
    struct count *count = data;
    char error[128] = "";
    uint8_t *bytes = malloc(program_size);
    RuntimeInitArgs init;
    wasm_module_t module;
    wasm_module_inst_t inst;
    struct guest guest;

    memset(&init, 0, sizeof init);
    init.mem_alloc_type = Alloc_With_System_Allocator;
    check(bytes && wasm_runtime_full_init(&init), "full_init", "");
    memcpy(bytes, program, program_size);
    module = wasm_runtime_load(bytes, program_size, error, sizeof error);
    check(module != NULL, "load", error);
    inst = wasm_runtime_instantiate(module, STACK_SIZE, 0, error, sizeof error);
    check(inst != NULL, "instantiate", error);
    guest.env = wasm_runtime_create_exec_env(inst, STACK_SIZE);
    guest.run = wasm_runtime_lookup_function(inst, "run");
    check(guest.env && guest.run, "run", "no such export");
    /* Translated before the clock starts. */
    run_once(&guest);
    count_while(count, run_once, &guest);
    wasm_runtime_destroy_exec_env(guest.env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
    free(bytes);
    return NULL;
}

static void scaling(const char *name, int rounds, int milliseconds)
{
    struct speed best[COUNTS];

    memset(best, 0, sizeof best);
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < COUNTS; i++) {
            keep_best(&best[i], throughput(thread_counts[i], milliseconds));
        }
    }
    for (int i = 0; i < COUNTS; i++) {
        printf("%s %d %.1f %.2f %.2f\n", name, thread_counts[i], best[i].wall,
               best[i].wall / best[0].wall, best[i].cpu / best[0].cpu);
    }
}

int main(int argc, char **argv)
{
    int rounds = argc > 3 ? atoi(argv[3]) : 5;
    int milliseconds = argc > 4 ? atoi(argv[4]) : 500;

    check(argc > 2, "usage", "scaling FILE.wasm N [ROUNDS [MILLISECONDS]]");
    uint8_t *bytes = read_file(argv[1], &program_size);
    program = bytes;
    scale = (uint32_t)atoi(argv[2]);
    scaling("program", rounds, milliseconds);
    free(bytes);
    program = atomics;
    program_size = sizeof atomics;
    scale = ATOMICS;
    scaling("atomics", rounds, milliseconds);
    return 0;
}
