/* Modules compiled ahead: made, written, loaded, refused; errors are the thread's. */
#include "check.h"
#include "aot_export.h"
#include "wasm_runtime_ctx.h"
#include <pthread.h>

static void expect_last(const char *text) {
    CHECK_STR(aot_get_last_error(), text);
}

static void use(const uint8_t *bytes, uint32_t size) {
    uint8_t *copy = malloc(size);
    uint32_t argv[2] = { 20, 22 };
    char error[128] = "";
    wasm_module_t module;
    wasm_module_inst_t inst;
    wasm_exec_env_t env;

    memcpy(copy, bytes, size);
    CHECK_INT(wasm_runtime_get_file_package_type(copy, size), Wasm_Module_AoT);
    CHECK_INT(wasm_runtime_get_file_package_version(copy, size),
              wasm_runtime_get_current_package_version(Wasm_Module_AoT));
    CHECK(!wasm_runtime_is_xip_file(copy, size));
    module = wasm_runtime_load(copy, size, error, sizeof error);
    CHECK_STR(error, "");
    /* The buffer is the caller's. */
    memset(copy, 0xFF, size);
    free(copy);
    CHECK_INT(wasm_runtime_get_module_package_type(module), Wasm_Module_AoT);
    CHECK_INT(wasm_runtime_get_module_package_version(module), 6);
    inst = instantiate(module, 8192, 0);
    if (wasm_runtime_is_running_mode_supported(Mode_LLVM_JIT))
        CHECK_INT(wasm_runtime_get_running_mode(inst), Mode_LLVM_JIT);
    env = wasm_runtime_create_exec_env(inst, 8192);
    CHECK(wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "add"), 2, argv));
    CHECK_INT(argv[0], 42);
    argv[1] = 0;
    CHECK(!wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "divide"), 2, argv));
    CHECK_STR(wasm_runtime_get_exception(inst), "Exception: integer divide by zero");
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
}

/* Without its code, a file is the module in it. */
static void refused(uint8_t *bytes, uint32_t size) {
    bool tiers = wasm_runtime_is_running_mode_supported(Mode_Multi_Tier_JIT);
    RunningMode mode = tiers ? Mode_Multi_Tier_JIT : Mode_Interp;
    char error[128] = "";
    wasm_module_t module;
    wasm_module_inst_t inst;

    CHECK(!wasm_runtime_ctx_set_aot_refused(NULL, true));
    CHECK(wasm_runtime_ctx_set_aot_refused(wasm_runtime_ctx_current(), true));
    CHECK(wasm_runtime_set_default_running_mode(mode));
    module = wasm_runtime_load(bytes, size, error, sizeof error);
    CHECK_STR(error, "");
    CHECK_INT(wasm_runtime_get_module_package_type(module), Wasm_Module_AoT);
    inst = instantiate(module, 8192, 0);
    /* The code of the file would have another mode. */
    CHECK_INT(wasm_runtime_get_running_mode(inst), mode);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);
    CHECK(wasm_runtime_set_default_running_mode(0));
    CHECK(wasm_runtime_ctx_set_aot_refused(wasm_runtime_ctx_current(), false));
    use(bytes, size);
}

static AOTCompOption defaults(void) {
    AOTCompOption option = { .opt_level = 3, .size_level = 3, .output_format = AOT_FORMAT_FILE };

    aot_call_stack_features_init_default(&option.call_stack_features);
    CHECK(option.call_stack_features.values && !option.call_stack_features.frame_per_function);
    return option;
}

static void expect_refused(uint8_t *bytes, uint32_t size, const char *text) {
    char error[200] = "";

    CHECK(!wasm_runtime_load(bytes, size, error, sizeof error));
    CHECK_STR(error, text);
}

static void refusals(uint8_t *bytes, uint32_t size) {
    uint8_t upstream[64] = { 0, 'a', 'o', 't', 6, 0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0 };

    expect_refused(upstream, sizeof upstream,
                   "AOT module load failed: the file is another compiler's: compile the module "
                   "again with `iwasm compile` or `wamrc`");
    expect_refused(bytes, size - 1, "AOT module load failed: unexpected end");
    bytes[size / 2] ^= 1;
    expect_refused(bytes, size, "AOT module load failed: the file is damaged");
    bytes[size / 2] ^= 1;
}

static void *elsewhere(void *arg) {
    (void)arg;
    expect_last("");
    return NULL;
}

