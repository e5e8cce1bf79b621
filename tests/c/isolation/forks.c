/* Rule (f): a process forks while other threads are inside the runtime. The child may use the
   forking thread's context and the process's first one, and may end what is left of the others. */

#include <sys/wait.h>
#include <unistd.h>
#include "rows.h"

/* Forks and waits; the child ends with whether `body` found something wrong. */
static void fork_and(void (*body)(void)) {
    int status = -1;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        failed_checks = 0;
        /* A lock that is never released is a failure, not a test that hangs. */
        alarm(60);
        body();
        fflush(stdout);
        _exit(failed_checks != 0);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK_INT(status, 0);
}

static int32_t who(wasm_exec_env_t env) {
    (void)env;
    return 7;
}

static NativeSymbol symbols[] = {{"who", (void *)who, "()i", NULL}};

/* Goes through every lock of the current context. */
static void use_everything(void) {
    struct guest guest;
    void *block = wasm_runtime_malloc(100);

    CHECK(block != NULL);
    wasm_runtime_free(block);
    CHECK(wasm_runtime_register_natives("env", symbols, 1));
    guest = start_guest("guest");
    CHECK_INT(call(&guest, "who", 0, 0, 0), 7);
    CHECK_INT(call(&guest, "grow", 1, 1, 0), 1);
    end_guest(&guest);
    CHECK(wasm_runtime_unregister_natives("env", symbols));
}

static _Alignas(16) char pool[4 << 20], other_pool[4 << 20];
static bool stop;

/* Without a context of its own, so that it is busy in the main thread's. */
static void *busy_stray(void *data) {
    (void)data;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        use_everything();
    }
    return NULL;
}

static RuntimeInitArgs with_pool(void *buffer, uint32_t size) {
    RuntimeInitArgs args = system_args();

    args.mem_alloc_type = Alloc_With_Pool;
    args.mem_alloc_option.pool.heap_buf = buffer;
    args.mem_alloc_option.pool.heap_size = size;
    return args;
}

/* Begins and ends contexts of its own. */
static void *busy_owner(void *data) {
    (void)data;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        RuntimeInitArgs args = with_pool(other_pool, sizeof other_pool);

        quiet_init(&args);
        use_everything();
        wasm_runtime_destroy();
    }
    return NULL;
}

static void in_busy_child(void) {
    use_everything();
    quiet_init(NULL);
    wasm_runtime_destroy();
    wasm_runtime_destroy();
    quiet_init(NULL);
    use_everything();
    wasm_runtime_destroy();
}

