/* n rounds of memory.copy and memory.fill, 16 bytes to 64 KB, apart and overlapping. */
#include "kernel.h"

#define AREA (256 * 1024)
#define CALLS_PER_ROUND 64

static uint8_t area[AREA];

/* Sizes are powers of two minus a little, so that small and large ones both take part. */
static uint32_t pick_size(uint32_t random)
{
    uint32_t size = 16u << (random % 13);
    return size - (random >> 28);
}

static NOINLINE void churn(uint32_t *random)
{
    for (int i = 0; i < CALLS_PER_ROUND; i++) {
        uint32_t size = pick_size(next_random(random));
        uint32_t from = next_random(random) % (AREA - size);
        uint32_t to = next_random(random) % (AREA - size);
        switch (i & 3) {
            case 0:
                __builtin_memset(area + to, (int)(*random >> 24), size);
                break;
            case 1:
                /* A short distance: source and destination overlap for all but tiny sizes. */
                to = from > 32 ? from - 32 : from + 32 > AREA - size ? from : from + 32;
                __builtin_memmove(area + to, area + from, size);
                break;
            default:
                __builtin_memmove(area + to, area + from, size);
                break;
        }
    }
}

EXPORT int64_t run(int32_t n)
{
    uint64_t hash = HASH_SEED;
    uint32_t random = 521288629;
    for (uint32_t i = 0; i < AREA; i++) {
        area[i] = (uint8_t)next_random(&random);
    }
    for (int32_t round = 0; round < n; round++) {
        churn(&random);
        hash = hash_bytes(hash, area + next_random(&random) % (AREA - 16), 16);
    }
    for (uint32_t i = 0; i < AREA; i += 64) {
        hash = hash_word(hash, area[i]);
    }
    return (int64_t)hash;
}
