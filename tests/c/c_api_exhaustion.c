/* The system's allocator fails at the n-th call, alone or from there on, for every n: each function
 * of wasm_c_api.h ends as an error that its caller sees, finalizers run, and nothing is left. The
 * program's own functions take the place of the allocator's. */

#include <malloc.h>
#include "c_api.h"
#include "failing_malloc.h"

static int environments;
static wasm_byte_vec_t binaries[2];
static const char *const names[2] = { "c_api_hostref", "c_api_trap" };

static void finalize(void *env) {
    (void)env;
    environments--;
}

static wasm_trap_t *same(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    (void)env;
    wasm_val_copy(&results->data[0], &args->data[0]);
    return NULL;
}

static wasm_trap_t *fail(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    wasm_name_t message;
    wasm_trap_t *trap;

    (void)args, (void)results;
    wasm_name_new_from_string_nt(&message, "no");
    trap = wasm_trap_new(env, &message);
    wasm_name_delete(&message);
    return trap;
}

static void look_at(wasm_trap_t *trap) {
    wasm_message_t message;
    wasm_frame_vec_t trace;

    wasm_trap_message(trap, &message);
    wasm_trap_trace(trap, &trace);
    wasm_frame_delete(wasm_trap_origin(trap));
    wasm_frame_vec_delete(&trace);
    wasm_byte_vec_delete(&message);
    wasm_trap_delete(trap);
}

static void items(wasm_store_t *in, wasm_extern_vec_t *exports) {
    wasm_foreign_t *foreign = wasm_foreign_new(in);
    wasm_val_t val = WASM_REF_VAL(wasm_foreign_as_ref(foreign)), result = WASM_INIT_VAL;
    wasm_val_vec_t args = { 1, &val, 1, sizeof val, NULL };
    wasm_val_vec_t results = { 1, &result, 1, sizeof val, NULL };
    wasm_limits_t limits = { 1, 4 };
    wasm_tabletype_t *type = wasm_tabletype_new(wasm_valtype_new_anyref(), &limits);
    wasm_table_t *table = wasm_table_new(in, type, wasm_foreign_as_ref(foreign));
    wasm_globaltype_t *kind = wasm_globaltype_new(wasm_valtype_new_anyref(), WASM_CONST);
    wasm_global_t *global = wasm_global_new(in, kind, &val);
    wasm_trap_t *trap;

    if (exports->num_elems > 7) {
        trap = wasm_func_call(wasm_extern_as_func(exports->data[7]), &args, &results);
        /* Without a trap there is a result. */
        CHECK(trap || !foreign || wasm_ref_same(result.of.ref, wasm_foreign_as_ref(foreign)));
        wasm_val_delete(&result);
        look_at(trap);
    }
    wasm_table_grow(table, 1, wasm_foreign_as_ref(foreign));
    wasm_ref_delete(wasm_table_get(table, 0));
    wasm_tabletype_delete(wasm_table_type(table));
    wasm_table_delete(table);
    wasm_tabletype_delete(type);
    wasm_global_get(global, &val);
    wasm_val_delete(&val);
    wasm_global_delete(global);
    wasm_globaltype_delete(kind);
    wasm_foreign_delete(foreign);
}

static void with_module(wasm_store_t *in, int which) {
    wasm_module_t *module = wasm_module_new(in, &binaries[which]), *again;
    wasm_shared_module_t *shared = wasm_module_share(module);
    wasm_functype_t *type = which ? wasm_functype_new_0_1(wasm_valtype_new_i32())
        : wasm_functype_new_1_1(wasm_valtype_new_anyref(), wasm_valtype_new_anyref());
    wasm_func_t *func;
    wasm_extern_t *given[1];
    wasm_extern_vec_t imports = WASM_ARRAY_VEC(given), exports;
    wasm_importtype_vec_t types;
    wasm_byte_vec_t bytes;
    wasm_trap_t *trap = NULL;
    wasm_instance_t *instance;

    environments++;
    func = wasm_func_new_with_env(in, type, which ? fail : same, in, finalize);
    given[0] = wasm_func_as_extern(func);
    instance = wasm_instance_new(in, module, &imports, &trap);
    CHECK(!module || !in || !instance == !!trap);
    CHECK(instance || fails_at);
    look_at(trap);
    wasm_instance_exports(instance, &exports);
    if (which && exports.num_elems > 2) {
        trap = wasm_func_call(wasm_extern_as_func(exports.data[2]), NULL, NULL);
        CHECK(trap != NULL);
        look_at(trap);
    }
    if (!which)
        items(in, &exports);
    wasm_module_imports(module, &types);
    wasm_module_serialize(module, &bytes);
    again = wasm_module_deserialize(in, &bytes);
    wasm_module_delete(again);
    again = wasm_module_obtain(in, shared);
    wasm_module_delete(again);
    wasm_byte_vec_delete(&bytes);
    wasm_importtype_vec_delete(&types);
    wasm_extern_vec_delete(&exports);
    wasm_instance_delete(instance);
    wasm_func_delete(func);
    wasm_functype_delete(type);
    wasm_shared_module_delete(shared);
    wasm_module_delete(module);
}

static size_t in_use(void) {
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static void once(long at, bool on);

/* Whether each round of a case leaves something. Chunks of the allocator's differ a little in size,
 * so that a block that is kept on purpose may seem to have grown, but not again and again. */
static bool leaks(long at) {
    enum { ROUNDS = 8, CHUNK_MIN = 16 };
    size_t before = in_use();
    int i;

    for (i = 0; i < ROUNDS; i++) {
        once(at, false);
        once(at, true);
    }
    return in_use() >= before + ROUNDS * CHUNK_MIN;
}

static void once(long at, bool on) {
    wasm_engine_t *own;
    wasm_store_t *in;

    calls = 0;
    fails_at = at;
    fails_on = on;
    armed = true;
    own = wasm_engine_new();
    in = wasm_store_new(own);
    with_module(in, 0);
    with_module(in, 1);
    wasm_store_delete(in);
    wasm_engine_delete(own);
    armed = false;
    CHECK_INT(environments, 0);
}

static void run(void) {
    long n, total;
    size_t before;
    int i;

    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    for (i = 0; i < 2; i++)
        read_binary(names[i], &binaries[i]);
    for (i = 0; i < 3; i++)
        once(0, false);
    total = calls;
    CHECK(total > 100);
    before = in_use();
    for (n = 1; n <= total && !failed_checks; n++) {
        once(n, false);
        once(n, true);
        if (in_use() > before && leaks(n)) {
            printf("something is left after case %ld\n", n);
            failed_checks++;
        }
        before = in_use();
    }
    /* And everything works again. */
    once(0, false);
    CHECK_INT(calls, total);
    for (i = 0; i < 2; i++)
        wasm_byte_vec_delete(&binaries[i]);
}
