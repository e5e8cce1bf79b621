/*
 * Shared by all C test programs: checks that count, files, and a context.
 *
 * A program gets the folder of compiled modules as its first argument, prints nothing but tested
 * output when all is well, and exits with 0 if no check failed. Log lines of the
 * runtime go to stdout as well; the test that runs the program compares them where they matter.
 */

#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "wasm_export.h"

static int failed_checks;
static const char *module_folder;

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            printf("%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
            __atomic_add_fetch(&failed_checks, 1, __ATOMIC_RELAXED); \
        } \
    } while (0)

#define CHECK_INT(got, want) \
    do { \
        long long got_ = (long long)(got), want_ = (long long)(want); \
        if (got_ != want_) { \
            printf("%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #got, got_, want_); \
            __atomic_add_fetch(&failed_checks, 1, __ATOMIC_RELAXED); \
        } \
    } while (0)

#define CHECK_STR(got, want) \
    do { \
        const char *got_ = (got); \
        if (!got_ || strcmp(got_, (want)) != 0) { \
            printf("%s:%d: %s is \"%s\", not \"%s\"\n", __FILE__, __LINE__, #got, \
                   got_ ? got_ : "(null)", (want)); \
            __atomic_add_fetch(&failed_checks, 1, __ATOMIC_RELAXED); \
        } \
    } while (0)

/* A program's own main; check_main below wraps it. */
static void run(void);

/* Reads FOLDER/name.wasm; the caller frees it. */
static inline uint8_t *read_module(const char *name, uint32_t *size) {
    char path[1024];
    FILE *file;
    uint8_t *bytes;
    long length;

    snprintf(path, sizeof path, "%s/%s.wasm", module_folder, name);
    file = fopen(path, "rb");
    if (!file) {
        printf("cannot open %s\n", path);
        exit(2);
    }
    fseek(file, 0, SEEK_END);
    length = ftell(file);
    rewind(file);
    bytes = malloc((size_t)length);
    if (!bytes || fread(bytes, 1, (size_t)length, file) != (size_t)length) {
        printf("cannot read %s\n", path);
        exit(2);
    }
    fclose(file);
    *size = (uint32_t)length;
    return bytes;
}

/* Loads FOLDER/name.wasm into the current context and frees the buffer at once. */
static inline wasm_module_t load_module(const char *name) {
    char error[128] = "";
    uint32_t size;
    uint8_t *bytes = read_module(name, &size);
    wasm_module_t module = wasm_runtime_load(bytes, size, error, sizeof error);

    if (!module) {
        printf("%s: %s\n", name, error);
        exit(2);
    }
    free(bytes);
    return module;
}

static inline wasm_module_inst_t instantiate(wasm_module_t module, uint32_t stack, uint32_t heap) {
    char error[128] = "";
    wasm_module_inst_t inst = wasm_runtime_instantiate(module, stack, heap, error, sizeof error);

    if (!inst) {
        printf("instantiate: %s\n", error);
        exit(2);
    }
    return inst;
}

static inline RuntimeInitArgs system_args(void) {
    RuntimeInitArgs args;

    memset(&args, 0, sizeof args);
    args.mem_alloc_type = Alloc_With_System_Allocator;
    return args;
}

/* Whether the program runs under a memory checker, which makes it slow. */
static inline bool is_watched(void) {
    const char *preloaded = getenv("LD_PRELOAD");

    return preloaded && strstr(preloaded, "vgpreload");
}

int main(int argc, char **argv) {
    if (argc < 2) {
        printf("usage: %s MODULE-FOLDER\n", argv[0]);
        return 2;
    }
    module_folder = argv[1];
    setvbuf(stdout, NULL, _IOLBF, 0);
    run();
    if (failed_checks) {
        printf("%d checks failed\n", failed_checks);
        return 1;
    }
    return 0;
}

#endif /* CHECK_H */
