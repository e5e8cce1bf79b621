/* Operations of guests for which the system sends a signal beside the error, or waits. The host
 * lives, by its own dispositions, and the guest gets the error. */

#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

/* Errors as WASI numbers them. */
enum { ACCES = 2, FBIG = 22, INVAL = 28, NOTCONN = 53, NOTSUP = 58, PIPE = 64, SPIPE = 70 };

struct guest {
    wasm_module_t module;
    wasm_module_inst_t inst;
    wasm_exec_env_t env;
};

static struct guest start(char *folder, int in, int out) {
    struct guest guest;
    const char *dirs[] = {folder};

    guest.module = load_module("signals");
    wasm_runtime_set_wasi_args_ex(guest.module, dirs, 1, NULL, 0, NULL, 0, NULL, 0, in, out, -1);
    guest.inst = instantiate(guest.module, 16384, 0);
    guest.env = wasm_runtime_create_exec_env(guest.inst, 16384);
    return guest;
}

static void finish(struct guest *guest) {
    wasm_runtime_destroy_exec_env(guest->env);
    wasm_runtime_deinstantiate(guest->inst);
    wasm_runtime_unload(guest->module);
}

static int call(struct guest *guest, const char *name, uint32_t count, uint32_t a, uint32_t b) {
    uint32_t cells[2] = {a, b};
    wasm_function_inst_t function = wasm_runtime_lookup_function(guest->inst, name);

    if (!function || !wasm_runtime_call_wasm(guest->env, function, count, cells)) {
        printf("%s: %s\n", name, wasm_runtime_get_exception(guest->inst));
        exit(2);
    }
    return (int)cells[0];
}

static volatile sig_atomic_t came;

static void on_signal(int number) {
    came = number;
}

/* Every call whose error the system sends a signal with. */
static void all_calls(struct guest *guest, bool limited) {
    uint32_t fd = (uint32_t)call(guest, "open", 1, 1, 0);

    CHECK_INT(call(guest, "write", 2, fd, 4), PIPE);
    CHECK_INT(call(guest, "send", 1, fd, 0), PIPE);
    /* Standard output is a pipe, standard error here a socket, both without readers. */
    CHECK_INT(call(guest, "write", 2, 1, 4), PIPE);
    CHECK_INT(call(guest, "pwrite", 2, 1, 0), SPIPE);
    CHECK_INT(call(guest, "write", 2, 0, 4), PIPE);
    if (limited) {
        fd = (uint32_t)call(guest, "create", 0, 0, 0);
        CHECK_INT(call(guest, "write", 2, fd, 5000), 0);
        CHECK_INT(call(guest, "write", 2, fd, 1), FBIG);
        CHECK_INT(call(guest, "pwrite", 2, fd, 4096), FBIG);
        CHECK_INT(call(guest, "pwrite", 2, fd, 4092), 0);
        CHECK_INT(call(guest, "resize", 2, fd, 4097), FBIG);
        CHECK_INT(call(guest, "resize", 2, fd, 4096), 0);
        CHECK_INT(call(guest, "allocate", 2, fd, 4097), FBIG);
    }
}

/* Neither the dispositions nor the mask nor the pending signals have changed. */
static void unchanged(void (*handler)(int), bool blocked) {
    const int signals[] = {SIGPIPE, SIGXFSZ};
    struct sigaction action;
    sigset_t set;

    for (int i = 0; i < 2; i++) {
        sigaction(signals[i], NULL, &action);
        CHECK(action.sa_handler == handler);
        pthread_sigmask(SIG_BLOCK, NULL, &set);
        CHECK_INT(sigismember(&set, signals[i]), blocked);
        sigpending(&set);
        CHECK_INT(sigismember(&set, signals[i]), 0);
    }
    CHECK_INT(came, 0);
}

