/*
 * A byte-oriented LZ77 compressor.
 *
 *   lz                    compress stdin, decompress the result, verify, print the sizes
 *   lz --builtin BYTES    the same with a generated text of that many bytes
 *   lz -c, lz -d          compress or decompress stdin to stdout
 *
 * Format: four bytes "LZg1", the plain length as 32 bits (little endian), then sequences of
 *
 *   token      high nibble: number of literals, low nibble: match length - 4; 15 means that
 *              bytes follow whose sum is added, the last one being less than 255
 *   literals   copied to the output
 *   distance   16 bits (little endian), how far back the match starts; absent in the last
 *              sequence, which ends with its literals
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

#define PROGRAM "lz"
#define HEADER_LEN 8
#define MATCH_LEN_MIN 4
#define DISTANCE_MAX 65535
#define PLAIN_LEN_MAX (64u << 20)
#define HASH_BITS 14
#define CHAIN_MAX 32

static const uint8_t magic[4] = {'L', 'Z', 'g', '1'};

/* ---- compression ---- */

/* Where strings of four bytes were seen: the newest by hash, and from each one the one before. */
struct matcher {
    const uint8_t *plain;
    uint32_t plain_len;
    int32_t newest[1 << HASH_BITS];
    int32_t *before;
};

struct match {
    uint32_t len;
    uint32_t distance;
};

static uint32_t hash_at(const struct matcher *matcher, uint32_t at)
{
    const uint8_t *p = matcher->plain + at;
    uint32_t word = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16
                    | (uint32_t)p[3] << 24;
    return word * 2654435761u >> (32 - HASH_BITS);
}

static void remember(struct matcher *matcher, uint32_t at)
{
    if (at + MATCH_LEN_MIN <= matcher->plain_len) {
        uint32_t hash = hash_at(matcher, at);
        matcher->before[at] = matcher->newest[hash];
        matcher->newest[hash] = (int32_t)at;
    }
}

static struct match find_match(const struct matcher *matcher, uint32_t at)
{
    struct match best = {0, 0};
    int32_t candidate;
    if (at + MATCH_LEN_MIN > matcher->plain_len) {
        return best;
    }
    candidate = matcher->newest[hash_at(matcher, at)];
    for (int tries = 0; candidate >= 0 && tries < CHAIN_MAX; tries++) {
        uint32_t distance = at - (uint32_t)candidate;
        uint32_t len = 0;
        if (distance > DISTANCE_MAX) {
            break;
        }
        while (at + len < matcher->plain_len
               && matcher->plain[(uint32_t)candidate + len] == matcher->plain[at + len]) {
            len++;
        }
        if (len >= MATCH_LEN_MIN && len > best.len) {
            best.len = len;
            best.distance = distance;
        }
        candidate = matcher->before[candidate];
    }
    return best;
}

static void put_byte(struct buffer *out, uint32_t byte)
{
    uint8_t value = (uint8_t)byte;
    buffer_append(out, &value, 1);
}

static void put_extra_len(struct buffer *out, uint32_t len)
{
    if (len >= 15) {
        len -= 15;
        while (len >= 255) {
            put_byte(out, 255);
            len -= 255;
        }
        put_byte(out, len);
    }
}

static void put_sequence(struct buffer *out, const uint8_t *literals, uint32_t literals_len,
                         struct match match)
{
    uint32_t match_code = match.len > 0 ? match.len - MATCH_LEN_MIN : 0;
    uint32_t high = literals_len < 15 ? literals_len : 15;
    uint32_t low = match_code < 15 ? match_code : 15;
    put_byte(out, high << 4 | low);
    put_extra_len(out, literals_len);
    buffer_append(out, literals, literals_len);
    if (match.len > 0) {
        put_extra_len(out, match_code);
        put_byte(out, match.distance);
        put_byte(out, match.distance >> 8);
    }
}

static struct buffer compress(const uint8_t *plain, uint32_t plain_len)
{
    static struct matcher matcher;
    struct buffer out = {0};
    struct match none = {0, 0};
    uint32_t literals = 0;
    uint32_t at = 0;
    matcher.plain = plain;
    matcher.plain_len = plain_len;
    matcher.before = allocate(sizeof(int32_t) * plain_len);
    memset(matcher.newest, 0xff, sizeof matcher.newest);
    buffer_append(&out, magic, sizeof magic);
    for (int shift = 0; shift < 32; shift += 8) {
        put_byte(&out, plain_len >> shift);
    }
    while (at < plain_len) {
        struct match match = find_match(&matcher, at);
        uint32_t step = match.len > 0 ? match.len : 1;
        if (match.len > 0) {
            put_sequence(&out, plain + literals, at - literals, match);
            literals = at + match.len;
        }
        while (step-- > 0) {
            remember(&matcher, at++);
        }
    }
    put_sequence(&out, plain + literals, plain_len - literals, none);
    free(matcher.before);
    return out;
}

/* ---- decompression: every number read is checked, the input may be anything ---- */

struct reader {
    const uint8_t *bytes;
    size_t len;
    size_t at;
};

static uint32_t get_byte(struct reader *in)
{
    if (in->at >= in->len) {
        fail(PROGRAM, "the compressed data ends too early");
    }
    return in->bytes[in->at++];
}

static uint32_t get_len(struct reader *in, uint32_t nibble)
{
    uint32_t len = nibble;
    if (nibble == 15) {
        uint32_t more;
        do {
            more = get_byte(in);
            len += more;
        } while (more == 255 && len < PLAIN_LEN_MAX);
    }
    return len;
}

