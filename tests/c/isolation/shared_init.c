/* The switch for programs that count on one runtime for the whole process: with
   WAMR_COMPAT_SHARED_INIT=1, init on any thread counts there. */

#include "rows.h"

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

static void run(void) {
    setenv("WAMR_COMPAT_SHARED_INIT", "1", 1);
    row("one runtime for the process", one_for_all);
    row("shared inits at once", at_once);
}
