/* Pointers kept with instances under keys, and their destructors. */
#include <pthread.h>
#include "check.h"

#define KEYS 7

static int destroyed, first_value, second_value;
static void *last;
static wasm_module_inst_t last_inst;

static void dtor(wasm_module_inst_t inst, void *ctx) {
    destroyed++;
    last_inst = inst;
    last = ctx;
    /* The instance is whole, and no lock is held. */
    CHECK(wasm_runtime_get_module(inst) != NULL);
    wasm_runtime_set_context(inst, NULL, ctx);
}

static void *other_context(void *key) {
    void *theirs;
    wasm_module_t module;
    wasm_module_inst_t inst;

    CHECK(wasm_runtime_init());
    module = load_module("empty");
    inst = instantiate(module, 0, 0);
    theirs = wasm_runtime_create_context_key(NULL);
    CHECK(theirs && theirs != key);
    wasm_runtime_set_context(inst, key, &first_value);
    CHECK(!wasm_runtime_get_context(inst, theirs) && !wasm_runtime_get_context(inst, key));
    wasm_runtime_set_context_spread(inst, theirs, &second_value);
    wasm_runtime_destroy_context_key(key);
    CHECK(wasm_runtime_get_context(inst, theirs) == &second_value);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
    return theirs;
}

static void in_one_context(void) {
    wasm_module_t module = load_module("empty");
    wasm_module_inst_t inst, second;
    void *keys[KEYS], *gone, *theirs = NULL;
    pthread_t thread;
    int i;

    for (i = 0; i < KEYS; i++) {
        keys[i] = wasm_runtime_create_context_key(i == 1 ? NULL : dtor);
        CHECK(keys[i] && (i == 0 || keys[i] != keys[i - 1]));
    }
    CHECK(!wasm_runtime_create_context_key(dtor)); /* logs */
    inst = instantiate(module, 0, 0);
    second = instantiate(module, 0, 0);
    CHECK(!wasm_runtime_get_context(inst, keys[0]));
    for (i = 0; i < KEYS; i++)
        wasm_runtime_set_context(inst, keys[i], &keys[i]);
    for (i = 0; i < KEYS; i++) {
        CHECK(wasm_runtime_get_context(inst, keys[i]) == &keys[i]);
        CHECK(!wasm_runtime_get_context(second, keys[i]));
    }
    CHECK(wasm_runtime_get_module(inst) == module);
    wasm_runtime_set_context_spread(inst, keys[6], &first_value);
    CHECK(wasm_runtime_get_context(inst, keys[6]) == &first_value);

    gone = keys[0];
    wasm_runtime_destroy_context_key(gone);
    CHECK(!wasm_runtime_get_context(inst, gone));
    wasm_runtime_destroy_context_key(gone);
    wasm_runtime_destroy_context_key(NULL);
    wasm_runtime_destroy_context_key((void *)~(uintptr_t)0);
    wasm_runtime_set_context(inst, (void *)~(uintptr_t)0, &first_value);
    CHECK(!wasm_runtime_get_context(inst, NULL));
    keys[0] = wasm_runtime_create_context_key(dtor);
    CHECK(keys[0] && keys[0] != gone);
    wasm_runtime_set_context(inst, gone, &second_value);
    CHECK(wasm_runtime_get_context(inst, keys[0]) != &second_value);
    wasm_runtime_destroy_context_key(gone);
    wasm_runtime_set_context(inst, keys[0], &first_value);
    CHECK(wasm_runtime_get_context(inst, keys[0]) == &first_value);

    CHECK(pthread_create(&thread, NULL, other_context, keys[0]) == 0);
    CHECK(pthread_join(thread, &theirs) == 0);
    CHECK_INT(destroyed, 0);
    wasm_runtime_set_context(inst, theirs, &second_value);
    CHECK(wasm_runtime_get_context(inst, keys[0]) == &first_value);

    /* One call for each live key with a destructor, whether or not there is a pointer. */
    wasm_runtime_deinstantiate(second);
    CHECK_INT(destroyed, KEYS - 1);
    CHECK(last_inst == second && last == NULL);
    destroyed = 0;
    for (i = 2; i < KEYS - 1; i++)
        wasm_runtime_destroy_context_key(keys[i]);
    wasm_runtime_deinstantiate(inst);
    CHECK_INT(destroyed, 2);
    CHECK(last_inst == inst && last == &first_value);
    wasm_runtime_unload(module);
}

static void *library_key;
static wasm_module_inst_t library_inst;

/* Called by an imported module: the pointer is kept with that one's instance. */
static int32_t who(wasm_exec_env_t exec_env) {
    library_inst = get_module_inst(exec_env);
    wasm_runtime_set_context(library_inst, library_key, &first_value);
    return wasm_runtime_get_context(library_inst, library_key) == &first_value;
}

static NativeSymbol who_symbol[] = {{"who", (void *)who, "()i", NULL}};

static int taken_down;
static wasm_module_inst_t taken[2];
static void *kept[2];

static void library_dtor(wasm_module_inst_t inst, void *ctx) {
    taken[taken_down % 2] = inst;
    kept[taken_down++ % 2] = ctx;
}

static void of_imported_modules(void) {
    char error[128];
    uint32_t result = 0;
    wasm_module_t module;
    wasm_module_inst_t inst;

    CHECK(wasm_runtime_init());
    CHECK(wasm_runtime_register_natives("env", who_symbol, 1));
    module = load_module("sub_a");
    CHECK(wasm_runtime_register_module("sub_a", module, error, sizeof error));
    module = load_module("sub_b");
    library_key = wasm_runtime_create_context_key(library_dtor);
    inst = instantiate(module, 8192, 0);
    CHECK(wasm_runtime_call_wasm(wasm_runtime_get_exec_env_singleton(inst),
                                 wasm_runtime_lookup_function(inst, "host"), 0, &result));
    CHECK_INT(result, 1);
    CHECK(library_inst && library_inst != inst && !wasm_runtime_get_context(inst, library_key));
    wasm_runtime_deinstantiate(inst);
    CHECK_INT(taken_down, 2);
    CHECK(taken[0] == library_inst && kept[0] == &first_value);
    CHECK(taken[1] == inst && kept[1] == NULL);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
}

static void run(void) {
    wasm_module_inst_t inst;
    wasm_module_t module;
    void *early = wasm_runtime_create_context_key(dtor);

    CHECK(early != NULL);
    wasm_runtime_destroy_context_key(early);
    wasm_runtime_destroy_context_key((void *)2);
    wasm_runtime_set_context(NULL, (void *)2, &first_value);
    CHECK(!wasm_runtime_get_context(NULL, (void *)2));
    CHECK(wasm_runtime_init());
    in_one_context();

    /* An instance that outlives the last destroy still gets its destructors. */
    module = load_module("empty");
    inst = instantiate(module, 0, 0);
    destroyed = 0;
    wasm_runtime_destroy();
    wasm_runtime_deinstantiate(inst);
    CHECK_INT(destroyed, 2);
    wasm_runtime_unload(module);
    of_imported_modules();
}
