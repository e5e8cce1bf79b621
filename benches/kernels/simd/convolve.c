/* n rounds of a 3 by 3 blur of a grey image of 258 by 130 pixels, back and forth. */
#include "vector.h"

#define WIDTH 258
#define HEIGHT 130
#define STRIDE 272

static uint8_t images[2][HEIGHT][STRIDE];

#ifdef VECTORS
static inline v128_t row(const uint8_t *at)
{
    v128_t left = wasm_u16x8_load8x8(at - 1), mid = wasm_u16x8_load8x8(at);
    v128_t sides = wasm_i16x8_add(left, wasm_u16x8_load8x8(at + 1));
    return wasm_i16x8_add(sides, wasm_i16x8_shl(mid, 1));
}

static inline v128_t eight(const uint8_t *at)
{
    v128_t sides = wasm_i16x8_add(row(at - STRIDE), row(at + STRIDE));
    v128_t sum = wasm_i16x8_add(sides, wasm_i16x8_shl(row(at), 1));
    return wasm_u16x8_shr(wasm_i16x8_add(sum, wasm_i16x8_splat(8)), 4);
}

static NOINLINE void blur(uint8_t from[HEIGHT][STRIDE], uint8_t to[HEIGHT][STRIDE])
{
    for (uint32_t y = 1; y < HEIGHT - 1; y++) {
        for (uint32_t x = 1; x < WIDTH - 1; x += 16) {
            const uint8_t *at = from[y] + x;
            wasm_v128_store(to[y] + x, wasm_u8x16_narrow_i16x8(eight(at), eight(at + 8)));
        }
    }
}
#else
static inline uint32_t row(const uint8_t *at)
{
    return at[-1] + 2u * at[0] + at[1];
}

static NOINLINE void blur(uint8_t from[HEIGHT][STRIDE], uint8_t to[HEIGHT][STRIDE])
{
    for (uint32_t y = 1; y < HEIGHT - 1; y++) {
        for (uint32_t x = 1; x < WIDTH - 1; x++) {
            const uint8_t *at = from[y] + x;
            uint32_t sum = row(at - STRIDE) + 2 * row(at) + row(at + STRIDE);
            to[y][x] = (uint8_t)((sum + 8) >> 4);
        }
    }
}
#endif

EXPORT int64_t run(int32_t n)
{
    uint64_t hash = HASH_SEED;
    uint32_t random = 362436069;
    for (uint32_t y = 0; y < HEIGHT; y++) {
        for (uint32_t x = 0; x < WIDTH; x++) {
            images[0][y][x] = images[1][y][x] = (uint8_t)(next_random(&random) >> 9);
        }
    }
    for (int32_t round = 0; round < n; round++) {
        uint32_t y = 1 + (uint32_t)round % (HEIGHT - 2);
        images[round & 1][y][1 + (uint32_t)round * 7 % (WIDTH - 2)] ^= 0x55;
        blur(images[round & 1], images[~round & 1]);
        hash = hash_bytes(hash, images[~round & 1][y] + 1, 64);
    }
    return (int64_t)hash;
}
