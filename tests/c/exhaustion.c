/* The system's allocator fails: at the n-th call alone, from the n-th call on, and for want of
   address space. Whatever the library is doing then must end as an error; and once there is memory
   again, everything works. The program's own functions below take the place of the allocator's,
   for the library and for the C library too. Each case is a child process. EXHAUSTION_STRIDE says
   which cases are tried: 1 for every one, else one in so many; EXHAUSTION_MODE in which mode
   instances run, by its number. */

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "big_module.h"
#include "check.h"
#include "failing_malloc.h"

/* The number of operations that failed in a case. */
static int undone;

/* Notes that something failed for want of memory; `text` is why. */
static void failed(const char *what, const char *text) {
    undone++;
    if (text && !strstr(text, "memory") && !strstr(text, "thread") && !strstr(text, "stack")
        && !strstr(text, "unlinked") && !strstr(text, "unknown import")
        && !strstr(text, "unreachable") && !strstr(text, "pre-opening directory")) {
        printf("%s: %s\n", what, text);
        failed_checks++;
    }
}

static uint8_t *guest, *provider, *user;
static uint32_t guest_size, provider_size, user_size;
static char directory[64];

static int32_t twice(wasm_exec_env_t exec_env, int32_t value) {
    wasm_module_inst_t inst = wasm_runtime_get_module_inst(exec_env);
    uint32_t argv[1] = {(uint32_t)value};
    wasm_function_inst_t func = wasm_runtime_lookup_function(inst, "catch");
    void *native;
    uint64_t address = wasm_runtime_module_malloc(inst, 64, &native);

    if (address) {
        wasm_runtime_module_free(inst, address);
    }
    if (!func || !wasm_runtime_call_wasm(exec_env, func, 1, argv)) {
        return 0;
    }
    return value + (int32_t)argv[0];
}

static NativeSymbol symbols[] = {{"twice", (void *)twice, "(i)i", NULL}};

static bool read_provider(package_type_t type, const char *name, uint8_t **buffer,
                          uint32_t *size) {
    (void)type, (void)name;
    *buffer = provider;
    *size = provider_size;
    return true;
}

static void give_back(uint8_t *buffer, uint32_t size) {
    (void)buffer, (void)size;
}

static void call(wasm_exec_env_t env, const char *name, uint32_t argument, uint32_t result) {
    wasm_module_inst_t inst = wasm_runtime_get_module_inst(env);
    wasm_function_inst_t func = wasm_runtime_lookup_function(inst, name);
    uint32_t argv[1] = {argument};

    if (!func) {
        failed(name, NULL);
    }
    else if (!wasm_runtime_call_wasm(env, func, 1, argv)) {
        failed(name, wasm_runtime_get_exception(inst));
        wasm_runtime_clear_exception(inst);
    }
    else if (argv[0] != result) {
        failed(name, NULL);
    }
}

static void *on_thread(wasm_exec_env_t env, void *data) {
    call(env, "catch", 5, 5);
    return data;
}

static void threads(wasm_exec_env_t env) {
    wasm_thread_t tid;
    wasm_exec_env_t spawned;
    void *result = NULL;

    call(env, "spawn", 3, 3);
    call(env, "spawn", 4, 4);
    call(env, "pthread", 5, 7);
    if (wasm_runtime_spawn_thread(env, &tid, on_thread, &undone) != 0) {
        failed("spawn_thread", NULL);
    }
    else {
        CHECK_INT(wasm_runtime_join_thread(tid, &result), 0);
        CHECK(result == &undone);
    }
    spawned = wasm_runtime_spawn_exec_env(env);
    if (spawned) {
        wasm_runtime_destroy_spawned_exec_env(spawned);
    }
    else {
        failed("spawn_exec_env", NULL);
    }
}

static void run_guest(wasm_module_inst_t inst) {
    wasm_exec_env_t env = wasm_runtime_create_exec_env(inst, 16384);
    uint32_t argv[1] = {3};
    char text[400];

    if (!env) {
        failed("create_exec_env", NULL);
        return;
    }
    call(env, "twice", 4, 8);
    call(env, "grow", 4, 4);
    call(env, "catch", 4, 4);
    call(env, "files", 0, 0);
    call(env, "others", 4, 4);
    threads(env);
    if (wasm_runtime_lookup_function(inst, "recurse")) {
        CHECK(!wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "recurse"), 1,
                                      argv));
        wasm_runtime_dump_call_stack_to_buf(env, text, sizeof text);
        wasm_runtime_clear_exception(inst);
    }
    wasm_runtime_destroy_exec_env(env);
    if (wasm_application_execute_func(inst, "trap", 0, NULL)) {
        failed("execute_func", NULL);
    }
    wasm_runtime_clear_exception(inst);
}

