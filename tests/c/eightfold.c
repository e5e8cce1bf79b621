/*
 * Runs a WASI program in eight threads at once, each with a context of its own, and prints what
 * the first printed if all of them printed the same and ended alike.
 *
 * usage: eightfold FILE.wasm [ARGUMENT...]
 * Exits as the program did, with 125 if the threads disagree or anything fails before it runs.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "wasm_export.h"

enum { THREADS = 8, STACK = 1 << 20, FAILED = 125 };

static uint8_t *binary;
static long binary_size;
static int program_argc;
static char **program_argv;

typedef struct {
    pthread_t thread;
    FILE *out;
    char *text;
    long length;
    int code;
} Worker;

static void report(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why ? why : "failed");
}

/* Runs the program in the calling thread's context; its exit code. */
static int run(FILE *out)
{
    char error[128] = "";
    int code = FAILED;
    wasm_module_t module = wasm_runtime_load(binary, (uint32_t)binary_size, error, sizeof error);
    wasm_module_inst_t instance = NULL;

    if (!module) {
        report("load", error);
        return code;
    }
    wasm_runtime_set_wasi_args_ex(module, NULL, 0, NULL, 0, NULL, 0, program_argv, program_argc,
                                  -1, fileno(out), -1);
    instance = wasm_runtime_instantiate(module, STACK, 0, error, sizeof error);
    if (!instance) {
        report("instantiate", error);
    }
    else if (!wasm_application_execute_main(instance, 0, NULL)) {
        report("run", wasm_runtime_get_exception(instance));
    }
    else {
        code = (int)wasm_runtime_get_wasi_exit_code(instance);
    }
    if (instance) {
        wasm_runtime_deinstantiate(instance);
    }
    wasm_runtime_unload(module);
    return code;
}

static void *work(void *arg)
{
    Worker *worker = arg;
    RuntimeInitArgs init;

    memset(&init, 0, sizeof init);
    init.mem_alloc_type = Alloc_With_System_Allocator;
    worker->code = FAILED;
    if (!wasm_runtime_full_init(&init)) {
        report("wasm_runtime_full_init", NULL);
        return NULL;
    }
    worker->code = run(worker->out);
    wasm_runtime_destroy();
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

/* Reads back what the program printed. */
static void collect(Worker *worker)
{
    worker->length = lseek(fileno(worker->out), 0, SEEK_END);
    lseek(fileno(worker->out), 0, SEEK_SET);
    worker->text = calloc(1, (size_t)worker->length + 1);
    if (!worker->text
        || read(fileno(worker->out), worker->text, (size_t)worker->length) != worker->length) {
        worker->code = FAILED;
    }
    fclose(worker->out);
}

int main(int argc, char **argv)
{
    static Worker workers[THREADS];
    int code;

    if (argc < 2 || !read_file(argv[1])) {
        report("usage: eightfold FILE.wasm [ARGUMENT...]", "no such file");
        return FAILED;
    }
    program_argc = argc - 1;
    program_argv = argv + 1;
    for (int i = 0; i < THREADS; i++) {
        workers[i].out = tmpfile();
        if (!workers[i].out || pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0) {
            report("start of a thread", NULL);
            return FAILED;
        }
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        collect(&workers[i]);
    }
    code = workers[0].code;
    for (int i = 1; i < THREADS; i++) {
        if (workers[i].code != code || workers[i].length != workers[0].length
            || memcmp(workers[i].text, workers[0].text, (size_t)workers[0].length) != 0) {
            report("threads", "they disagree");
            code = FAILED;
        }
    }
    fwrite(workers[0].text, 1, (size_t)workers[0].length, stdout);
    for (int i = 0; i < THREADS; i++) {
        free(workers[i].text);
    }
    free(binary);
    return code;
}
