/* Threads of guests: their greatest number, and the identifiers that guests know them by. */

#include "rows.h"

static int32_t spawn(struct guest *guest) {
    return (int32_t)call(guest, "spawn", 0, 0, 0);
}

static void spawns_twice_a(void) {
    RuntimeInitArgs args = system_args();
    struct guest guest;

    args.max_thread_num = 4;
    quiet_init(&args);
    guest = start_guest("spawning");
    meet();
    meet();
    CHECK(spawn(&guest) > 0);
    CHECK(spawn(&guest) > 0);
    call(&guest, "release", 0, 0, 0);
    end_guest(&guest);
    wasm_runtime_destroy();
}

static void may_spawn_once_b(void) {
    struct guest guest;

    quiet_init(NULL);
    meet();
    wasm_runtime_set_max_thread_num(1);
    guest = start_guest("spawning");
    CHECK(spawn(&guest) > 0);
    CHECK_INT(spawn(&guest), -1);
    meet();
    call(&guest, "release", 0, 0, 0);
    end_guest(&guest);
    wasm_runtime_destroy();
}

static void thread_limit(void) {
    sides(rounds(), spawns_twice_a, may_spawn_once_b);
}

/* The first thread of each guest has the number 1, in any order. */
static void first_thread(void) {
    struct guest guest;

    quiet_init(NULL);
    guest = start_guest("spawning");
    meet();
    CHECK_INT(spawn(&guest), 1);
    meet();
    call(&guest, "release", 0, 0, 0);
    end_guest(&guest);
    wasm_runtime_destroy();
}

static void thread_numbers(void) {
    sides(rounds(), first_thread, first_thread);
}

static void two_mutexes_a(void) {
    struct guest guest;

    quiet_init(NULL);
    guest = start_guest("pthreads");
    CHECK_INT(call(&guest, "mutex", 0, 0, 0), 1);
    CHECK_INT(call(&guest, "mutex", 0, 0, 0), 2);
    meet();
    meet();
    end_guest(&guest);
    wasm_runtime_destroy();
}

static void one_mutex_b(void) {
    struct guest guest;

    quiet_init(NULL);
    guest = start_guest("pthreads");
    meet();
    CHECK_INT(call(&guest, "mutex", 0, 0, 0), 1);
    meet();
    end_guest(&guest);
    wasm_runtime_destroy();
}

static void handles(void) {
    sides(rounds(), two_mutexes_a, one_mutex_b);
}

/* The semaphore that A opened; B gets only its number. */
static uint32_t semaphore_of_a;

static void opens_a(void) {
    struct guest guest;

    quiet_init(NULL);
    guest = start_guest("pthreads");
    semaphore_of_a = call(&guest, "open", 0, 0, 0);
    CHECK((int32_t)semaphore_of_a > 0);
    meet();
    meet();
    CHECK_INT(call(&guest, "value", 1, semaphore_of_a, 0), 0);
    end_guest(&guest);
    wasm_runtime_destroy();
}

static void posts_b(void) {
    struct guest guest;

    quiet_init(NULL);
    guest = start_guest("pthreads");
    meet();
    CHECK_INT((int32_t)call(&guest, "post", 1, semaphore_of_a, 0), -1);
    meet();
    end_guest(&guest);
    wasm_runtime_destroy();
}

static void semaphores(void) {
    sides(rounds(), opens_a, posts_b);
}

static void run(void) {
    row("thread limit", thread_limit);
    row("guest thread numbers", thread_numbers);
    row("pthread handles", handles);
    row("named semaphores", semaphores);
}
