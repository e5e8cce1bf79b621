/*
 * Eight threads, eight WebAssembly runtimes in one process.
 *
 * Every thread calls wasm_runtime_full_init with arguments of its own: a memory pool, allocator
 * functions or the system's allocator; a log level; and natives that have the same names in every
 * runtime and do something else in each. Then it runs a real program and keeps its output. No call
 * below names its runtime: a thread that has initialised one works in it.
 *
 * The main thread prints what each worker saw and exits with 1 when a worker saw another's
 * settings, so this is a test as much as an example.
 *
 *   isolated_workers [FOLDER]      FOLDER holds the guest programs; default: examples/guests
 */
#define _POSIX_C_SOURCE 200809L

#include <ctype.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "counting_allocator.h"
#include "wasm_export.h"

#define WORKERS 8
#define ARGUMENTS_MAX 6
#define GUEST_STACK_BYTES (256 * 1024)
#define KIB 1024u
#define MIB (1024u * 1024u)

/* The keys under which a guest reports numbers to its host (examples/guests/guest.h). */
enum { REPORT_INPUT_BYTES = 1, REPORT_OUTPUT_BYTES, REPORT_CHECKSUM, REPORT_KEYS };

/* ---- the workers' differences ---- */

enum natives_kind {
    NATIVES_PLAIN,     /* the tag as it is */
    NATIVES_LOUD,      /* other functions under the same names: the tag in capitals */
    NATIVES_RAW,       /* other functions again, registered with the raw calling convention */
    NATIVES_NO_REPORT  /* no host_report at all: this guest may not report anything */
};

struct plan {
    const char *name;
    mem_alloc_type_t allocator;
    uint32_t pool_bytes;                /* for Alloc_With_Pool */
    const struct user_allocator *user;  /* for Alloc_With_Allocator */
    log_level_t log_level;
    enum natives_kind natives;
    const char *program;
    const char *stdin_file;
    const char *arguments[ARGUMENTS_MAX];
    const char *expected_tag;
    uint64_t expected_checksum;
};

struct worker {
    const struct plan *plan;
    const char *folder;
    pthread_t thread;
    void *pool;
    NativeSymbol natives[2];  /* the runtime keeps pointing to them */
    int64_t reported[REPORT_KEYS];

    bool is_up, warning_was_logged, has_pool_info;
    mem_alloc_info_t pool_info;
    size_t user_live_bytes;
    uint32_t exit_code;
    char exception[128];
    char seen_tag[32], seen_checksum[32];
    char problem[160];  /* the first thing that was not as expected; empty if all was */
};

static void problem(struct worker *worker, const char *format, ...)
{
    va_list args;
    if (worker->problem[0] == '\0') {
        va_start(args, format);
        vsnprintf(worker->problem, sizeof worker->problem, format, args);
        va_end(args);
    }
}

/* ---- the eight workers ---- */

DEFINE_ALLOCATOR(orange);
DEFINE_ALLOCATOR(blue);
DEFINE_ALLOCATOR(white);

