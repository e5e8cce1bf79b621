/* Call stacks: from natives and after traps, printed, in buffers and as data. */

#include "check.h"

static wasm_module_inst_t inst;
static wasm_exec_env_t env;

/* The native's task: to print, or to copy the frames behind `skip`. */
static WASMCApiFrame frames[8];
static uint32_t copied;

static int32_t look(wasm_exec_env_t exec_env, int32_t how) {
    char error[64] = "";

    if (how == 0) {
        wasm_runtime_dump_call_stack(exec_env);
    }
    copied = wasm_copy_callstack(exec_env, frames, 8, (uint32_t)how, error, sizeof error);
    CHECK_STR(error, "");
    return how;
}

/* Fails in the guest, looks at that, and goes on failing. */
static void again(wasm_exec_env_t exec_env) {
    uint32_t argv[1] = {0};
    wasm_function_inst_t divide = wasm_runtime_lookup_function(get_module_inst(exec_env), "divide");

    CHECK(!wasm_runtime_call_wasm(exec_env, divide, 1, argv));
    wasm_runtime_dump_call_stack(exec_env);
}

static bool call(const char *name, uint32_t a, uint32_t b) {
    uint32_t argv[2] = {a, b};
    wasm_function_inst_t function = wasm_runtime_lookup_function(inst, name);
    uint32_t argc = wasm_func_get_param_count(function, inst);
    bool called = wasm_runtime_call_wasm(env, function, argc, argv);

    if (!called) {
        printf("%s\n", wasm_runtime_get_exception(inst));
        wasm_runtime_dump_call_stack(env);
        wasm_runtime_clear_exception(inst);
    }
    return called;
}

static void from_natives(void) {
    CHECK(call("look", 0, 0));
    CHECK_INT(copied, 3);
    CHECK(frames[0].instance == inst && frames[0].func_index == 0);
    CHECK(frames[0].module_offset == 0 && frames[0].func_offset == 0);
    CHECK(frames[1].instance == inst && frames[1].func_index == 2);
    CHECK(frames[1].module_offset > frames[1].func_offset && frames[1].func_offset == 3);
    CHECK(frames[1].func_name_wp == NULL && frames[1].sp == NULL && frames[1].lp == NULL);
    CHECK_INT(frames[2].func_index, 5);
    CHECK(call("look", 1, 0));
    CHECK_INT(copied, 2);
    CHECK_INT(frames[0].func_index, 2);
    CHECK(call("look", 3, 0));
    CHECK_INT(copied, 0);
    /* Deeper than there is room for, and through a table. */
    CHECK(call("down", 20, 0));
    CHECK_INT(copied, 8);
    CHECK_INT(frames[0].func_index, 0);
    CHECK_INT(frames[1].func_index, 4);
    CHECK(frames[1].func_offset < frames[2].func_offset);
    CHECK(frames[2].func_offset == frames[7].func_offset);
}

static void after_traps(void) {
    CHECK(!call("divide", 0, 0));
    CHECK(!call("unreachable", 0, 0));
    CHECK(!call("down", 2, 3));
    CHECK(!call("down", 1, 9));
    CHECK(!call("again", 0, 0));
}

static void buffers(void) {
    char whole[256], part[256];
    uint32_t size, i;

    CHECK(!call("divide", 0, 0));
    size = wasm_runtime_get_call_stack_buf_size(env);
    CHECK(size > 40 && size < sizeof whole);
    CHECK_INT(wasm_runtime_dump_call_stack_to_buf(env, whole, sizeof whole), size);
    CHECK_INT(strlen(whole), size - 1);
    printf("%s", whole);
    for (i = 1; i <= size; i++) {
        memset(part, '#', sizeof part);
        CHECK_INT(wasm_runtime_dump_call_stack_to_buf(env, part, i), i == 1 ? 0 : i);
        CHECK_INT(part[i - 1], 0);
        CHECK_INT(part[i], '#');
        CHECK(strncmp(part, whole, i - 1) == 0);
    }
    CHECK_INT(wasm_copy_callstack(env, frames, 8, 0, NULL, 0), 2);
    CHECK(frames[0].func_index == 3 && frames[0].module_offset > frames[0].func_offset);
    CHECK_INT(wasm_copy_callstack(env, frames, 1, 1, NULL, 0), 1);
    CHECK_INT(frames[0].func_index, 8);
}

