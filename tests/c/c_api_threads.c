/* A shared module on several threads: in stores of one engine, and in engines of their own; a
 * store that is made, used and deleted on three threads. */

#include <pthread.h>
#include "c_api.h"

enum { THREADS = 4, CALLS = 50 };

static wasm_shared_module_t *shared;

static wasm_trap_t *count(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    (void)args, (void)results;
    ++*(int *)env;
    return NULL;
}

static void work(wasm_store_t *in) {
    int i, counted = 0;
    wasm_module_t *module = wasm_module_obtain(in, shared);

    CHECK(module != NULL);
    for (i = 0; i < CALLS; i++) {
        wasm_functype_t *type = wasm_functype_new_0_0();
        wasm_func_t *func = wasm_func_new_with_env(in, type, count, &counted, NULL);
        wasm_extern_t *items[] = { wasm_func_as_extern(func) };
        wasm_extern_vec_t imports = WASM_ARRAY_VEC(items), exports;
        wasm_instance_t *instance = wasm_instance_new(in, module, &imports, NULL);

        wasm_functype_delete(type);
        wasm_instance_exports(instance, &exports);
        CHECK(!wasm_func_call(wasm_extern_as_func(exports.data[0]), NULL, NULL));
        wasm_extern_vec_delete(&exports);
        wasm_instance_delete(instance);
        wasm_func_delete(func);
    }
    wasm_module_delete(module);
    CHECK_INT(counted, CALLS);
}

static void *in_one_engine(void *unused) {
    wasm_store_t *own = wasm_store_new(engine);

    work(own);
    wasm_store_delete(own);
    return unused;
}

static void *in_own_engine(void *unused) {
    wasm_engine_t *own = wasm_engine_new();
    wasm_store_t *inside = wasm_store_new(own);

    CHECK(own && own != engine);
    work(inside);
    wasm_store_delete(inside);
    wasm_engine_delete(own);
    return unused;
}

static void *use_store(void *in) {
    work(in);
    return NULL;
}

static void *delete_store(void *in) {
    wasm_store_delete(in);
    return NULL;
}

static void *make_engine(void *unused) {
    (void)unused;
    return wasm_engine_new();
}

static void *on_thread(void *(*what)(void *), void *with) {
    pthread_t thread;
    void *answer;

    pthread_create(&thread, NULL, what, with);
    pthread_join(thread, &answer);
    return answer;
}

static void run(void) {
    pthread_t threads[2 * THREADS];
    wasm_module_t *module;
    wasm_store_t *moving;
    wasm_engine_t *foreign;
    int i;

    open_store();
    module = load_in(store, "c_api_hello");
    shared = wasm_module_share(module);
    wasm_module_delete(module);
    for (i = 0; i < 2 * THREADS; i++)
        pthread_create(&threads[i], NULL, i % 2 ? in_one_engine : in_own_engine, NULL);
    for (i = 0; i < 2 * THREADS; i++)
        pthread_join(threads[i], NULL);
    moving = wasm_store_new(engine);
    on_thread(use_store, moving);
    on_thread(delete_store, moving);
    /* An engine's thread may end before it. */
    foreign = on_thread(make_engine, NULL);
    if (foreign)
        wasm_engine_delete(foreign);
    wasm_shared_module_delete(shared);
    CHECK(!wasm_module_obtain(store, NULL) && !wasm_module_share(NULL));
    close_store();
}
