/* Modules in pieces. */
#include "check.h"

/* Cuts a binary into sections, whose bodies stay where they are. */
static wasm_section_t *cut(uint8_t *bytes, uint32_t size) {
    wasm_section_t *first = NULL, **end = &first;
    uint32_t at = 8;

    while (at < size) {
        wasm_section_t *section = calloc(1, sizeof *section);
        uint32_t shift = 0;

        section->section_type = bytes[at++];
        do
            section->section_body_size |= (uint32_t)(bytes[at] & 0x7F) << (7 * shift++);
        while (bytes[at++] & 0x80);
        section->section_body = bytes + at;
        at += section->section_body_size;
        *end = section;
        end = &section->next;
    }
    return first;
}

static void run(void) {
    char error[128] = "";
    uint32_t size, argv[2] = { 20, 22 };
    uint8_t *bytes = read_module("basic", &size);
    wasm_section_t *list = cut(bytes, size), *next, odd = { 0 };
    wasm_module_t module;
    wasm_module_inst_t inst;
    wasm_exec_env_t env;

    CHECK(!wasm_runtime_load_from_sections(list, false, error, sizeof error));
    CHECK_STR(error, "WASM module load failed: the runtime is not initialized");
    CHECK(wasm_runtime_init());
    CHECK(!wasm_runtime_load_from_sections(list, true, error, sizeof error));
    CHECK_STR(error, "WASM module load failed: invalid section list type");
    CHECK(!wasm_runtime_load_from_sections(list, true, NULL, 0));

    module = wasm_runtime_load_from_sections(list, false, error, sizeof error);
    CHECK(module != NULL);
    while (list) {
        next = list->next;
        free(list);
        list = next;
    }
    free(bytes);
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_ERROR);
    CHECK(wasm_runtime_is_underlying_binary_freeable(module));
    CHECK_STR(wasm_runtime_get_module_name(module), "");
    inst = instantiate(module, 8192, 0);
    env = wasm_runtime_create_exec_env(inst, 8192);
    CHECK(wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, "add"), 2, argv));
    CHECK_INT(argv[0], 42);
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(inst);
    wasm_runtime_unload(module);

    module = wasm_runtime_load_from_sections(NULL, false, error, sizeof error);
    CHECK(module && wasm_runtime_get_export_count(module) == 0);
    wasm_runtime_unload(module);

    odd.section_type = 99;
    CHECK(!wasm_runtime_load_from_sections(&odd, false, error, sizeof error));
    CHECK(strncmp(error, "WASM module load failed: ", 25) == 0);
    odd.section_type = -1;
    CHECK(!wasm_runtime_load_from_sections(&odd, false, error, sizeof error));
    odd.section_type = 1;
    odd.section_body_size = 1u << 30;
    CHECK(!wasm_runtime_load_from_sections(&odd, false, error, sizeof error));
    CHECK(!wasm_runtime_load_from_sections(&odd, false, NULL, 0));
    wasm_runtime_destroy();
}
