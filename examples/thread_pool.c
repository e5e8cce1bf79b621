/*
 * A pool of threads that run the jobs of many tenants: contexts belong to no thread, so whichever
 * thread is free takes the next job and enters its tenant's context for it.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include "wasm_runtime_ctx.h"

#define THREADS 3
#define TENANTS 5
#define JOBS 60

/* (module (global (mut i32) (i32.const 0))
 *   (func (export "add") (param i32) (result i32)
 *     (global.set 0 (i32.add (global.get 0) (local.get 0))) (global.get 0))) */
static uint8_t wasm[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x06, 0x01, 0x60, 0x01, 0x7f, 0x01,
    0x7f, 0x03, 0x02, 0x01, 0x00, 0x06, 0x06, 0x01, 0x7f, 0x01, 0x41, 0x00, 0x0b, 0x07, 0x07,
    0x01, 0x03, 0x61, 0x64, 0x64, 0x00, 0x00, 0x0a, 0x0d, 0x01, 0x0b, 0x00, 0x23, 0x00, 0x20,
    0x00, 0x6a, 0x24, 0x00, 0x23, 0x00, 0x0b,
};

struct tenant {
    /* One job of a tenant at a time; which thread runs it does not matter. */
    pthread_mutex_t lock;
    wasm_runtime_ctx_t ctx;
    wasm_module_t module;
    wasm_module_inst_t inst;
    wasm_exec_env_t env;
    uint32_t sum;
};

static struct tenant tenants[TENANTS];
static pthread_mutex_t queue = PTHREAD_MUTEX_INITIALIZER;
static int next_job, failures;

static int open_tenant(struct tenant *tenant)
{
    char error[128] = "";

    pthread_mutex_init(&tenant->lock, NULL);
    tenant->ctx = wasm_runtime_ctx_create(NULL);
    if (!tenant->ctx || !wasm_runtime_ctx_push(tenant->ctx))
        return 0;
    /* Calls without a handle, such as loading, act on the context that was entered. */
    tenant->module = wasm_runtime_load(wasm, sizeof wasm, error, sizeof error);
    wasm_runtime_ctx_pop(tenant->ctx);
    if (tenant->module)
        tenant->inst = wasm_runtime_instantiate(tenant->module, 8192, 0, error, sizeof error);
    if (tenant->inst)
        tenant->env = wasm_runtime_create_exec_env(tenant->inst, 8192);
    if (!tenant->env)
        printf("%s\n", error);
    return tenant->env != NULL;
}

/* One job: a block of the tenant's memory, and a call. */
static int run_job(struct tenant *tenant, int job)
{
    uint32_t argv[1] = { (uint32_t)job };
    void *scratch;
    int ok;

    if (!wasm_runtime_ctx_push(tenant->ctx))
        return 0;
    scratch = wasm_runtime_malloc(1000);
    ok = scratch
         && wasm_runtime_call_wasm(tenant->env, wasm_runtime_lookup_function(tenant->inst, "add"),
                                   1, argv);
    tenant->sum = argv[0];
    wasm_runtime_free(scratch);
    return wasm_runtime_ctx_pop(tenant->ctx) && ok;
}

static void *thread_main(void *data)
{
    (void)data;
    for (;;) {
        struct tenant *tenant;
        int job, ok;

        pthread_mutex_lock(&queue);
        job = next_job++;
        pthread_mutex_unlock(&queue);
        if (job >= JOBS)
            return NULL;
        tenant = &tenants[job % TENANTS];
        pthread_mutex_lock(&tenant->lock);
        ok = run_job(tenant, job);
        pthread_mutex_unlock(&tenant->lock);
        if (!ok) {
            pthread_mutex_lock(&queue);
            failures++;
            pthread_mutex_unlock(&queue);
        }
    }
}

int main(void)
{
    pthread_t threads[THREADS];
    int i, job;

    for (i = 0; i < TENANTS; i++) {
        if (!open_tenant(&tenants[i]))
            return 1;
    }
    for (i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, thread_main, NULL);
    for (i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (i = 0; i < TENANTS; i++) {
        struct tenant *tenant = &tenants[i];
        uint32_t wanted = 0;

        for (job = i; job < JOBS; job += TENANTS)
            wanted += (uint32_t)job;
        printf("tenant %d: %u\n", i, (unsigned)tenant->sum);
        failures += tenant->sum != wanted;
        wasm_runtime_destroy_exec_env(tenant->env);
        wasm_runtime_deinstantiate(tenant->inst);
        wasm_runtime_unload(tenant->module);
        failures += !wasm_runtime_ctx_destroy(tenant->ctx);
    }
    return failures ? 1 : 0;
}