static void one_module(void) {
    static const char *directories[] = {directory}, *variables[] = {"A=1", "B=2"};
    static const char *pool[] = {"127.0.0.1/32"}, *names[] = {"*"};
    static char *arguments[] = {(char *)"program", (char *)"argument"};
    char error[128] = "";
    wasm_module_inst_t inst;
    wasm_module_t module = wasm_runtime_load(guest, guest_size, error, sizeof error);
    void *key = wasm_runtime_create_context_key(NULL);

    if (!module) {
        CHECK(error[0] != 0);
        failed("load", error);
        return;
    }
    wasm_runtime_set_module_name(module, (char *)"guest", error, sizeof error);
    wasm_runtime_set_wasi_args(module, directories, 1, NULL, 0, variables, 2, arguments, 2);
    wasm_runtime_set_wasi_addr_pool(module, pool, 1);
    wasm_runtime_set_wasi_ns_lookup_pool(module, names, 1);
    inst = wasm_runtime_instantiate(module, 8192, 8192, error, sizeof error);
    if (!inst) {
        CHECK(error[0] != 0);
        failed("instantiate", error);
    }
    else {
        if (key) {
            wasm_runtime_set_context_spread(inst, key, &undone);
        }
        run_guest(inst);
        wasm_runtime_deinstantiate(inst);
    }
    wasm_runtime_unload(module);
    if (key) {
        wasm_runtime_destroy_context_key(key);
    }
}

static void two_modules(void) {
    char error[128] = "";
    wasm_module_t module;
    wasm_module_inst_t inst;

    wasm_runtime_set_module_reader(read_provider, give_back);
    module = wasm_runtime_load(user, user_size, error, sizeof error);
    if (!module) {
        failed("load", error);
        return;
    }
    if (!wasm_runtime_register_module("user", module, error, sizeof error)) {
        failed("register", error);
    }
    inst = wasm_runtime_instantiate(module, 8192, 0, error, sizeof error);
    if (!inst) {
        failed("instantiate", error);
    }
    else {
        wasm_exec_env_t env = wasm_runtime_get_exec_env_singleton(inst);

        if (env) {
            call(env, "run", 3, 7);
        }
        else {
            failed("singleton", NULL);
        }
        wasm_runtime_deinstantiate(inst);
    }
    wasm_runtime_unload(module);
}

/* A module of many types, functions, locals and operands, which the validator keeps. */
static void big_module(void) {
    char error[128] = "";
    uint32_t argv[20] = {0};
    wasm_module_t module = wasm_runtime_load(big, big_size, error, sizeof error);
    wasm_module_inst_t inst =
        module ? wasm_runtime_instantiate(module, 1 << 20, 0, error, sizeof error) : NULL;
    wasm_exec_env_t env = inst ? wasm_runtime_create_exec_env(inst, 1 << 20) : NULL;

    if (!inst) {
        failed("load", error);
    }
    else if (!env) {
        failed("create_exec_env", NULL);
    }
    else {
        wasm_function_inst_t deep = wasm_runtime_lookup_function(inst, DEEP_NAME);
        /* Ten parameters, by the bits of its type's number one cell or two. */
        uint32_t cells = 20 - (uint32_t)__builtin_popcount(DEEP % TYPES);

        if (!deep || !wasm_runtime_call_wasm(env, deep, cells, argv)) {
            failed("deep", deep ? wasm_runtime_get_exception(inst) : NULL);
        }
    }
    if (env) {
        wasm_runtime_destroy_exec_env(env);
    }
    if (inst) {
        wasm_runtime_deinstantiate(inst);
    }
    if (module) {
        wasm_runtime_unload(module);
    }
}

static void heaps(void) {
    SharedHeapInitArgs args = {.size = 65536};
    wasm_shared_heap_t heap = wasm_runtime_create_shared_heap(&args);

    if (!heap) {
        failed("shared heap", NULL);
    }
}

static void scenario(void) {
    RuntimeInitArgs args = system_args();
    const char *mode = getenv("EXHAUSTION_MODE");

    if (mode) {
        args.running_mode = (RunningMode)atoi(mode);
    }
    args.native_module_name = "host";
    args.native_symbols = symbols;
    args.n_native_symbols = 1;
    if (!wasm_runtime_full_init(&args)) {
        failed("init", NULL);
        return;
    }
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_ERROR);
    big_module();
    one_module();
    two_modules();
    heaps();
    wasm_runtime_destroy();
}

/* A case's number of calls of the allocator, written by its process. */
static long *told_calls;

/* Removes files that a case may have left in its directory. */
static void empty_directory(void) {
    static const char *names[] = {"dir", "other", "file"};
    char path[96];
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        remove(path);
    }
}

/* Logs go to stdout, too, and are not tested here. */
static void child(long at, bool on, rlim_t space, int place) {
    struct rlimit limit;
    int kept = dup(1);

    if (!getenv("EXHAUSTION_AT") && !freopen("/dev/null", "w", stdout)) {
        _exit(3);
    }
    alarm(120);
    snprintf(directory + strlen(directory), 8, "/%d", place);
    empty_directory();
    fails_at = at;
    fails_on = on;
    if (space) {
        getrlimit(RLIMIT_AS, &limit);
        limit.rlim_cur = space;
        setrlimit(RLIMIT_AS, &limit);
    }
    armed = true;
    scenario();
    armed = false;
    if (!at && !space) {
        *told_calls = calls;
    }
    if (space) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_AS, &limit);
    }
    fflush(stdout);
    dup2(kept, 1);
    /* Without failures everything succeeds, and it does so again after them. */
    if (!at && !space) {
        CHECK_INT(undone, 0);
    }
    undone = 0;
    empty_directory();
    scenario();
    CHECK_INT(undone, 0);
    fflush(stdout);
    _exit(failed_checks ? 1 : 0);
}

