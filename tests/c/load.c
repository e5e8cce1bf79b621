/* Loading: errors, the caller's buffer, names, kinds of binaries, imports and exports. */

#include "check.h"

static void expect_error(uint8_t *bytes, uint32_t size, const char *message) {
    char error[128] = "";

    CHECK(!wasm_runtime_load(bytes, size, error, sizeof error));
    CHECK_STR(error, message);
}

static void errors(uint8_t *bytes, uint32_t size) {
    uint8_t wasm2[8] = {0, 'a', 's', 'm', 2, 0, 0, 0};
    uint8_t aot9[8] = {0, 'a', 'o', 't', 9, 0, 0, 0};
    uint8_t other[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    char error[128] = "", small[20], one[1] = {'x'};

    expect_error(NULL, 0, "WASM module load failed: unexpected end");
    expect_error(NULL, 8, "WASM module load failed: magic header not detected");
    expect_error(bytes, 3, "WASM module load failed: unexpected end");
    expect_error(bytes, 4, "WASM module load failed: unexpected end");
    expect_error(other, 8, "WASM module load failed: magic header not detected");
    expect_error(wasm2, 8, "WASM module load failed: unknown binary version");
    expect_error(aot9, 8, "AOT module load failed: unknown binary version");
    CHECK(!wasm_runtime_load_ex(bytes, size, NULL, error, sizeof error));
    CHECK_STR(error, "WASM module load failed: null load arguments");
    /* The message is cut to the buffer. */
    CHECK(!wasm_runtime_load(bytes, 3, small, sizeof small));
    CHECK_STR(small, "WASM module load fa");
    CHECK(!wasm_runtime_load(bytes, 3, one, 1));
    CHECK_INT(one[0], 0);
    CHECK(!wasm_runtime_load(bytes, 3, NULL, 0));
    CHECK(!wasm_runtime_load(bytes, 3, NULL, 100));
}

static void truncated(const uint8_t *bytes, uint32_t size) {
    char error[128];
    uint32_t length;

    for (length = 9; length < size; length++) {
        /* A copy of just that size, so that a read beyond it is seen by memory checkers. */
        uint8_t *part = malloc(length);
        wasm_module_t module;

        memcpy(part, bytes, length);
        error[0] = 0;
        module = wasm_runtime_load(part, length, error, sizeof error);
        if (module) {
            /* A prefix that ends between sections can be a module of its own. */
            wasm_runtime_unload(module);
        }
        else {
            CHECK(strncmp(error, "WASM module load failed: ", 25) == 0);
        }
        free(part);
    }
}

static void names(wasm_module_t module) {
    char error[128] = "";
    char name[] = "given";
    LoadArgs args;
    uint32_t size;
    uint8_t *bytes = read_module("main", &size);
    wasm_module_t named;

    CHECK_STR(wasm_runtime_get_module_name(module), "");
    CHECK(wasm_runtime_set_module_name(module, "other", error, sizeof error));
    CHECK_STR(wasm_runtime_get_module_name(module), "other");
    CHECK(!wasm_runtime_set_module_name(module, NULL, error, sizeof error));
    CHECK_STR(wasm_runtime_get_module_name(module), "other");

    memset(&args, 0, sizeof args);
    args.name = name;
    args.wasm_binary_freeable = true;
    named = wasm_runtime_load_ex(bytes, size, &args, error, sizeof error);
    CHECK(named != NULL);
    free(bytes);
    name[0] = 'x';
    CHECK_STR(wasm_runtime_get_module_name(named), "given");
    CHECK(wasm_runtime_is_underlying_binary_freeable(named));
    CHECK(!wasm_runtime_is_underlying_binary_freeable(module));
    wasm_runtime_unload(named);
}

static void packages(wasm_module_t module, uint8_t *bytes, uint32_t size) {
    CHECK_INT(wasm_runtime_get_file_package_type(bytes, size), Wasm_Module_Bytecode);
    CHECK_INT(get_package_type(bytes, size), Wasm_Module_Bytecode);
    CHECK_INT(wasm_runtime_get_file_package_type((const uint8_t *)"\0aot", 4), Wasm_Module_AoT);
    CHECK_INT(wasm_runtime_get_file_package_type(bytes, 3), Package_Type_Unknown);
    CHECK_INT(wasm_runtime_get_file_package_type(NULL, 9), Package_Type_Unknown);
    CHECK_INT(wasm_runtime_get_file_package_version(bytes, size), 1);
    CHECK_INT(wasm_runtime_get_file_package_version(bytes, 7), 0);
    CHECK_INT(wasm_runtime_get_module_package_type(module), Wasm_Module_Bytecode);
    CHECK_INT(wasm_runtime_get_module_package_version(module), 1);
    CHECK_INT(wasm_runtime_get_current_package_version(Wasm_Module_Bytecode), 1);
    CHECK_INT(wasm_runtime_get_current_package_version(Wasm_Module_AoT), 6);
    CHECK_INT(wasm_runtime_get_current_package_version(Package_Type_Unknown), 0);
    CHECK(!wasm_runtime_is_xip_file(bytes, size));
}

static void imports(wasm_module_t module) {
    wasm_import_t import;

    CHECK_INT(wasm_runtime_get_import_count(module), 1);
    wasm_runtime_get_import_type(module, 0, &import);
    CHECK_STR(import.module_name, "env");
    CHECK_STR(import.name, "missing");
    CHECK_INT(import.kind, WASM_IMPORT_EXPORT_KIND_FUNC);
    CHECK(!import.linked);
    CHECK_INT(wasm_func_type_get_param_count(import.u.func_type), 1);
    CHECK_INT(wasm_func_type_get_param_valkind(import.u.func_type, 0), WASM_I32);
    CHECK_INT(wasm_func_type_get_param_valkind(import.u.func_type, 1), 255);
    CHECK_INT(wasm_func_type_get_result_count(import.u.func_type), 0);
    CHECK_INT(wasm_func_type_get_result_valkind(import.u.func_type, 0), 255);
    wasm_runtime_get_import_type(module, 1, &import);
    CHECK(!import.name && !import.module_name);
    wasm_runtime_get_import_type(module, -1, &import);
    CHECK(!import.name);
}

static void exports(wasm_module_t module) {
    wasm_export_t export;

    CHECK(wasm_runtime_get_export_count(module) > 3);
    wasm_runtime_get_export_type(module, 0, &export);
    CHECK_STR(export.name, "memory");
    CHECK_INT(export.kind, WASM_IMPORT_EXPORT_KIND_MEMORY);
    CHECK_INT(wasm_memory_type_get_init_page_count(export.u.memory_type), 1);
    CHECK_INT(wasm_memory_type_get_max_page_count(export.u.memory_type), 3);
    CHECK(!wasm_memory_type_get_shared(export.u.memory_type));
    wasm_runtime_get_export_type(module, 1, &export);
    CHECK_STR(export.name, "table");
    CHECK_INT(export.kind, WASM_IMPORT_EXPORT_KIND_TABLE);
    CHECK_INT(wasm_table_type_get_elem_kind(export.u.table_type), WASM_FUNCREF);
    CHECK_INT(wasm_table_type_get_init_size(export.u.table_type), 4);
    CHECK_INT(wasm_table_type_get_max_size(export.u.table_type), 8);
    CHECK(!wasm_table_type_get_shared(export.u.table_type));
    wasm_runtime_get_export_type(module, 2, &export);
    CHECK_STR(export.name, "counter");
    CHECK_INT(export.kind, WASM_IMPORT_EXPORT_KIND_GLOBAL);
    CHECK_INT(wasm_global_type_get_valkind(export.u.global_type), WASM_I32);
    CHECK(wasm_global_type_get_mutable(export.u.global_type));
    wasm_runtime_get_export_type(module, 1000, &export);
    CHECK(!export.name);
}

static void run(void) {
    char error[128] = "";
    uint32_t size;
    uint8_t *bytes = read_module("basic", &size), *copy = malloc(size);
    wasm_module_t module, second;
    int i;

    CHECK(wasm_runtime_init());
    errors(bytes, size);
    truncated(bytes, size);

    memcpy(copy, bytes, size);
    module = wasm_runtime_load(bytes, size, error, sizeof error);
    CHECK(module != NULL);
    /* The buffer is as it was, can be loaded again, and need not stay. */
    CHECK(memcmp(bytes, copy, size) == 0);
    second = wasm_runtime_load(bytes, size, error, sizeof error);
    CHECK(second != NULL && second != module);
    packages(module, bytes, size);
    memset(bytes, 0xA5, size);
    free(bytes);
    names(module);
    imports(module);
    exports(module);
    wasm_runtime_unload(second);
    wasm_runtime_unload(module);
    for (i = 0; i < 100; i++) {
        wasm_runtime_unload(load_module("basic"));
    }
    free(copy);
    wasm_runtime_destroy();
}
