/* Guests that wait are woken when they are to stop, wherever they wait, and soon. */

#include "blocking.h"

static const char *const places[] = {"read", "write", "pour", "sleep",
                                     "poll", "accept", "native"};

enum { PLACES = sizeof places / sizeof places[0], TIMES = 9, ATTEMPTS = 5 };

/* The ways to stop a guest. */
enum stop { TERMINATE, TERMINATE_ALL, LATE_DEADLINE, STOPS };

static void stop(struct blocked *blocked, enum stop how) {
    wasm_runtime_ctx_t ctx = wasm_runtime_ctx_of_instance(blocked->inst);
    wasm_runtime_ctx_limits_t limits;

    memset(&limits, 0, sizeof limits);
    limits.struct_size = sizeof limits;
    limits.set = WASM_RUNTIME_CTX_LIMIT_TIME;
    switch (how) {
        case TERMINATE:
            wasm_runtime_terminate(blocked->inst);
            break;
        case TERMINATE_ALL:
            CHECK(wasm_runtime_ctx_terminate_all(ctx));
            break;
        default:
            limits.time_ms = 1;
            CHECK(wasm_runtime_ctx_set_limits(ctx, &limits));
            break;
    }
}

static void no_limit(struct blocked *blocked) {
    wasm_runtime_ctx_limits_t limits;

    memset(&limits, 0, sizeof limits);
    limits.struct_size = sizeof limits;
    limits.set = WASM_RUNTIME_CTX_LIMIT_TIME;
    limits.time_ms = UINT64_MAX;
    CHECK(wasm_runtime_ctx_set_limits(wasm_runtime_ctx_of_instance(blocked->inst), &limits));
}

/* Milliseconds from the request to the end of the call. */
static double stopped_after(struct blocked *blocked, enum stop how) {
    pthread_t thread;
    double told;

    blocked->is_ready = 0;
    CHECK(pthread_create(&thread, NULL, blocked_thread, blocked) == 0);
    await_blocked(blocked);
    told = now_ms();
    stop(blocked, how);
    pthread_join(thread, NULL);
    CHECK(!blocked->result);
    CHECK_STR(wasm_runtime_get_exception(blocked->inst),
              how == LATE_DEADLINE ? "Exception: deadline exceeded"
                                   : "Exception: terminated by user");
    no_limit(blocked);
    wasm_runtime_clear_exception(blocked->inst);
    return blocked->ended - told;
}

static int ascending(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

/* Load of other processes may disturb, so one good attempt is enough. */
static void soon(const char *function, enum stop how) {
    struct blocked blocked;
    double times[TIMES];
    int attempt, i;

    begin_blocked(&blocked, function);
    for (attempt = 0; attempt < ATTEMPTS; attempt++) {
        for (i = 0; i < (is_watched() ? 1 : TIMES); i++) {
            times[i] = stopped_after(&blocked, how);
        }
        if (is_watched()) {
            break;
        }
        qsort(times, TIMES, sizeof times[0], ascending);
        if (getenv("SHOW_TIMES")) {
            fprintf(stderr, "%s %d: median %.3f ms, worst %.3f ms\n", function, how,
                    times[TIMES / 2], times[TIMES - 1]);
        }
        if (times[TIMES / 2] <= 10 && times[TIMES - 1] <= 100) {
            break;
        }
    }
    CHECK(attempt < ATTEMPTS);
    end_blocked(&blocked);
}

/* A time limit that is there before the wait begins. */
static void deadline(const char *function) {
    struct blocked blocked;
    wasm_runtime_ctx_limits_t limits;
    double start;

    begin_blocked(&blocked, function);
    memset(&limits, 0, sizeof limits);
    limits.struct_size = sizeof limits;
    limits.set = WASM_RUNTIME_CTX_LIMIT_TIME;
    limits.time_ms = 30;
    start = now_ms();
    CHECK(wasm_runtime_ctx_set_limits(wasm_runtime_ctx_of_instance(blocked.inst), &limits));
    blocked_thread(&blocked);
    CHECK_STR(wasm_runtime_get_exception(blocked.inst), "Exception: deadline exceeded");
    CHECK(blocked.ended - start >= 29);
    no_limit(&blocked);
    end_blocked(&blocked);
}

/* Limits that are far away, or go away, end no wait. */
static void moved_deadline(const char *function) {
    struct blocked blocked;
    wasm_runtime_ctx_limits_t limits;
    pthread_t thread;

    begin_blocked(&blocked, function);
    CHECK(pthread_create(&thread, NULL, blocked_thread, &blocked) == 0);
    await_blocked(&blocked);
    memset(&limits, 0, sizeof limits);
    limits.struct_size = sizeof limits;
    limits.set = WASM_RUNTIME_CTX_LIMIT_TIME;
    limits.time_ms = 3600000;
    CHECK(wasm_runtime_ctx_set_limits(wasm_runtime_ctx_of_instance(blocked.inst), &limits));
    usleep(2000);
    no_limit(&blocked);
    usleep(8000);
    CHECK_INT(blocked.interruptions, 0);
    wasm_runtime_terminate(blocked.inst);
    pthread_join(thread, NULL);
    CHECK_STR(wasm_runtime_get_exception(blocked.inst), "Exception: terminated by user");
    CHECK(strcmp(function, "native") != 0 || blocked.interruptions == 1);
    end_blocked(&blocked);
}

/* Ordinary input still arrives. */
static void answered(void) {
    struct blocked blocked;
    uint32_t argv[1] = {0};

    begin_blocked(&blocked, "read");
    CHECK(write(blocked.input[1], "xy", 2) == 2);
    CHECK(wasm_runtime_call_wasm(blocked.env, wasm_runtime_lookup_function(blocked.inst, "native"),
                                 0, argv));
    CHECK_INT(argv[0], 1);
    CHECK(wasm_runtime_call_wasm(blocked.env, wasm_runtime_lookup_function(blocked.inst, "read"),
                                 0, argv));
    CHECK_INT(argv[0], 1);
    CHECK_INT(blocked.interruptions, 0);
    end_blocked(&blocked);
}

static void run(void) {
    RuntimeInitArgs args = system_args();
    int place, how;

    args.native_module_name = "env";
    args.native_symbols = blocking_natives;
    args.n_native_symbols = sizeof blocking_natives / sizeof blocking_natives[0];
    CHECK(wasm_runtime_full_init(&args));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    answered();
    for (place = 0; place < PLACES; place++) {
        for (how = 0; how < STOPS; how++) {
            soon(places[place], how);
        }
        deadline(places[place]);
        moved_deadline(places[place]);
    }
    wasm_runtime_destroy();
}