static const struct plan plans[WORKERS] = {
    {.name = "red", .allocator = Alloc_With_Pool, .pool_bytes = 8 * MIB,
     .log_level = WASM_LOG_LEVEL_WARNING, .natives = NATIVES_PLAIN,
     .program = "lz", .arguments = {"--builtin", "60000"},
     .expected_tag = "red", .expected_checksum = 0x2c08e3605ae9a267},
    {.name = "orange", .allocator = Alloc_With_Allocator, .user = &orange_allocator,
     .log_level = WASM_LOG_LEVEL_ERROR, .natives = NATIVES_LOUD,
     .program = "json", .arguments = {"--builtin", "300", ".orders[*].lines[*].price", "avg"},
     .expected_tag = "ORANGE", .expected_checksum = 0x1655b1975a554651},
    {.name = "yellow", .allocator = Alloc_With_System_Allocator,
     .log_level = WASM_LOG_LEVEL_WARNING, .natives = NATIVES_PLAIN, .program = "script",
     .arguments = {"--builtin"},
     .expected_tag = "yellow", .expected_checksum = 0xb962cc350525ce03},
    {.name = "green", .allocator = Alloc_With_Pool, .pool_bytes = 6 * MIB,
     .log_level = WASM_LOG_LEVEL_FATAL, .natives = NATIVES_RAW,
     .program = "json", .stdin_file = "input/parts.json", .arguments = {"--compact"},
     .expected_tag = "green", .expected_checksum = 0x4ec4f8b35db1c95f},
    {.name = "blue", .allocator = Alloc_With_Allocator, .user = &blue_allocator,
     .log_level = WASM_LOG_LEVEL_VERBOSE, .natives = NATIVES_PLAIN,
     .program = "lz", .stdin_file = "input/verse.txt",
     .expected_tag = "blue", .expected_checksum = 0xa20e280f171431c6},
    {.name = "indigo", .allocator = Alloc_With_System_Allocator,
     .log_level = WASM_LOG_LEVEL_ERROR, .natives = NATIVES_RAW,
     .program = "script", .stdin_file = "input/queens.script",
     .expected_tag = "indigo", .expected_checksum = 0xc0a767ff33a6e5a2},
    {.name = "violet", .allocator = Alloc_With_Pool, .pool_bytes = 4 * MIB,
     .log_level = WASM_LOG_LEVEL_DEBUG, .natives = NATIVES_LOUD,
     .program = "script", .arguments = {"-e", "report(9,6*7);print(tag()+\"!\");"},
     .expected_tag = "VIOLET", .expected_checksum = 0x7b3f6229dcb96919},
    {.name = "white", .allocator = Alloc_With_Allocator, .user = &white_allocator,
     .log_level = WASM_LOG_LEVEL_ERROR, .natives = NATIVES_NO_REPORT,
     .program = "json", .arguments = {"--text", "[1,2,3]", "[*]", "sum"},
     .expected_tag = "white", .expected_checksum = 0x07f55607b4b76cd9},
};

/* ---- natives: (char *buf, int32_t len) -> int32_t and (int32_t key, int64_t value) ---- */

/* The attachment of a native is how it knows whose it is. */
static struct worker *worker_of(wasm_exec_env_t exec_env)
{
    return wasm_runtime_get_function_attachment(exec_env);
}

/* With "*~" in the signature the runtime has checked that `buf` has `len` bytes. */
static int32_t tag_plain(wasm_exec_env_t exec_env, char *buf, uint32_t len)
{
    const char *name = worker_of(exec_env)->plan->name;
    size_t name_len = strlen(name);
    memcpy(buf, name, name_len < len ? name_len : len);
    return (int32_t)name_len;
}

static int32_t tag_loud(wasm_exec_env_t exec_env, char *buf, uint32_t len)
{
    const char *name = worker_of(exec_env)->plan->name;
    uint32_t i;
    for (i = 0; name[i] != '\0' && i < len; i++) {
        buf[i] = (char)toupper((unsigned char)name[i]);
    }
    return (int32_t)i;
}

static void report_plain(wasm_exec_env_t exec_env, int32_t key, int64_t value)
{
    if (key > 0 && key < REPORT_KEYS) {
        worker_of(exec_env)->reported[key] = value;
    }
}

/* A raw native gets all arguments in one array and leaves its result there. */
static void tag_raw(wasm_exec_env_t exec_env, uint64_t *args)
{
    native_raw_return_type(int32_t, args);
    native_raw_get_arg(char *, buf, args);
    native_raw_get_arg(uint32_t, len, args);
    native_raw_set_return(tag_plain(exec_env, buf, len));
}

static void report_raw(wasm_exec_env_t exec_env, uint64_t *args)
{
    native_raw_get_arg(int32_t, key, args);
    native_raw_get_arg(int64_t, value, args);
    report_plain(exec_env, key, value);
}

/* Fills in the worker's table; the result is how many natives it has. */
static uint32_t prepare_natives(struct worker *worker)
{
    enum natives_kind kind = worker->plan->natives;
    NativeSymbol tag = {"host_tag", (void *)tag_plain, "(*~)i", worker};
    NativeSymbol report = {"host_report", (void *)report_plain, "(iI)", worker};
    if (kind == NATIVES_LOUD) {
        tag.func_ptr = (void *)tag_loud;
    } else if (kind == NATIVES_RAW) {
        tag.func_ptr = (void *)tag_raw;
        report.func_ptr = (void *)report_raw;
    }
    worker->natives[0] = tag;
    worker->natives[1] = report;
    return kind == NATIVES_NO_REPORT ? 1 : 2;
}

