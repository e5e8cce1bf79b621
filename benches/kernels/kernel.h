/*
 * The common part of all kernels. A kernel is one C file without libc and imports that exports
 *
 *     int64_t run(int32_t n);
 *
 * where `n` scales the work and the result is a checksum of everything computed, so that neither
 * a compiler nor an engine can skip the work or get it wrong unnoticed. The same file compiled by
 * the host's C compiler (with native.c) gives the expected values; see build.sh.
 *
 * For that to hold a kernel may depend neither on the size of a pointer, nor on floating point
 * contraction, nor on anything the host provides.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stddef.h>
#include <stdint.h>

#if defined(__wasm__)
#define EXPORT __attribute__((export_name("run")))
#else
#define EXPORT
#endif

#define NOINLINE __attribute__((noinline))

int64_t run(int32_t n);

/* FNV-1a, one byte or one 64-bit word at a time: order-sensitive and cheap. */
#define HASH_SEED UINT64_C(0xcbf29ce484222325)
#define HASH_PRIME UINT64_C(0x100000001b3)

static inline uint64_t hash_word(uint64_t hash, uint64_t word)
{
    return (hash ^ word) * HASH_PRIME;
}

static inline uint64_t hash_bytes(uint64_t hash, const uint8_t *bytes, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        hash = hash_word(hash, bytes[i]);
    }
    return hash;
}

static inline uint64_t bits_of_f64(double value)
{
    uint64_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* xorshift32: the inputs must be the same on every machine. The state must not be zero. */
static inline uint32_t next_random(uint32_t *state)
{
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    *state = x;
    return x;
}

static inline int32_t clamp(int32_t n, int32_t low, int32_t high)
{
    return n < low ? low : n > high ? high : n;
}

#endif