static void while_others_work(void) {
    RuntimeInitArgs args = with_pool(pool, sizeof pool);
    pthread_t threads[2];
    int i, times = rounds() / 5 + 1;

    quiet_init(&args);
    stop = false;
    CHECK(pthread_create(&threads[0], NULL, busy_stray, NULL) == 0);
    CHECK(pthread_create(&threads[1], NULL, busy_owner, NULL) == 0);
    for (i = 0; i < times; i++) {
        fork_and(in_busy_child);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    use_everything();
    wasm_runtime_destroy();
}

/* B waits inside a native of its own context while A forks. */
static struct guest lost;

static int32_t wait_here(wasm_exec_env_t env) {
    (void)env;
    meet();
    meet();
    return 1;
}

static NativeSymbol waiting[] = {{"who", (void *)wait_here, "()i", NULL}};

static void waiting_b(void) {
    RuntimeInitArgs args = system_args();

    args.native_module_name = "env";
    args.native_symbols = waiting;
    args.n_native_symbols = 1;
    quiet_init(&args);
    lost = start_guest("guest");
    CHECK_INT(call(&lost, "who", 0, 0, 0), 1);
    end_guest(&lost);
    wasm_runtime_destroy();
}

/* The guest that the lost thread was running can be ended, and leaves nothing. */
static void end_what_is_lost(void) {
    end_guest(&lost);
    use_everything();
    wasm_runtime_destroy();
}

static void forking_a(void) {
    quiet_init(NULL);
    meet();
    fork_and(end_what_is_lost);
    meet();
    wasm_runtime_destroy();
}

static void lost_threads(void) {
    sides(rounds() / 20 + 1, forking_a, waiting_b);
}

/* A child forks as well. */
static void fork_again(void) {
    use_everything();
    fork_and(use_everything);
}

static void generations(void) {
    quiet_init(NULL);
    fork_and(fork_again);
    use_everything();
    wasm_runtime_destroy();
}

/* Appends a number in a form of five bytes. */
static uint8_t *put_number(uint8_t *at, uint32_t number) {
    int i;

    for (i = 0; i < 5; i++) {
        *at++ = (uint8_t)((number >> 7 * i & 0x7f) | (i < 4 ? 0x80 : 0));
    }
    return at;
}

/* A module whose only function, "f", takes an i32 and returns it, behind so many branches. */
static wasm_module_t long_module(uint32_t branches) {
    static const uint8_t head[] = {
        0, 'a', 's', 'm', 1, 0, 0, 0, 1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f, /* (i32) -> i32 */
        3, 2, 1, 0, 7, 5, 1, 1, 'f', 0, 0,
    };
    static const uint8_t branch[] = {0x20, 0, 0x0d, 0}, end[] = {0x0b, 0x20, 0, 0x0b};
    uint32_t i, body = 3 + branches * sizeof branch + sizeof end;
    uint8_t *bytes = malloc(sizeof head + 12 + body), *at = bytes;
    char error[128] = "";
    wasm_module_t module;

    memcpy(at, head, sizeof head);
    at += sizeof head;
    *at++ = 10;
    at = put_number(at, 1 + 5 + body);
    *at++ = 1;
    at = put_number(at, body);
    *at++ = 0;
    *at++ = 0x02;
    *at++ = 0x40;
    for (i = 0; i < branches; i++, at += sizeof branch) {
        memcpy(at, branch, sizeof branch);
    }
    memcpy(at, end, sizeof end);
    module = wasm_runtime_load(bytes, (uint32_t)(at + sizeof end - bytes), error, sizeof error);
    if (!module) {
        printf("long module: %s\n", error);
        exit(2);
    }
    free(bytes);
    return module;
}

static struct guest guest_of(wasm_module_t module) {
    struct guest guest;

    guest.module = module;
    guest.inst = instantiate(module, 8192, 0);
    guest.env = wasm_runtime_create_exec_env(guest.inst, 8192);
    CHECK(guest.env != NULL);
    return guest;
}

static void end_guest_of(struct guest *guest) {
    wasm_runtime_destroy_exec_env(guest->env);
    wasm_runtime_deinstantiate(guest->inst);
}

/* Calls "f" for the first time, so that it is translated. */
static void *first_call(void *module) {
    struct guest guest = guest_of(module);

    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    CHECK_INT(call(&guest, "f", 1, 5, 0), 5);
    end_guest_of(&guest);
    return NULL;
}

static struct guest second;

/* The thread that was translating is not there: the function is translated anew. */
static void second_call(void) {
    CHECK_INT(call(&second, "f", 1, 6, 0), 6);
}

static void while_another_translates(void) {
    pthread_t thread;
    wasm_module_t module;

    quiet_init(NULL);
    module = long_module(is_watched() ? 100000 : 1500000);
    second = guest_of(module);
    stop = false;
    CHECK(pthread_create(&thread, NULL, first_call, module) == 0);
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        usleep(100);
    }
    usleep(5000);
    fork_and(second_call);
    second_call();
    pthread_join(thread, NULL);
    fork_and(second_call);
    end_guest_of(&second);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
}

/* An instance that one thread runs while another one keeps asking for it. */
static struct guest wanted;

static void *keep_asking(void *data) {
    wasm_exec_env_t env = wasm_runtime_create_exec_env(wanted.inst, 8192);
    wasm_function_inst_t add = wasm_runtime_lookup_function(wanted.inst, "add");

    (void)data;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        uint32_t argv[2] = {1, 2};

        CHECK(!wasm_runtime_call_wasm(env, add, 2, argv));
        wasm_runtime_clear_exception(wanted.inst);
    }
    wasm_runtime_destroy_exec_env(env);
    return NULL;
}

