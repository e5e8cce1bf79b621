/* Threads that end themselves, or are cancelled, inside a native function or inside WASI: nothing
   else happens, and others may use and end what they have used. */

#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>
#include "check.h"

#define RESULT ((void *)77)

static wasm_module_inst_t inst;
static int in_pipe[2], out_pipe[2], native_pipe[2];
static sem_t ready;
static int cleaned;

static void end(wasm_exec_env_t env) {
    (void)env;
    pthread_exit(RESULT);
}

static int32_t end_6(wasm_exec_env_t env, int32_t a, int64_t b, int32_t c, int64_t d, int32_t e,
                     int64_t f) {
    CHECK(a == 1 && b == 2 && c == 3 && d == 4 && e == 5 && f == 6);
    end(env);
    return 0;
}

static double end_mixed(wasm_exec_env_t env, int32_t a, double b, float c, int64_t d) {
    CHECK(a == 1 && b == 2 && c == 3 && d == 4);
    end(env);
    return 0;
}

static int64_t end_many(wasm_exec_env_t env, int32_t a, int32_t b, int32_t c, int32_t d, int32_t e,
                        int32_t f, int32_t g, int32_t h, double i) {
    CHECK(a == 1 && b == 2 && c == 3 && d == 4 && e == 5 && f == 6 && g == 7 && h == 8 && i == 9);
    end(env);
    return 0;
}

static void end_raw(wasm_exec_env_t env, uint64_t *args) {
    CHECK_INT(args[0], 1);
    end(env);
}

static void count(void *counter) {
    __atomic_add_fetch((int *)counter, 1, __ATOMIC_RELAXED);
}

/* Calls back, deeper and deeper, and ends the thread in the end. */
static void nested(wasm_exec_env_t env, int32_t depth) {
    uint32_t argv[1] = {(uint32_t)depth - 1};
    wasm_function_inst_t function;

    if (depth == 0) {
        end(env);
    }
    pthread_cleanup_push(count, &cleaned);
    function = wasm_runtime_lookup_function(wasm_runtime_get_module_inst(env), "nested");
    wasm_runtime_call_wasm(env, function, 1, argv);
    CHECK(!"this is not reached");
    pthread_cleanup_pop(0);
}

static int32_t wait_here(wasm_exec_env_t env) {
    char byte;

    (void)env;
    return (int32_t)read(native_pipe[0], &byte, 1);
}

static NativeSymbol symbols[] = {
    {"end", (void *)end, "()", NULL},
    {"end_6", (void *)end_6, "(iIiIiI)i", NULL},
    {"end_mixed", (void *)end_mixed, "(iFfI)F", NULL},
    {"end_many", (void *)end_many, "(iiiiiiiiF)I", NULL},
    {"nested", (void *)nested, "(i)", NULL},
    {"wait", (void *)wait_here, "()i", NULL},
};
static NativeSymbol raw_symbols[] = {{"end_raw", (void *)end_raw, "(i)I", NULL}};

static wasm_function_inst_t look_up(const char *name) {
    return wasm_runtime_lookup_function(inst, name);
}

/* A thread's work, and the objects that it works on. */
struct job {
    void (*act)(struct job *job);
    wasm_exec_env_t env;
    const char *name;
};

static void *work(void *data) {
    struct job *job = data;

    sem_post(&ready);
    job->act(job);
    return NULL;
}

static void call(struct job *job) {
    uint32_t argv[2] = {5, 0};

    wasm_runtime_call_wasm(job->env, look_up(job->name), 1, argv);
}

static void call_a(struct job *job) {
    wasm_runtime_call_wasm_a(job->env, look_up("end"), 0, NULL, 0, NULL);
}

/* More arguments than the library keeps on the stack. */
static void call_v(struct job *job) {
    wasm_runtime_call_wasm_v(job->env, look_up("with_many"), 0, NULL, 18, 1, 2, 3, 4, 5, 6, 7, 8, 9,
                             10, 11, 12, 13, 14, 15, 16, 17, 18);
}

static void call_element(struct job *job) {
    wasm_runtime_call_indirect(job->env, 0, 0, NULL);
}

static void execute_main(struct job *job) {
    (void)job;
    wasm_application_execute_main(inst, 0, NULL);
}

static void execute_func(struct job *job) {
    (void)job;
    wasm_application_execute_func(inst, "end", 0, NULL);
}

/* The third block is the last thing that the thread asks for. */
static void allocate(struct job *job) {
    (void)job;
    CHECK(wasm_runtime_module_malloc(inst, 8, NULL) != 0);
    CHECK(wasm_runtime_module_dup_data(inst, "text", 5) != 0);
    wasm_runtime_module_malloc(inst, 8, NULL);
}

static void start(struct job *job) {
    wasm_module_t module = load_module("thread_end_start");
    char error[128];

    (void)job;
    pthread_cleanup_push((void (*)(void *))wasm_runtime_unload, module);
    wasm_runtime_instantiate(module, 0, 0, error, sizeof error);
    CHECK(!"this is not reached");
    pthread_cleanup_pop(0);
}

/* The instance and the environment are as if nothing had happened. */
static void check_usable(wasm_exec_env_t env) {
    uint32_t argv[2] = {20, 22};

    CHECK(wasm_runtime_get_exception(inst) == NULL);
    CHECK(wasm_runtime_get_function_attachment(env) == NULL);
    CHECK(wasm_runtime_call_wasm(env, look_up("add"), 2, argv));
    CHECK_INT(argv[0], 42);
}

