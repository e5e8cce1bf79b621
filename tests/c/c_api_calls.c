/* Calls in both directions: they allocate nothing for numbers and vectors, and what is deleted
 * meanwhile stays until they have returned. */

#include <pthread.h>
#include "c_api.h"
#include "failing_malloc.h"

enum { ADD, NUMBERS, VECTOR, AGAIN, EXPORTS };

static wasm_extern_vec_t exports;
static int finalized;

static wasm_trap_t *turn(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    size_t i;

    CHECK(args->size == 4 && results->size == 4);
    for (i = 0; i < 4; i++) {
        CHECK_INT(results->data[3 - i].kind, args->data[i].kind);
        CHECK_INT(results->data[3 - i].of.i64, 0);
        results->data[3 - i] = args->data[i];
    }
    return NULL;
}

/* The n-th byte of the result is the sum of the argument's and the number. */
static wasm_trap_t *shift(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    const uint8_t *from = (const uint8_t *)args->data[0].of.foreign;
    uint8_t *to = (uint8_t *)results->data[0].of.foreign;
    int i;

    for (i = 0; i < 16; i++) {
        CHECK_INT(to[i], 0);
        to[i] = (uint8_t)(from[i] + args->data[1].of.i32);
    }
    return NULL;
}

/* Acts as the number says. */
static wasm_trap_t *act(const wasm_val_vec_t *args, wasm_val_vec_t *results);

static wasm_func_t *item(int which) {
    return wasm_extern_as_func(exports.data[which]);
}

static void finalize(void *count) {
    ++*(int *)count;
}

static void open_guest(void) {
    wasm_valtype_t *ps[] = { wasm_valtype_new_i32(), wasm_valtype_new_i64(),
                             wasm_valtype_new_f32(), wasm_valtype_new_f64() };
    wasm_valtype_t *rs[] = { wasm_valtype_new_f64(), wasm_valtype_new_f32(),
                             wasm_valtype_new_i64(), wasm_valtype_new_i32() };
    wasm_valtype_vec_t params, outs;
    wasm_functype_t *types[3];
    wasm_func_callback_t callbacks[] = { turn, shift, act };
    wasm_func_t *funcs[3];
    wasm_extern_t *items[3];
    wasm_instance_t *instance;
    int i;

    open_store();
    wasm_valtype_vec_new(&params, 4, ps);
    wasm_valtype_vec_new(&outs, 4, rs);
    types[0] = wasm_functype_new(&params, &outs);
    types[1] = wasm_functype_new_2_1(wasm_valtype_new_v128(), wasm_valtype_new_i32(),
                                     wasm_valtype_new_v128());
    types[2] = wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32());
    for (i = 0; i < 3; i++) {
        funcs[i] = wasm_func_new(store, types[i], callbacks[i]);
        items[i] = wasm_func_as_extern(funcs[i]);
        wasm_functype_delete(types[i]);
    }
    instance = make("c_api_calls", 3, items, &exports);
    for (i = 0; i < 3; i++)
        wasm_func_delete(funcs[i]);
    wasm_instance_delete(instance);
    CHECK_INT(exports.num_elems, EXPORTS);
}

static void close_guest(void) {
    wasm_extern_vec_delete(&exports);
    close_store();
}

