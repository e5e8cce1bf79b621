/* NULL everywhere, and calls at the wrong time. Nothing here may crash. */

#include "check.h"

static void handles_are_null(void) {
    uint64_t first, last;
    uint8_t *start, *end;
    uint32_t argv[4] = {0}, length;
    wasm_val_t value;
    wasm_valkind_t kinds[4];
    wasm_import_t import;
    wasm_export_t export;
    char error[128];
    int x;

    CHECK(!wasm_runtime_resolve_symbols(NULL));
    wasm_runtime_unload(NULL);
    CHECK(!wasm_runtime_set_module_name(NULL, "x", error, sizeof error));
    CHECK(!wasm_runtime_get_module_name(NULL));
    CHECK(!wasm_runtime_is_underlying_binary_freeable(NULL));
    CHECK_INT(wasm_runtime_get_module_package_type(NULL), Package_Type_Unknown);
    CHECK_INT(wasm_runtime_get_module_package_version(NULL), 0);
    CHECK(!wasm_runtime_get_custom_section(NULL, "x", &length));
    CHECK_INT(wasm_runtime_get_import_count(NULL), -1);
    CHECK_INT(wasm_runtime_get_export_count(NULL), -1);
    wasm_runtime_get_import_type(NULL, 0, &import);
    wasm_runtime_get_export_type(NULL, 0, &export);
    CHECK(!import.name && !export.name);
    wasm_runtime_get_import_type(NULL, 0, NULL);
    wasm_runtime_get_export_type(NULL, 0, NULL);
    CHECK_INT(wasm_func_type_get_param_count(NULL), 0);
    CHECK_INT(wasm_func_type_get_param_valkind(NULL, 0), 255);
    CHECK_INT(wasm_func_type_get_result_count(NULL), 0);
    CHECK_INT(wasm_func_type_get_result_valkind(NULL, 0), 255);
    CHECK_INT(wasm_global_type_get_valkind(NULL), 255);
    CHECK(!wasm_global_type_get_mutable(NULL));
    CHECK(!wasm_memory_type_get_shared(NULL));
    CHECK_INT(wasm_memory_type_get_init_page_count(NULL), 0);
    CHECK_INT(wasm_memory_type_get_max_page_count(NULL), 0);
    CHECK_INT(wasm_table_type_get_elem_kind(NULL), 255);
    CHECK(!wasm_table_type_get_shared(NULL));
    CHECK_INT(wasm_table_type_get_init_size(NULL), 0);
    CHECK_INT(wasm_table_type_get_max_size(NULL), 0);
    wasm_runtime_set_wasi_args(NULL, NULL, 0, NULL, 0, NULL, 0, NULL, 0);
    wasm_runtime_set_wasi_addr_pool(NULL, NULL, 0);
    wasm_runtime_set_wasi_ns_lookup_pool(NULL, NULL, 0);

    error[0] = 0;
    CHECK(!wasm_runtime_instantiate(NULL, 0, 0, error, sizeof error));
    CHECK_STR(error, "Instantiate module failed, invalid module type");
    CHECK(!wasm_runtime_instantiate_ex(NULL, NULL, NULL, 0));
    CHECK(!wasm_runtime_instantiate_ex2(NULL, NULL, NULL, 0));
    CHECK(!wasm_runtime_instantiation_args_create(NULL));
    wasm_runtime_instantiation_args_set_default_stack_size(NULL, 1);
    wasm_runtime_instantiation_args_set_custom_data(NULL, &x);
    wasm_runtime_instantiation_args_set_wasi_arg(NULL, NULL, 0);
    wasm_runtime_deinstantiate(NULL);
    CHECK(!wasm_runtime_get_module(NULL));
    CHECK(!wasm_runtime_set_running_mode(NULL, Mode_Interp));
    CHECK_INT(wasm_runtime_get_running_mode(NULL), 0);
    CHECK(!wasm_runtime_is_wasi_mode(NULL));
    CHECK(!wasm_runtime_lookup_wasi_start_function(NULL));
    CHECK_INT(wasm_runtime_get_wasi_exit_code(NULL), 0);
    CHECK(!wasm_runtime_lookup_function(NULL, "x"));
    CHECK(!wasm_runtime_get_exception(NULL));
    wasm_runtime_set_exception(NULL, "x");
    wasm_runtime_clear_exception(NULL);
    wasm_runtime_terminate(NULL);
    wasm_runtime_set_custom_data(NULL, &x);
    CHECK(!wasm_runtime_get_custom_data(NULL));
    CHECK(!wasm_application_execute_main(NULL, 0, NULL));
    CHECK(!wasm_application_execute_func(NULL, "x", 0, NULL));

    CHECK(!wasm_runtime_create_exec_env(NULL, 8192));
    wasm_runtime_destroy_exec_env(NULL);
    CHECK(!wasm_runtime_get_exec_env_singleton(NULL));
    CHECK(!wasm_runtime_get_module_inst(NULL));
    wasm_runtime_set_module_inst(NULL, NULL);
    wasm_runtime_set_user_data(NULL, &x);
    CHECK(!wasm_runtime_get_user_data(NULL));
    CHECK(!wasm_runtime_get_function_attachment(NULL));
    wasm_runtime_set_native_stack_boundary(NULL, NULL);
    wasm_runtime_set_instruction_count_limit(NULL, 1);
    CHECK(!wasm_runtime_detect_native_stack_overflow(NULL));
    CHECK(!wasm_runtime_call_wasm(NULL, NULL, 0, NULL));
    CHECK(!wasm_runtime_call_wasm_a(NULL, NULL, 0, NULL, 0, NULL));
    CHECK(!wasm_runtime_call_wasm_v(NULL, NULL, 0, &value, 0));
    CHECK(!wasm_runtime_call_indirect(NULL, 0, 0, argv));
    CHECK_INT(wasm_func_get_param_count(NULL, NULL), 0);
    CHECK_INT(wasm_func_get_result_count(NULL, NULL), 0);
    wasm_func_get_param_types(NULL, NULL, kinds);
    wasm_func_get_result_types(NULL, NULL, NULL);

    CHECK(!wasm_runtime_lookup_memory(NULL, "x"));
    CHECK(!wasm_runtime_get_default_memory(NULL));
    CHECK(!wasm_runtime_get_memory(NULL, 0));
    CHECK_INT(wasm_memory_get_cur_page_count(NULL), 0);
    CHECK_INT(wasm_memory_get_max_page_count(NULL), 0);
    CHECK_INT(wasm_memory_get_bytes_per_page(NULL), 0);
    CHECK(!wasm_memory_get_shared(NULL));
    CHECK(!wasm_memory_get_base_address(NULL));
    CHECK(!wasm_memory_enlarge(NULL, 1));
    CHECK(!wasm_runtime_enlarge_memory(NULL, 1));
    CHECK(!wasm_runtime_module_malloc(NULL, 1, NULL));
    wasm_runtime_module_free(NULL, 1);
    CHECK(!wasm_runtime_module_dup_data(NULL, "x", 1));
    CHECK(!wasm_runtime_validate_app_addr(NULL, 0, 1));
    CHECK(!wasm_runtime_validate_app_str_addr(NULL, 0));
    CHECK(!wasm_runtime_validate_native_addr(NULL, &x, 1));
    CHECK(!wasm_runtime_addr_app_to_native(NULL, 1));
    CHECK(!wasm_runtime_addr_native_to_app(NULL, &x));
    CHECK(!wasm_runtime_get_app_addr_range(NULL, 0, &first, &last));
    CHECK(!wasm_runtime_get_native_addr_range(NULL, NULL, &start, &end));
}