static void copy_literals(struct reader *in, uint8_t *out, uint32_t *at, uint32_t plain_len,
                          uint32_t len)
{
    if (len > in->len - in->at || len > plain_len - *at) {
        fail(PROGRAM, "a run of literals is too long");
    }
    memcpy(out + *at, in->bytes + in->at, len);
    in->at += len;
    *at += len;
}

static void copy_match(uint8_t *out, uint32_t *at, uint32_t plain_len, struct match match)
{
    if (match.distance == 0 || match.distance > *at || match.len > plain_len - *at) {
        fail(PROGRAM, "a match reaches outside the data");
    }
    /* Byte by byte: a match may overlap what it produces. */
    for (uint32_t i = 0; i < match.len; i++, ++*at) {
        out[*at] = out[*at - match.distance];
    }
}

static struct buffer decompress(const struct buffer *packed)
{
    struct reader in = {(const uint8_t *)packed->bytes, packed->len, 0};
    struct buffer plain = {0};
    uint32_t plain_len = 0;
    uint32_t at = 0;
    if (packed->len < HEADER_LEN || memcmp(packed->bytes, magic, sizeof magic) != 0) {
        fail(PROGRAM, "this is not compressed data");
    }
    in.at = sizeof magic;
    for (int shift = 0; shift < 32; shift += 8) {
        plain_len |= get_byte(&in) << shift;
    }
    if (plain_len > PLAIN_LEN_MAX) {
        fail(PROGRAM, "the plain data would be too large");
    }
    plain.bytes = allocate(plain_len);
    plain.capacity = plain_len;
    plain.len = plain_len;
    do {
        uint32_t token = get_byte(&in);
        copy_literals(&in, (uint8_t *)plain.bytes, &at, plain_len, get_len(&in, token >> 4));
        if (in.at < in.len) {
            struct match match;
            match.len = get_len(&in, token & 15) + MATCH_LEN_MIN;
            match.distance = get_byte(&in);
            match.distance |= get_byte(&in) << 8;
            copy_match((uint8_t *)plain.bytes, &at, plain_len, match);
        }
    } while (in.at < in.len);
    if (at != plain_len) {
        fail(PROGRAM, "the compressed data ends too early");
    }
    return plain;
}

/* ---- the program ---- */

/* Sentences of words that repeat as words do in prose. */
static struct buffer builtin_text(size_t len)
{
    static const char *const words[] = {
        "the",    "a",      "one",    "each",   "context", "thread", "module", "guest",
        "host",   "memory", "table",  "native", "owns",    "calls",  "keeps",  "shares",
        "never",  "always", "again",  "before", "after",   "inside", "beside", "without",
        "number", "answer", "little", "quiet",  "plain",   "and",    "or",     "but",
    };
    struct buffer text = {0};
    uint32_t random = 20250117;
    int words_left = 0;
    while (text.len < len) {
        uint32_t pick = next_random(&random) >> 7;
        /* The product of two picks favours the front of the list. */
        size_t index = (pick & 31) * (pick >> 5 & 31) / 31;
        buffer_append_text(&text, words[index]);
        if (words_left == 0) {
            buffer_append_text(&text, pick & 1024 ? ".\n" : ". ");
            words_left = 4 + (int)(pick >> 11 & 7);
        } else {
            buffer_append_text(&text, " ");
            words_left--;
        }
    }
    text.len = len;
    return text;
}

static int verify(const struct buffer *plain)
{
    struct buffer packed = compress((const uint8_t *)plain->bytes, (uint32_t)plain->len);
    struct buffer back = decompress(&packed);
    int same = back.len == plain->len
               && (plain->len == 0 || memcmp(back.bytes, plain->bytes, plain->len) == 0);
    printf("plain       %zu bytes, checksum %016" PRIx64 "\n", plain->len,
           checksum_of(plain->bytes, plain->len));
    printf("compressed  %zu bytes, checksum %016" PRIx64 "\n", packed.len,
           checksum_of(packed.bytes, packed.len));
    printf("round trip  %s\n", same ? "ok" : "FAILED");
    report_result(PROGRAM, plain->len, packed.len, checksum_of(packed.bytes, packed.len));
    free(back.bytes);
    free(packed.bytes);
    return same ? 0 : 1;
}

static void write_out(const struct buffer *bytes)
{
    if (fwrite(bytes->bytes, 1, bytes->len, stdout) != bytes->len || fflush(stdout) != 0) {
        fail(PROGRAM, "cannot write");
    }
}

int main(int argc, char **argv)
{
    struct buffer input;
    struct buffer output;
    if (argc == 3 && strcmp(argv[1], "--builtin") == 0) {
        unsigned long len = strtoul(argv[2], NULL, 10);
        input = builtin_text(len < PLAIN_LEN_MAX ? len : PLAIN_LEN_MAX);
        return verify(&input);
    }
    if (argc > 2 || (argc == 2 && strcmp(argv[1], "-c") != 0 && strcmp(argv[1], "-d") != 0)) {
        fail(PROGRAM, "usage: lz [-c | -d | --builtin BYTES]");
    }
    input = read_stdin();
    if (input.len > PLAIN_LEN_MAX) {
        fail(PROGRAM, "the input is too large");
    }
    if (argc == 1) {
        return verify(&input);
    }
    output = argv[1][1] == 'c' ? compress((const uint8_t *)input.bytes, (uint32_t)input.len)
                               : decompress(&input);
    write_out(&output);
    return 0;
}
