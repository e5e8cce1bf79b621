/* Every function of wasm_c_api.h: with NULL and zero for all arguments before there is an engine,
 * with one, and after its end; and with an object of the wrong kind for every reference. Nothing
 * may crash or leak. The test makes the calls from the table of functions. */

#include "c_api.h"

static void with_nothing(void) {
#include "c_api_with_nothing.inc"
}

static void with_wrong_kinds(void *wrong) {
#include "c_api_with_wrong_kinds.inc"
}

static void run(void) {
    wasm_foreign_t *foreign;
    wasm_instance_t *instance;
    wasm_extern_vec_t exports;

    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    with_nothing();
    open_store();
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    with_nothing();
    foreign = wasm_foreign_new(store);
    with_wrong_kinds(foreign);
    CHECK(wasm_foreign_same(foreign, foreign) && !wasm_foreign_get_host_info(foreign));
    wasm_foreign_delete(foreign);
    instance = make("c_api_memory", 0, NULL, &exports);
    CHECK(!wasm_instance_as_ref(NULL) && !wasm_extern_as_table(exports.data[0]));
    CHECK(!wasm_instance_copy((wasm_instance_t *)exports.data[0]));
    wasm_extern_vec_delete(&exports);
    wasm_instance_delete(instance);
    close_store();
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    with_nothing();
}
