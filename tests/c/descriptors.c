/* Descriptors are the process's: guests open them, and share some with others. */
#define _GNU_SOURCE
#include "check.h"
#include "wasm_runtime_ctx.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

enum { AGAIN = 6, TOO_MANY_FILES = 33, NONBLOCK = 4, APPEND = 1 };

struct guest {
    wasm_runtime_ctx_t ctx;
    wasm_module_t module;
    wasm_module_inst_t inst;
    wasm_exec_env_t env;
};

/* A guest in a context of its own, which sees the module's folder and these streams. */
static struct guest begin(int in, int out) {
    /* Read when an instance is made. */
    static const char *dirs[1];
    struct guest guest;

    dirs[0] = module_folder;
    guest.ctx = wasm_runtime_ctx_create(NULL);
    CHECK(wasm_runtime_ctx_push(guest.ctx));
    guest.module = load_module("descriptors");
    wasm_runtime_set_wasi_args_ex(guest.module, dirs, 1, NULL, 0, NULL, 0, NULL, 0, in, out, out);
    wasm_runtime_ctx_pop(guest.ctx);
    guest.inst = instantiate(guest.module, 0, 0);
    guest.env = wasm_runtime_create_exec_env(guest.inst, 8192);
    return guest;
}

static void end(struct guest *guest) {
    wasm_runtime_destroy_exec_env(guest->env);
    wasm_runtime_deinstantiate(guest->inst);
    wasm_runtime_unload(guest->module);
    CHECK(wasm_runtime_ctx_destroy(guest->ctx));
}

static int call(struct guest *guest, const char *name, uint32_t first, uint32_t second) {
    wasm_function_inst_t function = wasm_runtime_lookup_function(guest->inst, name);
    uint32_t argv[2] = {first, second};

    CHECK(wasm_runtime_call_wasm(guest->env, function,
                                 wasm_func_get_param_count(function, guest->inst), argv));
    return (int)argv[0];
}

static wasm_runtime_ctx_limits_t limits_of(struct guest *guest) {
    wasm_runtime_ctx_limits_t limits;

    limits.struct_size = sizeof limits;
    CHECK(wasm_runtime_ctx_get_limits(guest->ctx, &limits));
    return limits;
}

static void limit(struct guest *guest, uint32_t max_descriptors) {
    wasm_runtime_ctx_limits_t limits = limits_of(guest);

    limits.set = WASM_RUNTIME_CTX_LIMIT_DESCRIPTORS;
    limits.max_descriptors = max_descriptors;
    CHECK(wasm_runtime_ctx_set_limits(guest->ctx, &limits));
}

static wasm_runtime_ctx_stats_t stats_of(struct guest *guest) {
    wasm_runtime_ctx_stats_t stats;

    stats.struct_size = sizeof stats;
    CHECK(wasm_runtime_ctx_stats(guest->ctx, &stats));
    return stats;
}

static bool host_opens(void) {
    FILE *file = fopen("/dev/null", "r");

    return file && fclose(file) == 0;
}