/* A stack that is full, in little room. */
static void overflow(void) {
    uint32_t size;
    char *text;

    CHECK(!wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "for_ever"), 0, NULL));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: wasm operand stack overflow");
    size = wasm_runtime_get_call_stack_buf_size(env);
    CHECK(size > 10000);
    text = malloc(size);
    CHECK_INT(wasm_runtime_dump_call_stack_to_buf(env, text, size), size);
    CHECK(strstr(text, " - for_ever\n\n") != NULL);
    CHECK_INT(wasm_runtime_dump_call_stack_to_buf(env, text, 20), 20);
    CHECK_INT(strlen(text), 19);
    free(text);
    CHECK_INT(wasm_copy_callstack(env, frames, 8, 100, NULL, 0), 8);
    CHECK(frames[0].func_offset == frames[7].func_offset);
    wasm_runtime_clear_exception(inst);
}

/* A name that no line holds: lines have 255 characters, the line end included. */
static void long_names(void) {
    static const uint8_t before[] = {
        0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x04, 0x01, 0x60, 0x00, 0x00,
        0x03, 0x02, 0x01, 0x00, 0x07, 0xb1, 0x02, 0x01, 0xac, 0x02,
    };
    static const uint8_t after[] = {0x00, 0x00, 0x0a, 0x05, 0x01, 0x03, 0x00, 0x00, 0x0b};
    uint8_t wasm[sizeof before + 300 + sizeof after];
    char name[301], error[128] = "", text[512];
    wasm_module_t module;
    wasm_module_inst_t named;
    wasm_exec_env_t stack;

    memset(name, 'n', 300);
    name[300] = 0;
    memcpy(wasm, before, sizeof before);
    memcpy(wasm + sizeof before, name, 300);
    memcpy(wasm + sizeof before + 300, after, sizeof after);
    module = wasm_runtime_load(wasm, sizeof wasm, error, sizeof error);
    CHECK_STR(error, "");
    named = instantiate(module, 0, 0);
    stack = wasm_runtime_create_exec_env(named, 0);
    CHECK(!wasm_runtime_call_wasm(stack, wasm_runtime_lookup_function(named, name), 0, NULL));
    CHECK_INT(wasm_runtime_dump_call_stack_to_buf(stack, text, sizeof text), 258);
    CHECK(strncmp(text, "\n#00: 0x014b - nnn", 18) == 0);
    CHECK_STR(text + 250, "nn...\n\n");
    wasm_runtime_destroy_exec_env(stack);
    wasm_runtime_deinstantiate(named);
    wasm_runtime_unload(module);
}

static void nothing(void) {
    char error[64] = "", text[8] = "#######";

    wasm_runtime_dump_call_stack(NULL);
    CHECK_INT(wasm_runtime_get_call_stack_buf_size(NULL), 0);
    CHECK_INT(wasm_runtime_dump_call_stack_to_buf(NULL, text, sizeof text), 0);
    CHECK_INT(wasm_copy_callstack(NULL, frames, 8, 0, error, sizeof error), 0);
    CHECK_STR(error, "invalid exec env");
    /* Nothing has run yet. */
    wasm_runtime_dump_call_stack(env);
    CHECK_INT(wasm_runtime_get_call_stack_buf_size(env), 0);
    CHECK_INT(wasm_runtime_dump_call_stack_to_buf(env, text, 0), 0);
    CHECK_INT(wasm_runtime_dump_call_stack_to_buf(env, NULL, 100), 0);
    CHECK_INT(text[0], '#');
    CHECK_INT(wasm_runtime_dump_call_stack_to_buf(env, text, sizeof text), 0);
    CHECK_INT(text[0], 0);
    CHECK_INT(wasm_copy_callstack(env, NULL, 8, 0, error, sizeof error), 0);
    CHECK_STR(error, "no buffer for the frames");
    CHECK_INT(wasm_copy_callstack(env, NULL, 0, 0, error, sizeof error), 0);
    CHECK_STR(error, "there is no call stack");
}

static void run(void) {
    static NativeSymbol natives[] = {
        {"look", look, "(i)i", NULL},
        {"again", again, "()", NULL},
    };
    RuntimeInitArgs args = system_args();
    wasm_module_t module;

    CHECK(wasm_runtime_full_init(&args));
    CHECK(wasm_runtime_register_natives("host", natives, 2));
    module = load_module("call_stack");
    inst = instantiate(module, 16384, 0);
    env = wasm_runtime_create_exec_env(inst, 16384);
    nothing();
    from_natives();
    after_traps();
    buffers();
    overflow();
    long_names();
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
}
