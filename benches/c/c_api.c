/*
 * The cost of embedding through the standard C API, by functions of its header alone, so that the
 * same source can be linked with any library that has it. Prints a line "job nanoseconds" for each
 * job: the least CPU time of several batches, divided by the batch.
 *
 * usage: c_api [BATCHES]     compiled with -DHEADER='"wasm.h"', or another name of the header
 */
#define _POSIX_C_SOURCE 200809L
#include "bench.h"
#include "calls.h"
#include HEADER

#include <string.h>

enum { ADD, GUEST_TO_HOST, EXPORTS = 4 };
enum { CALLS = 100000, STARTS = 200 };

static wasm_engine_t *engine;

/* All that there is in a store. */
struct guest {
    wasm_store_t *store;
    wasm_module_t *module;
    wasm_instance_t *instance;
    wasm_extern_vec_t exports;
};

static wasm_trap_t *native_add(const wasm_val_vec_t *args, wasm_val_vec_t *results)
{
    results->data[0].kind = WASM_I32;
    results->data[0].of.i32 = args->data[0].of.i32 + args->data[1].of.i32;
    return NULL;
}

static wasm_module_t *load(wasm_store_t *store)
{
    wasm_byte_vec_t binary;
    wasm_module_t *module;

    wasm_byte_vec_new(&binary, sizeof module_bytes, (const char *)module_bytes);
    module = wasm_module_new(store, &binary);
    wasm_byte_vec_delete(&binary);
    check(module != NULL, "wasm_module_new", "");
    return module;
}

static void instantiate(struct guest *guest)
{
    wasm_functype_t *type = wasm_functype_new_2_1(
        wasm_valtype_new_i32(), wasm_valtype_new_i32(), wasm_valtype_new_i32());
    wasm_func_t *add = wasm_func_new(guest->store, type, native_add);
    wasm_extern_t *items[] = { wasm_func_as_extern(add) };
    wasm_extern_vec_t imports = WASM_ARRAY_VEC(items);

    wasm_functype_delete(type);
    guest->instance = wasm_instance_new(guest->store, guest->module, &imports, NULL);
    check(guest->instance != NULL, "wasm_instance_new", "");
    wasm_func_delete(add);
    wasm_instance_exports(guest->instance, &guest->exports);
    check(guest->exports.size == EXPORTS, "wasm_instance_exports", "");
}

static void start(struct guest *guest)
{
    guest->store = wasm_store_new(engine);
    check(guest->store != NULL, "wasm_store_new", "");
    guest->module = load(guest->store);
    instantiate(guest);
}

static void stop(struct guest *guest)
{
    wasm_extern_vec_delete(&guest->exports);
    wasm_instance_delete(guest->instance);
    wasm_module_delete(guest->module);
    wasm_store_delete(guest->store);
}

static struct guest running;

/* The jobs: each does its work `times` times. */

static void call_add(int times)
{
    const wasm_func_t *add = wasm_extern_as_func(running.exports.data[ADD]);
    wasm_val_t numbers[2] = { WASM_I32_VAL(0), WASM_I32_VAL(1) }, sum[1] = { WASM_I32_VAL(0) };
    wasm_val_vec_t args = WASM_ARRAY_VEC(numbers), results = WASM_ARRAY_VEC(sum);

    for (int i = 0; i < times; i++) {
        numbers[0].of.i32 = sum[0].of.i32;
        check(!wasm_func_call(add, &args, &results), "wasm_func_call", "");
    }
    check(sum[0].of.i32 == times, "add", "wrong sum");
}

static int32_t call_loop(int32_t turns)
{
    const wasm_func_t *loop = wasm_extern_as_func(running.exports.data[GUEST_TO_HOST]);
    wasm_val_t number[1] = { WASM_I32_VAL(turns) }, sum[1] = { WASM_I32_VAL(0) };
    wasm_val_vec_t args = WASM_ARRAY_VEC(number), results = WASM_ARRAY_VEC(sum);

    check(!wasm_func_call(loop, &args, &results), "wasm_func_call", "");
    return sum[0].of.i32;
}

/* One call from the host, and all others from the guest. */
static void callbacks(int times)
{
    uint32_t sum = 0;

    for (int i = 1; i <= times; i++) {
        sum += (uint32_t)i;
    }
    check(call_loop(times) == (int32_t)sum, "guest_to_host", "wrong sum");
}

/* A callback inside of each call. */
static void call_to_callback(int times)
{
    for (int i = 0; i < times; i++) {
        check(call_loop(1) == 1, "guest_to_host", "wrong sum");
    }
}

/* The store stays, and with it, in some libraries, the instances. */
static void instances(int times)
{
    struct guest guest;

    guest.store = wasm_store_new(engine);
    guest.module = load(guest.store);
    for (int i = 0; i < times; i++) {
        instantiate(&guest);
        wasm_extern_vec_delete(&guest.exports);
        wasm_instance_delete(guest.instance);
    }
    wasm_module_delete(guest.module);
    wasm_store_delete(guest.store);
}

static void stores(int times)
{
    struct guest guest;

    for (int i = 0; i < times; i++) {
        start(&guest);
        stop(&guest);
    }
}

static void report(const char *name, void (*job)(int), int times, int batches)
{
    double least = 1e9;
    for (int i = 0; i < batches; i++) {
        double started = cpu_seconds();
        job(times);
        double seconds = cpu_seconds() - started;
        if (seconds < least) {
            least = seconds;
        }
    }
    printf("%s %.2f\n", name, least * 1e9 / times);
}

int main(int argc, char **argv)
{
    int batches = argc > 1 ? atoi(argv[1]) : 5;

    engine = wasm_engine_new();
    check(engine != NULL, "wasm_engine_new", "");
    start(&running);
    report("wasm_func_call,add", call_add, CALLS, batches);
    report("wasm_func_call,callback", call_to_callback, CALLS, batches);
    report("callback", callbacks, CALLS, batches);
    stop(&running);
    report("instance+exports+delete", instances, STARTS, batches);
    report("store+module+instance+delete", stores, STARTS, batches);
    wasm_engine_delete(engine);
    return 0;
}