/* ---- one worker ---- */

static pthread_barrier_t all_here;
static pthread_mutex_t log_probe = PTHREAD_MUTEX_INITIALIZER;

static void start_runtime(struct worker *worker)
{
    const struct plan *plan = worker->plan;
    uint32_t natives_len = prepare_natives(worker);
    RuntimeInitArgs args;
    memset(&args, 0, sizeof args);
    args.mem_alloc_type = plan->allocator;
    if (plan->allocator == Alloc_With_Pool) {
        worker->pool = malloc(plan->pool_bytes);
        args.mem_alloc_option.pool.heap_buf = worker->pool;
        args.mem_alloc_option.pool.heap_size = plan->pool_bytes;
    } else if (plan->allocator == Alloc_With_Allocator) {
        args.mem_alloc_option.allocator.malloc_func = (void *)plan->user->malloc;
        args.mem_alloc_option.allocator.realloc_func = (void *)plan->user->realloc;
        args.mem_alloc_option.allocator.free_func = (void *)plan->user->free;
    }
    if (plan->natives != NATIVES_RAW) {
        args.native_module_name = "env";
        args.native_symbols = worker->natives;
        args.n_native_symbols = natives_len;
    }
    worker->is_up = wasm_runtime_full_init(&args);
    if (!worker->is_up) {
        problem(worker, "wasm_runtime_full_init failed");
        return;
    }
    wasm_runtime_set_log_level(plan->log_level);
    /* Raw natives cannot be among the arguments; they are registered afterwards. */
    if (plan->natives == NATIVES_RAW
        && !wasm_runtime_register_natives_raw("env", worker->natives, natives_len)) {
        problem(worker, "wasm_runtime_register_natives_raw failed");
    }
}

/*
 * Does something that is worth a warning, and looks whether anything was logged. Logs go to
 * stdout, which main has sent to a file; one worker at a time, so that growth is its own.
 */
static void probe_log_level(struct worker *worker)
{
    off_t before, after;
    pthread_mutex_lock(&log_probe);
    fflush(stdout);
    before = lseek(STDOUT_FILENO, 0, SEEK_END);
    wasm_runtime_free(wasm_runtime_malloc(0));
    fflush(stdout);
    after = lseek(STDOUT_FILENO, 0, SEEK_END);
    pthread_mutex_unlock(&log_probe);
    worker->warning_was_logged = after > before;
    if (worker->warning_was_logged != (worker->plan->log_level >= WASM_LOG_LEVEL_WARNING)) {
        problem(worker, "logs as if its level were another one");
    }
}

/* Every worker loads a buffer of its own: WAMR writes into the one that it is given. */
static uint8_t *read_program(const struct worker *worker, uint32_t *len)
{
    char path[512];
    FILE *file;
    uint8_t *bytes = NULL;
    snprintf(path, sizeof path, "%s/%s.wasm", worker->folder, worker->plan->program);
    file = fopen(path, "rb");
    if (file != NULL) {
        bytes = malloc(MIB);
        *len = bytes != NULL ? (uint32_t)fread(bytes, 1, MIB, file) : 0;
        fclose(file);
    }
    return bytes;
}

/* The last line of a guest's output is "result TAG PROGRAM CHECKSUM". */
static void read_result(struct worker *worker, FILE *guest_stdout)
{
    char line[512];
    char program[32];
    rewind(guest_stdout);
    while (fgets(line, sizeof line, guest_stdout) != NULL) {
        sscanf(line, "result %31s %31s %31s", worker->seen_tag, program, worker->seen_checksum);
    }
}

static void run_instance(struct worker *worker, wasm_module_t module)
{
    char error[128];
    const char *exception;
    wasm_module_inst_t instance =
        wasm_runtime_instantiate(module, GUEST_STACK_BYTES, 0, error, sizeof error);
    if (instance == NULL) {
        problem(worker, "%s", error);
        return;
    }
    /* The arguments are those given with the module; calling proc_exit is no exception. */
    wasm_application_execute_main(instance, 0, NULL);
    exception = wasm_runtime_get_exception(instance);
    snprintf(worker->exception, sizeof worker->exception, "%s", exception ? exception : "");
    worker->exit_code = wasm_runtime_get_wasi_exit_code(instance);

    /* Looked at while the instance lives. Only a runtime with a pool has such figures. */
    worker->has_pool_info = wasm_runtime_get_mem_alloc_info(&worker->pool_info);
    if (worker->plan->user != NULL) {
        worker->user_live_bytes = live_bytes_of(worker->plan->user);
    }
    wasm_runtime_deinstantiate(instance);
}

