/*
 * The common part of the three guest programs: the natives they import, and their way to report a
 * result.
 *
 * Each program is an ordinary WASI command (arguments, stdin, stdout, exit code) that also asks
 * its host two things. An embedder may answer every guest differently: that is what
 * isolated_workers.c is about.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stddef.h>
#include <stdint.h>

#if defined(__wasm__)
#define HOST_IMPORT(name) __attribute__((import_module("env"), import_name(name)))
#else
#define HOST_IMPORT(name)
#endif

/*
 * Writes at most `len` bytes of the host's tag into `buf`, without a terminating NUL. Returns the
 * length of the whole tag, or a negative number when the host refuses.
 */
HOST_IMPORT("host_tag") int32_t host_tag(char *buf, int32_t len);

/* Hands a number to the host under one of the keys below (or a key of the script's own choice). */
HOST_IMPORT("host_report") void host_report(int32_t key, int64_t value);

enum { REPORT_INPUT_BYTES = 1, REPORT_OUTPUT_BYTES = 2, REPORT_CHECKSUM = 3 };

/* Bytes that grow as they are appended to. Starts as all zeros. */
struct buffer {
    char *bytes;
    size_t len;
    size_t capacity;
};

void buffer_append(struct buffer *buffer, const void *bytes, size_t len);
void buffer_append_text(struct buffer *buffer, const char *text);

/* All of stdin. */
struct buffer read_stdin(void);

/* The host's tag as a C string in static memory; "?" when the host refuses. */
const char *guest_tag(void);

/* FNV-1a, 64 bits. */
uint64_t checksum_of(const void *bytes, size_t len);

/*
 * The last line of output, "result TAG PROGRAM CHECKSUM", and the same to the host. Output is
 * flushed first: a host without host_report ends the program here, and nothing printed is lost.
 */
void report_result(const char *program, size_t input_len, size_t output_len, uint64_t checksum);

/* Prints "PROGRAM: MESSAGE" to stderr and exits with status 1. */
_Noreturn void fail(const char *program, const char *message);

/* malloc that ends the program instead of returning NULL. */
void *allocate(size_t size);

/* Deterministic numbers for built-in inputs. The state must not be zero. */
uint32_t next_random(uint32_t *state);

#endif