static void each_kind(void) {
    wasm_val_t in[] = { WASM_I32_VAL(-1), WASM_I64_VAL(-2), WASM_F32_VAL(1.5f),
                        WASM_F64_VAL(-2.5) };
    wasm_val_t out[4], sum[2] = { WASM_I32_VAL(3), WASM_I32_VAL(4) }, vals[2], got;
    wasm_val_vec_t args = WASM_ARRAY_VEC(in), results = WASM_ARRAY_VEC(out);
    wasm_val_vec_t both = WASM_ARRAY_VEC(sum), vectors = WASM_ARRAY_VEC(vals);
    wasm_val_vec_t one = { 1, &got, 1, sizeof got, NULL };
    uint8_t bytes[16], shifted[17];
    int i;

    CHECK(!wasm_func_call(item(NUMBERS), &args, &results));
    CHECK(out[0].kind == WASM_F64 && out[0].of.f64 == -2.5);
    CHECK(out[1].kind == WASM_F32 && out[1].of.f32 == 1.5f);
    CHECK(out[2].kind == WASM_I64 && out[2].of.i64 == -2);
    CHECK(out[3].kind == WASM_I32 && out[3].of.i32 == -1);
    /* One vector for both. */
    CHECK(!wasm_func_call(item(ADD), &both, &both));
    CHECK(sum[0].of.i32 == 7 && sum[1].of.i32 == 4);
    for (i = 0; i < 16; i++)
        bytes[i] = (uint8_t)(7 * i);
    vals[0].kind = got.kind = WASM_V128;
    vals[0].of.foreign = (uintptr_t)bytes;
    vals[1] = (wasm_val_t)WASM_I32_VAL(5);
    /* At an odd address. */
    got.of.foreign = (uintptr_t)(shifted + 1);
    CHECK(!wasm_func_call(item(VECTOR), &vectors, &one));
    for (i = 0; i < 16; i++)
        CHECK_INT(shifted[i + 1], (uint8_t)(7 * i + 5));
    got.of.foreign = 0;
    CHECK(trap_is(wasm_func_call(item(VECTOR), &vectors, &one),
                  "Exception: a vector has no address"));
    CHECK(!wasm_func_call(item(VECTOR), &vectors, NULL));
    CHECK_INT(CALL1(exports.data[AGAIN], 0), 1);
}

/* Each function has been called before, and so is translated. */
static void nothing_is_allocated(void) {
    wasm_val_t in[] = { WASM_I32_VAL(1), WASM_I64_VAL(2), WASM_F32_VAL(3), WASM_F64_VAL(4) };
    wasm_val_t out[4], vals[2];
    wasm_val_vec_t args = WASM_ARRAY_VEC(in), results = WASM_ARRAY_VEC(out);
    wasm_val_vec_t vectors = WASM_ARRAY_VEC(vals), first = { 1, vals, 1, sizeof *vals, NULL };
    uint8_t bytes[16] = { 0 };
    int i;

    vals[0].kind = WASM_V128;
    vals[0].of.foreign = (uintptr_t)bytes;
    vals[1] = (wasm_val_t)WASM_I32_VAL(5);
    armed = true;
    for (i = 0; i < 10; i++) {
        CHECK_INT(CALL2(exports.data[ADD], i, 1), i + 1);
        CHECK(!wasm_func_call(item(NUMBERS), &args, &results));
        CHECK(!wasm_func_call(item(VECTOR), &vectors, &first));
        CHECK_INT(CALL1(exports.data[AGAIN], 0), 1);
    }
    armed = false;
    CHECK_INT(calls, 0);
}

enum { NOTHING, CALL_AGAIN = 3, DELETE = 10, LEND, GIVE_REFERENCE, FAIL };

static pthread_barrier_t together;

static wasm_trap_t *act(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    int32_t what = args->data[0].of.i32;
    wasm_message_t message;
    wasm_trap_t *trap;

    switch (what) {
    case DELETE:
        /* All that there is. */
        wasm_extern_vec_delete(&exports);
        wasm_store_delete(store);
        CHECK_INT(finalized, 0);
        break;
    case LEND:
        /* Another thread has its turn. */
        pthread_barrier_wait(&together);
        pthread_barrier_wait(&together);
        break;
    case GIVE_REFERENCE:
        results->data[0] = (wasm_val_t)WASM_REF_VAL(wasm_foreign_as_ref(wasm_foreign_new(store)));
        return NULL;
    case FAIL:
        wasm_name_new_from_string_nt(&message, "no");
        trap = wasm_trap_new(store, &message);
        wasm_name_delete(&message);
        wasm_extern_vec_delete(&exports);
        wasm_store_delete(store);
        return trap;
    case NOTHING:
        break;
    default:
        /* A call inside of the call, of the same function. */
        what = CALL1(exports.data[AGAIN], what == CALL_AGAIN ? DELETE : what - 1);
    }
    results->data[0] = (wasm_val_t)WASM_I32_VAL(what);
    return NULL;
}

