/* Objects of the host's behind externrefs: numbers, owners, cleanup, arguments of functions. */
#include <pthread.h>
#include "check.h"

static int objects[8];
static int cleaned[8];
static wasm_module_inst_t inst;
static wasm_exec_env_t env;

static int32_t same(wasm_exec_env_t exec_env, uintptr_t a, uintptr_t b) {
    (void)exec_env;
    return a == b;
}

static uintptr_t make(wasm_exec_env_t exec_env, int32_t index) {
    (void)exec_env;
    return index < 0 ? (uintptr_t)-1 : (uintptr_t)&objects[index];
}

/* Without a signature, numbers come in. */
static int32_t plain(wasm_exec_env_t exec_env, uint32_t number) {
    (void)exec_env;
    return (int32_t)number;
}

static void raw(wasm_exec_env_t exec_env, uint64_t *args) {
    (void)exec_env;
    CHECK(args[0] == (uintptr_t)&objects[1]);
    args[0] = (uintptr_t)&objects[2];
}

/* A call inside a call: the objects of the outer one must stay. */
static void again(wasm_exec_env_t exec_env, uintptr_t object) {
    wasm_function_inst_t nothing = wasm_runtime_lookup_function(inst, "nothing");
    void *back = NULL;
    uint32_t number = 0;

    CHECK(wasm_runtime_call_wasm(exec_env, nothing, 0, NULL));
    CHECK(wasm_externref_obj2ref(inst, (void *)object, &number));
    CHECK(wasm_externref_ref2obj(number, &back) && back == (void *)object);
}

static NativeSymbol natives[] = {
    { "same", same, "(rr)i", NULL },
    { "make", make, "(i)r", NULL },
    { "plain", plain, NULL, NULL },
    { "again", again, "(r)", NULL },
};
static NativeSymbol raws[] = { { "raw", raw, "(r)r", NULL } };

/* Deletes another object and makes calls from inside, which a lock would not survive. */
static void cleanup(void *object) {
    void *ignored;
    int index = (int)((int *)object - objects);

    cleaned[index]++;
    wasm_externref_ref2obj(1, &ignored);
    if (index == 6)
        CHECK(wasm_externref_objdel(inst, &objects[7]));
}

static uint64_t call(const char *name, uint32_t argc, uint32_t *argv) {
    wasm_function_inst_t function = wasm_runtime_lookup_function(inst, name);
    uint64_t result;

    if (!wasm_runtime_call_wasm(env, function, argc, argv)) {
        printf("%s: %s\n", name, wasm_runtime_get_exception(inst));
        failed_checks++;
    }
    memcpy(&result, argv, sizeof result);
    return result;
}

static void put(uint32_t *cells, uintptr_t value) {
    memcpy(cells, &value, sizeof value);
}

static uint64_t call_with(const char *name, uintptr_t object) {
    uint32_t argv[2];

    put(argv, object);
    return call(name, 2, argv);
}

static void set(int index, uintptr_t object) {
    uint32_t argv[3] = { (uint32_t)index };

    put(argv + 1, object);
    call("set", 3, argv);
}

static uint64_t get(int index) {
    uint32_t argv[2] = { (uint32_t)index, 0 };

    return call("get", 1, argv);
}

static void numbers(void) {
    void *back = (void *)1;
    uint32_t first = 0, second = 0;

    CHECK(!wasm_externref_ref2obj(1, &back) && back == (void *)1);
    CHECK(wasm_externref_obj2ref(inst, &objects[0], &first));
    CHECK_INT(first, 1);
    CHECK(wasm_externref_obj2ref(inst, &objects[0], &second));
    CHECK_INT(second, 1);
    CHECK(wasm_externref_obj2ref(inst, &objects[1], &second));
    CHECK_INT(second, 2);
    CHECK(wasm_externref_ref2obj(2, &back) && back == &objects[1]);
    CHECK(wasm_externref_obj2ref(inst, (void *)-1, &second));
    CHECK_INT(second, 0xFFFFFFFF);
    CHECK(wasm_externref_ref2obj(0xFFFFFFFF, &back) && back == NULL);
    CHECK(!wasm_externref_ref2obj(0, &back) && !wasm_externref_ref2obj(99, &back));
    CHECK(wasm_externref_obj2ref(inst, NULL, &second));
    CHECK_INT(second, 3);
    CHECK(wasm_externref_ref2obj(3, &back) && back == NULL);

    CHECK(!wasm_externref_objdel(inst, &objects[5]));
    CHECK(!wasm_externref_set_cleanup(inst, &objects[5], cleanup));
    CHECK(!wasm_externref_retain(99) && !wasm_externref_retain(0xFFFFFFFF));
    CHECK(wasm_externref_set_cleanup(inst, &objects[0], cleanup));
    CHECK(wasm_externref_objdel(inst, &objects[0]));
    CHECK_INT(cleaned[0], 1);
    CHECK(!wasm_externref_objdel(inst, &objects[0]) && !wasm_externref_ref2obj(first, &back));
    CHECK(wasm_externref_obj2ref(inst, &objects[0], &second) && second == 4);
}

