/* n calls through a table of 16 functions, picked by the value computed so far. */
#include "kernel.h"

typedef uint32_t (*step_function)(uint32_t x, uint32_t y);

static uint32_t step_add(uint32_t x, uint32_t y) { return x + y; }
static uint32_t step_sub(uint32_t x, uint32_t y) { return x - y; }
static uint32_t step_mul(uint32_t x, uint32_t y) { return x * (y | 1); }
static uint32_t step_xor(uint32_t x, uint32_t y) { return x ^ y; }
static uint32_t step_or(uint32_t x, uint32_t y) { return (x | y) + 0x9e3779b9; }
static uint32_t step_and(uint32_t x, uint32_t y) { return (x & y) + 0x7f4a7c15; }
static uint32_t step_shl(uint32_t x, uint32_t y) { return (x << (y & 7)) ^ y; }
static uint32_t step_shr(uint32_t x, uint32_t y) { return (x >> (y & 7)) + y; }
static uint32_t step_rotl(uint32_t x, uint32_t y) { return (x << 9 | x >> 23) + y; }
static uint32_t step_rotr(uint32_t x, uint32_t y) { return (x >> 5 | x << 27) ^ y; }
static uint32_t step_neg(uint32_t x, uint32_t y) { return y - x; }
static uint32_t step_not(uint32_t x, uint32_t y) { return ~x + y; }
static uint32_t step_swap(uint32_t x, uint32_t y) { return (x << 16 | x >> 16) - y; }
static uint32_t step_mix(uint32_t x, uint32_t y) { return x * 1664525 + y + 1013904223; }
static uint32_t step_min(uint32_t x, uint32_t y) { return (x < y ? x : y) + 0x85ebca6b; }
static uint32_t step_max(uint32_t x, uint32_t y) { return (x > y ? x : y) ^ 0xc2b2ae35; }

static const step_function steps[16] = {
    step_add,  step_sub,  step_mul, step_xor, step_or,   step_and, step_shl, step_shr,
    step_rotl, step_rotr, step_neg, step_not, step_swap, step_mix, step_min, step_max,
};

EXPORT int64_t run(int32_t n)
{
    uint32_t x = 0x12345678;
    uint64_t hash = HASH_SEED;
    for (int32_t i = 0; i < n; i++) {
        x = steps[(x ^ x >> 16) & 15](x, (uint32_t)i);
        if ((i & 1023) == 0) {
            hash = hash_word(hash, x);
        }
    }
    return (int64_t)hash_word(hash, x);
}
