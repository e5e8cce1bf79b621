/* Host functions with and without an environment, called by a guest and by the host; an import of
 * the wrong type. */

#include "standard.h"

static wasm_trap_t *print(const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    printf("print: %d arguments, %d results\n", (int)args->size, (int)results->size);
    show_val("print", &args->data[0]);
    wasm_val_copy(&results->data[0], &args->data[0]);
    return NULL;
}

static wasm_trap_t *closure(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results) {
    printf("closure: %d arguments\n", (int)args->size);
    results->data[0] = i32(*(int32_t *)env);
    return NULL;
}

static void run(void) {
    int32_t number = 42;
    wasm_functype_t *type = wasm_functype_new_0_1(wasm_valtype_new_i32());
    wasm_func_t *first = host_func(
        wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32()), print);
    wasm_func_t *second = wasm_func_new_with_env(store, type, closure, &number, NULL);
    wasm_extern_t *good[] = { wasm_func_as_extern(first), wasm_func_as_extern(second) };
    wasm_extern_t *bad[] = { wasm_func_as_extern(first), wasm_func_as_extern(first) };
    struct exports exports;
    wasm_instance_t *instance;
    wasm_val_t five = i32(5);
    wasm_func_t *copy = wasm_func_copy(second);

    wasm_functype_delete(type);
    printf("arity: %d to %d\n", (int)wasm_func_param_arity(first),
           (int)wasm_func_result_arity(first));
    wasm_func_delete(copy);
    instance = make("c_api_callback", 2, good, &exports);
    CALL(&exports, "run", i32(3), i32(4));
    call_func("the host's own", first, 1, &five);
    end_exports(&exports);
    wasm_instance_delete(instance);
    make("c_api_callback", 2, bad, &exports);
    wasm_func_delete(first);
    wasm_func_delete(second);
}
