/* What keeps objects for the host, and what happens when nothing does: collections, finalizers,
 * heaps that are full, contexts that have nothing in common. */

#include <pthread.h>
#include "check.h"
#include "gc_export.h"

typedef struct World {
    wasm_module_t module;
    wasm_module_inst_t inst;
    wasm_exec_env_t env;
} World;

static void open_world(World *world) {
    world->module = load_module("gc");
    world->inst = instantiate(world->module, 0, 0);
    world->env = wasm_runtime_create_exec_env(world->inst, 16384);
}

static void close_world(World *world) {
    wasm_runtime_destroy_exec_env(world->env);
    wasm_runtime_deinstantiate(world->inst);
    wasm_runtime_unload(world->module);
}

static wasm_obj_t point(World *world, int32_t x) {
    wasm_struct_obj_t made = wasm_struct_obj_new_with_typeidx(world->env, 0);
    wasm_value_t value;

    value.i32 = x;
    wasm_struct_obj_set_field(made, 0, &value);
    return (wasm_obj_t)made;
}

static int32_t x_of(wasm_obj_t obj) {
    wasm_value_t value;

    wasm_struct_obj_get_field((wasm_struct_obj_t)obj, 0, false, &value);
    return value.i32;
}

/* Makes objects until everything was freed that nothing leads to. */
static void churn(World *world) {
    uint32_t argv[1] = {5000};

    CHECK(wasm_runtime_call_wasm(world->env, wasm_runtime_lookup_function(world->inst, "churn"), 1,
                                 argv));
}

static void churn_from_host(World *world) {
    int i;

    for (i = 0; i < 3000; i++) {
        CHECK(wasm_array_obj_new_with_typeidx(world->env, 3, 200, NULL) != NULL);
    }
}

static void local_references(World *world) {
    wasm_local_obj_ref_t first, second;
    wasm_obj_t loose = point(world, 1), kept = point(world, 2), also = point(world, 3);

    CHECK(!wasm_runtime_get_cur_local_obj_ref(world->env));
    first.val = loose;
    wasm_runtime_push_local_obj_ref(world->env, &first);
    CHECK(!first.val && wasm_runtime_get_cur_local_obj_ref(world->env) == &first);
    first.val = kept;
    wasm_runtime_push_local_obj_ref(world->env, &second);
    CHECK(second.prev == &first);
    wasm_runtime_push_local_obj_ref(world->env, &second);
    second.val = also;
    churn(world);
    churn_from_host(world);
    CHECK_INT(x_of(kept), 2);
    CHECK_INT(x_of(also), 3);
    CHECK_INT(x_of(loose), 0);
    CHECK(wasm_runtime_pop_local_obj_ref(world->env) == &second);
    CHECK(wasm_runtime_get_cur_local_obj_ref(world->env) == &first);
    churn(world);
    CHECK_INT(x_of(kept), 2);
    CHECK_INT(x_of(also), 0);
    wasm_runtime_push_local_obj_ref(world->env, &second);
    wasm_runtime_pop_local_obj_refs(world->env, 5);
    CHECK(!wasm_runtime_get_cur_local_obj_ref(world->env));
    CHECK(!wasm_runtime_pop_local_obj_ref(world->env));
    churn(world);
    CHECK_INT(x_of(kept), 0);
    wasm_runtime_push_local_obj_ref(world->env, NULL);
    wasm_runtime_push_local_obj_ref(NULL, &first);
    wasm_runtime_pop_local_obj_refs(NULL, 1);
}

