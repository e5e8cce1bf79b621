/* n rounds of the compression function of BLAKE3 on four chunks of 1 KB each, side by side. */
#include "vector.h"

#define CHUNK 1024
#define BLOCK 64

static const uint32_t iv[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                               0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/* Which word of the message each place of each round gets. */
static uint8_t schedule[7][16];

static uint32_t chunks[4][CHUNK / 4];
static uint32_t values[8][4];

static void make_schedule(void)
{
    static const uint8_t next[16] = {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8};
    for (uint32_t i = 0; i < 16; i++) {
        schedule[0][i] = (uint8_t)i;
    }
    for (uint32_t round = 1; round < 7; round++) {
        for (uint32_t i = 0; i < 16; i++) {
            schedule[round][i] = schedule[round - 1][next[i]];
        }
    }
}

#ifdef VECTORS
typedef v128_t word;
#define ADD(a, b) wasm_i32x4_add(a, b)
#define XOR(a, b) wasm_v128_xor(a, b)
#define ROTATE(a, bits) wasm_v128_or(wasm_u32x4_shr(a, bits), wasm_i32x4_shl(a, 32 - (bits)))
#define ROTATE_16(a) \
    wasm_i8x16_shuffle(a, a, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)
#define ROTATE_8(a) \
    wasm_i8x16_shuffle(a, a, 1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12)
#define SPLAT(value) wasm_u32x4_splat(value)
#define LANES 1

static inline word message(uint32_t lane, uint32_t at)
{
    (void)lane;
    return wasm_u32x4_make(chunks[0][at], chunks[1][at], chunks[2][at], chunks[3][at]);
}

static inline word value(uint32_t lane, uint32_t at)
{
    (void)lane;
    return wasm_v128_load(values[at]);
}

static inline void set_value(uint32_t lane, uint32_t at, word to)
{
    (void)lane;
    wasm_v128_store(values[at], to);
}
#else
typedef uint32_t word;
#define ADD(a, b) ((a) + (b))
#define XOR(a, b) ((a) ^ (b))
#define ROTATE(a, bits) ((a) >> (bits) | (a) << (32 - (bits)))
#define ROTATE_16(a) ROTATE(a, 16)
#define ROTATE_8(a) ROTATE(a, 8)
#define SPLAT(value) (value)
#define LANES 4

static inline word message(uint32_t lane, uint32_t at)
{
    return chunks[lane][at];
}

static inline word value(uint32_t lane, uint32_t at)
{
    return values[at][lane];
}

static inline void set_value(uint32_t lane, uint32_t at, word to)
{
    values[at][lane] = to;
}
#endif

#define MIX(a, b, c, d, x, y)                \
    do {                                     \
        v[a] = ADD(ADD(v[a], v[b]), x);      \
        v[d] = XOR(v[d], v[a]);              \
        v[d] = ROTATE_16(v[d]);              \
        v[c] = ADD(v[c], v[d]);              \
        v[b] = XOR(v[b], v[c]);              \
        v[b] = ROTATE(v[b], 12);             \
        v[a] = ADD(ADD(v[a], v[b]), y);      \
        v[d] = XOR(v[d], v[a]);              \
        v[d] = ROTATE_8(v[d]);               \
        v[c] = ADD(v[c], v[d]);              \
        v[b] = XOR(v[b], v[c]);              \
        v[b] = ROTATE(v[b], 7);              \
    } while (0)

static NOINLINE void compress(uint32_t lane, uint32_t block, uint32_t flags)
{
    word v[16], m[16];
    for (uint32_t i = 0; i < 16; i++) {
        m[i] = message(lane, block * (BLOCK / 4) + i);
    }
    for (uint32_t i = 0; i < 8; i++) {
        v[i] = value(lane, i);
    }
    for (uint32_t i = 0; i < 4; i++) {
        v[8 + i] = SPLAT(iv[i]);
    }
    v[12] = v[13] = SPLAT(0);
    v[14] = SPLAT(BLOCK);
    v[15] = SPLAT(flags);
    for (uint32_t round = 0; round < 7; round++) {
        const uint8_t *s = schedule[round];
        MIX(0, 4, 8, 12, m[s[0]], m[s[1]]);
        MIX(1, 5, 9, 13, m[s[2]], m[s[3]]);
        MIX(2, 6, 10, 14, m[s[4]], m[s[5]]);
        MIX(3, 7, 11, 15, m[s[6]], m[s[7]]);
        MIX(0, 5, 10, 15, m[s[8]], m[s[9]]);
        MIX(1, 6, 11, 12, m[s[10]], m[s[11]]);
        MIX(2, 7, 8, 13, m[s[12]], m[s[13]]);
        MIX(3, 4, 9, 14, m[s[14]], m[s[15]]);
    }
    for (uint32_t i = 0; i < 8; i++) {
        set_value(lane, i, XOR(v[i], v[i + 8]));
    }
}

EXPORT int64_t run(int32_t n)
{
    uint64_t hash = HASH_SEED;
    uint32_t random = 2463534242;
    make_schedule();
    for (uint32_t chunk = 0; chunk < 4; chunk++) {
        for (uint32_t i = 0; i < CHUNK / 4; i++) {
            chunks[chunk][i] = next_random(&random);
        }
    }
    for (int32_t round = 0; round < n; round++) {
        for (uint32_t i = 0; i < 8; i++) {
            for (uint32_t lane = 0; lane < 4; lane++) {
                values[i][lane] = iv[i];
            }
        }
        chunks[round & 3][round & 255] += (uint32_t)round;
        for (uint32_t block = 0; block < CHUNK / BLOCK; block++) {
            for (uint32_t lane = 0; lane < LANES; lane++) {
                compress(lane, block, block == 0 ? 1 : block == CHUNK / BLOCK - 1 ? 2 : 0);
            }
        }
        for (uint32_t lane = 0; lane < 4; lane++) {
            hash = hash_word(hash, values[0][lane] ^ (uint64_t)values[7][lane] << 32);
        }
    }
    return (int64_t)hash;
}
