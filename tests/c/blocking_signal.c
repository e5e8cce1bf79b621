/* The signal that interrupts native functions, and the embedder's handlers for it. */

#include "blocking.h"

static int hits;
static int masked;

static void on_signal(int signal) {
    (void)signal;
    hits++;
}

static void on_signal_info(int signal, siginfo_t *info, void *machine) {
    sigset_t mask;

    hits += info->si_signo == signal && machine && info->si_pid == getpid();
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    masked = sigismember(&mask, SIGUSR2) + 2 * sigismember(&mask, SIGUSR1);
}

static struct sigaction current_action(int signal) {
    struct sigaction action;

    sigaction(signal, NULL, &action);
    return action;
}

static struct sigaction handler(void (*function)(int), int flags) {
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = function;
    action.sa_flags = flags;
    return action;
}

static int is_blocked(int signal) {
    sigset_t mask;

    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    return sigismember(&mask, signal);
}

/* Runs a native that blocks, and stops it. */
static int interrupted(void (*inside)(struct blocked *)) {
    struct blocked blocked;
    pthread_t thread;
    int interruptions;

    begin_blocked(&blocked, "native");
    blocked.interrupted = inside;
    CHECK(pthread_create(&thread, NULL, blocked_thread, &blocked) == 0);
    await_blocked(&blocked);
    wasm_runtime_terminate(blocked.inst);
    pthread_join(thread, NULL);
    CHECK_STR(wasm_runtime_get_exception(blocked.inst), "Exception: terminated by user");
    interruptions = blocked.interruptions;
    end_blocked(&blocked);
    return interruptions;
}

static void raise_one(struct blocked *blocked) {
    (void)blocked;
    pthread_kill(pthread_self(), SIGUSR1);
}

static void raise_two(struct blocked *blocked) {
    raise_one(blocked);
    raise_one(blocked);
}

/* Our handler is installed only now, and passes on other signals. */
static void others_signals(void) {
    struct sigaction action = handler(on_signal, SA_RESTART), now;

    sigaction(SIGUSR1, &action, NULL);
    hits = 0;
    CHECK_INT(interrupted(raise_two), 1);
    CHECK_INT(hits, 2);
    now = current_action(SIGUSR1);
    CHECK(now.sa_handler == on_signal && (now.sa_flags & SA_RESTART));
    raise(SIGUSR1);
    CHECK_INT(hits, 3);
}

static void flags_and_mask(void) {
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_signal_info;
    action.sa_flags = SA_SIGINFO;
    sigaddset(&action.sa_mask, SIGUSR2);
    sigaction(SIGUSR1, &action, NULL);
    hits = 0;
    CHECK_INT(interrupted(raise_one), 1);
    CHECK_INT(hits, 1);
    CHECK_INT(masked, 3);
    action.sa_flags |= SA_NODEFER;
    sigaction(SIGUSR1, &action, NULL);
    CHECK_INT(interrupted(raise_one), 1);
    CHECK_INT(hits, 2);
    /* The memory checker masks nothing then. */
    CHECK_INT(masked, is_watched() ? 0 : 1);
    CHECK(current_action(SIGUSR1).sa_sigaction == on_signal_info);
}

/* A handler for one time is used once, and then gone. */
static void one_time_handler(void) {
    struct sigaction action = handler(on_signal, (int)SA_RESETHAND);

    sigaction(SIGUSR1, &action, NULL);
    hits = 0;
    CHECK_INT(interrupted(raise_one), 1);
    CHECK_INT(hits, 1);
    CHECK(current_action(SIGUSR1).sa_handler == SIG_DFL);
}

static void ignored(void) {
    struct sigaction action = handler(SIG_IGN, 0);

    sigaction(SIGUSR1, &action, NULL);
    CHECK_INT(interrupted(raise_one), 1);
    CHECK(current_action(SIGUSR1).sa_handler == SIG_IGN);
}

/* A handler that is installed while ours is there stays. */
static void install_own(struct blocked *blocked) {
    struct sigaction action = handler(on_signal, 0);

    (void)blocked;
    sigaction(SIGUSR1, &action, NULL);
}

static void later_handler(void) {
    struct sigaction action = handler(SIG_DFL, 0);

    sigaction(SIGUSR1, &action, NULL);
    CHECK_INT(interrupted(install_own), 1);
    CHECK(current_action(SIGUSR1).sa_handler == on_signal);
    sigaction(SIGUSR1, &action, NULL);
    CHECK_INT(interrupted(NULL), 1);
    CHECK(current_action(SIGUSR1).sa_handler == SIG_DFL);
}

/* A thread that blocks the signal is interrupted all the same, and has it blocked afterwards. */
static void *masking_thread(void *data) {
    struct blocked *blocked = data;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    blocked_thread(blocked);
    CHECK(is_blocked(SIGUSR1));
    return NULL;
}

