/* The process around it: signals, stacks, threads that end. An interpreter installs no
   signal handler and touches nobody's stack. */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>
#include "rows.h"
#include "wasm_runtime_ctx.h"

/* The signal handling of a thread and the process. */
struct signals {
    struct sigaction segv, bus, usr1;
    sigset_t mask;
    stack_t alternate;
};

static struct signals signals_now(void) {
    struct signals now;

    memset(&now, 0, sizeof now);
    sigaction(SIGSEGV, NULL, &now.segv);
    sigaction(SIGBUS, NULL, &now.bus);
    sigaction(SIGUSR1, NULL, &now.usr1);
    pthread_sigmask(SIG_SETMASK, NULL, &now.mask);
    sigaltstack(NULL, &now.alternate);
    return now;
}

static bool same_signals(const struct signals *a, const struct signals *b) {
    return a->segv.sa_handler == b->segv.sa_handler && a->bus.sa_handler == b->bus.sa_handler
           && a->usr1.sa_handler == b->usr1.sa_handler
           && sigismember(&a->mask, SIGUSR1) == sigismember(&b->mask, SIGUSR1)
           && a->alternate.ss_sp == b->alternate.ss_sp
           && a->alternate.ss_flags == b->alternate.ss_flags;
}

static void use_guest(void) {
    struct guest guest = start_guest("basic");

    CHECK_INT(call(&guest, "add", 2, 20, 22), 42);
    end_guest(&guest);
}

/* Another thread's destroy leaves a secondary context alone and may end the primary, and either
   way leaves nothing behind in the thread that made it. */
static void destroyed_a(void) {
    struct signals before = signals_now(), after;

    quiet_init(NULL);
    meet();
    use_guest();
    meet();
    meet();
    CHECK(!wasm_runtime_malloc(1));
    after = signals_now();
    CHECK(same_signals(&before, &after));
}

static void destroying_b(void) {
    meet();
    meet();
    wasm_runtime_destroy();
    meet();
}

static void foreign_destroy(void) {
    sides(rounds(), destroyed_a, destroying_b);
}

/* Threads that prepare themselves and end without undoing it, one after the other, so that the
   system uses their stacks again. */
static void *careless_thread(void *data) {
    volatile char page[64 << 10];
    size_t i;

    CHECK(wasm_runtime_init_thread_env());
    if (data) {
        use_guest();
    }
    for (i = 0; i < sizeof page; i += 4096) {
        page[i] = 1;
    }
    return NULL;
}

static void thread_exit(void) {
    pthread_t thread;
    int i;

    quiet_init(NULL);
    for (i = 0; i < rounds(); i++) {
        CHECK(pthread_create(&thread, NULL, careless_thread, i % 2 ? &thread : NULL) == 0);
        pthread_join(thread, NULL);
    }
    wasm_runtime_destroy();
}

/* The embedder's handler gets the faults of the embedder's own code. */
static sigjmp_buf fault_return;
static int faults;

static void on_fault(int signal) {
    (void)signal;
    faults++;
    siglongjmp(fault_return, 1);
}

static void fault_once(char *forbidden) {
    if (sigsetjmp(fault_return, 1) == 0) {
        *(volatile char *)forbidden = 1;
    }
}

static void *prepared_worker(void *data) {
    (void)data;
    CHECK(wasm_runtime_init_thread_env());
    use_guest();
    return NULL;
}

static void fault_handler_chain(void) {
    struct sigaction action, before;
    /* Not PROT_NONE, which a memory checker would have something to say about. */
    char *forbidden = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_t worker;

    memset(&action, 0, sizeof action);
    action.sa_handler = on_fault;
    sigaction(SIGSEGV, &action, &before);
    quiet_init(NULL);
    use_guest();
    fault_once(forbidden);
    CHECK_INT(faults, 1);
    CHECK(pthread_create(&worker, NULL, prepared_worker, NULL) == 0);
    pthread_join(worker, NULL);
    fault_once(forbidden);
    CHECK_INT(faults, 2);
    wasm_runtime_destroy();
    fault_once(forbidden);
    CHECK_INT(faults, 3);
    sigaction(SIGSEGV, &before, NULL);
    munmap(forbidden, 4096);
}

/* Neither in the thread that makes a context nor in one that runs guests does anything change. */
static void unchanged_signals(void) {
    struct signals before = signals_now(), during, after;

    quiet_init(NULL);
    CHECK(wasm_runtime_init_thread_env());
    use_guest();
    during = signals_now();
    CHECK(same_signals(&before, &during));
    wasm_runtime_destroy_thread_env();
    wasm_runtime_destroy();
    after = signals_now();
    CHECK(same_signals(&before, &after));
}

static void fault_handler_restored(void) {
    unchanged_signals();
    sides(rounds(), unchanged_signals, unchanged_signals);
}

static int hits;

static void on_user_signal(int signal) {
    (void)signal;
    hits++;
}

static void blocking_signal(void) {
    struct sigaction action, before, now;

    memset(&action, 0, sizeof action);
    action.sa_handler = on_user_signal;
    sigaction(SIGUSR1, &action, &before);
    quiet_init(NULL);
    use_guest();
    raise(SIGUSR1);
    CHECK_INT(hits, 1);
    wasm_runtime_destroy();
    raise(SIGUSR1);
    CHECK_INT(hits, 2);
    sigaction(SIGUSR1, &before, &now);
    CHECK(now.sa_handler == on_user_signal);
}

static void *terminating_thread(void *inst) {
    usleep(10000);
    wasm_runtime_terminate(inst);
    return NULL;
}

/* The number cannot change under an operation, which is interrupted by the one it began with. */
static void late_signal_number(void) {
    struct signals before = signals_now(), after;
    struct guest guest;
    pthread_t thread;
    int ends[2];
    char byte;

    quiet_init(NULL);
    guest = start_guest("basic");
    CHECK(pipe(ends) == 0);
    CHECK(wasm_runtime_begin_blocking_op(guest.env));
    CHECK(!wasm_runtime_ctx_set_blocking_op_signal(SIGUSR2));
    CHECK(pthread_create(&thread, NULL, terminating_thread, guest.inst) == 0);
    errno = 0;
    CHECK(read(ends[0], &byte, 1) == -1 && errno == EINTR);
    wasm_runtime_end_blocking_op(guest.env);
    pthread_join(thread, NULL);
    after = signals_now();
    CHECK(same_signals(&before, &after));
    CHECK(wasm_runtime_ctx_set_blocking_op_signal(SIGUSR2));
    CHECK(wasm_runtime_ctx_set_blocking_op_signal(SIGUSR1));
    close(ends[0]);
    close(ends[1]);
    end_guest(&guest);
    wasm_runtime_destroy();
}

static void run(void) {
    row("destroy elsewhere", foreign_destroy);
    row("thread exit", thread_exit);
    row("fault handler chain", fault_handler_chain);
    row("fault handler restored", fault_handler_restored);
    row("blocking-op signal", blocking_signal);
    row("late signal number", late_signal_number);
}
