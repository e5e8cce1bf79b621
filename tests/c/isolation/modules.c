/* Modules: their readers, and settings of theirs for later instances. */

#include <unistd.h>
#include "rows.h"

/* A reader for each side, which notes the requests and the buffers that were given back. */
struct library {
    const char *file;
    int read, given_back;
};

static struct library library_a = {"libx_a", 0, 0}, library_b = {"libx_b", 0, 0};

static bool read_library(struct library *library, const char *name, uint8_t **bytes,
                         uint32_t *size) {
    CHECK_STR(name, "libx");
    *bytes = read_module(library->file, size);
    library->read++;
    return true;
}

static bool read_a(package_type_t type, const char *name, uint8_t **bytes, uint32_t *size) {
    (void)type;
    return read_library(&library_a, name, bytes, size);
}

static bool read_b(package_type_t type, const char *name, uint8_t **bytes, uint32_t *size) {
    (void)type;
    return read_library(&library_b, name, bytes, size);
}

static void give_back_a(uint8_t *bytes, uint32_t size) {
    (void)size;
    library_a.given_back++;
    free(bytes);
}

static void give_back_b(uint8_t *bytes, uint32_t size) {
    (void)size;
    library_b.given_back++;
    free(bytes);
}

static void ask(uint32_t answer) {
    struct guest guest = start_guest("importer");

    CHECK_INT(call(&guest, "ask", 0, 0, 0), answer);
    end_guest(&guest);
}

static void reading_a(void) {
    quiet_init(NULL);
    wasm_runtime_set_module_reader(read_a, give_back_a);
    ask('A');
    meet();
    meet();
    wasm_runtime_destroy();
    CHECK_INT(library_a.read, library_a.given_back);
}

/* B's imports are unbound while only A has a reader, and then bound to its own reader's module. */
static void reading_b(void) {
    struct guest guest;
    int before;

    quiet_init(NULL);
    meet();
    before = library_a.read;
    guest = start_guest("importer");
    CHECK(!wasm_runtime_call_wasm(guest.env, wasm_runtime_lookup_function(guest.inst, "ask"), 0,
                                  NULL));
    end_guest(&guest);
    CHECK_INT(library_a.read, before);
    wasm_runtime_set_module_reader(read_b, give_back_b);
    ask('B');
    CHECK_INT(library_a.read, before);
    meet();
    wasm_runtime_destroy();
    CHECK_INT(library_b.read, library_b.given_back);
}

static void reader(void) {
    sides(rounds(), reading_a, reading_b);
    CHECK(library_a.read > 0 && library_b.read > 0);
}

static wasm_module_t find_library(void) {
    return wasm_runtime_find_module_registered("libx");
}

static void registering(const char *file, uint32_t answer) {
    char error[128] = "";
    wasm_module_t module;

    quiet_init(NULL);
    CHECK(!find_library());
    module = load_module(file);
    meet();
    CHECK(wasm_runtime_register_module("libx", module, error, sizeof error));
    CHECK(find_library() == module);
    meet();
    CHECK(find_library() == module);
    ask(answer);
    wasm_runtime_destroy();
    /* The other side may still have its own, and this one has none. */
    quiet_init(NULL);
    CHECK(!find_library());
    wasm_runtime_destroy();
}

static void registering_a(void) {
    registering("libx_a", 'A');
}

static void registering_b(void) {
    registering("libx_b", 'B');
}

static void registered_modules(void) {
    sides(rounds(), registering_a, registering_b);
}

/* Both sides are in the middle of loading the same name at the same time. */
static bool read_slowly_a(package_type_t type, const char *name, uint8_t **bytes, uint32_t *size) {
    meet();
    meet();
    return read_a(type, name, bytes, size);
}

static bool read_slowly_b(package_type_t type, const char *name, uint8_t **bytes, uint32_t *size) {
    meet();
    meet();
    return read_b(type, name, bytes, size);
}

static void loading_a(void) {
    quiet_init(NULL);
    wasm_runtime_set_module_reader(read_slowly_a, give_back_a);
    ask('A');
    wasm_runtime_destroy();
}

static void loading_b(void) {
    quiet_init(NULL);
    wasm_runtime_set_module_reader(read_slowly_b, give_back_b);
    ask('B');
    wasm_runtime_destroy();
}

static void modules_being_loaded(void) {
    sides(rounds(), loading_a, loading_b);
}

/* Two sides instantiate one module, each with arguments of its own. */
static wasm_module_t shared_module;

static void expect_output(int from, const char *text) {
    char buffer[64];
    ssize_t length = read(from, buffer, sizeof buffer - 1);

    buffer[length > 0 ? length : 0] = 0;
    CHECK_STR(buffer, text);
}

static void run_with(const char *name, const char *output) {
    struct InstantiationArgs2 *args = NULL;
    char error[128] = "";
    char *argv[] = {(char *)name};
    wasm_module_inst_t inst;
    int ends[2];

    CHECK(pipe(ends) == 0);
    CHECK(wasm_runtime_instantiation_args_create(&args));
    wasm_runtime_instantiation_args_set_default_stack_size(args, 8192);
    wasm_runtime_instantiation_args_set_wasi_arg(args, argv, 1);
    wasm_runtime_instantiation_args_set_wasi_stdio(args, -1, ends[1], -1);
    inst = wasm_runtime_instantiate_ex2(shared_module, args, error, sizeof error);
    CHECK_STR(error, "");
    wasm_runtime_instantiation_args_destroy(args);
    CHECK(wasm_application_execute_main(inst, 0, NULL));
    expect_output(ends[0], output);
    wasm_runtime_deinstantiate(inst);
    close(ends[0]);
    close(ends[1]);
}

static void arguments_a(void) {
    run_with("A", "A\n");
}

static void arguments_b(void) {
    run_with("B", "B\n");
}

/* The older call sets them on the module, whole or not at all: no reader sees half of each. */
static void set_on_module(const char *first, const char *second) {
    char *argv[] = {(char *)first, (char *)second};

    wasm_runtime_set_wasi_args(shared_module, NULL, 0, NULL, 0, NULL, 0, argv, 2);
    meet();
    meet();
}

static void setter_a(void) {
    set_on_module("A", "a");
}

static void setter_b(void) {
    set_on_module("B", "b");
}

static void wasi_arguments(void) {
    quiet_init(NULL);
    shared_module = load_module("args");
    sides(rounds(), arguments_a, arguments_b);
    sides(rounds(), setter_a, setter_b);
    wasm_runtime_unload(shared_module);
    wasm_runtime_destroy();
}

static void run(void) {
    row("module reader", reader);
    row("registered modules", registered_modules);
    row("modules being loaded", modules_being_loaded);
    row("wasi arguments", wasi_arguments);
}