static void pins(World *world) {
    wasm_obj_t kept = point(world, 4), integer = (wasm_obj_t)wasm_i31_obj_new(1);
    int host;
    wasm_anyref_obj_t any = wasm_anyref_obj_new(world->env, &host);

    CHECK(wasm_runtime_pin_object(world->env, kept));
    CHECK(wasm_runtime_pin_object(world->env, kept));
    CHECK(wasm_runtime_pin_object(world->env, (wasm_obj_t)any));
    CHECK(wasm_runtime_pin_object(world->env, integer));
    CHECK(wasm_runtime_unpin_object(world->env, kept));
    churn(world);
    CHECK_INT(x_of(kept), 4);
    CHECK(wasm_anyref_obj_get_value(any) == &host);
    CHECK(wasm_runtime_unpin_object(world->env, kept));
    CHECK(wasm_runtime_unpin_object(world->env, (wasm_obj_t)any));
    CHECK(!wasm_runtime_unpin_object(world->env, kept));
    CHECK(!wasm_runtime_unpin_object(world->env, (wasm_obj_t)any));
    churn(world);
    CHECK_INT(x_of(kept), 0);
    CHECK(!wasm_anyref_obj_get_value(any));
    CHECK(!wasm_runtime_pin_object(world->env, NULL) && !wasm_runtime_pin_object(NULL, kept));
    CHECK(!wasm_runtime_unpin_object(NULL, kept));
}

/* Objects that guests hold stay. References that the host has kept too long are recognised. */
static void guests(World *world) {
    wasm_obj_t kept = point(world, 5);
    uint32_t argv[4];

    memcpy(argv, &kept, sizeof kept);
    CHECK(wasm_runtime_call_wasm(world->env, wasm_runtime_lookup_function(world->inst, "keep"), 2,
                                 argv));
    churn(world);
    CHECK_INT(x_of(kept), 5);
    memset(argv, 0, sizeof argv);
    CHECK(wasm_runtime_call_wasm(world->env, wasm_runtime_lookup_function(world->inst, "keep"), 2,
                                 argv));
    churn(world);
    CHECK_INT(x_of(kept), 0);
    memcpy(argv, &kept, sizeof kept);
    CHECK(!wasm_runtime_call_wasm(world->env, wasm_runtime_lookup_function(world->inst, "keep"), 2,
                                  argv));
    wasm_runtime_clear_exception(world->inst);
}

typedef struct Ends {
    World *world;
    int count;
    int32_t sum;
    bool calls;
} Ends;

static void ended(const wasm_obj_t obj, void *data) {
    Ends *ends = data;
    uint32_t argv[2] = {1, 2};

    ends->count++;
    ends->sum += x_of(obj);
    if (ends->calls) {
        /* In the midst of guest code. */
        CHECK(!wasm_runtime_call_wasm(
            ends->world->env, wasm_runtime_lookup_function(ends->world->inst, "add"), 2, argv));
        wasm_runtime_clear_exception(ends->world->inst);
        CHECK(wasm_struct_obj_new_with_typeidx(ends->world->env, 0) != NULL);
    }
}

static void host_ended(const wasm_obj_t obj, void *data) {
    CHECK(wasm_anyref_obj_get_value((wasm_anyref_obj_t)obj) == data);
    *(int *)data += 1;
}

static void finalizers(World *world) {
    Ends ends = {world, 0, 0, false}, others = {world, 0, 0, true};
    wasm_obj_t objects[3] = {point(world, 10), point(world, 20), point(world, 40)};
    int host = 0;
    wasm_obj_t any = (wasm_obj_t)wasm_anyref_obj_new(world->env, &host);

    CHECK(wasm_obj_set_gc_finalizer(world->env, objects[0], ended, &others));
    CHECK(wasm_obj_set_gc_finalizer(world->env, objects[0], ended, &ends));
    CHECK(wasm_obj_set_gc_finalizer(world->env, objects[1], ended, &ends));
    wasm_obj_unset_gc_finalizer(world->env, objects[1]);
    wasm_obj_unset_gc_finalizer(world->env, objects[1]);
    CHECK(wasm_obj_set_gc_finalizer(world->env, objects[2], ended, &ends));
    CHECK(wasm_runtime_pin_object(world->env, objects[2]));
    CHECK(wasm_obj_set_gc_finalizer(world->env, any, host_ended, &host));
    churn(world);
    CHECK_INT(ends.count, 1);
    CHECK_INT(ends.sum, 10);
    CHECK_INT(host, 1);
    CHECK(wasm_runtime_unpin_object(world->env, objects[2]));
    churn_from_host(world);
    CHECK_INT(ends.sum, 50);
    CHECK_INT(others.count, 0);

    CHECK(wasm_obj_set_gc_finalizer(world->env, point(world, 1), ended, &others));
    churn(world);
    CHECK_INT(others.count, 1);
    CHECK(!wasm_obj_set_gc_finalizer(world->env, (wasm_obj_t)wasm_i31_obj_new(1), ended, &ends));
    CHECK(!wasm_obj_set_gc_finalizer(world->env, point(world, 1), NULL, &ends));
    CHECK(!wasm_obj_set_gc_finalizer(world->env, (wasm_obj_t)&ends, ended, &ends));
    CHECK(!wasm_obj_set_gc_finalizer(NULL, point(world, 1), ended, &ends));
    CHECK(!wasm_obj_set_gc_finalizer(world->env, NULL, ended, &ends));
    wasm_obj_unset_gc_finalizer(world->env, NULL);
    wasm_obj_unset_gc_finalizer(NULL, objects[0]);
}

