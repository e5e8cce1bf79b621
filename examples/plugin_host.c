/*
 * A plugin host with two tenants in one process. Each has a context with memory, instructions and
 * time of its own, host functions of its own and a log of its own; the plugin is loaded once and
 * shared. One of the tenants misbehaves, and the other does not notice.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "wasm_runtime_ctx.h"

/* (module
 *   (import "host" "rate" (func (result i32)))
 *   (func (export "price") (param i32) (result i32) (i32.mul (local.get 0) (call 0)))
 *   (func (export "hang") (loop (br 0)))) */
static uint8_t plugin[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x0d, 0x03, 0x60, 0x00, 0x01, 0x7f,
    0x60, 0x01, 0x7f, 0x01, 0x7f, 0x60, 0x00, 0x00, 0x02, 0x0d, 0x01, 0x04, 0x68, 0x6f, 0x73,
    0x74, 0x04, 0x72, 0x61, 0x74, 0x65, 0x00, 0x00, 0x03, 0x03, 0x02, 0x01, 0x02, 0x07, 0x10,
    0x02, 0x05, 0x70, 0x72, 0x69, 0x63, 0x65, 0x00, 0x01, 0x04, 0x68, 0x61, 0x6e, 0x67, 0x00,
    0x02, 0x0a, 0x11, 0x02, 0x07, 0x00, 0x20, 0x00, 0x10, 0x00, 0x6c, 0x0b, 0x07, 0x00, 0x03,
    0x40, 0x0c, 0x00, 0x0b, 0x0b,
};

struct tenant {
    const char *name;
    int32_t rate;
    wasm_runtime_ctx_t ctx;
    NativeSymbol natives[1];
};

/* A plugin's query to the host: the answer depends on the plugin's owner. */
static int32_t rate(wasm_exec_env_t exec_env)
{
    struct tenant *tenant = wasm_runtime_get_function_attachment(exec_env);

    return tenant->rate;
}

static void log_line(uint32_t level, const char *text, void *user_data)
{
    struct tenant *tenant = user_data;

    printf("log of %s (%u): %s\n", tenant->name, (unsigned)level, text);
}

static int set_limit(struct tenant *tenant, uint32_t which, uint64_t value)
{
    wasm_runtime_ctx_limits_t limits;

    memset(&limits, 0, sizeof limits);
    limits.struct_size = sizeof limits;
    limits.set = which;
    limits.memory_bytes = limits.time_ms = value;
    return wasm_runtime_ctx_set_limits(tenant->ctx, &limits);
}

static int open_tenant(struct tenant *tenant)
{
    NativeSymbol natives[1] = { { "rate", (void *)rate, "()i", tenant } };
    RuntimeInitArgs args;

    memset(&args, 0, sizeof args);
    memcpy(tenant->natives, natives, sizeof natives);
    args.mem_alloc_type = Alloc_With_System_Allocator;
    args.native_module_name = "host";
    args.native_symbols = tenant->natives;
    args.n_native_symbols = 1;
    tenant->ctx = wasm_runtime_ctx_create(&args);
    return tenant->ctx && wasm_runtime_ctx_set_name(tenant->ctx, tenant->name)
           /* A thread that is in no context gets an error, not another tenant's. */
           && wasm_runtime_ctx_set_fallback(tenant->ctx, false)
           && wasm_runtime_ctx_set_log_callback(tenant->ctx, log_line, tenant)
           && set_limit(tenant, WASM_RUNTIME_CTX_LIMIT_MEMORY, 1 << 20);
}

/* Calls one function of the tenant's plugin and prints the result. */
static int call(struct tenant *tenant, wasm_module_t module, const char *function, uint32_t argc)
{
    char error[128] = "";
    uint32_t argv[1] = { 7 };
    wasm_module_inst_t inst = wasm_runtime_instantiate(module, 8192, 0, error, sizeof error);
    wasm_exec_env_t env = inst ? wasm_runtime_create_exec_env(inst, 8192) : NULL;
    int ok = env
             && wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(inst, function), argc,
                                       argv);

    if (ok)
        printf("%s: %s -> %u\n", tenant->name, function, (unsigned)argv[0]);
    else
        printf("%s: %s: %s\n", tenant->name, function,
               inst ? wasm_runtime_get_exception(inst) : error);
    if (env)
        wasm_runtime_destroy_exec_env(env);
    if (inst)
        wasm_runtime_deinstantiate(inst);
    return ok;
}

static bool show(wasm_runtime_ctx_t ctx, void *user_data)
{
    wasm_runtime_ctx_stats_t stats;
    char name[32];

    (void)user_data;
    stats.struct_size = sizeof stats;
    wasm_runtime_ctx_get_name(ctx, name, sizeof name);
    if (wasm_runtime_ctx_stats(ctx, &stats))
        printf("%s: %" PRIu64 " calls, %" PRIu64 " failed\n", name, stats.calls, stats.traps);
    return true;
}

int main(void)
{
    struct tenant alice = { .name = "alice", .rate = 3 }, bob = { .name = "bob", .rate = 5 };
    wasm_module_t in_alice, in_bob;
    char error[128] = "";
    int ok;

    if (!open_tenant(&alice) || !open_tenant(&bob))
        return 1;
    /* Loaded once, in alice's context; bob gets the same code, bound to his host functions. */
    wasm_runtime_ctx_push(alice.ctx);
    in_alice = wasm_runtime_load(plugin, sizeof plugin, error, sizeof error);
    wasm_runtime_ctx_pop(alice.ctx);
    in_bob = wasm_runtime_ctx_import_module(bob.ctx, in_alice, error, sizeof error);
    if (!in_alice || !in_bob) {
        printf("%s\n", error);
        return 1;
    }
    ok = call(&alice, in_alice, "price", 1) && call(&bob, in_bob, "price", 1);
    /* Alice's plugin hangs until her time is over. It does not matter to bob, who goes on with
       the code that was hers. */
    ok = ok && set_limit(&alice, WASM_RUNTIME_CTX_LIMIT_TIME, 100);
    ok = ok && !call(&alice, in_alice, "hang", 0) && !call(&alice, in_alice, "price", 1);
    wasm_runtime_ctx_foreach(show, NULL);
    wasm_runtime_unload(in_alice);
    ok = ok && wasm_runtime_ctx_destroy(alice.ctx);
    ok = ok && call(&bob, in_bob, "price", 1);
    wasm_runtime_unload(in_bob);
    ok = ok && wasm_runtime_ctx_destroy(bob.ctx);
    return ok ? 0 : 1;
}
