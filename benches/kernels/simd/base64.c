/* n rounds of base64 over 12 KB, encoded: 12 bytes become 16 letters at a time. */
#include "vector.h"

#define PLAIN_LEN (12 * 1024)
#define TEXT_LEN (PLAIN_LEN / 3 * 4)

/* A vector is read of which the last four bytes are not used. */
static uint8_t plain[PLAIN_LEN + 4];
static uint8_t text[TEXT_LEN];

#ifdef VECTORS
static NOINLINE void encode(void)
{
    /* The offsets to add to digits of each kind, by the kind's number. */
    v128_t shifts = wasm_i8x16_make('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                                    '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '+' - 62,
                                    '/' - 63, 'A', 0, 0);
    for (uint32_t i = 0, out = 0; i < PLAIN_LEN; i += 12, out += 16) {
        v128_t in = wasm_v128_load(plain + i);
        /* Each lane of 32 bits gets three bytes: the second, the first, the third, the second. */
        in = wasm_i8x16_shuffle(in, in, 1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
        v128_t first = wasm_v128_and(wasm_u32x4_shr(in, 10), wasm_i32x4_splat(0x3f));
        v128_t second = wasm_v128_and(wasm_i32x4_shl(in, 4), wasm_i32x4_splat(0x3f00));
        v128_t third = wasm_v128_and(wasm_u32x4_shr(in, 6), wasm_i32x4_splat(0x3f0000));
        v128_t fourth = wasm_v128_and(wasm_i32x4_shl(in, 8), wasm_i32x4_splat(0x3f000000));
        v128_t digits = wasm_v128_or(wasm_v128_or(first, second), wasm_v128_or(third, fourth));
        /* 0 for small letters, 1 to 10 for figures, 11, 12, and 13 for capital letters. */
        v128_t kind = wasm_u8x16_sub_sat(digits, wasm_i8x16_splat(51));
        v128_t is_capital = wasm_i8x16_lt(digits, wasm_i8x16_splat(26));
        kind = wasm_v128_or(kind, wasm_v128_and(is_capital, wasm_i8x16_splat(13)));
        wasm_v128_store(text + out, wasm_i8x16_add(digits, wasm_i8x16_swizzle(shifts, kind)));
    }
}
#else
static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static NOINLINE void encode(void)
{
    uint8_t *out = text;
    for (uint32_t i = 0; i < PLAIN_LEN; i += 3) {
        uint32_t bits = (uint32_t)plain[i] << 16 | (uint32_t)plain[i + 1] << 8 | plain[i + 2];
        *out++ = (uint8_t)letters[bits >> 18];
        *out++ = (uint8_t)letters[bits >> 12 & 63];
        *out++ = (uint8_t)letters[bits >> 6 & 63];
        *out++ = (uint8_t)letters[bits & 63];
    }
}
#endif

EXPORT int64_t run(int32_t n)
{
    uint64_t hash = HASH_SEED;
    uint32_t random = 88675123;
    for (uint32_t i = 0; i < PLAIN_LEN; i++) {
        plain[i] = (uint8_t)(next_random(&random) >> 8);
    }
    for (int32_t round = 0; round < n; round++) {
        uint32_t at = (uint32_t)round * 31 % (PLAIN_LEN - 64);
        plain[at] = (uint8_t)(plain[at] + round + 1);
        encode();
        hash = hash_bytes(hash, text + at, 64);
    }
    return (int64_t)hash;
}
