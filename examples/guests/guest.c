/* The parts of guest.h that are code; linked into each of the three programs. */
#include "guest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if !defined(__wasm__)
/* As host code (build.sh --check) there is no host to ask; the expected outputs say "host" too. */
int32_t host_tag(char *buf, int32_t len)
{
    memcpy(buf, "host", len < 4 ? (size_t)len : 4);
    return 4;
}

void host_report(int32_t key, int64_t value)
{
    (void)key;
    (void)value;
}
#endif

void fail(const char *program, const char *message)
{
    fflush(stdout);
    fprintf(stderr, "%s: %s\n", program, message);
    exit(1);
}

void *allocate(size_t size)
{
    void *block = malloc(size > 0 ? size : 1);
    if (block == NULL) {
        fail("guest", "out of memory");
    }
    return block;
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t len)
{
    if (buffer->capacity - buffer->len < len) {
        size_t capacity = buffer->capacity > 0 ? buffer->capacity : 256;
        while (capacity - buffer->len < len) {
            capacity *= 2;
        }
        buffer->bytes = realloc(buffer->bytes, capacity);
        if (buffer->bytes == NULL) {
            fail("guest", "out of memory");
        }
        buffer->capacity = capacity;
    }
    if (len > 0) {
        memcpy(buffer->bytes + buffer->len, bytes, len);
    }
    buffer->len += len;
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

struct buffer read_stdin(void)
{
    struct buffer input = {0};
    char chunk[4096];
    size_t len;
    while ((len = fread(chunk, 1, sizeof chunk, stdin)) > 0) {
        buffer_append(&input, chunk, len);
    }
    return input;
}

const char *guest_tag(void)
{
    static char tag[64];
    int32_t len = host_tag(tag, (int32_t)sizeof tag - 1);
    if (len < 0) {
        return "?";
    }
    tag[len < (int32_t)sizeof tag ? len : (int32_t)sizeof tag - 1] = '\0';
    return tag;
}

uint64_t checksum_of(const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

void report_result(const char *program, size_t input_len, size_t output_len, uint64_t checksum)
{
    printf("result %s %s %016" PRIx64 "\n", guest_tag(), program, checksum);
    fflush(stdout);
    host_report(REPORT_INPUT_BYTES, (int64_t)input_len);
    host_report(REPORT_OUTPUT_BYTES, (int64_t)output_len);
    host_report(REPORT_CHECKSUM, (int64_t)checksum);
}

uint32_t next_random(uint32_t *state)
{
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    *state = x;
    return x;
}
