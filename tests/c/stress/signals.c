/* Guests run while signals of the embedder's arrive, natives fault and recover in the embedder's
   handler, and the process forks. */

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "stress.h"

#define MAX_THREADS 16

static long user_signals, sent_signals, async_faults, sent_faults;
static __thread sigjmp_buf fault_return;
static __thread volatile bool expects_fault;
static char *forbidden;

static void on_user_signal(int signal) {
    (void)signal;
    __atomic_add_fetch(&user_signals, 1, __ATOMIC_RELAXED);
}

static void on_fault(int signal, siginfo_t *info, void *context) {
    (void)signal;
    (void)context;
    if (expects_fault && info->si_addr == forbidden && info->si_code > 0) {
        expects_fault = false;
        siglongjmp(fault_return, 1);
    }
    /* Sent by another thread: the guest goes on. An unexpected fault ends the process. */
    if (info->si_code > 0) {
        _exit(3);
    }
    __atomic_add_fetch(&async_faults, 1, __ATOMIC_RELAXED);
}

/* A native that faults, in the middle of a guest's call. */
static int64_t faulting_secret(wasm_exec_env_t env) {
    if (sigsetjmp(fault_return, 1) == 0) {
        expects_fault = true;
        *(volatile char *)forbidden = 1;
        CHECK(!"it faults");
    }
    return native_secret(env);
}

static void begin(struct worker *w, struct tenant *t) {
    RuntimeInitArgs args = system_args();

    t->secret = new_secret(w);
    name_natives(t);
    t->symbols[0].func_ptr = (void *)faulting_secret;
    args.max_thread_num = MAX_THREADS;
    args.native_module_name = "host";
    args.native_symbols = t->symbols;
    args.n_native_symbols = 2;
    CHECK(wasm_runtime_full_init(&args));
    t->ctx = wasm_runtime_ctx_current();
    wasm_runtime_set_log_level(quiet());
    t->module = load_module("cluster");
    t->inst = instantiate(t->module, 8192, 0);
    t->env = wasm_runtime_create_exec_env(t->inst, 8192);
    fill(t);
}

static void use(struct worker *w, struct tenant *t) {
    size_t bytes;

    guest_bytes(t, &bytes);
    verify(t, bytes);
    nest(t, below(w, 10));
}

static void end(struct tenant *t) {
    wasm_runtime_destroy_exec_env(t->env);
    wasm_runtime_deinstantiate(t->inst);
    wasm_runtime_unload(t->module);
    wasm_runtime_destroy();
}

static uint32_t waiting_threads(struct tenant *t, const char *what, uint32_t count) {
    uint32_t argv[1] = {count};

    CHECK(call(t, what, strcmp(what, "linger") == 0, argv));
    return argv[0];
}

/* The child has the forking thread's guest, without its threads, and makes another. */
static void in_child(struct worker *w, struct tenant *t) {
    struct tenant other;

    failed_checks = 0;
    alarm(PATIENCE_SECONDS);
    use(w, t);
    CHECK_INT(stats_of(t).threads, 0);
    CHECK_INT(waiting_threads(t, "let_go", 0), 0);
    /* As many as there may be at all: those that were left behind do not count. */
    CHECK_INT(waiting_threads(t, "linger", MAX_THREADS), MAX_THREADS);
    waiting_threads(t, "let_go", 0);
    no_threads(t);
    start_threads(t, 2);
    end(t);
    memset(&other, 0, sizeof other);
    begin(w, &other);
    use(w, &other);
    start_threads(&other, 2);
    end(&other);
    fflush(stdout);
    _exit(failed_checks != 0);
}

static void fork_here(struct worker *w, struct tenant *t) {
    int status = -1;
    pid_t child, waited;

    step(w, "fork");
    CHECK(waiting_threads(t, "linger", below(w, MAX_THREADS)) < MAX_THREADS);
    child = fork();
    if (child == 0) {
        in_child(w, t);
    }
    do {
        waited = waitpid(child, &status, 0);
    } while (waited == -1 && child > 0);
    CHECK(child > 0 && waited == child);
    CHECK_INT(status, 0);
    waiting_threads(t, "let_go", 0);
    no_threads(t);
}

static void *runner(void *data) {
    struct worker *w = data;

    do {
        struct tenant t;
        int rounds = 1 + (int)below(w, 20);

        memset(&t, 0, sizeof t);
        step(w, "begin");
        begin(w, &t);
        while (rounds-- > 0) {
            step(w, "use");
            use(w, &t);
            start_threads(&t, 2);
            no_threads(&t);
        }
        /* One of them, so that the system is not busy with copies of us only. */
        if (w->number == 0) {
            fork_here(w, &t);
        }
        step(w, "end");
        end(&t);
    } while (!time_is_up());
    worker_done(w);
    return NULL;
}

/* Sends signals to the process, which has them handled on any thread that runs a guest. No faults
   under valgrind: it never blocks those, and a thread that gets one while it waits for its turn
   queues twice, so that valgrind's own lock is lost and everything stands still. */
static void *sender(void *data) {
    bool watched = getenv("STRESS_WATCHED") != NULL;
    uint64_t random = seed;
    sigset_t all;

    (void)data;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    while (!all_done()) {
        bool fault = !watched && next_random(&random) % 4 == 0;
        long *sent = fault ? &sent_faults : &sent_signals;
        long *arrived = fault ? &async_faults : &user_signals;

        /* The next one when this one has arrived: equal signals are not queued. */
        if (*sent == __atomic_load_n(arrived, __ATOMIC_RELAXED)) {
            ++*sent;
            kill(getpid(), fault ? SIGSEGV : SIGUSR1);
        }
        pause_us(300);
    }
    return NULL;
}

/* The last one may be under way, and valgrind loses a signal for a thread that ends. */
static void all_arrive(const long *arrived, long sent) {
    int i;

    for (i = 0; i < 5000 && __atomic_load_n(arrived, __ATOMIC_RELAXED) < sent; i++) {
        pause_us(1000);
    }
    CHECK(*arrived == sent || (*arrived == sent - 1 && getenv("STRESS_WATCHED")));
}

static void run(void) {
    struct sigaction user, fault, now;

    set_up();
    forbidden = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(&user, 0, sizeof user);
    user.sa_handler = on_user_signal;
    user.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &user, NULL);
    memset(&fault, 0, sizeof fault);
    fault.sa_sigaction = on_fault;
    fault.sa_flags = SA_SIGINFO | SA_RESTART;
    sigaction(SIGSEGV, &fault, NULL);

    work(runner, sender);
    CHECK(sent_signals > 0 && (sent_faults > 0 || getenv("STRESS_WATCHED")));
    all_arrive(&user_signals, sent_signals);
    all_arrive(&async_faults, sent_faults);
    sigaction(SIGUSR1, NULL, &now);
    CHECK(now.sa_handler == on_user_signal);
    sigaction(SIGSEGV, NULL, &now);
    CHECK(now.sa_sigaction == on_fault);
    munmap(forbidden, 4096);
}