static void call_back(void) {
    CHECK_INT(call(&wanted, "add", 2, 3, 4), 7);
}

static int32_t fork_inside(wasm_exec_env_t env) {
    pthread_t thread;
    int i, times = rounds() / 5 + 1;

    (void)env;
    stop = false;
    CHECK(pthread_create(&thread, NULL, keep_asking, NULL) == 0);
    for (i = 0; i < times; i++) {
        fork_and(call_back);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    return 1;
}

static NativeSymbol forking[] = {{"who", (void *)fork_inside, "()i", NULL}};

static void inside_a_wanted_guest(void) {
    RuntimeInitArgs args = system_args();

    args.native_module_name = "env";
    args.native_symbols = forking;
    args.n_native_symbols = 1;
    quiet_init(&args);
    wanted = start_guest("guest");
    CHECK_INT(call(&wanted, "who", 0, 0, 0), 1);
    end_guest(&wanted);
    wasm_runtime_destroy();
}

/* A guest with threads that start and join others all the time. */
static struct guest busy;

static int32_t told(wasm_exec_env_t env) {
    (void)env;
    return 1;
}

static NativeSymbol host[] = {{"told", (void *)told, "()i", NULL}};

static void *sum_on_thread(wasm_exec_env_t env, void *data) {
    uint32_t argv[2] = {3, 2};
    wasm_module_inst_t inst = wasm_runtime_get_module_inst(env);

    (void)data;
    CHECK(wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "sum"), 2, argv));
    return (void *)(uintptr_t)argv[0];
}

static void spawn_and_join(wasm_exec_env_t env) {
    wasm_thread_t thread;
    void *sum = NULL;

    CHECK_INT(wasm_runtime_spawn_thread(env, &thread, sum_on_thread, NULL), 0);
    CHECK_INT(wasm_runtime_join_thread(thread, &sum), 0);
    CHECK_INT((uintptr_t)sum, 7);
}

static void *keep_spawning(wasm_exec_env_t env, void *data) {
    (void)data;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        spawn_and_join(env);
    }
    return NULL;
}

/* Instances and descriptions of the same module come and go, too. */
static void *keep_instantiating(void *data) {
    (void)data;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        struct guest guest = guest_of(busy.module);

        CHECK(wasm_runtime_get_export_count(busy.module) > 0);
        CHECK_INT(call(&guest, "sum", 2, 3, 2), 7);
        end_guest_of(&guest);
    }
    return NULL;
}

static void end_busy(void) {
    struct guest guest;

    spawn_and_join(busy.env);
    guest = guest_of(busy.module);
    spawn_and_join(guest.env);
    end_guest_of(&guest);
    end_guest(&busy);
    wasm_runtime_destroy();
}

static void while_guest_threads_come_and_go(void) {
    RuntimeInitArgs args = system_args();
    wasm_thread_t spawners[2];
    pthread_t thread;
    int i, times = rounds() / 5 + 1;

    args.native_module_name = "host";
    args.native_symbols = host;
    args.n_native_symbols = 1;
    args.max_thread_num = 8;
    quiet_init(&args);
    busy = start_guest("spawn");
    stop = false;
    for (i = 0; i < 2; i++) {
        CHECK_INT(wasm_runtime_spawn_thread(busy.env, &spawners[i], keep_spawning, NULL), 0);
    }
    CHECK(pthread_create(&thread, NULL, keep_instantiating, NULL) == 0);
    for (i = 0; i < times; i++) {
        fork_and(end_busy);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (i = 0; i < 2; i++) {
        CHECK_INT(wasm_runtime_join_thread(spawners[i], NULL), 0);
    }
    pthread_join(thread, NULL);
    end_guest(&busy);
    wasm_runtime_destroy();
}

static void run(void) {
    row("fork", while_others_work);
    row("fork while a function is translated", while_another_translates);
    row("fork leaves a running guest behind", lost_threads);
    row("fork in a child", generations);
    row("fork inside a guest that others call", inside_a_wanted_guest);
    row("fork while guest threads start and end", while_guest_threads_come_and_go);
}