static void calls(void) {
    uint32_t argv[3] = { 0 };
    wasm_val_t results[1] = { { 0 } }, args[2] = { { 0 } };
    wasm_function_inst_t function = wasm_runtime_lookup_function(inst, "same");
    uint32_t number = 0;

    CHECK(call_with("id", (uintptr_t)&objects[3]) == (uintptr_t)&objects[3]);
    CHECK(call_with("id", (uintptr_t)-1) == 0);
    CHECK(call_with("id", 0) == 0);
    set(0, (uintptr_t)&objects[3]);
    set(1, 0);
    CHECK(get(0) == (uintptr_t)&objects[3] && get(1) == 0 && get(3) == 0);

    args[0].kind = WASM_I32;
    args[1].kind = WASM_EXTERNREF;
    args[1].of.foreign = (uintptr_t)&objects[3];
    CHECK(wasm_runtime_call_wasm_a(env, function, 1, results, 2, args));
    CHECK_INT(results[0].of.i32, 1);
    CHECK(wasm_runtime_call_wasm_v(env, function, 1, results, 2, 0, (uintptr_t)&objects[4]));
    CHECK_INT(results[0].of.i32, 0);
    function = wasm_runtime_lookup_function(inst, "get");
    CHECK(wasm_runtime_call_wasm_v(env, function, 1, results, 1, 0));
    CHECK_INT(results[0].kind, WASM_EXTERNREF);
    CHECK(results[0].of.foreign == (uintptr_t)&objects[3]);

    argv[0] = 5;
    CHECK(call("make", 1, argv) == (uintptr_t)&objects[5]);
    argv[0] = (uint32_t)-1;
    CHECK(call("make", 1, argv) == 0);
    argv[0] = 5;
    CHECK(call("made_is", 1, argv) << 32 >> 32 == 1);
    CHECK(call_with("raw", (uintptr_t)&objects[1]) == (uintptr_t)&objects[2]);

    CHECK(wasm_externref_obj2ref(inst, &objects[5], &number));
    CHECK((uint32_t)call_with("plain", (uintptr_t)&objects[5]) == number);
    CHECK((uint32_t)call_with("plain", (uintptr_t)-1) == 0xFFFFFFFF);
}