static int cases, aborts, wrong;

/* Cases that run now: most of their time they wait for something. */
#define CASES_MAX 8
static struct {
    pid_t pid;
    long at;
    bool on;
    rlim_t space;
} running[CASES_MAX];

/* Waits for the end of a case; false if none runs. */
static bool reap(void) {
    int status, i;
    long at;
    bool on;
    rlim_t space;
    pid_t pid = waitpid(-1, &status, 0);

    for (i = 0; pid > 0 && i < CASES_MAX && running[i].pid != pid; i++) {
    }
    if (pid <= 0 || i == CASES_MAX) {
        return false;
    }
    at = running[i].at, on = running[i].on, space = running[i].space;
    running[i].pid = 0;
    cases++;
    if (WIFSIGNALED(status)) {
        aborts++;
    }
    else if (WEXITSTATUS(status) != 0) {
        wrong++;
    }
    if (status != 0) {
        printf("status %#x: call %ld%s, space %llu\n", status, at, on ? " and all later ones" : "",
               (unsigned long long)space);
    }
    return true;
}

/* Starts a case in a process of its own. */
static void in_child(long at, bool on, rlim_t space) {
    int i;

    for (;;) {
        for (i = 0; i < CASES_MAX && running[i].pid; i++) {
        }
        if (i < CASES_MAX) {
            break;
        }
        reap();
    }
    running[i].at = at, running[i].on = on, running[i].space = space;
    running[i].pid = fork();
    if (running[i].pid < 0) {
        exit(2);
    }
    if (running[i].pid == 0) {
        child(at, on, space, i);
    }
}

/* Bytes of address space that this process has. */
static rlim_t space_used(void) {
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (!file || fscanf(file, "%lu", &pages) != 1) {
        exit(2);
    }
    fclose(file);
    return (rlim_t)pages * 4096;
}

/* One for each case that runs at a time. */
static void make_directories(void) {
    char path[96];
    int i;

    if (mkdir(directory, 0700) != 0) {
        exit(2);
    }
    for (i = 0; i < CASES_MAX; i++) {
        snprintf(path, sizeof path, "%s/%d", directory, i);
        if (mkdir(path, 0700) != 0) {
            exit(2);
        }
    }
}

static void remove_directories(void) {
    size_t end = strlen(directory);
    int i;

    for (i = 0; i < CASES_MAX; i++) {
        snprintf(directory + end, 8, "/%d", i);
        empty_directory();
        rmdir(directory);
        directory[end] = 0;
    }
    rmdir(directory);
}

/* So that growing it needs no address space later. */
static void touch_stack(void) {
    volatile char room[1 << 20];
    size_t i;

    for (i = 0; i < sizeof room; i += 1024) {
        room[i] = 1;
    }
}

/* Room in which everything works, glibc's reserves for its threads included. */
#define SPACE_MAX ((rlim_t)512 << 20)

static void run(void) {
    const char *stride_text = getenv("EXHAUSTION_STRIDE");
    const char *at_text = getenv("EXHAUSTION_AT");
    long stride = stride_text ? atol(stride_text) : 331, n, total;
    rlim_t space, used;

    guest = read_module("exhaustion", &guest_size);
    provider = read_module("exhaustion_sub", &provider_size);
    user = read_module("exhaustion_main", &user_size);
    make_big();
    snprintf(directory, sizeof directory, "/tmp/exhaustion-%d", (int)getpid());
    make_directories();
    told_calls = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    touch_stack();
    /* One case again, with all that it logs. */
    if (at_text) {
        in_child(atol(at_text), getenv("EXHAUSTION_ON") != NULL, 0);
        reap();
        remove_directories();
        return;
    }
    in_child(0, false, 0);
    reap();
    total = *told_calls;
    CHECK(total > 500);
    for (n = 1; n <= total + stride; n += stride) {
        in_child(n, false, 0);
        in_child(n, true, 0);
    }
    used = space_used();
    for (space = 0; space < SPACE_MAX; space += space < (8 << 20) ? 4096 * (rlim_t)stride
                                                                  : 65536 * (rlim_t)stride) {
        in_child(0, false, used + space);
    }
    while (reap()) {
    }
    CHECK_INT(aborts, 0);
    CHECK_INT(wrong, 0);
    if (stride == 1 || getenv("EXHAUSTION_VERBOSE")) {
        fprintf(stderr, "%ld calls, %d cases, %d aborts, %d wrong\n", total, cases, aborts, wrong);
    }
    remove_directories();
}