static void grow_memory(const wasm_obj_t obj, void *data) {
    World *world = data;

    (void)obj;
    CHECK(wasm_runtime_enlarge_memory(world->inst, 1));
}

/* A finalizer grows the memory in the midst of guest code that uses it. */
static void *growing_memory(void *argument) {
    static char pool[4 << 20];
    RuntimeInitArgs args = system_args();
    uint32_t argv[1] = {20000};
    World world;

    args.mem_alloc_type = Alloc_With_Pool;
    args.mem_alloc_option.pool.heap_buf = pool;
    args.mem_alloc_option.pool.heap_size = sizeof pool;
    CHECK(wasm_runtime_full_init(&args));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    open_world(&world);
    CHECK(wasm_obj_set_gc_finalizer(world.env, point(&world, 1), grow_memory, &world));
    CHECK(wasm_runtime_call_wasm(
        world.env, wasm_runtime_lookup_function(world.inst, "make_and_store"), 1, argv));
    CHECK_INT(wasm_memory_get_cur_page_count(wasm_runtime_get_default_memory(world.inst)), 2);
    CHECK_INT(*(int32_t *)wasm_runtime_addr_app_to_native(world.inst, 65532), 1);
    /* The code that goes on behind the finalizer sees it, too. */
    CHECK_INT(*(int32_t *)wasm_runtime_addr_app_to_native(world.inst, 65528), 2);
    close_world(&world);
    wasm_runtime_destroy();
    return argument;
}

/* Objects that are still reachable end with their instance, and can be looked into meanwhile. */
static void ends_of_instances(void) {
    World world;
    Ends ends = {&world, 0, 0, false};

    open_world(&world);
    CHECK(wasm_obj_set_gc_finalizer(world.env, point(&world, 6), ended, &ends));
    close_world(&world);
    CHECK_INT(ends.count, 1);
    CHECK_INT(ends.sum, 6);
}

static void full(World *world) {
    wasm_local_obj_ref_t kept[64];
    int i, made = 0;

    for (i = 0; i < 64; i++) {
        wasm_array_obj_t array = wasm_array_obj_new_with_typeidx(world->env, 3, 8000, NULL);

        made += array != NULL;
        wasm_runtime_push_local_obj_ref(world->env, &kept[i]);
        kept[i].val = (wasm_obj_t)array;
    }
    CHECK(made > 8 && made < 17);
    CHECK(!wasm_runtime_get_exception(world->inst));
    wasm_runtime_pop_local_obj_refs(world->env, 64);
    CHECK(wasm_array_obj_new_with_typeidx(world->env, 3, 90000, NULL) != NULL);
}

static wasm_obj_t of_the_other;

/* Another context, whose objects have nothing to do with those of the main thread. */
static void *in_another_context(void *argument) {
    World *others = argument, world;
    RuntimeInitArgs args = system_args();
    wasm_obj_t own;
    int round;

    CHECK(wasm_runtime_full_init(&args));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    open_world(&world);
    for (round = 0; round < 20; round++) {
        own = point(&world, 8);
        CHECK_INT(x_of(own), 8);
        CHECK_INT(x_of(of_the_other), 0);
        CHECK(!wasm_obj_is_struct_obj(of_the_other));
        CHECK(!wasm_runtime_pin_object(world.env, of_the_other));
        CHECK(!wasm_obj_is_instance_of_type_idx(own, 0, others->module));
        CHECK_INT(wasm_obj_get_defined_type_idx(others->module, own), -1);
        churn(&world);
    }
    close_world(&world);
    wasm_runtime_destroy();
    return NULL;
}