/* A guest that opens as many as it can leaves the host and other contexts their part. */
static void limits(void) {
    struct guest guest = begin(-1, -1), other = begin(-1, -1);
    wasm_runtime_ctx_limits_t older = limits_of(&guest);
    uint32_t most = older.max_descriptors;
    struct rlimit process;

    CHECK(getrlimit(RLIMIT_NOFILE, &process) == 0);
    CHECK_INT(most, process.rlim_cur / 4 < 64     ? 64
                    : process.rlim_cur / 4 > 4096 ? 4096
                                                  : process.rlim_cur / 4);
    CHECK_INT(call(&guest, "open_sockets", 0, 0), TOO_MANY_FILES);
    CHECK(host_opens());
    CHECK_INT(stats_of(&guest).descriptors, most);
    CHECK_INT(stats_of(&other).descriptors, 0);
    /* One is closed, one can be opened, of any kind. */
    CHECK_INT(call(&guest, "close", 4, 0), 0);
    CHECK_INT(stats_of(&guest).descriptors, most - 1);
    CHECK_INT(call(&guest, "open_directories", 0, 0), TOO_MANY_FILES);
    CHECK_INT(stats_of(&guest).descriptors, most);
    limit(&guest, most + 10);
    CHECK_INT(call(&guest, "open_directories", 0, 0), TOO_MANY_FILES);
    CHECK_INT(stats_of(&guest).peak_descriptors, most + 10);
    /* Open descriptors stay. */
    limit(&guest, 0);
    CHECK_INT(call(&guest, "close", 5, 0), 0);
    CHECK_INT(call(&guest, "open_sockets", 0, 0), TOO_MANY_FILES);
    CHECK_INT(stats_of(&guest).descriptors, most + 9);
    CHECK_INT(limits_of(&guest).max_descriptors, 0);
    CHECK_INT(limits_of(&other).max_descriptors, most);
    /* The program's end gives everything back. */
    wasm_runtime_destroy_exec_env(guest.env);
    wasm_runtime_deinstantiate(guest.inst);
    CHECK_INT(stats_of(&guest).descriptors, 0);
    CHECK_INT(stats_of(&guest).peak_descriptors, most + 10);
    guest.inst = instantiate(guest.module, 0, 0);
    guest.env = wasm_runtime_create_exec_env(guest.inst, 8192);
    /* A program that knows a shorter struct has no such limit. */
    older.struct_size = 40;
    older.set = WASM_RUNTIME_CTX_LIMIT_DESCRIPTORS;
    CHECK(!wasm_runtime_ctx_set_limits(guest.ctx, &older));
    older.set = WASM_RUNTIME_CTX_LIMIT_THREADS;
    CHECK(wasm_runtime_ctx_set_limits(guest.ctx, &older));
    CHECK_INT(limits_of(&guest).max_descriptors, 0);
    end(&guest);
    end(&other);
}

/* When it is the process that has no more, the guest gets the system's answer. */
static void exhausted_process(void) {
    struct guest guest = begin(-1, -1);
    struct rlimit process, less;

    CHECK(getrlimit(RLIMIT_NOFILE, &process) == 0);
    less = process;
    less.rlim_cur = 40;
    CHECK(setrlimit(RLIMIT_NOFILE, &less) == 0);
    CHECK_INT(call(&guest, "open_sockets", 0, 0), TOO_MANY_FILES);
    CHECK(stats_of(&guest).descriptors < 40);
    CHECK_INT(call(&guest, "open_directories", 0, 0), TOO_MANY_FILES);
    CHECK(setrlimit(RLIMIT_NOFILE, &process) == 0);
    end(&guest);
}