static void run_module(struct worker *worker, uint8_t *wasm, uint32_t wasm_len)
{
    const struct plan *plan = worker->plan;
    char *argv[ARGUMENTS_MAX + 1] = {(char *)plan->program};
    int argc = 1;
    char path[512] = "/dev/null", error[128];
    FILE *guest_stdin, *guest_stdout = tmpfile();
    wasm_module_t module = wasm_runtime_load(wasm, wasm_len, error, sizeof error);
    if (plan->stdin_file != NULL) {
        snprintf(path, sizeof path, "%s/%s", worker->folder, plan->stdin_file);
    }
    guest_stdin = fopen(path, "rb");
    while (argc <= ARGUMENTS_MAX && plan->arguments[argc - 1] != NULL) {
        argv[argc] = (char *)plan->arguments[argc - 1];
        argc++;
    }
    if (module == NULL) {
        problem(worker, "%s", error);
    } else if (guest_stdin == NULL || guest_stdout == NULL) {
        problem(worker, "cannot open the guest's input or output");
    } else {
        /* Every guest writes to a file of its own, or the lines of all would be mixed. */
        wasm_runtime_set_wasi_args_ex(module, NULL, 0, NULL, 0, NULL, 0, argv, argc,
                                      fileno(guest_stdin), fileno(guest_stdout), STDERR_FILENO);
        run_instance(worker, module);
        read_result(worker, guest_stdout);
    }
    if (module != NULL) {
        wasm_runtime_unload(module);
    }
    if (guest_stdin != NULL) {
        fclose(guest_stdin);
    }
    if (guest_stdout != NULL) {
        fclose(guest_stdout);
    }
}

static void run_program(struct worker *worker)
{
    uint32_t wasm_len = 0;
    uint8_t *wasm = read_program(worker, &wasm_len);
    if (wasm == NULL) {
        problem(worker, "cannot read %s/%s.wasm", worker->folder, worker->plan->program);
        return;
    }
    run_module(worker, wasm, wasm_len);
    free(wasm);
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    start_runtime(worker);
    /* From here to the last barrier all eight runtimes exist at the same time. */
    pthread_barrier_wait(&all_here);
    if (worker->is_up) {
        probe_log_level(worker);
    }
    pthread_barrier_wait(&all_here);
    if (worker->is_up) {
        run_program(worker);
    }
    pthread_barrier_wait(&all_here);
    if (worker->is_up) {
        wasm_runtime_destroy();
    }
    free(worker->pool);
    return NULL;
}

/* ---- the main thread's checks and output ---- */

static void check_run(struct worker *worker)
{
    static const char denied[] =
        "Exception: failed to call unlinked import function (env, host_report)";
    const struct plan *plan = worker->plan;
    const char *exception = plan->natives == NATIVES_NO_REPORT ? denied : "";
    uint64_t reported = plan->natives == NATIVES_NO_REPORT ? 0 : plan->expected_checksum;
    char checksum[32];
    snprintf(checksum, sizeof checksum, "%016" PRIx64, plan->expected_checksum);
    if (strcmp(worker->exception, exception) != 0) {
        problem(worker, "unexpected exception \"%s\"", worker->exception);
    } else if (worker->exit_code != 0) {
        problem(worker, "exit code %u", (unsigned)worker->exit_code);
    } else if (strcmp(worker->seen_tag, plan->expected_tag) != 0) {
        problem(worker, "its guest saw the tag \"%s\"", worker->seen_tag);
    } else if (strcmp(worker->seen_checksum, checksum) != 0) {
        problem(worker, "the checksum should be %s", checksum);
    } else if ((uint64_t)worker->reported[REPORT_CHECKSUM] != reported) {
        problem(worker, "its guest reported another checksum");
    }
}

