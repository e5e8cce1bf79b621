/* Calling a guest takes no lock and makes no system call: a child process calls, and this one
   looks at every instruction that it executes. */

#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>
#include "rows.h"

struct seen {
    long instructions, locked, system_calls;
};

/* Looks at one instruction: the lock prefix, an exchange with memory, which locks by itself, or
   the call into the system. */
static void look_at(const uint8_t *code, struct seen *seen) {
    bool prefixed = false;

    while (*code == 0xf0 || *code == 0x66 || *code == 0x67 || *code == 0xf2 || *code == 0xf3
           || *code == 0x2e || *code == 0x36 || *code == 0x3e || *code == 0x26 || *code == 0x64
           || *code == 0x65) {
        prefixed = prefixed || *code == 0xf0;
        code++;
    }
    if ((*code & 0xf0) == 0x40) {
        code++;
    }
    seen->instructions++;
    seen->locked += prefixed || ((*code & 0xfe) == 0x86 && (code[1] & 0xc0) != 0xc0);
    seen->system_calls += code[0] == 0x0f && code[1] == 0x05;
}

/* Steps from one breakpoint of the child to the next. */
static struct seen step_through(pid_t child) {
    struct seen seen = {0, 0, 0};
    struct user_regs_struct regs;
    int status;

    for (;;) {
        long words[2];

        CHECK(ptrace(PTRACE_GETREGS, child, NULL, &regs) == 0);
        words[0] = ptrace(PTRACE_PEEKTEXT, child, regs.rip, NULL);
        words[1] = ptrace(PTRACE_PEEKTEXT, child, regs.rip + 8, NULL);
        if ((words[0] & 0xff) == 0xcc || seen.instructions > 1000000) {
            return seen;
        }
        look_at((const uint8_t *)words, &seen);
        ptrace(PTRACE_SINGLESTEP, child, NULL, NULL);
        if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) {
            return seen;
        }
    }
}

static void breakpoint(void) {
    __asm__ volatile("int3" ::: "memory");
}

/* The body runs once before it is watched: the first call translates. */
static struct seen watch(void (*body)(void)) {
    struct seen seen = {0, 0, 0};
    int status;
    pid_t child = fork();

    if (child == 0) {
        body();
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        breakpoint();
        body();
        breakpoint();
        _exit(failed_checks != 0);
    }
    if (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        seen = step_through(child);
        /* Past the second breakpoint, to the end. */
        ptrace(PTRACE_CONT, child, NULL, NULL);
        waitpid(child, &status, 0);
        ptrace(PTRACE_CONT, child, NULL, NULL);
        waitpid(child, &status, 0);
    }
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return seen;
}

static struct guest guest;
static wasm_function_inst_t add;

static void call_it(void) {
    uint32_t argv[2] = {20, 22};

    if (!wasm_runtime_call_wasm(guest.env, add, 2, argv) || argv[0] != 42) {
        failed_checks++;
    }
}

static int word;

static void lock_something(void) {
    __atomic_add_fetch(&word, 1, __ATOMIC_SEQ_CST);
    getppid();
}

static void start(void) {
    quiet_init(NULL);
    guest = start_guest("guest");
    add = wasm_runtime_lookup_function(guest.inst, "add");
}

static void end(void) {
    end_guest(&guest);
    wasm_runtime_destroy();
}

static void check_path(struct seen seen) {
    if (getenv("SHOW")) {
        fprintf(stderr, "%ld instructions, %ld locked, %ld system calls\n", seen.instructions,
                seen.locked, seen.system_calls);
    }
    CHECK(seen.instructions > 50 && seen.instructions < 5000);
    CHECK_INT(seen.locked, 0);
    CHECK_INT(seen.system_calls, 0);
}

static void own_thread(void) {
    struct seen control = watch(lock_something);

    CHECK(control.locked == 1 && control.system_calls == 1);
    start();
    check_path(watch(call_it));
    end();
}

/* From a thread that has a context of its own while the guest is another's. */
static void *calls_elsewhere(void *data) {
    (void)data;
    quiet_init(NULL);
    check_path(watch(call_it));
    wasm_runtime_destroy();
    return NULL;
}

static void foreign_thread(void) {
    pthread_t thread;

    start();
    CHECK(pthread_create(&thread, NULL, calls_elsewhere, NULL) == 0);
    pthread_join(thread, NULL);
    end();
}

static void run(void) {
    row("a call of a guest", own_thread);
    row("a call of another context's guest", foreign_thread);
}
