/* The switch for programs that count on one runtime for the whole process: with
   WAMR_COMPAT_SHARED_INIT=1, init on any thread counts there. */

#include "rows.h"
#include "wasm_c_api.h"

static int32_t who(wasm_exec_env_t env) {
    (void)env;
    return 'W';
}

static NativeSymbol symbols[] = {{"who", (void *)who, "()i", NULL}};

/* Each side inits, uses the other's natives, and destroys as often as it has initialized. */
static void counting_side(void) {
    struct guest guest;

    CHECK(wasm_runtime_init());
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    meet();
    CHECK(wasm_runtime_is_import_func_linked("env", "who"));
    guest = start_guest("guest");
    CHECK_INT(call(&guest, "who", 0, 0, 0), 'W');
    end_guest(&guest);
    meet();
    wasm_runtime_destroy();
    meet();
}

static void one_for_all(void) {
    CHECK(wasm_runtime_init());
    CHECK(wasm_runtime_register_natives("env", symbols, 1));
    sides(rounds(), counting_side, counting_side);
    CHECK(wasm_runtime_is_import_func_linked("env", "who"));
    wasm_runtime_destroy();
    CHECK(!wasm_runtime_malloc(1));
}

/* Inits that come at once make one context, and only the last destroy ends it. */
static void first_side(void) {
    void *block;

    CHECK(wasm_runtime_init());
    block = wasm_runtime_malloc(10);
    CHECK(block != NULL);
    wasm_runtime_free(block);
    meet();
    wasm_runtime_destroy();
    meet();
    CHECK(!wasm_runtime_malloc(1));
    meet();
}

static void at_once(void) {
    sides(rounds(), first_side, first_side);
}

/* An engine of either side is the process's, and its context the one that inits count. */
static wasm_engine_t *engine_of_first;

static void engine_first(void) {
    engine_of_first = wasm_engine_new();
    CHECK(engine_of_first != NULL);
    meet();
    meet();
    wasm_engine_delete(engine_of_first);
    meet();
}

static void engine_second(void) {
    wasm_config_t *config = wasm_config_new();
    wasm_engine_t *engine;
    void *block;

    meet();
    engine = wasm_engine_new_with_config(config);
    CHECK(engine == engine_of_first);
    wasm_config_delete(config);
    meet();
    meet();
    block = wasm_runtime_malloc(10);
    CHECK(block != NULL);
    wasm_runtime_free(block);
    wasm_engine_delete(engine);
    CHECK(!wasm_runtime_malloc(1));
}

static void one_engine(void) {
    sides(rounds(), engine_first, engine_second);
}

static void run(void) {
    setenv("WAMR_COMPAT_SHARED_INIT", "1", 1);
    row("one runtime for the process", one_for_all);
    row("shared inits at once", at_once);
    row("one engine for the process", one_engine);
}
