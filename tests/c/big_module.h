/* A module of many types, functions and exports, with a function of deep operands and blocks. */

#ifndef BIG_MODULE_H
#define BIG_MODULE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPES 500
#define FUNCTIONS 1000
#define EXPORTS 700
#define OPERANDS 9000
#define BLOCKS 2000
#define DEEP 250
#define DEEP_NAME "function00250"

static uint8_t *big;
static uint32_t big_size;

static void number(uint8_t **at, uint32_t value) {
    for (; value >= 0x80; value >>= 7) {
        *(*at)++ = (uint8_t)(value | 0x80);
    }
    *(*at)++ = (uint8_t)value;
}

/* Begins a section; its length has five bytes. */
static uint8_t *section(uint8_t **at, uint8_t id) {
    *(*at)++ = id;
    *at += 5;
    return *at;
}

static void end_section(uint8_t *from, uint8_t *at) {
    uint32_t size = (uint32_t)(at - from);
    int i;

    for (i = 0; i < 5; i++, size >>= 7) {
        from[i - 5] = (uint8_t)((size & 0x7F) | (i < 4 ? 0x80 : 0));
    }
}

static void make_big(void) {
    uint8_t *at = big = malloc(1 << 20), *from;
    int i, j;

    memcpy(at, "\0asm\1\0\0\0", 8);
    at += 8;
    from = section(&at, 1);
    for (number(&at, TYPES), i = 0; i < TYPES; i++) {
        *at++ = 0x60;
        for (number(&at, 10), j = 0; j < 10; j++) {
            *at++ = i >> j & 1 ? 0x7F : 0x7E;
        }
        number(&at, 0);
    }
    end_section(from, at);
    from = section(&at, 3);
    for (number(&at, FUNCTIONS), i = 0; i < FUNCTIONS; i++) {
        number(&at, (uint32_t)i % TYPES);
    }
    end_section(from, at);
    from = section(&at, 7);
    for (number(&at, EXPORTS), i = 0; i < EXPORTS; i++) {
        at += 1 + sprintf((char *)at, "%cfunction%05d", 13, i);
        at[-1] = 0;
        number(&at, (uint32_t)i);
    }
    end_section(from, at);
    from = section(&at, 10);
    for (number(&at, FUNCTIONS), i = 0; i < FUNCTIONS; i++) {
        uint8_t body[1 << 16], *to = body;

        if (i == DEEP) {
            for (number(&to, 300), j = 0; j < 300; j++) {
                number(&to, (uint32_t)j);
                *to++ = j & 1 ? 0x7F : 0x7E;
            }
            for (j = 0; j < BLOCKS; j++) {
                *to++ = 0x02, *to++ = 0x40;
            }
            for (j = 0; j < OPERANDS; j++) {
                *to++ = 0x41, *to++ = 0;
            }
            for (j = 0; j < OPERANDS; j++) {
                *to++ = 0x1A;
            }
            for (j = 0; j < BLOCKS; j++) {
                *to++ = 0x0B;
            }
        }
        else {
            number(&to, 0);
        }
        *to++ = 0x0B;
        number(&at, (uint32_t)(to - body));
        memcpy(at, body, (size_t)(to - body));
        at += to - body;
    }
    end_section(from, at);
    big_size = (uint32_t)(at - big);
}

#endif /* BIG_MODULE_H */