static void targets(aot_comp_data_t data) {
    AOTCompOption option = defaults();
    pthread_t thread;
    aot_comp_context_t compiler;

    option.target_arch = (char *)"bogus";
    CHECK(!aot_create_comp_context(data, &option));
    expect_last("Error: there is no code for the target \"bogus\"");
    pthread_create(&thread, NULL, elsewhere, NULL);
    pthread_join(thread, NULL);
    option.target_arch = (char *)"x86_64";
    option.target_abi = (char *)"msvc";
    CHECK(!aot_create_comp_context(data, &option));
    expect_last("Error: there is no code for the target ABI \"msvc\"");
    option.target_abi = (char *)"gnu";
    option.target_cpu = (char *)"z80";
    CHECK(!aot_create_comp_context(data, &option));
    expect_last("Error: there is no code for the CPU \"z80\"");
    option.target_cpu = (char *)"x86-64-v2";
    option.cpu_features = (char *)"-popcnt,+wings";
    CHECK(!aot_create_comp_context(data, &option));
    expect_last("Error: there is no code for the CPU feature \"+wings\"");
    option.cpu_features = (char *)"-popcnt";
    compiler = aot_create_comp_context(data, &option);
    CHECK(compiler && aot_compile_wasm(compiler));
    aot_destroy_comp_context(compiler);
    option.output_format = AOT_OBJECT_FILE;
    CHECK(!aot_create_comp_context(data, &option));
    expect_last("Error: AOT files are the only format that is made");
}

static void misuse(aot_comp_data_t data, aot_comp_context_t compiler) {
    AOTCompOption option = defaults();
    uint32_t size = 9;

    CHECK(!aot_create_comp_data(NULL, NULL, false));
    expect_last("Error: the module is NULL");
    CHECK(!aot_create_comp_context(NULL, &option) && !aot_create_comp_context(data, NULL));
    CHECK(!aot_compile_wasm(NULL) && !aot_obj_data_create(NULL));
    CHECK(!aot_emit_aot_file_buf(compiler, data, &size));
    expect_last("Error: the module is not compiled");
    CHECK(!aot_obj_data_create(compiler) && !aot_emit_aot_file(compiler, data, "nowhere"));
    CHECK(!aot_emit_aot_file_buf(NULL, data, &size));
    CHECK(!aot_get_aot_file_size(compiler, data, NULL));
    CHECK(!aot_emit_llvm_file(compiler, "f") && !aot_emit_object_file(compiler, "f"));
    CHECK(!create_dwarf_extractor(data, NULL));
    CHECK_INT(size, 9);
    aot_destroy_comp_data(NULL);
    aot_destroy_comp_context(NULL);
    aot_obj_data_destroy(NULL);
    aot_destroy_aot_file(NULL);
    aot_call_stack_features_init_default(NULL);
    CHECK_INT(aot_get_plt_table_size(), 0);
}

static void written(aot_comp_context_t compiler, aot_comp_data_t data) {
    char path[1024], nowhere[1100];
    uint32_t size;
    uint8_t *bytes;

    snprintf(path, sizeof path, "%s/written.wasm", module_folder);
    CHECK(aot_emit_aot_file(compiler, data, path));
    bytes = read_module("written", &size);
    use(bytes, size);
    free(bytes);
    snprintf(nowhere, sizeof nowhere, "%s/none/written.wasm", module_folder);
    CHECK(!aot_emit_aot_file(compiler, data, nowhere));
    expect_last("Error: open or create aot file failed.");
}

static void run(void) {
    AOTCompOption option = defaults();
    uint32_t size;
    uint8_t *bytes, *copy;
    wasm_module_t module;
    aot_comp_data_t data;
    aot_comp_context_t compiler;
    aot_obj_data_t object;

    expect_last("");
    CHECK(wasm_runtime_init() && aot_compiler_init());
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_ERROR);
    module = load_module("basic");
    data = aot_create_comp_data(module, NULL, false);
    compiler = aot_create_comp_context(data, &option);
    CHECK(data && compiler);
    misuse(data, compiler);
    targets(data);
    CHECK(aot_compile_wasm(compiler));
    bytes = aot_emit_aot_file_buf(compiler, data, &size);
    CHECK(bytes != NULL);
    use(bytes, size);
    refused(bytes, size);
    refusals(bytes, size);
    written(compiler, data);

    object = aot_obj_data_create(compiler);
    CHECK_INT(aot_get_aot_file_size(compiler, data, object), size);
    copy = malloc(size);
    CHECK(!aot_emit_aot_file_buf_ex(compiler, data, object, copy, size - 1));
    expect_last("Error: the buffer is too small");
    CHECK(aot_emit_aot_file_buf_ex(compiler, data, object, copy, size));
    CHECK(memcmp(copy, bytes, size) == 0);
    free(copy);
    aot_destroy_aot_file(bytes);
    /* The module may go first. */
    wasm_runtime_unload(module);
    aot_destroy_comp_data(data);
    aot_destroy_comp_context(compiler);
    CHECK_INT(aot_get_aot_file_size(NULL, NULL, object), size);
    aot_obj_data_destroy(object);
    aot_compiler_destroy();
    wasm_runtime_destroy();
}