static void check_memory(struct worker *worker)
{
    const struct plan *plan = worker->plan;
    if (worker->has_pool_info != (plan->allocator == Alloc_With_Pool)) {
        problem(worker, "has the figures of another worker's pool");
    } else if (worker->has_pool_info
               && (worker->pool_info.total_size > plan->pool_bytes
                   || worker->pool_info.total_size < plan->pool_bytes - MIB)) {
        /* The runtime keeps a little of the pool for its own bookkeeping. */
        problem(worker, "has a pool of %u bytes", (unsigned)worker->pool_info.total_size);
    } else if (plan->user != NULL && plan->user->counts->blocks == 0) {
        problem(worker, "its allocator was never called");
    } else if (plan->user != NULL && live_bytes_of(plan->user) != 0) {
        problem(worker, "%zu bytes were not given back", live_bytes_of(plan->user));
    }
}

static void print_worker(const struct worker *worker)
{
    static const char *const levels[] = {"fatal", "error", "warning", "debug", "verbose"};
    const struct plan *plan = worker->plan;
    const mem_alloc_info_t *pool = &worker->pool_info;
    char allocator[32] = "system";
    char memory[64] = "-";
    if (plan->allocator == Alloc_With_Pool) {
        snprintf(allocator, sizeof allocator, "pool, %u KiB", (unsigned)(plan->pool_bytes / KIB));
        snprintf(memory, sizeof memory, "%u of %u, peak %u",
                 (unsigned)((pool->total_size - pool->total_free_size) / KIB),
                 (unsigned)(pool->total_size / KIB), (unsigned)(pool->highmark_size / KIB));
    } else if (plan->user != NULL) {
        snprintf(allocator, sizeof allocator, "own functions");
        snprintf(memory, sizeof memory, "%zu, peak %zu, %zu blocks",
                 worker->user_live_bytes / KIB, plan->user->counts->peak_bytes / KIB,
                 plan->user->counts->blocks);
    }
    printf("%-7s %-14s %-7s %-6s %-7s %-7s %4u %-16s %-28s %s\n", plan->name, allocator,
           levels[plan->log_level], worker->warning_was_logged ? "logged" : "silent",
           worker->seen_tag, plan->program, (unsigned)worker->exit_code, worker->seen_checksum,
           memory, worker->problem[0] == '\0' ? "ok" : worker->problem);
}

/* The runtimes' log, worth reading when something went wrong. */
static void show_log(FILE *log)
{
    int c;
    rewind(log);
    while ((c = getc(log)) != EOF) {
        putc(c, stderr);
    }
}

static void run_workers(struct worker *workers)
{
    pthread_barrier_init(&all_here, NULL, WORKERS);
    for (int i = 0; i < WORKERS; i++) {
        if (pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]) != 0) {
            fprintf(stderr, "cannot start a thread\n");
            exit(2);
        }
    }
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(workers[i].thread, NULL);
    }
    pthread_barrier_destroy(&all_here);
}

int main(int argc, char **argv)
{
    static struct worker workers[WORKERS];
    FILE *log = tmpfile();
    int real_stdout = dup(STDOUT_FILENO);
    int good = 0;
    if (log == NULL || real_stdout < 0 || dup2(fileno(log), STDOUT_FILENO) < 0) {
        fprintf(stderr, "cannot redirect stdout\n");
        return 2;
    }
    for (int i = 0; i < WORKERS; i++) {
        workers[i].plan = &plans[i];
        workers[i].folder = argc > 1 ? argv[1] : "examples/guests";
    }
    run_workers(workers);
    fflush(stdout);
    dup2(real_stdout, STDOUT_FILENO);

    printf("%-7s %-14s %-7s %-6s %-7s %-7s %4s %-16s %-28s %s\n", "worker", "allocator", "level",
           "warns", "sees", "program", "exit", "result", "memory, KiB", "verdict");
    for (int i = 0; i < WORKERS; i++) {
        check_run(&workers[i]);
        check_memory(&workers[i]);
        print_worker(&workers[i]);
        good += workers[i].problem[0] == '\0';
    }
    printf("%d of %d workers got what they were given and nothing else\n", good, WORKERS);
    if (good != WORKERS) {
        show_log(log);
    }
    return good == WORKERS ? 0 : 1;
}