static void isolation(World *world) {
    pthread_t threads[2];
    int i;

    of_the_other = point(world, 9);
    CHECK(wasm_runtime_pin_object(world->env, of_the_other));
    for (i = 0; i < 2; i++) {
        CHECK(!pthread_create(&threads[i], NULL, in_another_context, world));
    }
    churn(world);
    for (i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_INT(x_of(of_the_other), 9);
    CHECK(wasm_runtime_unpin_object(world->env, of_the_other));
}

static int allocations_left;

static void *failing_malloc(unsigned size) {
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void *failing_realloc(void *block, unsigned size) {
    return allocations_left-- > 0 ? realloc(block, size) : NULL;
}

/* Everything with the n-th allocation failing: errors, nothing worse, and then success. */
static bool all_with_failures(int allowed) {
    RuntimeInitArgs args = system_args();
    wasm_local_obj_ref_t local;
    wasm_obj_t made = NULL;
    World world = {NULL, NULL, NULL};
    Ends ends = {&world, 0, 0, false};
    char error[128];
    uint32_t size;
    uint8_t *bytes = read_module("gc", &size);
    bool ok = false;

    args.mem_alloc_type = Alloc_With_Allocator;
    args.mem_alloc_option.allocator.malloc_func = failing_malloc;
    args.mem_alloc_option.allocator.realloc_func = failing_realloc;
    args.mem_alloc_option.allocator.free_func = free;
    allocations_left = allowed;
    if (wasm_runtime_full_init(&args)) {
        wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
        world.module = wasm_runtime_load(bytes, size, error, sizeof error);
        if (world.module) {
            world.inst = wasm_runtime_instantiate(world.module, 0, 0, error, sizeof error);
        }
        if (world.inst) {
            world.env = wasm_runtime_create_exec_env(world.inst, 16384);
        }
        if (world.env) {
            wasm_runtime_push_local_obj_ref(world.env, &local);
            made = (wasm_obj_t)wasm_struct_obj_new_with_typeidx(world.env, 0);
            local.val = made;
            ok = made && wasm_runtime_pin_object(world.env, made)
                 && wasm_obj_set_gc_finalizer(world.env, made, ended, &ends)
                 && wasm_anyref_obj_new(world.env, &world)
                 && wasm_array_obj_new_with_typeidx(world.env, 3, 9000, NULL)
                 && wasm_runtime_call_wasm(
                     world.env, wasm_runtime_lookup_function(world.inst, "churn"), 1,
                     (uint32_t[]){50});
            wasm_runtime_destroy_exec_env(world.env);
        }
        if (world.inst) {
            wasm_runtime_deinstantiate(world.inst);
        }
        if (world.module) {
            wasm_runtime_unload(world.module);
        }
        wasm_runtime_destroy();
    }
    free(bytes);
    CHECK(!ok || ends.count == 1);
    return ok;
}

static void failures(void) {
    int allowed = 0;

    while (!all_with_failures(allowed) && allowed < 3000) {
        allowed += is_watched() ? 7 : 1;
    }
    CHECK(allowed > 20 && allowed < 3000);
}

static void run(void) {
    RuntimeInitArgs args = system_args();
    pthread_t thread;
    World world;

    failures();
    CHECK(wasm_runtime_full_init(&args));
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_FATAL);
    open_world(&world);
    local_references(&world);
    pins(&world);
    guests(&world);
    finalizers(&world);
    ends_of_instances();
    CHECK(!pthread_create(&thread, NULL, growing_memory, NULL));
    pthread_join(thread, NULL);
    full(&world);
    isolation(&world);
    close_world(&world);
    wasm_runtime_destroy();
}