static void masks(void) {
    struct blocked blocked;
    pthread_t thread;

    begin_blocked(&blocked, "native");
    CHECK(pthread_create(&thread, NULL, masking_thread, &blocked) == 0);
    await_blocked(&blocked);
    CHECK(!is_blocked(SIGUSR1));
    wasm_runtime_terminate(blocked.inst);
    pthread_join(thread, NULL);
    CHECK_INT(blocked.interruptions, 1);
    CHECK(!is_blocked(SIGUSR1));
    end_blocked(&blocked);
}

/* Without a request to stop nothing is installed by operations that begin and end. */
static void nesting(void) {
    struct sigaction before = current_action(SIGUSR1);
    struct blocked blocked;
    char byte;

    CHECK(!wasm_runtime_begin_blocking_op(NULL));
    wasm_runtime_end_blocking_op(NULL);
    begin_blocked(&blocked, "native");
    wasm_runtime_end_blocking_op(blocked.env);
    CHECK(wasm_runtime_begin_blocking_op(blocked.env));
    CHECK(wasm_runtime_begin_blocking_op(blocked.env));
    CHECK(current_action(SIGUSR1).sa_handler == before.sa_handler);
    wasm_runtime_end_blocking_op(blocked.env);
    wasm_runtime_terminate(blocked.inst);
    CHECK(!wasm_runtime_begin_blocking_op(blocked.env));
    /* The outer one is still going on. */
    CHECK(current_action(SIGUSR1).sa_handler != before.sa_handler);
    CHECK(read(blocked.input[0], &byte, 1) == -1 && errno == EINTR);
    wasm_runtime_end_blocking_op(blocked.env);
    CHECK(current_action(SIGUSR1).sa_handler == before.sa_handler);
    wasm_runtime_clear_exception(blocked.inst);
    /* An operation that is not ended goes with its exec_env. */
    CHECK(wasm_runtime_begin_blocking_op(blocked.env));
    wasm_runtime_terminate(blocked.inst);
    end_blocked(&blocked);
    CHECK(current_action(SIGUSR1).sa_handler == before.sa_handler);
}

static int refused;

static void choose_late(struct blocked *blocked) {
    (void)blocked;
    refused = !wasm_runtime_ctx_set_blocking_op_signal(SIGUSR1);
    hits += current_action(SIGUSR2).sa_handler != SIG_DFL;
}

static void another_number(void) {
    static const int unusable[] = {0, -1, 1000, SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, 32};
    size_t i;

    for (i = 0; i < sizeof unusable / sizeof unusable[0]; i++) {
        CHECK(!wasm_runtime_ctx_set_blocking_op_signal(unusable[i]));
    }
    CHECK(wasm_runtime_ctx_set_blocking_op_signal(SIGUSR2));
    hits = 0;
    CHECK_INT(interrupted(choose_late), 1);
    CHECK_INT(hits, 1);
    CHECK_INT(refused, 1);
    CHECK(current_action(SIGUSR2).sa_handler == SIG_DFL);
    CHECK(wasm_runtime_ctx_set_blocking_op_signal(SIGUSR1));
}

/* Several at once: the handler stays until the last has been interrupted. */
static void several(void) {
    enum { COUNT = 4 };
    struct blocked blocked[COUNT];
    pthread_t threads[COUNT];
    int i;

    for (i = 0; i < COUNT; i++) {
        begin_blocked(&blocked[i], "native");
        CHECK(pthread_create(&threads[i], NULL, blocked_thread, &blocked[i]) == 0);
    }
    for (i = 0; i < COUNT; i++) {
        await_blocked(&blocked[i]);
    }
    wasm_runtime_ctx_terminate_all(wasm_runtime_ctx_current());
    for (i = 0; i < COUNT; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(blocked[i].interruptions, 1);
        end_blocked(&blocked[i]);
    }
    CHECK(current_action(SIGUSR1).sa_handler == SIG_DFL);
}

static void run(void) {
    RuntimeInitArgs args = system_args();
    struct sigaction faults = handler(on_signal, 0), action = handler(SIG_DFL, 0);

    sigaction(SIGSEGV, &faults, NULL);
    args.native_module_name = "env";
    args.native_symbols = blocking_natives;
    args.n_native_symbols = sizeof blocking_natives / sizeof blocking_natives[0];
    CHECK(wasm_runtime_full_init(&args));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    others_signals();
    flags_and_mask();
    one_time_handler();
    ignored();
    later_handler();
    sigaction(SIGUSR1, &action, NULL);
    masks();
    nesting();
    another_number();
    several();
    wasm_runtime_destroy();
    CHECK(current_action(SIGSEGV).sa_handler == on_signal);
    CHECK(current_action(SIGUSR1).sa_handler == SIG_DFL);
}