static void pointers_are_null(void) {
    wasm_module_t module = load_module("basic");
    wasm_module_inst_t inst = instantiate(module, 0, 0);
    wasm_exec_env_t env = wasm_runtime_create_exec_env(inst, 0);
    wasm_function_inst_t add = wasm_runtime_lookup_function(inst, "add");
    wasm_val_t value;

    memset(&value, 0, sizeof value);
    CHECK(!wasm_runtime_lookup_function(inst, NULL));
    CHECK(!wasm_runtime_call_wasm(env, NULL, 0, NULL));
    CHECK(wasm_runtime_get_exception(inst) != NULL);
    wasm_runtime_clear_exception(inst);
    CHECK(!wasm_runtime_call_wasm_a(env, add, 1, NULL, 2, &value));
    CHECK(!wasm_runtime_call_wasm_a(env, add, 1, &value, 2, NULL));
    CHECK(!wasm_runtime_call_wasm_a(env, NULL, 1, &value, 2, &value));
    wasm_runtime_clear_exception(inst);
    wasm_func_get_param_types(add, inst, NULL);
    CHECK(!wasm_runtime_module_dup_data(inst, NULL, 5));
    CHECK(!wasm_application_execute_func(inst, NULL, 0, NULL));
    CHECK(!wasm_application_execute_func(inst, "add", 2, NULL));
    wasm_runtime_clear_exception(inst);
    CHECK(!wasm_runtime_get_custom_section(module, NULL, NULL));
    CHECK(!wasm_runtime_get_custom_section(module, "none", NULL));
    CHECK(!wasm_runtime_instantiate_ex(module, NULL, NULL, 0));
    CHECK(!wasm_runtime_get_mem_alloc_info(NULL));
    CHECK(!wasm_runtime_is_import_func_linked(NULL, NULL));
    CHECK(!wasm_runtime_is_import_global_linked(NULL, NULL));
    CHECK(!wasm_runtime_unregister_natives(NULL, NULL));
    CHECK(!wasm_runtime_full_init(NULL));
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
}

static void without_context(void) {
    char error[128] = "";
    uint32_t size;
    uint8_t *bytes = read_module("basic", &size);

    CHECK(!wasm_runtime_load(bytes, size, error, sizeof error));
    CHECK_STR(error, "WASM module load failed: the runtime is not initialized");
    CHECK(!wasm_runtime_is_import_func_linked("env", "printf"));
    CHECK(!wasm_runtime_malloc(1));
    free(bytes);
}

static void run(void) {
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    without_context();
    handles_are_null();
    CHECK(wasm_runtime_init());
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    handles_are_null();
    pointers_are_null();
    wasm_runtime_destroy();
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    without_context();
    handles_are_null();
}
