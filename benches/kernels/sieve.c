/* Sieve of Eratosthenes, n rounds: byte stores with a stride, short predictable loops. */
#include "kernel.h"

#define LIMIT 200000

static uint8_t composite[LIMIT + 1];

static void sieve(uint32_t first)
{
    for (uint32_t i = 0; i <= LIMIT; i++) {
        composite[i] = 0;
    }
    for (uint32_t i = first; i * i <= LIMIT; i++) {
        if (!composite[i]) {
            for (uint32_t j = i * i; j <= LIMIT; j += i) {
                composite[j] = 1;
            }
        }
    }
}

EXPORT int64_t run(int32_t n)
{
    uint64_t hash = HASH_SEED;
    for (int32_t round = 0; round < n; round++) {
        uint32_t count = 0;
        uint64_t sum = 0;
        /* Every fourth round leaves 2 out, so that no two rounds can be merged into one. */
        sieve(round % 4 == 3 ? 3 : 2);
        for (uint32_t i = 2; i <= LIMIT; i++) {
            if (!composite[i]) {
                count++;
                sum += i;
            }
        }
        hash = hash_word(hash_word(hash, count), sum);
    }
    return (int64_t)hash;
}