/* Runs a job on a thread, which is cancelled if it waits, and checks how it ended. */
static void finish(void (*act)(struct job *), const char *name, bool cancelled) {
    struct job job = {act, wasm_runtime_create_exec_env(inst, 8192), name};
    void *result = NULL;
    pthread_t thread;

    CHECK(pthread_create(&thread, NULL, work, &job) == 0);
    sem_wait(&ready);
    if (cancelled) {
        usleep(20 * 1000);
        pthread_cancel(thread);
    }
    pthread_join(thread, &result);
    if (result != (cancelled ? PTHREAD_CANCELED : RESULT)) {
        printf("%s: the thread ended with %p\n", name, result);
        failed_checks++;
    }
    check_usable(job.env);
    wasm_runtime_destroy_exec_env(job.env);
}

static void exits(void) {
    static const char *const names[] = {"end", "end_6", "end_mixed", "end_many", "end_raw",
                                        "end_indirect"};
    size_t i;

    for (i = 0; i < sizeof names / sizeof *names; i++) {
        finish(call, names[i], false);
    }
    finish(call, "nested", false);
    CHECK_INT(cleaned, 5);
    finish(call_a, "call_wasm_a", false);
    finish(call_v, "call_wasm_v", false);
    finish(call_element, "call_indirect", false);
    finish(execute_main, "execute_main", false);
    finish(execute_func, "execute_func", false);
    finish(allocate, "module_malloc", false);
    finish(start, "start function", false);
}

static void cancellations(void) {
    static const char *const names[] = {"wait", "read", "sleep", "poll"};
    size_t i;

    for (i = 0; i < sizeof names / sizeof *names; i++) {
        finish(call, names[i], true);
    }
}

/* The thread is cancelled already; nothing but a wait notices. */
static void do_everything(struct job *job) {
    const char *dirs[] = {"."};
    struct InstantiationArgs2 *args;
    wasm_module_inst_t other;
    wasm_module_t module;
    char error[128];
    uint32_t argv[1];
    uint8_t *bytes;
    uint32_t size;
    int state;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    bytes = read_module("thread_end", &size);
    pthread_setcancelstate(state, NULL);
    pthread_cancel(pthread_self());
    CHECK(wasm_runtime_load((uint8_t *)"no module", 9, error, sizeof error) == NULL);
    module = wasm_runtime_load(bytes, size, error, sizeof error);
    CHECK(wasm_runtime_instantiation_args_create(&args));
    wasm_runtime_instantiation_args_set_wasi_dir(args, dirs, 1, NULL, 0);
    other = wasm_runtime_instantiate_ex2(module, args, error, sizeof error);
    CHECK(other != NULL);
    wasm_runtime_instantiation_args_destroy(args);
    CHECK(wasm_runtime_call_wasm(job->env, look_up("write"), 0, argv));
    CHECK_INT(argv[0], 0);
    wasm_runtime_dump_call_stack(job->env);
    wasm_runtime_deinstantiate(other);
    wasm_runtime_unload(module);
    free(bytes);
    pthread_testcancel();
}

static void *end_of_callback(wasm_exec_env_t env, void *data) {
    uint32_t argv[1];

    if (data) {
        wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(wasm_runtime_get_module_inst(env),
                                                                 "end"), 0, argv);
    }
    pthread_exit(RESULT);
}

/* Threads that the runtime has started. */
static void started(void) {
    wasm_exec_env_t env = wasm_runtime_create_exec_env(inst, 8192);
    wasm_module_t module;
    wasm_module_inst_t main_inst = inst;
    uint32_t argv[1];
    wasm_thread_t thread;
    void *result;
    int i;

    for (i = 0; i < 2; i++) {
        result = RESULT;
        CHECK_INT(wasm_runtime_spawn_thread(env, &thread, end_of_callback, (void *)(size_t)i), 0);
        CHECK_INT(wasm_runtime_join_thread(thread, &result), 0);
        CHECK(result == NULL);
    }
    check_usable(env);
    wasm_runtime_destroy_exec_env(env);

    module = load_module("thread_end_spawn");
    inst = instantiate(module, 8192, 0);
    env = wasm_runtime_create_exec_env(inst, 8192);
    CHECK(wasm_runtime_call_wasm(env, look_up("spawn"), 0, argv));
    CHECK((int32_t)argv[0] > 0);
    wasm_runtime_destroy_exec_env(env);
    CHECK(wasm_runtime_get_exception(inst) == NULL);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    inst = main_inst;
}

static void run(void) {
    struct InstantiationArgs2 *args;
    wasm_module_t module;
    char error[128];
    int i;

    CHECK(pipe(in_pipe) == 0 && pipe(out_pipe) == 0 && pipe(native_pipe) == 0);
    sem_init(&ready, 0, 0);
    CHECK(wasm_runtime_init());
    CHECK(wasm_runtime_register_natives("host", symbols, sizeof symbols / sizeof *symbols));
    CHECK(wasm_runtime_register_natives_raw("host", raw_symbols, 1));
    module = load_module("thread_end");
    CHECK(wasm_runtime_instantiation_args_create(&args));
    wasm_runtime_instantiation_args_set_default_stack_size(args, 8192);
    wasm_runtime_instantiation_args_set_wasi_stdio(args, in_pipe[0], out_pipe[1], -1);
    inst = wasm_runtime_instantiate_ex2(module, args, error, sizeof error);
    CHECK(inst != NULL);
    wasm_runtime_instantiation_args_destroy(args);

    exits();
    cancellations();
    finish(do_everything, "everything", true);
    started();

    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
    for (i = 0; i < 2; i++) {
        close(in_pipe[i]);
        close(out_pipe[i]);
        close(native_pipe[i]);
    }
}
