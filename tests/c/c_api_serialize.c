/* Modules as bytes; what is no serialized module; loading with options; validation. */

#include "c_api.h"

static int greetings;

static wasm_trap_t *hello(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    (void)args, (void)results;
    greetings++;
    return NULL;
}

static void use(wasm_module_t *module) {
    wasm_functype_t *type = wasm_functype_new_0_0();
    wasm_func_t *func = wasm_func_new(store, type, hello);
    wasm_extern_t *items[] = { wasm_func_as_extern(func) };
    wasm_extern_vec_t imports = WASM_ARRAY_VEC(items), exports;
    wasm_instance_t *instance = wasm_instance_new(store, module, &imports, NULL);

    wasm_functype_delete(type);
    wasm_instance_exports(instance, &exports);
    CHECK(!wasm_func_call(wasm_extern_as_func(exports.data[0]), NULL, NULL));
    wasm_extern_vec_delete(&exports);
    wasm_instance_delete(instance);
    wasm_func_delete(func);
}

static void options(void) {
    wasm_byte_vec_t binary;
    LoadArgs args = { .name = "given", .clone_wasm_binary = false };
    wasm_module_t *module;

    read_binary("c_api_hello", &binary);
    CHECK(wasm_module_validate(store, &binary) && !wasm_module_validate(NULL, &binary));
    module = wasm_module_new_ex(store, &binary, &args);
    CHECK(args.wasm_binary_freeable && wasm_module_is_underlying_binary_freeable(module));
    CHECK_STR(wasm_module_get_name(module), "given");
    binary.data[8] ^= 0x55;
    CHECK(!wasm_module_validate(store, &binary) && !wasm_module_new(store, &binary));
    CHECK(!wasm_module_new_ex(store, &binary, NULL) && !wasm_module_new(NULL, &binary));
    wasm_byte_vec_delete(&binary);
    CHECK(!wasm_module_new(store, &binary) && !wasm_module_new(store, NULL));
    use(module);
    wasm_module_delete(module);
}

static void run(void) {
    wasm_module_t *module, *again;
    wasm_byte_vec_t bytes, cut;

    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    open_store();
    module = load_in(store, "c_api_hello");
    wasm_module_serialize(module, &bytes);
    wasm_module_delete(module);
    again = wasm_module_deserialize(store, &bytes);
    CHECK(again != NULL);
    use(again);
    wasm_module_delete(again);
    CHECK_INT(greetings, 1);

    wasm_byte_vec_new(&cut, bytes.size - 1, bytes.data);
    CHECK(!wasm_module_deserialize(store, &cut));
    wasm_byte_vec_delete(&cut);
    bytes.data[bytes.size - 1] ^= 1;
    CHECK(!wasm_module_deserialize(store, &bytes));
    wasm_byte_vec_delete(&bytes);
    CHECK(!wasm_module_deserialize(store, &bytes) && !wasm_module_deserialize(store, NULL));
    wasm_module_serialize(NULL, &bytes);
    CHECK(!bytes.data);
    options();
    CHECK_INT(greetings, 2);
    close_store();
}