static void deleted_meanwhile(int32_t what, int32_t result) {
    wasm_func_t *copy;

    finalized = 0;
    open_guest();
    copy = wasm_func_copy(item(AGAIN));
    wasm_func_set_host_info_with_finalizer(copy, &finalized, finalize);
    wasm_func_delete(copy);
    CHECK_INT(CALL1(exports.data[AGAIN], what), result);
    CHECK(!exports.data);
    CHECK_INT(finalized, 1);
    wasm_engine_delete(engine);
}

static void wrong_results(void) {
    open_guest();
    CHECK_INT(CALL1(exports.data[AGAIN], GIVE_REFERENCE), -1);
    close_guest();
}

/* While a callback waits, another thread is kept out of the instance, and deletes. */
static void *other_thread(void *unused) {
    wasm_val_t in[1] = { WASM_I32_VAL(NOTHING) }, out[1];
    wasm_val_vec_t args = WASM_ARRAY_VEC(in), results = WASM_ARRAY_VEC(out);

    pthread_barrier_wait(&together);
    CHECK(trap_is(wasm_func_call(item(AGAIN), &args, &results),
                  "Exception: the instance is in use by another thread"));
    wasm_extern_vec_delete(&exports);
    pthread_barrier_wait(&together);
    return unused;
}

static void two_threads(void) {
    pthread_t thread;
    wasm_func_t *func;

    open_guest();
    pthread_barrier_init(&together, NULL, 2);
    func = item(AGAIN);
    pthread_create(&thread, NULL, other_thread, NULL);
    CHECK_INT(CALL1(wasm_func_as_extern(func), LEND), LEND + 1);
    pthread_join(thread, NULL);
    pthread_barrier_destroy(&together);
    close_store();
}

static wasm_trap_t *sum(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    int32_t total = 0;
    size_t i;

    for (i = 0; i < args->size; i++)
        total += args->data[i].of.i32;
    results->data[0] = (wasm_val_t)WASM_I32_VAL(total);
    return NULL;
}

/* More values than have room without an allocation. */
static void many_values(size_t count) {
    wasm_valtype_vec_t params, outs;
    wasm_functype_t *type;
    wasm_func_t *func;
    wasm_val_vec_t args, results;
    size_t i;

    open_store();
    wasm_valtype_vec_new_uninitialized(&params, count);
    wasm_valtype_vec_new_uninitialized(&outs, 1);
    wasm_val_vec_new_uninitialized(&args, count);
    wasm_val_vec_new_uninitialized(&results, 1);
    for (i = 0; i < count; i++) {
        params.data[i] = wasm_valtype_new_i32();
        args.data[i] = (wasm_val_t)WASM_I32_VAL((int32_t)i);
    }
    outs.data[0] = wasm_valtype_new_i32();
    type = wasm_functype_new(&params, &outs);
    func = wasm_func_new(store, type, sum);
    CHECK(!wasm_func_call(func, &args, &results));
    CHECK_INT(results.data[0].of.i32, count * (count - 1) / 2);
    wasm_val_vec_delete(&args);
    wasm_val_vec_delete(&results);
    wasm_functype_delete(type);
    wasm_func_delete(func);
    close_store();
}

static void run(void) {
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    open_guest();
    each_kind();
    nothing_is_allocated();
    close_guest();
    deleted_meanwhile(DELETE, DELETE + 1);
    deleted_meanwhile(CALL_AGAIN + 2, DELETE + 4);
    deleted_meanwhile(FAIL, -1);
    wrong_results();
    two_threads();
    many_values(4);
    many_values(63);
    many_values(300);
}
