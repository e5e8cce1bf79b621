/* In a context with hardly any memory left, whatever takes a size from the embedder fails cleanly,
   and the context's memory stays near its limit. Each case has a context of its own. */

#include "check.h"
#include "wasm_runtime_ctx.h"

#define HUGE_BYTES 60000
/* The rest of the context's memory, and the room beyond it for bounded allocations. */
#define LEFT 1000
#define BEYOND 3000

static char huge[HUGE_BYTES + 64];

struct guest {
    wasm_runtime_ctx_t ctx;
    wasm_module_t module;
    wasm_module_inst_t inst;
    wasm_exec_env_t env;
    char error[128];
};

/* Does something with the huge name; true if it has failed, which is right. */
typedef bool (*entry_point)(struct guest *guest);

static bool module_name(struct guest *guest) {
    return !wasm_runtime_set_module_name(guest->module, huge, guest->error, sizeof guest->error)
           && strstr(guest->error, "allocate memory failed");
}

static bool registered_name(struct guest *guest) {
    return !wasm_runtime_register_module(huge, guest->module, guest->error, sizeof guest->error)
           && strstr(guest->error, "allocate memory failed");
}

static bool load_name(struct guest *guest) {
    static uint8_t empty[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    LoadArgs args;

    memset(&args, 0, sizeof args);
    args.name = huge;
    return !wasm_runtime_load_ex(empty, sizeof empty, &args, guest->error, sizeof guest->error)
           && strstr(guest->error, "allocate memory failed");
}

static bool context_name(struct guest *guest) {
    return !wasm_runtime_ctx_set_name(guest->ctx, huge);
}

static bool natives_name(struct guest *guest) {
    static NativeSymbol symbols[] = {{"f", (void *)context_name, "()", NULL}};

    (void)guest;
    return !wasm_runtime_register_natives(huge, symbols, 1);
}

static bool instantiates_with(struct guest *guest, struct InstantiationArgs2 *args) {
    wasm_module_inst_t inst =
        wasm_runtime_instantiate_ex2(guest->module, args, guest->error, sizeof guest->error);

    wasm_runtime_instantiation_args_destroy(args);
    if (inst)
        wasm_runtime_deinstantiate(inst);
    return inst != NULL;
}

static struct InstantiationArgs2 *arguments(void) {
    struct InstantiationArgs2 *args = NULL;

    CHECK(wasm_runtime_instantiation_args_create(&args));
    return args;
}

static bool wasi_argument(struct guest *guest) {
    struct InstantiationArgs2 *args = arguments();
    char *list[] = {huge};

    wasm_runtime_instantiation_args_set_wasi_arg(args, list, 1);
    return !instantiates_with(guest, args) && strstr(guest->error, "memory");
}

static bool wasi_variable(struct guest *guest) {
    struct InstantiationArgs2 *args = arguments();
    const char *list[] = {huge};

    wasm_runtime_instantiation_args_set_wasi_env(args, list, 1);
    return !instantiates_with(guest, args) && strstr(guest->error, "memory");
}

static bool wasi_directory(struct guest *guest) {
    struct InstantiationArgs2 *args = arguments();
    const char *list[] = {huge};

    wasm_runtime_instantiation_args_set_wasi_dir(args, list, 1, NULL, 0);
    return !instantiates_with(guest, args);
}

static bool wasi_mapped_directory(struct guest *guest) {
    struct InstantiationArgs2 *args = arguments();
    const char *list[] = {huge};

    memcpy(huge + HUGE_BYTES, "::/tmp", 7);
    wasm_runtime_instantiation_args_set_wasi_dir(args, NULL, 0, list, 1);
    return !instantiates_with(guest, args);
}

static bool wasi_addresses(struct guest *guest) {
    struct InstantiationArgs2 *args = arguments();
    const char *list[] = {huge};

    wasm_runtime_instantiation_args_set_wasi_addr_pool(args, list, 1);
    return !instantiates_with(guest, args);
}

static bool wasi_names(struct guest *guest) {
    struct InstantiationArgs2 *args = arguments();
    const char *list[] = {huge};

    wasm_runtime_instantiation_args_set_wasi_ns_lookup_pool(args, list, 1);
    return !instantiates_with(guest, args) && strstr(guest->error, "memory");
}

/* As many strings, none of them long. */
static bool many_names(struct guest *guest) {
    static const char *list[HUGE_BYTES / 8];
    struct InstantiationArgs2 *args = arguments();
    size_t i;

    for (i = 0; i < HUGE_BYTES / 8; i++)
        list[i] = "";
    wasm_runtime_instantiation_args_set_wasi_ns_lookup_pool(args, list, HUGE_BYTES / 8);
    return !instantiates_with(guest, args) && strstr(guest->error, "memory");
}

static bool program_arguments(struct guest *guest) {
    static char *list[HUGE_BYTES / 8];

    return !wasm_application_execute_main(guest->inst, HUGE_BYTES / 8, list)
           && strstr(wasm_runtime_get_exception(guest->inst), "memory");
}

static bool function_arguments(struct guest *guest) {
    static char *list[HUGE_BYTES / 8];

    return !wasm_application_execute_func(guest->inst, "nothing", HUGE_BYTES / 8, list);
}

static bool function_name(struct guest *guest) {
    return !wasm_application_execute_func(guest->inst, huge, 0, NULL)
           && !wasm_runtime_lookup_function(guest->inst, huge);
}

static bool exception(struct guest *guest) {
    wasm_runtime_set_exception(guest->inst, huge);
    return strlen(wasm_runtime_get_exception(guest->inst)) < 128;
}

static bool sections(struct guest *guest) {
    static wasm_section_t section;

    section.section_type = 0;
    section.section_body = (uint8_t *)huge;
    section.section_body_size = HUGE_BYTES;
    return !wasm_runtime_load_from_sections(&section, false, guest->error, sizeof guest->error)
           && strstr(guest->error, "allocate memory failed");
}

static bool app_heap(struct guest *guest) {
    wasm_module_inst_t inst =
        wasm_runtime_instantiate(guest->module, 8192, HUGE_BYTES, guest->error,
                                 sizeof guest->error);

    return !inst && strstr(guest->error, "memory");
}

static bool guest_stack(struct guest *guest) {
    return !wasm_runtime_create_exec_env(guest->inst, HUGE_BYTES);
}

static bool block(struct guest *guest) {
    (void)guest;
    return !wasm_runtime_malloc(HUGE_BYTES);
}

static bool found_name(struct guest *guest) {
    (void)guest;
    return !wasm_runtime_find_module_registered(huge)
           && !wasm_runtime_is_import_func_linked(huge, huge);
}

static const struct {
    const char *name;
    entry_point fails;
} entry_points[] = {
#define ENTRY(name) {#name, name}
    ENTRY(module_name),       ENTRY(registered_name),       ENTRY(load_name),
    ENTRY(context_name),      ENTRY(natives_name),          ENTRY(wasi_argument),
    ENTRY(wasi_variable),     ENTRY(wasi_directory),        ENTRY(wasi_mapped_directory),
    ENTRY(wasi_addresses),    ENTRY(wasi_names),            ENTRY(many_names),
    ENTRY(program_arguments), ENTRY(function_arguments),    ENTRY(function_name),
    ENTRY(exception),         ENTRY(sections),              ENTRY(app_heap),
    ENTRY(guest_stack),       ENTRY(block),                 ENTRY(found_name),
};

static wasm_runtime_ctx_stats_t stats_of(struct guest *guest) {
    wasm_runtime_ctx_stats_t stats;

    memset(&stats, 0, sizeof stats);
    stats.struct_size = sizeof stats;
    CHECK(wasm_runtime_ctx_stats(guest->ctx, &stats));
    return stats;
}

static void limit(struct guest *guest, uint64_t bytes) {
    wasm_runtime_ctx_limits_t limits;

    memset(&limits, 0, sizeof limits);
    limits.struct_size = sizeof limits;
    limits.set = WASM_RUNTIME_CTX_LIMIT_MEMORY;
    limits.memory_bytes = bytes;
    CHECK(wasm_runtime_ctx_set_limits(guest->ctx, &limits));
}

static bool call(struct guest *guest) {
    uint32_t argv[2] = {20, 22};
    wasm_function_inst_t add = wasm_runtime_lookup_function(guest->inst, "add");

    wasm_runtime_clear_exception(guest->inst);
    return wasm_runtime_call_wasm(guest->env, add, 2, argv) && argv[0] == 42;
}

/* The peak of everything before is above the measured one, unless it was made small: the
   live bytes are filled up to where the peak is. */
static void one(const char *name, entry_point fails) {
    struct guest guest;
    wasm_runtime_ctx_stats_t before, after;
    void *filled;

    memset(&guest, 0, sizeof guest);
    memset(huge, 'x', HUGE_BYTES);
    huge[HUGE_BYTES] = 0;
    guest.ctx = wasm_runtime_ctx_create(NULL);
    CHECK(wasm_runtime_ctx_push(guest.ctx));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    guest.module = load_module("basic");
    guest.inst = instantiate(guest.module, 8192, 0);
    guest.env = wasm_runtime_create_exec_env(guest.inst, 8192);
    CHECK(call(&guest));
    before = stats_of(&guest);
    filled = wasm_runtime_malloc((unsigned)(before.peak_bytes - before.live_bytes + 16));
    CHECK(filled != NULL);
    before = stats_of(&guest);
    CHECK_INT(before.peak_bytes, before.live_bytes);
    limit(&guest, before.live_bytes + LEFT);
    if (!fails(&guest)) {
        printf("%s has not failed: %s\n", name, guest.error);
        failed_checks++;
    }
    after = stats_of(&guest);
    if (after.peak_bytes > before.live_bytes + LEFT + BEYOND) {
        printf("%s: %llu bytes beyond the limit\n", name,
               (unsigned long long)(after.peak_bytes - before.live_bytes - LEFT));
        failed_checks++;
    }
    CHECK(call(&guest));
    wasm_runtime_free(filled);
    wasm_runtime_destroy_exec_env(guest.env);
    wasm_runtime_deinstantiate(guest.inst);
    wasm_runtime_unload(guest.module);
    CHECK(wasm_runtime_ctx_pop(guest.ctx));
    CHECK(wasm_runtime_ctx_destroy(guest.ctx));
}

static void run(void) {
    size_t i;

    for (i = 0; i < sizeof entry_points / sizeof entry_points[0]; i++)
        one(entry_points[i].name, entry_points[i].fails);
}