/* Objects that nothing refers to go after a call; objects that the host retains stay. */
static void reclaimed(void) {
    void *back;
    uint32_t number = 0, kept = 0, retained = 0;

    memset(cleaned, 0, sizeof cleaned);
    CHECK(wasm_externref_obj2ref(inst, &objects[4], &number));
    CHECK(wasm_externref_set_cleanup(inst, &objects[4], cleanup));
    CHECK(wasm_externref_obj2ref(inst, &objects[5], &retained));
    CHECK(wasm_externref_set_cleanup(inst, &objects[5], cleanup));
    CHECK(wasm_externref_retain(retained) && wasm_externref_retain(retained));
    call_with("keep", (uintptr_t)&objects[1]);
    CHECK_INT(cleaned[4], 1);
    CHECK_INT(cleaned[5], 0);
    CHECK(!wasm_externref_ref2obj(number, &back));
    CHECK(wasm_externref_obj2ref(inst, &objects[1], &kept));
    call_with("id", (uintptr_t)-1);
    CHECK(wasm_externref_ref2obj(kept, &back) && back == &objects[1]);
    CHECK(get(0) == (uintptr_t)&objects[3]);
    CHECK(call_with("kept", 0) == (uintptr_t)&objects[1]);

    /* Not while a call runs: its stack may hold the reference. */
    CHECK(call_with("local", (uintptr_t)&objects[2]) == (uintptr_t)&objects[2]);

    /* A cleanup function may use the API. */
    CHECK(wasm_externref_obj2ref(inst, &objects[6], &number));
    CHECK(wasm_externref_obj2ref(inst, &objects[7], &number) && wasm_externref_retain(number));
    CHECK(wasm_externref_set_cleanup(inst, &objects[6], cleanup));
    CHECK(wasm_externref_set_cleanup(inst, &objects[7], cleanup));
    call_with("id", (uintptr_t)-1);
    CHECK_INT(cleaned[6], 1);
    CHECK_INT(cleaned[7], 1);

    /* A number that stands for nothing any more does not reach the host. */
    set(2, (uintptr_t)&objects[6]);
    CHECK(wasm_externref_objdel(inst, &objects[6]));
    {
        uint32_t argv[2] = { 2, 0 };
        CHECK(!wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "get"), 1, argv));
        CHECK_STR(wasm_runtime_get_exception(inst),
                  "Exception: the result conversion is failed");
        wasm_runtime_clear_exception(inst);
    }
}

/* Another context counts its own numbers and knows none of ours. */
static void *other_context(void *arg) {
    void *back = NULL;
    uint32_t number = 0;
    wasm_module_t module;
    wasm_module_inst_t theirs;
    (void)arg;

    CHECK(wasm_runtime_init());
    CHECK(!wasm_externref_ref2obj(1, &back) && !wasm_externref_ref2obj(2, &back));
    module = load_module("empty");
    theirs = instantiate(module, 8192, 0);
    CHECK(wasm_externref_obj2ref(theirs, &objects[0], &number));
    CHECK_INT(number, 1);
    /* A handle wins: this is the first context's table. */
    CHECK(wasm_externref_obj2ref(inst, &objects[1], &number) && number != 1);
    CHECK(!wasm_externref_ref2obj(number, &back));
    CHECK(!wasm_externref_retain(number));
    wasm_runtime_deinstantiate(theirs);
    CHECK(!wasm_externref_ref2obj(1, &back));
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
    return NULL;
}

static void run(void) {
    RuntimeInitArgs args = system_args();
    wasm_module_t module;
    void *back = NULL;
    uint32_t number = 0;
    pthread_t thread;
    int i;

    CHECK(!wasm_externref_ref2obj(1, &back) && !wasm_externref_retain(1));
    CHECK(wasm_externref_ref2obj(0xFFFFFFFF, &back));
    CHECK(!wasm_externref_obj2ref(NULL, &objects[0], &number));
    CHECK(!wasm_externref_objdel(NULL, &objects[0]));
    CHECK(!wasm_externref_set_cleanup(NULL, &objects[0], cleanup));

    args.native_module_name = "env";
    args.native_symbols = natives;
    args.n_native_symbols = sizeof natives / sizeof natives[0];
    CHECK(wasm_runtime_full_init(&args));
    CHECK(wasm_runtime_register_natives_raw("env", raws, 1));
    module = load_module("externref");
    inst = instantiate(module, 16384, 0);
    env = wasm_runtime_create_exec_env(inst, 16384);
    CHECK(!wasm_externref_obj2ref(inst, &objects[0], NULL));
    CHECK(!wasm_externref_ref2obj(1, NULL));

    numbers();
    calls();
    reclaimed();
    CHECK(pthread_create(&thread, NULL, other_context, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);

    memset(cleaned, 0, sizeof cleaned);
    for (i = 0; i < 6; i++) {
        CHECK(wasm_externref_obj2ref(inst, &objects[i], &number));
        CHECK(wasm_externref_set_cleanup(inst, &objects[i], cleanup));
    }
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    for (i = 0; i < 6; i++)
        CHECK_INT(cleaned[i], 1);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
    CHECK(!wasm_externref_ref2obj(1, &back));
}
