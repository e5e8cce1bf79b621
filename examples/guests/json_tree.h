/* JSON texts as trees: parsing and printing, for json.c. */
#ifndef JSON_TREE_H
#define JSON_TREE_H

#include <stddef.h>

#include "guest.h"

enum json_kind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

/* Bytes with a length: a JSON string may contain NUL. */
struct json_text {
    const char *bytes;
    size_t len;
};

/* The children of arrays and objects are linked in the order of the text; members have a key. */
struct json {
    enum json_kind kind;
    double number;
    struct json_text string;
    struct json_text key;
    struct json *first;
    struct json *next;
};

struct json_error {
    const char *message;
    size_t line;
    size_t column;
};

/* NULL and `error` filled in when the text is not JSON. Trees live until the program ends. */
struct json *json_parse(const char *text, size_t len, struct json_error *error);

/* Appends the value to `out`; `indent` spaces per level, or everything on one line when zero. */
void json_print(const struct json *value, int indent, struct buffer *out);

/* The shortest decimal text that reads back as the same number. */
void json_print_number(double number, struct buffer *out);

/* The member of that name, or NULL when there is none or `object` is no object. */
const struct json *json_member(const struct json *object, const char *name, size_t len);

#endif
