/* Settings of a context: how it runs code, and its log. */

#include <fcntl.h>
#include <unistd.h>
#include "rows.h"
#include "wasm_runtime_ctx.h"

static bool compiles(void) {
    return wasm_runtime_is_running_mode_supported(Mode_LLVM_JIT);
}

/* Starts a guest in a context of its own, which has the mode, and the options if there are any. */
static struct guest guest_in(RunningMode mode, uint32_t code_bytes, uint32_t size_level) {
    RuntimeInitArgs args = system_args();

    args.running_mode = mode;
    args.fast_jit_code_cache_size = code_bytes;
    args.llvm_jit_opt_level = 3;
    args.llvm_jit_size_level = size_level;
    quiet_init(&args);
    return start_guest("basic");
}

static void end_side(struct guest *guest) {
    end_guest(guest);
    wasm_runtime_destroy();
}

/* The mode of one side is not that of the other, nor is a default that it sets later. */
static void mode_side(RunningMode mode, RunningMode later) {
    struct guest guest = guest_in(mode, 0, 3), next;

    meet();
    CHECK_INT(wasm_runtime_get_running_mode(guest.inst), mode);
    CHECK_INT(call(&guest, "add", 2, 20, 22), 42);
    CHECK(wasm_runtime_set_default_running_mode(later));
    meet();
    next = start_guest("basic");
    CHECK_INT(wasm_runtime_get_running_mode(next.inst), later);
    CHECK_INT(wasm_runtime_get_running_mode(guest.inst), mode);
    CHECK_INT(call(&next, "add", 2, 20, 22), 42);
    CHECK(wasm_runtime_set_running_mode(next.inst, mode));
    CHECK_INT(call(&next, "add", 2, 20, 22), 42);
    meet();
    end_guest(&next);
    end_side(&guest);
}

static void interpreting(void) {
    mode_side(Mode_Interp, Mode_Interp);
}

static void compiling(void) {
    mode_side(compiles() ? Mode_LLVM_JIT : Mode_Interp, compiles() ? Mode_Fast_JIT : Mode_Interp);
}

static void running_mode(void) {
    sides(rounds(), interpreting, compiling);
    sides(rounds(), compiling, interpreting);
}

/* Each side's guest asks for more than its memory may have; the other's callback hears nothing. */
static void note_failure(uint32_t pages, uint64_t current, uint32_t index,
                         enlarge_memory_error_reason_t reason, wasm_module_inst_t inst,
                         wasm_exec_env_t env, void *user_data) {
    (void)current, (void)index, (void)reason, (void)inst, (void)env;
    *(uint32_t *)user_data += pages;
}

static void growing_side(uint32_t pages, uint32_t *seen) {
    struct guest guest;

    quiet_init(NULL);
    guest = start_guest("guest");
    *seen = 0;
    meet();
    CHECK(call(&guest, "grow", 1, pages, 0) == (uint32_t)-1);
    meet();
    end_guest(&guest);
    wasm_runtime_destroy();
}

static uint32_t seen_by_a, seen_by_b;

static void growing_a(void) {
    CHECK(wasm_runtime_init());
    wasm_runtime_set_enlarge_mem_error_callback(note_failure, &seen_by_a);
    growing_side(100, &seen_by_a);
    CHECK_INT(seen_by_a, 100);
    wasm_runtime_destroy();
}

/* Without a callback at first, then with one of its own. */
static void growing_b(void) {
    CHECK(wasm_runtime_init());
    growing_side(200, &seen_by_b);
    CHECK_INT(seen_by_b, 0);
    wasm_runtime_destroy();
}

static void growing_callback_b(void) {
    CHECK(wasm_runtime_init());
    wasm_runtime_set_enlarge_mem_error_callback(note_failure, &seen_by_b);
    growing_side(200, &seen_by_b);
    CHECK_INT(seen_by_b, 200);
    wasm_runtime_destroy();
}

static void enlarge_callback(void) {
    sides(rounds(), growing_a, growing_b);
    sides(rounds(), growing_a, growing_callback_b);
}

/* Bytes that `body` prints. */
static long printed(void (*body)(void)) {
    FILE *file = tmpfile();
    int saved = dup(STDOUT_FILENO);
    long length;

    fflush(stdout);
    CHECK(file && saved >= 0 && dup2(fileno(file), STDOUT_FILENO) >= 0);
    body();
    fflush(stdout);
    length = lseek(STDOUT_FILENO, 0, SEEK_END);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    fclose(file);
    return length;
}

/* A native whose signature does not fit, which loading warns of. */
static NativeSymbol misfit[] = {{"who", (void *)dup, "(i)", NULL}};

static void load_misfit(void) {
    wasm_runtime_unload(load_module("guest"));
}

/* B logs everything while A, which logs errors only, loads a module with a warning. */
static void quiet_a(void) {
    CHECK(wasm_runtime_init());
    CHECK(wasm_runtime_register_natives("env", misfit, 1));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_ERROR);
    CHECK_INT(printed(load_misfit), 0);
    meet();
    meet();
    CHECK_INT(printed(load_misfit), 0);
    meet();
    wasm_runtime_destroy();
}

static void verbose_b(void) {
    CHECK(wasm_runtime_init());
    CHECK(wasm_runtime_register_natives("env", misfit, 1));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_VERBOSE);
    meet();
    CHECK(printed(load_misfit) > 0);
    meet();
    meet();
    wasm_runtime_destroy();
}

