/* n rounds over 4096 pairs of numbers: sums of products in four lanes, as a vectorising compiler
   would keep them, and a scaled sum that is written back. */
#include "vector.h"

#define LEN 4096

static float a[LEN], b[LEN];

#ifdef VECTORS
static NOINLINE void dot(float sums[4])
{
    v128_t low = wasm_f32x4_splat(0), high = wasm_f32x4_splat(0);
    for (uint32_t i = 0; i < LEN; i += 8) {
        v128_t x = wasm_f32x4_mul(wasm_v128_load(a + i), wasm_v128_load(b + i));
        v128_t y = wasm_f32x4_mul(wasm_v128_load(a + i + 4), wasm_v128_load(b + i + 4));
        low = wasm_f32x4_add(low, x);
        high = wasm_f32x4_add(high, y);
    }
    wasm_v128_store(sums, wasm_f32x4_add(low, high));
}

static NOINLINE void scale(float factor)
{
    v128_t factors = wasm_f32x4_splat(factor);
    for (uint32_t i = 0; i < LEN; i += 4) {
        v128_t x = wasm_f32x4_mul(wasm_v128_load(b + i), factors);
        wasm_v128_store(a + i, wasm_f32x4_add(x, wasm_v128_load(a + i)));
    }
}
#else
static NOINLINE void dot(float sums[4])
{
    float lanes[8] = {0};
    for (uint32_t i = 0; i < LEN; i += 8) {
        for (uint32_t lane = 0; lane < 8; lane++) {
            lanes[lane] += a[i + lane] * b[i + lane];
        }
    }
    for (uint32_t lane = 0; lane < 4; lane++) {
        sums[lane] = lanes[lane] + lanes[lane + 4];
    }
}

static NOINLINE void scale(float factor)
{
    for (uint32_t i = 0; i < LEN; i++) {
        a[i] = b[i] * factor + a[i];
    }
}
#endif

EXPORT int64_t run(int32_t n)
{
    uint64_t hash = HASH_SEED;
    uint32_t random = 521288629;
    for (uint32_t i = 0; i < LEN; i++) {
        a[i] = (float)(next_random(&random) >> 20) / 4096.0f;
        b[i] = (float)(next_random(&random) >> 20) / 4096.0f - 0.5f;
    }
    for (int32_t round = 0; round < n; round++) {
        float sums[4];
        uint32_t bits[4];
        dot(sums);
        __builtin_memcpy(bits, sums, sizeof bits);
        hash = hash_word(hash_word(hash, bits[0] ^ (uint64_t)bits[1] << 32), bits[2] ^ bits[3]);
        scale(round % 2 == 0 ? 0.25f : -0.25f);
    }
    return (int64_t)hash;
}
