/* The allocator of a program whose calls can be made to fail. It takes the place of the C
   library's, for the libraries that the program is linked with and for the C library itself. */

#ifndef FAILING_MALLOC_H
#define FAILING_MALLOC_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *ptr, size_t size);
void *__libc_memalign(size_t align, size_t size);

/* Calls are counted, and failed, while this is set. */
static bool armed;
static long calls, fails_at;
static bool fails_on;

static bool fails(void) {
    long call;

    if (!__atomic_load_n(&armed, __ATOMIC_RELAXED)) {
        return false;
    }
    call = __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
    if (fails_at && (call == fails_at || (fails_on && call > fails_at))) {
        errno = ENOMEM;
        return true;
    }
    return false;
}

void *malloc(size_t size) {
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *ptr, size_t size) {
    return fails() ? NULL : __libc_realloc(ptr, size);
}

void *memalign(size_t align, size_t size) {
    return fails() ? NULL : __libc_memalign(align, size);
}

void *aligned_alloc(size_t align, size_t size) {
    return memalign(align, size);
}

int posix_memalign(void **out, size_t align, size_t size) {
    void *block = memalign(align, size);

    if (!block) {
        return ENOMEM;
    }
    *out = block;
    return 0;
}

#endif /* FAILING_MALLOC_H */