static void log_level(void) {
    sides(rounds(), quiet_a, verbose_b);
}

static void log_timers(void) {
    lacks_function("bh_print_time", "bh_print_time");
}

/* Each side's guest makes objects up to the size of its own side's heap. */
static void objects_side(uint32_t heap_bytes, uint32_t fits, uint32_t too_large) {
    RuntimeInitArgs args = system_args();
    wasm_function_inst_t function;
    struct guest guest;
    uint32_t argv[1] = {too_large};

    args.gc_heap_size = heap_bytes;
    quiet_init(&args);
    guest = start_guest("objects");
    meet();
    CHECK_INT(call(&guest, "fits", 1, fits, 0), fits);
    meet();
    function = wasm_runtime_lookup_function(guest.inst, "fits");
    CHECK(!wasm_runtime_call_wasm(guest.env, function, 1, argv));
    CHECK_STR(wasm_runtime_get_exception(guest.inst), "Exception: create array object failed");
    meet();
    end_guest(&guest);
    wasm_runtime_destroy();
}

static void small_heap_a(void) {
    objects_side(64 << 10, 30000, 300000);
}

static void large_heap_b(void) {
    objects_side(1 << 20, 300000, 2000000);
}

static void gc_heap_size(void) {
    sides(rounds(), small_heap_a, large_heap_b);
}

/* Each side compiles one function, "add" or "divide"; one of them asks that perf knows it. */
static void noted_side(bool is_noted, const char *function) {
    RuntimeInitArgs args = system_args();
    struct guest guest;

    args.enable_linux_perf = is_noted;
    args.running_mode = compiles() ? Mode_LLVM_JIT : Mode_Interp;
    quiet_init(&args);
    guest = start_guest("basic");
    meet();
    call(&guest, function, 2, 20, 10);
    meet();
    end_side(&guest);
}

static void asks_for_notes(void) {
    noted_side(true, "add");
}

static void asks_for_none(void) {
    noted_side(false, "divide");
}

/* Whether a line of the process's map ends with this name. */
static bool is_in_map(const char *path, const char *name) {
    char line[512];
    FILE *map = fopen(path, "r");
    size_t len = strlen(name);
    bool found = false;

    while (map && fgets(line, sizeof line, map)) {
        size_t end = strcspn(line, "\n");

        found |= end > len && line[end - len - 1] == ' ' && !strncmp(line + end - len, name, len);
    }
    if (map) {
        fclose(map);
    }
    return found;
}

/* The dump is the first of this process: no other row asks for one. */
static void linux_perf(void) {
    char map[64], folder[64], dump[96];
    int pid = (int)getpid();

    snprintf(map, sizeof map, "/tmp/perf-%d.map", pid);
    snprintf(folder, sizeof folder, "/tmp/isothread-%d-0", pid);
    snprintf(dump, sizeof dump, "%s/jit-%d.dump", folder, pid);
    sides(1, asks_for_notes, asks_for_none);
    CHECK_INT(is_in_map(map, "add"), compiles());
    CHECK_INT(is_in_map(map, "divide"), false);
    CHECK_INT(access(dump, F_OK) == 0, compiles());
    remove(map);
    remove(dump);
    rmdir(folder);
}

static void debug_engine(void) {
    RuntimeInitArgs args = system_args();
    struct guest guest;

    strcpy(args.ip_addr, "127.0.0.1");
    args.instance_port = 0;
    quiet_init(&args);
    guest = start_guest("basic");
    lacks_while(wasm_runtime_start_debug_instance(guest.env) == 0, "debug engine");
    end_guest(&guest);
    wasm_runtime_destroy();
}

/* Each side has its own options, and code that was made with them. */
static void options_side(uint32_t size_level) {
    struct guest guest = guest_in(compiles() ? Mode_LLVM_JIT : Mode_Interp, 1 << 20, size_level);
    wasm_runtime_ctx_jit_options_t options;

    meet();
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    CHECK(wasm_runtime_ctx_get_jit_options(wasm_runtime_ctx_current(), &options));
    CHECK_INT(options.llvm_jit_size_level, size_level);
    CHECK_INT(call(&guest, "add", 2, 20, 22), 42);
    meet();
    end_side(&guest);
}

static void for_speed(void) {
    options_side(3);
}

static void for_size(void) {
    options_side(1);
}

static void jit_options(void) {
    sides(rounds(), for_speed, for_size);
}

/* One side has room for hardly any code: it goes on in the interpreter, and the other compiles. */
static void cache_side(uint32_t code_bytes) {
    struct guest guest = guest_in(compiles() ? Mode_Fast_JIT : Mode_Interp, code_bytes, 3);

    meet();
    CHECK_INT(call(&guest, "add", 2, 20, 22), 42);
    meet();
    CHECK_INT(call(&guest, "add", 2, 1, 2), 3);
    end_side(&guest);
}

static void without_room(void) {
    cache_side(1);
}

static void with_room(void) {
    cache_side(8 << 20);
}

static void fast_jit_cache(void) {
    sides(rounds(), without_room, with_room);
}

static void run(void) {
    row("running mode", running_mode);
    row("enlarge callback", enlarge_callback);
    row("log level", log_level);
    row("log timers", log_timers);
    row("gc heap size", gc_heap_size);
    row("linux perf map", linux_perf);
    row("debug engine", debug_engine);
    row("jit options", jit_options);
    row("fast-jit cache", fast_jit_cache);
}
