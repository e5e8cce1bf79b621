/* n rounds of finding out whether 16 KB are UTF-8 (RFC 3629); in every second round they are not. */
#include "vector.h"

#define LEN (16 * 1024)

/* Sixteen bytes in front, as if there were text before. */
static uint8_t room[16 + LEN];
static uint8_t *const text = room + 16;

#ifdef VECTORS
/*
 * Errors, as bits. Each pair of neighbours is looked up three times, by the upper and lower half of
 * the first byte and by the upper half of the second; an error that all three allow is one. The
 * highest bit is "two continuations", which is right at the third and fourth byte of a character,
 * and there alone.
 */
enum {
    SHORT = 1 << 0,      /* a first byte, then no continuation */
    LONG = 1 << 1,       /* ASCII, then a continuation */
    OVER_3 = 1 << 2,     /* three bytes where two would do */
    SURROGATE = 1 << 4,  /* half of a pair of UTF-16 */
    OVER_2 = 1 << 5,     /* two bytes where one would do */
    LARGE = 1 << 3,      /* beyond U+10FFFF */
    OVER_4 = 1 << 6,     /* four bytes where three would do, or far beyond the end */
    TWO = 1 << 7,
    ALWAYS = SHORT | LONG | TWO,
};

static inline v128_t errors_in(v128_t now, v128_t before)
{
    const v128_t by_upper = wasm_u8x16_make(
        LONG, LONG, LONG, LONG, LONG, LONG, LONG, LONG, TWO, TWO, TWO, TWO, SHORT | OVER_2, SHORT,
        SHORT | OVER_3 | SURROGATE, SHORT | LARGE | OVER_4);
    const v128_t by_lower = wasm_u8x16_make(
        ALWAYS | OVER_3 | OVER_2 | OVER_4, ALWAYS | OVER_2, ALWAYS, ALWAYS, ALWAYS | LARGE,
        ALWAYS | LARGE | OVER_4, ALWAYS | LARGE | OVER_4, ALWAYS | LARGE | OVER_4,
        ALWAYS | LARGE | OVER_4, ALWAYS | LARGE | OVER_4, ALWAYS | LARGE | OVER_4,
        ALWAYS | LARGE | OVER_4, ALWAYS | LARGE | OVER_4,
        ALWAYS | LARGE | OVER_4 | SURROGATE, ALWAYS | LARGE | OVER_4, ALWAYS | LARGE | OVER_4);
    const v128_t by_next = wasm_u8x16_make(
        SHORT, SHORT, SHORT, SHORT, SHORT, SHORT, SHORT, SHORT,
        LONG | OVER_2 | TWO | OVER_3 | OVER_4, LONG | OVER_2 | TWO | OVER_3 | LARGE,
        LONG | OVER_2 | TWO | SURROGATE | LARGE, LONG | OVER_2 | TWO | SURROGATE | LARGE, SHORT,
        SHORT, SHORT, SHORT);
    v128_t first = wasm_i8x16_shuffle(before, now, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
                                      27, 28, 29, 30);
    v128_t second = wasm_i8x16_shuffle(before, now, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
                                       26, 27, 28, 29);
    v128_t third = wasm_i8x16_shuffle(before, now, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
                                      25, 26, 27, 28);
    v128_t upper = wasm_i8x16_swizzle(by_upper, wasm_u8x16_shr(first, 4));
    v128_t lower = wasm_i8x16_swizzle(
        by_lower, wasm_v128_and(first, wasm_u8x16_splat(15)));
    v128_t next = wasm_i8x16_swizzle(by_next, wasm_u8x16_shr(now, 4));
    v128_t found = wasm_v128_and(wasm_v128_and(upper, lower), next);
    /* Bytes that continue a character of three or of four must be the second of two. */
    v128_t of_3 = wasm_u8x16_sub_sat(second, wasm_u8x16_splat(0xe0 - 0x80));
    v128_t of_4 = wasm_u8x16_sub_sat(third, wasm_u8x16_splat(0xf0 - 0x80));
    v128_t must = wasm_v128_and(wasm_v128_or(of_3, of_4), wasm_u8x16_splat(0x80));
    return wasm_v128_xor(must, found);
}

static NOINLINE uint32_t is_valid(void)
{
    v128_t before = wasm_u8x16_splat(0), errors = before;
    for (uint32_t i = 0; i < LEN; i += 16) {
        v128_t now = wasm_v128_load(text + i);
        errors = wasm_v128_or(errors, errors_in(now, before));
        before = now;
    }
    /* Nothing may be missing at the end. */
    errors = wasm_v128_or(errors, errors_in(wasm_u8x16_splat(0), before));
    return !wasm_v128_any_true(errors);
}
#else
static NOINLINE uint32_t is_valid(void)
{
    for (uint32_t i = 0; i < LEN;) {
        uint32_t first = text[i], more, low = 0x80, high = 0xbf;
        if (first < 0x80) {
            i++;
            continue;
        }
        if (first < 0xc2 || first > 0xf4) {
            return 0;
        }
        more = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
        low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : low;
        high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : high;
        if (i + more >= LEN) {
            return 0;
        }
        if (text[i + 1] < low || text[i + 1] > high) {
            return 0;
        }
        for (uint32_t k = 2; k <= more; k++) {
            if ((text[i + k] & 0xc0) != 0x80) {
                return 0;
            }
        }
        i += more + 1;
    }
    return 1;
}
#endif

static uint32_t put(uint32_t at, uint32_t c)
{
    if (c < 0x80) {
        text[at++] = (uint8_t)c;
    } else if (c < 0x800) {
        text[at++] = (uint8_t)(0xc0 | c >> 6);
        text[at++] = (uint8_t)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        text[at++] = (uint8_t)(0xe0 | c >> 12);
        text[at++] = (uint8_t)(0x80 | (c >> 6 & 63));
        text[at++] = (uint8_t)(0x80 | (c & 63));
    } else {
        text[at++] = (uint8_t)(0xf0 | c >> 18);
        text[at++] = (uint8_t)(0x80 | (c >> 12 & 63));
        text[at++] = (uint8_t)(0x80 | (c >> 6 & 63));
        text[at++] = (uint8_t)(0x80 | (c & 63));
    }
    return at;
}

EXPORT int64_t run(int32_t n)
{
    static const uint32_t bounds[4] = {0x80, 0x800, 0xd800, 0x10ffff};
    uint64_t hash = HASH_SEED;
    uint32_t random = 123456789, at = 0;
    while (at < LEN - 4) {
        at = put(at, next_random(&random) % bounds[next_random(&random) % 4]);
        /* Surrogates are no characters: the last byte of one in the text is taken back. */
        if (at >= 3 && text[at - 3] == 0xed && text[at - 2] >= 0xa0) {
            at -= 3;
        }
    }
    while (at < LEN) {
        text[at++] = '.';
    }
    for (int32_t round = 0; round < n; round++) {
        /* An error near the end, so that all of the text is looked at. */
        uint32_t place = LEN - 1 - next_random(&random) % 64;
        uint8_t was = text[place];
        if (round & 1) {
            text[place] = (uint8_t)(next_random(&random) >> 7);
        }
        hash = hash_word(hash, is_valid());
        text[place] = was;
    }
    return (int64_t)hash;
}