static void in_every_disposition(void) {
    void (*handlers[])(int) = {SIG_DFL, SIG_IGN, on_signal};
    char folder[] = "/tmp/isothread-signals-XXXXXX";
    char path[64];
    int out[2], in[2];
    struct guest guest;
    struct rlimit before, limit;
    sigset_t set;

    if (!mkdtemp(folder) || pipe(out) || socketpair(AF_UNIX, SOCK_STREAM, 0, in)) {
        exit(2);
    }
    close(out[0]);
    close(in[0]);
    snprintf(path, sizeof path, "%s/big", folder);
    guest = start(folder, in[1], out[1]);
    getrlimit(RLIMIT_FSIZE, &before);
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    sigaddset(&set, SIGXFSZ);
    for (int i = 0; i < 6; i++) {
        bool blocked = i % 2 != 0;

        signal(SIGPIPE, handlers[i / 2]);
        signal(SIGXFSZ, handlers[i / 2]);
        pthread_sigmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
        all_calls(&guest, false);
        /* The limit may come at any time. */
        limit = before;
        limit.rlim_cur = 4096;
        setrlimit(RLIMIT_FSIZE, &limit);
        all_calls(&guest, true);
        setrlimit(RLIMIT_FSIZE, &before);
        unlink(path);
        unchanged(handlers[i / 2], blocked);
    }
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    finish(&guest);
    close(out[1]);
    close(in[1]);
    rmdir(folder);
}

/* A signal that was pending before is the host's, and stays. */
static void what_was_pending(void) {
    char folder[] = "/";
    struct guest guest = start(folder, -1, -1);
    struct timespec now = {0, 0};
    uint32_t fd = (uint32_t)call(&guest, "open", 1, 1, 0);
    sigset_t set;
    int out[2];

    if (pipe(out)) {
        exit(2);
    }
    close(out[0]);
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    CHECK_INT(write(out[1], "x", 1), -1);
    CHECK_INT(call(&guest, "write", 2, fd, 4), PIPE);
    CHECK_INT(sigtimedwait(&set, NULL, &now), SIGPIPE);
    CHECK_INT(sigtimedwait(&set, NULL, &now), -1);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    close(out[1]);
    finish(&guest);
}

/* Guests without WASI print through C's buffer, which is written when it is full. */
static void printing(void) {
    int ends[2], status = -1;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        char folder[] = "/";
        struct guest guest;

        failed_checks = 0;
        if (pipe(ends)) {
            _exit(2);
        }
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        guest = start(folder, -1, -1);
        for (int mode = 0; mode < 3; mode++) {
            const int modes[] = {_IONBF, _IOLBF, _IOFBF};

            setvbuf(stdout, NULL, modes[mode], 0);
            call(&guest, "print", 1, 20000, 0);
            clearerr(stdout);
        }
        _exit(failed_checks ? 1 : 7);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 7);
}

/* Without a pool nothing listens, and operations that a socket does not have fail at once. */
static void sockets(void) {
    char folder[] = "/";
    struct guest guest = start(folder, -1, -1);
    uint32_t stream = (uint32_t)call(&guest, "open", 1, 1, 0);
    uint32_t datagrams = (uint32_t)call(&guest, "open", 1, 0, 0);

    CHECK_INT(call(&guest, "listen", 1, stream, 0), ACCES);
    CHECK_INT(call(&guest, "accept", 1, stream, 0), INVAL);
    CHECK_INT(call(&guest, "recv", 1, stream, 0), NOTCONN);
    CHECK_INT(call(&guest, "send", 1, stream, 0), PIPE);
    CHECK_INT(call(&guest, "listen", 1, datagrams, 0), NOTSUP);
    CHECK_INT(call(&guest, "accept", 1, datagrams, 0), NOTSUP);
    finish(&guest);
}

static void run(void) {
    RuntimeInitArgs args = system_args();

    CHECK(wasm_runtime_full_init(&args));
    in_every_disposition();
    what_was_pending();
    printing();
    sockets();
    wasm_runtime_destroy();
}
