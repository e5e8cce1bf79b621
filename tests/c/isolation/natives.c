/* A host's offers to its guests: natives, references to host objects, keys. */

#include "rows.h"

static int32_t who_a(wasm_exec_env_t env) {
    (void)env;
    return 'A';
}

static int32_t who_b(wasm_exec_env_t env) {
    (void)env;
    return 'B';
}

static NativeSymbol natives_a[] = {{"who", (void *)who_a, "()i", NULL}};
static NativeSymbol natives_b[] = {{"who", (void *)who_b, "()i", NULL}};

static RuntimeInitArgs with_natives(NativeSymbol *symbols) {
    RuntimeInitArgs args = system_args();

    args.native_module_name = "env";
    args.native_symbols = symbols;
    args.n_native_symbols = 1;
    return args;
}

/* A's natives are there before B begins, and still A's when B has registered the same names. */
static void natives_of_a(void) {
    RuntimeInitArgs args = with_natives(natives_a);
    struct guest guest;

    quiet_init(&args);
    guest = start_guest("guest");
    meet();
    meet();
    CHECK_INT(call(&guest, "who", 0, 0, 0), 'A');
    end_guest(&guest);
    guest = start_guest("guest");
    CHECK_INT(call(&guest, "who", 0, 0, 0), 'A');
    end_guest(&guest);
    meet();
    wasm_runtime_destroy();
}

static void natives_of_b(void) {
    RuntimeInitArgs args = with_natives(natives_b);
    struct guest guest;

    /* Without a context of its own it is A's guest; with one, it starts from nothing. */
    meet();
    quiet_init(NULL);
    CHECK(!wasm_runtime_is_import_func_linked("env", "who"));
    guest = start_guest("guest");
    CHECK(!wasm_runtime_call_wasm(guest.env, wasm_runtime_lookup_function(guest.inst, "who"), 0,
                                  NULL));
    end_guest(&guest);
    CHECK(wasm_runtime_register_natives("env", natives_b, 1));
    CHECK(wasm_runtime_is_import_func_linked("env", "who"));
    wasm_runtime_destroy();
    quiet_init(&args);
    guest = start_guest("guest");
    CHECK_INT(call(&guest, "who", 0, 0, 0), 'B');
    end_guest(&guest);
    meet();
    CHECK_INT(wasm_runtime_register_natives("env", natives_b, 1), 1);
    meet();
    wasm_runtime_destroy();
}

static void native_symbols(void) {
    sides(rounds(), natives_of_a, natives_of_b);
}

/* Unsorted arrays are read by both sides at once and written by none. */
static NativeSymbol unsorted[] = {
    {"zebra", (void *)who_a, "()i", NULL},
    {"who", (void *)who_b, "()i", NULL},
    {"ant", (void *)who_a, "()i", NULL},
    {"mole", (void *)who_a, "()i", NULL},
};

static void unsorted_side(void) {
    struct guest guest;

    quiet_init(NULL);
    CHECK(wasm_runtime_register_natives("env", unsorted, 4));
    CHECK(wasm_runtime_register_natives_raw("raw", unsorted, 4));
    guest = start_guest("guest");
    CHECK_INT(call(&guest, "who", 0, 0, 0), 'B');
    end_guest(&guest);
    CHECK(wasm_runtime_unregister_natives("env", unsorted));
    CHECK(!wasm_runtime_is_import_func_linked("env", "who"));
    wasm_runtime_destroy();
}

static void symbol_arrays(void) {
    NativeSymbol before[4];

    memcpy(before, unsorted, sizeof before);
    sides(rounds(), unsorted_side, unsorted_side);
    CHECK(memcmp(before, unsorted, sizeof before) == 0);
}

/* B meets numbers of its own: A's object is nowhere to be found there, and counting starts anew.
   Both sides make and delete objects all the time. */
static void objects_of_a(void) {
    struct guest guest;
    uint32_t ref = 0;
    void *object = NULL;

    quiet_init(NULL);
    guest = start_guest("guest");
    CHECK(wasm_externref_obj2ref(guest.inst, natives_a, &ref));
    CHECK_INT(ref, 1);
    meet();
    meet();
    CHECK(wasm_externref_ref2obj(1, &object) && object == natives_a);
    meet();
    CHECK(wasm_externref_objdel(guest.inst, natives_a));
    end_guest(&guest);
    wasm_runtime_destroy();
}

static void objects_of_b(void) {
    struct guest guest;
    uint32_t ref = 0;
    void *object = NULL;

    quiet_init(NULL);
    guest = start_guest("guest");
    meet();
    CHECK(!wasm_externref_ref2obj(1, &object));
    CHECK(!wasm_externref_objdel(guest.inst, natives_a));
    CHECK(wasm_externref_obj2ref(guest.inst, natives_b, &ref));
    CHECK_INT(ref, 1);
    CHECK(wasm_externref_ref2obj(ref, &object) && object == natives_b);
    meet();
    meet();
    end_guest(&guest);
    wasm_runtime_destroy();
}

static void externref_objects(void) {
    sides(rounds(), objects_of_a, objects_of_b);
}

/* Numbers count up in each context by itself, however the sides take turns. */
static void numbering_side(void) {
    struct guest guest;
    char objects[20];
    uint32_t ref, i;

    quiet_init(NULL);
    guest = start_guest("guest");
    for (i = 0; i < 20; i++) {
        CHECK(wasm_externref_obj2ref(guest.inst, &objects[i], &ref));
        CHECK_INT(ref, i + 1);
    }
    meet();
    end_guest(&guest);
    wasm_runtime_destroy();
}

static void externref_numbers(void) {
    sides(rounds(), numbering_side, numbering_side);
}

/* A uses up its keys; B has all of its own, and A's destructors never see B's instances. */
static wasm_module_inst_t instance_of_b;
static int strangers;

static void seen_by_a(wasm_module_inst_t inst, void *value) {
    (void)value;
    strangers += inst == instance_of_b;
}

static void keys_of_a(void) {
    struct guest guest;
    void *keys[16];
    int count = 0;

    quiet_init(NULL);
    while (count < 16 && (keys[count] = wasm_runtime_create_context_key(seen_by_a))) {
        count++;
    }
    CHECK(count > 0 && count < 16);
    guest = start_guest("guest");
    wasm_runtime_set_context(guest.inst, keys[0], &strangers);
    meet();
    meet();
    CHECK(wasm_runtime_get_context(guest.inst, keys[0]) == &strangers);
    end_guest(&guest);
    while (count > 0) {
        wasm_runtime_destroy_context_key(keys[--count]);
    }
    wasm_runtime_destroy();
}

static void keys_of_b(void) {
    struct guest guest;
    void *key;

    quiet_init(NULL);
    meet();
    key = wasm_runtime_create_context_key(NULL);
    CHECK(key != NULL);
    guest = start_guest("guest");
    instance_of_b = guest.inst;
    CHECK(!wasm_runtime_get_context(guest.inst, key));
    end_guest(&guest);
    CHECK_INT(strangers, 0);
    wasm_runtime_destroy_context_key(key);
    meet();
    wasm_runtime_destroy();
}

static void context_keys(void) {
    sides(rounds(), keys_of_a, keys_of_b);
}

static void run(void) {
    row("native symbols", native_symbols);
    row("symbol arrays", symbol_arrays);
    row("externref objects", externref_objects);
    row("externref numbers", externref_numbers);
    row("instance context keys", context_keys);
}