static bool is_nonblocking(int fd) {
    return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

static void *drain(void *data) {
    static char bytes[4096];
    struct timespec pause = {0, 500000};

    do {
        nanosleep(&pause, NULL);
    } while (read(*(int *)data, bytes, sizeof bytes) > 0);
    return NULL;
}

static void *begin_and_set(void *data) {
    struct guest guest = begin(-1, *(int *)data);

    CHECK_INT(call(&guest, "set_flags", 1, NONBLOCK), 0);
    CHECK_INT(call(&guest, "flags", 1, 0), NONBLOCK);
    end(&guest);
    return NULL;
}

/* A guest that sets NONBLOCK on its streams does not wait any more; the others and the host do. */
static void shared_pipes(void) {
    int in[2], out[2];
    struct guest guest, other;
    pthread_t thread, reader;
    int written, total = 0;

    CHECK(pipe(in) == 0 && pipe(out) == 0);
    guest = begin(in[0], out[1]);
    other = begin(in[0], out[1]);
    CHECK_INT(call(&guest, "set_flags", 0, NONBLOCK), 0);
    CHECK_INT(call(&guest, "set_flags", 1, NONBLOCK), 0);
    CHECK(!is_nonblocking(in[0]) && !is_nonblocking(out[1]));
    CHECK_INT(call(&guest, "flags", 0, 0), NONBLOCK);
    CHECK_INT(call(&guest, "flags", 1, 0), NONBLOCK);
    CHECK_INT(call(&other, "flags", 1, 0), 0);
    CHECK_INT(call(&guest, "read", 0, 100), -AGAIN);
    CHECK(write(in[1], "abc", 3) == 3);
    CHECK_INT(call(&guest, "read", 0, 100), 3);
    CHECK_INT(call(&guest, "read", 0, 0), 0);
    /* More than there is room for is written in part. */
    while ((written = call(&guest, "write", 1, 100000)) > 0) {
        total += written;
    }
    CHECK_INT(written, -AGAIN);
    CHECK_INT(total, fcntl(out[1], F_GETPIPE_SZ));
    /* Flags can be taken back; a descriptor that has another number keeps them. */
    CHECK_INT(call(&guest, "set_flags", 1, 0), 0);
    CHECK_INT(call(&guest, "flags", 1, 0), 0);
    CHECK(pthread_create(&thread, NULL, begin_and_set, &out[1]) == 0);
    pthread_join(thread, NULL);
    CHECK(pthread_create(&reader, NULL, drain, &out[0]) == 0);
    CHECK_INT(call(&other, "write_pages", 1, 64), 0);
    CHECK_INT(call(&guest, "write_pages", 1, 64), 0);
    CHECK(!is_nonblocking(in[0]) && !is_nonblocking(out[1]));
    end(&guest);
    end(&other);
    close(out[1]);
    pthread_join(reader, NULL);
    close(out[0]);
    close(in[0]);
    close(in[1]);
}

/* Where the host does not wait, a guest can still ask to. */
static void nonblocking_host(void) {
    int out[2];
    struct guest guest;
    pthread_t reader;

    CHECK(pipe(out) == 0);
    CHECK(fcntl(out[1], F_SETFL, O_NONBLOCK) == 0);
    guest = begin(-1, out[1]);
    CHECK_INT(call(&guest, "flags", 1, 0), NONBLOCK);
    while (call(&guest, "write", 1, 4096) > 0) {
    }
    CHECK_INT(call(&guest, "write", 1, 4096), -AGAIN);
    CHECK_INT(call(&guest, "set_flags", 1, 0), 0);
    CHECK_INT(call(&guest, "flags", 1, 0), 0);
    CHECK(is_nonblocking(out[1]));
    CHECK(pthread_create(&reader, NULL, drain, &out[0]) == 0);
    CHECK_INT(call(&guest, "write_pages", 1, 64), 0);
    end(&guest);
    close(out[1]);
    pthread_join(reader, NULL);
    close(out[0]);
}

/* APPEND is a guest's own as well; the position is shared. */
static void shared_files(void) {
    char path[1024], text[16] = "";
    struct guest guest, other;
    int fd;

    snprintf(path, sizeof path, "%s/shared-%d", module_folder, (int)getpid());
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && unlink(path) == 0);
    CHECK(write(fd, "123456", 6) == 6);
    guest = begin(-1, fd);
    other = begin(-1, fd);
    CHECK(lseek(fd, 2, SEEK_SET) == 2);
    CHECK_INT(call(&guest, "set_flags", 1, APPEND), 0);
    CHECK_INT(call(&guest, "flags", 1, 0), APPEND);
    CHECK_INT(call(&other, "flags", 1, 0), 0);
    CHECK(!(fcntl(fd, F_GETFL) & O_APPEND));
    CHECK_INT(call(&guest, "write", 1, 1), 1);
    CHECK_INT(lseek(fd, 0, SEEK_CUR), 7);
    CHECK(lseek(fd, 2, SEEK_SET) == 2);
    CHECK_INT(call(&other, "write", 1, 1), 1);
    CHECK(pread(fd, text, sizeof text, 0) == 7);
    CHECK(memcmp(text, "12\0" "456\0", 7) == 0);
    CHECK_INT(call(&guest, "set_flags", 1, 0), 0);
    CHECK_INT(call(&guest, "write", 1, 2), 2);
    CHECK_INT(lseek(fd, 0, SEEK_CUR), 5);
    /* The host has everything appended: so it is. */
    CHECK(fcntl(fd, F_SETFL, O_APPEND) == 0);
    CHECK_INT(call(&guest, "flags", 1, 0), APPEND);
    end(&guest);
    end(&other);
    close(fd);
}

static void run(void) {
    limits();
    exhausted_process();
    shared_pipes();
    nonblocking_host();
    shared_files();
}
