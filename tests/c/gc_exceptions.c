/* Exceptions among the objects of guests: their references in the hands of the host, collections
 * while they are on their way from one instance to another, and the room that all objects share. */

#include "check.h"
#include "gc_export.h"

static wasm_module_inst_t inst;
static wasm_exec_env_t env;

static bool read_sub(package_type_t type, const char *name, uint8_t **buffer, uint32_t *size) {
    (void)type;
    *buffer = read_module(name, size);
    return true;
}

static void give_back(uint8_t *buffer, uint32_t size) {
    (void)size;
    free(buffer);
}

static wasm_function_inst_t function(const char *name) {
    return wasm_runtime_lookup_function(inst, name);
}

static uint32_t call(const char *name, uint32_t number) {
    uint32_t argv[2] = {number, 0};

    CHECK(wasm_runtime_call_wasm(env, function(name), 1, argv));
    return argv[0];
}

static uint64_t reference(const char *name, uint32_t number) {
    uint32_t argv[2] = {number, 0};
    uint64_t word;

    CHECK(wasm_runtime_call_wasm(env, function(name), 1, argv));
    memcpy(&word, argv, sizeof word);
    return word;
}

/* Whether a function takes a reference; then its result is in the first cell. */
static bool takes(const char *name, uint64_t word, uint32_t *result) {
    uint32_t argv[2];

    memcpy(argv, &word, sizeof word);
    if (!wasm_runtime_call_wasm(env, function(name), 2, argv)) {
        CHECK_STR(wasm_runtime_get_exception(inst),
                  "Exception: the arguments conversion is failed");
        wasm_runtime_clear_exception(inst);
        return false;
    }
    *result = argv[0];
    return true;
}

/* A reference to one kind of object is not taken for one to another kind. */
static void forged(void) {
    uint64_t exception = reference("keep", 5), point = reference("make", 6);
    wasm_obj_t obj = (wasm_obj_t)(uintptr_t)exception;
    wasm_value_t value;
    uint32_t result, distance;

    CHECK(takes("again", exception, &result));
    CHECK_INT(result, 5);
    CHECK(takes("x", point, &result));
    CHECK_INT(result, 6);
    CHECK(!takes("again", point, &result));
    CHECK(!takes("x", exception, &result));
    CHECK(!takes("external", exception, &result));
    /* Nor is a place inside of an exception, which takes nine words. */
    for (distance = 1; distance < 72; distance++) {
        CHECK(!takes("again", exception + distance, &result));
    }
    for (distance = 8; distance < 72; distance += 8) {
        CHECK(!takes("x", exception + distance, &result));
    }
    CHECK(!wasm_obj_is_struct_obj(obj) && !wasm_obj_is_array_obj(obj));
    CHECK(!wasm_obj_is_internal_obj(obj) && !wasm_obj_is_eq_obj(obj));
    memset(&value, 1, sizeof value);
    wasm_struct_obj_set_field((wasm_struct_obj_t)obj, 0, &value);
    wasm_array_obj_set_elem((wasm_array_obj_t)obj, 0, &value);
    CHECK_INT(wasm_array_obj_length((wasm_array_obj_t)obj), 0);
    CHECK(takes("again", exception, &result));
    CHECK_INT(result, 5);
    /* Nothing leads to it any more once another one is kept, and many come and go. */
    reference("keep", 7);
    CHECK_INT(call("catch", 5000), 15000);
    if (takes("again", exception, &result)) {
        CHECK(result != 5);
    }
}

static int ends;
static bool is_over;

/* Follows an object by the next one, so that each collection finds one. Guest code is in the midst
 * of a throw, and its stack has no room; on another stack, code runs. */
static void ended(const wasm_obj_t obj, void *data) {
    uint32_t argv[2] = {300, 0};
    wasm_struct_obj_t next;
    wasm_exec_env_t other;

    (void)obj;
    if (is_over) {
        return;
    }
    ends++;
    next = wasm_struct_obj_new_with_typeidx(env, 0);
    other = wasm_runtime_create_exec_env(inst, 8192);
    CHECK(!wasm_runtime_call_wasm(env, function("none"), 0, argv));
    wasm_runtime_clear_exception(inst);
    CHECK(!wasm_runtime_call_wasm(env, function("nothing"), 0, argv));
    wasm_runtime_clear_exception(inst);
    CHECK(wasm_runtime_call_wasm(other, function("catch"), 1, argv));
    CHECK_INT(argv[0], 900);
    wasm_runtime_destroy_exec_env(other);
    CHECK(next && wasm_obj_set_gc_finalizer(env, (wasm_obj_t)next, ended, data));
}

static void finalizers(void) {
    wasm_struct_obj_t first = wasm_struct_obj_new_with_typeidx(env, 0);

    CHECK(wasm_obj_set_gc_finalizer(env, (wasm_obj_t)first, ended, NULL));
    CHECK_INT(call("catch", 20000), 60000);
    CHECK(ends > 10);
    is_over = true;
}

static void full(const char *grow, const char *text) {
    CHECK(!wasm_runtime_call_wasm(env, function(grow), 0, NULL));
    CHECK_STR(wasm_runtime_get_exception(inst), text);
    wasm_runtime_clear_exception(inst);
}

/* Structs take the room of exceptions, and the reverse. */
static void one_limit(void) {
    uint32_t argv[2] = {1, 0};

    full("structs", "Exception: create struct object failed");
    CHECK(!wasm_runtime_call_wasm(env, function("keep"), 1, argv));
    wasm_runtime_clear_exception(inst);
    CHECK(wasm_runtime_call_wasm(env, function("forget"), 0, NULL));
    CHECK_INT(call("catch", 10), 30);
    full("exceptions", "Exception: allocate memory failed");
    CHECK(wasm_runtime_call_wasm(env, function("forget"), 0, NULL));
    CHECK_INT(call("catch", 10), 30);
}

static void run(void) {
    RuntimeInitArgs args = system_args();
    wasm_module_t module;

    CHECK(wasm_runtime_full_init(&args));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    wasm_runtime_set_module_reader(read_sub, give_back);
    module = load_module("gc_catcher");
    inst = instantiate(module, 8192, 0);
    env = wasm_runtime_create_exec_env(inst, 8192);
    forged();
    one_limit();
    finalizers();
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
}
