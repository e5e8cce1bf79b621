/* A shared module in stores of several threads. */

#include <pthread.h>
#include "standard.h"

enum { THREADS = 4, TURNS = 20 };

static wasm_shared_module_t *shared;

static wasm_trap_t *count(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    (void)args, (void)results;
    ++*(int *)env;
    return NULL;
}

static void *work(void *answer) {
    wasm_store_t *own = wasm_store_new(engine);
    wasm_module_t *module = wasm_module_obtain(own, shared);
    wasm_val_vec_t none = WASM_EMPTY_VEC;
    int i;

    for (i = 0; i < TURNS; i++) {
        wasm_functype_t *type = wasm_functype_new_0_0();
        wasm_func_t *func = wasm_func_new_with_env(own, type, count, answer, NULL);
        wasm_extern_t *items[] = { wasm_func_as_extern(func) };
        wasm_extern_vec_t imports = WASM_ARRAY_VEC(items), exports;
        wasm_instance_t *instance = wasm_instance_new(own, module, &imports, NULL);

        wasm_functype_delete(type);
        wasm_instance_exports(instance, &exports);
        if (wasm_func_call(wasm_extern_as_func(exports.data[0]), &none, &none))
            printf("a trap\n");
        wasm_extern_vec_delete(&exports);
        wasm_instance_delete(instance);
        wasm_func_delete(func);
    }
    wasm_module_delete(module);
    wasm_store_delete(own);
    return NULL;
}

static void run(void) {
    wasm_module_t *module = load_in(store, "c_api_hello");
    pthread_t threads[THREADS];
    int counts[THREADS] = { 0 }, i;

    shared = wasm_module_share(module);
    wasm_module_delete(module);
    for (i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, &counts[i]);
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        printf("thread %d: %d calls\n", i, counts[i]);
    }
    wasm_shared_module_delete(shared);
}
