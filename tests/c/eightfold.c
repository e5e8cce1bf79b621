/*
 * Runs a WASI program in some threads at once, each with a context of its own and a folder of its
 * own. All contexts live from before the first program starts until the last one has ended.
 *
 * usage: eightfold THREADS BASE FILE.wasm [ARGUMENT...]
 *
 * Thread N, from 0, lets the program use BASE/N as `/`, if there is such a folder, and BASE/input
 * as its standard input, if there is such a file. It writes the program's output to BASE/N.out and
 * BASE/N.err, and its end to BASE/N.end: "exit CODE" or "trap TEXT". Exits with 1 if a program
 * could not be started.
 */

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "wasm_export.h"

enum { THREADS_MAX = 64, STACK = 8 << 20, PATH = 4096 };

static const char *base;
static uint8_t *binary;
static long binary_size;
static int program_argc;
static char **program_argv;
static pthread_barrier_t barrier;

typedef struct {
    pthread_t thread;
    int number;
    int in, out, err;
    char mapped[PATH];
    bool has_folder;
    bool started;
} Worker;

static void report(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why ? why : "failed");
}

static void note_end(const Worker *worker, const char *how, const char *what)
{
    char path[PATH];
    FILE *file;

    snprintf(path, sizeof path, "%s/%d.end", base, worker->number);
    file = fopen(path, "w");
    if (file) {
        fprintf(file, "%s %s", how, what);
        fclose(file);
    }
}

/* Runs the program and notes how it ends; false if it does not start. */
static bool execute(const Worker *worker, wasm_module_inst_t instance)
{
    char code[16];
    const char *exception;

    if (wasm_application_execute_main(instance, 0, NULL)) {
        snprintf(code, sizeof code, "%u", wasm_runtime_get_wasi_exit_code(instance));
        note_end(worker, "exit", code);
        return true;
    }
    exception = wasm_runtime_get_exception(instance);
    if (!exception) {
        return false;
    }
    note_end(worker, "trap", exception);
    return true;
}

/* Loads and runs the program in the calling thread's context. */
static bool run(Worker *worker)
{
    char error[128] = "";
    const char *mapped[] = { worker->mapped };
    wasm_module_t module = wasm_runtime_load(binary, (uint32_t)binary_size, error, sizeof error);
    wasm_module_inst_t instance;
    bool started = false;

    if (!module) {
        report("load", error);
        return false;
    }
    wasm_runtime_set_wasi_args_ex(module, NULL, 0, mapped, worker->has_folder ? 1 : 0, NULL, 0,
                                  program_argv, program_argc, worker->in, worker->out,
                                  worker->err);
    instance = wasm_runtime_instantiate(module, STACK, 0, error, sizeof error);
    if (instance) {
        started = execute(worker, instance);
        wasm_runtime_deinstantiate(instance);
    }
    else {
        report("instantiate", error);
    }
    wasm_runtime_unload(module);
    return started;
}

static void *work(void *arg)
{
    Worker *worker = arg;
    RuntimeInitArgs init;
    bool ready;

    memset(&init, 0, sizeof init);
    init.mem_alloc_type = Alloc_With_System_Allocator;
    ready = wasm_runtime_full_init(&init);
    pthread_barrier_wait(&barrier);
    worker->started = ready && run(worker);
    pthread_barrier_wait(&barrier);
    if (ready) {
        wasm_runtime_destroy();
    }
    return NULL;
}

static bool read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    bool ok;

    if (!file) {
        return false;
    }
    fseek(file, 0, SEEK_END);
    binary_size = ftell(file);
    rewind(file);
    binary = malloc((size_t)binary_size + 1);
    ok = binary && fread(binary, 1, (size_t)binary_size, file) == (size_t)binary_size;
    fclose(file);
    return ok;
}

/* Opens a file of a worker's own for the output of its program. */
static int output(int number, const char *suffix)
{
    char path[PATH];

    snprintf(path, sizeof path, "%s/%d.%s", base, number, suffix);
    return open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
}

/* Opens a worker's streams and starts it. */
static bool start(Worker *worker, int number)
{
    char input[PATH];

    worker->number = number;
    snprintf(worker->mapped, sizeof worker->mapped, "/::%s/%d", base, number);
    worker->has_folder = access(worker->mapped + 3, F_OK) == 0;
    snprintf(input, sizeof input, "%s/input", base);
    worker->in = open(input, O_RDONLY);
    if (worker->in < 0) {
        worker->in = open("/dev/null", O_RDONLY);
    }
    worker->out = output(number, "out");
    worker->err = output(number, "err");
    return worker->in >= 0 && worker->out >= 0 && worker->err >= 0
           && pthread_create(&worker->thread, NULL, work, worker) == 0;
}

int main(int argc, char **argv)
{
    static Worker workers[THREADS_MAX];
    int count = argc < 4 ? 0 : atoi(argv[1]);
    bool ok = true;

    if (count < 1 || count > THREADS_MAX || !read_file(argv[3])) {
        report("usage: eightfold THREADS BASE FILE.wasm [ARGUMENT...]", NULL);
        return 1;
    }
    base = argv[2];
    program_argc = argc - 3;
    program_argv = argv + 3;
    pthread_barrier_init(&barrier, NULL, (unsigned)count);
    for (int i = 0; i < count; i++) {
        if (!start(&workers[i], i)) {
            report("start of a thread", NULL);
            return 1;
        }
    }
    for (int i = 0; i < count; i++) {
        pthread_join(workers[i].thread, NULL);
        close(workers[i].in);
        close(workers[i].out);
        close(workers[i].err);
        ok = ok && workers[i].started;
    }
    pthread_barrier_destroy(&barrier);
    free(binary);
    return ok ? 0 : 1;
}
